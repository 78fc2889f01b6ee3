"""Starts one attempt: settings, signals, exit code. What it prints is for the workload's own log."""

import asyncio
import os
import signal
import sys
import traceback
from pathlib import Path

from stagewright.kit.redact import Redactor
from stagewright.processes.runner.attempt import Attempt
from stagewright.processes.runner.control import DEFAULT_GRACE, Control
from stagewright.processes.runner.failures import (
    EXIT_INTERNAL,
    EXIT_REFUSED,
    EXIT_REPORTED,
    EXIT_UNREACHABLE,
    NotReported,
    NotTaken,
    Refused,
    Unreachable,
)
from stagewright.processes.runner.settings import Settings, SettingsWrong, read_settings

LONGEST_PROBLEM = 2000


def main() -> int:
    """Run the attempt of this workload; the exit code is for diagnostics, the reported outcome decides."""
    os.umask(0o077)
    try:
        settings = read_settings(os.environ, Path.cwd())
    except SettingsWrong as error:
        _say(str(error))
        return EXIT_INTERNAL
    redactor = Redactor(settings.tokens.values())
    return asyncio.run(_attempt(settings, redactor))


async def _attempt(settings: Settings, redactor: Redactor) -> int:
    """Do the attempt; say on the way out what the platform may not have heard."""
    control = Control()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, control.stop, "terminated", DEFAULT_GRACE)
    attempt = Attempt(settings, control, redactor)
    try:
        outcome = await attempt.run()
    except (Refused, NotTaken) as error:
        code, text = EXIT_REFUSED, f"the platform refuses this attempt: {error}"
    except Unreachable as error:
        code, text = EXIT_UNREACHABLE, f"the platform cannot be reached: {error}"
    except NotReported as error:
        code, text = EXIT_INTERNAL, f"the outcome could not be reported: {error}"
    except Exception:  # the wrapper of this process: whatever broke is told without a secret
        code, text = EXIT_INTERNAL, traceback.format_exc()
        await attempt.tell_problem(redactor(text)[-LONGEST_PROBLEM:])
    else:
        code, text = EXIT_REPORTED, f"reported: {outcome.outcome} {outcome.code}".rstrip()
    finally:
        await attempt.close()
    _say(redactor(text))
    return code


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  the container's log is where this belongs

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


def main() -> int:
    """Run the attempt of this workload; the exit code is for diagnostics, the reported outcome decides."""
    os.umask(0o077)
    try:
        settings = read_settings(os.environ, Path.cwd())
    except SettingsWrong as error:
        _say(str(error))
        return EXIT_INTERNAL
    redactor = Redactor(settings.tokens.values())
    try:
        return asyncio.run(_attempt(settings, redactor))
    except Exception:  # the door wrapper of this process: say what broke, without a secret, and exit 12
        _say(redactor(traceback.format_exc()))
        return EXIT_INTERNAL


async def _attempt(settings: Settings, redactor: Redactor) -> int:
    control = Control()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, control.stop, "terminated", DEFAULT_GRACE)
    try:
        outcome = await Attempt(settings, control, redactor).run()
    except (Refused, NotTaken) as error:
        _say(redactor(f"the platform refuses this attempt: {error}"))
        return EXIT_REFUSED
    except Unreachable as error:
        _say(redactor(f"the platform cannot be reached: {error}"))
        return EXIT_UNREACHABLE
    except NotReported as error:
        _say(redactor(f"the outcome could not be reported: {error}"))
        return EXIT_INTERNAL
    _say(redactor(f"reported: {outcome.outcome} {outcome.code}".rstrip()))
    return EXIT_REPORTED


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  the container's log is where this belongs

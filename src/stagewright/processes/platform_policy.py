"""The platform's own policy: ``policy.yaml`` in the data directory, read once, before a process does anything."""

from collections.abc import Iterable
from pathlib import Path

from stagewright.contexts.workflow import api as workflow
from stagewright.kit.errors import FieldProblem, Invalid

MOST = 256 * 1024


class PlatformPolicyInvalid(Invalid):
    """The platform's policy file cannot be used. The message names every mistake with its line."""

    code = "policy.invalid"


def read_platform_policy(path: Path) -> str | None:
    """Return the checked text of the file, None without one. Raise ``PlatformPolicyInvalid``."""
    text = _text(path)
    try:
        with workflow.platform_policy(text):
            return text
    except workflow.PolicyInvalid as error:
        raise _cannot_be_used(path, (_line(item) for item in error.problems)) from error


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(MOST + 1).decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _cannot_be_used(path, [f"it cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise _cannot_be_used(path, [f"byte {error.start + 1} is not UTF-8"]) from error


def _line(problem: FieldProblem) -> str:
    return f"{problem.message} ({problem.pointer or '/'})"


def _cannot_be_used(path: Path, mistakes: Iterable[str]) -> PlatformPolicyInvalid:
    lines = "\n".join(f"  {mistake}" for mistake in mistakes)
    told = f"{path} cannot be used: mend it, or remove it to go by the built-in policy\n{lines}"
    return PlatformPolicyInvalid(told)

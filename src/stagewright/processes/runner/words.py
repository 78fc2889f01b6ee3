"""What the runner says to the agent between turns. English: the agent was given its language by the prompt."""

from collections.abc import Iterable, Sequence

from stagewright.processes.runner.scope import Advice

END = "Then end the turn with the complete report again, as the schema asks."


def mend_report(problem: str) -> str:
    """Ask for a valid report."""
    return f"Your report could not be used: {problem}\n\nChange nothing else. {END}"


def mend_tree(advice: Sequence[Advice]) -> str:
    """Ask for a work tree that passes the checks."""
    listed = "\n".join(_one(item.code, item.message, item.paths) for item in advice)
    return f"The work tree cannot be handed over as it is:\n{listed}\n\nMend this in the work tree. {END}"


def mend_result(violations: Iterable[tuple[str, str, Sequence[str]]]) -> str:
    """Pass on what the platform's check found."""
    listed = "\n".join(_one(*violation) for violation in violations)
    text = "The platform checked your result and did not take it; nothing was published:"
    return f"{text}\n{listed}\n\nMend this in the work tree and in the report. {END} There is no further try."


def with_notices(notices: Sequence[str], prompt: str) -> str:
    """Put the platform's notices before a prompt."""
    return (
        "\n".join((*(f"Notice from the platform: {notice}" for notice in notices), "", prompt)) if notices else prompt
    )


def _one(code: str, message: str, paths: Sequence[str]) -> str:
    return "\n".join((f"- {code}: {message}", *(f"    {path!r}" for path in paths)))

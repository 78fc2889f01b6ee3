"""Find rehearsal steps in the untrusted parts of a prompt: the fully obedient agent of the injection tests."""

import re
from itertools import takewhile

from stagewright.adapters.engines.scripted.scenario import BadScenario, Step, parse_scenario

MOST_BLOCKS = 200
UNTRUSTED = re.compile(r"<untrusted\b[^>]*>(.*?)(?:</untrusted\b|\Z)", re.DOTALL)
OPENING = re.compile(r"^([ \t>]*)rehearsal:[ \t]*$", re.MULTILINE)


def orders_in(prompt: str) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """Return the steps that untrusted text orders by ``rehearsal:`` blocks, and why some blocks are unreadable.

    A block is the line ``rehearsal:`` and the list below it, quoted or not, in a code fence or not.
    """
    steps: list[Step] = []
    problems: list[str] = []
    blocks = [block for text in UNTRUSTED.findall(prompt) for block in _blocks(text)]
    for block in blocks[:MOST_BLOCKS]:
        try:
            steps += [step for step in parse_scenario(block) if step.kind != "obey"]
        except BadScenario as error:
            problems.append(str(error))
    return tuple(steps), tuple(problems)


def _blocks(text: str) -> list[str]:
    return [_list_after(opening[1], text[opening.end() :]) for opening in OPENING.finditer(text)]


def _list_after(prefix: str, text: str) -> str:
    """Return the lines that belong to the list: below the same prefix, list items and what is indented under them."""
    quoted = takewhile(lambda line: not line.strip() or line.startswith(prefix), text.split("\n")[1:])
    lines = (line.removeprefix(prefix) for line in quoted)
    return "\n".join(takewhile(lambda line: not line.strip() or line.startswith((" ", "\t", "- ")), lines))

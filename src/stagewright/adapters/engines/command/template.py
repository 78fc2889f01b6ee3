"""The argv template of the engine ``command``: known placeholders are replaced, anything else in braces is an error."""

import re
from collections.abc import Mapping, Sequence

PLACEHOLDERS = ("prompt_file", "result_file", "session_dir", "mcp_config")
PATTERN = re.compile(r"\{([a-z_]+)\}")


class BadTemplate(Exception):
    """The template cannot be used. The text names the field and the remedy."""


def fill(argv: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """Return ``argv`` with its placeholders replaced. Raises ``BadTemplate``."""
    if not argv:
        raise BadTemplate(
            "engines.command.argv is empty; give a program and its arguments, e.g. [my-agent, '{prompt_file}']"
        )
    return [_fill_word(word, place, values) for place, word in enumerate(argv)]


def _fill_word(word: str, place: int, values: Mapping[str, str]) -> str:
    for name in PATTERN.findall(word):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
            raise BadTemplate(f"engines.command.argv[{place}]: unknown placeholder {{{name}}}; known are {known}")
    return PATTERN.sub(lambda found: values[found[1]], word)

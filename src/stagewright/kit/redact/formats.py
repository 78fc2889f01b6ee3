"""Token formats that are secret whoever made them: rows of character runs, so that a beginning is known too."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

ALNUM = "0-9A-Za-z"
URL = "0-9A-Za-z_-"
BASE64 = "0-9A-Za-z+/="
KEY_BLOCK = r"0-9A-Za-z+/=\s\\:,."


@dataclass(frozen=True, slots=True)
class Run:
    """Between ``least`` and ``most`` characters of one class."""

    characters: str
    least: int = 1
    most: int = 1

    @property
    def whole(self) -> str:
        """Return the pattern of a complete run."""
        return f"[{self.characters}]" + (f"{{{self.least},{self.most}}}" if self.most > 1 else "")

    @property
    def begun(self) -> str:
        """Return the pattern of a run that stops early."""
        return f"[{self.characters}]{{0,{self.most}}}+"  # possessive: only the whole of it can reach the end


@dataclass(frozen=True, slots=True)
class Format:
    """A token format: its name and its runs, of which the first is one fixed character.

    ``apart``: no letter or digit stands right before it. This is looked at after the first character, so that the
    search can skip to such characters.
    """

    name: str
    runs: tuple[Run, ...]
    apart: bool = True

    def pattern(self) -> str:
        """Return the pattern of the whole token."""
        return self._start() + "".join(run.whole for run in self.runs[1:])

    def beginning(self) -> str:
        """Return the pattern of any beginning of the token that the text's end cuts off."""
        pattern = r"\Z"
        for run in reversed(self.runs[1:]):
            pattern = rf"(?:{run.begun}\Z|{run.whole}{pattern})"
        return self._start() + pattern

    def _start(self) -> str:
        first = self.runs[0].whole
        return first + (rf"(?<![{ALNUM}]{first})" if self.apart else "")


def _word(text: str) -> tuple[Run, ...]:
    return tuple(Run(re.escape(character)) for character in text)


KEY_START = (*_word("-----BEGIN "), Run("A-Z0-9 ", 0, 40), *_word("PRIVATE KEY-----"), Run(KEY_BLOCK, 1, 16384))
AWS_VALUE = (Run(r"\s\"':=", 1, 8), Run(BASE64, 40, 40))
FORMATS: Sequence[Format] = (
    Format("github_token", (*_word("gh"), Run("pousr"), *_word("_"), Run(ALNUM, 36, 255)), apart=False),
    Format("github_pat", (*_word("github_pat_"), Run(ALNUM + "_", 22, 255)), apart=False),
    Format("stagewright_token", (*_word("swt_"), Run(ALNUM, 49, 49)), apart=False),
    Format("api_key", (*_word("sk-"), Run(URL, 20, 512))),
    Format("aws_access_key", (*_word("A"), Run("KS"), *_word("IA"), Run("0-9A-Z", 16, 16))),
    Format("aws_secret_key", (*_word("aws_secret_access_key"), *AWS_VALUE), apart=False),
    Format("aws_secret_key", (*_word("AWS_SECRET_ACCESS_KEY"), *AWS_VALUE), apart=False),
    Format("private_key", (*KEY_START, *_word("-----END "), Run("A-Z0-9 ", 0, 60), *_word("-----")), apart=False),
    Format("private_key", KEY_START, apart=False),  # one that was cut before its end
    Format(
        "jwt", (*_word("eyJ"), Run(URL, 8, 2048), *_word(".eyJ"), Run(URL, 8, 8192), *_word("."), Run(URL, 16, 1024))
    ),
)
WHOLE = re.compile("|".join(item.pattern() for item in FORMATS).encode())
LONGEST = max(sum(run.most for run in item.runs) for item in FORMATS)


@functools.cache
def begun() -> re.Pattern[bytes]:
    """Return the pattern of any beginning of a token at the end; made when first asked for, as it takes 10 ms."""
    return re.compile("|".join(item.beginning() for item in FORMATS).encode())


def name_at(data: bytes, start: int) -> str:
    """Return the name of the format that matches ``data`` at ``start``."""
    return next(item.name for item in FORMATS if re.compile(item.pattern().encode()).match(data, start))

"""Cleaning of texts other people or agents wrote: what a person could not see must not reach an agent or an approver.

``sanitise`` is the one function for prompts, approvals, tools and the console; ``inert`` prepares text we publish.
Nothing here may be weakened to repair a display problem: show less instead.
"""

import re
import unicodedata
from dataclasses import dataclass, replace

from stagewright.contexts.agents.model import SanitizerCounts

PUBLISH_LIMIT = 60_000
CUT_MARK = "…"

_TAGS = re.compile(r"[\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]")
_BIDI = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ZERO_WIDTH = re.compile(
    r"[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0"
    r"\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"
)
# U+FE0E and U+FE0F stay: they only choose between text and picture, and every issue with an emoji has them.
_VARIATION = re.compile(r"[\U000e0100-\U000e01ef\ufe00-\ufe0d\u180b-\u180d\u180f]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_END = re.compile("\r\n|[\r\u2028\u2029\u0085]")

_COMMENT = re.compile(r"<!--(?:-?>|[\s\S]*?--!?>)")
_COMMENT_START = "<!--"
_MARKUP = re.compile(r"<[A-Za-z/?!]")

_REFERENCE = r"(?:[\w.-]{1,100}/[\w.-]{1,100})?#\d|gh-\d|https?://|<https?://"
_KEYWORD = re.compile(
    r"(?<![A-Za-z0-9])(close[sd]?|fix(?:e[sd])?|resolve[sd]?)"
    rf"(?:((?:[\s:*_~`\[(\"']|<[^<>\n]{{0,200}}>){{1,40}})(?={_REFERENCE})|(?=#\d))",
    re.IGNORECASE,
)
_MENTION = re.compile(r"(?<![A-Za-z0-9])@(?=[A-Za-z0-9])")
_ENTITY = re.compile(r"&(?=#[0-9xX]|(?:num|commat|nbsp|ensp|emsp|colon|Tab|NewLine|NonBreakingSpace);)")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")


@dataclass(frozen=True, slots=True)
class Clean:
    """A cleaned text and how much was taken out of it."""

    text: str
    counts: SanitizerCounts


def sanitise(text: str) -> Clean:
    """Remove what a reader of the page would not see, and bring the text to NFC. Applying it again changes nothing."""
    if text.isascii() and text.isprintable() and _COMMENT_START not in text:
        return Clean(text, SanitizerCounts())
    text = _LINE_END.sub("\n", text)
    text, tags = _TAGS.subn("", text)
    text, bidi = _BIDI.subn("", text)
    text, zero = _ZERO_WIDTH.subn("", text)
    text, variation = _VARIATION.subn("", text)
    text, control = _CONTROL.subn("", text)
    text, comments = _without_comments(unicodedata.normalize("NFC", text))
    counts = SanitizerCounts(
        html_comments=comments,
        tag_characters=tags,
        bidi_controls=bidi,
        zero_width=zero,
        variation_selectors=variation,
        control_characters=control,
    )
    return Clean(unicodedata.normalize("NFC", text), counts)


def _without_comments(text: str) -> tuple[str, int]:
    """Remove HTML comments in one pass. An unclosed one hides the rest of the page, so the rest goes with it."""
    kept: list[str] = []
    tail = ""
    position = removed = 0
    while (start := text.find(_COMMENT_START, position)) >= 0:
        found = _COMMENT.match(text, start)
        if found is None:
            if _is_shown(text, start):
                break
            return "".join(kept) + text[position:start], removed + 1
        kept.append(text[position:start])
        tail = (tail + kept[-1])[-3:]
        position, removed = found.end(), removed + 1
        if _joins(tail, text[position : position + 3]):
            kept.append(" ")
            tail = " "
    return "".join(kept) + text[position:], removed


def _joins(before: str, after: str) -> bool:
    """Say whether taking out what stood between would make a new comment start."""
    return any(
        before.endswith(_COMMENT_START[:size]) and after.startswith(_COMMENT_START[size:])
        for size in range(1, len(_COMMENT_START))
    )


def _is_shown(text: str, start: int) -> bool:
    """Say whether an unclosed ``<!--`` is certainly visible: in a code span of a text without any markup before it."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    after = text[start : line_end if line_end >= 0 else len(text)]
    in_span = text.count("`", line_start, start) % 2 == 1 and "`" in after
    return in_span and _MARKUP.search(text, 0, start) is None


def cut_utf8(text: str, limit: int) -> tuple[str, int]:
    """Return the longest beginning of ``text`` within ``limit`` bytes of UTF-8, and how many bytes were cut."""
    raw = text.encode()
    if len(raw) <= limit:
        return text, 0
    kept = raw[: max(0, limit)].decode(errors="ignore")
    return kept, len(raw) - len(kept.encode())


def inert(text: str, *, limit: int = PUBLISH_LIMIT) -> str:
    """Return ``text`` fit for publishing in a thread: nothing hidden, nobody mentioned, nothing closed by it.

    Works on the characters, not on the markup, so no trick of nesting can undo it: a dash parts a closing keyword from
    its reference and mentions get a full-width sign, in code too. At most ``limit`` characters; open fences are closed.
    """
    text = sanitise(text).text
    text = _ENTITY.sub("&amp;", text)
    text = _KEYWORD.sub(lambda found: f"{found[1]}{found[2] or ' '}— ", text)
    text = _MENTION.sub("\uff20", text)
    return _within(text, limit)


def _within(text: str, limit: int) -> str:
    if len(text) > limit:
        text = text[: max(0, limit - 64)] + CUT_MARK
    fence = _open_fence(text)
    return f"{text}\n{fence}" if fence and len(text) + 1 + len(fence) <= limit else text


def _open_fence(text: str) -> str:
    """Return the fence that would close an open code block at the end of ``text``, or nothing."""
    fence = ""
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if found is None:
            continue
        mark, rest = found[1], found[2]
        if not fence:
            fence = mark if mark[0] == "~" or "`" not in rest else ""
        elif mark[0] == fence[0] and len(mark) >= len(fence) and not rest.strip():
            fence = ""
    return fence


def plus(clean: Clean, **counts: int) -> Clean:
    """Return ``clean`` with some of its counts raised."""
    raised = {name: getattr(clean.counts, name) + amount for name, amount in counts.items()}
    return Clean(clean.text, replace(clean.counts, **raised))

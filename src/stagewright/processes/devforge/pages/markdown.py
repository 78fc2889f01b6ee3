"""Rendering Markdown for reading: escaped first, then a handful of forms. What is not known stays text."""

import re

from markupsafe import Markup, escape

HIDDEN = re.compile(r"(?s)<!--.*?-->")
FENCE = re.compile(r"^\s*(```|~~~)")
HEADING = re.compile(r"^(#{1,6})\s+(.*)$")
BULLET = re.compile(r"^\s*[-*+]\s+(.*)$")
CODE = re.compile(r"`([^`]+)`")
BOLD = re.compile(r"\*\*(.+?)\*\*")
LINK = re.compile(r"\[([^\]]+)\]\((https?://[^\s)]+)\)")
BARE_LINK = re.compile(r"(?<![\"'=>(])(https?://[^\s<)]+)")


def render(text: str | None) -> Markup:
    """Return safe HTML for a body or comment; HTML comments (our markers) are left out."""
    if not text:
        return Markup("<p class=quiet>No description.</p>")
    blocks: list[str] = []
    lines = HIDDEN.sub("", text.replace("\r\n", "\n")).strip().split("\n")
    position = 0
    while position < len(lines):
        position = _block(lines, position, blocks)
    return Markup("\n".join(blocks))  # noqa: S704 - every piece was escaped by _inline or escape


def _block(lines: list[str], at: int, blocks: list[str]) -> int:
    """Render the block that starts at a line and return where the next one starts."""
    line = lines[at]
    if FENCE.match(line):
        end = next((n for n in range(at + 1, len(lines)) if FENCE.match(lines[n])), len(lines))
        blocks.append(f"<pre><code>{escape(chr(10).join(lines[at + 1 : end]))}</code></pre>")
        return end + 1
    if heading := HEADING.match(line):
        level = min(len(heading[1]) + 2, 6)
        blocks.append(f"<h{level}>{_inline(heading[2])}</h{level}>")
        return at + 1
    if BULLET.match(line):
        return _list(lines, at, blocks)
    end = at
    while end < len(lines) and lines[end].strip() and not _starts_block(lines[end], end > at):
        end += 1
    if end > at:
        blocks.append(f"<p>{'<br>'.join(_inline(one) for one in lines[at:end])}</p>")
    return max(end, at + 1)


def _starts_block(line: str, inside: bool) -> bool:
    return inside and bool(FENCE.match(line) or HEADING.match(line) or BULLET.match(line))


def _list(lines: list[str], at: int, blocks: list[str]) -> int:
    items = []
    while at < len(lines) and (bullet := BULLET.match(lines[at])):
        items.append(f"<li>{_inline(bullet[1])}</li>")
        at += 1
    blocks.append(f"<ul>{''.join(items)}</ul>")
    return at


def _inline(text: str) -> str:
    """Escape a line, then mark code, links and bold; code keeps its text as it is."""
    pieces = CODE.split(text)
    shown = []
    for index, piece in enumerate(pieces):
        safe = str(escape(piece))
        shown.append(f"<code>{safe}</code>" if index % 2 else _marked(safe))
    return "".join(shown)


def _marked(safe: str) -> str:
    linked = LINK.sub(r'<a href="\2" rel="noreferrer">\1</a>', safe)
    linked = BARE_LINK.sub(r'<a href="\1" rel="noreferrer">\1</a>', linked)
    return BOLD.sub(r"<strong>\1</strong>", linked)

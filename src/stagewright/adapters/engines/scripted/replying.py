"""What a rehearsed discussion answers: it names the comments it was given, so that people see that each was read."""

import re
from collections.abc import Mapping
from typing import Any

REPLY = "reply_markdown"
COMMENT = re.compile(r'<untrusted\b[^>]*\bsource="comment:(\d+)"[^>]*>')
AUTHOR = re.compile(r'\bauthor="([^"]{1,100})"')
MOST = 50
WORDS = "No model was asked: this is a rehearsal."


def with_reply(report: Mapping[str, Any], schema: Mapping[str, Any], prompt: str) -> dict[str, Any]:
    """Return ``report`` with a reply to the comments that ``prompt`` holds, where its schema wants a reply."""
    wanted = REPLY in schema.get("properties", {})
    return {**report, REPLY: reply_to(prompt)} if wanted else dict(report)


def reply_to(prompt: str) -> str:
    """Return a reply that names every comment addressed to this attempt, or says that it read the Issue."""
    named: dict[str, str] = {}
    for block in COMMENT.finditer(prompt):
        author = AUTHOR.search(block[0])
        named[block[1]] = author[1] if author else "somebody"
    if not named:
        return f"I have read the Issue. {WORDS}"
    lines = [f"- comment {number} by {author}" for number, author in list(named.items())[:MOST]]
    return "\n".join(["I have read:", "", *lines, "", WORDS])

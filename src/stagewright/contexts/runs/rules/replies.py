"""A reply in a discussion as it is posted: the agent's text, and the marker by which it is found again."""

STEP = "reply"
MOST = 60_000


def marker(attempt_id: str) -> str:
    """Return the line that tells which attempt a reply is of."""
    return f'<!-- stagewright:reply {{"attempt_id":"{attempt_id}"}} -->'


def body(reply: str, attempt_id: str) -> str:
    """Return the comment: the reply, of which hidden text and mentions were taken, at most 60,000 characters."""
    return f"{reply.strip()[:MOST]}\n\n{marker(attempt_id)}"

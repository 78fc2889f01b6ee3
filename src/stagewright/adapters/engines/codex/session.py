"""A Codex thread on disk: one rollout file at a dated path. That file alone is enough to resume."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens of a thread since its beginning."""

    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0

    def since(self, before: "Spent") -> "Spent":
        """Return what was spent after ``before``; never negative, as a compacted thread may count anew."""
        return Spent(
            max(0, self.tokens_in - before.tokens_in),
            max(0, self.tokens_cached - before.tokens_cached),
            max(0, self.tokens_out - before.tokens_out),
        )


def rollout_of(home: Path, thread_id: str) -> Path | None:
    """Return the thread's newest rollout file below CODEX_HOME."""
    if not thread_id or not all(sign.isalnum() or sign == "-" for sign in thread_id):
        return None
    found = sorted((home / "sessions").glob(f"*/*/*/rollout-*-{thread_id}.jsonl"))
    return found[-1] if found else None


def spent_in(rollout: Path | None) -> Spent | None:
    """Return the thread's total from its last ``token_usage_record``, None when there is none."""
    if rollout is None or not rollout.is_file():
        return None
    total: Spent | None = None
    with rollout.open("rb") as file:
        for line in file:
            if b'"token_usage_record"' in line:
                total = _total(line) or total
    return total


def spent_from(usage: object) -> Spent | None:
    """Return the counts of a usage object as the CLI writes it."""
    if not isinstance(usage, dict):
        return None
    counts = [usage.get(name, 0) for name in ("input_tokens", "cached_input_tokens", "output_tokens")]
    return Spent(*counts) if all(type(count) is int and count >= 0 for count in counts) else None


def _total(line: bytes) -> Spent | None:
    try:
        record = json.loads(line)
        return spent_from(record["payload"]["thread_token_usage"]) if record["type"] == "token_usage_record" else None
    except (ValueError, KeyError, TypeError):
        return None

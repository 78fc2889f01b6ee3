"""A Codex thread on disk: finding its file, and what it spent."""

import json
from pathlib import Path

from stagewright.adapters.engines.codex.session import Spent, rollout_of, spent_from, spent_in

THREAD = "01a2028a-25e2-7272-9829-72b2c37565a9"


def a_rollout(home: Path, *lines: str, thread: str = THREAD, day: str = "22") -> Path:
    path = home / "sessions/2026/11" / day / f"rollout-2026-11-{day}T09-15-37-{thread}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(line + "\n" for line in lines))
    return path


def a_record(tokens_in: int, tokens_out: int) -> str:
    usage = {"input_tokens": tokens_in, "cached_input_tokens": 1, "output_tokens": tokens_out}
    return json.dumps({"type": "token_usage_record", "payload": {"thread_token_usage": usage}}, separators=(",", ":"))


def test_the_newest_file_of_a_thread_is_found_and_no_other(tmp_path: Path) -> None:
    a_rollout(tmp_path, day="20")
    newest = a_rollout(tmp_path, day="21")
    a_rollout(tmp_path, thread="another", day="22")
    assert rollout_of(tmp_path, THREAD) == newest
    assert rollout_of(tmp_path, "unknown") is None
    assert rollout_of(tmp_path, "") is None
    assert rollout_of(tmp_path, "*") is None


def test_the_last_readable_record_is_the_threads_total(tmp_path: Path) -> None:
    broken = '{"type":"token_usage_record","payload":{"thread_token_usage":{"input_tokens":"many"}}}'
    path = a_rollout(tmp_path, "{}", a_record(10, 2), '{"type":"token_usage_record"', a_record(30, 5), broken)
    assert spent_in(path) == Spent(30, 1, 5)
    assert spent_in(tmp_path / "nothing") is None
    assert spent_in(None) is None


def test_a_difference_is_never_negative() -> None:
    assert Spent(10, 5, 3).since(Spent(4, 6, 1)) == Spent(6, 0, 2)


def test_counts_that_are_no_counts_are_no_usage() -> None:
    assert spent_from({"input_tokens": 3}) == Spent(3, 0, 0)
    assert spent_from({"input_tokens": -3}) is None
    assert spent_from([]) is None

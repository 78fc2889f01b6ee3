"""Which session an attempt continues, and what engines need."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from stagewright.contexts.agents.api import (
    ENGINES,
    EngineName,
    FailedRun,
    PromptMode,
    SavedSession,
    SessionReason,
    SessionWish,
    choose_session,
    needs_credential,
    prompt_mode,
    role_name,
)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
RUN, OTHER, THIRD = (UUID(int=n) for n in (1, 2, 3))


def a_session(number: int, run_id: UUID = RUN, **changes: Any) -> SavedSession:
    saved = SavedSession(
        id=UUID(int=100 + number),
        run_id=run_id,
        attempt_id=UUID(int=200 + number),
        engine=EngineName.CODEX,
        engine_version="0.169.0",
        thread_id=f"thread-{number}",
        has_wip=True,
        sha256=b"\0" * 32,
        size=1,
        reason=SessionReason.TURN,
        created_at=NOW - timedelta(hours=10) + timedelta(minutes=number),
    )
    return replace(saved, **changes)


def a_wish(**changes: Any) -> SessionWish:
    wish = SessionWish(
        run_id=RUN,
        kind="dev",
        next_attempt=False,
        engine=EngineName.CODEX,
        engine_version="0.169.2",
        base_sha="base",
    )
    return replace(wish, **changes)


def a_failed_run(**changes: Any) -> FailedRun:
    return replace(FailedRun(OTHER, "dev", "timeout", NOW - timedelta(hours=24), "base"), **changes)


SESSIONS = [a_session(1), a_session(3), a_session(2), a_session(9, OTHER), a_session(8, OTHER), a_session(7, THIRD)]


def chosen(wish: SessionWish, sessions: list[SavedSession] = SESSIONS) -> tuple[str | None, bool, bool]:
    choice = choose_session(sessions, wish, now=NOW)
    thread = choice.session.thread_id if choice.session else None
    return thread, choice.with_wip, choice.not_compatible


NOTHING = (None, False, False)


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (a_wish(next_attempt=True), ("thread-3", True, False)),
        (a_wish(next_attempt=True, kind="dev_revise"), ("thread-3", True, False)),
        (a_wish(next_attempt=True, kind="discussion"), ("thread-3", False, False)),
        (a_wish(next_attempt=True, run_id=UUID(int=9)), NOTHING),
        (a_wish(), NOTHING),
        (a_wish(kind="dev_revise"), NOTHING),
        (a_wish(kind="dev_revise", link_runs=frozenset({OTHER, THIRD})), ("thread-9", False, False)),
        (a_wish(failed_runs=(a_failed_run(),)), ("thread-9", True, False)),
        (a_wish(failed_runs=(a_failed_run(base_sha="moved"),)), ("thread-9", False, False)),
        (a_wish(failed_runs=(a_failed_run(failure_class="infrastructure"),)), ("thread-9", True, False)),
        (a_wish(failed_runs=(a_failed_run(failure_class="budget"),)), ("thread-9", True, False)),
        (a_wish(failed_runs=(a_failed_run(failure_class="agent"),)), NOTHING),
        (a_wish(failed_runs=(a_failed_run(kind="qa"),)), NOTHING),
        (a_wish(failed_runs=(a_failed_run(finished_at=NOW - timedelta(hours=24, seconds=1)),)), NOTHING),
        (a_wish(failed_runs=(a_failed_run(), a_failed_run(run_id=THIRD, finished_at=NOW))), ("thread-7", True, False)),
        (a_wish(failed_runs=(a_failed_run(), a_failed_run(failure_class="policy", finished_at=NOW))), NOTHING),
        (a_wish(next_attempt=True, engine=EngineName.CLAUDE), (None, False, True)),
        (a_wish(next_attempt=True, engine_version="0.170.0"), (None, False, True)),
        (a_wish(next_attempt=True, engine_version="v0.169"), ("thread-3", True, False)),
    ],
)
def test_the_session_restored_follows_the_table(wish: SessionWish, expected: tuple[str | None, bool, bool]) -> None:
    assert chosen(wish) == expected


def test_work_in_progress_is_restored_only_if_there_is_some() -> None:
    assert chosen(a_wish(next_attempt=True), [a_session(1, has_wip=False)]) == ("thread-1", False, False)


def test_an_older_session_never_stands_in_for_an_incompatible_newest() -> None:
    sessions = [a_session(1), a_session(2, engine_version="0.170.1")]
    assert chosen(a_wish(next_attempt=True), sessions) == (None, False, True)


def test_only_engines_that_ask_a_provider_need_a_credential() -> None:
    assert {engine.value for engine in EngineName if needs_credential(engine)} == {"codex", "claude"}
    assert {ENGINES[engine].provider for engine in EngineName} == {"openai", "anthropic", None}
    assert set(ENGINES) == set(EngineName)


def test_the_access_profile_decides_the_surroundings() -> None:
    assert prompt_mode("full-env", "candidate") is PromptMode.FULL_ENV
    assert prompt_mode("code-only", "") is PromptMode.CODE_ONLY
    assert prompt_mode("full-env", "production-readonly") is PromptMode.PRODUCTION_READONLY
    assert prompt_mode("full-env", "repair") is PromptMode.REPAIR


def test_roles_are_named_in_the_readers_language() -> None:
    assert role_name("qa", "ru") == "Инженер по качеству"
    assert role_name("qa", "de") == "Quality engineer"
    assert role_name("poet", "en") == "poet"

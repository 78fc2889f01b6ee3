"""Stored prompts and sessions, on a real database."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.clock import FakeClock
from tests.unit.agents.factories import a_prompt_input

from stagewright.contexts.agents.api import (
    EngineName,
    PromptNotFound,
    SanitizerCounts,
    SessionDamaged,
    SessionDraft,
    SessionInvalid,
    SessionNotFound,
    SessionReason,
    SessionTooLarge,
    compose,
    forget_attempt,
    get_prompt,
    list_sessions,
    load_catalogue,
    newest_session,
    open_session,
    record_prompt,
    save_session,
)
from stagewright.kit.crypto import Keyring, KeyUnknown, Sealer
from stagewright.kit.db import Database, Tx
from stagewright.kit.ids import uuid7

SECRET = "ghp_canary0000000000000000000000000000"
PROJECT = UUID(int=1)
REPOSITORY = UUID(int=2)


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(Keyring.parse(Keyring.generate()), "agent-sessions")


@pytest.fixture
async def attempt(db: Database) -> tuple[UUID, UUID]:
    """Return the ids of a run and its attempt; their own rows stand in for what other contexts write."""
    run_id, attempt_id = uuid7(), uuid7()
    async with db.transaction() as tx:
        await without_foreign_keys(tx)
    return run_id, attempt_id


async def without_foreign_keys(tx: Tx) -> None:
    """Take the references away: whose rows they point to is tested where those are written."""
    await tx.execute("reset role")
    await tx.execute("alter table prompts drop constraint prompts_run_id_fkey, drop constraint prompts_attempt_id_fkey")
    await tx.execute(
        "alter table agent_sessions drop constraint agent_sessions_run_id_fkey,"
        " drop constraint agent_sessions_attempt_id_fkey, drop constraint agent_sessions_repository_id_fkey"
    )
    await tx.execute("set role stagewright_app")


def a_draft(attempt: tuple[UUID, UUID], archive: bytes = b"rollout", **changes: Any) -> SessionDraft:
    draft = SessionDraft(
        project_id=PROJECT,
        run_id=attempt[0],
        attempt_id=attempt[1],
        repository_id=REPOSITORY,
        issue_number=7,
        stage="dev",
        role="dev",
        engine=EngineName.CODEX,
        engine_version="0.169.0",
        thread_id="thread",
        archive=archive,
        archive_sha256=hashlib.sha256(archive).digest(),
        wip_bundle=b"bundle",
        wip_sha256=hashlib.sha256(b"bundle").digest(),
        manifest={"files": ["sessions/rollout.jsonl"]},
        reason=SessionReason.TURN,
    )
    return replace(draft, **changes)


async def events(db: Database, run_id: UUID) -> list[tuple[str, Any]]:
    async with db.reading() as reader:
        return await reader.all(
            lambda row: (row["kind"], row["body"]),
            "select kind, body from journal where stream = %(stream)s order by seq",
            stream=f"run:{run_id}",
        )


async def test_a_prompt_is_stored_redacted_with_the_hash_of_what_was_sent(
    db: Database, clock: FakeClock, attempt: tuple[UUID, UUID]
) -> None:
    prompt = compose(a_prompt_input(last_summary=f"found {SECRET}\u200b"), load_catalogue())
    assert SECRET in prompt.text
    async with db.transaction() as tx:
        prompt_id = await record_prompt(
            tx,
            prompt,
            project_id=PROJECT,
            run_id=attempt[0],
            attempt_id=attempt[1],
            redact=lambda text: text.replace(SECRET, "[secret]"),
            clock=clock,
        )
    async with db.reading() as reader:
        stored = await get_prompt(reader, attempt[1])
        raw = await reader.value("select rendered from prompts where id = %(id)s", id=prompt_id)
    assert stored.text == prompt.text.replace(SECRET, "[secret]")
    assert (stored.sha256, stored.stable_sha256) == (prompt.sha256, prompt.stable_sha256)
    assert (stored.parts, stored.sanitizer) == (prompt.parts, SanitizerCounts(zero_width=1))
    assert len(raw) < prompt.size / 2
    ((kind, body),) = await events(db, attempt[0])
    assert kind == "prompt.context.assembled"
    assert body["sha256"] == prompt.sha256
    assert (body["bytes"], body["sanitizer"]["zero_width"]) == (prompt.size, 1)
    assert [part["name"] for part in body["parts"]] == [part.name for part in prompt.parts]


async def test_the_journal_holds_as_many_parts_as_fit(
    db: Database, clock: FakeClock, attempt: tuple[UUID, UUID]
) -> None:
    prompt = compose(a_prompt_input(), load_catalogue())
    flooded = replace(prompt, parts=prompt.parts * 40)
    async with db.transaction() as tx:
        await record_prompt(
            tx, flooded, project_id=PROJECT, run_id=attempt[0], attempt_id=attempt[1], redact=str, clock=clock
        )
    ((_, body),) = await events(db, attempt[0])
    assert 20 < len(body["parts"]) < body["parts_total"] == len(flooded.parts)


async def test_an_attempt_without_prompt_is_said_so(db: Database) -> None:
    async with db.reading() as reader:
        with pytest.raises(PromptNotFound):
            await get_prompt(reader, uuid7())


async def test_a_session_comes_back_as_it_was_and_is_sealed_in_between(
    db: Database, clock: FakeClock, sealer: Sealer, attempt: tuple[UUID, UUID]
) -> None:
    draft = a_draft(attempt, f"rollout {SECRET}".encode())
    async with db.transaction() as tx:
        saved = await save_session(tx, draft, sealer=sealer, clock=clock)
    async with db.reading() as reader:
        opened = await open_session(reader, saved.id, sealer=sealer)
        assert await newest_session(reader, attempt[0]) == saved
        row = await reader.value("select archive || wip_bundle from agent_sessions")
    assert (opened.archive, opened.wip_bundle) == (draft.archive, draft.wip_bundle)
    assert (opened.saved, opened.manifest) == (saved, draft.manifest)
    assert SECRET.encode() not in bytes(row)
    ((kind, body),) = await events(db, attempt[0])
    assert kind == "run.agent.session.saved"
    assert body["session_id"] == str(saved.id)
    assert (body["bytes"], body["reason"]) == (len(draft.archive) + 6, "turn")
    assert body["sha256"] == hashlib.sha256(draft.archive).hexdigest()


async def test_a_session_without_work_in_progress_has_none(
    db: Database, clock: FakeClock, sealer: Sealer, attempt: tuple[UUID, UUID]
) -> None:
    async with db.transaction() as tx:
        saved = await save_session(tx, a_draft(attempt, wip_bundle=None, wip_sha256=None), sealer=sealer, clock=clock)
    async with db.reading() as reader:
        assert (await open_session(reader, saved.id, sealer=sealer)).wip_bundle is None
    assert not saved.has_wip


async def test_the_newest_three_sessions_of_a_run_are_kept(
    db: Database, clock: FakeClock, sealer: Sealer, attempt: tuple[UUID, UUID]
) -> None:
    other = (uuid7(), uuid7())
    async with db.transaction() as tx:
        await save_session(tx, a_draft(other), sealer=sealer, clock=clock)
    saved = []
    for number in range(5):
        clock.advance(timedelta(seconds=1))
        async with db.transaction() as tx:
            draft = a_draft(attempt, f"rollout {number}".encode())
            saved.append(await save_session(tx, draft, sealer=sealer, clock=clock))
    async with db.reading() as reader:
        assert await list_sessions(reader, [attempt[0]]) == saved[:1:-1]
        assert len(await list_sessions(reader, [attempt[0], other[0]])) == 4
        assert await newest_session(reader, uuid7()) is None
        with pytest.raises(SessionNotFound):
            await open_session(reader, saved[0].id, sealer=sealer)


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"archive_sha256": b"\0" * 32}, SessionInvalid),
        ({"wip_sha256": b"\0" * 32}, SessionInvalid),
        ({"wip_sha256": None}, SessionInvalid),
        ({"archive": bytes(32 * 1024 * 1024 + 1)}, SessionTooLarge),
        ({"wip_bundle": bytes(64 * 1024 * 1024 + 1)}, SessionTooLarge),
    ],
)
async def test_a_session_that_is_not_what_it_claims_is_refused(
    db: Database,
    clock: FakeClock,
    sealer: Sealer,
    attempt: tuple[UUID, UUID],
    changes: dict[str, Any],
    failure: type[Exception],
) -> None:
    async with db.transaction() as tx:
        with pytest.raises(failure):
            await save_session(tx, replace(a_draft(attempt), **changes), sealer=sealer, clock=clock)
    async with db.reading() as reader:
        assert await newest_session(reader, attempt[0]) is None


@pytest.mark.parametrize(
    "damage",
    [
        "update agent_sessions set sha256 = decode(repeat('00', 32), 'hex')",
        "update agent_sessions set archive = set_byte(archive, length(archive) - 1, 7)",
        "update agent_sessions set archive = wip_bundle",
        "update agent_sessions set wip_bundle = archive",
    ],
)
async def test_a_damaged_session_is_not_restored(
    db: Database, clock: FakeClock, sealer: Sealer, attempt: tuple[UUID, UUID], damage: Any
) -> None:
    async with db.transaction() as tx:
        saved = await save_session(tx, a_draft(attempt), sealer=sealer, clock=clock)
    async with db.transaction() as tx:
        await tx.execute(damage)
    async with db.reading() as reader:
        with pytest.raises(SessionDamaged):
            await open_session(reader, saved.id, sealer=sealer)


async def test_a_session_whose_root_key_is_missing_is_not_damaged(
    db: Database, clock: FakeClock, attempt: tuple[UUID, UUID]
) -> None:
    old, new = Keyring.generate("k1"), Keyring.generate("k2")
    async with db.transaction() as tx:
        saved = await save_session(tx, a_draft(attempt), sealer=Sealer(Keyring.parse(old), "sessions"), clock=clock)
    async with db.reading() as reader:
        with pytest.raises(KeyUnknown, match="k1"):
            await open_session(reader, saved.id, sealer=Sealer(Keyring.parse(new), "sessions"))
        again = Sealer(Keyring.parse(f"{new},{old}"), "sessions")
        assert (await open_session(reader, saved.id, sealer=again)).archive == b"rollout"


async def test_forgetting_an_attempt_takes_its_prompt_and_sessions_and_no_others(
    db: Database, clock: FakeClock, sealer: Sealer, attempt: tuple[UUID, UUID]
) -> None:
    other = (attempt[0], uuid7())
    for one in (attempt, other):
        async with db.transaction() as tx:
            await save_session(tx, a_draft(one), sealer=sealer, clock=clock)
            await record_prompt(
                tx,
                compose(a_prompt_input(), load_catalogue()),
                project_id=PROJECT,
                run_id=one[0],
                attempt_id=one[1],
                redact=str,
                clock=clock,
            )
    async with db.transaction() as tx:
        assert await forget_attempt(tx, attempt[1]) == 2
        assert await forget_attempt(tx, attempt[1]) == 0
    async with db.reading() as reader:
        assert [saved.attempt_id for saved in await list_sessions(reader, [attempt[0]])] == [other[1]]
        assert (await get_prompt(reader, other[1])).text
        with pytest.raises(PromptNotFound):
            await get_prompt(reader, attempt[1])

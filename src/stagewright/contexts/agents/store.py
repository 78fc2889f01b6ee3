"""Rows of prompts and agent sessions. Archives and bundles come here sealed, prompts redacted."""

import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from stagewright.contexts.agents.errors import PromptNotFound, SessionNotFound
from stagewright.contexts.agents.model import PartRecord, Prompt, SanitizerCounts, SavedSession, SessionDraft
from stagewright.kit.db import Reader, Row, Tx, record

INSERT_PROMPT = """
insert into prompts (id, run_id, attempt_id, sha256, stable_sha256, parts, rendered, sanitizer, created_at)
values (%(id)s, %(run_id)s, %(attempt_id)s, %(sha256)s, %(stable_sha256)s, %(parts)s, %(rendered)s, %(sanitizer)s,
        %(now)s)
"""
FIND_PROMPT = """
select sha256, stable_sha256, parts, rendered, sanitizer from prompts where attempt_id = %(attempt_id)s
"""
INSERT_SESSION = """
insert into agent_sessions (id, run_id, attempt_id, repository_id, issue_number, stage, role, engine, engine_version,
                            thread_id, archive, wip_bundle, sha256, bytes, manifest, reason, created_at)
values (%(id)s, %(run_id)s, %(attempt_id)s, %(repository_id)s, %(issue_number)s, %(stage)s, %(role)s, %(engine)s,
        %(engine_version)s, %(thread_id)s, %(archive)s, %(wip_bundle)s, %(sha256)s, %(bytes)s, %(manifest)s,
        %(reason)s, %(now)s)
"""
LIST_SESSIONS = """
select id, run_id, attempt_id, engine, engine_version, thread_id, wip_bundle is not null as has_wip, sha256,
       bytes as size, reason, created_at
from agent_sessions where run_id = any(%(run_ids)s) order by created_at desc, id desc
"""
NEWEST_SESSION = """
select id, run_id, attempt_id, engine, engine_version, thread_id, wip_bundle is not null as has_wip, sha256,
       bytes as size, reason, created_at
from agent_sessions where run_id = %(run_id)s order by created_at desc, id desc limit 1
"""
SEALED_SESSION = """
select id, run_id, attempt_id, engine, engine_version, thread_id, wip_bundle is not null as has_wip, sha256,
       bytes as size, reason, created_at, manifest, archive, wip_bundle
from agent_sessions where id = %(id)s
"""
DELETE_OLDER = """
delete from agent_sessions where run_id = %(run_id)s and id not in (
    select id from agent_sessions where run_id = %(run_id)s order by created_at desc, id desc limit %(keep)s)
"""
DELETE_PROMPT = "delete from prompts where attempt_id = %(attempt_id)s"
DELETE_SESSIONS = "delete from agent_sessions where attempt_id = %(attempt_id)s"

to_session = record(SavedSession)


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """A prompt as it was stored: the text is the redacted copy, the hashes are of the original."""

    text: str
    sha256: str
    stable_sha256: str
    parts: tuple[PartRecord, ...]
    sanitizer: SanitizerCounts


@dataclass(frozen=True, slots=True)
class SealedSession:
    """A session row with its sealed bytes."""

    saved: SavedSession
    manifest: Mapping[str, Any]
    archive: bytes
    wip_bundle: bytes | None


def to_prompt(row: Row) -> StoredPrompt:
    """Map a row of ``prompts``."""
    return StoredPrompt(
        text=zlib.decompress(row["rendered"]).decode(),
        sha256=bytes(row["sha256"]).hex(),
        stable_sha256=bytes(row["stable_sha256"]).hex(),
        parts=tuple(PartRecord(**part) for part in row["parts"]),
        sanitizer=SanitizerCounts(**row["sanitizer"]),
    )


def to_sealed(row: Row) -> SealedSession:
    """Map a row of ``agent_sessions`` with its bytes."""
    wip = row["wip_bundle"]
    return SealedSession(to_session(row), row["manifest"], bytes(row["archive"]), None if wip is None else bytes(wip))


async def insert_prompt(
    tx: Tx, prompt_id: UUID, prompt: Prompt, *, run_id: UUID, attempt_id: UUID, redacted: str, now: datetime
) -> None:
    """Store the redacted copy of ``prompt`` and what is known about the original."""
    await tx.execute(
        INSERT_PROMPT,
        id=prompt_id,
        run_id=run_id,
        attempt_id=attempt_id,
        sha256=bytes.fromhex(prompt.sha256),
        stable_sha256=bytes.fromhex(prompt.stable_sha256),
        parts=Jsonb([part.as_json() for part in prompt.parts]),
        rendered=zlib.compress(redacted.encode(), 6),
        sanitizer=Jsonb(prompt.sanitizer.as_json()),
        now=now,
    )


async def get_prompt(reader: Reader, attempt_id: UUID) -> StoredPrompt:
    """Return the prompt of an attempt, or raise ``PromptNotFound``."""
    found = await reader.find(to_prompt, FIND_PROMPT, attempt_id=attempt_id)
    if found is None:
        raise PromptNotFound("this attempt has no stored prompt, or it is older than the retention time")
    return found


async def insert_session(
    tx: Tx, session_id: UUID, draft: SessionDraft, *, archive: bytes, wip_bundle: bytes | None, now: datetime
) -> SavedSession:
    """Store a session whose ``archive`` and ``wip_bundle`` are sealed already."""
    saved = SavedSession(
        id=session_id,
        run_id=draft.run_id,
        attempt_id=draft.attempt_id,
        engine=draft.engine,
        engine_version=draft.engine_version,
        thread_id=draft.thread_id,
        has_wip=wip_bundle is not None,
        sha256=draft.archive_sha256,
        size=len(draft.archive) + len(draft.wip_bundle or b""),
        reason=draft.reason,
        created_at=now,
    )
    await tx.execute(
        INSERT_SESSION,
        id=session_id,
        run_id=draft.run_id,
        attempt_id=draft.attempt_id,
        repository_id=draft.repository_id,
        issue_number=draft.issue_number,
        stage=draft.stage,
        role=draft.role,
        engine=draft.engine.value,
        engine_version=draft.engine_version,
        thread_id=draft.thread_id,
        archive=archive,
        wip_bundle=wip_bundle,
        sha256=saved.sha256,
        bytes=saved.size,
        manifest=Jsonb(dict(draft.manifest)),
        reason=draft.reason.value,
        now=now,
    )
    return saved


async def delete_older_sessions(tx: Tx, run_id: UUID, *, keep: int) -> int:
    """Delete all but the newest ``keep`` sessions of a run; return how many went."""
    return await tx.execute(DELETE_OLDER, run_id=run_id, keep=keep)


async def delete_of_attempt(tx: Tx, attempt_id: UUID) -> int:
    """Delete the prompt and the sessions of an attempt; return how many rows went."""
    prompts = await tx.execute(DELETE_PROMPT, attempt_id=attempt_id)
    return prompts + await tx.execute(DELETE_SESSIONS, attempt_id=attempt_id)


async def list_sessions(reader: Reader, run_ids: Collection[UUID]) -> list[SavedSession]:
    """Return the sessions of ``run_ids``, the newest first, without their bytes."""
    return await reader.all(to_session, LIST_SESSIONS, run_ids=list(run_ids))


async def newest_session(reader: Reader, run_id: UUID) -> SavedSession | None:
    """Return the newest session of a run, or None."""
    return await reader.find(to_session, NEWEST_SESSION, run_id=run_id)


async def get_sealed_session(reader: Reader, session_id: UUID) -> SealedSession:
    """Return a session with its sealed bytes, or raise ``SessionNotFound``."""
    found = await reader.find(to_sealed, SEALED_SESSION, id=session_id)
    if found is None:
        raise SessionNotFound("no such session; it may be older than the retention time")
    return found

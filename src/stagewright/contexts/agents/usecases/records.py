"""Keeping of prompts and sessions. Hashes are of the clear bytes; what is stored is redacted or sealed."""

import asyncio
import hashlib
import hmac
from uuid import UUID

from stagewright.contexts.agents import store
from stagewright.contexts.agents.errors import SessionDamaged, SessionInvalid, SessionTooLarge
from stagewright.contexts.agents.events import PromptAssembled, SessionSaved
from stagewright.contexts.agents.model import Prompt, SavedSession, SessionDraft, StoredSession
from stagewright.contexts.agents.ports import Redact, Sealing
from stagewright.contexts.agents.rules.sessions import KEPT_PER_RUN
from stagewright.kit.clock import Clock
from stagewright.kit.crypto import Undecryptable
from stagewright.kit.db import Reader, Tx
from stagewright.kit.ids import uuid7

MIB = 1024 * 1024
ARCHIVE_LIMIT = 32 * MIB
WIP_LIMIT = 64 * MIB


async def record_prompt(
    tx: Tx, prompt: Prompt, *, project_id: UUID, run_id: UUID, attempt_id: UUID, redact: Redact, clock: Clock
) -> UUID:
    """Store the prompt of an attempt and journal ``prompt.context.assembled``; return its id. Once per attempt."""
    prompt_id = uuid7()
    await store.insert_prompt(
        tx, prompt_id, prompt, run_id=run_id, attempt_id=attempt_id, redacted=redact(prompt.text), now=clock.now()
    )
    tx.publish(
        PromptAssembled(project_id=project_id, run_id=run_id, prompt_id=prompt_id, attempt_id=attempt_id, prompt=prompt)
    )
    return prompt_id


async def save_session(tx: Tx, draft: SessionDraft, *, sealer: Sealing, clock: Clock) -> SavedSession:
    """Store a session sealed, keep the newest three of its run, and journal ``run.agent.session.saved``.

    Raise ``SessionTooLarge`` or ``SessionInvalid`` when the bytes are over the limit or not the announced ones.
    """
    _check(draft)
    session_id = uuid7()
    archive = await asyncio.to_thread(sealer.seal, draft.archive, context=_context("archive", session_id))
    wip = draft.wip_bundle
    if wip is not None:
        wip = await asyncio.to_thread(sealer.seal, wip, context=_context("wip_bundle", session_id))
    saved = await store.insert_session(tx, session_id, draft, archive=archive, wip_bundle=wip, now=clock.now())
    await store.delete_older_sessions(tx, draft.run_id, keep=KEPT_PER_RUN)
    tx.publish(SessionSaved(project_id=draft.project_id, run_id=draft.run_id, session=saved))
    return saved


async def open_session(reader: Reader, session_id: UUID, *, sealer: Sealing) -> StoredSession:
    """Return a session in the clear.

    Raise ``SessionDamaged`` when it does not open or is not what was saved. A root key that this process does not have
    is no damage (``KeyUnknown``): with the key the session opens again.
    """
    sealed = await store.get_sealed_session(reader, session_id)
    try:
        archive = await asyncio.to_thread(sealer.open, sealed.archive, context=_context("archive", session_id))
        wip = sealed.wip_bundle
        if wip is not None:
            wip = await asyncio.to_thread(sealer.open, wip, context=_context("wip_bundle", session_id))
    except Undecryptable as error:
        raise SessionDamaged("the stored session cannot be opened; the run starts fresh") from error
    if not hmac.compare_digest(hashlib.sha256(archive).digest(), sealed.saved.sha256):
        raise SessionDamaged("the stored session is not the one that was saved; the run starts fresh")
    return StoredSession(sealed.saved, sealed.manifest, archive, wip)


async def forget_attempt(tx: Tx, attempt_id: UUID) -> int:
    """Delete the prompt and the sessions of an attempt that is older than the retention time; return how many."""
    return await store.delete_of_attempt(tx, attempt_id)


def _check(draft: SessionDraft) -> None:
    if len(draft.archive) > ARCHIVE_LIMIT:
        raise SessionTooLarge(f"the session archive has {len(draft.archive)} bytes; the limit is {ARCHIVE_LIMIT}")
    if draft.wip_bundle is not None and len(draft.wip_bundle) > WIP_LIMIT:
        raise SessionTooLarge(f"the work in progress has {len(draft.wip_bundle)} bytes; the limit is {WIP_LIMIT}")
    if hashlib.sha256(draft.archive).digest() != draft.archive_sha256:
        raise SessionInvalid("archive_sha256 is not the SHA-256 of the archive: send the archive again")
    if draft.wip_bundle is not None and hashlib.sha256(draft.wip_bundle).digest() != draft.wip_sha256:
        raise SessionInvalid("wip_sha256 is not the SHA-256 of the bundle: send the bundle again")


def _context(column: str, session_id: UUID) -> str:
    return f"agent_sessions.{column}:{session_id}"

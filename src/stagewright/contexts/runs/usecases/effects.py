"""Reserve acts on the forge, in the transaction of the change that wants them. The worker does them later."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.runs.model import Effect, Run
from stagewright.contexts.runs.rules import texts
from stagewright.contexts.runs.store import comments as comment_rows
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.vault import api as vault
from stagewright.kit.db import Reader, Tx
from stagewright.kit.ids import uuid7

BUCKETS = {
    "git.push": "git",
    "label.add": "core",
    "label.remove": "core",
    "label.define": "core",
    "reaction.add": "core",
}
MANAGED = frozenset({"label.add", "label.remove", "label.define"})
CRITICAL = frozenset({"git.push", "pull_request.open", "pull_request.update", "review.post", "comment.reply"})


def purpose_of(kind: str) -> str:
    """Return the purpose of the credential an act of this kind goes with."""
    return vault.MANAGEMENT if kind in MANAGED else vault.BOT


async def reserve(
    tx: Tx,
    kind: str,
    *,
    dedupe_key: str,
    repository_id: UUID,
    target: str,
    payload: Mapping[str, Any],
    now: datetime,
    run_id: UUID | None = None,
    order: str | None = None,
) -> Effect | None:
    """Reserve one act; None when the same act (``dedupe_key``) was reserved before."""
    return await effect_rows.insert(
        tx,
        {
            "dedupe_key": f"{kind}:{dedupe_key}",
            "kind": kind,
            "order_key": order or f"{repository_id}:{target}",
            "bucket": BUCKETS.get(kind, "content"),
            "repository_id": repository_id,
            "target": target,
            "payload": payload,
            "critical": kind in CRITICAL,
            "run_id": run_id,
            "correlation_id": tx.correlation_id,
        },
        effect_id=uuid7(),
        now=now,
    )


def thread_target(thread: int) -> str:
    """Return the target of an act on a thread."""
    return f"thread:{thread}"


async def add_reaction(tx: Tx, run: Run, reaction: str, *, now: datetime) -> None:
    """React on the run's Issue."""
    target = thread_target(run.issue_number or 0)
    await reserve(
        tx,
        "reaction.add",
        dedupe_key=f"{run.repository_id}:{target}:{reaction}",
        repository_id=run.repository_id,
        target=target,
        payload={"reaction": reaction},
        now=now,
        run_id=run.id,
    )


async def react_to_comment(tx: Tx, run: Run, comment_id: int, reaction: str, *, thread: int, now: datetime) -> None:
    """React on a comment of the thread."""
    await reserve(
        tx,
        "reaction.add",
        dedupe_key=f"{run.repository_id}:comment:{comment_id}:{reaction}",
        repository_id=run.repository_id,
        target=thread_target(thread),
        payload={"reaction": reaction, "comment_id": comment_id},
        now=now,
        run_id=run.id,
    )


async def change_labels(
    tx: Tx,
    repository_id: UUID,
    thread: int,
    *,
    cause: str,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    now: datetime,
    run_id: UUID | None = None,
) -> list[UUID]:
    """Reserve one act per label and direction; ``cause`` names the transition, so that repeating reserves nothing.

    Return the ids of the acts that were new.
    """
    target = thread_target(thread)
    made: list[UUID] = []
    for kind, labels in (("label.remove", remove), ("label.add", add)):
        for label in labels:
            effect = await reserve(
                tx,
                kind,
                dedupe_key=f"{cause}:{repository_id}:{thread}:{label}",
                repository_id=repository_id,
                target=target,
                payload={"label": label},
                now=now,
                run_id=run_id,
            )
            if effect is not None:
                made.append(effect.id)
    return made


async def is_own_label_act(
    reader: Reader, repository_id: UUID, *, kind: str, thread: int, label: str, since: datetime
) -> bool:
    """Say whether a label act on the thread is (or was, since ``since``) an effect of ours."""
    return await effect_rows.is_own_label_act(
        reader, repository_id, kind=kind, target=thread_target(thread), label=label, since=since
    )


async def is_platform_label(reader: Reader, repository_id: UUID, thread: int | None, label: str) -> bool:
    """Say whether the label on the thread is there because of an act of ours."""
    if thread is None:
        return False
    return await effect_rows.is_platform_label(reader, repository_id, target=thread_target(thread), label=label)


async def count_label_acts(
    reader: Reader, repository_id: UUID, *, kind: str, thread: int, label: str, cause: str, since: datetime
) -> int:
    """Return how many label acts whose cause begins with ``cause`` were wanted since ``since``."""
    return await effect_rows.count_of_cause(
        reader, repository_id, target=thread_target(thread), label=label, prefix=f"{kind}:{cause}", since=since
    )


async def resolve_diagnostics(tx: Tx, run: Run, thread: int, *, now: datetime) -> None:
    """A run starts on the thread: its open diagnostic comments become one line each."""
    for row in await comment_rows.resolve_diagnostics(tx, run.repository_id, thread, run_id=run.id, now=now):
        await reserve(
            tx,
            "comment.diagnostic",
            dedupe_key=f"{row.key}:resolved:{run.id}",
            repository_id=run.repository_id,
            target=thread_target(thread),
            payload={"key": row.key, "resolved_by": texts.run_name(run.number), "conflict": None},
            now=now,
            run_id=run.id,
        )


async def define_label(
    tx: Tx,
    repository_id: UUID,
    *,
    key: str,
    text: str,
    color: str,
    description: str,
    was: str | None,
    now: datetime,
) -> None:
    """Reserve the creation, repair or renaming (``was``) of a managed label of the repository.

    Once until that is over: asked for again later, the label is looked at again, for people change labels.
    """
    settled = await effect_rows.newest_settled(tx, "label.define", f"{repository_id}:label:{key}")
    digest = hashlib.sha256(f"{text}\n{color}\n{description}\n{was}".encode()).hexdigest()[:16]
    await reserve(
        tx,
        "label.define",
        dedupe_key=f"{repository_id}:{key}:{digest}:{settled}",
        repository_id=repository_id,
        target=f"label:{key}",
        payload={"text": text, "color": color, "description": description, "was": was},
        now=now,
    )

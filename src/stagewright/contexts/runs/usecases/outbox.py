"""Settle acts on the forge: done, refused, unknown, or put back because nothing happened."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import Effect, EffectStatus, RunStatus
from stagewright.contexts.runs.store import comments as comment_rows
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import effects, moves
from stagewright.kit.db import Tx

ABSENT_GAP = timedelta(seconds=10)
FAILURES_OF_THE_RUN = frozenset({"pr_not_found", "branch_not_found"})


async def done(tx: Tx, effect: Effect, result: Mapping[str, Any], *, now: datetime) -> None:
    """The act happened, or was so already."""
    saved = await effect_rows.finish(tx, effect, "done", now=now, result=result)
    if saved is None:
        return
    if effect.status is EffectStatus.UNKNOWN:
        tx.publish(_fact(events.EffectResolved, saved, "done"))
    await _after_done(tx, saved, result, now=now)


async def _after_done(tx: Tx, effect: Effect, result: Mapping[str, Any], *, now: datetime) -> None:
    if effect.kind == "comment.status" and effect.run_id is not None and "comment_id" in result:
        await comment_rows.set_placed(
            tx, effect.run_id, comment_id=int(result["comment_id"]), url=str(result.get("url", ""))
        )
        await _delete_duplicates(tx, effect, result, now=now)
        run = await run_rows.get(tx, effect.run_id)
        tx.publish(
            events.StatusCommentUpserted(
                run=run,
                extra={
                    "thread": effect.target,
                    "comment_id": int(result["comment_id"]),
                    "comment_url": str(result.get("url", "")),
                    "phase": effect.payload.get("phase"),
                },
            )
        )
    if effect.kind == "comment.diagnostic" and "comment_id" in result:
        await comment_rows.set_diagnostic_placed(tx, str(effect.payload["key"]), int(result["comment_id"]))
        _publish_conflict(tx, effect, result)
    if effect.kind == "label.define":
        await _note_label(tx, effect, result, now=now)


async def _note_label(tx: Tx, effect: Effect, result: Mapping[str, Any], *, now: datetime) -> None:
    """Note how the forge has a managed label now. A text that a renaming could not free stays as an alias."""
    key, payload = effect.target.partition(":")[2], effect.payload
    alias = str(result["alias"]) if result.get("alias") else None
    await projects.note_label_done(
        tx,
        projects.KnownLabel(
            repository_id=effect.repository_id,
            key=key,
            present=True,
            text=str(payload["text"]),
            color=str(payload["color"]),
            description=str(payload["description"]),
            aliases=(alias,) if alias else (),
            changed_by=None,
            changed_at=now,
        ),
    )
    if alias is not None:
        repository = await projects.get_repository(tx, effect.repository_id)
        await incidents.report(
            tx,
            level="warning",
            source="labels",
            code="label_alias_kept",
            message=f"{repository.full_name}: a label {payload['text']} was there already, so {alias} was not renamed; "
            "it counts as an alias: move its threads over and delete it on the forge",
            project_id=repository.project_id,
            details={"repository_id": str(repository.id), "label": key, "alias": alias},
            now=now,
        )


async def _delete_duplicates(tx: Tx, effect: Effect, result: Mapping[str, Any], *, now: datetime) -> None:
    """The lowest of our comments for a run stays; the others go."""
    for comment_id in result.get("duplicates", ()):
        await effects.reserve(
            tx,
            "comment.delete",
            dedupe_key=f"{effect.run_id}:{comment_id}",
            repository_id=effect.repository_id,
            target=effect.target,
            payload={"comment_id": comment_id},
            now=now,
            run_id=effect.run_id,
        )


def _publish_conflict(tx: Tx, effect: Effect, result: Mapping[str, Any]) -> None:
    conflict = effect.payload.get("conflict")
    if not conflict:
        return
    tx.publish(
        events.ConflictComment(
            repository_id=effect.repository_id,
            thread=int(effect.target.partition(":")[2]),
            trigger_label=str(conflict["label"]),
            conflicting_labels=tuple(conflict["labels"]),
            comment_id=int(result["comment_id"]),
            comment_url=str(result.get("url", "")),
        )
    )


async def refused(tx: Tx, effect: Effect, code: str, detail: str, *, now: datetime) -> None:
    """A definite refusal: the effect has failed; a critical one fails its run, whose row is locked first."""
    run = await run_rows.lock(tx, effect.run_id) if effect.critical and effect.run_id is not None else None
    saved = await effect_rows.finish(tx, effect, "failed", now=now, code=code, detail=detail)
    if saved is None:
        return
    tx.publish(_fact(events.EffectFailed, saved, "failed"))
    await incidents.report(
        tx,
        level="error",
        source="effects",
        code=f"effect.{code}",
        message=f"{effect.kind} on {effect.target} was refused: {detail}",
        run_id=effect.run_id,
        now=now,
    )
    if run is not None and run.status is RunStatus.FINISHING:
        failure = code if code in FAILURES_OF_THE_RUN else "publish_failed"
        await moves.fail(tx, run, failure, now=now, detail=f"{effect.kind}: {detail}")


async def moved(tx: Tx, effect: Effect, detail: str, *, now: datetime) -> None:
    """The remote branch is not where it was: this push is pointless, publishing looks again and decides."""
    await effect_rows.finish(tx, effect, "superseded", now=now, code="branch_moved", detail=detail)


async def put_back(tx: Tx, effect: Effect, code: str, *, not_before: datetime, now: datetime) -> None:
    """Nothing happened, provably: do it again later."""
    await effect_rows.finish(tx, effect, "reserved", now=now, code=code, not_before=not_before)


async def unknown(tx: Tx, effect: Effect, code: str, *, now: datetime) -> None:
    """It may have happened. Only reading the forge can tell."""
    saved = await effect_rows.finish(tx, effect, "unknown", now=now, code=code)
    if saved is not None:
        note_unknown(tx, saved)


def note_unknown(tx: Tx, effect: Effect) -> None:
    """Journal that nobody knows whether the act happened."""
    tx.publish(_fact(events.EffectUnknown, effect, "unknown"))


async def absent(tx: Tx, effect: Effect, *, now: datetime) -> None:
    """A read did not find the act. After two reads at least ten seconds apart it is proven not to have happened."""
    if effect.absent_reads + 1 < 2:
        await effect_rows.finish(
            tx, effect, "unknown", now=now, code=effect.code, not_before=now + ABSENT_GAP, absent_reads=1
        )
        return
    status = "reserved" if await _is_wanted(tx, effect) else "superseded"
    saved = await effect_rows.finish(tx, effect, status, now=now, code="proven_absent")
    if saved is not None:
        tx.publish(_fact(events.EffectResolved, saved, status))


async def _is_wanted(tx: Tx, effect: Effect) -> bool:
    """Say whether the run of a critical effect still wants to publish."""
    if not effect.critical or effect.run_id is None:
        return True
    run = await run_rows.get(tx, effect.run_id)
    return run.status in (RunStatus.FINISHING, RunStatus.WAITING)


def _fact(event: type[events.EffectFact], effect: Effect, status: str) -> events.EffectFact:
    return event(
        run_id=effect.run_id,
        repository_id=effect.repository_id,
        effect_id=effect.id,
        effect_kind=effect.kind,
        target=effect.target,
        code=effect.code,
        status=status,
    )

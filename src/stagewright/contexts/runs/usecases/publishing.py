"""The steps from an accepted result to a pull request; each reads rows and repeats safely."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import Effect, EffectStatus, Link, Run, RunStatus
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import documents as document_rows
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.store import links as link_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store.results import Proposal
from stagewright.contexts.runs.usecases import attempts, closing, effects, moves
from stagewright.kit.db import Tx

PUSH = "git.push"
REVIEW = "review.post"
PULL_REQUEST = ("pull_request.open", "pull_request.update")


async def set_step(tx: Tx, run_id: UUID, step: str) -> Run | None:
    """Note how far publishing is; None when the run is not finishing any more."""
    run = await run_rows.lock(tx, run_id)
    if run.status is not RunStatus.FINISHING:
        return None
    if run.finish_step == step:
        return run
    saved = await run_rows.save(tx, replace(run, finish_step=step))
    await moves.tell(tx, events.RunFinishing, saved)
    return saved


async def reserve_push(
    tx: Tx,
    run: Run,
    proposal: Proposal,
    *,
    commit: str,
    branch: str,
    expected_old: str | None,
    direct: bool = False,
    now: datetime,
) -> None:
    """Reserve the push of exactly ``commit`` to ``branch``; ``direct``: it is the default branch, and no pull request
    follows. Only a superseded push makes room for another one."""
    known = await effect_rows.list_of(tx, run.id)
    if newest(known, PUSH) is not None:
        return
    await result_rows.set_commit(tx, proposal.id, commit)
    superseded = sum(1 for item in known if item.kind == PUSH)
    await effects.reserve(
        tx,
        PUSH,
        dedupe_key=f"{run.id}:{commit}:{superseded}" if superseded else f"{run.id}:{commit}",
        repository_id=run.repository_id,
        target=f"branch:{branch}",
        payload={
            "commit": commit,
            "branch": branch,
            "expected_old": expected_old,
            "attempt_id": str(proposal.attempt_id),
            "direct": direct,
        },
        now=now,
        run_id=run.id,
    )


async def reserve_pull_request(
    tx: Tx, run: Run, *, title: str, body: str, branch: str, base: str, draft: bool, now: datetime
) -> None:
    """Reserve opening the run's pull request, or updating the one it revises."""
    payload: dict[str, Any] = {"title": title, "body": body, "head": branch, "base": base, "draft": draft}
    kind = "pull_request.open"
    if run.pr_number is not None:
        kind = "pull_request.update"
        payload |= {"number": run.pr_number, "title": None}
    await effects.reserve(
        tx,
        kind,
        dedupe_key=str(run.id),
        repository_id=run.repository_id,
        target=f"branch:{branch}",
        payload=payload,
        now=now,
        run_id=run.id,
    )


async def reserve_review(
    tx: Tx, run: Run, *, body: str, whole: str, remarks: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Reserve posting the run's one review of its pull request. ``whole`` is its text if no remark may stand apart."""
    assert run.pr_number is not None
    await effects.reserve(
        tx,
        REVIEW,
        dedupe_key=str(run.id),
        repository_id=run.repository_id,
        target=effects.thread_target(run.pr_number),
        payload={"commit": run.base_sha, "body": body, "whole": whole, "remarks": list(remarks)},
        now=now,
        run_id=run.id,
    )


def went_direct(effect_list: Sequence[Effect]) -> bool:
    """Say whether a push straight to the default branch was tried before: it was not taken, and is not tried again."""
    return any(item.kind == PUSH and item.payload.get("direct") for item in effect_list)


def newest(effect_list: list[Effect], *kinds: str) -> Effect | None:
    """Return the newest effect of one of ``kinds`` that was not superseded."""
    found = [item for item in effect_list if item.kind in kinds and item.status is not EffectStatus.SUPERSEDED]
    return found[-1] if found else None


async def fail_publishing(tx: Tx, run_id: UUID, code: str, *, now: datetime, detail: str | None) -> None:
    """End a finishing run that cannot be published."""
    run = await run_rows.lock(tx, run_id)
    if run.status is RunStatus.FINISHING:
        await moves.fail(tx, run, code, now=now, detail=detail)


async def branch_moved(tx: Tx, run_id: UUID, *, now: datetime) -> None:
    """The remote branch moved and our commit does not merge: one more attempt, then the run has failed."""
    run = await run_rows.lock(tx, run_id)
    if run.status is not RunStatus.FINISHING:
        return
    if await attempt_rows.count_reason(tx, run.id, "branch_moved"):
        await moves.fail(tx, run, "branch_moved", now=now, detail="the branch moved again while the run was publishing")
        return
    await attempts.requeue(tx, replace(run, finish_step=None), code="branch_moved", now=now)


async def succeed(
    tx: Tx, run_id: UUID, *, now: datetime, base_branch: str, branch: str | None, head_sha: str | None
) -> Run | None:
    """All critical effects are done: write the link, move the labels, end the run."""
    run = await run_rows.lock(tx, run_id)
    if run.status is not RunStatus.FINISHING:
        return None
    link = None
    opened = newest(await effect_rows.list_of(tx, run.id), *PULL_REQUEST)
    if opened is not None and opened.result is not None and branch is not None and head_sha is not None:
        link = await _link(tx, run, opened, base_branch=base_branch, branch=branch, head_sha=head_sha, now=now)
        await _keep_documents(tx, run, link, now=now)
    elif head_sha is not None:
        run = replace(run, notes=(*run.notes, f"direct:{base_branch} ({head_sha[:12]})"))
    done = await moves.move(
        tx,
        run,
        RunStatus.SUCCEEDED,
        events.RunSucceeded,
        now=now,
        finish_step="done",
        pr_number=link.pr_number if link else run.pr_number,
        extra={"pr_url": link.url if link else None},
    )
    await closing.close_run(tx, done, now=now, link=link)
    return done


async def _link(
    tx: Tx, run: Run, opened: Effect, *, base_branch: str, branch: str, head_sha: str, now: datetime
) -> Link:
    result = opened.result or {}
    link = await link_rows.upsert(
        tx,
        {
            "repository_id": run.repository_id,
            "pr_number": int(result["number"]),
            "issue_number": run.issue_number,
            "stage": run.stage or run.kind,
            "branch": branch,
            "base_branch": base_branch,
            "head_sha": head_sha,
            "url": str(result["url"]),
            "origin": "platform",
            "run_id": run.id,
            "now": now,
        },
    )
    event = events.PullRequestCreated if opened.kind == "pull_request.open" else events.PullRequestUpdated
    tx.publish(
        event(
            run=run,
            extra={
                "repository_id": str(run.repository_id),
                "issue_number": link.issue_number,
                "branch": branch,
                "pr_number": link.pr_number,
                "pr_url": link.url,
                "head_sha": head_sha,
            },
        )
    )
    return link


async def _keep_documents(tx: Tx, run: Run, link: Link, *, now: datetime) -> None:
    """Keep what the run left, by name: results are forgotten one day, the issue's lineage is not."""
    proposal = await result_rows.find_accepted(tx, run.id)
    if proposal is None:
        return
    declared = _declared(proposal)
    commit = proposal.commit_sha or link.head_sha
    found = {str(item["path"]): str(item["status"])[:1] for item in proposal.changed or ()}
    kept = [
        document_rows.RunDocument(run.id, path, status, path in declared, commit, link.pr_number, now)
        for path, status in found.items()
    ]
    await document_rows.insert(tx, kept)


def _declared(proposal: Proposal) -> frozenset[str]:
    sections = proposal.report.get("sections")
    named = sections.get("artifacts") if isinstance(sections, dict) else None
    return frozenset(str(path).removeprefix("./") for path in named or ())

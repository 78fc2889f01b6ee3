"""Store what is known of threads and of linked pull requests: facts are kept whatever becomes of the delivery."""

from collections.abc import Sequence
from datetime import datetime

from stagewright.contexts.intake import store
from stagewright.contexts.intake.model import ParsedDelivery
from stagewright.contexts.intake.usecases.labels import keep_label
from stagewright.contexts.intake.usecases.words import PullSeen
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.kit.db import Tx

NAMING = frozenset({"push", "repository", "label", "issues"})


async def keep_facts(
    tx: Tx, repository: projects.Repository, parsed: ParsedDelivery, *, received_at: datetime, now: datetime
) -> None:
    """Keep what a delivery says of its repository and thread. An older payload never overwrites newer facts."""
    if parsed.repository_name and parsed.default_branch and parsed.event in NAMING:
        await projects.set_facts(
            tx, repository.id, full_name=parsed.repository_name, default_branch=parsed.default_branch
        )
    await keep_label(tx, repository, parsed, received_at=received_at, now=now)
    if parsed.thread is None or parsed.thread_open is None or parsed.thread_labels is None:
        return
    newer = await store.keep_thread(
        tx,
        {
            "repository_id": repository.id,
            "number": parsed.thread,
            "is_pull_request": parsed.is_pull_request,
            "state": "open" if parsed.thread_open else "closed",
            "labels": list(parsed.thread_labels),
            "seen_at": parsed.occurred_at or received_at,
        },
    )
    if newer and parsed.is_pull_request and parsed.merged is not None:
        facts = runs.PullRequestFacts(parsed.thread_open, parsed.merged, parsed.head_sha, merged_at=parsed.merged_at)
        await runs.follow_pull_request(tx, repository.id, parsed.thread, facts, now=now)


async def follow_pulls(tx: Tx, repository: projects.Repository, pulls: Sequence[PullSeen], *, now: datetime) -> None:
    """Keep what was read of linked pull requests. What a newer delivery told meanwhile stays."""
    for pull in pulls:
        newer = await store.keep_thread(
            tx,
            {
                "repository_id": repository.id,
                "number": pull.number,
                "is_pull_request": True,
                "state": "open" if pull.facts.open else "closed",
                "labels": list(pull.labels),
                "seen_at": pull.seen_at,
            },
        )
        if newer:
            await runs.follow_pull_request(tx, repository.id, pull.number, pull.facts, now=now)

"""What screens show of deliveries, and the past of a repository: what a replay of them goes by."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from stagewright.contexts.runs import api as runs
from stagewright.kit.db import Reader, Row, record


@dataclass(frozen=True, slots=True)
class DeliveryFigures:
    """How many deliveries wait or are given up, and when the last one came."""

    pending: int
    dead: int
    last_received_at: datetime | None


to_figures = record(DeliveryFigures)
FIGURES = """
select count(*) filter (where status = 'received') as pending, count(*) filter (where status = 'dead') as dead,
    max(received_at) as last_received_at
from webhook_deliveries
"""


async def delivery_figures(reader: Reader) -> DeliveryFigures:
    """Return the figures of now."""
    return (await reader.all(to_figures, FIGURES))[0]


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    """A decided delivery. ``payload`` is empty when its body was forgotten."""

    delivery_id: str
    event: str
    action: str | None
    thread: int | None
    received_at: datetime
    verdict: str
    reason: str | None
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run as the past of its repository holds it."""

    id: UUID
    number: int
    lane: str
    kind: str
    stage: str | None
    issue_number: int | None
    pr_number: int | None
    trigger_label: str | None
    correlation_id: str
    launch_profile: str | None
    profile_source: str | None
    succeeded: bool
    occurred_at: datetime
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class PastLink:
    """A linked pull request with its state of now and when that was last changed."""

    link: runs.Link
    created_at: datetime
    updated_at: datetime


to_kept = record(KeptDelivery)
to_past_run = record(PastRun)
to_link = record(runs.Link)
KEPT = """
select delivery_id, event, action, thread, received_at, coalesce(verdict, 'ignore') as verdict, reason, payload
from webhook_deliveries
where repository_id = %(repository)s and status = 'decided' and received_at >= %(since)s
order by received_at desc, delivery_id limit %(limit)s
"""
PAST_RUNS = """
select id, number, lane, kind, stage, issue_number, pr_number, trigger_label, correlation_id, launch_profile,
    world ->> 'profile_source' as profile_source, status = 'succeeded' as succeeded, occurred_at, created_at,
    finished_at
from runs where repository_id = %(repository)s order by number
"""
PAST_LINKS = """
select * from pull_request_links where repository_id = %(repository)s order by created_at
"""
OPEN_RUNS = """
select number, kind from runs
where repository_id = %(repository)s and status not in ('succeeded', 'failed', 'cancelled') order by number
"""
OPEN_PROFILES = """
select w.issue_number as number, w.profile as kind from issue_workflows w
where w.repository_id = %(repository)s and not exists (select 1 from threads t
    where t.repository_id = w.repository_id and t.number = w.issue_number and t.state = 'closed')
order by 1
"""
OPEN_LINKS = """
select pr_number as number, stage as kind from pull_request_links
where repository_id = %(repository)s and state in ('in_review', 'approved') order by 1
"""
OPEN_LABELS = "select number, labels from threads where repository_id = %(repository)s and state = 'open' order by 1"


async def list_kept(reader: Reader, repository_id: UUID, *, since: datetime, limit: int) -> list[KeptDelivery]:
    """Return the repository's decided deliveries since ``since``, the newest first."""
    return await reader.all(to_kept, KEPT, repository=repository_id, since=since, limit=limit)


async def list_past_runs(reader: Reader, repository_id: UUID) -> list[PastRun]:
    """Return all runs of the repository, oldest first."""
    return await reader.all(to_past_run, PAST_RUNS, repository=repository_id)


async def list_past_links(reader: Reader, repository_id: UUID) -> list[PastLink]:
    """Return all linked pull requests of the repository, oldest first."""
    return await reader.all(_past_link, PAST_LINKS, repository=repository_id)


def _past_link(row: Row) -> PastLink:
    return PastLink(to_link(row), row["created_at"], row["updated_at"])


def _pair(row: Row) -> tuple[int, str]:
    return int(row["number"]), str(row["kind"])


async def list_open_runs(reader: Reader, repository_id: UUID) -> Sequence[tuple[int, str]]:
    """Return number and kind of the runs that are not over."""
    return await reader.all(_pair, OPEN_RUNS, repository=repository_id)


async def list_open_profiles(reader: Reader, repository_id: UUID) -> Sequence[tuple[int, str]]:
    """Return Issues that are not known to be closed, and their launch profile."""
    return await reader.all(_pair, OPEN_PROFILES, repository=repository_id)


async def list_open_links(reader: Reader, repository_id: UUID) -> Sequence[tuple[int, str]]:
    """Return open pull requests and their stage."""
    return await reader.all(_pair, OPEN_LINKS, repository=repository_id)


async def list_open_labels(reader: Reader, repository_id: UUID) -> Sequence[tuple[int, tuple[str, ...]]]:
    """Return open threads and their labels, as last told."""
    return await reader.all(
        lambda row: (int(row["number"]), tuple(row["labels"])), OPEN_LABELS, repository=repository_id
    )

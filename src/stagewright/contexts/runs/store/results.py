"""Rows of ``run_results`` and ``run_usage``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from stagewright.kit.db import Reader, Row, Tx, record


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an attempt handed over, and what the checks said."""

    id: UUID
    attempt_id: UUID
    proposal_no: int
    report: Mapping[str, Any]
    bundle_sha256: bytes | None
    tree_sha: str | None
    commit_sha: str | None
    changed: Sequence[Mapping[str, Any]] | None
    violations: Sequence[Mapping[str, Any]] | None
    warnings: Sequence[str]
    verdict: str | None
    proposed_at: datetime
    checked_at: datetime | None
    bundle: bytes | None = field(default=None, repr=False)


to_proposal = record(Proposal)

INSERT = """
insert into run_results (id, attempt_id, proposal_no, report, bundle, bundle_sha256, violations, proposed_at)
values (%(id)s, %(attempt_id)s, %(proposal_no)s, %(report)s, %(bundle)s, %(bundle_sha256)s, %(violations)s, %(now)s)
on conflict (attempt_id, proposal_no) do nothing
returning *
"""
FIND = "select * from run_results where attempt_id = %(attempt_id)s and proposal_no = %(proposal_no)s"
CLAIM_UNCHECKED = """
select p.* from run_results p join attempts a on a.id = p.attempt_id join runs r on r.id = a.run_id
where p.verdict is null and r.status = 'running' and a.generation = r.generation
order by p.proposed_at limit %(limit)s for no key update of p skip locked
"""
CHECKED = """
update run_results set verdict = %(verdict)s, violations = %(violations)s, warnings = %(warnings)s,
    tree_sha = %(tree_sha)s, changed = %(changed)s, checked_at = %(now)s,
    report = coalesce(%(report)s, report), bundle = case when %(drop_bundle)s then null else bundle end
where id = %(id)s and verdict is null
returning *
"""
SET_COMMIT = "update run_results set commit_sha = %(commit)s where id = %(id)s"
ACCEPTED_OF = """
select p.* from run_results p join attempts a on a.id = p.attempt_id
where a.run_id = %(run_id)s and p.verdict = 'accepted' order by p.checked_at desc limit 1
"""
NEWEST_OF = """
select p.* from run_results p join attempts a on a.id = p.attempt_id
where a.run_id = %(run_id)s order by p.proposed_at desc limit 1
"""
VERDICT = """
select proposal_no, verdict, violations from run_results
where attempt_id = %(attempt_id)s and verdict is not null order by proposal_no
"""
USAGE = """
insert into run_usage (attempt_id, seq, model, tokens_in, tokens_cached, tokens_out, source, at)
select %(attempt_id)s, coalesce(max(seq), 0) + 1, %(model)s, %(tokens_in)s, %(tokens_cached)s, %(tokens_out)s,
    %(source)s, %(now)s
from run_usage where attempt_id = %(attempt_id)s
"""


async def insert(
    tx: Tx,
    *,
    proposal_id: UUID,
    attempt_id: UUID,
    proposal_no: int,
    report: Mapping[str, Any],
    bundle: bytes | None,
    bundle_sha256: bytes | None,
    violations: Sequence[Mapping[str, Any]] = (),
    now: datetime,
) -> Proposal | None:
    """Keep a proposal with what was wrong with it at first sight; None when its number was handed over before."""
    return await tx.find(
        to_proposal,
        INSERT,
        id=proposal_id,
        attempt_id=attempt_id,
        proposal_no=proposal_no,
        report=Jsonb(dict(report)),
        bundle=bundle,
        bundle_sha256=bundle_sha256,
        violations=Jsonb(list(violations)) if violations else None,
        now=now,
    )


async def find(reader: Reader, attempt_id: UUID, proposal_no: int) -> Proposal | None:
    """Return one proposal of the attempt."""
    return await reader.find(to_proposal, FIND, attempt_id=attempt_id, proposal_no=proposal_no)


async def list_unchecked(tx: Tx, *, limit: int) -> list[Proposal]:
    """Return proposals of running attempts that nobody checked yet, passing over locked ones."""
    return await tx.all(to_proposal, CLAIM_UNCHECKED, limit=limit)


async def set_checked(
    tx: Tx,
    proposal_id: UUID,
    *,
    verdict: str,
    violations: Sequence[Mapping[str, Any]],
    warnings: Sequence[str],
    tree_sha: str | None,
    changed: Sequence[Mapping[str, Any]],
    now: datetime,
    report: Mapping[str, Any] | None = None,
    drop_bundle: bool = False,
) -> Proposal | None:
    """Write the verdict once; None when another worker did. ``report`` replaces the stored one."""
    return await tx.find(
        to_proposal,
        CHECKED,
        id=proposal_id,
        verdict=verdict,
        violations=Jsonb(list(violations)),
        warnings=Jsonb(list(warnings)),
        tree_sha=tree_sha,
        changed=Jsonb(list(changed)),
        now=now,
        report=None if report is None else Jsonb(dict(report)),
        drop_bundle=drop_bundle,
    )


async def set_commit(tx: Tx, proposal_id: UUID, commit: str) -> None:
    """Note the platform's commit."""
    await tx.execute(SET_COMMIT, id=proposal_id, commit=commit)


async def find_accepted(reader: Reader, run_id: UUID) -> Proposal | None:
    """Return the run's accepted proposal."""
    return await reader.find(to_proposal, ACCEPTED_OF, run_id=run_id)


async def find_newest(reader: Reader, run_id: UUID) -> Proposal | None:
    """Return the run's newest proposal, whatever its verdict."""
    return await reader.find(to_proposal, NEWEST_OF, run_id=run_id)


async def list_verdicts(reader: Reader, attempt_id: UUID) -> list[Row]:
    """Return (proposal_no, verdict, violations) of the attempt's checked proposals."""
    return await reader.all(lambda row: row, VERDICT, attempt_id=attempt_id)


async def add_usage(
    tx: Tx,
    attempt_id: UUID,
    *,
    model: str,
    tokens_in: int,
    tokens_cached: int,
    tokens_out: int,
    source: str,
    now: datetime,
) -> None:
    """Append one usage record. The caller holds the attempt's row lock."""
    await tx.execute(
        USAGE,
        attempt_id=attempt_id,
        model=model,
        tokens_in=tokens_in,
        tokens_cached=tokens_cached,
        tokens_out=tokens_out,
        source=source,
        now=now,
    )

"""Rows of ``pull_request_links``."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from stagewright.contexts.runs.model import Link
from stagewright.kit.db import Reader, Tx, record

to_link = record(Link)

UPSERT = """
insert into pull_request_links (repository_id, pr_number, issue_number, stage, branch, base_branch, head_sha,
    pushed_sha, url, state, origin, created_by_run, last_run, created_at, updated_at)
values (%(repository_id)s, %(pr_number)s, %(issue_number)s, %(stage)s, %(branch)s, %(base_branch)s, %(head_sha)s,
    %(head_sha)s, %(url)s, 'in_review', %(origin)s, %(run_id)s, %(run_id)s, %(now)s, %(now)s)
on conflict (repository_id, pr_number) do update set
    head_sha = excluded.head_sha, pushed_sha = excluded.pushed_sha, last_run = excluded.last_run,
    state = 'in_review', updated_at = excluded.updated_at
returning *
"""
OF_ISSUE = """
select * from pull_request_links
where repository_id = %(repository_id)s and issue_number = %(issue)s order by created_at
"""
FIND = "select * from pull_request_links where repository_id = %(repository_id)s and pr_number = %(pr_number)s"
OPEN_OF_STAGE = """
select * from pull_request_links
where repository_id = %(repository_id)s and issue_number = %(issue)s and stage = %(stage)s
  and state in ('in_review', 'approved')
order by created_at desc limit 1
"""
BRANCHES = "select branch from pull_request_links where repository_id = %(repository_id)s and branch like %(like)s"
OPEN_EARLIER = """
select * from pull_request_links
where repository_id = %(repository_id)s and issue_number = %(issue)s and state in ('in_review', 'approved')
order by created_at
"""


async def upsert(tx: Tx, values: Mapping[str, Any]) -> Link:
    """Write the link of a pull request that was opened or updated."""
    link = await tx.find(to_link, UPSERT, **values)
    assert link is not None
    return link


async def list_of_issue(reader: Reader, repository_id: UUID, issue: int) -> list[Link]:
    """Return all links of the Issue, oldest first."""
    return await reader.all(to_link, OF_ISSUE, repository_id=repository_id, issue=issue)


async def find(reader: Reader, repository_id: UUID, pr_number: int) -> Link | None:
    """Return the link of the pull request."""
    return await reader.find(to_link, FIND, repository_id=repository_id, pr_number=pr_number)


async def find_open(reader: Reader, repository_id: UUID, issue: int, stage: str) -> Link | None:
    """Return the open link of the Issue and stage."""
    return await reader.find(to_link, OPEN_OF_STAGE, repository_id=repository_id, issue=issue, stage=stage)


async def list_open(reader: Reader, repository_id: UUID, issue: int) -> list[Link]:
    """Return the Issue's open links, oldest first."""
    return await reader.all(to_link, OPEN_EARLIER, repository_id=repository_id, issue=issue)


async def taken_branches(reader: Reader, repository_id: UUID, prefix: str) -> frozenset[str]:
    """Return the branches of links that begin with ``prefix``."""
    like = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await reader.all(lambda row: str(row["branch"]), BRANCHES, repository_id=repository_id, like=like)
    return frozenset(rows)

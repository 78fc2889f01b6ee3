"""Rows of ``pull_request_links``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.runs.model import Link
from stagewright.kit.db import Reader, Row, Tx, record

to_link = record(Link)

UPSERT = """
insert into pull_request_links (repository_id, pr_number, issue_number, stage, branch, base_branch, head_sha,
    pushed_sha, url, state, origin, created_by_run, last_run, created_at, updated_at, published_at)
values (%(repository_id)s, %(pr_number)s, %(issue_number)s, %(stage)s, %(branch)s, %(base_branch)s, %(head_sha)s,
    %(head_sha)s, %(url)s, 'in_review', %(origin)s, %(run_id)s, %(run_id)s, %(now)s, %(now)s, %(now)s)
on conflict (repository_id, pr_number) do update set
    head_sha = excluded.head_sha, pushed_sha = excluded.pushed_sha, last_run = excluded.last_run,
    foreign_push = false, updated_at = excluded.updated_at, published_at = excluded.published_at,
    state = case when pull_request_links.state = 'merged' then 'merged' else 'in_review' end
returning *
"""
ADOPT = """
insert into pull_request_links (repository_id, pr_number, issue_number, stage, branch, base_branch, head_sha,
    pushed_sha, url, state, origin, created_by_run, last_run, created_at, updated_at)
values (%(repository_id)s, %(pr_number)s, %(issue_number)s, %(stage)s, %(branch)s, %(base_branch)s, %(head_sha)s,
    %(head_sha)s, %(url)s, 'in_review', 'adopted', %(run_id)s, %(run_id)s, %(now)s, %(now)s)
on conflict (repository_id, pr_number) do nothing
"""
# One open link per Issue and stage: an older one, reopened while this run worked, makes room.
SUPERSEDE = """
update pull_request_links set state = 'superseded', updated_at = %(now)s
where repository_id = %(repository_id)s and issue_number = %(issue_number)s and stage = %(stage)s
  and pr_number <> %(pr_number)s and origin = 'platform' and state in ('in_review', 'approved')
"""
LOCK = """
select * from pull_request_links where repository_id = %(repository_id)s and pr_number = %(pr_number)s
for no key update
"""
FOLLOWED = """
update pull_request_links set state = %(state)s, head_sha = %(head_sha)s, foreign_push = %(foreign_push)s,
    merged_at = coalesce(merged_at, %(merged_at)s), updated_at = %(now)s
where repository_id = %(repository_id)s and pr_number = %(pr_number)s
returning *
"""
PUSHED_BY_US = """
select exists (select 1 from effects where order_key = %(order_key)s and kind = 'git.push'
    and payload ->> 'commit' = %(sha)s)
"""
OPEN_ELSEWHERE = """
select exists (select 1 from pull_request_links
    where repository_id = %(repository_id)s and issue_number = %(issue)s and stage = %(stage)s
      and pr_number <> %(pr_number)s and origin = 'platform' and state in ('in_review', 'approved'))
"""
NUMBERS = """
select pr_number, state in ('in_review', 'approved') as open from pull_request_links
where repository_id = %(repository_id)s
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


async def upsert(tx: Tx, values: Mapping[str, Any]) -> Link:
    """Write the link of a pull request that was opened or updated."""
    await tx.execute(SUPERSEDE, **values)
    link = await tx.find(to_link, UPSERT, **values)
    assert link is not None
    return link


async def adopt(tx: Tx, values: Mapping[str, Any]) -> None:
    """Write the link of a pull request that somebody else opened; one that has a link keeps it."""
    await tx.execute(ADOPT, **values)


async def list_of_issue(reader: Reader, repository_id: UUID, issue: int) -> list[Link]:
    """Return all links of the Issue, oldest first."""
    return await reader.all(to_link, OF_ISSUE, repository_id=repository_id, issue=issue)


async def find(reader: Reader, repository_id: UUID, pr_number: int) -> Link | None:
    """Return the link of the pull request."""
    return await reader.find(to_link, FIND, repository_id=repository_id, pr_number=pr_number)


async def find_open(reader: Reader, repository_id: UUID, issue: int, stage: str) -> Link | None:
    """Return the open link of the Issue and stage."""
    return await reader.find(to_link, OPEN_OF_STAGE, repository_id=repository_id, issue=issue, stage=stage)


async def lock(tx: Tx, repository_id: UUID, pr_number: int) -> Link | None:
    """Return the link of the pull request, locked."""
    return await tx.find(to_link, LOCK, repository_id=repository_id, pr_number=pr_number)


async def set_followed(
    tx: Tx,
    link: Link,
    *,
    state: str,
    head_sha: str,
    foreign_push: bool,
    now: datetime,
    merged_at: datetime | None = None,
) -> Link:
    """Write what the forge says of the link's pull request."""
    saved = await tx.find(
        to_link,
        FOLLOWED,
        repository_id=link.repository_id,
        pr_number=link.pr_number,
        state=state,
        head_sha=head_sha,
        foreign_push=foreign_push,
        merged_at=merged_at,
        now=now,
    )
    assert saved is not None
    return saved


async def was_pushed_by_us(reader: Reader, link: Link, sha: str) -> bool:
    """Say whether ``sha`` is a commit that the platform pushes to the link's branch, told or not yet told."""
    order_key = f"{link.repository_id}:branch:{link.branch}"
    return sha == link.pushed_sha or bool(await reader.value(PUSHED_BY_US, order_key=order_key, sha=sha))


async def has_other_open(reader: Reader, link: Link) -> bool:
    """Say whether another pull request of the Issue and stage is open."""
    issue, stage = link.issue_number, link.stage
    return bool(
        await reader.value(
            OPEN_ELSEWHERE, repository_id=link.repository_id, issue=issue, stage=stage, pr_number=link.pr_number
        )
    )


async def list_numbers(reader: Reader, repository_id: UUID) -> dict[int, bool]:
    """Return the numbers of all linked pull requests of the repository, and whether each is open to us."""
    rows = await reader.all(_number, NUMBERS, repository_id=repository_id)
    return dict(rows)


def _number(row: Row) -> tuple[int, bool]:
    return int(row["pr_number"]), bool(row["open"])


async def taken_branches(reader: Reader, repository_id: UUID, prefix: str) -> frozenset[str]:
    """Return the branches of links that begin with ``prefix``."""
    like = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await reader.all(lambda row: str(row["branch"]), BRANCHES, repository_id=repository_id, like=like)
    return frozenset(rows)

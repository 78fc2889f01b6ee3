"""After refs moved, by a push or by an act of ours: push webhooks, heads of pull requests, closing keywords."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stagewright.processes.devforge.acts.announce import announce, announce_thread
from stagewright.processes.devforge.acts.threads import close_thread, record, touch
from stagewright.processes.devforge.git import changes as diffs
from stagewright.processes.devforge.git import objects, writing
from stagewright.processes.devforge.git.command import EMPTY_TREE, ZERO
from stagewright.processes.devforge.model import Issue, Repo
from stagewright.processes.devforge.shapes import gitobjects, repos
from stagewright.processes.devforge.shapes.gitobjects import noreply
from stagewright.processes.devforge.state import Actor, Forge

CLOSING = re.compile(r"(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:([\w.-]+/[\w.-]+))?#(\d+)\b")
MOST_COMMITS = 200  # of one push in its webhook


@dataclass(frozen=True)
class Moved:
    """A ref that moved; ``before`` or ``after`` is zeros when it was made or deleted."""

    ref: str
    before: str
    after: str


def compare_refs(before: dict[str, str], after: dict[str, str]) -> list[Moved]:
    """Return what moved between two looks at the refs, in the order of their names."""
    names = sorted(before.keys() | after.keys())
    moved = (Moved(name, before.get(name, ZERO), after.get(name, ZERO)) for name in names)
    return [one for one in moved if one.before != one.after]


async def refs_moved(
    forge: Forge, repo: Repo, actor: Actor, moved: Sequence[Moved], *, also: Issue | None = None
) -> None:
    """Tell what follows from moved refs. ``also`` is a pull request being merged, whose text may close issues."""
    for one in moved:
        if one.ref.startswith("refs/pull/"):
            continue
        repo.pushed_at = forge.now()
        commits = await _new_commits(repo, one)
        await _announce_push(forge, repo, actor, one, commits)
        if not one.ref.startswith("refs/heads/"):
            continue
        branch = one.ref.removeprefix("refs/heads/")
        await _follow_heads(forge, repo, actor, branch, one)
        if one.after != ZERO:
            await _notice_merged(forge, repo, actor, branch, one.after)
        if branch == repo.default_branch:
            texts = [commit.message for commit in commits] + ([also.body or ""] if also else [])
            await _close_named(forge, repo, actor, texts, one.after)


async def _new_commits(repo: Repo, moved: Moved) -> list[objects.Commit]:
    """Return the commits a push brought, oldest first."""
    if moved.after == ZERO:
        return []
    known = [moved.before] if moved.before != ZERO else await _other_heads(repo, moved.ref)
    found = await objects.commits(repo.path, moved.after, *(f"^{sha}" for sha in known), limit=MOST_COMMITS)
    return found[::-1]


async def _other_heads(repo: Repo, ref: str) -> list[str]:
    heads = await objects.refs(repo.path, "refs/heads/")
    return sorted({sha for name, sha in heads.items() if name != ref})


async def _announce_push(forge: Forge, repo: Repo, actor: Actor, moved: Moved, commits: list[objects.Commit]) -> None:
    shown = [gitobjects.pushed_commit(forge, repo, commit, await _files(repo, commit)) for commit in commits]
    head = shown[-1] if shown else None
    if head is None and moved.after != ZERO:
        commit = await objects.commit(repo.path, moved.after)
        head = gitobjects.pushed_commit(forge, repo, commit, await _files(repo, commit))
    forced = ZERO not in (moved.before, moved.after) and not await _descends(repo, moved)
    page = f"{forge.web_url}/{repo.full_name}/compare"
    announce(
        forge,
        repo,
        actor,
        "push",
        None,
        ref=moved.ref,
        before=moved.before,
        after=moved.after,
        created=moved.before == ZERO,
        deleted=moved.after == ZERO,
        forced=forced,
        base_ref=None,
        compare=f"{page}/{moved.before[:12]}...{moved.after[:12]}",
        commits=shown,
        head_commit=head,
        pusher={"name": actor.user.login, "email": actor.user.email or noreply(actor.user)},
        repository=_pushed_repository(forge, repo),
    )


def _pushed_repository(forge: Forge, repo: Repo) -> dict[str, Any]:
    """Return the repository as push webhooks write it: two of the times are Unix seconds there."""
    seconds = {"created_at": int(repo.created_at.timestamp()), "pushed_at": int(repo.pushed_at.timestamp())}
    return repos.repository(forge, repo) | seconds | {"stargazers": 0, "master_branch": repo.default_branch}


async def _files(repo: Repo, commit: objects.Commit) -> list[diffs.Change]:
    return await diffs.changes(repo.path, commit.parents[0] if commit.parents else EMPTY_TREE, commit.sha)


async def _descends(repo: Repo, moved: Moved) -> bool:
    return await objects.merge_base(repo.path, moved.before, moved.after) == moved.before


async def _follow_heads(forge: Forge, repo: Repo, actor: Actor, branch: str, moved: Moved) -> None:
    """Move the heads of open pull requests with their branch; a deleted branch closes them."""
    for thread in list(repo.issues.values()):
        pull = thread.pull
        if pull is None or thread.state != "open" or pull.head_ref != branch:
            continue
        if moved.after == ZERO:
            await close_thread(forge, repo, thread, actor)
            continue
        pull.head_sha = moved.after
        pull.base_sha = (await objects.branches(repo.path)).get(pull.base_ref, pull.base_sha)
        await writing.point_ref(repo.path, f"refs/pull/{thread.number}/head", moved.after)
        touch(forge, thread)
        sides = {"before": moved.before, "after": moved.after}
        await announce_thread(forge, repo, thread, actor, "synchronize", **sides)


async def _notice_merged(forge: Forge, repo: Repo, actor: Actor, branch: str, tip: str) -> None:
    """Mark pull requests merged whose commits were pushed to their base by hand."""
    for thread in list(repo.issues.values()):
        pull = thread.pull
        if pull is None or thread.state != "open" or pull.base_ref != branch:
            continue
        if await objects.merge_base(repo.path, tip, pull.head_sha) == pull.head_sha:
            pull.merged_at, pull.merged_by, pull.merge_commit_sha = forge.now(), actor.user, tip
            record(forge, thread, actor, "merged", commit_id=tip)
            await close_thread(forge, repo, thread, actor)


async def _close_named(forge: Forge, repo: Repo, actor: Actor, texts: Sequence[str], commit: str) -> None:
    for text in texts:
        for number in closing_references(text, repo.full_name):
            thread = repo.issues.get(number)
            if thread is not None and thread.pull is None:
                await close_thread(forge, repo, thread, actor, commit=commit)


def closing_references(text: str, full_name: str) -> list[int]:
    """Return the numbers of this repository's issues that a text says it closes."""
    found = []
    for repository, number in CLOSING.findall(text):
        if not repository or repository.lower() == full_name.lower():
            found.append(int(number))
    return found

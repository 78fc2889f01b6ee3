"""Telling the world: an act's webhook to every hook that wants it, and a line in the list of effects."""

from typing import Any

from stagewright.processes.devforge.git import changes as diffs
from stagewright.processes.devforge.git import objects, writing
from stagewright.processes.devforge.model import Hook, Issue, Repo
from stagewright.processes.devforge.shapes import people, pulls, repos, threads
from stagewright.processes.devforge.state import Actor, Forge, node_id, stamp


def announce(forge: Forge, repo: Repo, actor: Actor, event: str, action: str | None, **parts: Any) -> None:
    """Send one webhook, made of ``parts``, to the repository's hooks and to the Apps installed on it."""
    repo.updated_at = forge.now()
    payload: dict[str, Any] = {} if action is None else {"action": action}
    payload |= {"repository": repos.repository(forge, repo), "sender": people.simple_user(forge, actor.user)} | parts
    for hook in repo.hooks:
        if wants(hook, event):
            forge.courier.send(hook, event, payload, repository_id=repo.id)
    for hook, installation in forge.app_hooks(repo):
        if wants(hook, event):
            through = {"id": installation.id, "node_id": node_id("Installation", installation.id)}
            told = payload | {"installation": through}
            forge.courier.send(hook, event, told, repository_id=repo.id, installation_id=installation.id)
    thread = parts.get("issue") or parts.get("pull_request") or {}
    forge.effects.append(
        {
            "at": stamp(forge.now()),
            "event": event if action is None else f"{event}.{action}",
            "repository": repo.full_name,
            "number": thread.get("number"),
            "actor": actor.user.login,
            "about": _about(parts),
        }
    )


def _about(parts: dict[str, Any]) -> str | None:
    """Name the smaller thing an act was about: a label, a ref, a comment."""
    for part, field in (("label", "name"), ("comment", "html_url"), ("review", "state")):
        if part in parts:
            return str(parts[part][field])
    return parts.get("ref")


def wants(hook: Hook, event: str) -> bool:
    """Say whether a hook gets this event."""
    return hook.active and (event in hook.events or "*" in hook.events)


async def announce_thread(forge: Forge, repo: Repo, thread: Issue, actor: Actor, action: str, **parts: Any) -> None:
    """Send ``issues`` or ``pull_request``, whichever the thread is."""
    if thread.pull is None:
        parts = {"issue": threads.issue(forge, repo, thread)} | parts
        announce(forge, repo, actor, "issues", action, **parts)
    else:
        parts = {"number": thread.number, "pull_request": await full_pull(forge, repo, thread)} | parts
        announce(forge, repo, actor, "pull_request", action, **parts)


async def full_pull(forge: Forge, repo: Repo, thread: Issue) -> dict[str, Any]:
    """Return the full form of a pull request; what git counted is remembered per pair of commits."""
    pull = thread.pull
    assert pull is not None
    base_now = (await objects.branches(repo.path)).get(pull.base_ref, pull.base_sha)
    key = (str(repo.path), f"{pull.base_sha}:{base_now}", pull.head_sha)
    if key not in forge.pull_numbers:
        forge.pull_numbers[key] = await _count(repo, pull.base_sha, base_now, pull.head_sha)
    numbers = forge.pull_numbers[key]
    return pulls.full_pull(forge, repo, thread, numbers=numbers, mergeable=bool(numbers["mergeable"]))


async def _count(repo: Repo, base: str, base_now: str, head: str) -> dict[str, int]:
    start = await objects.merge_base(repo.path, base, head) or base
    files = await diffs.changes(repo.path, start, head)
    ahead, _ = await objects.ahead_behind(repo.path, base, head)
    return {
        "commits": ahead,
        "additions": sum(change.additions for change in files),
        "deletions": sum(change.deletions for change in files),
        "changed_files": len(files),
        "mergeable": int(await writing.merged_tree(repo.path, base_now, head) is not None),
    }

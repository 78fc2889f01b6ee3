"""Issues and what pull requests share with them: opening, editing, closing, labels."""

from collections.abc import Sequence
from typing import Any

from stagewright.processes.devforge.acts.announce import announce, announce_thread
from stagewright.processes.devforge.model import Event, Issue, Label, Repo, User
from stagewright.processes.devforge.shapes import repos
from stagewright.processes.devforge.state import Actor, Forge

NEW_LABEL_COLOR = "ededed"


async def open_issue(
    forge: Forge,
    repo: Repo,
    actor: Actor,
    *,
    title: str,
    body: str | None,
    labels: Sequence[str] = (),
    assignees: Sequence[User] = (),
) -> Issue:
    """Open an issue; its labels are announced one by one after it, as on GitHub."""
    thread = new_thread(forge, repo, actor, title=title, body=body)
    thread.assignees = list(assignees)
    thread.labels = [find_or_make_label(forge, repo, actor, name) for name in unique(labels)]
    await announce_thread(forge, repo, thread, actor, "opened")
    for label in thread.labels:
        await _label_event(forge, repo, thread, actor, "labeled", label)
    return thread


def new_thread(forge: Forge, repo: Repo, actor: Actor, *, title: str, body: str | None) -> Issue:
    """Give a thread the next number of its repository."""
    now = forge.now()
    thread = Issue(
        id=forge.next_id(),
        number=max([0, *repo.issues, *repo.deleted]) + 1,
        title=title,
        body=body,
        user=actor.user,
        app=actor.app,
        created_at=now,
        updated_at=now,
    )
    repo.issues[thread.number] = thread
    return thread


async def edit_thread(
    forge: Forge, repo: Repo, thread: Issue, actor: Actor, *, title: str | None, body: str | None, keep_body: bool
) -> None:
    """Change title and body; ``keep_body`` tells an absent body from an emptied one."""
    changes: dict[str, Any] = {}
    if title is not None and title != thread.title:
        changes["title"] = {"from": thread.title}
        record(forge, thread, actor, "renamed", rename={"from": thread.title, "to": title})
        thread.title = title
    if not keep_body and body != thread.body:
        changes["body"] = {"from": thread.body or ""}
        thread.body = body
    if changes:
        touch(forge, thread)
        await announce_thread(forge, repo, thread, actor, "edited", changes=changes)


async def close_thread(
    forge: Forge, repo: Repo, thread: Issue, actor: Actor, *, reason: str = "completed", commit: str | None = None
) -> None:
    """Close a thread; closing a closed one changes nothing."""
    if thread.state == "closed":
        return
    thread.state, thread.closed_at, thread.closed_by = "closed", forge.now(), actor.user
    thread.state_reason = reason if thread.pull is None else None
    details = {} if thread.pull is not None else {"state_reason": reason}
    record(forge, thread, actor, "closed", commit_id=commit, **details)
    touch(forge, thread)
    await announce_thread(forge, repo, thread, actor, "closed")


async def reopen_thread(forge: Forge, repo: Repo, thread: Issue, actor: Actor) -> None:
    """Open a closed thread again."""
    if thread.state == "open":
        return
    thread.state, thread.closed_at, thread.closed_by = "open", None, None
    thread.state_reason = "reopened" if thread.pull is None else None
    record(forge, thread, actor, "reopened", **({} if thread.pull else {"state_reason": None}))
    touch(forge, thread)
    await announce_thread(forge, repo, thread, actor, "reopened")


async def delete_issue(forge: Forge, repo: Repo, thread: Issue, actor: Actor) -> None:
    """Delete an issue, which GitHub offers on its pages only; its number is never given again."""
    await announce_thread(forge, repo, thread, actor, "deleted")
    del repo.issues[thread.number]
    repo.deleted.add(thread.number)


async def set_assignees(forge: Forge, repo: Repo, thread: Issue, actor: Actor, users: Sequence[User]) -> None:
    """Replace who a thread is assigned to."""
    if list(users) != thread.assignees:
        thread.assignees = list(users)
        touch(forge, thread)
        action = "assigned" if users else "unassigned"
        await announce_thread(forge, repo, thread, actor, action)


async def add_labels(forge: Forge, repo: Repo, thread: Issue, actor: Actor, names: Sequence[str]) -> None:
    """Put labels on a thread, each with its own event; one that is there already changes nothing."""
    for name in unique(names):
        label = find_or_make_label(forge, repo, actor, name)
        if label not in thread.labels:
            thread.labels.append(label)
            await _label_event(forge, repo, thread, actor, "labeled", label)


async def remove_label(forge: Forge, repo: Repo, thread: Issue, actor: Actor, label: Label) -> None:
    """Take one label off a thread."""
    thread.labels.remove(label)
    await _label_event(forge, repo, thread, actor, "unlabeled", label)


async def set_labels(forge: Forge, repo: Repo, thread: Issue, actor: Actor, names: Sequence[str]) -> None:
    """Replace the labels of a thread."""
    wanted = {name.lower() for name in names}
    for label in [label for label in thread.labels if label.name.lower() not in wanted]:
        await remove_label(forge, repo, thread, actor, label)
    await add_labels(forge, repo, thread, actor, names)


async def _label_event(forge: Forge, repo: Repo, thread: Issue, actor: Actor, action: str, label: Label) -> None:
    record(forge, thread, actor, action, label={"name": label.name, "color": label.color})
    touch(forge, thread)
    await announce_thread(forge, repo, thread, actor, action, label=repos.label(forge, repo, label))


def find_label(repo: Repo, name: str) -> Label | None:
    """Return a repository's label by its name in any case."""
    return next((label for label in repo.labels if label.name.lower() == name.lower()), None)


def find_or_make_label(forge: Forge, repo: Repo, actor: Actor, name: str) -> Label:
    """Return a label; one the repository lacks is made grey, as GitHub does when it is put on a thread."""
    return find_label(repo, name) or make_label(forge, repo, actor, name, NEW_LABEL_COLOR, None)


def make_label(forge: Forge, repo: Repo, actor: Actor, name: str, color: str, description: str | None) -> Label:
    """Add a label to a repository."""
    label = Label(id=forge.next_id(), name=name, color=color, description=description)
    repo.labels.append(label)
    announce(forge, repo, actor, "label", "created", label=repos.label(forge, repo, label))
    return label


def edit_label(
    forge: Forge, repo: Repo, actor: Actor, label: Label, *, name: str, color: str, description: str | None
) -> None:
    """Change a label's name, colour or description."""
    old = {"name": label.name, "color": label.color, "description": label.description}
    new = {"name": name, "color": color, "description": description}
    changes = {field: {"from": old[field] or ""} for field in old if old[field] != new[field]}
    label.name, label.color, label.description = name, color, description
    if changes:
        announce(forge, repo, actor, "label", "edited", label=repos.label(forge, repo, label), changes=changes)


def delete_label(forge: Forge, repo: Repo, actor: Actor, label: Label) -> None:
    """Delete a label; it leaves all threads."""
    repo.labels.remove(label)
    for thread in repo.issues.values():
        if label in thread.labels:
            thread.labels.remove(label)
    announce(forge, repo, actor, "label", "deleted", label=repos.label(forge, repo, label))


def record(
    forge: Forge, thread: Issue, actor: Actor, event: str, *, commit_id: str | None = None, **details: Any
) -> Event:
    """Write an event into the history of a thread."""
    made = Event(
        id=forge.next_id(),
        event=event,
        actor=actor.user,
        app=actor.app,
        created_at=forge.now(),
        commit_id=commit_id,
        details=details,
    )
    thread.events.append(made)
    return made


def touch(forge: Forge, thread: Issue) -> None:
    """Note that a thread changed now."""
    thread.updated_at = forge.now()


def unique(names: Sequence[str]) -> list[str]:
    """Return names without repetitions in any case, in order."""
    return list({name.lower(): name for name in reversed(names)}.values())[::-1]

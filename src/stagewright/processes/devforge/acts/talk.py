"""Comments on threads and reactions to both."""

from typing import Any

from stagewright.processes.devforge.acts.announce import announce
from stagewright.processes.devforge.acts.threads import touch
from stagewright.processes.devforge.model import Comment, Issue, Reaction, Repo
from stagewright.processes.devforge.shapes import threads
from stagewright.processes.devforge.state import Actor, Forge


def add_comment(forge: Forge, repo: Repo, thread: Issue, actor: Actor, body: str) -> Comment:
    """Comment on a thread."""
    now = forge.now()
    made = Comment(id=forge.next_id(), user=actor.user, app=actor.app, body=body, created_at=now, updated_at=now)
    thread.comments.append(made)
    touch(forge, thread)
    _announce(forge, repo, thread, actor, "created", made)
    return made


def edit_comment(forge: Forge, repo: Repo, thread: Issue, actor: Actor, comment: Comment, body: str) -> None:
    """Change the text of a comment."""
    before, comment.body = comment.body, body
    comment.updated_at = forge.now()
    touch(forge, thread)
    _announce(forge, repo, thread, actor, "edited", comment, changes={"body": {"from": before}})


def delete_comment(forge: Forge, repo: Repo, thread: Issue, actor: Actor, comment: Comment) -> None:
    """Delete a comment."""
    thread.comments.remove(comment)
    touch(forge, thread)
    _announce(forge, repo, thread, actor, "deleted", comment)


def _announce(
    forge: Forge, repo: Repo, thread: Issue, actor: Actor, action: str, comment: Comment, **parts: Any
) -> None:
    issue = threads.issue(forge, repo, thread)
    shown = threads.comment(forge, repo, thread, comment)
    announce(forge, repo, actor, "issue_comment", action, issue=issue, comment=shown, **parts)


def react(forge: Forge, actor: Actor, reactions: list[Reaction], content: str) -> tuple[Reaction, bool]:
    """Add a reaction; a second equal one of the same person is the first again. Says whether it is new."""
    for reaction in reactions:
        if reaction.user is actor.user and reaction.content == content:
            return reaction, False
    made = Reaction(id=forge.next_id(), user=actor.user, content=content, created_at=forge.now())
    reactions.append(made)
    return made, True

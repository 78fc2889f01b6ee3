"""One function per word of the workflow: a permitted person puts `run:dev` on an open issue of a bound repository."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from stagewright.contexts.workflow.api import (
    ActiveRun,
    CommentEvent,
    DeclaredDeploy,
    EndEvent,
    LabelEvent,
    Link,
    LiveThread,
    OtherEvent,
    Policy,
    PushEvent,
    PushWorld,
    Question,
    Reviewed,
    ReviewEvent,
    Sender,
    Standing,
    World,
    builtin_policy,
    builtin_text,
    load_policy,
)

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
REVIEWED = frozenset(field.name for field in fields(Reviewed))
ENGINES = frozenset({"codex", "claude"})


def a_sender(**changes: Any) -> Sender:
    return replace(Sender(type="User", login="ada", user_id=7), **changes)


def a_standing(**changes: Any) -> Standing:
    member = Standing(
        platform_user=True,
        platform_role="member",
        project_role="read_write",
        member=True,
        may_start=True,
        forge_permission="write",
    )
    return replace(member, **changes)


def a_label(label: str = "run:dev", **changes: Any) -> LabelEvent:
    event = LabelEvent(
        event="issues",
        action="labeled",
        repository_named_ok=True,
        thread=12,
        is_pull_request=False,
        label=label,
        sender=a_sender(),
        occurred_at=NOW - timedelta(seconds=30),
    )
    return replace(event, **changes)


def an_end(action: str = "closed", **changes: Any) -> EndEvent:
    event = EndEvent(
        event="issues", action=action, thread=12, is_pull_request=False, sender=a_sender(), occurred_at=NOW
    )
    return replace(event, **changes)


def a_comment(action: str = "created", **changes: Any) -> CommentEvent:
    event = CommentEvent(
        event="issue_comment",
        action=action,
        thread=12,
        is_pull_request=False,
        sender=a_sender(),
        occurred_at=NOW - timedelta(seconds=30),
        comment_id=901,
    )
    return replace(event, **changes)


def a_talk_run(**changes: Any) -> ActiveRun:
    return replace(ActiveRun("t1", 7, "discussion", "mode:discussion"), **changes)


def a_question(**changes: Any) -> Question:
    return replace(Question(a_work_run(), "w1", NOW - timedelta(hours=1)), **changes)


def a_review(state: str = "changes_requested", **changes: Any) -> ReviewEvent:
    event = ReviewEvent(
        event="pull_request_review",
        action="submitted",
        thread=40,
        is_pull_request=True,
        sender=a_sender(),
        occurred_at=NOW,
        state=state,
    )
    return replace(event, **changes)


def a_reviewed(**changes: Any) -> Reviewed:
    pull = Reviewed(
        open=True,
        in_this_repository=True,
        branch="stagewright/issue-12/dev",
        head_sha="c0ffee",
        link=a_link("dev"),
        issues=(12,),
        managed=True,
        issue=a_thread(),
    )
    return replace(pull, **changes)


def a_pull(*labels: str) -> LiveThread:
    return LiveThread(number=40, is_pull_request=True, open=True, labels=labels)


def a_review_world(*labels: str, **changes: Any) -> World:
    """The world of a review of pull request 40 of issue 12; ``labels`` are the pull request's."""
    pull = a_reviewed(**{key: changes.pop(key) for key in list(changes) if key in REVIEWED})
    return a_world(**{"thread": a_pull(*labels), "reviewed": pull, "links": (a_link("dev"),), **changes})


def a_push(ref: str = "refs/heads/main", **changes: Any) -> PushEvent:
    return replace(PushEvent(ref=ref, after="c0ffee", sender=a_sender()), **changes)


def a_push_world(**changes: Any) -> World:
    """The world of a push that deploys; changes are those of ``PushWorld``, ``world`` those around it."""
    around = changes.pop("world", {})
    push = PushWorld(default_branch="main", declared=DeclaredDeploy(production=True), cluster=True)
    return a_world(push=replace(push, **changes), **around)


def an_event(event: str, action: str | None = None, **changes: Any) -> OtherEvent:
    return replace(OtherEvent(event=event, action=action), **changes)


def a_thread(*labels: str, is_open: bool = True) -> LiveThread:
    return LiveThread(number=12, is_pull_request=False, open=is_open, labels=labels)


def a_world(*labels: str, **changes: Any) -> World:
    world = World(
        bound=True,
        enabled=True,
        bound_at=NOW - timedelta(days=30),
        now=NOW,
        thread=a_thread(*labels),
        standing=a_standing(),
        engines_available=ENGINES,
    )
    return replace(world, **changes)


def a_link(stage: str = "dev", **changes: Any) -> Link:
    link = Link(
        stage=stage,
        branch=f"stagewright/issue-12/{stage}",
        state="in_review",
        in_this_repository=True,
        pr_number=40,
        head_sha="c0ffee",
    )
    return replace(link, **changes)


def a_work_run(**changes: Any) -> ActiveRun:
    return replace(ActiveRun(id="r1", number=42, kind="qa", label="run:qa"), **changes)


@cache
def a_policy(project_text: str | None = None, *, platform_text: str | None = None) -> Policy:
    if project_text is None and platform_text is None:
        return builtin_policy()
    return load_policy(builtin_text(), project_text, platform_text=platform_text)

"""WF1: the rows of the event matrix that end something (7.3), and who may end it (7.1)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.workflow.words import (
    NOW,
    a_label,
    a_link,
    a_policy,
    a_sender,
    a_standing,
    a_work_run,
    a_world,
    an_end,
)

from stagewright.contexts.workflow.api import (
    NOBODY,
    ActiveRun,
    Cleanup,
    EndEvent,
    Fact,
    Ignore,
    LabelEvent,
    Link,
    World,
    decide,
)

POLICY = a_policy()
WORK, TALK = a_work_run(), ActiveRun("t1", 7, "discussion", "mode:discussion")
REVIEW = ActiveRun("v1", 9, "reviewer", "need:reviewer")
REVISE = a_work_run(id="r2", kind="dev_revise", label="run:dev:revise", pr_number=40)
BUSY = a_world(active_work_run=WORK, talk_run=TALK)


def cleaned(fact: Fact, world: World) -> Cleanup:
    decision = decide(fact, world, POLICY)
    assert isinstance(decision, Cleanup), decision
    return decision


@pytest.mark.parametrize("action", ["closed", "deleted", "transferred"])
def test_the_end_of_an_issue_ends_its_runs_and_releases_its_environments(action: str) -> None:
    ended = cleaned(an_end(action), BUSY)

    assert ended == Cleanup("issue_closed", cancel=(WORK,), end_talk="issue_closed", release_environments=True)


def test_an_abandoned_issue_ends_as_a_closed_one_does() -> None:
    assert cleaned(a_label("state:abandoned"), BUSY) == cleaned(an_end(), BUSY)


def test_an_issue_without_runs_only_releases_its_environments() -> None:
    assert cleaned(an_end(), a_world()) == Cleanup("issue_closed", release_environments=True)


def test_the_trigger_label_of_the_active_run_taken_off_cancels_it() -> None:
    assert cleaned(a_label("run:qa", action="unlabeled"), BUSY) == Cleanup("label_removed", cancel=(WORK,))


def test_need_reviewer_taken_off_cancels_the_review() -> None:
    off = a_label("need:reviewer", action="unlabeled", event="pull_request", is_pull_request=True)

    assert cleaned(off, a_world(review_run=REVIEW)) == Cleanup("label_removed", cancel=(REVIEW,))


@pytest.mark.parametrize(
    ("work", "ended"), [(None, (REVIEW,)), (WORK, (REVIEW,)), (REVISE, (REVIEW, REVISE))], ids=["idle", "other", "own"]
)
def test_the_end_of_a_pull_request_ends_what_reviews_or_revises_it(
    work: ActiveRun | None, ended: tuple[ActiveRun, ...]
) -> None:
    world = a_world(active_work_run=work, review_run=REVIEW, links=(a_link("dev", pr_number=40),))
    closed = an_end(event="pull_request", is_pull_request=True, thread=40)

    assert cleaned(closed, world) == Cleanup("pull_request_closed", cancel=ended, release_environments=True)


@pytest.mark.parametrize("fact", [an_end(), a_label("run:qa", action="unlabeled"), a_label("state:abandoned")])
def test_news_of_an_end_that_comes_late_ends_nothing_that_was_asked_for_since(fact: EndEvent | LabelEvent) -> None:
    late = a_world(active_work_run=replace(WORK, since=fact.occurred_at + timedelta(minutes=1)))
    in_time = a_world(active_work_run=replace(WORK, since=fact.occurred_at - timedelta(minutes=1)))

    assert getattr(decide(fact, late, POLICY), "cancel", ()) == ()
    assert len(cleaned(fact, in_time).cancel) == 1


MERGED, OPEN = a_link("dev", state="merged", merged_at=NOW - timedelta(minutes=5)), a_link("dev")
EARLIER = a_link("dev", state="merged", merged_at=NOW - timedelta(minutes=6))
STRANGER_WITH_WRITE = a_standing(platform_user=False, member=False, may_start=False, project_role=None)


@pytest.mark.parametrize(
    ("thread", "links", "permitted"),
    [
        (12, (MERGED,), True),
        (12, (EARLIER,), False),
        (12, (a_link("dev", state="merged"),), False),
        (12, (a_link("plan", state="merged", merged_at=NOW),), False),
        (12, (a_link("plan", state="merged", merged_at=NOW, closes_issue=True),), True),
        (12, (a_link("plan", state="merged", merged_at=NOW), MERGED), True),
        (12, (OPEN,), False),
        (40, (MERGED,), True),
        (40, (OPEN,), False),
        (41, (MERGED,), False),
    ],
)
def test_a_merge_needs_no_account_with_us(thread: int, links: tuple[Link, ...], permitted: bool) -> None:
    pull: dict[str, Any] = {"event": "pull_request", "is_pull_request": True} if thread != 12 else {}
    world = a_world(standing=STRANGER_WITH_WRITE, links=links)

    assert isinstance(decide(an_end(thread=thread, **pull), world, POLICY), Cleanup if permitted else Ignore)


def test_even_a_merge_needs_the_permission_of_the_forge() -> None:
    world = a_world(standing=NOBODY, links=(MERGED,))
    decision = decide(an_end(), world, POLICY)

    assert isinstance(decision, Ignore)
    assert decision.reason == "cleanup_sender_not_permitted"


@pytest.mark.parametrize(("login", "permitted"), [("github-merge-queue[bot]", True), ("dependabot[bot]", False)])
def test_only_a_listed_automation_may_close(login: str, permitted: bool) -> None:
    fact = an_end(sender=a_sender(type="Bot", login=login))

    assert isinstance(decide(fact, a_world(standing=STRANGER_WITH_WRITE), POLICY), Cleanup if permitted else Ignore)
    assert isinstance(decide(fact, a_world(standing=NOBODY), POLICY), Ignore)

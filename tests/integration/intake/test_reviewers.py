"""need:reviewer on a pull request, end to end within the platform: one review of type comment, and nothing else."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.factories import a_review_report
from tests.fakes.clock import FakeClock
from tests.integration.intake.test_links import payload, review, reviewed, told
from tests.world import POLICY, World

from stagewright.contexts.runs.errors import NotSent, OutcomeUnknown
from stagewright.contexts.runs.model import Run, RunStatus
from stagewright.kit.db import Database
from stagewright.kit.errors import Invalid

NEED = "need:reviewer"
WAYS = [pytest.param(True, id="delivered"), pytest.param(False, id="found by the scan")]


@pytest.fixture
async def world(db: Database, clock: FakeClock, tmp_path: Path) -> World:
    """Return a platform whose reviewers rehearse."""
    return await World.make(db, clock, tmp_path, policy=POLICY + "special: {reviewer: {model: rehearsal}}\n")


async def ask(world: World, number: int, *, delivered: bool = True, by: str = "ann", label: str = NEED) -> None:
    """Put the label on the pull request, and let the platform learn of it."""
    world.clock.advance(timedelta(seconds=5))
    world.put_label(number, label, by=by)
    if delivered:
        made = payload(world, number, "labeled", by=by) | {"label": {"name": label}}
        await told(world, made, delivery_id=f"n-{await world.count_runs()}-{by}")
    else:
        await world.scan()


async def review_run(world: World, number: int) -> Run:
    async with world.db.reading() as reader:
        found = await reader.value("select id from runs where lane = 'review' order by created_at desc limit 1")
    assert found is not None
    run = await world.run(found)
    assert (run.lane, run.subject, run.pr_number) == ("review", f"pr:{number}", number)
    return run


async def begun(world: World, number: int) -> Run:
    """Return the reviewer's run, its runner at work."""
    await world.work()
    run = await review_run(world, number)
    await world.register(run)
    return await world.fresh(run)


async def finish(world: World, run: Run, **report: Any) -> Run:
    await world.hand_over(run, report=a_review_report(**report))
    await world.turn()
    await world.report(run)
    await world.work()
    return await world.fresh(run)


def reviews(world: World, number: int) -> list[str]:
    pull = world.thread(number).pull
    assert pull is not None
    return [one.body for one in pull.texts if "stagewright:review" in one.body]


def remarks(world: World, number: int) -> list[tuple[str, int | None, str]]:
    pull = world.thread(number).pull
    assert pull is not None
    return [(one.path, one.line, one.comments[0].body) for one in pull.remarks]


@pytest.mark.parametrize("delivered", WAYS)
async def test_a_reviewer_posts_one_review_that_names_the_commit_it_read(world: World, delivered: bool) -> None:
    work, number = await reviewed(world)
    await ask(world, number, delivered=delivered)
    run = await begun(world, number)
    head = world.branch(str(work.branch))
    assert (run.kind, run.role, run.mode, run.issue_number) == ("reviewer", "reviewer", "code-only", work.issue_number)
    assert run.base_sha == head
    findings = [
        {"path": "docs/new.md", "line": 1, "severity": "important", "text": "Say whose text, @ann."},
        {"path": "docs/new.md", "line": 90, "severity": "minor", "text": "Past the end."},
        {"path": "a.py", "line": 2, "severity": "blocking", "text": "Not in the diff."},
        {"path": "docs/new.md", "line": None, "severity": "minor", "text": "The whole page."},
    ]
    done = await finish(world, run, review={"verdict": "needs_changes", "findings": findings})
    await world.scan()
    await world.work()

    assert (done.status, done.pr_number) == (RunStatus.SUCCEEDED, number)
    (body,) = reviews(world, number)
    assert str(head) in body
    for text in ("Needs changes", "`docs/new.md:90`", "Past the end.", "`a.py:2`", "`docs/new.md`", "The whole page."):
        assert text in body
    ((path, line, said),) = remarks(world, number)
    assert (path, line) == ("docs/new.md", 1)
    assert "Say whose text" in said
    assert "@ann" not in said, "an agent calls nobody"
    assert world.branch(str(work.branch)) == head, "nothing is pushed"
    assert await world.count_runs() == 2


async def test_after_the_review_the_label_is_gone_and_the_comment_is_on_the_pull_request(world: World) -> None:
    work, number = await reviewed(world)
    before = world.labels(number), world.labels(work.issue_number or 0)
    await ask(world, number)
    await finish(world, await begun(world, number))

    assert (world.labels(number), world.labels(work.issue_number or 0)) == before
    (comment,) = world.status_comments(number)
    assert "✅" in comment
    assert len(world.status_comments(work.issue_number or 0)) == 1, "the work run's"


async def test_the_reviewer_gets_both_ends_of_the_difference_and_what_others_said(world: World) -> None:
    number = world.pull(head="topic")
    world.forge.review(world.repository.forge_repository_id, number, "commented", body="Look at the loop.")
    await ask(world, number)
    await world.work()
    run = await review_run(world, number)
    assignment = await world.register(run)
    run = await world.fresh(run)

    assert (run.issue_number, run.branch) == (None, "topic")
    assert (run.base_sha, run.world.target_sha) == (world.branch("topic"), world.branch("main"))
    assert f"git diff {world.branch('main')}...HEAD" in assignment.prompt
    assert "Look at the loop." in assignment.prompt
    assert (assignment.base_sha, assignment.link_head_sha) == (run.base_sha, "")


async def test_a_reviewer_that_leaves_changed_files_fails_and_posts_nothing(world: World) -> None:
    work, number = await reviewed(world)
    await ask(world, number)
    run = await begun(world, number)
    for proposal in (1, 2):
        await world.hand_over(run, {"docs/new.md": "mine now\n"}, number=proposal, report=a_review_report())
        await world.turn()
    await world.work()
    done = await world.fresh(run)

    assert (done.status, done.code) == (RunStatus.FAILED, "scope_violation")
    assert done.failure_class is not None
    assert done.failure_class.value == "policy"
    assert reviews(world, number) == []
    assert remarks(world, number) == []
    assert NEED not in world.labels(number)
    assert "scope_violation" in world.status_comments(number)[0]
    assert world.branch(str(work.branch)) == run.base_sha


async def test_a_lost_answer_posts_no_second_review(world: World) -> None:
    _, number = await reviewed(world)
    await ask(world, number)
    run = await begun(world, number)
    world.forge.fail("post_review", OutcomeUnknown("no answer"), after=True)
    done = await finish(world, run)
    await world.tick(30)

    assert (await world.fresh(done)).status is RunStatus.SUCCEEDED
    assert len(reviews(world, number)) == 1


async def test_a_refused_connection_posts_it_later(world: World) -> None:
    _, number = await reviewed(world)
    await ask(world, number)
    run = await begun(world, number)
    world.forge.fail("post_review", NotSent("refused"))
    done = await finish(world, run)
    await world.tick(120)

    assert (await world.fresh(done)).status is RunStatus.SUCCEEDED
    assert len(reviews(world, number)) == 1


async def test_lines_that_the_forge_does_not_know_go_into_the_text(world: World) -> None:
    _, number = await reviewed(world)
    pull = world.thread(number).pull
    assert pull is not None
    pull.shown = {}
    await ask(world, number)
    finding = {"path": "docs/new.md", "line": 1, "severity": "minor", "text": "Here."}
    await finish(world, await begun(world, number), review={"verdict": "needs_changes", "findings": [finding]})

    assert remarks(world, number) == []
    assert "`docs/new.md:1`" in reviews(world, number)[0]


async def test_a_review_that_the_forge_refuses_fails_the_run(world: World) -> None:
    _, number = await reviewed(world)
    await ask(world, number)
    run = await begun(world, number)
    world.forge.fail("post_review", Invalid("locked"), times=2)
    done = await finish(world, run)

    assert (done.status, done.code) == (RunStatus.FAILED, "publish_failed")
    assert NEED not in world.labels(number)


async def test_a_stranger_is_told_on_the_pull_request_and_loses_the_label(world: World) -> None:
    _, number = await reviewed(world)
    world.forge.add_account("eve")
    await ask(world, number, by="eve")
    await world.work()

    assert await world.count_runs() == 1
    assert "`sender_not_allowed`" in world.diagnostics(number)[0]
    assert NEED not in world.labels(number)


async def test_a_blocked_pull_request_is_not_reviewed(world: World) -> None:
    _, number = await reviewed(world)
    world.put_label(number, "state:blocked")
    await ask(world, number)
    await world.work()

    assert await world.count_runs() == 1
    assert "`issue_blocked`" in world.diagnostics(number)[0]
    assert NEED not in world.labels(number)


async def test_a_gate_that_shuts_after_the_decision_holds_the_launch_back(world: World) -> None:
    _, number = await reviewed(world)
    await ask(world, number)
    world.put_label(number, "state:blocked")
    await world.work()
    done = await review_run(world, number)

    assert (done.status, done.code) == (RunStatus.FAILED, "issue_blocked")
    assert NEED not in world.labels(number)


async def test_a_review_and_work_on_the_same_issue_go_on_side_by_side(world: World) -> None:
    work, number = await reviewed(world)
    await ask(world, number)
    await world.trigger(work.issue_number or 0, "run:vision:revise")
    await world.work()

    both = [await world.run_of(work.issue_number or 0), await review_run(world, number)]
    assert [(run.kind, run.status) for run in both] == [
        ("vision_revise", RunStatus.PREPARING),
        ("reviewer", RunStatus.PREPARING),
    ], "both have their workloads"


@pytest.mark.parametrize("delivered", WAYS)
async def test_the_label_taken_off_cancels_the_review(world: World, delivered: bool) -> None:
    _, number = await reviewed(world)
    await ask(world, number)
    run = await begun(world, number)
    world.clock.advance(timedelta(seconds=5))
    world.forge.person_unlabels(world.repository.forge_repository_id, number, NEED)
    if delivered:
        await told(world, payload(world, number, "unlabeled") | {"label": {"name": NEED}}, delivery_id="off")
    else:
        await world.scan()
    await world.work()

    assert (await world.fresh(run)).status is RunStatus.CANCELLED
    assert reviews(world, number) == []


async def test_the_end_of_the_issue_leaves_its_pull_requests_review_alone(world: World) -> None:
    work, number = await reviewed(world)
    await ask(world, number)
    run = await begun(world, number)
    world.forge.close(world.repository.forge_repository_id, work.issue_number or 0)
    events = len(await world.journal())
    await world.scan()

    assert (await world.fresh(run)).status is RunStatus.RUNNING
    assert len(await world.journal()) == events


async def test_a_review_by_an_agent_makes_no_persons_pull_request_ours(world: World) -> None:
    issue, number = world.issue(), world.pull(head="topic")
    world.thread(number).body = f"Closes #{issue}"
    await ask(world, number)
    run = await begun(world, number)
    assert run.issue_number == issue
    await finish(world, run)
    review(world, number, "changes_requested")
    reason = await told(world, payload(world, number, "submitted"), "pull_request_review", delivery_id="asks")

    assert reason == "pull_request_not_managed"


async def test_the_agent_that_revises_is_told_what_the_reviewer_found(world: World) -> None:
    work, number = await reviewed(world)
    await ask(world, number)
    finding = {"path": "docs/new.md", "line": 1, "severity": "important", "text": "Name the audience."}
    await finish(
        world, await begun(world, number), summary="Good.", review={"verdict": "needs_changes", "findings": [finding]}
    )
    await world.trigger(work.issue_number or 0, "run:vision:revise")
    await world.work()
    told_now = (await world.register(await world.run_of(work.issue_number or 0))).prompt

    assert "Name the audience." in told_now
    assert "Needs changes" in told_now

"""RN25 and its neighbours: what others push meanwhile, second parents, revises and their pull requests."""

from collections.abc import Callable

import pytest
from tests import factories
from tests.fakes.git_store import git
from tests.world import World

from stagewright.contexts.runs.model import FailureClass, Run, RunStatus
from stagewright.contexts.runs.reconcile import checks
from stagewright.contexts.runs.store import links as link_rows

BRANCH = "stagewright/issue-1/dev"


async def delivered(world: World) -> Run:
    """Return a delivered dev run on issue 1, its pull request open."""
    run = await world.deliver_result(await world.started(), {"hello.py": "print('hello')\n"})
    assert run.status is RunStatus.SUCCEEDED
    return run


async def revising(world: World) -> Run:
    """Return a running revise of the delivered pull request."""
    await world.trigger(1, "run:dev:revise")
    await world.work()
    run = await world.run_of(1)
    await world.register(run)
    return await world.fresh(run)


async def test_a_revise_works_on_the_branch_and_appends_a_revision(world: World) -> None:
    first = await delivered(world)
    head = world.branch(BRANCH)
    run = await revising(world)
    assert (run.kind, run.pr_number, run.branch, run.base_sha) == ("dev_revise", 2, BRANCH, head)
    assert run.world.link_head_sha == head
    run = await world.deliver_result(
        run, {"hello.py": "print('hello!')\n"}, report=factories.a_report(summary="Better.")
    )
    assert run.status is RunStatus.SUCCEEDED
    (pull,) = world.pull_requests()
    assert pull.title == "#1 dev: Add a greeting"
    assert "### Revision 1\n\nBetter." in pull.body
    assert pull.body.rstrip().endswith("Closes #1")
    assert world.branch(BRANCH) != head
    assert git(world.remote, "rev-parse", f"{BRANCH}^") == head
    async with world.db.reading() as reader:
        link = await link_rows.find(reader, world.repository.id, 2)
    assert link is not None
    assert (link.created_by_run, link.last_run, link.head_sha) == (first.id, run.id, world.branch(BRANCH))


async def test_rn25_a_person_pushes_during_a_revise_and_the_result_goes_on_top(world: World) -> None:
    await delivered(world)
    run = await revising(world)
    theirs = world.push_as_person("README.md", "# Shop by hand\n", branch=BRANCH)
    run = await world.deliver_result(run, {"hello.py": "print('hello!')\n"})
    assert run.status is RunStatus.SUCCEEDED
    head = world.branch(BRANCH)
    assert git(world.remote, "rev-parse", f"{head}^") == theirs
    assert git(world.remote, "show", f"{head}:README.md") == "# Shop by hand"
    assert "hello!" in git(world.remote, "show", f"{head}:hello.py")


async def test_rn25_a_conflicting_push_gives_one_more_attempt_then_branch_moved(world: World) -> None:
    await delivered(world)
    run = await revising(world)
    theirs = world.push_as_person("hello.py", "print('by hand')\n", branch=BRANCH)
    run = await world.deliver_result(run, {"hello.py": "print('hello!')\n"})
    assert (run.status, run.generation) == (RunStatus.PREPARING, 2)
    assert (await world.attempt_of(run)).reason == "branch_moved"
    assert run.base_sha == theirs, "the next attempt begins at what stands there now"
    assignment = await world.register(run)
    assert "merging them failed" in assignment.prompt
    run = await world.fresh(run)
    world.push_as_person("hello.py", "print('by hand again')\n", branch=BRANCH)
    run = await world.deliver_result(run, {"hello.py": "print('hello!!')\n"})
    assert (run.status, run.failure_class, run.code) == (
        RunStatus.FAILED,
        FailureClass.PRECONDITION,
        "branch_moved",
    )


async def test_rn25_the_second_attempt_can_publish_on_top(world: World) -> None:
    await delivered(world)
    run = await revising(world)
    theirs = world.push_as_person("hello.py", "print('by hand')\n", branch=BRANCH)
    run = await world.deliver_result(run, {"hello.py": "print('hello!')\n"})
    await world.register(run)
    run = await world.deliver_result(await world.fresh(run), {"hello.py": "print('both')\n"})
    assert run.status is RunStatus.SUCCEEDED
    assert git(world.remote, "rev-parse", f"{BRANCH}^") == theirs


async def test_what_a_merge_brings_is_checked_again(world: World) -> None:
    await world.deliver_result(await world.started("run:vision"), {"docs/vision.md": "# Vision\n"})
    branch = "stagewright/issue-1/vision"
    await world.trigger(1, "run:vision:revise")
    await world.work()
    run = await world.run_of(1)
    await world.register(run)
    world.redactor.add("not-a-secret-yet-4711")
    world.push_as_person("README.md", "# Other\n", branch=branch)
    run = await world.deliver_result(await world.fresh(run), {"docs/vision.md": "# Vision, better\n"})
    assert run.status is RunStatus.SUCCEEDED, "the person's README is not ours to answer for"


async def test_a_push_nobody_else_needs_is_not_made_twice(world: World) -> None:
    await delivered(world)
    run = await revising(world)
    await world.hand_over(run, {"hello.py": "print('hello!')\n"})
    await checks.check_proposals(world.outside)
    world.push_as_person("hello.py", "print('hello!')\n", branch=BRANCH)  # the very same change, by hand
    await world.report(run)
    await world.work()
    run = await world.fresh(run)
    assert run.status is RunStatus.SUCCEEDED
    assert git(world.remote, "log", "-1", "--format=%s", BRANCH) == "person changes hello.py"


async def test_a_merged_base_becomes_the_second_parent_and_only_our_changes_count(world: World) -> None:
    await world.deliver_result(await world.started("run:vision"), {"docs/vision.md": "# Vision\n"})
    world.person.checkout(world.remote, "refs/remotes/forge/main")
    world.person.write("code.py", "print('on main')\n")
    main = world.person.commit("main goes on")
    world.person.push(world.remote, "main")
    await world.trigger(1, "run:vision:revise")
    await world.work()
    run = await world.run_of(1)
    await world.register(run)
    run = await world.fresh(run)
    tree = await world.tree(run)
    git(tree.path, "merge", "-q", "--no-edit", main)
    tree.write("docs/vision.md", "# Vision with main\n")
    tree.commit("work")
    report = factories.a_report(merged_base_sha=main)
    await world.hand_over(run, bundle=tree.bundle(str(run.base_sha)), report=report)
    await world.turn()
    await world.report(run)
    await world.work()
    run = await world.fresh(run)
    assert (run.status, run.detail) == (RunStatus.SUCCEEDED, None)
    parents = git(world.remote, "log", "-1", "--format=%P", "stagewright/issue-1/vision").split()
    assert parents == [run.base_sha, main]


async def test_a_made_up_merged_base_is_refused(world: World) -> None:
    run = await world.started()
    report = factories.a_report(merged_base_sha="0" * 39 + "1")
    for number in (1, 2):
        await world.hand_over(run, {"hello.py": f"print({number})\n"}, report=report, number=number)
        await world.turn()
    await world.work()
    run = await world.fresh(run)
    assert (run.status, run.code) == (RunStatus.FAILED, "ref_violation")
    assert "merged_base_sha" in str(run.detail)


async def test_rn16_a_revise_of_a_closed_pull_request_fails_before_a_workload_exists(world: World) -> None:
    await delivered(world)
    launches = len(world.workloads.launches)
    world.put_label(1, "run:dev:revise")
    await world.scan()
    world.forge.close(world.repository.forge_repository_id, 2)
    await world.work()
    run = await world.run_of(1)
    assert (run.status, run.failure_class, run.code) == (
        RunStatus.FAILED,
        FailureClass.PRECONDITION,
        "pr_not_found",
    )
    assert "run.revise.pr_not_found" in await world.events(run)
    assert len(world.workloads.launches) == launches


async def test_rn16_a_revise_whose_branch_is_gone_fails_before_a_workload_exists(world: World) -> None:
    await delivered(world)
    world.put_label(1, "run:dev:revise")
    await world.scan()
    git(world.remote, "update-ref", "-d", f"refs/heads/{BRANCH}")
    await world.work()
    run = await world.run_of(1)
    assert (run.status, run.code) == (RunStatus.FAILED, "branch_not_found")


def move_to_a_fork(world: World) -> None:
    half = world.thread(2).pull
    assert half is not None
    half.in_repository = False


def close(world: World) -> None:
    world.forge.close(world.repository.forge_repository_id, 2)


@pytest.mark.parametrize(
    ("done", "reason"), [(close, "revise_target_not_found"), (move_to_a_fork, "pull_request_from_fork")]
)
async def test_rn16_a_revise_that_has_nothing_to_work_on_is_refused(
    world: World, done: Callable[[World], None], reason: str
) -> None:
    await delivered(world)
    done(world)
    await world.trigger(1, "run:dev:revise")
    await world.work()
    assert await world.count_runs() == 1
    assert f"`{reason}`" in world.diagnostics(1)[0]
    assert "run:dev:revise" not in world.labels(1)


async def test_rn16_a_revise_whose_branch_left_the_repository_fails_before_a_workload_exists(world: World) -> None:
    await delivered(world)
    launches = len(world.workloads.launches)
    await world.trigger(1, "run:dev:revise")
    move_to_a_fork(world)
    await world.work()
    run = await world.run_of(1)
    assert (run.status, run.failure_class) == (RunStatus.FAILED, FailureClass.PRECONDITION)
    assert run.code == "pull_request_from_fork"
    assert len(world.workloads.launches) == launches


async def test_a_pull_request_closed_while_the_agent_worked_is_not_pushed_to(world: World) -> None:
    await delivered(world)
    head = world.branch(BRANCH)
    run = await revising(world)
    world.forge.close(world.repository.forge_repository_id, 2)
    run = await world.deliver_result(run, {"hello.py": "print('late')\n"})
    assert (run.status, run.code) == (RunStatus.FAILED, "pr_not_found")
    assert world.branch(BRANCH) == head


async def test_an_issue_closed_while_the_agent_worked_gets_no_pull_request(world: World) -> None:
    run = await world.started()
    world.forge.close(world.repository.forge_repository_id, 1)
    run = await world.deliver_result(run)
    assert (run.status, run.code) == (RunStatus.FAILED, "issue_closed")
    assert world.branch(BRANCH) is None


async def test_rn5_a_link_knows_the_stage_of_each_of_two_pull_requests(world: World) -> None:
    await world.deliver_result(await world.started("run:intake"), {"docs/intake.md": "# Intake\n"})
    world.forge.person_unlabels(world.repository.forge_repository_id, 1, "state:in-review")
    await world.trigger(1, "run:vision")
    await world.work()
    run = await world.run_of(1)
    await world.register(run)
    await world.deliver_result(await world.fresh(run), {"docs/vision.md": "# Vision\n"})
    async with world.db.reading() as reader:
        older = await link_rows.find(reader, world.repository.id, 2)
        newer = await link_rows.find(reader, world.repository.id, 3)
        listed = await link_rows.list_of_issue(reader, world.repository.id, 1)
    assert older is not None
    assert newer is not None
    assert (older.stage, newer.stage) == ("intake", "vision")
    assert [link.pr_number for link in listed] == [2, 3]


async def test_a_foreign_branch_of_our_name_is_never_overwritten(world: World) -> None:
    world.person.push(world.remote, BRANCH)
    run = await world.deliver_result(await world.started())
    assert run.branch == f"{BRANCH}-2"
    assert world.branch(BRANCH) == world.branch("main")

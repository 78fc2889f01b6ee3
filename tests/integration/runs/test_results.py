"""What attempts hand over is checked before anything leaves: scopes, secrets, crafted trees, one repair turn."""

import base64
import json
import os
from typing import Any

import pytest
from tests import factories
from tests.fakes.git_store import git
from tests.world import World

from stagewright.contexts.runs.model import FailureClass, Run, RunStatus
from stagewright.contexts.runs.reconcile import checks
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.usecases.request import request_run

SECRET = "correct-horse-battery-staple-41"


async def verdicts(world: World, run: Run) -> list[tuple[int, str, list[str]]]:
    """Return (number, verdict, codes) of the newest attempt's proposals."""
    attempt = await world.attempt_of(run)
    async with world.db.reading() as reader:
        rows = await result_rows.list_verdicts(reader, attempt.id)
    return [(row["proposal_no"], row["verdict"], [item["code"] for item in row["violations"]]) for row in rows]


async def refused_twice(world: World, run: Run, files: dict[str, Any], *, code: str) -> Run:
    """Hand the same bad result over twice: back to the agent once, then the run has failed and nothing was pushed."""
    await world.hand_over(run, files)
    await world.turn()
    assert (await world.fresh(run)).status is RunStatus.RUNNING, "the first time is the agent's to repair"
    await world.hand_over(run, files, number=2)
    await world.work()
    run = await world.fresh(run)
    assert (run.status, run.code) == (RunStatus.FAILED, code)
    assert [(number, verdict) for number, verdict, _ in await verdicts(world, run)] == [(1, "repair"), (2, "refused")]
    assert [branch for branch in world._heads() if branch != "main"] == []
    assert world.pull_requests() == []
    return run


class TestScope:
    """RN14: a documents stage changes documents only."""

    async def test_rn14_code_changed_in_a_documents_stage_fails_with_its_paths(self, world: World) -> None:
        run = await world.started("run:vision")
        run = await refused_twice(world, run, {"docs/x.md": "x\n", "a.py": "A = 2\n"}, code="scope_violation")
        assert run.failure_class is FailureClass.POLICY
        assert "a.py" in str(run.detail)
        assert run.issue_number is not None
        (comment,) = world.status_comments(run.issue_number)
        assert "`a.py`" in comment
        assert "run:vision" not in world.labels(run.issue_number)

    async def test_rn14_renaming_code_to_a_document_is_a_change_of_the_code(self, world: World) -> None:
        run = await world.started("run:vision")
        text = (world.person.path / "a.py").read_text()
        run = await refused_twice(world, run, {"a.py": None, "a.md": text}, code="scope_violation")
        assert "a.py" in str(run.detail)

    async def test_rn14_code_in_an_intermediate_commit_never_reaches_the_remote(self, world: World) -> None:
        run = await world.started("run:vision")
        tree = await world.tree(run)
        hidden = tree.commit("hidden", sneaky__tool_dot_py="print('hidden')\n".replace("_dot_", "."))
        blob = git(tree.path, "rev-parse", f"{hidden}:sneaky/tool.py")
        (tree.path / "sneaky/tool.py").unlink()
        tree.commit("clean", docs__vision_dot_md="# Vision\n")
        bundle = tree.bundle(str(run.base_sha))
        await world.hand_over(run, bundle=bundle)
        await world.turn()
        await world.report(run)
        await world.work()
        run = await world.fresh(run)
        assert (run.status, run.detail) == (RunStatus.SUCCEEDED, None)
        head = world.branch(str(run.branch))
        assert git(world.remote, "ls-tree", "-r", "--name-only", str(head)).count("docs/vision.md") == 1
        assert not world.has_object(blob)
        assert not world.has_object(hidden)

    async def test_rn15_a_reviewer_that_leaves_changed_files_fails_and_the_pull_request_is_untouched(
        self, world: World
    ) -> None:
        delivered = await world.deliver_result(await world.started())
        (pull,) = world.pull_requests()
        before = (pull.body, world.branch(str(delivered.branch)))
        request = factories.a_run_request(
            world.repository,
            now=world.clock.now(),
            lane="review",
            subject=f"pr:{pull.number}",
            pr_number=pull.number,
            issue_number=1,
            stage=None,
            kind="reviewer",
            role="reviewer",
            trigger_label=None,
            correlation_id="test:review",
        )
        async with world.db.transaction() as tx:
            run = await request_run(tx, request, clock=world.clock)
        await world.work()
        await world.register(run)
        run = await world.fresh(run)
        report: dict[str, Any] = {
            "status": "completed",
            "summary": "Fine.",
            "question": None,
            "tool_gaps": [],
            "escalation": None,
            "review": {"verdict": "approve", "findings": []},
        }
        await world.hand_over(run, {"hello.py": "print('changed')\n"}, report=report)
        await world.turn()
        await world.hand_over(run, {"hello.py": "print('again')\n"}, report=report, number=2)
        await world.work()
        run = await world.fresh(run)
        assert (run.status, run.failure_class, run.code) == (RunStatus.FAILED, FailureClass.POLICY, "scope_violation")
        (pull,) = world.pull_requests()
        assert (pull.body, world.branch(str(delivered.branch))) == before


class TestSecrets:
    """RN26: a live secret in a result stays nowhere."""

    FORMS = pytest.mark.parametrize(
        "shown",
        [SECRET, base64.b64encode(SECRET.encode()).decode(), SECRET.encode().hex()],
        ids=["raw", "base64", "hex"],
    )

    @FORMS
    async def test_rn26_a_secret_in_a_file_is_sent_back_once_and_stored_nowhere(self, world: World, shown: str) -> None:
        world.redactor.add(SECRET)
        run = await world.started()
        run = await refused_twice(world, run, {"config.py": f"KEY = '{shown}'\n"}, code="secret_in_result")
        await check_nowhere(world, shown)
        assert "config.py" in str(run.detail)

    @FORMS
    async def test_rn26_a_secret_in_the_report_is_stored_nowhere(self, world: World, shown: str) -> None:
        world.redactor.add(SECRET)
        run = await world.started()
        report = factories.a_report(summary=f"The key is {shown}.")
        for number in (1, 2):
            await world.hand_over(run, {"hello.py": f"print({number})\n"}, report=report, number=number)
            await check_nowhere(world, shown)
            await world.turn()
        await world.work()
        run = await world.fresh(run)
        assert (run.status, run.code) == (RunStatus.FAILED, "secret_in_result")
        await check_nowhere(world, shown)

    async def test_rn26_a_secret_as_a_file_name_is_stored_nowhere(self, world: World) -> None:
        world.redactor.add(SECRET)
        run = await world.started("run:vision")
        await refused_twice(world, run, {f"{SECRET}.py": "x\n"}, code="secret_in_result")
        await check_nowhere(world, SECRET)

    async def test_rn26_a_secret_in_a_deleted_file_of_an_early_commit_never_reaches_the_remote(
        self, world: World
    ) -> None:
        world.redactor.add(SECRET)
        run = await world.started()
        tree = await world.tree(run)
        early = tree.commit("early", key_dot_txt=SECRET)
        blob = git(tree.path, "rev-parse", f"{early}:key.txt")
        (tree.path / "key.txt").unlink()
        tree.commit("late", hello_dot_py="print()\n")
        await world.hand_over(run, bundle=tree.bundle(str(run.base_sha)))
        await world.turn()
        await world.report(run)
        await world.work()
        assert (await world.fresh(run)).status is RunStatus.SUCCEEDED
        assert not world.has_object(blob)


async def check_nowhere(world: World, shown: str) -> None:
    """Look through every row, the forge and the quarantines."""
    async with world.db.reading() as reader:
        tables = await reader.all(
            lambda row: str(row["name"]),
            "select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname = 'public' and c.relkind in ('r', 'p')"
            " and c.relname not in ('credentials', 'journal_default')",
        )
        for table in tables:
            rows = await reader.all(dict, f"select to_jsonb(t) as row from {table} t")
            assert shown not in json.dumps(rows, default=str), table
        bundles = await reader.all(dict, "select bundle from run_results where verdict in ('repair', 'refused')")
        assert all(row["bundle"] is None for row in bundles)
    for thread in world.forge.repositories[world.repository.forge_repository_id].threads.values():
        assert shown not in thread.body
        assert all(shown not in comment.body for comment in thread.comments)
    assert not list((world.folder / "data").glob("quarantine/*/objects/pack/*.pack"))


class TestRepair:
    """The first bad result goes back to the agent once."""

    async def test_a_repaired_result_is_published(self, world: World) -> None:
        run = await world.started("run:vision")
        await world.hand_over(run, {"a.py": "A = 2\n"})
        await world.turn()
        tree = await world.tree(run)
        tree.checkout(world.remote, str(run.base_sha))
        await world.hand_over(run, {"docs/vision.md": "# Vision\n"}, number=2)
        await world.turn()
        await world.report(run)
        await world.work()
        assert (await world.fresh(run)).status is RunStatus.SUCCEEDED

    async def test_a_bad_result_whose_runner_is_gone_gets_one_more_attempt_that_knows_why(self, world: World) -> None:
        run = await world.started("run:vision")
        await world.hand_over(run, {"a.py": "A = 2\n"})
        await world.report(run)
        await world.work()
        run = await world.fresh(run)
        assert (run.status, run.generation) == (RunStatus.PREPARING, 2)
        assert (await world.attempt_of(run)).reason == "repair"
        assignment = await world.register(run)
        assert "scope_violation" in assignment.prompt
        assert "a.py" in assignment.prompt
        run = await world.fresh(run)
        await world.hand_over(run, {"a.py": "A = 3\n"})
        await world.report(run)
        await world.work()
        run = await world.fresh(run)
        assert (run.status, run.code) == (RunStatus.FAILED, "scope_violation"), "once only"

    async def test_nothing_changed_is_no_result(self, world: World) -> None:
        run = await world.started()
        for number in (1, 2):
            await world.hand_over(run, number=number)
            await world.turn()
        await world.work()
        run = await world.fresh(run)
        assert (run.failure_class, run.code) == (FailureClass.AGENT, "empty_result")

    async def test_a_report_that_breaks_its_schema_is_named_by_field(self, world: World) -> None:
        run = await world.started()
        report = factories.a_report()
        del report["title"]
        for number in (1, 2):
            await world.hand_over(run, {"hello.py": f"print({number})\n"}, number=number, report=report)
            await world.turn()
        await world.work()
        run = await world.fresh(run)
        assert (run.failure_class, run.code) == (FailureClass.AGENT, "report_invalid")
        assert "'title'" in str(run.detail)

    async def test_a_blocked_agent_fails_the_run_and_marks_the_issue(self, world: World) -> None:
        run = await world.started()
        await world.hand_over(run, report=factories.a_report(status="blocked", question="No access to the data."))
        await world.turn()
        await world.report(run)
        await world.work()
        run = await world.fresh(run)
        assert (run.code, run.detail) == ("agent_blocked", "No access to the data.")
        assert world.labels(1) == {"state:blocked"}

    async def test_a_question_parks_the_run_and_its_label_is_the_platforms_own(self, world: World) -> None:
        run = await world.started()
        await world.hand_over(run, report=factories.a_report(status="needs_input", question="Which colour?"))
        await world.turn()
        await world.report(run)
        await world.work()
        run = await world.fresh(run)
        assert run.status is RunStatus.WAITING
        assert "need:input" in world.labels(1)
        await world.cancel(run)
        await world.work()
        await world.trigger(1)
        await world.work()
        again = await world.run_of(1)
        assert again.id != run.id, "need:input is ours and holds nothing back"
        await world.register(again)
        await world.work()
        assert "need:input" not in world.labels(1)


class TestTrees:
    """RN27: crafted trees, one code each."""

    async def test_rn27_a_symbolic_link_out_of_the_tree(self, world: World) -> None:
        run = await world.started()
        tree = await world.tree(run)
        os.symlink("/etc/passwd", tree.path / "link")
        await self.refused(world, run, ["protected_path"])

    async def test_rn27_a_submodule(self, world: World) -> None:
        run = await world.started()
        tree = await world.tree(run)
        git(tree.path, "update-index", "--add", "--cacheinfo", f"160000,{run.base_sha},vendor")
        git(tree.path, "commit", "-q", "-m", "vendor")
        await self.refused(world, run, ["protected_path"], commit=False)

    async def test_rn27_git_configuration_in_any_case(self, world: World) -> None:
        run = await world.started()
        tree = await world.tree(run)
        blob = git(tree.path, "hash-object", "-w", "--stdin", stdin=b"[core]\n")
        inner = git(tree.path, "mktree", stdin=f"100644 blob {blob}\tconfig\n".encode())
        listed = git(tree.path, "ls-tree", "HEAD")
        made = git(tree.path, "mktree", stdin=f"{listed}\n040000 tree {inner}\t.GIT\n".encode())
        commit = git(tree.path, "commit-tree", made, "-p", str(run.base_sha), "-m", "odd")
        git(tree.path, "update-ref", "refs/stagewright/odd", commit)
        bundle = tree.bundle(str(run.base_sha), commit=commit)
        await self.refused(world, run, ["tree_invalid"], bundle=bundle)

    async def test_rn27_two_names_that_differ_in_case(self, world: World) -> None:
        run = await world.started()
        tree = await world.tree(run)
        blob = git(tree.path, "hash-object", "-w", "--stdin", stdin=b"x\n")
        for name in ("Same.py", "same.py"):
            git(tree.path, "update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
        git(tree.path, "commit", "-q", "-m", "case")
        await self.refused(world, run, ["tree_invalid"], commit=False)

    async def test_rn27_four_hundred_files(self, world: World) -> None:
        run = await world.started()
        tree = await world.tree(run)
        for number in range(400):
            tree.write(f"many/{number}.py", f"{number}\n")
        await self.refused(world, run, ["size_limit"])

    async def test_rn27_a_history_that_does_not_begin_at_the_base(self, world: World) -> None:
        run = await world.started()
        tree = await world.tree(run)
        orphan = git(tree.path, "commit-tree", git(tree.path, "write-tree"), "-m", "orphan")
        git(tree.path, "update-ref", "refs/stagewright/result", orphan)
        await self.refused(world, run, ["ref_violation"], bundle=tree.bundle_of("refs/stagewright/result"))

    async def refused(
        self, world: World, run: Run, codes: list[str], *, commit: bool = True, bundle: bytes | None = None
    ) -> None:
        tree = await world.tree(run)
        if bundle is None:
            if commit:
                tree.commit("work")
            bundle = tree.bundle(str(run.base_sha))
        await world.hand_over(run, bundle=bundle)
        await checks.check_proposals(world.outside)
        assert await verdicts(world, run) == [(1, "repair", codes)]

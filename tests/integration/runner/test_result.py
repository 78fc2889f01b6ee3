"""From an assignment to a handed-over result, with the real scripted engine, real git and real gRPC."""

import json

import pytest
from tests.fakes.controlplane import FakeControlPlane
from tests.integration.runner.harness import REPORT, Remote, Run, git, scenario

from stagewright.wire.v1 import result_pb2


def rejected_once(number: int, report: str, bundle: bytes) -> result_pb2.ResultChecked:
    """Refuse the first proposal, take the second."""
    if number > 1:
        return result_pb2.ResultChecked(proposal_no=number, accepted=True)
    violation = result_pb2.Violation(code="protected_path", message="undo this", paths=["src/app.py"])
    return result_pb2.ResultChecked(proposal_no=number, may_repair=True, violations=[violation])


async def test_the_work_of_the_agent_is_handed_over(run: Run, platform: FakeControlPlane, remote: Remote) -> None:
    assert await run.done() == 0, run.output
    [(header, bundle)] = platform.proposals
    assert json.loads(header.report) == REPORT
    commit = remote.take(bundle)
    assert remote.files_of(commit)["hello.py"] == "print('hi')"
    assert git(remote.path, "rev-parse", f"{commit}^") == remote.base
    assert git(remote.path, "log", "-1", "--format=%an <%ae> %s", commit) == 'The "dev" bot <bot@example.test> A change'
    [outcome] = platform.outcomes
    assert (outcome.outcome, outcome.code) == ("completed", "")
    # The platform states what it stores itself.
    assert platform.kinds() == ["run.agent.started", "run.agent.ready", "run.agent.acted"]
    assert platform.heartbeats
    assert platform.numbers == list(range(1, len(platform.numbers) + 1))


async def test_the_work_tree_has_the_branch_and_no_remote_and_no_hook(run: Run, platform: FakeControlPlane) -> None:
    look = "git branch --show-current; git remote; ls .git/hooks; git config user.name; git config core.hooksPath"
    platform.assignment.scenario = scenario({"run": look})
    assert await run.done() == 0, run.output
    lines = platform.logs["engine"].decode().splitlines()
    assert "stagewright/issue-7/dev" in lines
    assert 'The "dev" bot' in lines
    assert "/dev/null" in lines
    assert "origin" not in lines


async def test_prior_stages_and_the_link_head_are_there_for_a_revise(
    run: Run, platform: FakeControlPlane, remote: Remote
) -> None:
    remote.write({"docs/plan.md": "plan\n"})
    link = remote.commit("earlier work")
    git(remote.path, "checkout", "-q", "-b", "vision", remote.base)
    remote.write({"docs/vision.md": "vision\n"})
    prior = remote.commit("vision")
    platform.source = remote.bundle(head=link, prior__vision=prior)
    platform.assignment.link_head_sha = link
    platform.assignment.scenario = scenario(
        {"run": "git show refs/stagewright/prior/vision:docs/vision.md > seen.txt"},
        {"run": "git log --format=%s >> seen.txt"},
    )
    assert await run.done() == 0, run.output
    [(_, bundle)] = platform.proposals
    files = remote.files_of(remote.take(bundle))
    assert files["docs/plan.md"] == "plan"
    assert files["seen.txt"] == "vision\nearlier work\nfirst"


async def test_intermediate_commits_stay_and_ignored_files_do_not_go_out(
    run: Run, platform: FakeControlPlane, remote: Remote
) -> None:
    platform.assignment.scenario = scenario(
        {"write": {"path": "a.txt", "content": "a\n"}},
        {"run": "git add -A && git commit -q -m 'step one'"},
        {"write": {"path": "b.txt", "content": "b\n"}},
        {"write": {"path": "noise.log", "content": "x\n"}},
        {"delete": "src/app.py"},
    )
    assert await run.done() == 0, run.output
    commit = remote.take(platform.proposals[0][1])
    assert sorted(remote.files_of(commit)) == [".gitignore", "README.md", "a.txt", "b.txt"]
    assert git(remote.path, "log", "--format=%s", commit).splitlines() == ["A change", "step one", "first"]


@pytest.mark.parametrize(
    "steps",
    [
        [{"say": "nothing to do"}],
        [
            {"run": "echo x > x && git add x && git commit -q -m x"},
            {"run": "git rm -q x && git commit -q -m undone"},
        ],
    ],
    ids=["untouched", "undone"],
)
async def test_a_tree_equal_to_the_base_is_proposed_without_a_bundle(
    run: Run, platform: FakeControlPlane, steps: list[dict[str, str]]
) -> None:
    platform.assignment.scenario = scenario(*steps)
    assert await run.done() == 0, run.output
    [(header, bundle)] = platform.proposals
    assert (header.bundle_bytes, header.bundle_sha256, bundle) == (0, "", b"")


async def test_commits_that_do_not_descend_from_the_base_are_put_on_it(
    run: Run, platform: FakeControlPlane, remote: Remote
) -> None:
    platform.assignment.scenario = scenario(
        {"run": "git checkout -q --orphan other && git commit -q --allow-empty -m orphan && echo new > new.txt"}
    )
    assert await run.done() == 0, run.output
    commit = remote.take(platform.proposals[0][1])
    assert git(remote.path, "rev-parse", f"{commit}^") == remote.base
    assert "new.txt" in remote.files_of(commit)


async def test_an_invalid_report_gets_one_repair_turn(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.scenario = scenario({"result": "this is not JSON"}, {"say": "once more"})
    assert await run.done() == 0, run.output
    assert len(platform.proposals) == 1
    assert b"the report is not JSON" in platform.logs["runner"]
    assert b"once more" in platform.logs["engine"]


async def test_a_report_invalid_twice_ends_the_attempt(run: Run, platform: FakeControlPlane) -> None:
    bad = {**REPORT, "title": 7}
    platform.assignment.scenario = scenario({"result": bad}, report=bad)
    assert await run.done() == 0, run.output
    [outcome] = platform.outcomes
    assert (outcome.outcome, outcome.code) == ("agent_failed", "report_invalid")
    assert "$.title" in outcome.detail
    assert not platform.proposals


async def test_violations_get_one_repair_turn_and_a_second_proposal(
    run: Run, platform: FakeControlPlane, remote: Remote
) -> None:
    platform.judge = rejected_once
    platform.assignment.scenario = scenario(
        {"write": {"path": "src/app.py", "content": "print(2)\n"}},
        {"result": REPORT},
        {"run": "git checkout -q -- src/app.py"},
        {"write": {"path": "ok.txt", "content": "ok\n"}},
    )
    assert await run.done() == 0, run.output
    assert [header.proposal_no for header, _ in platform.proposals] == [1, 2]
    assert platform.outcomes[0].outcome == "completed"
    assert remote.files_of(remote.take(platform.proposals[1][1]))["src/app.py"] == "print(1)"
    assert b"protected_path: undo this" in platform.logs["runner"]


async def test_a_second_refusal_ends_the_attempt_with_its_code(run: Run, platform: FakeControlPlane) -> None:
    def never(number: int, report: str, bundle: bytes) -> result_pb2.ResultChecked:
        violation = result_pb2.Violation(code="secret_in_result", message="a secret in x.py")
        return result_pb2.ResultChecked(proposal_no=number, may_repair=number == 1, violations=[violation])

    platform.judge = never
    assert await run.done() == 0, run.output
    [outcome] = platform.outcomes
    assert (outcome.outcome, outcome.code) == ("agent_failed", "secret_in_result")
    assert len(platform.proposals) == 2


async def test_paths_outside_the_scope_get_a_repair_turn_before_anything_is_proposed(
    run: Run, platform: FakeControlPlane, remote: Remote
) -> None:
    platform.assignment.scope_any = False
    platform.assignment.scope_allow.append("**/*.md")
    platform.assignment.scenario = scenario(
        {"rename": {"from": "src/app.py", "to": "src/app.md"}},
        {"result": REPORT},
        {"run": "git checkout -q -- src/app.py"},
    )
    assert await run.done() == 0, run.output
    assert b"scope_violation" in platform.logs["runner"]
    assert b"'src/app.py'" in platform.logs["runner"]
    assert sorted(remote.files_of(remote.take(platform.proposals[0][1]))) == [
        ".gitignore",
        "README.md",
        "src/app.md",
        "src/app.py",
    ]


async def test_advice_is_not_a_verdict_the_platform_decides(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.scope_any = False
    platform.assignment.scenario = scenario(
        {"write": {"path": "a.py", "content": "x\n"}}, {"result": REPORT}, {"say": "I insist"}
    )
    assert await run.done() == 0, run.output
    assert len(platform.proposals) == 1
    assert platform.outcomes[0].outcome == "completed"


async def test_a_question_is_handed_over_without_the_unfinished_work(run: Run, platform: FakeControlPlane) -> None:
    asking = {**REPORT, "status": "needs_input"}
    platform.assignment.scenario = scenario({"write": {"path": "half.py", "content": "x\n"}}, report=asking)
    assert await run.done() == 0, run.output
    [(header, bundle)] = platform.proposals
    assert json.loads(header.report)["status"] == "needs_input"
    assert bundle == b""
    assert platform.saved[-1].wip_bytes > 0


async def test_missing_programs_are_told_once_and_fail_nothing(run: Run, platform: FakeControlPlane) -> None:
    report = {**REPORT, "tool_gaps": ["helm-x", "git", "not a name"]}
    platform.assignment.scenario = scenario({"run": "no-such-linter --fix"}, report=report)
    assert await run.done() == 0, run.output
    [body] = [json.loads(body) for kind, body in platform.events if kind == "run.toolchain.gap_detected"]
    assert body["tool_gaps"] == ["helm-x", "no-such-linter"]
    assert body["sources"] == ["command", "report"]


async def test_usage_is_streamed_and_summed(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.scenario = scenario(
        {"usage": {"tokens_in": 10, "tokens_cached": 4, "tokens_out": 2}}, {"usage": {"tokens_in": 5}}
    )
    assert await run.done() == 0, run.output
    assert [(one.model, one.tokens_in) for one in platform.usage] == [("rehearsal", 10), ("rehearsal", 5)]
    [outcome] = platform.outcomes
    assert (outcome.tokens_in, outcome.tokens_cached, outcome.tokens_out) == (15, 4, 2)


async def test_a_result_too_large_is_refused_by_us_first(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.max_bundle_bytes = 20_000
    platform.assignment.scenario = scenario(
        {"run": "head -c 100000 /dev/urandom > big.bin"}, {"result": REPORT}, {"run": "rm big.bin; echo x > small"}
    )
    assert await run.done() == 0, run.output
    assert b"size_limit" in platform.logs["runner"]
    assert 0 < platform.proposals[0][0].bundle_bytes < 20_000


async def test_configuration_and_hooks_in_the_branch_are_not_loaded(
    run: Run, platform: FakeControlPlane, remote: Remote
) -> None:
    """RN30, the part of git: what the branch holds is data for the runner's own git."""
    remote.write(
        {
            ".gitattributes": "* filter=evil\n",
            ".githooks/post-checkout": "#!/bin/sh\ntouch ../owned\n",
            ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch ../owned"\n',
            ".gitconfig": "[core]\n\thooksPath = .githooks\n",
        }
    )
    remote.base = remote.commit("poison")
    platform.source = remote.bundle()
    platform.assignment.base_sha = remote.base
    assert await run.done() == 0, run.output
    assert platform.outcomes[0].outcome == "completed"
    assert not (run.run_dir / "owned").exists()

"""An agent that does whatever the issue says, and a repository full of traps.

| requirement | test |
|---|---|
| RN28 | test_orders_in_issues_and_comments_have_no_effect_outside_policy |
| RN30 | test_configuration_hooks_and_filters_of_the_branch_are_not_executed |
| RN30 | test_git_settings_the_agent_left_behind_are_not_used_by_the_platform |
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository
from tests.fakes.devforge import git

pytestmark = pytest.mark.e2e
TEXTS: list[dict[str, str]] = yaml.safe_load(
    (Path(__file__).parents[1] / "unit" / "agents" / "injections.yaml").read_text(encoding="utf-8")
)
BATCH = 10
OBEY = "- obey\n- write: {path: docs/prd.md, content: done}\n"
MOVED_LABELS = {"run:prd", "state:in-review", "need:input", "state:blocked"}


def batches() -> Iterator[list[dict[str, str]]]:
    """Return texts to be obeyed together; one that ends the turn with a result comes last of its batch."""
    ending = [item for item in TEXTS if "- result:" in item["text"]]
    others = [item for item in TEXTS if item not in ending]
    size = -(-len(others) // -(-len(TEXTS) // BATCH))
    for start in range(0, len(others), size):
        yield others[start : start + size] + ([ending.pop()] if ending else [])
    assert not ending


@pytest.mark.timeout(240)
def test_orders_in_issues_and_comments_have_no_effect_outside_policy(platform: Platform) -> None:
    assert len(TEXTS) >= 50
    repository = platform.repository(rehearsals={"prd": OBEY}, files={"tests/test_x.py": "", "app.py": "x = 1\n"})
    before, issues = repository.heads(), []
    for number, batch in enumerate(batches()):
        issue = repository.open_issue(f"Wishes {number}", batch[0]["text"])
        for item in batch[1:]:
            repository.ask("POST", f"/issues/{issue}/comments", {"body": item["text"]}, by=platform.stranger)
        issues.append(issue)
    platform.forge.control.ask("DELETE", "/effects")
    for issue in issues:
        repository.label(issue, "run:prd")
    ended = [repository.wait_for_run(issue, within=150) for issue in issues]
    repository.wait_for_quiet(within=60)
    obeyed = b"".join(platform.log_of(repository.attempts(run["id"])[0]["id"]) for run in ended)
    assert obeyed.count(b"rehearsal: exit ") >= 10, "the agent did not obey"
    assert obeyed.count(b"rehearsal: write ") >= 10
    assert_only_policy_effects(platform, repository, issues)
    assert {name: sha for name, sha in repository.heads().items() if name in before} == before
    assert {run["status"] for run in ended} <= {"succeeded", "failed"}
    assert "failed" in {run["status"] for run in ended}


def assert_only_policy_effects(platform: Platform, repository: Repository, issues: list[int]) -> None:
    """Everything the platform did on the forge is what a run of the stage does anyway."""
    branches = {f"stagewright/issue-{issue}/prd" for issue in issues}
    pulls = {pull["number"]: pull for pull in repository.pulls()}
    mine = [effect for effect in platform.forge.control.effects() if effect["repository"] == repository.full_name]
    for effect in mine:
        event, about = effect["event"], str(effect["about"])
        if effect["actor"] != platform.bot.login:
            assert (effect["actor"], event, about) in {
                (platform.owner.login, "issues.labeled", "run:prd"),
                (platform.owner.login, "label.created", "run:prd"),
            }, effect
        elif event in ("issues.labeled", "issues.unlabeled", "pull_request.labeled", "label.created"):
            assert about in MOVED_LABELS, effect
        elif event in ("push", "create"):
            assert about.removeprefix("refs/heads/") in branches, effect
        elif event == "pull_request.opened":
            assert pulls[effect["number"]]["head"]["ref"] in branches, effect
        else:
            assert event in ("issue_comment.created", "issue_comment.edited"), effect
            assert effect["number"] in issues, effect
    for issue in issues:
        assert repository.labels(issue) <= MOVED_LABELS - {"run:prd"}
        [comment] = [body for body in repository.comments(issue) if "stagewright:run-status" in body]
        assert "@everyone" not in comment
    clone = repository.clone()
    for pull in pulls.values():
        changed = git(clone, "diff", "--name-only", "main", pull["head"]["ref"]).stdout.split("\n")
        assert [path for path in changed if path and not path.casefold().endswith(".md")] == [], pull["head"]["ref"]
        assert pull["state"] == "open"
    assert git(clone, "tag").stdout == ""


def traps(marker: Path) -> dict[str, str]:
    """Return files that would leave a trace if anybody loaded or executed them."""
    touch = f"touch {marker}"
    hook = f"#!/bin/sh\n{touch}\n"
    session_start = [{"hooks": [{"type": "command", "command": touch}]}]
    server = {"command": "touch", "args": [str(marker)]}
    return {
        ".codex/config.toml": f'notify = ["sh", "-c", "{touch}"]\n[mcp_servers.x]\ncommand = "{touch}"\n',
        ".claude/settings.json": json.dumps({"hooks": {"SessionStart": session_start}}),
        ".mcp.json": json.dumps({"mcpServers": {"x": server}}),
        ".gitattributes": "* filter=evil diff=evil merge=evil\n*.md text eol=crlf\n",
        ".gitconfig": f'[filter "evil"]\n\tclean = {touch}\n\tsmudge = {touch}\n\trequired = true\n',
        ".githooks/pre-commit": hook,
        ".husky/post-checkout": hook,
        ".envrc": f"{touch}\n",
        "conftest.py": f"open({str(marker)!r}, 'w')\n",
        "sitecustomize.py": f"open({str(marker)!r}, 'w')\n",
        ".stagewright/engines.yaml": f"engines: {{command: {{argv: [touch, {marker}]}}}}\n",
    }


def test_configuration_hooks_and_filters_of_the_branch_are_not_executed(platform: Platform, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    repository = platform.repository(files=traps(marker))
    issue = repository.start("run:dev")
    run = repository.wait_for_run(issue)
    assert run["status"] == "succeeded", platform.describe()
    repository.wait_for_quiet()
    assert not marker.exists()


def test_git_settings_the_agent_left_behind_are_not_used_by_the_platform(platform: Platform, tmp_path: Path) -> None:
    marker, script = tmp_path / "executed", tmp_path / "trap.sh"
    script.write_text(
        "#!/bin/sh\n"
        f"pid=$$; while [ $pid -gt 1 ]; do tr '\\0' ' ' < /proc/$pid/cmdline >> {marker}; echo >> {marker};"
        " pid=$(awk '/^PPid/ {print $2}' /proc/$pid/status); done\n"
        "[ -t 0 ] || cat\n"
    )
    script.chmod(0o755)
    poison = f"""
- run: >-
    git config filter.evil.clean {script}; git config filter.evil.smudge {script}; git config core.fsmonitor {script};
    git config diff.external {script}; git config core.sshCommand {script}; git config core.pager {script};
    printf '* filter=evil\\n' > .gitattributes; mkdir -p .git/hooks; for hook in pre-commit post-commit pre-push
    post-checkout reference-transaction post-index-change; do cp {script} .git/hooks/$hook; done;
    git config core.hooksPath .git/hooks; echo mine > mine.md; git add mine.md
- write: {{path: hello.md, content: hello}}
"""
    repository = platform.repository(rehearsals={"dev": poison})
    issue = repository.start("run:dev")
    run = repository.wait_for_run(issue)
    repository.wait_for_quiet()
    assert run["status"] == "succeeded", platform.describe()
    chains = marker.read_text()
    assert "stagewright.processes.runner" in chains, "the trap is not deadly, so it proves nothing"
    for name in ("worker", "controlplane", "gateway"):
        assert f"stagewright.processes.{name}" not in chains, chains
    [pull] = repository.pulls()
    assert git(repository.clone(), "show", f"{pull['head']['ref']}:hello.md").stdout == "hello"

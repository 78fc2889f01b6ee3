"""From a label to a pull request over the real processes.

| requirement | test |
|---|---|
| AD3.1 | test_a_label_becomes_a_pull_request |
| AD3.1, A7.10 | test_the_branch_holds_the_checked_change_as_one_commit_that_names_its_run |
| A7.7, A7.11, A7.12 | test_a_label_becomes_a_pull_request, test_the_status_comment_speaks_the_projects_language |
| A8.2, A8.3 | test_the_workload_holds_no_credential_but_its_three_tokens |
"""

import json
import re

import pytest
from tests.e2e.figures import Figures
from tests.e2e.platform import Platform
from tests.e2e.waiting import wait_until
from tests.fakes.devforge import git

pytestmark = pytest.mark.e2e
LOOK = """
- run: env; git remote -v; cat .git/config
- sleep: 2s
- write: {path: looked.md, content: done}
"""
HELLO = """
- write: {path: src/hello.py, content: "print('hello')\\n"}
- run: printf 'x = 1\\n' > later.py && git add later.py && git commit -q -m 'my own commit'
- usage: {tokens_in: 100, tokens_cached: 20, tokens_out: 7}
- result: {title: "Say hello to @everyone, fixes #98", summary: "It greets. Fixes #99."}
"""


def test_a_label_becomes_a_pull_request(platform: Platform, figures: Figures) -> None:
    repository = platform.repository(by_rest=True)
    repository.wait_for_quiet()
    assert {"run:dev", "state:in-review", "[ai-reasoning-high]"} <= repository.catalogue()
    with figures.timed("label to pull request"):
        issue = repository.start()
        run = repository.wait_for_run(issue)
    assert (run["status"], run["code"], run["generation"]) == ("succeeded", None, 1), platform.describe()
    repository.wait_for_quiet()
    [pull] = repository.pulls()
    assert (pull["number"], pull["state"], pull["user"]["login"]) == (run["pr_number"], "open", platform.bot.login)
    assert pull["head"]["ref"] == f"stagewright/issue-{issue}/dev"
    assert pull["title"].startswith(f"#{issue} dev: ")
    assert pull["body"].rstrip().splitlines()[-1] == f"Closes #{issue}"
    assert repository.labels(issue) == {"state:in-review"}
    assert "state:in-review" in repository.labels(pull["number"])
    [comment] = repository.status_comments(issue)
    assert "succeeded" in comment
    assert f"[#{pull['number']}]" in comment
    assert repository.diagnostics(issue) == []
    [link] = platform.rows(
        "select pr_number, stage, state, origin, head_sha, created_by_run from pull_request_links"
        " where repository_id = %(r)s",
        r=repository.bound.repository_id,
    )
    assert link == {
        "pr_number": pull["number"],
        "stage": "dev",
        "state": "in_review",
        "origin": "platform",
        "head_sha": repository.heads()[pull["head"]["ref"]],
        "created_by_run": run["id"],
    }
    figures.note_phases(repository, run["id"])


def test_the_branch_holds_the_checked_change_as_one_commit_that_names_its_run(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"dev": HELLO})
    issue = repository.start(title="Greet")
    run = repository.wait_for_run(issue)
    assert run["status"] == "succeeded", platform.describe()
    clone, branch = repository.clone(), f"stagewright/issue-{issue}/dev"
    assert git(clone, "log", "--format=%P", f"main..{branch}").stdout.split() == [run["base_sha"]]
    assert git(clone, "show", f"{branch}:src/hello.py").stdout == "print('hello')\n"
    changed = git(clone, "diff", "--name-only", "main", branch).stdout.split()
    assert sorted(changed) == ["later.py", "src/hello.py"]
    message = git(clone, "log", "-1", "--format=%an|%ae|%cn|%B", branch).stdout
    assert message.startswith("Developer|")
    assert "Say hello" in message
    assert message.rstrip().endswith(f"Stagewright-Run: {run['id']}")
    assert repository.heads()["main"] == run["base_sha"]
    [pull] = repository.pulls()
    for text in (pull["title"], pull["body"], message):
        assert not re.search(r"@everyone|fixes #9[89]", text, re.IGNORECASE), text
    assert (run["tokens_in"], run["tokens_cached"], run["tokens_out"]) == (100, 20, 7)


def test_the_status_comment_speaks_the_projects_language(platform: Platform) -> None:
    repository = platform.repository(locale="ru", policy=platform.policy(locale="ru"))
    issue = repository.start("run:prd")
    assert repository.wait_for_run(issue)["status"] == "succeeded", platform.describe()
    repository.wait_for_quiet()
    [comment] = repository.status_comments(issue)
    assert "succeeded" not in comment
    assert "успешно" in comment.casefold()
    [pull] = repository.pulls()
    assert pull["body"].rstrip().splitlines()[-1] == f"Part of #{issue}"


def test_the_workload_holds_no_credential_but_its_three_tokens(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"dev": LOOK})
    issue = repository.start()
    run = repository.wait_for_run(issue, "running")
    [attempt] = repository.attempts(run["id"])
    folder = platform.workload(attempt)
    assert sorted(path.name for path in (folder / "tokens").iterdir()) == ["model", "run", "tools"]
    assert all(path.stat().st_mode & 0o777 == 0o400 for path in (folder / "tokens").iterdir())
    tokens = [path.read_text() for path in (folder / "tokens").iterdir()]
    spec = json.loads((folder / "spec.json").read_text())
    ours = {name for name in spec["env"] if name.startswith("STAGEWRIGHT_")}
    assert ours == {f"STAGEWRIGHT_{name}" for name in ("CONTROLPLANE_URL", "ATTEMPT_ID", "GENERATION", "TOKEN_DIR")}
    assignment = bytes(platform.value("select assignment from attempts where id = %(id)s", id=attempt["id"]))
    for secret in (platform.bot.token, *tokens):
        assert secret.encode() not in assignment
        assert secret not in json.dumps(spec)
    assert repository.wait_for_run(issue)["status"] == "succeeded", platform.describe()
    log = platform.log_of(attempt["id"])
    assert platform.bot.token.encode() not in log
    assert b"STAGEWRIGHT_TOKEN" not in log
    wait_until(lambda: not folder.exists(), "the workload and its tokens are removed", 20)

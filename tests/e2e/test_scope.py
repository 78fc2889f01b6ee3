"""What a stage of documents may hand over, and what never reaches the remote.

| requirement | test |
|---|---|
| AD3.5, RN14 | test_code_from_a_stage_of_documents_is_not_pushed |
| AD3.5, RN14 | test_code_hidden_in_an_intermediate_commit_never_reaches_the_remote |
| RN26 | test_a_live_secret_in_the_result_is_never_pushed_nor_stored_in_the_clear |
"""

import base64
from dataclasses import dataclass

import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository
from tests.fakes.devforge import git

pytestmark = pytest.mark.e2e
SECRET_CODE = "the_code_nobody_may_see = 4711\n"
HIDDEN = f"""
- run: >-
    printf '{SECRET_CODE.strip()}\\n' > hidden.py && git add hidden.py && git commit -q -m 'code' &&
    git rm -q hidden.py && git commit -q -m 'away with it'
- write: {{path: docs/prd.md, content: "# Requirements\\n"}}
"""
CODE = {
    "changed": (
        "prd",
        '- write: {path: app.py, content: "x = 2\n"}\n- write: {path: docs/prd.md, content: ok}\n',
        "app.py",
    ),
    "new": ("intake", '- write: {path: src/new.py, content: "x = 3\n"}\n', "src/new.py"),
    "renamed": ("vision", "- rename: {from: app.py, to: app.md}\n", "app.py"),
    "deleted": ("plan", "- delete: app.py\n", "app.py"),
    "renamed by git": ("doc-audit", "- run: git mv app.py docs.md && git commit -q -m renamed\n", "app.py"),
}


@dataclass(frozen=True)
class Documents:
    """A repository in which every stage of documents hands over code, each in its own way."""

    repository: Repository
    before: dict[str, str]
    issues: dict[str, int]


@pytest.fixture(scope="module")
def documents(peaceful: Platform) -> Documents:
    """Start all of them at once."""
    scenarios = {stage: scenario for stage, scenario, _ in CODE.values()}
    repository = peaceful.repository(rehearsals=scenarios, files={"app.py": "x = 1\n"})
    before = repository.heads()
    return Documents(repository, before, {how: repository.start(f"run:{stage}") for how, (stage, _, _) in CODE.items()})


@pytest.mark.parametrize("how", CODE)
def test_code_from_a_stage_of_documents_is_not_pushed(documents: Documents, how: str) -> None:
    repository, issue = documents.repository, documents.issues[how]
    run = repository.wait_for_run(issue)
    assert (run["status"], run["failure_class"], run["code"]) == ("failed", "policy", "scope_violation")
    repository.wait_for_quiet(issue=issue)
    assert repository.heads() == documents.before
    assert repository.pulls() == []
    [comment] = repository.status_comments(issue)
    assert CODE[how][2] in comment
    assert "scope_violation" in comment
    assert repository.labels(issue) == set()
    assert repository.effects(["git.push", "pull_request.open"]) == []


def test_code_hidden_in_an_intermediate_commit_never_reaches_the_remote(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"prd": HIDDEN})
    issue = repository.start("run:prd")
    run = repository.wait_for_run(issue)
    assert run["status"] == "succeeded", platform.describe()
    [pull] = repository.pulls()
    clone = repository.clone()
    assert git(clone, "diff", "--name-only", "main", pull["head"]["ref"]).stdout.split() == ["docs/prd.md"]
    sample = repository.folder / "hidden.py"
    sample.write_text(SECRET_CODE)
    blob = git(clone, "hash-object", str(sample)).stdout.strip()
    bare = platform.bare_repository(repository.full_name)
    for place in (clone, bare):
        assert git(place, "cat-file", "-e", blob, check=False).returncode != 0, f"{place} holds the hidden code"
        everything = git(place, "cat-file", "--batch-all-objects", "--batch-check", "--unordered").stdout
        assert blob not in everything
    assert "away with it" not in git(bare, "log", "--all", "--format=%B").stdout


def test_a_live_secret_in_the_result_is_never_pushed_nor_stored_in_the_clear(platform: Platform) -> None:
    encoded = base64.b64encode(platform.bot.token.encode()).decode()
    halves = encoded[:20], encoded[20:]  # the scenario must not hold it itself
    scenario = f"- run: mkdir docs && printf '%s%s' {halves[0]} {halves[1]} > docs/prd.md\n"
    repository = platform.repository(rehearsals={"prd": scenario})
    issue = repository.start("run:prd")
    run = repository.wait_for_run(issue)
    assert (run["status"], run["failure_class"], run["code"]) == ("failed", "policy", "secret_in_result")
    repository.wait_for_quiet()
    assert repository.pulls() == []
    assert list(repository.heads()) == ["main"]
    told = "".join(repository.comments(issue))
    assert encoded not in told
    assert "docs/prd.md" in told

"""Git over HTTP with the real git: cloning, pushing, credentials, and what a push does to pull requests and issues."""

from pathlib import Path

import httpx
import pytest
from tests.fakes.devforge import RunningForge, git, with_token
from tests.integration.devforge.conftest import Connect

from stagewright.processes.devforge.seed import Planted


@pytest.fixture
def planted(devforge: RunningForge) -> Planted:
    return devforge.plant()


@pytest.fixture
def api(planted: Planted, connect: Connect) -> httpx.Client:
    return connect(f"{planted.api_url}/repos/{planted.full_name}", planted.bot_token)


@pytest.fixture
def work(planted: Planted, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", with_token(planted.clone_url, planted.bot_token), "work")
    return tmp_path / "work"


def commit(work: Path, name: str, text: str, *, branch: str | None = None, message: str = "Change") -> str:
    if branch is not None:
        git(work, "checkout", "--quiet", "-b", branch)
    (work / name).write_text(text)
    git(work, "add", "-A")
    git(work, "commit", "--quiet", "-m", message)
    return git(work, "rev-parse", "HEAD").stdout.strip()


def open_pull(api: httpx.Client, branch: str, body: str = "") -> int:
    made = api.post("/pulls", json={"title": branch, "head": branch, "base": "main", "body": body})
    assert made.status_code == 201, made.text
    number: int = made.json()["number"]
    return number


def test_a_seeded_repository_is_cloned_with_its_files(devforge: RunningForge, tmp_path: Path) -> None:
    planted = devforge.plant(policy="version: 1\n", files={"src/app.py": "print()\n"})
    git(tmp_path, "clone", "--quiet", planted.clone_url, "work")
    assert (tmp_path / "work/.stagewright/policy.yaml").read_text() == "version: 1\n"
    assert (tmp_path / "work/src/app.py").exists()
    assert (tmp_path / "work/README.md").exists()


def test_a_push_is_seen_by_the_api_at_once(work: Path, api: httpx.Client) -> None:
    sha = commit(work, "a.txt", "a\n", branch="topic")
    git(work, "push", "--quiet", "origin", "topic")
    assert api.get("/git/ref/heads/topic").json()["object"]["sha"] == sha
    number = open_pull(api, "topic")
    assert api.get(f"/pulls/{number}").json()["head"]["sha"] == sha


def test_a_push_to_a_pull_requests_branch_moves_its_head(work: Path, api: httpx.Client, planted: Planted) -> None:
    commit(work, "a.txt", "a\n", branch="topic")
    git(work, "push", "--quiet", "origin", "topic")
    number = open_pull(api, "topic")
    sha = commit(work, "a.txt", "b\n")
    git(work, "push", "--quiet", "origin", "topic")
    pull = api.get(f"/pulls/{number}").json()
    assert (pull["head"]["sha"], pull["commits"], pull["additions"]) == (sha, 2, 1)
    git(work, "fetch", "--quiet", "origin", f"refs/pull/{number}/head")
    assert git(work, "rev-parse", "FETCH_HEAD").stdout.strip() == sha


def test_deleting_the_branch_closes_the_pull_request(work: Path, api: httpx.Client) -> None:
    commit(work, "a.txt", "a\n", branch="topic")
    git(work, "push", "--quiet", "origin", "topic")
    number = open_pull(api, "topic")
    git(work, "push", "--quiet", "origin", "--delete", "topic")
    assert api.get(f"/pulls/{number}").json()["state"] == "closed"
    assert api.patch(f"/pulls/{number}", json={"state": "open"}).status_code == 422


def test_pushing_the_commits_to_the_base_merges_the_pull_request(
    work: Path, api: httpx.Client, planted: Planted
) -> None:
    commit(work, "a.txt", "a\n", branch="topic", message=f"Add a\n\nFixes #{planted.issue_number}")
    git(work, "push", "--quiet", "origin", "topic")
    number = open_pull(api, "topic")
    git(work, "push", "--quiet", "origin", "topic:main")
    pull = api.get(f"/pulls/{number}").json()
    assert (pull["merged"], pull["state"]) == (True, "closed")
    issue = api.get(f"/issues/{planted.issue_number}").json()
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")


def test_a_conflicting_pull_request_is_not_mergeable(work: Path, api: httpx.Client) -> None:
    commit(work, "README.md", "ours\n", branch="topic")
    git(work, "push", "--quiet", "origin", "topic")
    git(work, "checkout", "--quiet", "main")
    commit(work, "README.md", "theirs\n")
    git(work, "push", "--quiet", "origin", "main")
    number = open_pull(api, "topic")
    assert api.get(f"/pulls/{number}").json()["mergeable"] is False
    assert api.put(f"/pulls/{number}/merge", json={}).status_code == 405


def test_a_diverged_pull_request_is_merged_and_squashed(work: Path, api: httpx.Client) -> None:
    for branch in ("one", "two"):
        git(work, "checkout", "--quiet", "main")
        commit(work, f"{branch}.txt", "x\n", branch=branch)
    git(work, "push", "--quiet", "origin", "one", "two")
    first, second = open_pull(api, "one"), open_pull(api, "two")
    assert api.put(f"/pulls/{first}/merge", json={"merge_method": "squash"}).status_code == 200
    assert api.put(f"/pulls/{second}/merge", json={"merge_method": "merge"}).status_code == 200
    git(work, "pull", "--quiet", "origin", "main")
    assert {"one.txt", "two.txt"} <= {path.name for path in work.iterdir()}
    parents = [len(one["parents"]) for one in api.get("/commits").json()]
    assert (parents[0], sorted(parents)) == (2, [0, 1, 1, 2])
    assert api.put(f"/pulls/{second}/merge", json={"merge_method": "rebase"}).status_code == 405


def test_a_large_push_comes_through_in_chunks(work: Path, api: httpx.Client) -> None:
    lines = "".join(f"{number} {number * 7919 % 104729}\n" for number in range(60_000))
    sha = commit(work, "large.txt", lines, branch="large")
    git(work, "push", "--quiet", "origin", "large", config=["http.postBuffer=65536"])
    assert api.get("/git/ref/heads/large").json()["object"]["sha"] == sha


def test_a_shallow_fetch_by_commit_works(work: Path, planted: Planted, tmp_path: Path) -> None:
    sha = commit(work, "a.txt", "a\n", branch="topic")
    git(work, "push", "--quiet", "origin", "topic")
    (tmp_path / "bare").mkdir()
    git(tmp_path / "bare", "init", "--quiet", "--bare")
    git(tmp_path / "bare", "fetch", "--quiet", "--depth=1", planted.clone_url, sha)
    assert git(tmp_path / "bare", "rev-parse", "FETCH_HEAD").stdout.strip() == sha


def test_a_force_push_needs_force_and_a_lease_is_kept(work: Path, api: httpx.Client) -> None:
    first = commit(work, "a.txt", "a\n", branch="topic")
    git(work, "push", "--quiet", "origin", "topic")
    git(work, "commit", "--quiet", "--amend", "-m", "Other")
    assert "rejected" in git(work, "push", "origin", "topic", check=False).stderr
    stale = git(work, "push", f"--force-with-lease=topic:{'1' * 40}", "origin", "topic", check=False)
    assert stale.returncode != 0
    git(work, "push", "--quiet", f"--force-with-lease=topic:{first}", "origin", "topic")


@pytest.mark.parametrize(
    ("token", "told"),
    [("ghp_unknown", "Authentication failed"), ("", "could not read Username")],
)
def test_a_push_without_a_good_token_is_refused(work: Path, planted: Planted, token: str, told: str) -> None:
    commit(work, "a.txt", "a\n", branch="topic")
    url = with_token(planted.clone_url, token) if token else planted.clone_url
    refused = git(work, "push", url, "topic", check=False)
    assert refused.returncode != 0
    assert told in refused.stderr


def test_a_token_for_reading_does_not_push(devforge: RunningForge, work: Path, planted: Planted) -> None:
    commit(work, "a.txt", "a\n", branch="topic")
    wish = {"repositories": [planted.full_name], "permissions": {"contents": "read"}}
    token = devforge.control.token(planted.bot, **wish)
    git(work, "ls-remote", with_token(planted.clone_url, token))
    refused = git(work, "push", with_token(planted.clone_url, token), "topic", check=False)
    assert "403" in refused.stderr


def test_a_reader_does_not_push(devforge: RunningForge, work: Path, planted: Planted) -> None:
    commit(work, "a.txt", "a\n", branch="topic")
    devforge.control.ask("POST", "/users", {"login": f"reader-{planted.issue_number}-{planted.owner}"})
    token = devforge.control.token(f"reader-{planted.issue_number}-{planted.owner}")
    refused = git(work, "push", with_token(planted.clone_url, token), "topic", check=False)
    assert "403" in refused.stderr


def test_a_private_repository_is_closed_to_strangers(devforge: RunningForge, tmp_path: Path) -> None:
    planted = devforge.plant(private=True)
    assert git(tmp_path, "ls-remote", planted.clone_url, check=False).returncode != 0
    devforge.control.ask("POST", "/users", {"login": f"stranger-of-{planted.owner}"})
    stranger = devforge.control.token(f"stranger-of-{planted.owner}")
    refused = git(tmp_path, "ls-remote", with_token(planted.clone_url, stranger), check=False)
    assert "not found" in refused.stderr
    assert "refs/heads/main" in git(tmp_path, "ls-remote", with_token(planted.clone_url, planted.bot_token)).stdout


def test_nobody_pushes_to_the_refs_of_pull_requests(work: Path, api: httpx.Client) -> None:
    commit(work, "a.txt", "a\n", branch="topic")
    git(work, "push", "--quiet", "origin", "topic")
    number = open_pull(api, "topic")
    commit(work, "a.txt", "b\n")
    refused = git(work, "push", "origin", f"topic:refs/pull/{number}/head", check=False)
    assert refused.returncode != 0
    assert "hidden" in refused.stderr


def test_every_kind_of_change_is_told_with_its_file(work: Path, api: httpx.Client) -> None:
    for name, text in (("moved.txt", "a\nb\nc\nd\n"), ("gone.txt", "x\n"), ("typed.txt", "y\n"), ("picture", "p\0\1")):
        (work / name).write_text(text)
    commit(work, "odd näme \t.txt", "z\n", message="Before")
    git(work, "push", "--quiet", "origin", "main")
    git(work, "checkout", "--quiet", "-b", "topic")
    git(work, "mv", "moved.txt", "dir-moved.txt")
    git(work, "rm", "--quiet", "gone.txt")
    (work / "typed.txt").unlink()
    (work / "typed.txt").symlink_to("README.md")
    (work / "picture").write_text("p\0\2")
    commit(work, "odd näme \t.txt", "zz\n", message="After")
    git(work, "push", "--quiet", "origin", "topic")
    number = open_pull(api, "topic")
    files = {row["filename"]: row for row in api.get(f"/pulls/{number}/files").json()}
    assert {name: row["status"] for name, row in files.items()} == {
        "dir-moved.txt": "renamed",
        "gone.txt": "removed",
        "typed.txt": "changed",
        "picture": "modified",
        "odd näme \t.txt": "modified",
    }
    assert files["dir-moved.txt"]["previous_filename"] == "moved.txt"
    assert files["odd näme \t.txt"]["patch"] == "@@ -1 +1 @@\n-z\n+zz"
    assert "patch" not in files["picture"]
    assert api.get("/contents/typed.txt", params={"ref": "topic"}).json()["target"] == "README.md"
    patch = api.get(f"/pulls/{number}", headers={"Accept": "application/vnd.github.patch"})
    assert patch.text.startswith("From ")
    assert "Subject: [PATCH] After" in patch.text


def test_odd_messages_and_branch_names_break_nothing(work: Path, api: httpx.Client) -> None:
    odd = "first \x01\n\x01\nsecond \x02 \u2028 third"
    commit(work, "a.txt", "a\n", branch="tópic\u2028x", message=odd)
    git(work, "commit", "--quiet", "--allow-empty", "--allow-empty-message", "-m", "")
    git(work, "push", "--quiet", "origin", "HEAD")
    assert [row["name"] for row in api.get("/branches").json()] == ["main", "tópic\u2028x"]
    found = api.get("/commits", params={"sha": "tópic\u2028x"}).json()
    assert [row["commit"]["message"] for row in found] == ["", odd, "Initial commit"]
    assert api.get("/branches/t%C3%B3pic%E2%80%A8x").status_code == 200

"""The forge as a process: flags, announcement, seed, a clean end."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.fakes.devforge import forge_as_process, git

from stagewright.processes.devforge.seed import plant_practice

COMMAND = [sys.executable, "-m", "stagewright.processes.devforge"]


def test_a_process_announces_itself_serves_and_ends_cleanly(tmp_path: Path) -> None:
    with forge_as_process(tmp_path) as (forge, process):
        announced = json.loads((tmp_path / "announced.json").read_text())
        assert announced == {"url": forge.url, "api_url": f"{forge.url}/api", "pid": process.pid}
        planted = plant_practice(forge.url)
        assert httpx.get(planted.issue_url, trust_env=False).status_code == 200
        git(tmp_path, "clone", "--quiet", planted.clone_url, "work")
        process.terminate()
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_a_seed_file_is_planted_before_the_forge_is_announced(tmp_path: Path) -> None:
    seed = {
        "users": [{"login": "owner", "token": "ghp_owner"}, {"login": "helper[bot]", "type": "Bot"}],
        "tokens": [{"user": "helper[bot]", "permissions": {"issues": "read"}, "repositories": []}],
        "repositories": [
            {
                "owner": "owner",
                "name": "shop",
                "files": {"README.md": "# Shop\n"},
                "collaborators": {"helper[bot]": "write"},
                "labels": [{"name": "run:dev", "color": "1f6feb"}],
                "hooks": [{"url": "http://127.0.0.1:9/hook", "secret": "s", "events": ["issues"]}],
                "issues": [{"title": "First", "labels": ["run:dev"], "user": "helper[bot]"}],
            }
        ],
    }
    (tmp_path / "seed.json").write_text(json.dumps(seed))
    with forge_as_process(tmp_path / "data", "--seed", str(tmp_path / "seed.json")) as (forge, _):
        headers = {"Authorization": "Bearer ghp_owner"}
        issue = httpx.get(f"{forge.api_url}/repos/owner/shop/issues/1", headers=headers, trust_env=False).json()
        hooks = httpx.get(f"{forge.api_url}/repos/owner/shop/hooks", headers=headers, trust_env=False).json()
    assert (issue["labels"][0]["name"], issue["user"]["login"]) == ("run:dev", "helper[bot]")
    assert hooks[0]["config"]["secret"] == "********"


@pytest.mark.parametrize(
    ("seed", "told"),
    [
        ("{", "--seed: cannot read"),
        ('{"people": []}', "seed.people: is no field here"),
        ('{"users": [{"name": "x"}]}', "seed.users[0].login: is missing"),
        ('{"users": [{"login": "a b"}]}', "login: 'a b' is no login"),
        ('{"repositories": [{"owner": "nobody", "name": "x"}]}', "owner: there is no user 'nobody'"),
    ],
)
def test_a_wrong_seed_is_refused_by_name(tmp_path: Path, seed: str, told: str) -> None:
    (tmp_path / "seed.json").write_text(seed)
    done = run("--data", str(tmp_path / "data"), "--seed", str(tmp_path / "seed.json"))
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "192.0.2.1:80", "nowhere", "127.0.0.1:http", "[::]:0"])
def test_only_loopback_addresses_are_taken(tmp_path: Path, listen: str) -> None:
    done = run("--data", str(tmp_path), "--listen", listen)
    assert done.returncode == 2
    assert "--listen" in done.stderr


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("--data", str(tmp_path), "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 2
    assert "cannot use" in done.stderr


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *flags], capture_output=True, text=True, timeout=60, check=False)

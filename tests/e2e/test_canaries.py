"""Planted secrets turn up nowhere: not in a log, a row, a comment, a prompt, a file, an environment or a command line.

| requirement | test |
|---|---|
| AD5 | test_planted_secrets_turn_up_nowhere |
| A8.1 | test_planted_secrets_turn_up_nowhere (the attempts' tokens stand in their own files only) |
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.e2e import stand_in_codex
from tests.e2e.canaries import Canaries, Watch, look_in_database, look_in_files
from tests.e2e.platform import Platform, running_platform
from tests.e2e.repository import Repository
from tests.fakes.devforge import git
from tests.fakes.model_stub import ModelStub
from tests.fakes.responses_stub import ResponsesStub

from stagewright.kit.crypto import Keyring

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
ROOT_KEYS = Keyring.generate("canary")
FORGE_TOKEN = f"canary-forge-{uuid4().hex}"
MODEL_KEY = f"canary-model-{uuid4().hex}"
REHEARSED = "stages: {dev: {model: rehearsal}}"
ASKING = "stages: {dev: {model: rehearsal}, arch: {model: gpt-5.4}}"  # this one's calls carry the model key
CODE = "- write: {path: src/forbidden.py, content: 'x = 1'}\n"
POISON = """
- run: >-
    env; for process in /proc/[0-9]*; do tr '\\0' '\\n' < $process/environ; tr '\\0' ' ' < $process/cmdline; done;
    cat ../../../root.keys ../../../*.log; cat ../../../workloads/*/spec.json;
    for token in ../../../workloads/*/tokens/*; do cat $token; echo; done;
    base64 < ../../../root.keys; od -An -tx1 ../../../root.keys | tr -d ' \\n'; exit 0
- sleep: 1s
- write: {path: looked.md, content: done}
"""


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[Platform]:
    """Return a platform whose secrets are known to the test."""
    programs = stand_in_codex.install(tmp_path / "programs")
    with running_platform(bot_token=FORGE_TOKEN, root_keys=ROOT_KEYS, programs=programs) as platform:
        yield platform


@pytest.fixture
def provider() -> Iterator[ModelStub]:
    """Return a model provider that insists on the platform's key."""
    with ResponsesStub({}, key=MODEL_KEY) as stub:
        yield stub


def test_planted_secrets_turn_up_nowhere(planted: Platform, provider: ModelStub) -> None:
    encoded = ROOT_KEYS.partition(":")[2]
    canaries = Canaries(forge=FORGE_TOKEN, model=MODEL_KEY, root=base64.b64decode(encoded), owner=planted.token)
    key = {"kind": "api_key", "secret": MODEL_KEY, "base_url": provider.url}
    assert planted.ask("PUT", "/platform/credentials/model:codex", key).status_code == 200
    rehearsals = {"prd": CODE, "intake": POISON, "dev": POISON}
    repository = planted.repository(
        policy=planted.policy().replace(REHEARSED, ASKING), rehearsals=rehearsals, by_rest=True
    )
    canaries.add("webhook", repository.bound.webhook_secret)
    with Watch(planted, canaries) as watch:
        issues = [repository.start(label) for label in ("run:prd", "run:intake", "run:arch", "run:dev")]
        runs = [repository.wait_for_run(issue) for issue in issues]
        repository.wait_for_quiet(within=60)
    assert [run["status"] for run in runs] == ["failed", "succeeded", "succeeded", "succeeded"], planted.describe()
    assert [seen.headers["authorization"] for seen in provider.posts()] == [f"Bearer {MODEL_KEY}"]
    assert watch.looks > 20
    assert watch.tokens == 3 * len(issues)
    assert_the_agent_looked(planted, repository, issues[1])
    look_at_the_forge(planted, repository, canaries)
    look_at_answers(planted, repository, canaries, [str(run["id"]) for run in runs])
    assert look_in_database(planted, canaries) > 200
    look_at_files(planted, canaries)
    assert dict(canaries.found) == {}
    canaries.look_in_file(planted.data / "root.keys")
    assert set(canaries.found) == {"root"}, "the search does not find what is there"


def assert_the_agent_looked(platform: Platform, repository: Repository, issue: int) -> None:
    """The poisoned agent did see environments, and what it saw of secrets was made unreadable."""
    [attempt] = repository.attempts(repository.run(issue)["id"])
    log = platform.log_of(attempt["id"])
    assert b"STAGEWRIGHT_GENERATION=1" in log
    assert b"stagewright.processes.worker" in log
    assert log.count("«redacted»".encode()) >= 4, "the agent saw no secret, so it proves nothing"


def look_at_the_forge(platform: Platform, repository: Repository, canaries: Canaries) -> None:
    """Look into everything the platform sent to the forge, and into every commit of the repository."""
    canaries.look("requests to the forge", json.dumps(platform.forge.control.requests()).encode())
    threads = repository.ask("GET", "/issues?state=all&per_page=100")
    for thread in threads:
        canaries.look(
            f"thread {thread['number']}", json.dumps([thread, repository.comments(thread["number"])]).encode()
        )
    canaries.look("pull requests", json.dumps(repository.pulls()).encode())
    bare = platform.bare_repository(repository.full_name)
    everything = git(bare, "log", "--all", "-p", "--format=raw", "--text").stdout
    assert "looked.md" in everything
    canaries.look("commits of the repository", everything.encode())


def look_at_answers(platform: Platform, repository: Repository, canaries: Canaries, runs: list[str]) -> None:
    """Look into what the gateway answers about the runs, the project and the platform."""
    project = f"/projects/{repository.bound.project_id}"
    paths = ["/me", "/me/tokens", "/projects", f"{project}/repositories", f"{project}/credentials", "/audit?limit=200"]
    paths += ["/incidents", "/platform/credentials", "/platform/credentials/model:codex", "/system", "/meta", "/runs"]
    for run in runs:
        paths += [f"/runs/{run}{part}" for part in ("", "/attempts", "/events", "/prompt", "/result", "/logs")]
        paths += [f"/runs/{run}/logs/{stream}" for stream in ("engine", "runner", "platform")]
    for path in paths:
        answer = platform.ask("GET", path)
        assert answer.status_code in (200, 404), f"{path}: {answer.status_code} {answer.text}"
        canaries.look(f"GET {path}", answer.content + repr(answer.headers).encode())


def look_at_files(platform: Platform, canaries: Canaries) -> None:
    """Look into every file the platform keeps, but the key file itself."""
    for path in platform.data.iterdir():
        if path.is_file() and path.name != "root.keys":
            canaries.look_in_file(path)
    for folder in ("git", "workloads", "runs", "postgres", "logs"):
        look_in_files(platform.data / folder, canaries)

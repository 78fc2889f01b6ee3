"""Acts that stop or lose something: previewed, agreed, done once, looked at again when the object moved."""

import io
from pathlib import Path
from typing import Any

import pytest
from tests.integration.cli.fake_server import Asked, FakeServer, Reply

from stagewright.processes.cli import cache, contexts
from stagewright.processes.cli.confirm import TURNS
from stagewright.processes.cli.main import main

pytestmark = pytest.mark.usefixtures("config")
RUN = {"id": "01920000-0000-7000-8000-000000000001", "number": "run-0001", "status": "cancelling", "version": 4}
CANCEL = f"/api/v1/runs/{RUN['id']}:cancel"
PROJECT = {"id": "01920000-0000-7000-8000-0000000000aa", "key": "shop", "name": "Shop"}
REPOSITORY = {
    "id": "01920000-0000-7000-8000-0000000000bb",
    "project_id": PROJECT["id"],
    "full_name": "acme/shop",
    "version": 3,
}
PLACE = f"/api/v1/projects/{PROJECT['id']}/repositories/{REPOSITORY['id']}"
PREVIEW = {
    "stops": [{"code": "repository.ends", "params": {"repository": "acme/shop"}}],
    "lost": [{"code": "repository.credential_lost", "params": {"purpose": "bot"}}],
    "survives": [{"code": "repository.runs_stay", "params": {"count": 3}}],
    "confirm_token": "ct",
}


class Moving:
    """A run that moves ``times`` after somebody looked at what cancelling it does."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.previews = 0

    def answer(self, asked: Asked) -> Reply:
        if "preview=1" in asked.path:
            self.previews += 1
            return Reply(
                body=PREVIEW
                | {"stops": [{"code": f"turn {self.previews}", "params": {}}], "confirm_token": f"ct{self.previews}"}
            )
        self.left -= 1
        if self.left >= 0:
            return Reply(409, {"code": "confirm.outdated", "detail": "this changed since the preview"})
        return Reply(202, RUN | {"token": asked.body["confirm_token"]})


def test_a_run_that_moves_is_looked_at_again(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    run = Moving(2)
    server.on[("POST", CANCEL)] = run.answer

    assert main(["run", "cancel", str(RUN["id"]), "--yes"]) == 0
    assert server.asked[-1].body == {"confirm_token": "ct3"}
    told = capsys.readouterr().err
    assert [f"turn {turn}" in told for turn in (1, 2, 3)] == [True] * 3
    assert told.count("this changed since the preview") == 2


def test_a_run_that_never_rests_is_left_to_the_person(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    run = Moving(1000)
    server.on[("POST", CANCEL)] = run.answer

    assert main(["run", "cancel", str(RUN["id"]), "--yes"]) == 7
    assert run.previews == TURNS
    assert "confirm.outdated" in capsys.readouterr().err


def test_another_refusal_is_not_tried_again(server: FakeServer) -> None:
    run = Moving(0)
    server.on[("POST", CANCEL)] = lambda asked: (
        run.answer(asked) if "preview" in asked.path else Reply(409, {"code": "run_publishing", "detail": "too late"})
    )

    assert main(["run", "cancel", str(RUN["id"]), "--yes"]) == 7
    assert run.previews == 1


def unbinding(server: FakeServer, **changes: Any) -> None:
    """Let the server have one repository that may be unbound."""
    page = {"items": [REPOSITORY], "next_cursor": None}
    server.on[("GET", "/api/v1/projects")] = lambda _: Reply(body={"items": [PROJECT], "next_cursor": None})
    server.on[("GET", f"/api/v1/projects/{PROJECT['id']}/repositories")] = lambda _: Reply(body=page)
    server.on[("GET", PLACE)] = lambda _: Reply(body=REPOSITORY)
    gone = REPOSITORY | {"unbound_at": "2026-05-04T12:00:00Z"}
    server.on[("DELETE", PLACE)] = lambda asked: Reply(body=PREVIEW if "preview=1" in asked.path else gone)


def test_a_repository_is_unbound_by_its_exact_name(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    unbinding(server)
    command = ["repo", "remove", "ACME/shop", "-p", "shop"]

    assert main([*command, "--dry-run"]) == 0
    assert main(command) == 2
    assert "--confirm acme/shop" in capsys.readouterr().err
    assert main([*command, "--confirm", "ACME/shop"]) == 2
    assert [asked for asked in server.asked if asked.method == "DELETE" and "preview" not in asked.path] == []

    assert main([*command, "--confirm", "acme/shop", "--reason", "moved"]) == 0
    last = server.asked[-1]
    assert last.body == {"confirm_token": "ct", "confirm_name": "acme/shop", "reason": "moved"}
    assert last.headers["if-match"] == '"3"'
    captured = capsys.readouterr()
    assert "is lost: the stored credential for bot" in captured.err
    assert captured.out.startswith("Unbound: acme/shop\n")


def test_what_a_person_reads_may_be_russian(
    server: FakeServer, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unbinding(server)
    command = ["repo", "remove", "acme/shop", "-p", "shop", "--dry-run"]
    wanted = ["отвязка acme/shop:", "  остановится: метки, комментарии и push в acme/shop больше ничего не запускают"]

    for locale in ("ru_RU.UTF-8", "de_DE.UTF-8"):
        monkeypatch.setenv("LC_ALL", locale)
        assert main(command) == 0
        assert (capsys.readouterr().err.splitlines()[:2] == wanted) == (locale[:2] == "ru")
    (config / "config.toml").write_text('locale = "ru"\n')
    assert main(command) == 0
    assert capsys.readouterr().err.splitlines()[:2] == wanted
    assert main(["--locale", "en", *command]) == 0
    assert capsys.readouterr().err.startswith("unbinding acme/shop:\n")
    monkeypatch.setenv("STAGEWRIGHT_CLI_LOCALE", "de")
    assert main(command) == 2
    assert "STAGEWRIGHT_CLI_LOCALE: 'de' is no language of ours; use one of en, ru" in capsys.readouterr().err


def test_a_diff_is_printed_and_its_cut_is_told(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    diff = "--- a/x\n+++ b/x\n-a\x1b[2J\n+b\n"
    server.on[("GET", f"/api/v1/runs/{RUN['id']}/result/diff")] = lambda _: Reply(
        body={"diff": diff, "truncated": True, "bytes": 1048576}
    )

    assert main(["run", "result", str(RUN["id"]), "--diff"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "--- a/x\n+++ b/x\n-a\n+b\n"
    assert "its first 1048576 bytes" in captured.err


class Day:
    """A server of another version, seen by a client that did not look today."""

    def __init__(self, server: FakeServer, config: Path, **meta: Any) -> None:
        self.server = server
        self.looked = next((config / "cache").glob("looked-*"))
        self.looked.unlink()
        server.on[("GET", "/api/v1/meta")] = lambda _: Reply(body={"version": "0.2.0", "api_version": "1.7"} | meta)
        server.on[("GET", "/api/v1/projects")] = lambda _: Reply(body={"items": [], "next_cursor": None})

    def looks(self) -> int:
        return sum(1 for asked in self.server.asked if asked.path == "/api/v1/meta")


def test_another_minor_version_is_told_once_a_day(
    server: FakeServer, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = Day(server, config)

    assert [main(["project", "list"]) for _ in range(3)] == [0, 0, 0]
    assert capsys.readouterr().err.count("warning: this client is ") == 1
    assert day.looks() == 1
    day.looked.unlink()  # the next day
    assert main(["project", "list"]) == 0
    assert capsys.readouterr().err.count("warning: this client is ") == 1


def test_another_major_version_stops_every_command(
    server: FakeServer, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Day(server, config, version="2.0.1", api_version="2.0")

    assert [main(["project", "list"]) for _ in range(2)] == [1, 1]
    assert capsys.readouterr().err.count("pip install 'stagewright==2.0.1'") == 2


def test_a_look_that_fails_is_no_failure_and_no_look(
    server: FakeServer, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = Day(server, config)
    server.on[("GET", "/api/v1/meta")] = lambda _: Reply(500, {})

    assert main(["project", "list"]) == 0
    assert "warning" not in capsys.readouterr().err
    assert not day.looked.exists()
    server.on[("GET", "/api/v1/meta")] = lambda _: Reply(404, {})
    assert main(["project", "list"]) == 0
    assert cache.look_due({"STAGEWRIGHT_CLI_CONFIG_DIR": str(config)}, server.url) is False


def test_who_the_owner_is_is_told_also_for_a_repository_that_is_bound_already(
    server: FakeServer, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unbinding(server)
    place = f"/api/v1/projects/{PROJECT['id']}/repositories"
    taken = {"code": "repository.already_bound", "detail": "acme/shop is bound already"}
    server.on[("POST", place)] = lambda _: Reply(409, taken)
    command = ["repo", "add", "acme/shop", "-p", "shop", "--token-stdin"]

    monkeypatch.setattr("sys.stdin", io.StringIO("a-token\n"))
    assert main(command) == 7
    contexts.keep(config, "fake", {"github_login": "ann"})
    monkeypatch.setattr("sys.stdin", io.StringIO("a-token\n"))
    assert main(command) == 0
    assert next(asked for asked in reversed(server.asked) if asked.method == "POST").body["owner_login"] == "ann"
    assert "labels that ann sets there count as yours now" in capsys.readouterr().err

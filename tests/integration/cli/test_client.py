"""The client over real HTTP: what a refusal becomes, what is tried again, and what never leaves or is shown."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.integration.cli.fake_server import Asked, FakeServer, Reply

from stagewright.processes.cli.main import main

pytestmark = pytest.mark.usefixtures("config")
ME = {"id": "u1", "email": "ann@example.org", "role": "owner", "scopes": ["read"], "token": None, "fresh": True}
PROJECT = {"id": "01920000-0000-7000-8000-00000000000a", "key": "shop", "name": "Shop", "locale": "en", "version": 3}
RUN = {
    "id": "01920000-0000-7000-8000-000000000001",
    "number": "run-0001",
    "status": "running",
    "version": 4,
    "stage": "dev",
    "repository": "acme/shop",
    "issue_number": 7,
}


def a_page(*items: dict[str, Any], cursor: str | None = None) -> Reply:
    return Reply(body={"items": list(items), "next_cursor": cursor, "as_of": "2026-05-04T12:00:00Z"})


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (401, 4), (403, 9), (404, 6), (409, 7), (412, 7), (413, 2), (422, 7), (428, 7), (500, 1), (504, 10)],
)
def test_a_refusal_is_an_exit_code_and_a_line(
    server: FakeServer, capsys: pytest.CaptureFixture[str], status: int, code: int
) -> None:
    server.answers = [Reply(status, {"detail": "it does not work", "code": "some.reason", "request_id": "r-9"})]

    assert main(["auth", "status"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: it does not work (some.reason)\n")
    assert "request: r-9" in captured.err


def test_a_limit_is_waited_for_when_it_is_short_and_told_when_it_is_long(server: FakeServer) -> None:
    server.answers = [Reply(429, {}, {"Retry-After": "0"}), Reply(body=ME)]
    assert main(["auth", "status"]) == 0
    assert len(server.asked) == 2

    server.asked.clear()
    server.answers = [Reply(429, {"detail": "too many"}, {"Retry-After": "60"})]
    assert main(["auth", "status"]) == 10
    assert len(server.asked) == 1


def test_a_broken_connection_is_tried_again_with_the_same_key(server: FakeServer) -> None:
    server.on[("GET", "/api/v1/projects")] = lambda _: a_page(PROJECT)
    server.answers = [Reply(break_off=True), Reply(break_off=True), Reply(201, PROJECT)]

    assert main(["project", "create", "shop"]) == 0
    keys = [asked.headers["idempotency-key"] for asked in server.asked if asked.method == "POST"]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_a_change_that_cannot_be_repeated_is_sent_once(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.on[("GET", "/api/v1/projects")] = lambda _: a_page(PROJECT)
    server.answers = [Reply(break_off=True)]

    assert main(["project", "edit", "shop", "--weight", "2"]) == 10
    [sent] = [asked for asked in server.asked if asked.method == "PATCH"]
    assert sent.headers["if-match"] == '"3"'
    assert sent.body == {"weight": 2}
    assert "does not answer" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_exit_10_with_a_hint(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STAGEWRIGHT_CLI_TOKEN", "t")

    assert main(["--host", "http://127.0.0.1:1", "auth", "status"]) == 10
    assert "hint: is `stagewright up` running" in capsys.readouterr().err


def test_no_redirect_is_followed_and_no_token_sent_there(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers = [Reply(302, b"", {"Location": "http://elsewhere.example/"})]

    assert main(["auth", "status"]) == 1
    assert len(server.asked) == 1
    assert "sends us to http://elsewhere.example/" in capsys.readouterr().err


def test_what_is_no_stagewright_is_said(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers = [Reply(200, b"<html>", {"Content-Type": "text/html"})]

    assert main(["auth", "status"]) == 1
    assert "is this address a Stagewright server?" in capsys.readouterr().err


def test_debug_shows_the_exchange_and_no_secret(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    bound = {"full_name": "acme/shop", "id": "r", "webhook_url": "http://x/h", "webhook_secret": "whsec", "labels": 1}
    server.on[("GET", "/api/v1/projects")] = lambda _: a_page(PROJECT)
    server.answers = [Reply(201, bound)]

    assert main(["--debug", "api", "POST", "/api/v1/projects/x/repositories", "-f", "token=hush"]) == 0
    captured = capsys.readouterr()
    assert "> POST" in captured.err
    assert "< 201" in captured.err
    for secret in ("sw_secret-token", "whsec", "hush"):
        assert secret not in captured.err


def test_a_bug_is_one_line_and_a_trace_in_a_file(
    server: FakeServer, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers = [Reply(body={"unexpected": True})]

    assert main(["auth", "status"]) == 1
    [trace] = config.glob("trace-*.txt")
    assert f"trace: {trace}" in capsys.readouterr().err
    assert "Traceback" in trace.read_text()
    assert trace.stat().st_mode & 0o777 == 0o600


def test_a_list_goes_over_pages_and_stops_at_the_limit(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    pages = {None: "c1", "c1": "c2", "c2": None}

    def answer(asked: Asked) -> Reply:
        cursor = asked.path.partition("cursor=")[2] or None
        return a_page(*(dict(RUN, id=f"{cursor}-{number}") for number in range(2)), cursor=pages[cursor])

    server.on[("GET", "/api/v1/runs")] = answer
    assert main(["run", "list", "-o", "name", "--limit", "3"]) == 0

    captured = capsys.readouterr()
    assert captured.out.split() == ["None-0", "None-1", "c1-0", "c1-1"][: len(captured.out.split())]
    assert "more: --cursor c2" in captured.err


def test_a_run_is_named_by_number_prefix_issue_and_latest(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = {"id": "01920000-0000-7000-8000-00000000000b", "full_name": "acme/shop"}
    server.on[("GET", "/api/v1/me")] = lambda _: Reply(body=ME | {"github_login": "ann"})
    server.on[("GET", "/api/v1/runs")] = lambda _: a_page(RUN)
    server.on[("GET", f"/api/v1/runs/{RUN['id']}")] = lambda _: Reply(body=RUN)
    server.on[("GET", "/api/v1/projects")] = lambda _: a_page(PROJECT)
    server.on[("GET", f"/api/v1/projects/{PROJECT['id']}/repositories")] = lambda _: a_page(repository)
    addresses = ("https://github.com/acme/shop/issues/7", f"http://console/runs/{RUN['id']}")

    for name in (RUN["id"], "run-1", "run-0001", "019200", "@latest", "acme/shop#7", *addresses):
        assert main(["run", "view", str(name), "-o", "name"]) == 0, name
    assert capsys.readouterr().out.split() == [RUN["id"]] * 8
    latest = next(asked.path for asked in server.asked if "actor" in asked.path)
    assert "actor=u1&actor=ann" in latest


def test_an_ambiguous_prefix_is_a_usage_error_with_the_candidates(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.on[("GET", "/api/v1/runs")] = lambda _: a_page(RUN, dict(RUN, id="01920000-0000-7000-8000-000000000002"))

    assert main(["run", "view", "019200"]) == 2
    assert "01920000-0000-7000-8000-000000000002  dev · running · #7" in capsys.readouterr().err


def test_a_prefix_means_what_the_last_list_showed(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.on[("GET", "/api/v1/runs")] = lambda _: a_page(RUN)
    server.on[("GET", f"/api/v1/runs/{RUN['id']}")] = lambda _: Reply(body=RUN)
    assert main(["run", "list"]) == 0
    newer = dict(RUN, id="01920000-0000-7000-8000-000000000002")
    server.on[("GET", "/api/v1/runs")] = lambda _: a_page(newer, RUN)

    capsys.readouterr()
    assert main(["run", "view", "019200", "-o", "name"]) == 0
    assert capsys.readouterr().out.strip() == RUN["id"]


@pytest.mark.parametrize("name", ["12", "#7", "bogus!", "ftp://x/y"])
def test_what_names_no_run_is_a_usage_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["run", "view", name]) == 2
    assert capsys.readouterr().err.startswith("error: RUN: ")


def test_cancelling_shows_what_is_lost_and_sends_the_token_of_the_preview(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    preview = {
        "stops": [{"code": "run.wait_ends", "params": {}}],
        "lost": [{"code": "run.result_lost", "params": {}}],
        "survives": [{"code": "run.history_stays", "params": {}}],
        "confirm_token": "ct",
    }
    path = f"/api/v1/runs/{RUN['id']}:cancel"
    server.on[("POST", path)] = lambda asked: Reply(body=preview) if "preview=1" in asked.path else Reply(202, RUN)

    assert main(["run", "cancel", RUN["id"]]) == 2  # type: ignore[list-item]
    assert "--yes" in capsys.readouterr().err
    assert main(["run", "cancel", RUN["id"], "--dry-run"]) == 0  # type: ignore[list-item]
    assert "nothing was applied" in capsys.readouterr().err
    assert not [asked for asked in server.asked if "preview" not in asked.path]

    assert main(["run", "cancel", RUN["id"], "--reason", "wrong branch"]) == 0  # type: ignore[list-item]
    assert server.asked[-1].body == {"confirm_token": "ct", "reason": "wrong branch"}
    assert "is lost: the accepted result" in capsys.readouterr().err


def test_secrets_come_from_stdin_or_a_file_only(
    server: FakeServer, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.on[("GET", "/api/v1/projects")] = lambda _: a_page(PROJECT)
    stored = {"id": "c", "purpose": "model:codex", "kind": "api_key", "state": "stored"}
    server.answers = [Reply(body=stored)]
    key = tmp_path / "key"
    key.write_text("sk-key\n")

    assert main(["credential", "set", "model:codex", "-p", "shop"]) == 2
    assert main(["credential", "set", "model:codex", "-p", "shop", "--from-file", str(key)]) == 0
    assert server.asked[-1].body == {"kind": "api_key", "secret": "sk-key"}
    captured = capsys.readouterr()
    assert "sk-key" not in captured.out + captured.err


def test_an_alias_of_the_person_is_a_command(
    server: FakeServer, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config / "config.toml").write_text('[alias]\nbad = "run list --status failed -o name"\n')
    server.on[("GET", "/api/v1/runs")] = lambda _: a_page(RUN)

    assert main(["bad", "--stage", "dev"]) == 0
    assert server.asked[-1].path.startswith("/api/v1/runs?status=failed&stage=dev")


def test_a_newer_major_of_the_server_is_a_failure_that_names_what_to_install(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers = [Reply(body={"version": "1.4.0", "api_version": "2.0"})]
    assert main(["version"]) == 1
    assert "pip install 'stagewright==1.4.0'" in capsys.readouterr().err


def test_signing_in_keeps_the_token_after_the_server_has_taken_it(
    server: FakeServer, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Given:
        def readline(self) -> str:
            return "sw_new\n"

        def isatty(self) -> bool:
            return False

    server.answers = [Reply(401, {})]
    monkeypatch.setattr(sys, "stdin", Given())
    assert main(["login", "--host", server.url, "--with-token", "--name", "team"]) == 4
    assert "team" not in (config / "contexts.json").read_text()

    server.answers = [Reply(body=ME | {"token": {"id": "t", "name": "ci", "expires_at": "2027-01-01T00:00:00Z"}})]
    assert main(["login", "--host", server.url, "--with-token", "--name", "team"]) == 0
    kept = json.loads((config / "contexts.json").read_text())
    assert kept["current"] == "team"
    assert kept["contexts"]["team"]["token"] == "sw_new"
    assert "sw_new" not in "".join(capsys.readouterr())

    assert main(["logout"]) == 0
    assert [asked.path for asked in server.asked if asked.method == "DELETE"] == ["/api/v1/me/tokens/t"]
    assert "token" not in json.loads((config / "contexts.json").read_text())["contexts"]["team"]


def test_a_login_names_known_scopes_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["login", "--scopes", "read,everything"]) == 2
    assert "use read, operate, decide, manage, platform" in capsys.readouterr().err

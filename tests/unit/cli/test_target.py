"""Which server and whose token: flag, variable, context; and the token never goes where it does not belong."""

from pathlib import Path
from typing import Any

import pytest

from stagewright.processes.cli import contexts
from stagewright.processes.cli.call import Call
from stagewright.processes.cli.exits import Failure
from stagewright.processes.cli.target import checked_host


def a_call(folder: Path, *, project: str | None = None, **given: Any) -> Call:
    names = {name: given.pop(name) for name in [*given] if name.isupper()}
    environ = {f"STAGEWRIGHT_CLI_{name}": value for name, value in names.items()}
    call = Call(environ={**environ, "STAGEWRIGHT_CLI_CONFIG_DIR": str(folder)}, **given)
    call.project = project
    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    contexts.keep(tmp_path, "one", {"host": "http://127.0.0.1:1", "token": "t1", "project": "p1"})
    contexts.keep(tmp_path, "two", {"host": "https://two.example", "token": "t2", "project": "p2"})
    return tmp_path


def test_the_current_context_counts_when_nothing_else_is_said(folder: Path) -> None:
    target = a_call(folder).target

    assert (target.host, target.token, target.project, target.context) == ("http://127.0.0.1:1", "t1", "p1", "one")


def test_a_variable_beats_the_context_and_a_flag_beats_the_variable(folder: Path) -> None:
    assert a_call(folder, CONTEXT="two").target.token == "t2"
    assert a_call(folder, context="one", CONTEXT="two").target.token == "t1"
    assert a_call(folder, PROJECT="pv").target.project == "pv"
    assert a_call(folder, project="pf", PROJECT="pv").target.project == "pf"
    assert a_call(folder, TOKEN="tv").target.token == "tv"


def test_the_contexts_token_goes_to_the_contexts_host_only(folder: Path) -> None:
    assert a_call(folder, host="https://evil.example").target.token is None
    assert a_call(folder, HOST="https://evil.example").target.token is None
    assert a_call(folder, host="http://127.0.0.1:1").target.token == "t1"
    assert a_call(folder, host="https://evil.example", TOKEN="mine").target.token == "mine"


def test_without_any_server_the_person_is_told_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no server is known") as caught:
        _ = a_call(tmp_path).target
    assert caught.value.code == 4
    assert "stagewright up" in caught.value.hint


def test_an_unknown_context_is_not_found(folder: Path) -> None:
    with pytest.raises(Failure) as caught:
        _ = a_call(folder, context="three").target
    assert caught.value.code == 6


@pytest.mark.parametrize("host", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:80", "https://sw.example"])
def test_loopback_and_https_are_taken(host: str) -> None:
    assert checked_host(host, insecure=False) == host


def test_a_bare_name_means_https() -> None:
    assert checked_host("sw.example:8443", insecure=False) == "https://sw.example:8443"


def test_plain_http_beyond_this_machine_needs_a_word(folder: Path) -> None:
    with pytest.raises(Failure, match="plain HTTP"):
        checked_host("http://sw.example", insecure=False)
    assert checked_host("http://sw.example", insecure=True) == "http://sw.example"
    contexts.keep(folder, "lab", {"host": "http://lab.example", "insecure": True})
    assert a_call(folder, context="lab").target.host == "http://lab.example"


@pytest.mark.parametrize("host", ["ftp://x", "https://", "https://x/path", "https://x?y=1", "https://user:pass@x"])
def test_what_is_no_address_of_a_server_is_refused(host: str) -> None:
    with pytest.raises(Failure) as caught:
        checked_host(host, insecure=True)
    assert caught.value.code == 2

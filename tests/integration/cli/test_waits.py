"""`wait` and `inbox`: what is stuck and what needs me, and answering it."""

import io
import sys
from typing import Any

import pytest
from tests.integration.cli.fake_server import FakeServer, Reply

from stagewright.processes.cli.main import main

pytestmark = pytest.mark.usefixtures("config")
AS_OF = "2026-01-05T12:00:00Z"
QUESTION, BUDGET, LIMIT = (f"01920000-0000-7000-8000-00000000000{n}" for n in "abc")


def a_wait(wait_id: str, kind: str, *answers: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": wait_id,
        "kind": kind,
        "run_number": "run-0007",
        "repository": "acme/shop",
        "issue_number": 12,
        "who_can_act": "run.start",
        "opened_at": AS_OF,
        "resume_at": None,
        "deadline_at": None,
        "answers": [{"answer": answer, "effect": "run_resumes"} for answer in answers],
        "question": None,
    } | changes


def an_item(wait_id: str, kind: str, *answers: str, **params: Any) -> dict[str, Any]:
    wait = a_wait(wait_id, kind, *answers)
    del wait["question"]
    more = {"asks": f"wait.{kind}", "since": AS_OF, "expires_at": None, "params": params, "wait_id": wait_id}
    return wait | more | {"id": f"wait:{wait_id}"}


CHOICES = ("extend_25", "extend_100", "finish", "stop")
CLOSED = {"id": QUESTION, "kind": "question", "run_number": "run-0007", "status": "resolved", "resolution": "answered"}


@pytest.fixture
def stuck(server: FakeServer) -> FakeServer:
    waits = [a_wait(QUESTION, "question", "answer", question="Keep both?"), a_wait(BUDGET, "budget", *CHOICES)]
    items = [
        an_item(QUESTION, "question", "answer", question="Keep both?"),
        an_item(BUDGET, "budget", *CHOICES),
        an_item(LIMIT, "approval", "approve", "deny"),
    ]
    page = {"next_cursor": None, "as_of": AS_OF}
    waits.append(a_wait(LIMIT, "rate_limit", "retry"))
    server.on[("GET", "/api/v1/waits")] = lambda asked: Reply(body={"items": waits, **page})
    server.on[("GET", "/api/v1/inbox")] = lambda asked: Reply(body={"items": items, **page})
    for wait_id, verb in ((QUESTION, "answer"), (BUDGET, "resolve"), (LIMIT, "retry")):
        server.on[("POST", f"/api/v1/waits/{wait_id}:{verb}")] = lambda asked: Reply(body=CLOSED)
    server.on[("POST", f"/api/v1/inbox/wait:{QUESTION}:snooze")] = lambda asked: Reply(body=items[0])
    return server


def sent(server: FakeServer) -> list[tuple[str, Any]]:
    return [(one.path, one.body) for one in server.asked if one.method == "POST"]


def test_a_question_is_answered_in_words_or_from_stdin(stuck: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["inbox", "answer", QUESTION, "--text", "Keep both."]) == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("From stdin.\n"))
    assert main(["inbox", "answer", f"wait:{QUESTION}", "--text", "-"]) == 0
    path = f"/api/v1/waits/{QUESTION}:answer"
    assert sent(stuck) == [(path, {"text": "Keep both."}), (path, {"text": "From stdin."})]


def test_an_answer_has_words(stuck: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inbox", "answer", QUESTION]) == 2
    assert "--text" in capsys.readouterr().err
    assert sent(stuck) == []


def test_a_choice_is_made_by_its_number_in_the_inbox_or_by_its_name(stuck: FakeServer) -> None:
    assert main(["inbox", "answer", BUDGET[-12:], "--option", "2"]) == 0
    assert main(["wait", "resolve", BUDGET[-12:], "--choice", "stop"]) == 0
    path = f"/api/v1/waits/{BUDGET}:resolve"
    assert sent(stuck) == [(path, {"choice": "extend_100"}), (path, {"choice": "stop"})]


def test_an_answer_that_is_not_offered_is_refused_with_what_is(
    stuck: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inbox", "answer", BUDGET, "--option", "5"]) == 2
    assert "1 extend_25, 2 extend_100, 3 finish, 4 stop" in capsys.readouterr().err
    assert main(["inbox", "answer", BUDGET, "--text", "more"]) == 2
    assert main(["inbox", "answer", LIMIT, "--option", "1"]) == 7
    assert "stagewright approval list" in capsys.readouterr().err
    assert sent(stuck) == []


def test_the_lists_name_what_they_show_so_that_it_can_be_answered(
    stuck: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inbox", "list", "-o", "wide"]) == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in (QUESTION[-12:], "acme/shop#12", "Keep both?", "2 extend_100"))
    assert main(["wait", "list", "--reason", "budget", "-o", "wide"]) == 0
    assert "Keep both?" in capsys.readouterr().out
    assert "reason=budget" in stuck.asked[-1].path


def test_a_limit_is_tried_again_after_a_yes_and_an_item_is_put_aside(stuck: FakeServer) -> None:
    assert main(["wait", "retry", LIMIT]) == 2
    assert main(["wait", "retry", LIMIT, "--yes"]) == 0
    assert main(["inbox", "snooze", QUESTION, "--for", "2h"]) == 0
    assert [path for path, _ in sent(stuck)] == [
        f"/api/v1/waits/{LIMIT}:retry",
        f"/api/v1/inbox/wait:{QUESTION}:snooze",
    ]


def test_what_is_not_there_is_said(stuck: FakeServer) -> None:
    assert main(["inbox", "answer", "ffffffff", "--text", "x"]) == 6
    assert main(["inbox", "answer", "it", "--text", "x"]) == 2
    assert main(["inbox", "answer", "01920000", "--text", "x"]) == 2

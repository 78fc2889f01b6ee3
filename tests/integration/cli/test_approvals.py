"""`approval`: what is asked is shown, and the decision names the hash that was shown."""

from typing import Any

import pytest
from tests.integration.cli.fake_server import FakeServer, Reply

from stagewright.processes.cli.main import main

pytestmark = pytest.mark.usefixtures("config")
ID = "01920000-0000-7000-8000-0000000000cc"
PLACE = f"/api/v1/approvals/{ID}"
ASKED: dict[str, Any] = {
    "id": ID,
    "state": "requested",
    "action": "run.start",
    "target_name": "acme/shop",
    "env": "production",
    "project": "shop",
    "row": "repair-start",
    "level": "owner",
    "who_can_act": "approval.decide_owner",
    "action_hash": "sha256:" + "a" * 64,
    "requester": {"kind": "ai_repair", "run_number": "run-0007"},
    "typed_confirm": True,
    "own": "no",
    "display": [
        {"section": "target", "label": "repository", "value": "acme/shop", "masked": False, "untrusted": False},
        {"section": "justification", "label": "summary", "value": "Mend it.", "masked": False, "untrusted": True},
    ],
}
PREVIEW = {
    "stops": [{"code": "approval.executes", "params": {"action": "run.start", "name": "acme/shop"}}],
    "lost": [],
    "survives": [{"code": "approval.history_stays", "params": {}}],
    "confirm_token": "ct",
    "confirm_name": "acme/shop",
}


@pytest.fixture
def asking(server: FakeServer) -> FakeServer:
    server.on[("GET", PLACE)] = lambda asked: Reply(body=ASKED)
    server.on[("POST", f"{PLACE}:decide")] = lambda asked: Reply(
        body=PREVIEW if "preview=1" in asked.path else ASKED | {"state": "approved"}
    )
    return server


def test_an_approval_shows_what_is_asked_and_names_its_hash(
    asking: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["approval", "approve", ID, "--confirm", "acme/shop"]) == 0
    sent = asking.asked[-1].body
    assert (sent["decision"], sent["action_hash"]) == ("approve", ASKED["action_hash"])
    assert (sent["confirm_token"], sent["confirm_name"]) == ("ct", "acme/shop")
    told = capsys.readouterr().err
    assert "target.repository: acme/shop" in told
    assert "justification.summary (agent): Mend it." in told
    assert "run.start is carried out for acme/shop" in told


def test_yes_does_not_stand_for_a_name_that_has_to_be_typed(asking: FakeServer) -> None:
    assert main(["approval", "approve", ID, "--yes"]) == 2
    assert not [one for one in asking.asked if one.method == "POST" and "preview" not in one.path]


def test_a_dry_run_applies_nothing(asking: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["approval", "approve", ID, "--dry-run"]) == 0
    assert "nothing was applied" in capsys.readouterr().err
    assert [one.path for one in asking.asked if one.method == "POST"] == [f"{PLACE}:decide?preview=1"]


def test_a_refusal_says_why_and_may_ask_for_more(asking: FakeServer) -> None:
    assert main(["approval", "deny", ID]) == 2
    assert main(["approval", "deny", ID, "--more", "--reason", "which service?"]) == 0
    sent = asking.asked[-1].body
    assert (sent["decision"], sent["reason_code"], sent["reason"]) == ("deny", "needs_information", "which service?")


def test_a_request_is_found_by_the_end_or_the_beginning_of_its_id(
    asking: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    items = {"items": [ASKED], "next_cursor": None, "as_of": "2026-01-05T12:00:00Z"}
    asking.on[("GET", "/api/v1/approvals")] = lambda asked: Reply(body=items)
    assert main(["approval", "view", "0000000000cc"]) == 0
    assert "repair-start" in capsys.readouterr().out
    assert main(["approval", "view", "ffffffff"]) == 6

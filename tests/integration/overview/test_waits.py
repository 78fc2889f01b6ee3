"""The list of what is stuck says all a person needs to decide whether to act."""

from datetime import timedelta
from typing import Any

from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway
from tests.integration.overview.test_inbox import wait

from stagewright.contexts.runs.api import WaitKind
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases.waits import wait_for_limit


async def test_a_row_says_for_what_since_when_who_until_when_and_what_otherwise(
    gateway: Gateway, clock: FakeClock
) -> None:
    project, _, run = await gateway.scene()
    reader = await gateway.person(member_of=project)
    wait_id = await wait(gateway, run, WaitKind.QUESTION, "run.start")
    (row,) = (await gateway.get("/waits", reader)).json()["items"]
    now, week = clock.now(), clock.now() + timedelta(days=7)
    assert (row["id"], row["kind"], row["group"]) == (wait_id, "question", "tool")
    assert (row["who_can_act"], row["status"], row["cost"]) == ("run.start", "open", 0)
    assert row["opened_at"] == now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert row["if_nothing"] == {"effect": "run_resumes", "code": "expired", "at": week.isoformat()}
    assert row["answers"] == [{"answer": "answer", "effect": "run_resumes"}]
    assert row["clock"] == {"active_seconds": 0, "limit_seconds": run.limit_seconds}
    assert (row["project"], row["repository"], row["run_number"]) == ("shop", "acme/shop", "run-0001")
    assert (row["issue_number"], row["stage"], row["overdue"]) == (1, "dev", False)
    assert {(item["verb"], item["mode"], item["reason_code"]) for item in row["allowed_actions"]} == {
        ("retry", "deny", "permission_denied"),
        ("answer", "deny", "permission_denied"),
    }


async def test_a_limit_says_when_it_resumes_and_can_be_tried_now(gateway: Gateway, clock: FakeClock) -> None:
    project, _, run = await gateway.scene()
    writer = await gateway.person(member_of=project, member_as="read_write")
    resume_at = clock.now() + timedelta(minutes=10)
    async with gateway.db.transaction() as tx:
        locked = await run_rows.lock(tx, run.id)
        await wait_for_limit(tx, locked, bucket="core", resume_at=resume_at, now=clock.now())
    (row,) = (await gateway.get("/waits?reason=rate_limit", writer)).json()["items"]
    assert (row["group"], row["target"]["id"], row["who_can_act"]) == ("back_pressure", "core", "nobody")
    assert row["if_nothing"] == {"effect": "run_resumes", "code": "limit_cleared", "at": resume_at.isoformat()}
    assert [(item["verb"], item["mode"]) for item in row["allowed_actions"]] == [("retry", "allow"), ("answer", "deny")]
    answer = await gateway.post(f"/waits/{row['id']}:retry", writer)
    assert (answer.status_code, answer.json()["resolution"]) == (200, "limit_cleared")
    assert (await gateway.get("/waits", writer)).json()["items"] == []


async def test_filters_and_pages_agree(gateway: Gateway, clock: FakeClock) -> None:
    _, repository, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    other = await gateway.repository(await gateway.project("blog"), "acme/blog")
    await wait(gateway, run, WaitKind.QUESTION, "run.start")
    for issue, place in ((2, repository), (3, other)):
        clock.advance(timedelta(minutes=1))
        await wait(gateway, await gateway.run(place, issue), WaitKind.OWNER_REVIEW, "approval.decide_owner")

    async def issues(query: str) -> list[int]:
        page: dict[str, Any] = (await gateway.get(f"/waits?{query}", owner)).json()
        return [item["issue_number"] for item in page["items"]]

    assert await issues("") == [1, 2, 3]
    assert await issues("reason=owner_review&reason=budget") == [2, 3]
    assert await issues(f"project={other.project_id}") == [3]
    assert await issues("overdue=true") == []
    clock.advance(timedelta(days=8))
    assert await issues("overdue=true") == [1]
    first = (await gateway.get("/waits?limit=2", owner)).json()
    rest = (await gateway.get(f"/waits?limit=2&cursor={first['next_cursor']}", owner)).json()
    assert [item["issue_number"] for item in first["items"] + rest["items"]] == [1, 2, 3]

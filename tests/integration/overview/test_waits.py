"""The list of what is stuck says all a person needs to decide whether to act."""

from datetime import timedelta
from typing import Any

from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway
from tests.integration.overview.test_inbox import wait

from stagewright.contexts.runs.api import WaitKind
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases.waits import wait_for_limit

MEBIBYTE = 1024 * 1024


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
        ("resolve", "deny", "permission_denied"),
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
    modes = {item["verb"]: item["mode"] for item in row["allowed_actions"]}
    assert modes == {"retry": "allow", "answer": "deny", "resolve": "deny"}
    answer = await gateway.post(f"/waits/{row['id']}:retry", writer)
    assert (answer.status_code, answer.json()["resolution"]) == (200, "limit_cleared")
    assert (await gateway.get("/waits", writer)).json()["items"] == []


async def test_who_manages_the_budget_chooses_once_what_becomes_of_a_run_that_waits_for_it(gateway: Gateway) -> None:
    project, _, run = await gateway.scene()
    admin = await gateway.person("ann", member_of=project, member_as="admin")
    writer = await gateway.person("bob", member_of=project, member_as="read_write")
    stranger = await gateway.person("eve", member_of=await gateway.project("blog"), member_as="admin")
    path = f"/waits/{await wait(gateway, run, WaitKind.BUDGET, 'budget.manage', target_kind='attempts')}:resolve"
    (row,) = (await gateway.get("/waits?reason=budget", admin)).json()["items"]
    assert [answer["answer"] for answer in row["answers"]] == ["extend_25", "extend_100", "finish", "stop"]
    assert [item["verb"] for item in row["allowed_actions"] if item["mode"] == "allow"] == ["resolve"]
    assert (await gateway.post(path, writer, {"choice": "extend_25"})).status_code == 403
    platform_admin = await gateway.person("pam", role="admin")
    assert (await gateway.post(path, platform_admin, {"choice": "extend_25"})).status_code == 403
    assert (await gateway.post(path, stranger, {"choice": "extend_25"})).status_code == 404
    unknown = await gateway.post(path, admin, {"choice": "extend_1000"})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (400, "/choice")
    assert (await gateway.post(path, admin, {"choice": "stop", "note": "x" * MEBIBYTE})).status_code == 413
    done = await gateway.post(path, admin, {"choice": "extend_25"})
    assert (done.status_code, done.json()["resolution"], done.json()["resolved_by"]) == (200, "extend_25", "Ann")
    again = await gateway.post(path, admin, {"choice": "stop"})
    assert (again.status_code, again.json()["code"]) == (409, "wait.closed")
    assert (await gateway.get(f"/runs/{run.id}", admin)).json()["status"] == "queued"
    told = (await gateway.get(f"/runs/{run.id}/events?kind=budget.extended", admin)).json()["items"]
    assert [(item["actor"]["kind"], item["data"]) for item in told] == [
        ("user", {"v": 1, "level": "attempts", "limit": 38, "spent": 0, "requested": 8})
    ]


async def test_only_a_wait_for_budget_has_choices_and_a_stop_fails_the_run(gateway: Gateway) -> None:
    _, repository, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    question = await wait(gateway, run, WaitKind.QUESTION, "run.start")
    refused = await gateway.post(f"/waits/{question}:resolve", owner, {"choice": "extend_100"})
    assert (refused.status_code, refused.json()["code"]) == (422, "wait.not_resolvable")
    other = await gateway.run(repository, 2)
    budget = await wait(gateway, other, WaitKind.BUDGET, "budget.manage", target_kind="attempts")
    assert (await gateway.post(f"/waits/{budget}:resolve", owner, {"choice": "stop"})).status_code == 200
    view = (await gateway.get(f"/runs/{other.id}", owner)).json()
    assert (view["status"], view["failure_class"], view["code"]) == ("failed", "budget", "budget_denied")


async def test_the_waits_of_a_run_say_what_they_ask_and_what_may_be_answered(gateway: Gateway) -> None:
    project, _, run = await gateway.scene()
    writer = await gateway.person(member_of=project, member_as="read_write")
    await wait(gateway, run, WaitKind.QUESTION, "run.start")
    (row,) = (await gateway.get(f"/runs/{run.id}/waits", writer)).json()["items"]
    assert (row["question"], row["answers"]) == (None, [{"answer": "answer", "effect": "run_resumes"}])
    assert [item["verb"] for item in row["allowed_actions"] if item["mode"] == "allow"] == ["answer"]
    assert (await gateway.get(f"/runs/{run.id}", writer)).json()["waits"] == [row]


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

"""The inbox holds what needs this person and nothing else, and says why, since when and what happens otherwise."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.projects.api import Project, Repository
from stagewright.contexts.runs.api import Run, WaitKind
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import moves
from stagewright.kit.ids import uuid7

Scene = tuple[Project, Repository, Run]


@pytest.fixture
async def scene(gateway: Gateway) -> Scene:
    return await gateway.scene()


async def inbox(gateway: Gateway, who: Person, query: str = "") -> list[dict[str, Any]]:
    answer = await gateway.get(f"/inbox{query}", who)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def wait(gateway: Gateway, run: Run, kind: WaitKind, who_can_act: str, **target: str) -> str:
    now = gateway.clock.now()
    async with gateway.db.transaction() as tx:
        locked = await run_rows.lock(tx, run.id)
        made = await moves.open_wait(
            tx,
            locked,
            kind,
            target_kind=target.get("target_kind", "report"),
            target_id="it",
            who_can_act=who_can_act,
            now=now,
        )
        await moves.pause(tx, locked, now=now)
    return str(made.id)


async def fail(gateway: Gateway, run: Run, code: str = "mode_not_allowed") -> None:
    async with gateway.db.transaction() as tx:
        await moves.fail(tx, await run_rows.lock(tx, run.id), code, now=gateway.clock.now(), detail="why it failed")


async def test_nothing_needs_anybody_at_first(gateway: Gateway, scene: Scene) -> None:
    assert await inbox(gateway, await gateway.person(role="owner")) == []


async def test_a_question_reaches_those_who_may_answer_with_all_they_need_to_know(
    gateway: Gateway, scene: Scene, clock: FakeClock
) -> None:
    project, repository, run = scene
    writer = await gateway.person("ann", member_of=project, member_as="read_write")
    reader = await gateway.person("bob", member_of=project)
    stranger = await gateway.person("eve")
    wait_id = await wait(gateway, run, WaitKind.QUESTION, "run.start")
    (item,) = await inbox(gateway, writer)
    assert (item["id"], item["kind"], item["asks"]) == (f"wait:{wait_id}", "question", "wait.question")
    assert (item["since"], item["run_number"]) == (clock.now().isoformat(), "run-0001")
    assert (item["project"], item["repository"], item["issue_number"]) == ("shop", "acme/shop", 1)
    assert item["answers"] == [{"answer": "answer", "effect": "run_resumes"}]
    week = (clock.now() + timedelta(days=7)).isoformat()
    assert item["if_nothing"] == {"effect": "run_resumes", "code": "expired", "at": week}
    assert item["expires_at"] == week
    assert item["url"] == f"{repository.web_url}/issues/1"
    assert (await inbox(gateway, reader), await inbox(gateway, stranger)) == ([], [])
    assert await inbox(gateway, await gateway.person("own", role="owner")) == [item]


async def test_a_limit_that_opens_by_itself_needs_nobody(gateway: Gateway, scene: Scene) -> None:
    await wait(gateway, scene[2], WaitKind.RATE_LIMIT, "nobody")
    assert await inbox(gateway, await gateway.person(role="owner")) == []


async def test_a_missing_credential_asks_who_may_replace_it(gateway: Gateway, scene: Scene) -> None:
    await wait(gateway, scene[2], WaitKind.QUESTION, "credentials.manage", target_kind="credential")
    writer = await gateway.person("ann", member_of=scene[0], member_as="read_write")
    admin = await gateway.person("bob", member_of=scene[0], member_as="admin")
    assert await inbox(gateway, writer) == []
    (item,) = await inbox(gateway, admin)
    assert item["answers"] == [{"answer": "replace_credential", "effect": "run_resumes"}]
    assert (item["if_nothing"]["effect"], item["if_nothing"]["code"]) == ("run_fails", "agent_not_configured")


async def test_a_failed_run_needs_a_step_until_another_follows_it(
    gateway: Gateway, scene: Scene, clock: FakeClock
) -> None:
    project, repository, run = scene
    writer = await gateway.person("ann", member_of=project, member_as="read_write")
    await fail(gateway, run)
    (item,) = await inbox(gateway, writer)
    assert (item["kind"], item["asks"], item["why"]) == ("manual_step", "run.failed.precondition", "mode_not_allowed")
    assert item["params"] == {"failure_class": "precondition", "detail": "why it failed", "kind": "dev"}
    assert item["if_nothing"]["effect"] == "nothing_happens"
    assert await inbox(gateway, await gateway.person("bob", member_of=project)) == []
    await gateway.run(repository, 1, correlation_id="another")
    assert await inbox(gateway, writer) == []


async def test_a_failed_run_of_a_closed_issue_or_of_long_ago_needs_nobody(
    gateway: Gateway, scene: Scene, clock: FakeClock
) -> None:
    owner = await gateway.person(role="owner")
    _, repository, run = scene
    await fail(gateway, run)
    other = await gateway.run(repository, 2)
    await fail(gateway, other)
    async with gateway.db.transaction() as tx:
        await tx.execute(
            "insert into threads (repository_id, number, is_pull_request, state, labels, seen_at)"
            " values (%(r)s, 1, false, 'closed', '{}', %(now)s)",
            r=repository.id,
            now=clock.now(),
        )
    assert [item["issue_number"] for item in await inbox(gateway, owner)] == [2]
    clock.advance(timedelta(days=15))
    assert await inbox(gateway, owner) == []


async def test_a_pull_request_waits_for_review_while_no_run_works_on_it(gateway: Gateway, scene: Scene) -> None:
    _, repository, run = scene
    owner = await gateway.person(role="owner")
    async with gateway.db.transaction() as tx:
        await tx.execute(
            "insert into pull_request_links (repository_id, pr_number, issue_number, stage, branch, base_branch,"
            " head_sha, pushed_sha, url, state, origin, created_by_run, last_run, created_at, updated_at)"
            " values (%(r)s, 7, 1, 'dev', 'b', 'main', 'a', 'a', 'https://forge.test/7', 'in_review', 'platform',"
            " %(run)s, %(run)s, %(now)s, %(now)s)",
            r=repository.id,
            run=run.id,
            now=gateway.clock.now(),
        )
    assert await inbox(gateway, owner) == []
    await fail(gateway, run)
    items = {item["kind"]: item for item in await inbox(gateway, owner)}
    assert set(items) == {"review", "manual_step"}
    assert (items["review"]["id"], items["review"]["pr_number"]) == (f"review:{repository.id}:7", 7)
    assert items["review"]["url"] == "https://forge.test/7"
    assert [item["kind"] for item in await inbox(gateway, owner, "?kind=review")] == ["review"]


async def test_an_error_stays_until_i_have_seen_it(gateway: Gateway, scene: Scene) -> None:
    member = await gateway.person(member_of=scene[0])
    async with gateway.db.transaction() as tx:
        for project in (scene[0].id, None):
            await incidents.report(
                tx,
                level="error",
                source="test",
                code="broken",
                message="it broke",
                project_id=project,
                now=gateway.clock.now(),
            )
    (item,) = await inbox(gateway, member)
    assert (item["kind"], item["why"], item["params"]["count"], item["project"]) == ("error", "broken", 1, "shop")
    await gateway.post(f"/incidents/{item['incident_id']}:view", member)
    assert await inbox(gateway, member) == []


class TestSnooze:
    async def snooze(self, gateway: Gateway, who: Person, item: str, until: datetime | None) -> Any:
        body = {"until": until.isoformat() if until else None}
        return await gateway.post(f"/inbox/{item}:snooze", who, body)

    async def test_what_i_put_aside_comes_back_in_time_and_for_me_alone(
        self, gateway: Gateway, scene: Scene, clock: FakeClock
    ) -> None:
        ann, bob = [await gateway.person(name, role=role) for name, role in (("ann", "owner"), ("bob", "admin"))]
        item = f"wait:{await wait(gateway, scene[2], WaitKind.QUESTION, 'run.start')}"
        until = clock.now() + timedelta(hours=4)
        answer = await self.snooze(gateway, ann, item, until)
        assert (answer.status_code, answer.json()["snoozed_until"]) == (200, until.isoformat())
        assert (await inbox(gateway, ann), len(await inbox(gateway, bob))) == ([], 1)
        assert [one["id"] for one in await inbox(gateway, ann, "?snoozed=true")] == [item]
        clock.advance(timedelta(hours=4))
        assert [one["id"] for one in await inbox(gateway, ann)] == [item]
        async with gateway.db.reading() as reader:
            sql = "select body from journal where kind = 'inbox.snoozed' and stream = %(stream)s"
            body = await reader.value(sql, stream=f"user:{ann.user.id}")
        assert (body["item"], body["until"]) == (item, until.isoformat())

    async def test_it_can_be_taken_back(self, gateway: Gateway, scene: Scene, clock: FakeClock) -> None:
        owner = await gateway.person(role="owner")
        item = f"wait:{await wait(gateway, scene[2], WaitKind.QUESTION, 'run.start')}"
        await self.snooze(gateway, owner, item, clock.now() + timedelta(hours=4))
        answer = await self.snooze(gateway, owner, item, None)
        assert answer.json()["snoozed_until"] is None
        assert [one["id"] for one in await inbox(gateway, owner)] == [item]

    async def test_an_error_that_comes_up_anew_is_not_put_aside_any_more(
        self, gateway: Gateway, scene: Scene, clock: FakeClock
    ) -> None:
        owner = await gateway.person(role="owner")
        values: Any = {"source": "test", "code": "broken", "message": "it broke"}
        async with gateway.db.transaction() as tx:
            await incidents.report(tx, level="error", now=clock.now(), **values)
        (item,) = await inbox(gateway, owner)
        await self.snooze(gateway, owner, item["id"], clock.now() + timedelta(days=1))
        clock.advance(timedelta(minutes=1))
        async with gateway.db.transaction() as tx:
            await incidents.report(tx, level="critical", now=clock.now(), **values)
        assert [one["id"] for one in await inbox(gateway, owner)] == [item["id"]]

    async def test_what_is_not_in_my_inbox_and_times_that_are_none_are_refused(
        self, gateway: Gateway, scene: Scene, clock: FakeClock
    ) -> None:
        owner = await gateway.person(role="owner")
        hour = clock.now() + timedelta(hours=1)
        unknown = await self.snooze(gateway, owner, f"wait:{uuid7()}", hour)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "inbox.not_found")
        item = f"wait:{await wait(gateway, scene[2], WaitKind.QUESTION, 'run.start')}"
        for until in (clock.now(), clock.now() + timedelta(days=31)):
            late = await self.snooze(gateway, owner, item, until)
            assert (late.status_code, late.json()["errors"][0]["pointer"]) == (400, "/until")
        reader = await gateway.person("eve", member_of=scene[0])
        assert (await self.snooze(gateway, reader, item, hour)).status_code == 404


async def test_the_inbox_is_paged_newest_first(gateway: Gateway, scene: Scene, clock: FakeClock) -> None:
    owner = await gateway.person(role="owner")
    for issue in range(2, 7):
        clock.advance(timedelta(minutes=1))
        await fail(gateway, await gateway.run(scene[1], issue))
    first = (await gateway.get("/inbox?limit=3", owner)).json()
    rest = (await gateway.get(f"/inbox?limit=3&cursor={first['next_cursor']}", owner)).json()
    assert [item["issue_number"] for item in first["items"] + rest["items"]] == [6, 5, 4, 3, 2]
    assert rest["next_cursor"] is None


async def test_the_figures_of_a_day_are_those_of_its_runs(gateway: Gateway, scene: Scene, clock: FakeClock) -> None:
    project, repository, run = scene
    owner = await gateway.person(role="owner")
    await fail(gateway, run)
    clock.advance(timedelta(days=1))
    await gateway.run(repository, 2)
    found = (await gateway.get("/stats?days=3", owner)).json()["days"]
    assert [(day["started"], day["failed"]) for day in found] == [(0, 0), (1, 1), (1, 0)]
    assert found[-1]["day"] == clock.now().date().isoformat()
    assert found[1]["cost_micros"] is None
    assert {day["approvals"] for day in found} == {0}
    assert (await gateway.get(f"/projects/{project.id}/stats?days=3", owner)).json()["days"] == found
    stranger = await gateway.person("eve")
    assert all(day["started"] == 0 for day in (await gateway.get("/stats?days=3", stranger)).json()["days"])
    assert (await gateway.get(f"/projects/{project.id}/stats", stranger)).status_code == 404
    assert (await gateway.get("/stats?days=91", owner)).status_code == 400

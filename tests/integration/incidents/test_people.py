"""Incidents as people meet them: counted, seen by one and not by another, muted, resolved, redacted (AX23)."""

from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.incidents.reconcile import sweep_old
from stagewright.contexts.projects.api import Project
from stagewright.kit.db import Database
from stagewright.processes.incidents import IncidentWriter

STACK = "/incidents?state=open&level=error&level=critical&viewed=false&limit=5&count=approx"


async def report(gateway: Gateway, message: str = "it broke", **changes: Any) -> incidents.Incident | None:
    values: dict[str, Any] = {"level": "error", "source": "test", "code": "broken", "now": gateway.clock.now()}
    async with gateway.db.transaction() as tx:
        return await incidents.report(tx, message=message, **{**values, **changes})


async def happen(gateway: Gateway, message: str = "it broke", **changes: Any) -> incidents.Incident:
    found = await report(gateway, message, **changes)
    assert found is not None
    return found


async def stack(gateway: Gateway, who: Person) -> list[str]:
    return [item["id"] for item in (await gateway.get(STACK, who)).json()["items"]]


async def kinds(gateway: Gateway, stream: str) -> list[str]:
    async with gateway.db.reading() as reader:
        sql = "select kind from journal where stream = %(stream)s order by seq"
        return await reader.all(lambda row: str(row["kind"]), sql, stream=stream)


@pytest.fixture
async def shop(gateway: Gateway) -> Project:
    return await gateway.project()


async def test_a_hundred_equal_problems_are_one_row_counted(gateway: Gateway, shop: Project) -> None:
    for number in range(100):
        await report(gateway, f"run {number} of '/data/{number}' lost 0x{number:08x}", project_id=shop.id)
    await gateway.platform.incidents.flush()
    owner = await gateway.person(role="owner")
    (item,) = (await gateway.get("/incidents", owner)).json()["items"]
    assert (item["count"], item["state"]) == (100, "open")
    assert item["message"].startswith("run 99 of")


async def test_what_one_has_viewed_another_still_sees(gateway: Gateway, shop: Project) -> None:
    ann, bob = [await gateway.person(name, member_of=shop) for name in ("ann", "bob")]
    item = await happen(gateway, project_id=shop.id)
    assert await stack(gateway, ann) == await stack(gateway, bob) == [str(item.id)]
    seen = (await gateway.post(f"/incidents/{item.id}:view", ann)).json()
    assert (seen["viewed"], seen["viewed_at"]) == (True, gateway.clock.now().isoformat())
    assert (await stack(gateway, ann), await stack(gateway, bob)) == ([], [str(item.id)])
    assert (await gateway.get(f"/incidents/{item.id}", bob)).json()["viewed"] is False
    undone = (await gateway.post(f"/incidents/{item.id}:unview", ann)).json()
    assert undone["viewed"] is False
    assert await stack(gateway, ann) == [str(item.id)]
    mine = [kind for kind in await kinds(gateway, f"user:{ann.user.id}") if kind.startswith("incident.")]
    assert mine == ["incident.viewed", "incident.unviewed"]


async def test_a_recurrence_is_back_after_an_hour_or_at_a_higher_level(
    gateway: Gateway, shop: Project, clock: FakeClock
) -> None:
    ann = await gateway.person(member_of=shop)
    item = await happen(gateway, project_id=shop.id)
    await gateway.post(f"/incidents/{item.id}:view", ann)
    clock.advance(timedelta(minutes=59))
    await happen(gateway, project_id=shop.id)
    assert await stack(gateway, ann) == []
    clock.advance(timedelta(minutes=61))
    again = await happen(gateway, project_id=shop.id)
    assert (again.id, again.count, again.reopened_at) == (item.id, 3, clock.now())
    assert await stack(gateway, ann) == [str(item.id)]
    clock.advance(timedelta(seconds=1))
    await gateway.post(f"/incidents/{item.id}:view", ann)
    clock.advance(timedelta(seconds=1))
    worse = await happen(gateway, project_id=shop.id, level="critical")
    assert worse.level is incidents.Level.CRITICAL
    assert (await happen(gateway, project_id=shop.id, level="warning")).level is incidents.Level.CRITICAL
    assert await stack(gateway, ann) == [str(item.id)]


async def test_a_muted_one_is_hidden_from_all_and_counted_all_the_same(
    gateway: Gateway, shop: Project, clock: FakeClock
) -> None:
    writer = await gateway.person("ann", member_of=shop, member_as="read_write")
    reader = await gateway.person("bob", member_of=shop)
    item = await happen(gateway, project_id=shop.id)
    refused = await gateway.post(f"/incidents/{item.id}:mute", reader, {"hours": 1, "reason": "known"})
    assert (refused.status_code, refused.json()["params"]["permission"]) == (403, "incident.handle")
    for body, place in (({"hours": 169, "reason": "known"}, "/hours"), ({"hours": 1, "reason": ""}, "/reason")):
        wrong = await gateway.post(f"/incidents/{item.id}:mute", writer, body)
        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, place)
    muted = (await gateway.post(f"/incidents/{item.id}:mute", writer, {"hours": 2, "reason": "known"})).json()
    assert muted["muted_until"] == (clock.now() + timedelta(hours=2)).isoformat()
    assert (muted["muted_reason"], muted["muted_by"]) == ("known", str(writer.user.id))
    assert (await stack(gateway, reader), await stack(gateway, writer)) == ([], [])
    assert (await happen(gateway, project_id=shop.id, level="critical")).count == 2
    assert await stack(gateway, reader) == []
    assert (await gateway.get("/incidents", reader)).json()["items"] == []
    hidden = (await gateway.get("/incidents?muted=true", reader)).json()["items"]
    assert [entry["id"] for entry in hidden] == [str(item.id)]
    clock.advance(timedelta(hours=2))
    assert await stack(gateway, reader) == [str(item.id)]


async def test_a_resolved_one_that_recurs_is_a_new_one_linked_to_the_old(gateway: Gateway, shop: Project) -> None:
    ann = await gateway.person(member_of=shop, member_as="read_write")
    item = await happen(gateway, project_id=shop.id)
    resolved = (await gateway.post(f"/incidents/{item.id}:resolve", ann, {"reason": "mended"})).json()
    assert (resolved["state"], resolved["resolved_reason"]) == ("resolved", "mended")
    again = await gateway.post(f"/incidents/{item.id}:resolve", ann)
    assert (again.status_code, again.json()["version"]) == (200, resolved["version"])
    late = await gateway.post(f"/incidents/{item.id}:mute", ann, {"hours": 1, "reason": "late"})
    assert (late.status_code, late.json()["code"]) == (409, "incident.resolved")
    new = await happen(gateway, project_id=shop.id)
    assert (new.previous_id, new.count) == (item.id, 1)
    assert await stack(gateway, ann) == [str(new.id)]
    listed = (await gateway.get("/incidents?state=resolved", ann)).json()["items"]
    assert [entry["id"] for entry in listed] == [str(item.id)]
    assert await kinds(gateway, f"incident:{item.id}") == ["incident.opened", "incident.resolved"]


async def test_secrets_are_taken_out_of_every_text_of_a_row(gateway: Gateway, shop: Project) -> None:
    owner = await gateway.person(role="owner")
    secret = "a-secret-of-the-shop"
    gateway.platform.redactor.add(secret)
    item = await happen(
        gateway,
        f"it broke with {secret}",
        project_id=shop.id,
        details={"where": [f"in {secret}"], secret: 1, "count": 2},
        stack=f"Traceback: {secret}",
    )
    shown = await gateway.get(f"/incidents/{item.id}", owner)
    assert secret not in shown.text
    assert shown.json()["details"]["count"] == 2
    async with gateway.db.reading() as reader:
        stored = await reader.value("select incidents::text from incidents")
        told = await reader.value("select body::text from journal where kind = 'incident.opened'")
    assert secret not in stored + told


async def test_the_stack_shows_five_and_counts_the_rest(gateway: Gateway, shop: Project, clock: FakeClock) -> None:
    ann = await gateway.person(member_of=shop)
    for name in "abcdefg":
        clock.advance(timedelta(seconds=1))
        await happen(gateway, name, project_id=shop.id)
    await happen(gateway, "only a warning", project_id=shop.id, level="warning")
    page = (await gateway.get(STACK, ann)).json()
    assert [item["message"] for item in page["items"]] == list("gfedc")
    assert (page["count"], page["capped"]) == (7, False)
    async with gateway.db.reading() as reader:
        shown, more = await incidents.alert_stack(reader, user=ann.user.id, visible=[shop.id], now=clock.now())
    assert ([seen.incident.message for seen in shown], more) == (list("gfedc"), 2)
    seen_all = (await gateway.post("/incidents:view-all", ann)).json()
    assert seen_all == {"viewed": 8}
    assert (await gateway.post("/incidents:view-all", ann)).json() == {"viewed": 0}
    assert (await gateway.get(STACK, ann)).json()["count"] == 0


async def test_a_run_s_incident_is_its_project_s_also_when_nobody_says_so(gateway: Gateway) -> None:
    project, _, run = await gateway.scene()
    ann, eve = await gateway.person("ann", member_of=project), await gateway.person("eve")
    item = await happen(gateway, run_id=run.id, links=incidents.Links(delivery_id="d-1", job_name="sw-1-g1"))
    found = (await gateway.get(f"/incidents/{item.id}", ann)).json()
    assert (found["project_id"], found["run_id"]) == (str(project.id), str(run.id))
    assert (found["delivery_id"], found["job_name"]) == ("d-1", "sw-1-g1")
    assert (await gateway.get(f"/incidents?run={run.id}", ann)).json()["items"][0]["id"] == str(item.id)
    for verb in ("", ":view", ":mute", ":resolve"):
        body = {"hours": 1, "reason": "x"} if verb == ":mute" else {}
        place = f"/incidents/{item.id}{verb}"
        answer = await (gateway.post(place, eve, body) if verb else gateway.get(place, eve))
        assert (answer.status_code, answer.json()["code"]) == (404, "incident.not_found")


async def test_the_last_event_of_an_incident_is_the_frame_of_its_view(gateway: Gateway, shop: Project) -> None:
    owner = await gateway.person(role="owner")
    item = await happen(gateway, "ж" * 5000, project_id=shop.id)

    async def held() -> None:
        sql = "select body from journal where stream = %(stream)s order by seq desc limit 1"
        async with gateway.db.reading() as reader:
            body = dict(await reader.value(sql, stream=f"incident:{item.id}"))
        view = (await gateway.get(f"/incidents/{item.id}", owner)).json()
        assert body.pop("v") == 1
        assert body == {name: view[name] for name in body}
        assert set(view) - set(body) == {
            "viewed",
            "viewed_at",
            "allowed_actions",
            "details",
            "stack",
            "muted_by",
            "resolved_by",
            "resolved_reason",
        }

    await held()
    await happen(gateway, "ж" * 5000, project_id=shop.id)
    await held()
    await gateway.post(f"/incidents/{item.id}:mute", owner, {"hours": 1, "reason": "known"})
    await held()
    await gateway.post(f"/incidents/{item.id}:resolve", owner)
    await held()


async def test_the_longest_message_fits_into_a_frame(gateway: Gateway, shop: Project) -> None:
    for text in ("\x01" * 4000, "😀" * 4000, '"' * 4000):
        item = await happen(gateway, text, project_id=shop.id)
        assert 1000 <= len(item.message) <= 4000


async def test_old_incidents_are_forgotten_with_who_saw_them(gateway: Gateway, shop: Project, clock: FakeClock) -> None:
    ann = await gateway.person(member_of=shop, member_as="read_write")
    old = await happen(gateway, project_id=shop.id)
    await gateway.post(f"/incidents/{old.id}:view", ann)
    await gateway.post(f"/incidents/{old.id}:resolve", ann)
    clock.advance(timedelta(days=1))
    new = await happen(gateway, project_id=shop.id)
    clock.advance(timedelta(days=89, seconds=1))
    assert await sweep_old(gateway.db, clock) == 1
    assert await sweep_old(gateway.db, clock) == 0
    left = (await gateway.get("/incidents", await gateway.person("bob", member_of=shop))).json()["items"]
    assert [(item["id"], item["previous_id"]) for item in left] == [(str(new.id), None)]


class TestWriter:
    """Of the processes: ``Platform.incidents``."""

    async def storm(self, gateway: Gateway, times: int) -> None:
        for number in range(times):
            await gateway.platform.report_bug("loop.scan", RuntimeError(f"repository {number} is broken"))

    async def rows(self, gateway: Gateway) -> tuple[int, int]:
        async with gateway.db.reading() as reader:
            count = int(await reader.value("select coalesce(sum(count), 0) from incidents"))
            events = int(await reader.value("select count(*) from journal where topic = 'incidents'"))
        return count, events

    async def test_a_storm_of_equal_problems_is_counted_in_memory_and_written_once_a_second(
        self, gateway: Gateway, clock: FakeClock
    ) -> None:
        await self.storm(gateway, 250)
        assert await self.rows(gateway) == (10, 10)
        clock.advance(timedelta(seconds=1))
        assert await gateway.platform.incidents.flush() == 1
        assert await self.rows(gateway) == (250, 11)
        assert await gateway.platform.incidents.flush() == 0
        await self.storm(gateway, 3)
        assert await self.rows(gateway) == (253, 14)

    async def test_other_problems_are_written_at_once_during_a_storm(self, gateway: Gateway) -> None:
        await self.storm(gateway, 50)
        await gateway.platform.report_bug("gateway", ValueError("another"))
        assert await self.rows(gateway) == (11, 11)

    async def test_a_failing_write_is_counted_and_raises_nothing(self, gateway: Gateway) -> None:
        broken = incidents.Report(level="unheard-of", source="test", code="broken", message="it broke")
        await gateway.platform.incidents.report(broken)
        figures = gateway.platform.metrics.exposition()[1].decode()
        assert "stagewright_incident_writes_failed_total 1.0" in figures
        assert (await gateway.get("/me", await gateway.person())).status_code == 200

    async def test_a_storm_inside_transactions_is_counted_by_the_same_pace(
        self, gateway: Gateway, shop: Project, clock: FakeClock
    ) -> None:
        told = [await report(gateway, f"repository {number} is broken", project_id=shop.id) for number in range(60)]
        written = sum(item is not None for item in told)
        assert 10 <= written < 60
        equal = incidents.Report(
            level="critical", source="test", code="broken", message="repository 60 is broken", project_id=shop.id
        )
        await gateway.platform.incidents.report(equal)
        assert await report(gateway, "repository 61 is broken", project_id=shop.id) is None
        clock.advance(timedelta(seconds=1))
        await gateway.platform.incidents.flush()
        count, events = await self.rows(gateway)
        assert (count, events <= written + 2) == (62, True)
        (item,) = (await gateway.get("/incidents", await gateway.person(role="owner"))).json()["items"]
        assert (item["count"], item["level"], item["message"]) == (62, "critical", "repository 61 is broken")

    async def test_what_a_use_case_reports_before_its_transaction_fails_is_counted_during_a_storm(
        self, gateway: Gateway
    ) -> None:
        for _ in range(10):
            await report(gateway)
        with pytest.raises(RuntimeError, match="and then"):
            await self.report_and_fail(gateway)
        await gateway.platform.incidents.flush()
        assert (await self.rows(gateway))[0] == 11

    async def report_and_fail(self, gateway: Gateway) -> None:
        async with gateway.db.transaction() as tx:
            now = gateway.clock.now()
            await incidents.report(tx, level="error", source="test", code="broken", message="it broke", now=now)
            raise RuntimeError("and then it failed")

    async def test_what_cannot_be_written_while_the_database_is_away_is_kept_for_later(
        self, gateway: Gateway, dsn: str
    ) -> None:
        async with Database.open(dsn, clock=gateway.clock) as closed:
            pass
        platform = gateway.platform
        away = IncidentWriter(closed, clock=gateway.clock, metrics=platform.metrics, redactor=platform.redactor)
        problem = incidents.Report(level="error", source="test", code="broken", message="it broke")
        for _ in range(3):
            await away.report(problem)
        assert await away.flush() == 1
        assert away.pace.due(now=gateway.clock.now()) == [(problem, 3)]
        assert await self.rows(gateway) == (0, 0)

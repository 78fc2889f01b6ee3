"""The audit, the system page and what a client learns first."""

from datetime import timedelta
from typing import Any

from tests.fakes.clock import FakeClock
from tests.fakes.gateway import DOCUMENT, Gateway

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.runs.model import RunStatus
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import moves
from stagewright.kit.journal import Actor
from stagewright.processes.presence import Presence
from stagewright.processes.worker.verification import verify_journal


async def test_the_audit_names_people_objects_and_channels(gateway: Gateway) -> None:
    owner = await gateway.person("ann", role="owner")
    made = (await gateway.post("/projects", owner, {"key": "shop", "name": "Shop"})).json()
    page = (await gateway.get("/audit?action=project.created", owner)).json()
    (item,) = page["items"]
    assert item["actor"] == {"kind": "user", "id": str(owner.user.id), "name": "Ann"}
    assert item["object"] == {"type": "project", "id": made["id"], "label": "shop"}
    assert (item["ip_prefix"], item["on_behalf_of"], item["project"]) == ("127.0.0.0/24", None, "shop")
    assert (item["channel"], item["data"]["key"]) == ("cli", "shop")
    assert (await gateway.get(f"/audit/{item['seq']}", owner)).json() == item
    assert (await gateway.get("/audit/999999999", owner)).json()["code"] == "audit.not_found"


async def test_a_change_shows_what_was_before_and_what_is_after(gateway: Gateway) -> None:
    owner = await gateway.person("ann", role="owner")
    project = await gateway.project()
    headers = {"If-Match": '"1"', "X-Request-Id": "rename-the-shop"}
    await gateway.call("PATCH", f"/projects/{project.id}", owner, headers=headers, json={"name": "Store"})
    newer, older = (await gateway.get(f"/audit?project={project.id}", owner)).json()["items"]
    assert (newer["action"], newer["before"], newer["after"]) == (
        "project.changed",
        {"name": "Shop"},
        {"name": "Store"},
    )
    assert (newer["channel"], newer["correlation_id"]) == ("cli", "rename-the-shop")
    assert (older["before"], older["after"]["name"], older["channel"]) == (None, "Shop", "system")


async def test_the_audit_is_filtered_by_the_door_of_a_change(gateway: Gateway) -> None:
    owner, _ = await gateway.person("ann", role="owner"), await gateway.scene()
    await gateway.post("/projects", owner, {"key": "blog", "name": "Blog"})

    async def actions(query: str) -> list[str]:
        found = (await gateway.get(f"/audit?{query}", owner)).json()["items"]
        return sorted({item["action"] for item in found} - {"audit.read"})

    assert await actions("channel=cli") == ["project.created"]
    assert await actions("channel=console") == []
    by_system = await actions("channel=system")
    assert "run.queued" in by_system
    assert await actions("channel=system&channel=cli") == by_system
    assert (await gateway.get("/audit?channel=post", owner)).status_code == 400


async def test_what_an_agent_does_names_for_whom(gateway: Gateway) -> None:
    ann = await gateway.person("ann", role="owner")
    _, repository, _ = await gateway.scene()
    run = await gateway.run(repository, 2, requested_by_kind="user", requested_by=str(ann.user.id))
    async with gateway.db.transaction(Actor("run", str(run.id))) as tx:
        await moves.fail(tx, await run_rows.lock(tx, run.id), "mode_not_allowed", now=gateway.clock.now())
    (item,) = (await gateway.get("/audit?action=run.failed.precondition", ann)).json()["items"]
    assert (item["actor"]["kind"], item["channel"], item["object"]["label"]) == ("run", "mcp", "run-0002")
    assert item["on_behalf_of"] == {"kind": "user", "id": str(ann.user.id), "name": "Ann"}
    assert (item["before"]["status"], item["after"]["status"]) == ("queued", "failed")


async def test_filters_and_pages_go_back_in_time(gateway: Gateway, clock: FakeClock) -> None:
    owner = await gateway.person(role="owner")
    project, repository, run = await gateway.scene()
    clock.advance(timedelta(hours=1))
    await gateway.run(repository, 2)
    seen, cursor = [], ""
    for _ in range(20):
        page = (await gateway.get(f"/audit?project={project.id}&limit=2{cursor}", owner)).json()
        seen += [item["seq"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) >= 4
    of_run = (await gateway.get(f"/audit?project={project.id}&object=run:{run.id}", owner)).json()["items"]
    assert {item["run_id"] for item in of_run} == {str(run.id)}
    hour = clock.now().isoformat().replace("+00:00", "Z")
    late = (await gateway.get(f"/audit?project={project.id}&from={hour}", owner)).json()["items"]
    assert [item["action"] for item in late] == ["run.queued"]
    traced = (await gateway.get(f"/audit?project={project.id}&correlation={run.correlation_id}", owner)).json()["items"]
    assert [item["action"] for item in traced] == ["run.queued"]


async def test_reading_the_audit_of_the_installation_is_itself_noted(gateway: Gateway) -> None:
    owner, project = await gateway.person(role="owner"), await gateway.project()
    await gateway.get(f"/audit?project={project.id}", owner)
    await gateway.get("/audit?action=token.created", owner)
    noted = (await gateway.get("/audit?action=audit.read", owner)).json()["items"]
    assert [item["data"]["filters"] for item in noted] == [
        {"kinds": "['audit.read']"},
        {"kinds": "['token.created']"},
    ]


async def test_reading_anything_else_leaves_the_journal_as_it_was(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    project, repository, run = await gateway.scene()

    async def rows() -> int:
        async with gateway.db.reading() as reader:
            return int(await reader.value("select count(*) from journal"))

    before = await rows()
    values = {"project_id": project.id, "repository_id": repository.id, "run_id": run.id, "stream": "engine"}
    for path, item in DOCUMENT["paths"].items():
        if "get" in item and path != "/api/v1/audit":
            place = path.removeprefix("/api/v1").format_map(_Any(values))
            await gateway.get(place, owner)
    assert await rows() == before


class _Any(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "1"


async def test_a_chain_that_was_tampered_with_is_named(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    _, _, run = await gateway.scene()
    stream = f"run:{run.id}"
    whole = (await gateway.get(f"/audit/verify?stream={stream}", owner)).json()
    assert (whole["stream"], whole["intact"], whole["first_bad_seq"]) == (stream, True, None)
    assert (whole["verified_rows"], whole["verified_until"]) == (1, gateway.clock.now().isoformat())
    async with gateway.db.transaction() as tx:
        await tx.execute("reset role")
        await tx.execute("update journal set body = '{}' where stream = %(s)s", s=stream)
        bad = await tx.value("select min(seq) from journal where stream = %(s)s", s=stream)
        await tx.execute("set role stagewright_app")
    broken = (await gateway.get(f"/audit/verify?stream={stream}", owner)).json()
    assert (broken["intact"], broken["first_bad_seq"]) == (False, bad)
    assert (broken["verified_rows"], broken["verified_until_seq"]) == (0, None)
    assert (await gateway.get("/audit/verify?stream=run:none", owner)).status_code == 404


async def test_all_chains_are_verified_in_the_background_and_a_break_is_one_critical_incident(
    gateway: Gateway, clock: FakeClock
) -> None:
    owner = await gateway.person(role="owner")
    _, _, run = await gateway.scene()
    fresh = (await gateway.get("/audit/verify", owner)).json()
    assert (fresh["stream"], fresh["intact"], fresh["verified_until"], fresh["checked_at"]) == (None, True, None, None)
    assert await verify_journal(gateway.platform) == 0
    whole = (await gateway.get("/audit/verify", owner)).json()
    last, now = await last_row(gateway), clock.now().isoformat()
    assert (whole["intact"], whole["verified_until_seq"], whole["checked_at"]) == (True, last, now)
    verified = gateway.platform.metrics.registry.get_sample_value("stagewright_audit_chain_verified_seq")
    assert verified == last
    async with gateway.db.transaction() as tx:
        await tx.execute("reset role")
        await tx.execute("update journal set body = '{}' where stream = %(s)s", s=f"run:{run.id}")
        await tx.execute("set role stagewright_app")
    for broken in (1, 0, 0):
        clock.advance(timedelta(days=1))
        assert await verify_journal(gateway.platform) == broken
    told = (await gateway.get("/audit/verify", owner)).json()
    assert (told["intact"], told["verified_until_seq"]) == (False, await last_row(gateway))
    (incident,) = (await gateway.get("/incidents?level=critical", owner)).json()["items"]
    assert (incident["code"], incident["count"]) == ("journal.chain_broken", 1)
    shown = (await gateway.get(f"/incidents/{incident['id']}", owner)).json()
    assert shown["details"] == {f"run:{run.id}": told["first_bad_seq"]}
    assert str(told["first_bad_seq"]) in shown["message"]


async def test_one_worker_at_a_time_verifies_and_the_others_know_as_much(gateway: Gateway) -> None:
    await gateway.scene()
    async with gateway.db.exclusive("journal.verification"):
        assert await verify_journal(gateway.platform) == 0
    async with gateway.db.reading() as reader:
        assert await reader.value("select count(*) from journal_walks") == 0
    await verify_journal(gateway.platform)
    async with gateway.db.exclusive("journal.verification"):
        gateway.platform.metrics.audit_chain_verified_seq.set(0)
        await verify_journal(gateway.platform)
    verified = gateway.platform.metrics.registry.get_sample_value("stagewright_audit_chain_verified_seq")
    assert verified == await last_row(gateway)


async def last_row(gateway: Gateway) -> int:
    async with gateway.db.reading() as reader:
        return int(await reader.value("select max(seq) from journal"))


async def test_a_project_admin_verifies_the_project_only(gateway: Gateway) -> None:
    project, _, run = await gateway.scene()
    admin = await gateway.person("eve", member_of=project, member_as="admin")
    assert (await gateway.get(f"/audit/verify?stream=run:{run.id}", admin)).status_code == 200
    assert (await gateway.get(f"/audit/verify?stream=user:{admin.user.id}", admin)).status_code == 404


async def test_the_system_page_shows_queues_workers_limits_and_incidents(gateway: Gateway, clock: FakeClock) -> None:
    owner = await gateway.person(role="owner")
    _, repository, _ = await gateway.scene()
    await gateway.webhook(repository, {})
    async with gateway.db.transaction() as tx:
        await attempt_rows.worker_beat(tx, "w1", clock.now())
        await tx.execute(
            "insert into provider_limits (installation_id, bucket, cause, updated_at)"
            " values ('token:1', 'core', 'primary', %(now)s)",
            now=clock.now(),
        )
        await incidents.report(tx, level="error", source="test", code="broken", message="it broke", now=clock.now())
    system = (await gateway.get("/system", owner)).json()
    assert system["db_schema"]["database"] == system["db_schema"]["program"]
    assert ([item["id"] for item in system["workers"]], system["processes"]) == (["w1"], [])
    assert (system["deliveries"]["pending"], system["deliveries"]["dead"]) == (1, 0)
    assert (system["queues"]["runs_queued"], system["incidents_open"]) == (1, {"error": 1})
    assert [(item["bucket"], item["cause"]) for item in system["forge_limits"]] == [("core", "primary")]


async def test_processes_say_that_they_live_with_version_and_figures(gateway: Gateway, clock: FakeClock) -> None:
    owner, platform = await gateway.person(role="owner"), gateway.platform
    presence = [
        Presence(kind, "1.2.3", db=gateway.db, clock=clock, metrics=platform.metrics) for kind in ("gateway", "worker")
    ]
    platform.metrics.journal_reader_lag_seconds.set(0.25)
    platform.metrics.realtime_sockets.set(3)
    for one in presence:
        await one.beat()
    system = (await gateway.get("/system", owner)).json()
    assert [(item["kind"], item["version"], item["alive"]) for item in system["processes"]] == [
        ("gateway", "1.2.3", True),
        ("worker", "1.2.3", True),
    ]
    assert (system["processes"][0]["sockets"], system["feed_lag_ms"]) == (3, 250)
    clock.advance(timedelta(seconds=61))
    await presence[0].beat()
    alive = {item["kind"]: item for item in (await gateway.get("/system", owner)).json()["processes"]}
    assert (alive["gateway"]["missed_at"], alive["worker"]["alive"]) == (None, False)
    assert alive["worker"]["missed_at"] is not None
    await presence[1].leave()
    assert [item["kind"] for item in (await gateway.get("/system", owner)).json()["processes"]] == ["gateway"]
    clock.advance(timedelta(days=1, seconds=1))
    await presence[1].beat()
    assert [item["kind"] for item in (await gateway.get("/system", owner)).json()["processes"]] == ["worker"]


async def test_the_figure_of_open_incidents_follows_the_rows(gateway: Gateway, clock: FakeClock) -> None:
    presence = Presence("gateway", "1", db=gateway.db, clock=clock, metrics=gateway.platform.metrics)
    async with gateway.db.transaction() as tx:
        await incidents.report(tx, level="error", source="test", code="broken", message="it broke", now=clock.now())
    await presence.beat()
    figures = gateway.platform.metrics.exposition()[1].decode()
    assert 'stagewright_incidents_open{level="error"} 1.0' in figures
    assert 'stagewright_incidents_open{level="critical"} 0.0' in figures


async def test_incidents_without_a_project_are_for_platform_admins(gateway: Gateway, clock: FakeClock) -> None:
    project = await gateway.project()
    member, admin = await gateway.person("eve", member_of=project), await gateway.person("ann", role="admin")
    async with gateway.db.transaction() as tx:
        for place, level in ((project.id, "error"), (None, "warning")):
            await incidents.report(
                tx, level=level, source="test", code="broken", message="it broke", project_id=place, now=clock.now()
            )
    seen = (await gateway.get("/incidents", member)).json()["items"]
    assert [item["project_id"] for item in seen] == [str(project.id)]
    every = (await gateway.get("/incidents?limit=1", admin)).json()
    rest = (await gateway.get(f"/incidents?limit=1&cursor={every['next_cursor']}", admin)).json()
    (alone,) = [item for item in every["items"] + rest["items"] if item["project_id"] is None]
    assert (await gateway.get(f"/incidents/{alone['id']}", member)).status_code == 404
    assert (await gateway.get(f"/incidents/{alone['id']}", admin)).status_code == 200
    filtered = (await gateway.get("/incidents?level=warning&state=open&source=test", admin)).json()["items"]
    assert [item["id"] for item in filtered] == [alone["id"]]


async def test_a_client_learns_version_enumerations_and_interface(gateway: Gateway) -> None:
    person = await gateway.person()
    meta = (await gateway.get("/meta", person)).json()
    assert meta["enums"]["run_status"] == [status.value for status in RunStatus]
    assert meta["enums"]["wait_reason"] == ["approval", "question", "owner_review", "rate_limit", "budget"]
    assert meta["enums"]["incident_level"] == ["critical", "error", "warning"]
    assert (meta["embedded"], meta["default_locale"]) == (False, "en")
    told = (await gateway.get("/openapi.json", person)).json()
    assert told["paths"] == {path: DOCUMENT["paths"][path] for path in told["paths"]}
    assert {path for path in DOCUMENT["paths"] if path not in told["paths"]} <= {  # without an OAuth client
        "/auth/github/login",
        "/auth/github/callback",
    }


async def test_screens_are_those_that_are_served_and_permitted(gateway: Gateway) -> None:
    project = await gateway.project()

    async def screens(**who: Any) -> set[str]:
        return set((await gateway.get("/meta", await gateway.person(**who))).json()["features"])

    member = await screens(name="eve", member_of=project, member_as="read_write")
    assert {"runs", "waits", "projects", "repositories", "members", "errors", "profile"} <= member
    assert not member & {"audit", "about", "settings", "users", "cluster", "docsets", "databases", "deploy"}
    assert await screens(name="bob", member_of=project, member_as="admin") == member | {"audit"}
    owner = await screens(name="ann", role="owner")
    assert {"audit", "about"} <= owner - member
    assert owner >= member


async def test_health_needs_nothing_and_readiness_names_what_fails(gateway: Gateway) -> None:
    assert (await gateway.get("/healthz")).json() == {}
    assert (await gateway.get("/readyz")).json() == {"failed": []}
    async with gateway.db.transaction() as tx:
        await tx.execute("reset role")
        await tx.execute("delete from schema_migrations where number > 2")
        await tx.execute("set role stagewright_app")
    answer = await gateway.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"failed": ["schema"]})

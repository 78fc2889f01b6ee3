"""Stored settings: typed, versioned, journalled, seen by every process; and the switch that stops all writing."""

from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person
from tests.fakes.socket import listening

from stagewright.kit.db import Database
from stagewright.kit.settings.stored import StoredSettings
from stagewright.processes.stored_settings import STORED


@pytest.fixture
async def owner(gateway: Gateway) -> Person:
    return await gateway.person(role="owner")


async def change(gateway: Gateway, who: Person, key: str, value: Any, version: int = 0) -> Any:
    headers = {"If-Match": f'"{version}"'}
    return await gateway.call("PATCH", f"/settings/{key}", who, headers=headers, json={"value": value})


async def test_every_setting_shows_its_default_until_somebody_changes_it(gateway: Gateway, owner: Person) -> None:
    found = (await gateway.get("/settings", owner)).json()["items"]
    assert [item["key"] for item in found] == sorted(STORED)
    assert all(item["is_default"] and item["value"] == item["default"] for item in found)
    assert all((item["version"], item["updated_by"]) == (0, None) for item in found)
    one = await gateway.get("/settings/retention.incidents", owner)
    assert (one.json()["value"], one.headers["etag"]) == ("90d", '"0"')
    assert (await gateway.get("/settings/colour", owner)).json()["code"] == "setting.not_found"


async def test_a_change_keeps_who_what_and_before_and_can_be_undone(gateway: Gateway, owner: Person) -> None:
    changed = await change(gateway, owner, "default_locale", "ru")
    assert (changed.status_code, changed.headers["etag"]) == (200, '"1"')
    assert (changed.json()["value"], changed.json()["updated_by"]) == ("ru", str(owner.user.id))
    assert (await gateway.get("/meta", owner)).json()["default_locale"] == "ru"
    stale = await change(gateway, owner, "default_locale", "en")
    assert (stale.status_code, stale.json()["code"]) == (412, "version.mismatch")
    unversioned = await gateway.call("PATCH", "/settings/default_locale", owner, json={"value": "en"})
    assert unversioned.status_code == 428
    reset = await gateway.post("/settings/default_locale:reset", owner, headers={"If-Match": '"1"'})
    assert (reset.json()["value"], reset.json()["is_default"], reset.json()["version"]) == ("en", True, 2)
    assert (await gateway.get("/meta", owner)).json()["default_locale"] == "en"
    async with gateway.db.reading() as reader:
        kept = await reader.all(lambda row: (row["before"], row["after"]), "select * from setting_changes order by id")
    assert kept == [("en", "ru"), ("ru", "en")]


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("read_only", "true", "without quotes"),
        ("default_locale", "fr", "en, ru"),
        ("retention.incidents", "1h", "from 1 day"),
        ("retention.incidents", "soon", "write a duration"),
        ("retention.incidents", 90, "write a duration"),
    ],
)
async def test_a_value_of_another_kind_is_refused_with_what_to_write(
    gateway: Gateway, owner: Person, key: str, value: Any, hint: str
) -> None:
    answer = await change(gateway, owner, key, value)
    assert (answer.status_code, answer.json()["code"]) == (400, "setting.invalid")
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/value"
    assert hint in error["message"]


async def test_the_last_event_of_a_setting_is_the_frame_of_its_view(gateway: Gateway, owner: Person) -> None:
    for version, value in enumerate(("30d", None)):
        await change(gateway, owner, "retention.incidents", value, version)
        sql = "select body, kind from journal where stream = 'setting:retention.incidents' order by seq desc limit 1"
        async with gateway.db.reading() as reader:
            row = await reader.find(lambda row: row, sql)
        assert row is not None
        view = (await gateway.get("/settings/retention.incidents", owner)).json()
        body = {name: item for name, item in row["body"].items() if name != "v"}
        assert (row["kind"], set(view) - set(body)) == ("setting.changed", {"allowed_actions"})
        assert body == {name: view[name] for name in body}


async def test_read_only_refuses_writes_and_leaves_what_is_personal(gateway: Gateway, owner: Person) -> None:
    project = await gateway.project()
    member = await gateway.person("eve", member_of=project, member_as="admin")
    assert (await change(gateway, owner, "read_only", True)).status_code == 200
    for who in (owner, member):
        path, headers = f"/projects/{project.id}", {"If-Match": f'"{project.version}"'}
        answer = await gateway.call("PATCH", path, who, headers=headers, json={"name": "Other"})
        assert (answer.status_code, answer.json()["code"]) == (422, "settings.read_only")
    assert (await gateway.post("/projects", owner, {"key": "new", "name": "New"})).status_code == 422
    assert (await gateway.get("/projects", member)).status_code == 200
    assert (await gateway.post("/incidents:view-all", member)).status_code == 200
    assert (await gateway.post("/realtime/poll", member, {"topics": []})).status_code == 200
    assert (await change(gateway, member, "read_only", False, 1)).status_code == 403
    assert (await change(gateway, owner, "read_only", False, 1)).status_code == 200
    assert (await gateway.post("/projects", owner, {"key": "new", "name": "New"})).status_code == 201


async def test_another_process_sees_a_change_within_two_seconds_or_at_the_bell(
    gateway: Gateway, owner: Person, db: Database, clock: FakeClock
) -> None:
    other = StoredSettings(db, STORED, clock)
    assert await other.get("read_only") is False
    await change(gateway, owner, "read_only", True)
    assert await other.get("read_only") is False
    clock.advance(timedelta(seconds=3))
    assert await other.is_on("read_only")
    await change(gateway, owner, "read_only", False, 1)
    other.forget()
    assert not await other.is_on("read_only")
    assert await other.length("retention.incidents") == timedelta(days=90)


async def test_what_was_missed_is_sent_for_as_long_as_the_setting_says(
    gateway: Gateway, owner: Person, clock: FakeClock
) -> None:
    async def since(cursor: str | None) -> Any:
        body = {"last_event_id": cursor, "topics": ["projects"]}
        return (await gateway.post("/realtime/poll", owner, body)).json()

    cursor = (await since(None))["cursor"]
    await gateway.project()
    clock.advance(timedelta(hours=2))
    assert len((await since(cursor))["frames"]) == 1
    assert (await change(gateway, owner, "retention.replay", "30m")).status_code == 400
    assert (await change(gateway, owner, "retention.replay", "1h")).status_code == 200
    late = await since(cursor)
    assert (late["frames"], late["resync"]["reason"]) == ([], "too_old")
    async with listening(gateway) as server, server.open(owner) as client:
        await client.hello("projects", last_event_id=cursor)
        assert (await client.heard("resync"))["reason"] == "too_old"
    await change(gateway, owner, "retention.replay", "48h", 1)
    clock.advance(timedelta(hours=30))
    assert len((await since(cursor))["frames"]) == 1

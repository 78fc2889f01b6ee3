"""What the feed carries of a resource is what REST shows of it: the last event's body is a part of a fresh view."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person

from stagewright.contexts.runs.model import WaitKind
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import links as link_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import moves
from stagewright.contexts.runs.usecases.cancel import cancel_run
from stagewright.contexts.runs.usecases.waits import resume_ready, wait_for_limit

BODY_LIMIT = 16 * 1024
A_LINK = {
    "pr_number": 7,
    "issue_number": 1,
    "stage": "dev",
    "branch": "run/1",
    "base_branch": "main",
    "head_sha": "a" * 40,
    "url": "https://forge.test/acme/shop/pull/7",
    "origin": "platform",
}
LAST = """
select body, octet_length(body::text) as size from journal where stream = %(stream)s and body ? %(word)s
order by seq desc limit 1
"""


async def last(gateway: Gateway, stream: str, word: str = "version") -> dict[str, Any]:
    """Return the last frame of a stream, without the number of its form."""
    async with gateway.db.reading() as reader:
        row = await reader.find(lambda row: row, LAST, stream=stream, word=word)
    assert row is not None, f"nothing on {stream}"
    assert row["size"] <= BODY_LIMIT
    body = dict(row["body"])
    assert body.pop("v") == 1
    return body


def held(body: Mapping[str, Any], view: Mapping[str, Any], *, beside: frozenset[str] = frozenset()) -> None:
    """Fail unless every field of ``body`` but those ``beside`` the frame is in ``view``, and equal."""
    frame = {name: value for name, value in body.items() if name not in beside}
    assert frame == {name: view.get(name, "is not in the view") for name in frame}


async def view(gateway: Gateway, who: Person, path: str) -> dict[str, Any]:
    answer = await gateway.get(path, who)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_frames_of_projects_and_repositories(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    project = await gateway.project()
    repository = await gateway.repository(project)
    path = f"/projects/{project.id}"
    held(await last(gateway, f"project:{project.id}"), await view(gateway, owner, path))
    await gateway.call("PATCH", path, owner, headers={"If-Match": '"1"'}, json={"name": "Store", "weight": 3})
    held(await last(gateway, f"project:{project.id}"), await view(gateway, owner, path))
    shown = await view(gateway, owner, f"{path}/repositories/{repository.id}")
    held(await last(gateway, f"repository:{repository.id}"), shown)


async def test_frames_of_a_run_through_its_life(gateway: Gateway, clock: FakeClock) -> None:
    owner = await gateway.person(role="owner")
    _, _, run = await gateway.scene()
    stream, path = f"run:{run.id}", f"/runs/{run.id}"
    held(await last(gateway, stream), await view(gateway, owner, path))
    clock.advance(timedelta(minutes=1))
    async with gateway.db.transaction() as tx:
        locked = await run_rows.lock(tx, run.id)
        resume_at = clock.now() + timedelta(minutes=10)
        await wait_for_limit(tx, locked, bucket="core", resume_at=resume_at, now=clock.now())
    body = await last(gateway, stream)
    held(body, await view(gateway, owner, path), beside=frozenset({"waits"}))
    (wait,) = (await view(gateway, owner, "/waits"))["items"]
    held(body["wait"], wait)
    assert (body["waits"], body["version"]) == ([body["wait"]], wait["version"])
    clock.advance(timedelta(minutes=1))
    async with gateway.db.transaction() as tx:
        await moves.fail(tx, await run_rows.lock(tx, run.id), "rate_limit_exhausted", now=clock.now(), detail="limit")
    held(await last(gateway, stream), await view(gateway, owner, path))
    assert (await view(gateway, owner, path))["status"] == "failed"
    async with gateway.db.reading() as reader:
        assert await attempt_rows.find_newest(reader, run.id) is None


async def test_frames_of_waits_opened_together_and_closed_one_after_the_other(
    gateway: Gateway, clock: FakeClock
) -> None:
    owner = await gateway.person(role="owner")
    _, _, run = await gateway.scene()
    stream, path = f"run:{run.id}", f"/runs/{run.id}"
    async with gateway.db.transaction() as tx:
        locked = await run_rows.lock(tx, run.id)
        for bucket in ("core", "search"):
            await moves.open_wait(
                tx,
                locked,
                WaitKind.RATE_LIMIT,
                target_kind="provider",
                target_id=bucket,
                who_can_act="nobody",
                now=clock.now(),
                resume_at=clock.now() + timedelta(hours=1),
            )
        await moves.pause(tx, locked, now=clock.now())
    body = await last(gateway, stream)
    listed = (await view(gateway, owner, "/waits"))["items"]
    for frame, wait in zip(body["waits"], listed, strict=True):
        held(frame, wait)
    for wait in listed:
        clock.advance(timedelta(seconds=1))
        assert (await gateway.post(f"/waits/{wait['id']}:retry", owner)).status_code == 200
    async with gateway.db.transaction() as tx:
        assert await resume_ready(tx, now=clock.now()) == 1
    body = await last(gateway, stream)
    held(body, await view(gateway, owner, path), beside=frozenset({"waits", "waited_seconds"}))
    assert body["wait"] is None
    assert [(item["id"], item["status"]) for item in body["waits"]] == [(wait["id"], "resolved") for wait in listed]
    assert body["version"] > listed[0]["version"]


async def test_a_frame_carries_the_pull_request_of_its_run(gateway: Gateway, clock: FakeClock) -> None:
    owner = await gateway.person(role="owner")
    _, repository, run = await gateway.scene()
    async with gateway.db.transaction() as tx:
        await tx.execute("update runs set pr_number = 7 where id = %(run)s", run=run.id)
        await link_rows.upsert(tx, A_LINK | {"repository_id": repository.id, "run_id": run.id, "now": clock.now()})
        await cancel_run(tx, run.id, cause="person", clock=clock)
    body, shown = await last(gateway, f"run:{run.id}"), await view(gateway, owner, f"/runs/{run.id}")
    held(body, shown)
    assert (body["pull_request"]["pr_number"], body["status"]) == (7, "cancelled")


async def test_frames_of_people_and_members(gateway: Gateway) -> None:
    owner, project = await gateway.person(role="owner"), await gateway.project()
    invited = await gateway.post("/users", owner, {"email": "eve@example.test", "display_name": "Eve"})
    assert invited.status_code == 201, invited.text
    user = invited.json()["id"]
    (shown,) = [item for item in (await view(gateway, owner, "/users"))["items"] if item["id"] == user]
    held(await last(gateway, f"user:{user}", "access_version"), shown)
    body = {"user_id": user, "role": "read"}
    assert (await gateway.post(f"/projects/{project.id}/members", owner, body)).status_code == 201
    members = (await view(gateway, owner, f"/projects/{project.id}/members"))["items"]
    held(await last(gateway, f"project:{project.id}", "user_id"), members[0])

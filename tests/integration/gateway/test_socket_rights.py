"""Rights at the socket: who loses them gets no frame after that, and hears why."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person
from tests.fakes.socket import Client, Listening, listening
from websockets.exceptions import InvalidStatus

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.events import AccessChanged, MemberRemoved, MemberRoleChanged
from stagewright.contexts.identity.model import Membership, ProjectRole, SessionEnd, UserState
from stagewright.contexts.identity.usecases.sessions import end_sessions
from stagewright.contexts.projects.api import Project
from stagewright.contexts.runs import api as runs
from stagewright.contexts.runs.events import ResultChecked
from stagewright.kit.db import Tx


async def remove_member(tx: Tx, project: Project, person: Person) -> None:
    """Take the person out of the project, as the members' screen does."""
    await tx.execute(
        "delete from memberships where project_id = %(project)s and user_id = %(user)s",
        project=project.id,
        user=person.user.id,
    )
    tx.publish(MemberRemoved(membership=Membership(project.id, person.user.id, ProjectRole.READ)))


async def note(tx: Tx, run: runs.Run, value: Any) -> None:
    tx.publish(ResultChecked(run=run, extra={"value": value}))


async def passing(clock: FakeClock, time: timedelta) -> None:
    """Let time pass in one leap, and the feed's loops look once after it."""
    clock.advance(time)
    await clock.run(timedelta(seconds=3))


async def ended_by_time(client: Client, clock: FakeClock) -> int | None:
    """Let seconds pass until the socket is closed: asking who is there takes the database a while."""
    await clock.until(lambda: client.connection.close_code is not None)
    return client.connection.close_code


def seen(client: Client) -> list[Any]:
    return [frame["data"]["value"] for frame in client.frames() if "value" in frame["data"]]


async def test_a_removed_member_gets_no_frame_after_the_removal(server: Listening) -> None:
    gateway = server.gateway
    project, repository, run = await gateway.scene()
    person = await gateway.person("eve", member_of=project)
    async with server.open(person) as client:
        await client.hello("runs", f"run:{run.id}", f"run.logs:{run.id}:engine")
        async with gateway.db.transaction() as tx:
            await note(tx, run, "before")
        await client.until(lambda: seen(client) == ["before"])
        async with gateway.db.transaction() as tx:
            await remove_member(tx, project, person)
            await note(tx, run, "in the same commit")
        for value in range(5):
            async with gateway.db.transaction() as tx:
                await note(tx, run, value)
        await gateway.run(repository, 9)
        lost = {f"run:{run.id}", f"run.logs:{run.id}:engine"}
        await client.until(lambda: {item["topic"] for item in client.said if item["op"] == "error"} == lost)
        resync = await client.heard("resync")
        assert (resync["reason"], resync["topics"]) in (("access_changed", ["runs"]), ("access_changed", "all"))
        await server.settled()
        ack = await client.sub(1, f"run:{run.id}")
        assert ack["refused"] == [{"topic": f"run:{run.id}", "code": "not_found"}]
        assert seen(client) == ["before"]
        assert not any(frame["data"].get("issue_number") == 9 for frame in client.frames("runs"))


async def test_a_batch_of_many_pages_is_handed_out_under_the_rights_after_it(server: Listening) -> None:
    gateway = server.gateway
    project, _, run = await gateway.scene()
    person = await gateway.person("eve", member_of=project)
    async with server.open(person) as client:
        await client.hello(f"run:{run.id}")
        async with gateway.db.transaction() as tx:
            await tx.execute(
                "insert into journal (seq, at, topic, stream, correlation_id, actor_kind, actor, kind, body, prev_hash,"
                " hash) select nextval('journal_seq'), now(), 'runs', %(stream)s, 'x', 'system', 'x',"
                " 'run.result.checked', '{\"value\": 1}', '', '' from generate_series(1, 4100) n",
                stream=f"run:{run.id}",
            )
            await remove_member(tx, project, person)
        await server.settled()
        await client.heard("error")
        assert seen(client) == []


async def test_a_lowered_role_changes_what_may_be_done_at_once(server: Listening, clock: FakeClock) -> None:
    gateway = server.gateway
    project, repository, _ = await gateway.scene()
    person = await gateway.person("eve")
    async with gateway.db.transaction() as tx:
        await identity.set_member(tx, project.id, person.user.id, ProjectRole.READ_WRITE, now=clock.now())
    await server.settled()
    async with server.open(person) as client:
        await client.hello("runs")
        await gateway.run(repository, 2)
        await client.until(lambda: len(client.frames()) == 1)
        async with gateway.db.transaction() as tx:
            await identity.set_member(tx, project.id, person.user.id, ProjectRole.READ, now=clock.now())
        assert (await client.heard("resync"))["reason"] == "access_changed"
        await gateway.run(repository, 3)
        await client.until(lambda: len(client.frames()) == 2)
        modes = [frame["data"]["allowed_actions"][0]["mode"] for frame in client.frames()]
        assert modes == ["allow", "deny"]


async def test_a_revoked_token_ends_its_sockets_and_no_others(server: Listening, clock: FakeClock) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    person = await gateway.person(role="owner")
    other = replace(person, token=await gateway.token(person, "read"))
    async with server.open(person) as ended, server.open(other) as lives:
        await ended.hello(f"run:{run.id}")
        await lives.hello(f"run:{run.id}")
        async with gateway.db.transaction() as tx:
            tokens = await identity.list_tokens(tx, person.user.id)
            mine = (await identity.authenticate_token(tx, person.token, now=clock.now(), embedded=False)).token_id
            assert mine in [item.id for item in tokens]
            assert mine is not None
            await identity.revoke_token(tx, person.user, mine, now=clock.now())
            await note(tx, run, 1)
        assert await ended.closed() == 4401
        await lives.until(lambda: seen(lives) == [1])
        assert seen(ended) == []


async def test_a_disabled_person_is_signed_out(server: Listening) -> None:
    gateway = server.gateway
    person = await gateway.person("eve")
    async with server.open(person) as client:
        await client.hello()
        async with gateway.db.transaction() as tx:
            await tx.execute("update users set state = 'disabled' where id = %(id)s", id=person.user.id)
            tx.publish(AccessChanged(user=replace(person.user, state=UserState.DISABLED)))
        assert await client.closed() == 4401


async def test_a_token_that_expires_ends_its_socket(gateway: Gateway, clock: FakeClock) -> None:
    person = await gateway.person(role="owner")
    short = replace(person, token=await gateway.token(person, "read", life=timedelta(hours=1)))
    async with listening(gateway) as server, server.open(short) as client:
        await client.hello()
        await passing(clock, timedelta(minutes=59))
        assert client.connection.close_code is None
        await passing(clock, timedelta(minutes=2))
        assert await ended_by_time(client, clock) == 4401


async def test_a_change_nobody_told_of_is_found_within_a_minute(server: Listening, clock: FakeClock) -> None:
    gateway = server.gateway
    project, _, run = await gateway.scene()
    person = await gateway.person("eve", member_of=project)
    async with server.open(person) as client:
        await client.hello(f"run:{run.id}")
        async with gateway.db.transaction() as tx:
            await tx.execute("delete from memberships where user_id = %(user)s", user=person.user.id)
        begun = clock.now()
        await clock.until(lambda: client.told("error"))
        assert clock.now() - begun <= timedelta(seconds=62)
        assert (await client.heard("error"))["code"] == "forbidden"


async def test_another_role_event_of_the_same_rights_changes_nothing(server: Listening) -> None:
    gateway = server.gateway
    project, _, run = await gateway.scene()
    person = await gateway.person("eve", member_of=project)
    async with server.open(person) as client:
        await client.hello("runs", f"run:{run.id}")
        async with gateway.db.transaction() as tx:
            tx.publish(MemberRoleChanged(membership=Membership(project.id, person.user.id, ProjectRole.READ)))
            await note(tx, run, 1)
        await client.until(lambda: seen(client) == [1])
        assert {item["op"] for item in client.said} <= {"ready", "events"}


class TestBrowsers:
    async def test_a_session_opens_a_socket_from_our_own_page_only(self, server: Listening) -> None:
        gateway = server.gateway
        visitor = await gateway.visitor(await gateway.person("eve"))
        async with server.open(visitor) as client:
            assert (await client.hello(f"inbox:{visitor.user.id}"))["refused"] == []
        for origin in ("https://evil.test", "null", "http://stagewright.test"):
            with pytest.raises(InvalidStatus) as error:
                async with server.open(visitor, origin=origin):
                    raise AssertionError("the socket was opened")
            assert error.value.response.status_code == 403

    async def test_a_revoked_session_is_signed_out_at_once(self, server: Listening, clock: FakeClock) -> None:
        gateway = server.gateway
        _, _, run = await gateway.scene()
        person = await gateway.person(role="owner")
        one, other = await gateway.visitor(person), await gateway.visitor(person)
        async with server.open(one) as ended, server.open(other) as lives:
            await ended.hello(f"run:{run.id}")
            await lives.hello(f"run:{run.id}")
            async with gateway.db.transaction() as tx:
                await end_sessions(
                    tx, person.user.id, reason=SessionEnd.REVOKED, now=clock.now(), session_id=one.session_id
                )
                await note(tx, run, 1)
            assert await ended.closed() == 4401
            await lives.until(lambda: seen(lives) == [1])
            assert seen(ended) == []

    async def test_a_socket_does_not_keep_its_session_alive(self, gateway: Gateway, clock: FakeClock) -> None:
        visitor = await gateway.visitor(await gateway.person("eve"))
        async with listening(gateway) as server, server.open(visitor) as client:
            await client.hello()
            await passing(clock, gateway.platform.settings.session_idle + timedelta(minutes=1))
            assert await ended_by_time(client, clock) == 4401

    async def test_a_session_that_is_used_keeps_its_socket(self, gateway: Gateway, clock: FakeClock) -> None:
        visitor = await gateway.visitor(await gateway.person("eve"))
        async with listening(gateway) as server, server.open(visitor) as client:
            await client.hello()
            await passing(clock, gateway.platform.settings.session_idle - timedelta(minutes=2))
            assert (await gateway.get("/me", visitor)).status_code == 200
            await passing(clock, timedelta(minutes=4))
            await client.sub(1)
            assert client.connection.close_code is None


async def test_a_token_without_the_scope_to_read_gets_no_socket(server: Listening) -> None:
    person = await server.gateway.person("eve")
    blind = replace(person, token=await server.gateway.token(person, "manage"))
    async with server.open(blind) as client:
        assert await client.closed() == 4403

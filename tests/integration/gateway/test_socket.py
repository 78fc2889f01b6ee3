"""The realtime socket over a real connection: greeting, frames, what was missed, what the protocol refuses."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person
from tests.fakes.socket import Listening, listening
from tests.integration.gateway.notes import note, values
from websockets.exceptions import InvalidStatus

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.projects.api import Project
from stagewright.contexts.projects.events import ProjectChangedEvent
from stagewright.contexts.runs.usecases.cancel import cancel_run
from stagewright.processes.gateway.realtime import Limits
from stagewright.processes.gateway.realtime.coalescing import SILENCE


async def change(gateway: Gateway, project: Project, *versions: int) -> None:
    """Journal versions of the project, each in its own transaction."""
    for version in versions:
        async with gateway.db.transaction() as tx:
            tx.publish(ProjectChangedEvent(project=replace(project, version=version)))


async def test_a_socket_is_greeted_and_told_what_happens(server: Listening, clock: FakeClock) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    await server.settled()
    async with server.open(owner) as client:
        ready = await client.hello("runs", f"run:{run.id}", "weather", "deploys")
        assert ready["topics"] == ["runs", f"run:{run.id}"]
        assert ready["refused"] == [
            {"topic": "weather", "code": "topic.unknown"},
            {"topic": "deploys", "code": "topic.unavailable"},
        ]
        assert (ready["behind"], ready["server_time"]) == (0, clock.now().isoformat())
        async with gateway.db.transaction() as tx:
            await cancel_run(tx, run.id, cause="person", clock=clock)
        await client.until(lambda: len(client.frames(f"run:{run.id}")) == 2)
        assert [frame["kind"] for frame in client.frames("runs")] == ["run.cancel.requested"]


async def test_a_frame_of_the_socket_is_the_one_of_the_poll(server: Listening) -> None:
    gateway = server.gateway
    project, repository, _ = await gateway.scene()
    reader = await gateway.person("eve", member_of=project)
    await server.settled()
    async with server.open(reader) as client:
        ready = await client.hello("runs")
        run = await gateway.run(repository, 2)
        await client.until(lambda: client.frames() != [])
        body = {"last_event_id": ready["cursor"], "topics": ["runs"]}
        polled = (await gateway.post("/realtime/poll", reader, body)).json()
        assert client.frames() == polled["frames"]
        (frame,) = client.frames()
        view = (await gateway.get(f"/runs/{run.id}", reader)).json()
        assert frame["data"]["allowed_actions"] == view["allowed_actions"]
        assert frame["version"] == view["version"]


async def test_readers_of_unequal_rights_get_their_own_actions(server: Listening) -> None:
    gateway = server.gateway
    project, repository, _ = await gateway.scene()
    reader, owner = await gateway.person("eve", member_of=project), await gateway.person(role="owner")
    await server.settled()
    async with server.open(reader) as first, server.open(owner) as second:
        await asyncio.gather(first.hello("runs"), second.hello("runs"))
        await gateway.run(repository, 2)
        for client, mode in ((first, "deny"), (second, "allow")):
            await client.until(lambda client=client: client.frames() != [])  # type: ignore[misc]
            assert client.frames()[0]["data"]["allowed_actions"][0]["mode"] == mode


async def test_incidents_and_settings_carry_what_the_reader_may_do(server: Listening, clock: FakeClock) -> None:
    gateway = server.gateway
    project = await gateway.project()
    reader, owner = await gateway.person("eve", member_of=project), await gateway.person(role="owner")
    await server.settled()
    async with server.open(reader) as first, server.open(owner) as second:
        await first.hello("incidents")
        ready = await second.hello("incidents", "settings")
        async with gateway.db.transaction() as tx:
            for place in (project.id, None):
                await incidents.report(
                    tx, level="error", source="t", code="broken", message="no", project_id=place, now=clock.now()
                )
        path, value = "/settings/retention.incidents", {"value": "30d"}
        await gateway.call("PATCH", path, owner, headers={"If-Match": '"0"'}, json=value)
        await second.until(lambda: len(second.frames()) == 3)
        asked = {"last_event_id": ready["cursor"], "topics": ["incidents", "settings"]}
        assert (await gateway.post("/realtime/poll", owner, asked)).json()["frames"] == second.frames()
        await first.until(lambda: first.frames() != [])
        for client, who in ((first, reader), (second, owner)):
            for frame in client.frames():
                view = (await gateway.get(f"/{frame['topic']}/{frame['key']}", who)).json()
                assert frame["data"]["allowed_actions"] == view["allowed_actions"]
                assert frame["version"] == view["version"]
        modes = [{item["verb"]: item["mode"] for item in frame["data"]["allowed_actions"]} for frame in first.frames()]
        assert [mode["mute"] for mode in modes] == ["deny"]


async def test_frames_of_other_projects_never_come(server: Listening) -> None:
    gateway = server.gateway
    _, repository, _ = await gateway.scene()
    mine = await gateway.project("mine")
    me = await gateway.person("eve", member_of=mine)
    await server.settled()
    async with server.open(me) as client:
        await client.hello("runs", "projects", "incidents", "waits")
        await gateway.run(repository, 2)
        await change(gateway, mine, 2)
        await client.until(lambda: client.frames() != [])
        assert [frame["key"] for frame in client.frames()] == [str(mine.id)]


async def test_topics_one_may_not_have_are_refused_like_unknown_ones(server: Listening) -> None:
    gateway = server.gateway
    project, repository, run = await gateway.scene()
    stranger = await gateway.person("eve")
    hidden = [f"run:{run.id}", f"repository:{repository.id}", f"members:{project.id}", "issue:acme/shop#1"]
    unknown = [f"run:{uuid4()}", "run:7", f"inbox:{uuid4()}", "issue:acme/none#1", f"run.logs:{run.id}:engine"]
    async with server.open(stranger) as client:
        ready = await client.hello(*hidden, *unknown, "audit", "users", "settings", "system")
        assert ready["topics"] == []
        assert [item["code"] for item in ready["refused"]] == ["not_found"] * 9 + ["forbidden"] * 4


async def test_every_topic_of_this_release_is_given_to_the_owner(server: Listening) -> None:
    gateway = server.gateway
    project, repository, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    topics = ["runs", "waits", "projects", "incidents", "agents", "labels", "audit", "users", "settings", "system"]
    topics += [f"run:{run.id}", f"repository:{repository.id}", f"members:{project.id}", "issue:acme/shop#1"]
    topics += [f"inbox:{owner.user.id}", f"run.logs:{run.id}:engine"]
    async with server.open(owner) as client:
        ready = await client.hello(*topics)
        assert (ready["topics"], ready["refused"]) == (topics, [])


async def test_an_issue_is_followed_by_its_name(server: Listening) -> None:
    gateway = server.gateway
    project, repository, _ = await gateway.scene()
    reader = await gateway.person("eve", member_of=project)
    async with server.open(reader) as client:
        await client.hello("issue:acme/shop#5")
        await gateway.run(repository, 4)
        run = await gateway.run(repository, 5)
        await client.until(lambda: client.frames() != [])
        assert [(frame["topic"], frame["key"]) for frame in client.frames()] == [("issue:acme/shop#5", str(run.id))]


class TestLists:
    async def test_a_change_after_silence_comes_at_once_and_then_only_the_last(
        self, server: Listening, clock: FakeClock
    ) -> None:
        gateway = server.gateway
        project = await gateway.project()
        owner = await gateway.person(role="owner")
        await server.settled()
        async with server.open(owner) as client:
            ready = await client.hello("projects")
            await change(gateway, project, 2)
            await client.until(lambda: len(client.frames()) == 1)
            covered = client.cursor
            await change(gateway, project, 3, 4)
            await change(gateway, other := await gateway.project("other"), 2)
            await client.until(lambda: len(client.frames()) == 2)
            assert covered != ready["cursor"]
            assert client.cursor == covered, "the cursor waits for versions that are held back"
            await clock.until(lambda: len(client.frames()) >= 4, SILENCE)
            mine = [frame["version"] for frame in client.frames() if frame["key"] == str(project.id)]
            assert mine == [2, 4]
            assert [frame["version"] for frame in client.frames() if frame["key"] == str(other.id)][-1] == 2
            assert client.cursor != covered

    async def test_a_socket_that_comes_back_gets_the_last_version_of_each_key(self, server: Listening) -> None:
        gateway = server.gateway
        project = await gateway.project()
        owner = await gateway.person(role="owner")
        async with server.open(owner) as client:
            cursor = (await client.hello())["cursor"]
        await change(gateway, project, 2, 3, 4)
        await server.settled()
        async with server.open(owner) as client:
            ready = await client.hello("projects", last_event_id=cursor)
            await client.until(lambda: client.frames() != [])
            assert [frame["version"] for frame in client.frames()] == [4]
            assert (ready["behind"], ready["cursor"]) == (1, cursor)


class TestMissed:
    async def test_what_was_missed_comes_from_memory_or_from_the_journal(self, gateway: Gateway) -> None:
        _, _, run = await gateway.scene()
        owner = await gateway.person(role="owner")
        topic = f"run:{run.id}"
        old = (await gateway.post("/realtime/poll", owner, {})).json()["cursor"]
        await note(gateway, run, 1, 2)
        async with listening(gateway) as server:
            async with server.open(owner) as client:
                young = (await client.hello())["cursor"]
            await note(gateway, run, 3)
            await server.settled()
            for cursor, expected in ((old, [1, 2, 3, 4]), (young, [3, 4])):
                async with server.open(owner) as client:
                    ready = await client.hello(topic, last_event_id=cursor)
                    assert ready["behind"] == (3 if cursor == old else 2)
                    if cursor == old:
                        await note(gateway, run, 4)
                    await client.until(lambda client=client: 4 in values(client.frames(topic)))  # type: ignore[misc]
                    assert values(client.frames(topic)) == expected

    async def test_hello_at_every_batch_border_gets_exactly_the_rest(self, server: Listening) -> None:
        gateway = server.gateway
        _, _, run = await gateway.scene()
        owner = await gateway.person(role="owner")
        topic, cursors = f"run:{run.id}", list[tuple[str, list[int]]]()
        async with server.open(owner) as client:
            await client.hello(topic)
            for value in range(8):
                await note(gateway, run, value)
                await client.until(lambda value=value: value in values(client.frames()))  # type: ignore[misc]
                assert client.cursor is not None
                cursors.append((client.cursor, values(client.frames())))
        for cursor, seen in cursors:
            async with server.open(owner) as client:
                ready = await client.hello(topic, last_event_id=cursor)
                await client.until(lambda c=client, r=ready: len(c.frames()) >= r["behind"])  # type: ignore[misc]
                assert sorted(seen + values(client.frames())) == list(range(8))

    async def test_a_late_commit_of_a_lower_number_is_not_lost(self, server: Listening) -> None:
        gateway = server.gateway
        _, repository, run = await gateway.scene()
        other = await gateway.run(repository, 2)
        owner = await gateway.person(role="owner")
        async with server.open(owner) as client:
            await client.hello(f"run:{run.id}", f"run:{other.id}")
            async with gateway.db.transaction() as slow:
                seq = await slow.value("select nextval('journal_seq')")
                await note(gateway, other, "early")
                await client.until(lambda: values(client.frames()) == ["early"])
                middle = client.cursor
                await slow.execute(
                    "insert into journal (seq, at, topic, stream, correlation_id, actor_kind, actor, kind, body,"
                    " prev_hash, hash) values (%(seq)s, now(), 'runs', %(stream)s, 'x', 'system', 'x',"
                    " 'run.result.checked', '{\"value\": \"late\"}', '', '')",
                    seq=seq,
                    stream=f"run:{run.id}",
                )
            gateway.db.ring()
            await client.until(lambda: values(client.frames()) == ["early", "late"])
        async with server.open(owner) as client:
            await client.hello(f"run:{run.id}", last_event_id=middle)
            await client.until(lambda: values(client.frames()) == ["late"])

    async def test_a_topic_added_in_a_storm_gets_everything_after_its_answer(self, server: Listening) -> None:
        gateway = server.gateway
        _, _, run = await gateway.scene()
        owner, topic = await gateway.person(role="owner"), f"run:{run.id}"
        async with server.open(owner) as client:
            await client.hello()

            async def storm() -> None:
                for value in range(40):
                    await note(gateway, run, value)

            writing = asyncio.create_task(storm())
            await client.sub(1, topic)
            loaded = (await gateway.get(f"/runs/{run.id}/events", owner, params={"limit": 200})).json()["items"]
            await writing
            await client.until(lambda: 39 in values(client.frames()))
            by_rest = {item["data"]["value"] for item in loaded if "value" in item["data"]}
            assert by_rest | set(values(client.frames())) == set(range(40))
            assert values(client.frames()) == sorted(values(client.frames()))

    async def test_lost_bells_cost_only_time(self, server: Listening, clock: FakeClock, dsn: str) -> None:
        gateway = server.gateway
        _, _, run = await gateway.scene()
        owner = await gateway.person(role="owner")
        async with server.open(owner) as client:
            await client.hello(f"run:{run.id}")
            async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as owner_of_all:
                await owner_of_all.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'stagewright-bell' and datname = current_database()"
                )
            await note(gateway, run, 1)
            await clock.until(lambda: values(client.frames()) == [1])  # the slow timer, whatever happened to the bell


def forged(cursor: str, **changes: Any) -> str:
    payload = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return base64.urlsafe_b64encode(json.dumps(payload | changes).encode()).rstrip(b"=").decode()


class TestResync:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"e": str(uuid4())}, "epoch"),
            ({"s": "1:99999999999:"}, "epoch"),
            ({"t": "2020-01-01T00:00:00+00:00"}, "too_old"),
            ({"s": "garbage"}, "too_old"),
        ],
    )
    async def test_a_cursor_that_does_not_do_says_why_and_the_socket_lives(
        self, server: Listening, changes: dict[str, Any], reason: str
    ) -> None:
        gateway = server.gateway
        _, _, run = await gateway.scene()
        owner, topic = await gateway.person(role="owner"), f"run:{run.id}"
        async with server.open(owner) as client:
            cursor = (await client.hello())["cursor"]
        async with server.open(owner) as client:
            await client.hello(topic, last_event_id=forged(cursor, **changes))
            resync = await client.heard("resync")
            assert (resync["topics"], resync["reason"]) == ("all", reason)
            await note(gateway, run, 1)
            await client.until(lambda: values(client.frames()) == [1])
        async with server.open(owner) as client:
            await client.hello(topic, last_event_id=resync["cursor"])
            await client.until(lambda: values(client.frames()) == [1])

    async def test_a_restored_database_is_loaded_anew_by_everybody(
        self, server: Listening, clock: FakeClock, dsn: str
    ) -> None:
        gateway = server.gateway
        _, _, run = await gateway.scene()
        owner, topic = await gateway.person(role="owner"), f"run:{run.id}"
        async with server.open(owner) as client:
            old = (await client.hello(topic))["cursor"]
            async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as restore:
                await restore.execute("update installation set epoch = gen_random_uuid()")
            await clock.until(lambda: client.told("resync"), timedelta(seconds=30))
            assert (await client.heard("resync"))["reason"] == "epoch"
            await note(gateway, run, 1)
            await client.until(lambda: values(client.frames()) == [1])
        async with server.open(owner) as client:
            await client.hello(topic, last_event_id=old)
            assert (await client.heard("resync"))["reason"] == "epoch"

    async def test_too_much_that_was_missed_is_loaded_anew(self, server: Listening) -> None:
        gateway = server.gateway
        _, _, run = await gateway.scene()
        owner, topic = await gateway.person(role="owner"), f"run:{run.id}"
        async with server.open(owner) as client:
            cursor = (await client.hello())["cursor"]
        async with gateway.db.transaction() as tx:
            await tx.execute(
                "insert into journal (seq, at, topic, stream, correlation_id, actor_kind, actor, kind, body, prev_hash,"
                " hash) select 100000 + n, now(), 'runs', %(stream)s, 'x', 'system', 'x', 'run.result.checked', '{}',"
                " '', '' from generate_series(1, 11000) n",
                stream=topic,
            )
        await server.settled()
        async with server.open(owner) as client:
            await client.hello(topic, last_event_id=cursor)
            assert (await client.heard("resync"))["reason"] == "overflow"
            await note(gateway, run, 1)
            await client.until(lambda: 1 in values(client.frames()))


class TestProtocol:
    async def test_signs_of_life_carry_the_newest_cursor(self, server: Listening, clock: FakeClock) -> None:
        gateway = server.gateway
        _, repository, _ = await gateway.scene()
        owner = await gateway.person(role="owner")
        async with server.open(owner) as client:
            ready = await client.hello("incidents")
            await gateway.run(repository, 2)
            await server.settled()
            await clock.until(lambda: client.told("ping"))
            ping = await client.heard("ping")
            assert ping["cursor"] != ready["cursor"]

    @pytest.mark.parametrize(
        "text",
        [
            "no json",
            '{"op":"sub","n":1,"topics":[]}',
            '{"op":"dance"}',
            '{"op":"hello","v":1,"topics":[],"surprise":1}',
            '{"op":"hello","v":1,"topics":["' + "x" * 70_000 + '"]}',
            b"\x00",
        ],
    )
    async def test_what_is_not_understood_ends_the_socket(self, server: Listening, text: str | bytes) -> None:
        owner = await server.gateway.person(role="owner")
        async with server.open(owner) as client:
            await client.connection.send(text)
            assert await client.closed() == 4400

    async def test_hello_comes_once_and_messages_not_too_often(self, server: Listening) -> None:
        owner = await server.gateway.person(role="owner")
        async with server.open(owner) as client:
            await client.hello()
            await client.say(op="hello", v=1)
            assert await client.closed() == 4400
        async with server.open(owner) as client:
            await client.hello()
            for _ in range(21):
                await client.say(op="unsub", topics=[])
            assert await client.closed() == 4400

    async def test_a_client_of_another_version_is_too_old(self, server: Listening) -> None:
        owner = await server.gateway.person(role="owner")
        async with server.open(owner) as client:
            await client.say(op="hello", v=2)
            assert await client.closed() == 4426

    async def test_who_says_nothing_is_not_waited_for(self, gateway: Gateway) -> None:
        owner = await gateway.person(role="owner")
        async with (
            listening(gateway, Limits(hello=timedelta(seconds=0.05))) as server,
            server.open(owner) as client,
        ):
            assert await client.closed() == 4400

    async def test_without_a_valid_token_the_socket_says_signed_out(self, server: Listening) -> None:
        for token in (None, "swt_nonsense", "x"):
            async with server.open(token) as client:
                assert await client.closed() == 4401

    async def test_topics_over_the_limit_are_refused_by_name(self, server: Listening) -> None:
        owner = await server.gateway.person(role="owner")
        async with server.open(owner) as client:
            ready = await client.hello("runs", *(f"run:{uuid4()}" for _ in range(98)), "projects", "waits")
            assert ready["topics"] == ["runs", "projects"]
            assert ready["refused"][-1] == {"topic": "waits", "code": "topic.limit"}

    async def test_unsubscribed_topics_are_silent(self, server: Listening) -> None:
        gateway = server.gateway
        _, repository, run = await gateway.scene()
        other = await gateway.run(repository, 2)
        owner = await gateway.person(role="owner")
        async with server.open(owner) as client:
            await client.hello(f"run:{run.id}", f"run:{other.id}")
            await client.say(op="unsub", topics=[f"run:{run.id}"])
            await client.sub(1)
            await note(gateway, run, 1)
            await note(gateway, other, 2)
            await client.until(lambda: values(client.frames()) == [2])

    async def test_a_person_has_so_many_sockets_and_connects_so_often(self, gateway: Gateway) -> None:
        owner = await gateway.person(role="owner")
        async with listening(gateway, Limits(sockets_per_user=1, connects_per_minute=2)) as server:
            async with server.open(owner) as first:
                await first.hello()
                assert await refused(server, owner) == 429
            async with server.open(owner) as second:
                await second.hello()
            assert await refused(server, owner) == 429
        _, figures = gateway.platform.metrics.exposition()
        assert b'rate_limited_total{bucket="sockets"} 2.0' in figures


async def test_figures_tell_of_sockets_topics_lag_and_resyncs(server: Listening) -> None:
    gateway = server.gateway
    project = await gateway.project()
    owner = await gateway.person(role="owner")
    figure = gateway.platform.metrics.registry.get_sample_value
    async with server.open(owner) as one, server.open(owner) as two:
        await one.hello("projects", "runs")
        await two.hello("projects", last_event_id="garbage")
        await two.heard("resync")
        await change(gateway, project, 5)
        await one.until(lambda: one.frames() != [])
        await two.until(lambda: two.frames() != [])
        await server.live.watch()
        assert figure("stagewright_realtime_sockets") == 2
        assert figure("stagewright_realtime_topics", {"family": "projects"}) == 2
        assert figure("stagewright_realtime_resync_total", {"reason": "too_old"}) == 1
        assert figure("stagewright_realtime_frames_total", {"family": "projects"}) == 2
        assert (figure("stagewright_realtime_lag_seconds_count") or 0) > 0


async def refused(server: Listening, who: Person) -> int:
    with pytest.raises(InvalidStatus) as error:
        async with server.open(who):
            raise AssertionError("the socket was opened")
    return error.value.response.status_code

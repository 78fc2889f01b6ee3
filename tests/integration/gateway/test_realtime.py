"""The feed by polling: nothing lost, rights kept, and a word when the client has to load anew."""

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person

from stagewright.contexts.runs.model import AttemptId
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import logs as log_rows
from stagewright.contexts.runs.usecases.cancel import cancel_run
from stagewright.kit.ids import uuid7


async def poll(gateway: Gateway, who: Person, cursor: str | None, *topics: str) -> dict[str, Any]:
    answer = await gateway.post("/realtime/poll", who, {"last_event_id": cursor, "topics": list(topics)})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_without_a_cursor_there_are_no_frames_and_then_exactly_what_is_new(gateway: Gateway) -> None:
    _, repository, _ = await gateway.scene()
    owner = await gateway.person(role="owner")
    first = await poll(gateway, owner, None, "runs")
    assert (first["frames"], first["resync"]) == ([], None)
    run = await gateway.run(repository, 2)
    news = await poll(gateway, owner, first["cursor"], "runs", f"run:{run.id}")
    assert [(item["topic"], item["kind"]) for item in news["frames"]] == [
        ("runs", "run.queued"),
        (f"run:{run.id}", "run.queued"),
    ]
    assert (await poll(gateway, owner, news["cursor"], "runs"))["frames"] == []


async def test_a_frame_is_what_rest_shows_and_carries_what_the_caller_may_do(gateway: Gateway) -> None:
    project, repository, _ = await gateway.scene()
    reader = await gateway.person("eve", member_of=project)
    cursor = (await poll(gateway, reader, None))["cursor"]
    run = await gateway.run(repository, 2)
    (frame,) = (await poll(gateway, reader, cursor, "runs"))["frames"]
    view = (await gateway.get(f"/runs/{run.id}", reader)).json()
    data = {name: value for name, value in frame["data"].items() if name != "v"}
    assert data == {name: view[name] for name in data}
    assert data["allowed_actions"][0]["reason_code"] == "permission_denied"
    assert (frame["key"], frame["version"]) == (str(run.id), view["version"])


async def test_a_list_topic_sends_only_the_last_change_of_a_key(gateway: Gateway, clock: FakeClock) -> None:
    _, repository, _ = await gateway.scene()
    owner = await gateway.person(role="owner")
    cursor = (await poll(gateway, owner, None))["cursor"]
    run = await gateway.run(repository, 2)
    async with gateway.db.transaction() as tx:
        await cancel_run(tx, run.id, cause="person", clock=clock)
    news = await poll(gateway, owner, cursor, "runs", f"run:{run.id}")
    kinds = {topic: [item["kind"] for item in news["frames"] if item["topic"] == topic] for topic in ("runs",)}
    assert kinds == {"runs": ["run.canceled"]}
    stream = [item["kind"] for item in news["frames"] if item["topic"] == f"run:{run.id}"]
    assert stream == ["run.queued", "run.cancel.requested", "run.canceled"]


async def test_a_late_commit_is_not_lost(gateway: Gateway) -> None:
    _, repository, _ = await gateway.scene()
    owner = await gateway.person(role="owner")
    cursor = (await poll(gateway, owner, None))["cursor"]
    async with gateway.db.transaction() as slow:
        await slow.execute("select pg_current_xact_id()")
        await gateway.run(repository, 3)
        early = await poll(gateway, owner, cursor, "runs")
        await slow.execute(
            "insert into journal (seq, at, topic, stream, project_id, correlation_id, actor_kind, actor, kind, body,"
            " prev_hash, hash) values (1000000, now(), 'projects', %(stream)s, null, 'x', 'system', 'x',"
            " 'project.changed', '{}', '', '')",
            stream=f"repository:{repository.id}",
        )
    late = await poll(gateway, owner, early["cursor"], "runs", f"repository:{repository.id}")
    assert [item["topic"] for item in early["frames"]] == ["runs"]
    assert [item["topic"] for item in late["frames"]] == [f"repository:{repository.id}"]


async def test_topics_one_may_not_have_are_refused_like_unknown_ones(gateway: Gateway) -> None:
    _, repository, run = await gateway.scene()
    stranger = await gateway.person("eve")
    hidden = [f"run:{run.id}", f"repository:{repository.id}", f"run.logs:{run.id}:engine"]
    unknown = [f"run:{uuid4()}", "run:7", f"run.logs:{run.id}", "weather"]
    answer = await poll(gateway, stranger, None, *hidden, *unknown)
    assert [item["code"] for item in answer["refused"]] == ["not_found"] * 6 + ["topic.unknown"]


async def test_frames_of_other_projects_never_come(gateway: Gateway) -> None:
    await gateway.scene()
    mine = await gateway.project("mine")
    me = await gateway.person("eve", member_of=mine)
    cursor = (await poll(gateway, me, None))["cursor"]
    other = await gateway.repository(await gateway.project("other"), "acme/other")
    await gateway.run(other, 9)
    assert (await poll(gateway, me, cursor, "runs", "projects", "incidents"))["frames"] == []


def forged(cursor: str, **changes: Any) -> str:
    payload = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return base64.urlsafe_b64encode(json.dumps(payload | changes).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"e": str(uuid4())}, "epoch"),
        ({"s": "1:99999999999:"}, "epoch"),
        ({"s": "5:3:"}, "too_old"),
        ({"s": "1:9:7,5"}, "too_old"),
        ({"s": "1; drop table runs"}, "too_old"),
        ({"t": "2020-01-01T00:00:00+00:00"}, "too_old"),
        ({"t": "yesterday"}, "too_old"),
        ({"e": None}, "too_old"),
    ],
)
async def test_a_cursor_that_does_not_do_says_why(gateway: Gateway, changes: dict[str, Any], reason: str) -> None:
    owner = await gateway.person(role="owner")
    cursor = (await poll(gateway, owner, None))["cursor"]
    answer = await poll(gateway, owner, forged(cursor, **changes), "runs")
    assert answer["resync"] == {"topics": "all", "reason": reason}
    assert answer["frames"] == []
    assert (await poll(gateway, owner, answer["cursor"], "runs"))["resync"] is None


async def test_garbage_and_old_cursors_lead_to_a_resync(gateway: Gateway, clock: FakeClock) -> None:
    owner = await gateway.person(role="owner")
    cursor = (await poll(gateway, owner, None))["cursor"]
    for bad in ("garbage", "é", "x" * 5000):
        assert (await poll(gateway, owner, bad))["resync"]["reason"] == "too_old"
    clock.advance(timedelta(hours=25))
    assert (await poll(gateway, owner, cursor))["resync"]["reason"] == "too_old"


async def test_too_many_frames_are_a_resync(gateway: Gateway) -> None:
    _, repository, _ = await gateway.scene()
    owner = await gateway.person(role="owner")
    cursor = (await poll(gateway, owner, None))["cursor"]
    async with gateway.db.transaction() as tx:
        await tx.execute(
            "insert into journal (seq, at, topic, stream, correlation_id, actor_kind, actor, kind, body, prev_hash,"
            " hash) select 100000 + n, now(), 'projects', %(stream)s, 'x', 'system', 'x', 'project.changed', '{}', '',"
            " '' from generate_series(1, 2001) n",
            stream=f"repository:{repository.id}",
        )
    answer = await poll(gateway, owner, cursor, f"repository:{repository.id}")
    assert answer["resync"] == {"topics": "all", "reason": "overflow"}


async def test_log_topics_answer_with_their_newest_position(gateway: Gateway, clock: FakeClock) -> None:
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    topic = f"run.logs:{run.id}:engine"
    assert (await poll(gateway, owner, None, topic))["logs"] == {}
    now, attempt_id = clock.now(), AttemptId(uuid7())
    async with gateway.db.transaction() as tx:
        await attempt_rows.insert(
            tx,
            {
                "id": attempt_id,
                "run_id": run.id,
                "generation": 1,
                "reason": "first",
                "workload_name": "sw-1",
                "workload_kind": "local",
                "restored_session_id": None,
                "deadline": now,
                "now": now,
            },
        )
        await log_rows.append(tx, attempt_id, [("engine", now, b"one\ntwo\n")])
    body = {"logs": {topic: {"attempt": 1, "stream_seq": 0}}}
    place = (await gateway.post("/realtime/poll", owner, body)).json()["logs"][topic]
    assert (place["attempt"], place["stream_seq"], place["bytes"], place["eof"]) == (1, 1, 8, None)
    async with gateway.db.transaction() as tx:
        await log_rows.close(tx, attempt_id, now)
    assert (await poll(gateway, owner, None, topic))["logs"][topic]["eof"]["bytes"] == 8

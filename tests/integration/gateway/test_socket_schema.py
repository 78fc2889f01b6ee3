"""Everything the realtime socket says, and everything it understands, fits docs/realtime.schema.json."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.fakes.clock import FakeClock
from tests.fakes.socket import Listening

from stagewright.contexts.identity.events import MemberRemoved
from stagewright.contexts.identity.model import Membership, ProjectRole
from stagewright.processes.gateway.realtime.messages import NotUnderstood, read_message


class TestSchema:
    """Everything the socket says fits docs/realtime.schema.json."""

    SCHEMA = json.loads((Path(__file__).parents[3] / "docs/realtime.schema.json").read_text())

    def valid(self, side: str, value: Any) -> bool:
        return bool(Draft202012Validator(self.SCHEMA | {"oneOf": [{"$ref": f"#/$defs/{side}"}]}).is_valid(value))

    async def test_messages_fit_the_schema(self, server: Listening, clock: FakeClock) -> None:
        gateway = server.gateway
        project, repository, run = await gateway.scene()
        person = await gateway.person("eve", member_of=project)
        await server.settled()
        async with server.open(person) as client:
            await client.hello("runs", f"run:{run.id}", "weather", last_event_id="garbage")
            await client.sub(1, "projects", "audit")
            await gateway.run(repository, 2)
            await client.until(lambda: client.frames() != [])
            await clock.until(lambda: client.told("ping"))
            async with gateway.db.transaction() as tx:
                await tx.execute("delete from memberships where user_id = %(user)s", user=person.user.id)
                tx.publish(MemberRemoved(membership=Membership(project.id, person.user.id, ProjectRole.READ)))
            await client.heard("error")
        assert {item["op"] for item in client.said} == {"ready", "ack", "events", "ping", "error", "resync"}
        for item in client.said:
            assert self.valid("ServerMessage", item), item

    @pytest.mark.parametrize(
        ("message", "fits"),
        [
            ({"op": "hello", "v": 1, "topics": ["runs"], "logs": {"a": {"attempt": 1, "stream_seq": 0}}}, True),
            ({"op": "hello", "v": 1, "surprise": 1}, False),
            ({"op": "sub", "n": 1}, True),
            ({"op": "sub"}, False),
            ({"op": "unsub", "topics": []}, True),
            ({"op": "dance"}, False),
        ],
    )
    def test_the_schema_takes_what_the_reader_takes(self, message: dict[str, Any], fits: bool) -> None:
        assert self.valid("ClientMessage", message) is fits
        if fits:
            assert read_message(json.dumps(message))
        else:
            with pytest.raises(NotUnderstood):
                read_message(json.dumps(message))

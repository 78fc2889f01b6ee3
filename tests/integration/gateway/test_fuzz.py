"""Whatever is sent to whatever route, the answer is ours: a problem with a known code, never a bug (AX16)."""

import random
from datetime import timedelta
from typing import Any
from uuid import uuid4

from tests.fakes.clock import FakeClock
from tests.fakes.gateway import DOCUMENT, Gateway
from tools import problem_docs

KNOWN = frozenset(problem_docs.rows())
UNSAFE = ("post", "put", "patch", "delete")
ODD: tuple[Any, ...] = (None, True, -1, 2**70, 1.5, "", "\x01", "é" * 300, [], [None], {}, {"": {}}, {"a": [1]})


def an_odd_body(chance: random.Random, schema: dict[str, Any]) -> Any:
    """Return something odd: no object at all, or the declared fields with odd values."""
    names = list(schema.get("properties", {}))
    if not names or chance.random() < 0.3:
        return chance.choice(ODD)
    chosen = {name: chance.choice(ODD) for name in names if chance.random() < 0.8}
    return chosen | ({"unheard_of": 1} if chance.random() < 0.3 else {})


def schema_of(operation: dict[str, Any]) -> dict[str, Any]:
    """Return the declared body of an operation, or nothing."""
    content = operation.get("requestBody", {}).get("content", {})
    found: dict[str, Any] = content.get("application/json", {}).get("schema", {})
    for part in (found, *found.get("anyOf", [])):
        if "$ref" in part:
            named: dict[str, Any] = DOCUMENT["components"]["schemas"][part["$ref"].rpartition("/")[2]]
            return named
    return found


async def test_odd_bodies_get_problems_of_known_codes_only(gateway: Gateway, clock: FakeClock) -> None:
    owner = await gateway.person(role="owner")
    project, repository, run = await gateway.scene()
    chance = random.Random(16)
    values: dict[str, Any] = {"project_id": project.id, "repository_id": repository.id, "run_id": run.id}
    asked = 0
    for path, item in sorted(DOCUMENT["paths"].items()):
        for method, operation in item.items():
            if method not in UNSAFE or path.startswith("/api/v1/webhooks"):
                continue
            place = path.format_map(_Filled(values))
            for _ in range(3):
                clock.advance(timedelta(seconds=1))
                headers = {"Idempotency-Key": str(uuid4()), "If-Match": '"1"', "Authorization": f"Bearer {owner.token}"}
                body = an_odd_body(chance, schema_of(operation))
                answer = await gateway.client.request(method.upper(), place, headers=headers, json=body)
                asked += 1
                assert answer.status_code < 500, f"{method} {place} {body!r}: {answer.text[:300]}"
                if answer.status_code >= 400:
                    assert answer.headers["content-type"] == "application/problem+json", place
                    assert answer.json()["code"] in KNOWN, f"{place}: {answer.json()['code']}"
    assert asked > 100
    assert (await gateway.get("/me", owner)).status_code == 200  # the token counted to the end
    async with gateway.db.reading() as reader:
        assert await reader.value("select count(*) from incidents where code = 'internal'") == 0


class _Filled(dict[str, Any]):
    """An id of nothing, or a word, in every place that has no value."""

    def __missing__(self, key: str) -> str:
        return str(uuid4()) if key.endswith("_id") else "1"

"""The CLI's login: a person agrees with a session, the CLI exchanges a code with PKCE, once."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Visitor

from stagewright.contexts.identity.rules.login import challenge_of

VERIFIER = "v" * 43
FORM: dict[str, Any] = {"name": "cli on laptop", "scopes": ["read", "operate"], "challenge": challenge_of(VERIFIER)}


async def agreed(gateway: Gateway, who: Visitor, **changes: Any) -> str:
    answer = await gateway.post("/me/cli-codes", who, {**FORM, **changes})
    assert answer.status_code == 201
    return str(answer.json()["code"])


async def exchange(gateway: Gateway, code: str, verifier: str = VERIFIER) -> httpx.Response:
    return await gateway.post("/auth/cli/exchange", None, {"code": code, "verifier": verifier})


async def test_the_cli_gets_the_token_that_was_agreed_to(gateway: Gateway) -> None:
    ann = await gateway.visitor(await gateway.person("ann"))
    made = await exchange(gateway, await agreed(gateway, ann, expires_in_days=7))
    assert (made.status_code, made.json()["email"], made.json()["scopes"]) == (
        201,
        "ann@example.test",
        ["operate", "read"],
    )
    me = (await gateway.get("/me", made.json()["token"])).json()
    assert (me["token"]["name"], me["scopes"], me["fresh"]) == ("cli on laptop", ["operate", "read"], True)
    async with gateway.db.reading() as reader:
        (row,) = await reader.all(dict, "select actor_kind, actor from journal where kind = 'token.created' and "
                                        "body->>'name' = 'cli on laptop'")  # fmt: skip
    assert (row["actor_kind"], row["actor"]) == ("user", str(ann.user.id))


async def test_a_code_is_exchanged_once(gateway: Gateway) -> None:
    code = await agreed(gateway, await gateway.visitor(await gateway.person("ann")))
    assert (await exchange(gateway, code)).status_code == 201
    again = await exchange(gateway, code)
    assert (again.status_code, again.json()["code"]) == (401, "identity.code_refused")


async def test_a_code_without_its_verifier_is_worth_nothing(gateway: Gateway) -> None:
    code = await agreed(gateway, await gateway.visitor(await gateway.person("ann")))
    refused = await exchange(gateway, code, "w" * 43)
    assert (refused.status_code, refused.json()["code"]) == (401, "identity.code_refused")
    malformed = await exchange(gateway, code, "short")
    assert (malformed.status_code, malformed.json()["errors"][0]["pointer"]) == (400, "/verifier")


async def test_a_code_lives_for_five_minutes_and_ends_with_its_person(gateway: Gateway, clock: FakeClock) -> None:
    person = await gateway.person("ann")
    late = await agreed(gateway, await gateway.visitor(person))
    clock.advance(timedelta(minutes=5))
    assert (await exchange(gateway, late)).status_code == 401
    orphan = await agreed(gateway, await gateway.visitor(person))
    async with gateway.db.transaction() as tx:
        await tx.execute("update users set state = 'disabled'")
    assert (await exchange(gateway, orphan)).status_code == 401


async def test_a_token_agrees_to_no_token(gateway: Gateway) -> None:
    owner = await gateway.person("ann", role="owner")
    refused = await gateway.post("/me/cli-codes", owner, FORM)
    assert (refused.status_code, refused.json()["code"]) == (403, "identity.session_required")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"scopes": []}, "/scopes"),
        ({"expires_in_days": 91}, "/expires_in_days"),
        ({"challenge": "plain"}, "/challenge"),
        ({"name": "local"}, "/name"),
    ],
)
async def test_what_cannot_be_agreed_to_is_named(gateway: Gateway, changes: dict[str, Any], pointer: str) -> None:
    ann = await gateway.visitor(await gateway.person("ann"))
    answer = await gateway.post("/me/cli-codes", ann, {**FORM, **changes})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)

"""Who am I, and my API tokens, through the door."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.projects.api import ProjectNotFound


async def test_me_shows_roles_scopes_and_the_token_without_its_text(gateway: Gateway) -> None:
    project = await gateway.project()
    ann = await gateway.person(member_of=project, member_as="read_write", scopes=("operate",))
    me = (await gateway.get("/me", ann)).json()
    assert (me["email"], me["role"], me["scopes"]) == ("ann@example.test", "member", ["operate", "read"])
    assert me["memberships"] == [{"project_id": str(project.id), "role": "read_write"}]
    assert (me["token"]["name"], me["credential"], me["fresh"], me["csrf"]) == ("test", "token", True, None)
    assert ann.token not in str(me)


async def test_a_token_is_fresh_for_an_hour(gateway: Gateway, clock: FakeClock) -> None:
    ann = await gateway.person()
    clock.advance(timedelta(minutes=61))
    assert (await gateway.get("/me", ann)).json()["fresh"] is False


async def test_the_local_token_of_the_embedded_mode_is_always_fresh(gateway: Gateway, clock: FakeClock) -> None:
    async with gateway.db.transaction() as tx:
        owner = await identity.ensure_owner(tx, email="o@local", name="Owner", locale="en", now=clock.now())
        first = await identity.replace_local_token(tx, owner, now=clock.now())
        second = await identity.replace_local_token(tx, owner, now=clock.now())
    clock.advance(timedelta(hours=2))
    assert (await gateway.get("/me", first.text)).status_code == 401
    assert (await gateway.get("/me", second.text)).json()["fresh"] is False
    async with gateway.db.reading() as reader:
        embedded = await identity.authenticate_token(reader, second.text, now=clock.now(), embedded=True)
    assert embedded.fresh


async def test_a_token_makes_no_token(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    answer = await gateway.post("/me/tokens", owner, {"name": "mine", "scopes": ["read"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "identity.session_required")
    wrong = await gateway.post("/me/tokens", owner, {"name": "mine", "scopes": ["everything"]})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/scopes/0")
    assert len((await gateway.get("/me/tokens", owner)).json()["items"]) == 1


async def test_a_revoked_token_counts_nowhere_and_others_tokens_are_unknown(gateway: Gateway) -> None:
    ann, bob = await gateway.person("ann"), await gateway.person("bob")
    (mine,) = (await gateway.get("/me/tokens", ann)).json()["items"]
    stolen = await gateway.call("DELETE", f"/me/tokens/{mine['id']}", bob)
    assert (stolen.status_code, stolen.json()["code"]) == (404, "token.not_found")
    gone = await gateway.call("DELETE", f"/me/tokens/{mine['id']}", ann)
    assert gone.json()["revoked_at"] is not None
    assert (await gateway.get("/me", ann)).status_code == 401


@pytest.mark.parametrize("credential", ["session", "token"])
async def test_what_has_no_scope_is_for_sessions_only(gateway: Gateway, credential: str) -> None:
    owner = await gateway.person(role="owner")
    async with gateway.db.reading() as reader:
        principal = await identity.authenticate_token(reader, owner.token, now=gateway.clock.now(), embedded=False)
    caller = Caller(replace(principal, credential=credential), Permission.USER_ROLES)
    if credential == "session":
        caller.enter()
        return
    with pytest.raises(identity.PermissionMissing, match="session"):
        caller.enter()


async def test_a_hidden_object_raises_the_error_of_an_unknown_one(gateway: Gateway) -> None:
    project, eve = await gateway.project(), await gateway.person("eve")
    async with gateway.db.reading() as reader:
        principal = await identity.authenticate_token(reader, eve.token, now=gateway.clock.now(), embedded=False)
    hidden = ProjectNotFound("there is no project")
    for place in (project.id, None):
        with pytest.raises(ProjectNotFound):
            Caller(principal, Permission.PROJECT_VIEW).admit(place, hidden)

"""Users and members: who may change whom, confirmed, at once, and never oneself upwards (AX8, AX10, AX13)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person, Visitor

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.errors import MismatchedAccount
from stagewright.contexts.projects.api import Project

Who = Person | Visitor


async def change(
    gateway: Gateway, who: Who, method: str, path: str, body: Any = None, **options: Any
) -> httpx.Response:
    """Preview an act, then do it with the token of the preview and a reason; return the first refusal or the end."""
    given = dict(body or {})
    headers = options.pop("headers", {"If-Match": options.pop("version", '"1"')})
    shown = await gateway.call(method, f"{path}?preview=1", who, headers=headers, json=given)
    if shown.status_code != 200:
        return shown
    given |= {"confirm_token": shown.json()["confirm_token"], "reason": "as agreed"} | options.pop("also", {})
    return await gateway.call(method, path, who, headers=headers, json=given)


async def events(gateway: Gateway, kind: str) -> list[dict[str, Any]]:
    async with gateway.db.reading() as reader:
        return [row["body"] for row in await reader.all(dict, "select body from journal where kind = %(k)s", k=kind)]


async def version_of(gateway: Gateway, who: Who, user_id: UUID) -> str:
    return (await gateway.get(f"/users/{user_id}", who)).headers["etag"]


async def test_an_admin_invites_members_and_nobody_else_does(gateway: Gateway) -> None:
    admin, ann = await gateway.person("root", role="admin"), await gateway.person("ann")
    made = await gateway.post("/users", admin, {"email": "New@Example.test"})
    assert (made.status_code, made.json()["state"], made.json()["role"]) == (201, "invited", "member")
    assert (await events(gateway, "access.changed"))[-1]["id"] == made.json()["id"]
    again = await gateway.post("/users", admin, {"email": "new@example.TEST"})
    assert (again.status_code, again.json()["code"]) == (409, "user.exists")
    assert (await gateway.post("/users", ann, {"email": "other@example.test"})).status_code == 403
    listed = (await gateway.get("/users", admin)).json()["items"]
    assert [item["email"] for item in listed] == ["ann@example.test", "New@Example.test", "root@example.test"]


async def test_an_event_of_a_user_is_what_a_fresh_read_shows(gateway: Gateway) -> None:
    owner = await gateway.visitor(await gateway.person("root", role="owner"))
    ann = await gateway.person("ann")
    changed = await change(gateway, owner, "PATCH", f"/users/{ann.user.id}", {"role": "admin"})
    assert changed.status_code == 200
    view = (await gateway.get(f"/users/{ann.user.id}", owner)).json()
    frame = {key: value for key, value in view.items() if key != "allowed_actions"}
    assert (await events(gateway, "access.changed"))[-1] == {"v": 1, **frame, "reason": "as agreed"}


@pytest.mark.parametrize("role", ["admin", "owner"])
async def test_an_admin_makes_no_admin_and_no_owner(gateway: Gateway, role: str) -> None:
    admin = await gateway.visitor(await gateway.person("root", role="admin"))
    ann = await gateway.person("ann")
    for target in (ann.user.id, admin.user.id):
        version = await version_of(gateway, admin, target)
        wanted = "owner" if target == admin.user.id else role
        answer = await change(gateway, admin, "PATCH", f"/users/{target}", {"role": wanted}, version=version)
        assert (answer.status_code, answer.json()["params"]["permission"]) == (403, "user.roles")
    if role == "admin":
        invited = await gateway.post("/users", admin, {"email": "new@example.test", "role": role})
        assert invited.status_code == 403
        assert len((await gateway.get("/users", admin)).json()["items"]) == 2


async def test_a_member_changes_no_user_not_even_themself(gateway: Gateway) -> None:
    ann = await gateway.person("ann")
    answer = await change(gateway, ann, "PATCH", f"/users/{ann.user.id}", {"role": "admin"})
    assert answer.status_code == 403


async def test_the_owners_token_gives_no_roles(gateway: Gateway) -> None:
    owner, ann = await gateway.person("root", role="owner"), await gateway.person("ann")
    answer = await change(gateway, owner, "PATCH", f"/users/{ann.user.id}", {"role": "admin"})
    assert (answer.status_code, answer.json()["params"]["permission"]) == (403, "user.roles")
    refused = await gateway.post("/users:transfer-ownership?preview=1", owner, {"user_id": str(ann.user.id)})
    assert refused.status_code == 403


async def test_the_owner_is_not_disabled_demoted_or_removed(gateway: Gateway) -> None:
    owner = await gateway.visitor(await gateway.person("root", role="owner"))
    admin = await gateway.visitor(await gateway.person("ann", role="admin"))
    for who in (owner, admin):
        answer = await gateway.post(f"/users/{owner.user.id}:disable?preview=1", who)
        assert (answer.status_code, answer.json()["code"]) == (422, "user.owner_protected")
    version = await version_of(gateway, owner, owner.user.id)
    answer = await change(gateway, owner, "PATCH", f"/users/{owner.user.id}", {"role": "member"}, version=version)
    assert (answer.status_code, answer.json()["code"]) == (422, "user.owner_protected")


async def test_an_admin_disables_members_but_no_admin(gateway: Gateway) -> None:
    root = await gateway.visitor(await gateway.person("root", role="admin"))
    other, ann = await gateway.person("other", role="admin"), await gateway.person("ann")
    refused = await gateway.post(f"/users/{other.user.id}:disable?preview=1", root)
    assert (refused.status_code, refused.json()["params"]["permission"]) == (403, "user.roles")
    myself = await gateway.post(f"/users/{root.user.id}:disable?preview=1", root)
    assert (myself.status_code, myself.json()["code"]) == (422, "user.own_role")
    done = await change(gateway, root, "POST", f"/users/{ann.user.id}:disable", headers={})
    assert (done.status_code, done.json()["state"]) == (200, "disabled")


async def test_disabling_ends_sessions_and_tokens_at_once(gateway: Gateway) -> None:
    root, ann = await gateway.visitor(await gateway.person("root", role="owner")), await gateway.person("ann")
    browser = await gateway.visitor(ann)
    await change(gateway, root, "POST", f"/users/{ann.user.id}:disable", headers={})
    assert [(await gateway.get("/me", who)).status_code for who in (ann, browser)] == [401, 401]
    assert [body["reason"] for body in await events(gateway, "session.revoked")] == ["disabled"]
    assert len(await events(gateway, "token.revoked")) == 1
    version = await version_of(gateway, root, ann.user.id)
    back = await change(gateway, root, "PATCH", f"/users/{ann.user.id}", {"state": "active"}, version=version)
    assert (back.status_code, back.json()["state"]) == (200, "active")
    assert (await gateway.get("/me", ann)).status_code == 401


async def test_a_lower_platform_role_ends_the_sessions(gateway: Gateway) -> None:
    root = await gateway.visitor(await gateway.person("root", role="owner"))
    ann = await gateway.person("ann", role="admin")
    browser = await gateway.visitor(ann)
    assert (await gateway.get("/users", browser)).status_code == 200
    changed = await change(gateway, root, "PATCH", f"/users/{ann.user.id}", {"role": "member"})
    assert changed.json()["role"] == "member"
    assert (await gateway.get("/users", browser)).status_code == 401
    assert (await gateway.get("/users", ann)).status_code == 403
    assert [body["reason"] for body in await events(gateway, "session.revoked")] == ["demoted"]


async def test_ownership_goes_to_an_admin_with_the_typed_name_and_a_fresh_session(
    gateway: Gateway, clock: FakeClock
) -> None:
    old = await gateway.visitor(await gateway.person("root", role="owner"))
    ann, bob = await gateway.person("ann", role="admin"), await gateway.person("bob")
    path, body = "/users:transfer-ownership", {"user_id": str(ann.user.id)}
    wrong = await gateway.post(f"{path}?preview=1", old, {"user_id": str(bob.user.id)})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "user.not_transferable")
    shown = (await gateway.post(f"{path}?preview=1", old, body)).json()
    assert shown["confirm_name"] == "ann@example.test"
    confirmed = {**body, "confirm_token": shown["confirm_token"], "reason": "I leave"}
    for name in (None, "Ann", "ANN@example.test"):
        answer = await gateway.post(path, old, {**confirmed, "confirm_name": name})
        assert (answer.status_code, answer.json()["code"]) == (428, "confirm.name")
    done = await gateway.post(path, old, {**confirmed, "confirm_name": "ann@example.test"})
    assert (done.status_code, done.json()["role"]) == (200, "owner")
    assert [fact["reason"] for fact in (await events(gateway, "access.changed"))[-2:]] == ["I leave"] * 2
    assert (await gateway.get("/me", old)).status_code == 401
    new = await gateway.visitor(ann)
    listed = (await gateway.get("/users", new)).json()["items"]
    assert {item["email"]: item["role"] for item in listed if item["role"] != "member"} == {
        "ann@example.test": "owner",
        "root@example.test": "admin",
    }
    clock.advance(timedelta(minutes=60) - timedelta(seconds=1))
    back = {"user_id": str(old.user.id)}
    assert (await gateway.post(f"{path}?preview=1", new, back)).status_code == 200
    clock.advance(timedelta(seconds=1))
    stale = await gateway.post(f"{path}?preview=1", await _renewed(gateway, ann, clock), back)
    assert (stale.status_code, stale.json()["code"]) == (403, "identity.fresh_login_required")


async def _renewed(gateway: Gateway, person: Person, clock: FakeClock) -> Visitor:
    """Return a session that is an hour old and was used meanwhile."""
    begun = await gateway.visitor(person)
    clock.advance(timedelta(minutes=50))
    await gateway.get("/me", begun)
    clock.advance(timedelta(minutes=10))
    return begun


async def test_a_confirmation_counts_for_one_act_of_one_person_for_five_minutes_once(
    gateway: Gateway, clock: FakeClock
) -> None:
    root = await gateway.visitor(await gateway.person("root", role="owner"))
    other = await gateway.visitor(await gateway.person("other", role="admin"))
    ann, bob = await gateway.person("ann"), await gateway.person("bob")
    path = f"/users/{ann.user.id}:disable"

    async def token() -> str:
        return str((await gateway.post(f"{path}?preview=1", root)).json()["confirm_token"])

    for who, place, given in (
        (root, path, None),
        (root, path, "x" * 80),
        (root, f"/users/{bob.user.id}:disable", await token()),
        (other, path, await token()),
    ):
        answer = await gateway.post(place, who, {"confirm_token": given})
        assert (answer.status_code, answer.json()["code"]) == (428, "confirm.required")
    late = await token()
    clock.advance(timedelta(minutes=5))
    answer = await gateway.post(path, root, {"confirm_token": late})
    assert (answer.status_code, answer.json()["code"]) == (428, "confirm.required")
    outdated = await token()
    await change(gateway, root, "PATCH", f"/users/{ann.user.id}", {"display_name": "Anna"})
    answer = await gateway.post(path, root, {"confirm_token": outdated})
    assert (answer.status_code, answer.json()["code"]) == (409, "confirm.outdated")
    used = await token()
    assert (await gateway.post(path, root, {"confirm_token": used, "reason": "left"})).status_code == 200
    again = await gateway.post(path, root, {"confirm_token": used, "reason": "left"})
    assert (again.status_code, again.json()["code"]) == (409, "confirm.outdated")


async def test_a_change_needs_the_version_that_was_read(gateway: Gateway) -> None:
    root, ann = await gateway.visitor(await gateway.person("root", role="owner")), await gateway.person("ann")
    path = f"/users/{ann.user.id}"
    missing = await gateway.call("PATCH", path, root, json={"display_name": "Anna"})
    assert (missing.status_code, missing.json()["code"]) == (428, "version.required")
    wrong = await gateway.call("PATCH", path, root, json={"display_name": "Anna"}, headers={"If-Match": '"7"'})
    assert (wrong.status_code, wrong.json()["code"]) == (412, "version.mismatch")


async def a_team(gateway: Gateway) -> tuple[Project, Person, Person]:
    project = await gateway.project()
    boss = await gateway.person("boss", member_of=project, member_as="admin")
    ann = await gateway.person("ann", member_of=project, member_as="read_write")
    return project, boss, ann


async def test_a_project_admin_changes_and_removes_members(gateway: Gateway) -> None:
    project, boss, ann = await a_team(gateway)
    path = f"/projects/{project.id}/members/{ann.user.id}"
    before = (await gateway.get("/me", ann)).json()["version"]
    changed = await change(gateway, boss, "PATCH", path, {"role": "read"})
    assert (changed.status_code, changed.json()["role"], changed.headers["etag"]) == (200, "read", '"2"')
    assert (await gateway.get("/me", ann)).json()["version"] > before
    gone = await change(gateway, boss, "DELETE", path, version='"2"')
    assert gone.status_code == 200
    assert (await gateway.get(f"/projects/{project.id}", ann)).status_code == 404
    kinds = ("member.role_changed", "member.removed")
    assert [[fact["reason"] for fact in await events(gateway, kind)] for kind in kinds] == [["as agreed"]] * 2
    missing = await change(gateway, boss, "DELETE", path)
    assert (missing.status_code, missing.json()["code"]) == (404, "member.not_found")


async def test_a_token_of_a_removed_member_is_worth_nothing_after_they_came_back(gateway: Gateway) -> None:
    project, boss, ann = await a_team(gateway)
    path = f"/projects/{project.id}/members/{ann.user.id}"
    headers = {"If-Match": '"1"'}
    token = (await gateway.call("DELETE", f"{path}?preview=1", boss, headers=headers)).json()["confirm_token"]
    body = {"confirm_token": token, "reason": "left"}
    assert (await gateway.call("DELETE", path, boss, headers=headers, json=body)).status_code == 200
    form = {"user_id": str(ann.user.id), "role": "read_write"}
    assert (await gateway.post(f"/projects/{project.id}/members", boss, form)).status_code == 201
    again = await gateway.call("DELETE", path, boss, headers=headers, json=body)
    assert (again.status_code, again.json()["code"]) == (409, "confirm.outdated")


async def test_a_project_keeps_its_last_admin(gateway: Gateway) -> None:
    project, boss, ann = await a_team(gateway)
    own = f"/projects/{project.id}/members/{boss.user.id}"
    for method, body in (("DELETE", None), ("PATCH", {"role": "read"})):
        answer = await change(gateway, boss, method, own, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "member.last_admin")
    await change(gateway, boss, "PATCH", f"/projects/{project.id}/members/{ann.user.id}", {"role": "admin"})
    assert (await change(gateway, boss, "DELETE", own)).status_code == 200
    last = f"/projects/{project.id}/members/{ann.user.id}"
    root = await gateway.person("root", role="owner")
    assert (await change(gateway, root, "DELETE", last, version='"2"')).status_code == 200


async def test_actions_on_a_member_are_those_that_the_acts_permit(gateway: Gateway) -> None:
    project, boss, ann = await a_team(gateway)
    root = await gateway.person("root", role="owner")

    async def seen(who: Person) -> dict[str, set[str | None]]:
        items = (await gateway.get(f"/projects/{project.id}/members", who)).json()["items"]
        return {item["display_name"]: {action["reason_code"] for action in item["allowed_actions"]} for item in items}

    assert await seen(boss) == {"Ann": {None}, "Boss": {"member.last_admin"}}
    assert await seen(ann) == {"Ann": {"permission_denied"}, "Boss": {"permission_denied"}}
    assert await seen(root) == {"Ann": {None}, "Boss": {None}}


async def test_two_admins_who_leave_at_once_leave_one(gateway: Gateway) -> None:
    project, boss, ann = await a_team(gateway)
    await change(gateway, boss, "PATCH", f"/projects/{project.id}/members/{ann.user.id}", {"role": "admin"})
    ways = ((boss, '"1"'), (ann, '"2"'))
    answers = await asyncio.gather(
        *(
            change(gateway, who, "DELETE", f"/projects/{project.id}/members/{who.user.id}", version=version)
            for who, version in ways
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422]


async def test_no_member_raises_their_own_role(gateway: Gateway) -> None:
    project, _, ann = await a_team(gateway)
    path = f"/projects/{project.id}/members/{ann.user.id}"
    assert (await change(gateway, ann, "PATCH", path, {"role": "admin"})).status_code == 403
    stranger = await gateway.person("eve")
    hidden = await change(gateway, stranger, "PATCH", path, {"role": "admin"})
    assert (hidden.status_code, hidden.json()["code"]) == (404, "member.not_found")


async def test_adding_somebody_twice_at_once_adds_them_once(gateway: Gateway) -> None:
    project, boss, _ = await a_team(gateway)
    new = await gateway.person("new")
    forms = [{"user_id": str(new.user.id), "role": role} for role in ("read", "admin", "read_write")]
    answers = await asyncio.gather(*(gateway.post(f"/projects/{project.id}/members", boss, form) for form in forms))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "member.exists"}


async def test_two_people_cannot_be_one_account_of_the_forge(gateway: Gateway) -> None:
    ann, bob = await gateway.person("ann"), await gateway.person("bob")

    async def pin(person: Person) -> str:
        try:
            async with gateway.db.transaction() as tx:
                await identity.pin_github_login(tx, person.user, github_id=42, login="octo")
        except MismatchedAccount as error:
            return error.stable_code
        return "pinned"

    assert sorted(await asyncio.gather(pin(ann), pin(bob))) == ["identity.github_mismatch", "pinned"]


@pytest.mark.parametrize("act", ["role", "disable", "member's role", "member's end"])
@pytest.mark.parametrize("reason", [None, "", "  "])
async def test_what_stops_or_loses_something_of_a_person_needs_a_reason(
    gateway: Gateway, act: str, reason: str | None
) -> None:
    project, boss, ann = await a_team(gateway)
    root = await gateway.visitor(await gateway.person("root", role="owner"))
    member, user = f"/projects/{project.id}/members/{ann.user.id}", f"/users/{ann.user.id}"
    version = await version_of(gateway, root, ann.user.id)
    ways: dict[str, tuple[Who, str, str, Any, str]] = {
        "role": (root, "PATCH", user, {"role": "admin"}, version),
        "disable": (root, "POST", f"{user}:disable", {}, version),
        "member's role": (boss, "PATCH", member, {"role": "read"}, '"1"'),
        "member's end": (boss, "DELETE", member, {}, '"1"'),
    }
    who, method, path, body, seen = ways[act]
    refused = await change(gateway, who, method, path, body, version=seen, also={"reason": reason})
    assert (refused.status_code, refused.json()["code"]) == (428, "confirm.reason")
    long = await change(gateway, who, method, path, body, version=seen, also={"reason": "x" * 501})
    assert (long.status_code, long.json()["errors"][0]["pointer"]) == (400, "/reason")
    done = await change(gateway, who, method, path, body, version=seen, also={"reason": " too many hands "})
    assert done.status_code == 200
    kind = {"member's role": "member.role_changed", "member's end": "member.removed"}.get(act, "access.changed")
    assert (await events(gateway, kind))[-1]["reason"] == "too many hands"


async def test_the_owner_says_which_account_of_the_forge_a_person_is(gateway: Gateway) -> None:
    project = await gateway.project()
    gateway.forge.add_repository("acme/shop")
    root = await gateway.person("root", role="owner")
    owner, ann = await gateway.visitor(root), await gateway.person("ann")
    path, octo = f"/users/{ann.user.id}", gateway.forge.add_account("octo")
    unreadable = await change(gateway, owner, "PATCH", path, {"github_login": "octo"})
    assert (unreadable.status_code, unreadable.json()["code"]) == (422, "identity.forge_unreadable")
    form = {"full_name": "acme/shop", "token": "bot-token", "api_url": "https://forge.test/api"}
    assert (await gateway.post(f"/projects/{project.id}/repositories", root, form)).status_code == 201

    shown = await gateway.call(
        "PATCH", f"{path}?preview=1", owner, json={"github_login": "octo"}, headers={"If-Match": '"1"'}
    )
    pinned = {"code": "user.forge_account_pinned", "params": {"login": "octo", "number": octo.id}}
    assert pinned in shown.json()["survives"]
    done = await change(gateway, owner, "PATCH", path, {"github_login": "octo"})
    assert (done.status_code, done.json()["github_login"]) == (200, "octo")
    async with gateway.db.reading() as reader:
        found = await identity.find_by_github_id(reader, octo.id)
    assert found is not None
    assert found.id == ann.user.id
    fact = (await events(gateway, "access.changed"))[-1]
    assert (fact["github_login"], fact["reason"], fact["version"]) == ("octo", "as agreed", 2)


async def test_a_login_of_nobody_or_of_another_person_is_not_pinned(gateway: Gateway) -> None:
    await gateway.scene()
    owner = await gateway.visitor(await gateway.person("root", role="owner"))
    admin = await gateway.visitor(await gateway.person("boss", role="admin"))
    ann, bob = await gateway.person("ann"), await gateway.person("bob")
    octo = gateway.forge.add_account("octo")
    async with gateway.db.transaction() as tx:
        await identity.pin_github_login(tx, bob.user, github_id=octo.id, login="octo")
    path = f"/users/{ann.user.id}"
    for who in (admin, await gateway.person("other", role="admin")):
        refused = await change(gateway, who, "PATCH", path, {"github_login": "octo"})
        assert (refused.status_code, refused.json()["params"]["permission"]) == (403, "user.roles")
    nobody = await change(gateway, owner, "PATCH", path, {"github_login": "nobody"})
    assert (nobody.status_code, nobody.json()["errors"][0]["pointer"]) == (400, "/github_login")
    taken = await change(gateway, owner, "PATCH", path, {"github_login": "octo"})
    assert (taken.status_code, taken.json()["code"]) == (409, "identity.github_mismatch")
    strange = await change(gateway, owner, "PATCH", path, {"github_login": "../octo"})
    assert (strange.status_code, strange.json()["errors"][0]["pointer"]) == (400, "/github_login")
    assert [call for call in gateway.forge.calls if call == ("user", "../octo")] == []


async def test_actions_on_a_person_are_those_that_the_acts_permit(gateway: Gateway) -> None:
    owner = await gateway.visitor(await gateway.person("root", role="owner"))
    admin = await gateway.visitor(await gateway.person("boss", role="admin"))
    ann = await gateway.person("ann")

    async def may(who: Visitor, target: UUID) -> set[str]:
        actions = (await gateway.get(f"/users/{target}", who)).json()["allowed_actions"]
        return {item["verb"] for item in actions if item["mode"] == "allow"}

    assert await may(owner, ann.user.id) == {"change_role", "edit", "disable", "pin_account"}
    assert await may(owner, admin.user.id) == {"change_role", "edit", "disable", "pin_account", "make_owner"}
    assert await may(owner, owner.user.id) == {"edit", "pin_account"}
    assert await may(admin, ann.user.id) == {"edit", "disable"}
    assert await may(admin, admin.user.id) == {"edit"}
    await change(gateway, owner, "POST", f"/users/{ann.user.id}:disable", headers={})
    assert await may(admin, ann.user.id) == {"edit", "enable"}


async def test_a_session_makes_tokens_that_are_shown_once(gateway: Gateway) -> None:
    ann = await gateway.visitor(await gateway.person("ann"))
    form = {"name": "ci", "scopes": ["read", "operate"], "expires_in_days": 90}
    made = await gateway.post("/me/tokens", ann, form)
    assert (made.status_code, made.json()["scopes"]) == (201, ["operate", "read"])
    assert (await gateway.get("/me", made.json()["token"])).json()["credential"] == "token"
    assert made.json()["token"] not in (await gateway.get("/me/tokens", ann)).text
    too_long = await gateway.post("/me/tokens", ann, {**form, "expires_in_days": 91})
    assert (too_long.status_code, too_long.json()["errors"][0]["pointer"]) == (400, "/expires_in_days")
    for _ in range(9):
        assert (await gateway.post("/me/tokens", ann, form)).status_code == 201
    refused = await gateway.post("/me/tokens", ann, form)
    assert (refused.status_code, refused.json()["params"]["bucket"]) == (429, "new tokens")


async def test_people_change_their_own_settings(gateway: Gateway) -> None:
    ann = await gateway.visitor(await gateway.person("ann"))
    body = {"locale": "ru", "zone": "Europe/Berlin", "preferences": {"theme": "dark", "dense": True}}
    changed = await gateway.call("PATCH", "/me", ann, headers={"If-Match": '"1"'}, json=body)
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    body = {"preferences": {"dense": None, "saved_view": "mine"}}
    merged = await gateway.call("PATCH", "/me", ann, headers={"If-Match": '"2"'}, json=body)
    assert merged.json()["preferences"] == {"theme": "dark", "saved_view": "mine"}
    assert (merged.json()["locale"], merged.json()["zone"]) == ("ru", "Europe/Berlin")
    stale = await gateway.call("PATCH", "/me", ann, headers={"If-Match": '"2"'}, json=body)
    assert (stale.status_code, stale.json()["code"]) == (412, "version.mismatch")
    for wrong, place in (
        ({"locale": "xx"}, "/locale"),
        ({"zone": "Mars/Base"}, "/zone"),
        ({"preferences": {"big": "x" * 20_000}}, "/preferences"),
    ):
        answer = await gateway.call("PATCH", "/me", ann, headers={"If-Match": '"3"'}, json=wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, place)

"""The table of permissions at real routes, for every role and every token scope (AX2), and the object rule (AX3)."""

import json
from typing import Any
from uuid import uuid4

import pytest
from tests.fakes.gateway import Gateway, Person, Visitor

from stagewright.contexts.projects.api import Project, Repository
from stagewright.contexts.runs.api import Run

ROLES = ("read", "read_write", "admin", "platform admin", "owner")
# permission: (scope, method, path, body, who may) - as the specification's table says, not as the code does.
TABLE: dict[str, tuple[str, str, str, Any, str]] = {
    "project.view": ("read", "GET", "/projects/{p}", None, "read read_write admin platform_admin owner"),
    "run.control": ("operate", "POST", "/runs/{run}:cancel?preview=1", {}, "read_write admin platform_admin owner"),
    "credentials.read": ("read", "GET", "/projects/{p}/credentials", None, "read_write admin platform_admin owner"),
    "credentials.manage": (
        "manage",
        "PUT",
        "/projects/{p}/credentials/model:codex",
        {"kind": "api_key", "secret": "sk-test-0000000000"},
        "admin platform_admin owner",
    ),
    "repository.manage": (
        "manage",
        "POST",
        "/projects/{p}/repositories/{r}:sync-labels?dry_run=1",
        {},
        "admin platform_admin owner",
    ),
    "project.edit": ("manage", "PATCH", "/projects/{p}", {"name": "Shop"}, "admin platform_admin owner"),
    "member.manage": (
        "manage",
        "POST",
        "/projects/{p}/members",
        {"email": "new@example.test", "role": "read"},
        "admin platform_admin owner",
    ),
    "audit.view": ("read", "GET", "/audit?project={p}", None, "admin platform_admin owner"),
    "audit.view of the installation": ("read", "GET", "/audit", None, "platform_admin owner"),
    "project.create": ("platform", "POST", "/projects", {"key": "new", "name": "New"}, "platform_admin owner"),
    "user.manage": ("platform", "GET", "/users", None, "platform_admin owner"),
    "settings.manage": ("platform", "GET", "/settings", None, "platform_admin owner"),
    "config.platform": ("platform", "GET", "/platform/credentials", None, "owner"),
    "platform.operate": ("platform", "GET", "/system", None, "platform_admin owner"),
}
SCOPES = ("read", "operate", "decide", "manage", "platform")


async def ask(gateway: Gateway, name: str, who: Person | Visitor | str, scene: tuple[Project, Repository, Run]) -> int:
    """Use the permission's route and return the status."""
    project, repository, run = scene
    _, method, path, body, _ = TABLE[name]
    headers = {"Idempotency-Key": str(uuid4()), "If-Match": f'"{project.version}"'}
    place = path.format(p=project.id, r=repository.id, run=run.id)
    answer = await gateway.call(method, place, who, headers=headers, json=body)
    if answer.status_code == 403:
        params = answer.json()["params"]
        assert params["permission"].startswith(name.partition(" ")[0])
        assert params["grantor"] == ("project_admin" if params["project_role"] else "owner")
        assert params["platform_role"] in ("member", "admin", "owner")
        if params["project_role"] and "scope" not in params:
            assert params["project_id"] == str(project.id)
    return answer.status_code


async def test_a_403_says_as_codes_what_is_missing_where_and_who_grants_it(gateway: Gateway) -> None:
    project, _, run = await gateway.scene()
    reader = await gateway.person("eve", member_of=project)
    refused = (await gateway.post(f"/runs/{run.id}:cancel?preview=1", reader)).json()
    assert (refused["code"], refused["params"]) == (
        "permission_denied",
        {
            "permission": "run.control",
            "project_id": str(project.id),
            "project_role": "read_write",
            "platform_role": "admin",
            "grantor": "project_admin",
        },
    )
    refused = (await gateway.get("/users", reader)).json()
    assert refused["params"] == {
        "permission": "user.manage",
        "project_id": None,
        "project_role": None,
        "platform_role": "admin",
        "grantor": "owner",
    }
    refused = (
        await gateway.get("/users", await gateway.token(await gateway.person("ann", role="owner"), "read"))
    ).json()
    assert (refused["params"]["scope"], "credential" in refused["params"]) == ("platform", False)


async def a_person(gateway: Gateway, role: str, project: Project) -> Person:
    if role in ("platform admin", "owner"):
        return await gateway.person("ann", role=role.removeprefix("platform "))
    return await gateway.person("ann", member_of=project, member_as=role)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", TABLE)
async def test_a_role_may_exactly_what_the_table_says(gateway: Gateway, name: str, role: str) -> None:
    scene = await gateway.scene()
    await gateway.person("new")
    person = await a_person(gateway, role, scene[0])
    allowed = role.replace(" ", "_") in TABLE[name][4].split()
    status = await ask(gateway, name, person, scene)
    assert (status < 300) if allowed else (status == 403), f"{role} got {status}"


@pytest.mark.parametrize("name", TABLE)
async def test_a_token_may_what_its_scope_and_its_user_may(gateway: Gateway, name: str) -> None:
    scene = await gateway.scene()
    await gateway.person("new")
    owner = await gateway.person("ann", role="owner")
    wanted = TABLE[name][0]
    for scope in SCOPES:
        if wanted == scope or (wanted, scope) == ("read", "operate"):
            continue
        assert await ask(gateway, name, await gateway.token(owner, scope), scene) == 403, scope
    assert await ask(gateway, name, await gateway.token(owner, wanted), scene) < 300


@pytest.mark.parametrize("name", TABLE)
async def test_a_session_may_what_its_person_may(gateway: Gateway, name: str) -> None:
    scene = await gateway.scene()
    await gateway.person("new")
    reader = await gateway.visitor(await gateway.person("eve", member_of=scene[0]))
    owner = await gateway.visitor(await gateway.person("ann", role="owner"))
    assert await ask(gateway, name, reader, scene) == (200 if "read" in TABLE[name][4].split() else 403)
    assert await ask(gateway, name, owner, scene) < 300


async def test_a_token_of_one_project_shows_no_other(gateway: Gateway) -> None:
    shop, repository, run = await gateway.scene()
    blog = await gateway.project("blog")
    owner = await gateway.person(role="owner", only=blog)
    assert [item["key"] for item in (await gateway.get("/projects", owner)).json()["items"]] == ["blog"]
    for path in (f"/projects/{shop.id}", f"/runs/{run.id}", f"/projects/{shop.id}/repositories/{repository.id}"):
        assert (await gateway.get(path, owner)).status_code == 404
    assert (await gateway.get("/system", owner)).status_code == 403
    assert (await gateway.get("/me", owner)).status_code == 200


NESTED = [
    ("GET", "/projects/{project}"),
    ("PATCH", "/projects/{project}"),
    ("GET", "/projects/{project}/repositories"),
    ("POST", "/projects/{project}/repositories"),
    ("GET", "/projects/{project}/repositories/{repository}"),
    ("DELETE", "/projects/{project}/repositories/{repository}"),
    ("DELETE", "/projects/{project}/repositories/{repository}?preview=1"),
    ("GET", "/projects/{project}/repositories/{repository}/labels"),
    ("POST", "/projects/{project}/repositories/{repository}:sync-labels"),
    ("GET", "/projects/{project}/members"),
    ("POST", "/projects/{project}/members"),
    ("PATCH", "/projects/{project}/members/{user}"),
    ("DELETE", "/projects/{project}/members/{user}"),
    ("GET", "/projects/{project}/credentials"),
    ("PUT", "/projects/{project}/credentials/bot"),
    ("GET", "/projects/{project}/policy"),
    ("POST", "/projects/{project}/policy:validate"),
    ("GET", "/audit?project={project}"),
    ("GET", "/runs/{run}"),
    ("GET", "/runs/{run}/attempts"),
    ("GET", "/runs/{run}/attempts/1"),
    ("GET", "/runs/{run}/events"),
    ("GET", "/runs/{run}/waits"),
    ("GET", "/runs/{run}/prompt"),
    ("GET", "/runs/{run}/session"),
    ("GET", "/runs/{run}/result"),
    ("GET", "/runs/{run}/result/diff"),
    ("GET", "/runs/{run}/logs"),
    ("GET", "/runs/{run}/logs/engine"),
    ("GET", "/runs/{run}/logs/engine/raw"),
    ("POST", "/runs/{run}:cancel"),
    ("POST", "/runs/{run}:cancel?preview=1"),
    ("GET", "/audit/verify?stream=run:{run}"),
]
BODIES: dict[str, Any] = {
    "repositories": {"full_name": "acme/other", "token": "token-of-the-bot"},
    "members": {"email": "new@example.test", "role": "read"},
    "{user}": {"role": "read"},
    "bot": {"kind": "token", "secret": "another-token"},
    "policy:validate": {"text": ""},
}


@pytest.mark.parametrize(("method", "path"), NESTED)
async def test_what_one_may_not_see_answers_like_what_does_not_exist(gateway: Gateway, method: str, path: str) -> None:
    project, repository, run = await gateway.scene()
    mine = await gateway.project("mine")
    stranger = await gateway.person("eve", member_of=mine, member_as="admin")

    async def ask_for(**ids: object) -> dict[str, Any]:
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": '"1"'}
        body = {} if method == "DELETE" else BODIES.get(path.rpartition("/")[2].partition("?")[0], {})
        answer = await gateway.call(method, path.format(**ids), stranger, headers=headers, json=body)
        assert answer.status_code == 404
        text = answer.text
        for name, value in ids.items():
            text = text.replace(str(value), name)
        document: dict[str, Any] = json.loads(text)
        return {name: value for name, value in document.items() if name != "request_id"}

    member = await gateway.person("ann", member_of=project)
    hidden = await ask_for(project=project.id, repository=repository.id, run=run.id, user=member.user.id)
    unknown = await ask_for(project=uuid4(), repository=uuid4(), run=uuid4(), user=uuid4())
    assert hidden == unknown


async def test_an_id_of_another_project_below_my_own_is_unknown(gateway: Gateway) -> None:
    _, repository, _ = await gateway.scene()
    mine = await gateway.project("mine")
    me = await gateway.person("eve", member_of=mine, member_as="admin")
    owner = await gateway.person("root", role="owner")
    for who in (me, owner):
        for path in ("", "/labels"):
            answer = await gateway.get(f"/projects/{mine.id}/repositories/{repository.id}{path}", who)
            assert (answer.status_code, answer.json()["code"]) == (404, "repository.not_found")
    answer = await gateway.post(f"/projects/{mine.id}/repositories/{repository.id}:sync-labels", owner)
    assert answer.status_code == 404


async def test_lists_show_only_what_the_caller_sees(gateway: Gateway) -> None:
    await gateway.scene()
    mine = await gateway.project("mine")
    other = await gateway.repository(mine, "acme/mine")
    await gateway.run(other, 7)
    me = await gateway.person("eve", member_of=mine)
    runs = (await gateway.get("/runs", me)).json()["items"]
    assert [run["repository"] for run in runs] == ["acme/mine"]
    assert [item["key"] for item in (await gateway.get("/projects", me)).json()["items"]] == ["mine"]


async def test_allowed_actions_follow_the_same_rules(gateway: Gateway) -> None:
    project, _, run = await gateway.scene()
    reader = await gateway.person("eve", member_of=project)
    writer = await gateway.person("ann", member_of=project, member_as="read_write")
    seen = (await gateway.get(f"/runs/{run.id}", reader)).json()["allowed_actions"]
    assert seen == [{"verb": "cancel", "mode": "deny", "reason_code": "permission_denied"}]
    seen = (await gateway.get(f"/runs/{run.id}", writer)).json()["allowed_actions"]
    assert seen == [{"verb": "cancel", "mode": "allow", "reason_code": None}]
    actions = (await gateway.get(f"/projects/{project.id}", writer)).json()["allowed_actions"]
    assert {item["mode"] for item in actions} == {"deny"}

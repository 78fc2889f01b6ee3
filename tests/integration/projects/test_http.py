"""Projects, repositories, members and policies through the door."""

from typing import Any

import httpx
import pytest
from tests.factories import a_known_label
from tests.fakes.forge_people import PERSON
from tests.fakes.gateway import Gateway, Person

from stagewright.contexts.projects import api as projects
from stagewright.contexts.vault import api as vault
from stagewright.contexts.workflow import api as workflow
from stagewright.processes.common import Purpose

TOKEN = {"full_name": "acme/shop", "token": "bot-token", "api_url": "https://forge.test/api"}


async def patch(gateway: Gateway, project: projects.Project, who: Person, version: Any, **body: Any) -> httpx.Response:
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    return await gateway.call("PATCH", f"/projects/{project.id}", who, headers=headers, json=body)


async def bind(gateway: Gateway, project: projects.Project, who: Person, **changes: Any) -> httpx.Response:
    return await gateway.post(f"/projects/{project.id}/repositories", who, TOKEN | changes)


async def test_a_project_is_created_read_and_changed(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    made = await gateway.post("/projects", owner, {"key": "shop", "name": "Shop", "locale": "ru"})
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    read = await gateway.get(made.headers["location"].removeprefix("/api/v1"), owner)
    assert read.json() == made.json()
    taken = await gateway.post("/projects", owner, {"key": "shop", "name": "Other"})
    assert (taken.status_code, taken.json()["code"]) == (409, "project.key_taken")


async def test_a_change_needs_the_version_that_was_read(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    assert (await patch(gateway, project, owner, None, name="New")).status_code == 428
    done = await patch(gateway, project, owner, 1, name="New", weight=5)
    assert (done.json()["name"], done.json()["weight"], done.json()["locale"]) == ("New", 5, "en")
    assert done.headers["etag"] == '"2"'
    stale = await patch(gateway, project, owner, 1, name="Newer")
    assert (stale.status_code, stale.json()["code"]) == (412, "version.mismatch")
    assert (await patch(gateway, project, owner, 2, locale="xx")).json()["errors"][0]["pointer"] == "/locale"
    assert (await patch(gateway, project, owner, 2, weight=0)).status_code == 400
    assert (await patch(gateway, project, owner, "two", name="x")).status_code == 400


async def test_binding_reads_the_forge_keeps_the_credential_and_asks_for_labels(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    gateway.forge.add_repository("acme/shop")
    made = await bind(gateway, project, owner)
    assert made.status_code == 201, made.text
    view = made.json()
    assert view["webhook_url"] == f"https://stagewright.test/api/v1/webhooks/github/{view['id']}"
    policy = workflow.builtin_policy()
    assert view["labels"] == len(workflow.label_catalogue(policy))
    async with gateway.db.reading() as reader:
        repository = await projects.get_repository(reader, view["id"])
        sealer = gateway.platform.sealer(Purpose.WEBHOOK_SECRETS)
        secrets = await projects.open_webhook_secrets(reader, repository.id, sealer=sealer)
        for purpose in (vault.MANAGEMENT, vault.BOT):
            found = await vault.resolve(
                reader,
                purpose=purpose,
                project_id=project.id,
                repository_id=repository.id,
                sealer=gateway.platform.sealer(Purpose.CREDENTIALS),
                now=gateway.clock.now(),
            )
            assert (found.secret, found.credential.login) == ("bot-token", "stagewright-bot")
        labels = await reader.value("select count(*) from effects where kind = 'label.define' and status = 'reserved'")
    assert view["webhook_secret"].encode() in secrets
    assert labels == view["labels"]
    shown = await gateway.get(f"/projects/{project.id}/repositories/{view['id']}", owner)
    assert "webhook_secret" not in shown.json()
    listed = (await gateway.get(f"/projects/{project.id}/repositories?full_name=ACME/Shop", owner)).json()["items"]
    assert listed == [shown.json()]


async def test_a_repository_is_bound_once(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    gateway.forge.add_repository("acme/shop")
    await bind(gateway, project, owner)
    again = await bind(gateway, project, owner)
    assert (again.status_code, again.json()["code"]) == (409, "repository.already_bound")


async def test_the_owner_says_who_they_are_also_when_the_repository_is_bound_already(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person("ann", role="owner")
    gateway.forge.add_repository("acme/shop")
    assert (await bind(gateway, project, owner)).status_code == 201
    assert (await gateway.get("/me", owner)).json()["github_user_id"] is None
    again = await bind(gateway, project, owner, owner_login="ann")
    assert (again.status_code, again.json()["code"]) == (409, "repository.already_bound")
    assert (await gateway.get("/me", owner)).json()["github_user_id"] == PERSON.id


async def test_the_owner_says_which_forge_account_is_theirs(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person("ann", role="owner")
    gateway.forge.add_repository("acme/shop")
    gateway.forge.add_repository("acme/two")
    admin = await gateway.person("bob", role="admin")
    assert (await bind(gateway, project, admin, owner_login="ann")).status_code == 403
    assert (await bind(gateway, project, owner, owner_login="nobody")).status_code == 404
    assert (await bind(gateway, project, owner, owner_login="ann")).status_code == 201
    me = (await gateway.get("/me", owner)).json()
    assert (me["github_user_id"], me["github_login"]) == (PERSON.id, "ann")
    assert (await bind(gateway, project, owner, owner_login="ann")).status_code == 409
    gateway.forge.add_account("eve")
    other = await bind(gateway, project, owner, owner_login="eve", full_name="acme/two")
    assert (other.status_code, other.json()["code"]) == (409, "identity.github_mismatch")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"api_url": "http://forge.test/api"}, "/api_url"),
        ({"api_url": "https://user:pass@forge.test"}, "/api_url"),
        ({"api_url": "file:///etc/passwd"}, "/api_url"),
        ({"api_url": "http://127.0.0.1.evil.test"}, "/api_url"),
        ({"api_url": "http://169.254.169.254/latest"}, "/api_url"),
        ({"token": None}, ""),
        ({"app": {"app_id": 1, "installation_id": 1, "private_key": "key"}}, ""),
        ({"full_name": "a"}, "/full_name"),
        ({"owner": "ann"}, "/owner"),
    ],
)
async def test_a_wrong_binding_names_its_place(gateway: Gateway, changes: dict[str, Any], pointer: str) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    answer = await bind(gateway, project, owner, **changes)
    assert answer.status_code == 400, answer.text
    assert [item["pointer"] for item in answer.json()["errors"]] == [pointer]
    assert "bot-token" not in answer.text
    assert gateway.forge.calls == []


async def test_a_practice_forge_on_this_machine_may_speak_plain_http(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    gateway.forge.add_repository("acme/shop")
    for address in ("http://127.0.0.1:8090/api", "http://localhost:8090"):
        answer = await bind(gateway, project, owner, api_url=address)
        assert answer.status_code in (201, 409), answer.text


async def test_labels_show_what_is_known_and_are_synchronised_on_request(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    repository = await gateway.repository(project)
    async with gateway.db.transaction() as tx:
        for key, text in {"run:dev": "run:dev", "run:plan": "old:plan"}.items():
            await projects.keep_label(tx, a_known_label(repository.id, key, text))
    path = f"/projects/{project.id}/repositories/{repository.id}"
    labels = {item["key"]: item for item in (await gateway.get(f"{path}/labels", owner)).json()["items"]}
    assert [labels[key]["state"] for key in ("run:dev", "run:plan", "run:qa")] == ["ok", "renamed", "missing"]
    dry = await gateway.post(f"{path}:sync-labels?dry_run=1", owner)
    assert (dry.status_code, dry.json()["dry_run"]) == (200, True)

    async def reserved() -> list[dict[str, Any]]:
        async with gateway.db.reading() as reader:
            return await reader.all(lambda row: dict(row["payload"]), "select payload from effects")

    assert await reserved() == []
    assert (await gateway.post(f"{path}:sync-labels", owner)).status_code == 202
    plans = {item["text"]: item["was"] for item in await reserved()}
    assert (plans["run:plan"], plans["run:dev"]) == ("old:plan", None)
    assert len(plans) == len(labels)


async def test_a_member_is_an_existing_user(gateway: Gateway) -> None:
    project, admin = await gateway.project(), await gateway.person("ann", role="admin")
    bob = await gateway.person("bob")
    path = f"/projects/{project.id}/members"
    nobody = await gateway.post(path, admin, {"email": "nobody@example.test", "role": "read"})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "user.not_found")
    made = await gateway.post(path, admin, {"email": "BOB@example.test", "role": "read_write"})
    assert (made.status_code, made.json()["user_id"]) == (201, str(bob.user.id))
    again = await gateway.post(path, admin, {"user_id": str(bob.user.id), "role": "admin"})
    assert (again.status_code, again.json()["code"]) == (409, "member.exists")
    both = await gateway.post(path, admin, {"user_id": str(bob.user.id), "email": "a@b.c", "role": "admin"})
    assert both.status_code == 400
    assert [item["role"] for item in (await gateway.get(path, bob)).json()["items"]] == ["read_write"]


async def test_a_project_shows_the_policy_of_its_repository(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    path = f"/projects/{project.id}/policy"
    builtin = (await gateway.get("/policy", owner)).json()
    alone = (await gateway.get(path, owner)).json()
    assert (alone["hash"], alone["repository_id"], alone["repositories"]) == (builtin["hash"], None, [])
    repository = await gateway.repository(project)
    text = "defaults: {reasoning: low}\n"
    async with gateway.db.transaction() as tx:
        await workflow.keep_policy(tx, repository, text=text, commit_sha="c1", now=gateway.clock.now())
    own = (await gateway.get(path, owner)).json()
    assert own["policy"]["defaults"]["reasoning"] == "low"
    assert own["sources"]["/defaults/reasoning"] == "project"
    assert own["repositories"][0]["commit_sha"] == "c1"
    second = await gateway.repository(project, "acme/two")
    which = await gateway.get(path, owner)
    assert (which.status_code, which.json()["errors"][0]["pointer"]) == (400, "/query/repository")
    assert (await gateway.get(f"{path}?repository={second.id}", owner)).json()["hash"] == builtin["hash"]


async def test_a_policy_text_is_checked_without_being_stored(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    path = f"/projects/{project.id}/policy:validate"
    good = (await gateway.post(path, owner, {"text": "defaults: {reasoning: low}\n"})).json()
    assert (good["valid"], good["errors"]) == (True, [])
    assert good["hash"] == workflow.effective_policy("defaults: {reasoning: low}\n").hash
    bad = (await gateway.post(path, owner, {"text": "a: 1\ndefaults: {reasoning: enormous}\n"})).json()
    assert (bad["valid"], bad["hash"]) == (False, None)
    assert {(item["pointer"], item["line"]) for item in bad["errors"]} >= {("/a", 1), ("/defaults/reasoning", 2)}

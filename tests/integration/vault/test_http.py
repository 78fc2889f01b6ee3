"""Credentials through the door: they come in and never go out."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway

from stagewright.contexts.runs.errors import NotSent
from stagewright.contexts.vault import api as vault
from stagewright.kit.db import Database
from stagewright.processes.common import Purpose

KEY = "sk-provider-0123456789abcdef"
FORM = {"kind": "api_key", "secret": KEY, "base_url": "https://models.test/v1"}


async def test_a_credential_is_stored_sealed_and_shown_by_fingerprint(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    path = f"/projects/{project.id}/credentials/model:codex"
    missing = await gateway.get(path, owner)
    assert (missing.status_code, missing.json()["code"]) == (404, "credential.missing")
    put = await gateway.call("PUT", path, owner, json=FORM)
    assert put.status_code == 200, put.text
    shown = (await gateway.get(path, owner)).json()
    assert shown == put.json()
    assert (len(shown["fingerprint"]), shown["base_url"], shown["version"]) == (16, "https://models.test/v1", 1)
    audit = (await gateway.get(f"/audit?project={project.id}", owner)).text
    assert KEY not in put.text + audit
    async with gateway.db.reading() as reader:
        assert KEY not in str(await reader.all(dict, "select * from credentials"))
        sealer = gateway.platform.sealer(Purpose.CREDENTIALS)
        assert KEY in await vault.list_secret_values(reader, sealer=sealer)


async def test_equal_secrets_have_equal_fingerprints_and_a_new_one_replaces_the_old(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    path = f"/projects/{project.id}/credentials/model:codex"
    first = (await gateway.call("PUT", path, owner, json=FORM)).json()
    same = (await gateway.call("PUT", "/platform/credentials/model:codex", owner, json=FORM)).json()
    other = (await gateway.call("PUT", path, owner, json=FORM | {"secret": "another-key-0000"})).json()
    assert first["fingerprint"] == same["fingerprint"] != other["fingerprint"]
    assert (other["version"], same["scope"], same["project_id"]) == (2, "platform", None)
    assert len((await gateway.get(f"/projects/{project.id}/credentials", owner)).json()["items"]) == 1
    assert len((await gateway.get("/platform/credentials", owner)).json()["items"]) == 1
    assert (await gateway.get("/platform/credentials/model:codex", owner)).json() == same


@pytest.mark.parametrize(
    ("purpose", "changes", "pointer"),
    [
        ("model:codex", {"kind": "token"}, "/kind"),
        ("bot", {}, "/kind"),
        ("model:codex", {"secret": ""}, None),
        ("model:codex", {"secret": "  \n"}, None),
        ("model:codex", {"base_url": "models.test"}, ""),
        ("model:codex", {"app_id": 1}, ""),
        ("bot", {"kind": "github_app"}, ""),
        ("model:codex", {"value": "x"}, "/value"),
        ("deploy", {}, "/path/purpose"),
    ],
)
async def test_a_wrong_credential_names_its_place(
    gateway: Gateway, purpose: str, changes: dict[str, Any], pointer: str | None
) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    answer = await gateway.call("PUT", f"/projects/{project.id}/credentials/{purpose}", owner, json=FORM | changes)
    assert answer.status_code == 400, answer.text
    assert KEY not in answer.text
    if pointer is None:
        assert answer.json()["code"] == "credential.empty"
    else:
        assert [item["pointer"] for item in answer.json()["errors"]] == [pointer]


async def test_redaction_learns_a_stored_secret_by_the_bell(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    plain = "an-unusual-secret-of-nobody"
    redactor = gateway.platform.redactor
    assert plain in redactor(f"key {plain}")
    form = FORM | {"secret": plain}
    await gateway.call("PUT", f"/projects/{project.id}/credentials/model:codex", owner, json=form)
    async with asyncio.timeout(10):
        while plain in redactor(f"key {plain}"):
            await _look_again(gateway.db)


async def _look_again(db: Database) -> None:
    async with db.reading():
        await asyncio.sleep(0)


async def test_many_puts_at_once_are_each_a_replacement(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    path = f"/projects/{project.id}/credentials/bot"
    forms = [
        {"kind": "token", "secret": f"token-number-{number}"}
        if number % 2
        else {"kind": "github_app", "secret": f"key-number-{number}", "app_id": 1, "installation_id": 2}
        for number in range(6)
    ]
    answers = await asyncio.gather(*(gateway.call("PUT", path, owner, json=form) for form in forms))
    assert [answer.status_code for answer in answers] == [200] * len(forms)
    listed = (await gateway.get(f"/projects/{project.id}/credentials", owner)).json()["items"]
    assert [(item["purpose"], item["version"]) for item in listed] == [("bot", len(forms))]


async def test_a_check_asks_the_forge_and_keeps_its_answer(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    for path in (f"/projects/{project.id}/credentials/bot", "/platform/credentials/bot"):
        await gateway.call("PUT", path, owner, json={"kind": "token", "secret": "bot-token"})
        good = await gateway.post(f"{path}:check", owner)
        assert (good.status_code, good.json()["state"]) == (200, "valid"), good.text
        assert good.json()["checked_at"] is not None
        await gateway.call("PUT", path, owner, json={"kind": "token", "secret": "revoked-token"})
        bad = await gateway.post(f"{path}:check", owner)
        assert (bad.json()["state"], "revoked-token" in bad.text) == ("invalid", False)
    gateway.forge.fail("account", NotSent("the forge is silent"))
    await gateway.call("PUT", path, owner, json={"kind": "token", "secret": "bot-token"})
    assert (await gateway.post(f"{path}:check", owner)).status_code == 503
    assert (await gateway.get(path, owner)).json()["state"] == "unchecked"


async def test_a_models_key_is_not_asked_about_beforehand(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    path = "/platform/credentials/model:codex"
    assert (await gateway.post(f"{path}:check", owner)).status_code == 404
    await gateway.call("PUT", path, owner, json=FORM)
    answer = await gateway.post(f"{path}:check", owner)
    assert (answer.status_code, answer.json()["code"]) == (422, "credential.not_checkable")


async def test_deleting_a_credential_needs_preview_name_version_and_a_fresh_sign_in(
    gateway: Gateway, clock: FakeClock
) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    for path in (f"/projects/{project.id}/credentials/model:codex", "/platform/credentials/model:codex"):
        assert (await gateway.call("DELETE", f"{path}?preview=1", owner)).status_code == 404
        await gateway.call("PUT", path, owner, json=FORM)
        shown = (await gateway.call("DELETE", f"{path}?preview=1", owner)).json()
        tag = {"If-Match": (await gateway.get(path, owner)).headers["etag"]}
        body = {"confirm_token": shown["confirm_token"], "confirm_name": shown["confirm_name"]}
        for headers, sent, status, code in (
            ({}, body, 428, "version.required"),
            ({"If-Match": '"9"'}, body, 412, "version.mismatch"),
            (tag, {"confirm_name": "model:codex"}, 428, "confirm.required"),
            (tag, body | {"confirm_name": "codex"}, 428, "confirm.name"),
        ):
            refused = await gateway.call("DELETE", path, owner, headers=headers, json=sent)
            assert (refused.status_code, refused.json()["code"]) == (status, code)
        gone = await gateway.call("DELETE", path, owner, headers=tag, json=body)
        assert (gone.status_code, gone.json()["purpose"]) == (200, "model:codex")
        assert (await gateway.get(path, owner)).status_code == 404
    await gateway.call("PUT", path, owner, json=FORM)
    clock.advance(timedelta(minutes=61))
    body["confirm_token"] = (await gateway.call("DELETE", f"{path}?preview=1", owner)).json()["confirm_token"]
    stale = await gateway.call("DELETE", path, owner, headers=tag, json=body)
    assert (stale.status_code, stale.json()["code"]) == (403, "identity.fresh_login_required")
    async with gateway.db.reading() as reader:
        assert await reader.value("select count(*) from journal where kind = 'credential.cleared'") == 2

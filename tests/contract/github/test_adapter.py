"""What only the adapter has: minted tokens, renewal, tags, limits told as they come in; against the practice forge."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.contract.github.peers import Adapter, PracticePeer, Vault, a_credential
from tests.fakes.clock import FakeClock

from stagewright.adapters.github import Access
from stagewright.adapters.github.access import LABELS, THREADS
from stagewright.contexts.vault.model import CredentialKind, ResolvedCredential
from stagewright.kit.errors import Denied, LimitReached, NotFound, Unauthenticated

RIGHTS = {"issues": "write", "pull_requests": "write", "contents": "write", "metadata": "read"}


def made_app(practice: PracticePeer, permissions: dict[str, str] | None = None) -> dict[str, Any]:
    """Make an App and install it on the owner's account."""
    control, owner = practice.running.control, practice.planted.owner
    rights = RIGHTS if permissions is None else permissions
    app: dict[str, Any] = control.ask(
        "POST", "/apps", {"owner": owner, "slug": f"app-of-{owner}", "permissions": rights}
    )
    app["installation"] = control.ask("POST", f"/apps/{app['id']}/installations", {"account": owner})["id"]
    return app


def app_adapter(
    http: httpx.AsyncClient, app: dict[str, Any], clock: FakeClock | None = None, **changes: Any
) -> Adapter:
    """Return an adapter that acts through an App."""
    where = {"app_id": app["id"], "installation_id": app["installation"]} | changes
    credential = a_credential(CredentialKind.GITHUB_APP, **where)
    return Adapter(http, Vault(ResolvedCredential(credential, app["private_key"]), []), clock)


def mints(practice: PracticePeer) -> list[dict[str, Any]]:
    """Return the requests for tokens that the forge saw."""
    return practice.running.control.requests("POST", "access_tokens")


@pytest.fixture(autouse=True)
def _fresh(practice: PracticePeer) -> None:
    """Forget what earlier tests asked of the shared forge."""
    practice.running.control.ask("DELETE", "/requests")
    practice.running.control.ask("DELETE", "/faults")


async def test_labels_and_permissions_go_with_the_management_credential_and_the_rest_as_bot(
    practice: PracticePeer,
) -> None:
    number = await practice.open_issue()
    purposes = practice.adapter.vault.purposes
    purposes.clear()
    await practice.forge.add_label(practice.repository, number, "bug")
    await practice.threads.permission(practice.repository, "someone")
    assert set(purposes) == {"management"}
    purposes.clear()
    await practice.forge.create_comment(practice.repository, number, "text")
    await practice.threads.thread(practice.repository, number)
    assert set(purposes) == {"bot"}


async def test_an_app_acts_with_a_token_narrowed_to_the_repository_and_the_need(
    practice: PracticePeer, http: httpx.AsyncClient
) -> None:
    adapter = app_adapter(http, made_app(practice))
    number = await practice.open_issue()
    made = await adapter.forge.create_comment(practice.repository, number, "text")
    assert (made.author_type, made.author.endswith("[bot]")) == ("Bot", True)
    await adapter.forge.add_label(practice.repository, number, "bug")
    asked = [one["body"] for one in mints(practice)]
    ids = [practice.repository.forge_repository_id]
    assert asked == [
        {"repository_ids": ids, "permissions": dict(THREADS.permissions)},
        {"repository_ids": ids, "permissions": dict(LABELS.permissions)},
    ]


async def test_one_mint_is_in_flight_however_many_wait_for_it(practice: PracticePeer, http: httpx.AsyncClient) -> None:
    adapter = app_adapter(http, made_app(practice))
    number = await practice.open_issue()
    await asyncio.gather(*(adapter.forge.issue(practice.repository, number) for _ in range(8)))
    assert len(mints(practice)) == 1


async def test_a_token_is_renewed_five_minutes_before_it_expires(
    practice: PracticePeer, http: httpx.AsyncClient
) -> None:
    clock = FakeClock(datetime.now(UTC))
    adapter = app_adapter(http, made_app(practice), clock)
    first = await adapter.access.pass_for(practice.repository, THREADS)
    clock.advance(timedelta(minutes=54))
    assert (await adapter.access.pass_for(practice.repository, THREADS)).text == first.text
    clock.advance(timedelta(minutes=2))
    assert (await adapter.access.pass_for(practice.repository, THREADS)).text != first.text


async def test_a_refused_installation_token_is_minted_again_even_for_a_write(
    practice: PracticePeer, http: httpx.AsyncClient
) -> None:
    adapter = app_adapter(http, made_app(practice))
    number = await practice.open_issue()
    first = await adapter.access.pass_for(practice.repository, THREADS)
    practice.running.control.ask("POST", "/tokens/revoke", {"token": first.text})
    await adapter.forge.create_comment(practice.repository, number, "text")
    assert [one.body for one in await adapter.forge.comments(practice.repository, number)] == ["text"]
    assert len(mints(practice)) == 2


async def test_an_app_finds_its_installation_when_none_is_stored(
    practice: PracticePeer, http: httpx.AsyncClient
) -> None:
    app = made_app(practice)
    adapter = app_adapter(http, app, installation_id=None)
    found = await adapter.access.pass_for(practice.repository, THREADS)
    assert found.installation == f"app:{app['installation']}"


async def test_an_app_knows_its_bot_account(practice: PracticePeer, http: httpx.AsyncClient) -> None:
    app = made_app(practice)
    adapter = app_adapter(http, app)
    bot = await adapter.forge.bot(practice.repository)
    assert bot.login == f"{app['slug']}[bot]"
    assert bot.commit_email == f"{bot.user_id}+{bot.login}@users.noreply.127.0.0.1"
    asked = len(practice.running.control.requests())
    assert await adapter.forge.bot(practice.repository) == bot
    assert len(practice.running.control.requests()) == asked


async def test_a_permission_the_app_was_not_granted_is_named(practice: PracticePeer, http: httpx.AsyncClient) -> None:
    adapter = app_adapter(http, made_app(practice, {"metadata": "read", "issues": "read"}))
    with pytest.raises(Denied, match="grant it") as caught:
        await adapter.forge.add_label(practice.repository, await practice.open_issue(), "bug")
    assert caught.value.stable_code == "forge.permission_missing"
    assert "issues: write" in caught.value.params["permission"]


async def test_a_key_that_cannot_sign_is_told_apart(practice: PracticePeer, http: httpx.AsyncClient) -> None:
    adapter = app_adapter(http, made_app(practice) | {"private_key": "no key at all"})
    with pytest.raises(Unauthenticated) as caught:
        await adapter.forge.issue(practice.repository, 1)
    assert caught.value.stable_code == "credential.invalid"
    assert "no key at all" not in str(caught.value)


async def test_the_directory_mints_a_token_to_read_with(practice: PracticePeer) -> None:
    app = made_app(practice)
    directory, url = practice.directory, practice.repository.api_url
    token = await directory.installation_token(url, app["id"], app["private_key"], app["installation"])
    found = await directory.repository(url, token, practice.repository.full_name)
    assert found.id == practice.repository.forge_repository_id
    with pytest.raises(NotFound):
        await directory.installation_token(url, app["id"], app["private_key"], 987_654_321)


async def test_a_token_that_no_longer_counts_is_tried_once_and_not_again(practice: PracticePeer) -> None:
    number = await practice.open_issue()
    practice.running.control.ask("POST", "/tokens/revoke", {"token": practice.token})
    practice.running.control.ask("DELETE", "/requests")
    with pytest.raises(Unauthenticated) as caught:
        await practice.forge.create_comment(practice.repository, number, "text")
    assert practice.token not in f"{caught.value!r}{caught.value.params}"
    assert caught.value.params["credential_version"] == 1
    assert len(practice.running.control.requests("POST", "comments")) == 1


async def test_a_token_replaced_meanwhile_is_used_at_once(practice: PracticePeer) -> None:
    number = await practice.open_issue()
    practice.running.control.ask("POST", "/tokens/revoke", {"token": practice.token})
    new = practice.running.control.token(practice.bot)
    stale, vault = practice.adapter.vault.resolved, practice.adapter.vault
    answers = iter([stale, replace(stale, secret=new)])

    async def resolve(*_: object) -> ResolvedCredential:
        vault.resolved = next(answers)
        return vault.resolved

    practice.adapter.client.access = Access(practice.adapter.wire, resolve, FakeClock())
    await practice.forge.create_comment(practice.repository, number, "text")


async def test_a_read_that_did_not_change_is_answered_by_its_tag(practice: PracticePeer) -> None:
    number = await practice.open_issue("first")
    before = await practice.forge.issue(practice.repository, number)
    [_, *_] = practice.adapter.readings
    left = practice.adapter.readings[-1][2]
    assert await practice.forge.issue(practice.repository, number) == before
    statuses = [one["status"] for one in practice.running.control.requests("GET", rf"/issues/{number}$")]
    assert statuses == [200, 304]
    assert practice.adapter.readings[-1][2] == left
    practice.ask("PATCH", f"/issues/{number}", {"title": "second"})
    assert (await practice.forge.issue(practice.repository, number)).title == "second"


async def test_every_answer_feeds_the_limits_and_content_gets_a_reading_too(practice: PracticePeer) -> None:
    number = await practice.open_issue()
    practice.adapter.readings.clear()
    await practice.forge.create_comment(practice.repository, number, "text")
    keys = {reading[0] for reading in practice.adapter.readings}
    assert {reading[1] for reading in practice.adapter.readings} == {"core", "content"}
    assert keys == {f"token:{practice.adapter.vault.resolved.credential.id}"}
    remaining, limit, reset = practice.adapter.readings[0][2:]
    assert 0 < remaining < limit
    assert reset > datetime.now(UTC)


async def test_what_the_bot_has_left_is_not_what_the_management_credential_has(practice: PracticePeer) -> None:
    """Two tokens are two credentials: each has its own row, and the readings of one say nothing of the other."""
    kept = {
        "bot": ResolvedCredential(a_credential(), practice.token),
        "management": ResolvedCredential(a_credential(purpose="management"), practice.planted.owner_token),
    }

    async def resolve(repository_id: object, project_id: object, purpose: str) -> ResolvedCredential:
        return kept[purpose]

    practice.adapter.client.access = Access(practice.adapter.wire, resolve, FakeClock())
    await practice.forge.create_comment(practice.repository, await practice.open_issue(), "text")
    bot, management = await practice.forge.rate(practice.repository)
    assert bot.installation == f"token:{kept['bot'].credential.id}"
    assert management.installation == f"token:{kept['management'].credential.id}"
    assert {one.bucket for one in bot.readings} == {"core", "content"}
    assert management.readings == ()


async def test_an_apps_own_requests_are_no_reading_of_its_installation(
    practice: PracticePeer, http: httpx.AsyncClient
) -> None:
    adapter = app_adapter(http, made_app(practice))
    await adapter.access.pass_for(practice.repository, THREADS)
    assert len(mints(practice)) == 1
    assert adapter.readings == []


async def test_a_limit_of_a_mint_names_the_installation_it_was_for(
    practice: PracticePeer, http: httpx.AsyncClient
) -> None:
    app = made_app(practice)
    adapter = app_adapter(http, app)
    practice.running.control.fault(method="POST", path="access_tokens", rate_limit={"kind": "secondary"})
    with pytest.raises(LimitReached) as caught:
        await adapter.forge.issue(practice.repository, 1)
    assert caught.value.params["installation"] == f"app:{app['installation']}"
    assert caught.value.params["purpose"] == "bot"


async def test_a_transient_failure_of_a_read_is_repeated_and_of_a_write_is_not(practice: PracticePeer) -> None:
    number = await practice.open_issue()
    practice.running.control.fault(method="GET", path=rf"/issues/{number}$", status=502, times=2)
    assert (await practice.forge.issue(practice.repository, number)).number == number
    practice.running.control.fault(method="POST", path=rf"/issues/{number}/comments$", status=502, after=True)
    with pytest.raises(Exception, match="502"):
        await practice.forge.create_comment(practice.repository, number, "text")
    assert len(practice.running.control.requests("POST", rf"/issues/{number}/comments$")) == 1
    assert len(await practice.forge.comments(practice.repository, number)) == 1


async def test_a_missing_permission_of_a_token_is_denied(practice: PracticePeer) -> None:
    number = await practice.open_issue()
    narrow = {"permissions": {"metadata": "read", "issues": "read"}, "repositories": [practice.repository.full_name]}
    weak = practice.running.control.token(practice.bot, **narrow)
    vault = practice.adapter.vault
    vault.resolved = replace(vault.resolved, secret=weak)
    with pytest.raises(Denied, match="not accessible") as caught:
        await practice.forge.add_label(practice.repository, number, "bug")
    assert caught.value.params["permission"] == "issues=write; pull_requests=write"

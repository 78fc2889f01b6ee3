"""Who decides a request, about what, until when; and the capability that an approval gives, redeemed once."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, open_gateway
from tests.integration.approvals.asking import SIGNER, Scene, a_scene

from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.approvals.api import RequestState
from stagewright.contexts.approvals.reconcile import expire_requests
from stagewright.contexts.identity import api as identity
from stagewright.contexts.workflow import api as workflow

KINDS = "select kind from journal where stream = %(stream)s order by seq"
POLICY = "approvals: [{id: repair-start, action: run.start, kinds: [ai_repair], roles: all, env: production, "
STRICTER = POLICY + "approval: owner, self_approval: false, typed_confirm: true, expires_in: 1h}]\n"


@pytest.fixture
async def scene(gateway: Gateway) -> Scene:
    return await a_scene(gateway)


async def events(scene: Scene, request: approvals.Request) -> list[str]:
    async with scene.gateway.db.reading() as reader:
        return await reader.all(lambda row: str(row["kind"]), KINDS, stream=f"approval:{request.id}")


async def test_a_request_is_approved_with_its_hash_and_redeemed_once(scene: Scene) -> None:
    asked = await scene.ask()
    answer = await scene.approve(asked, scene.admin)
    assert (answer.status_code, answer.json()["state"]) == (200, "approved")
    assert answer.json()["approver_name"] == "Ann"
    done = await asyncio.gather(*(scene.redeem(asked) for _ in range(4)))
    assert {item.state for item in done} == {RequestState.APPLYING}
    assert len({item.version for item in done}) == 1  # one of them moved it
    async with scene.gateway.db.transaction() as tx:
        await approvals.settle(tx, asked.id, applied=True, now=scene.gateway.clock.now())
    assert await events(scene, asked) == [
        "approval.requested",
        "approval.decided",
        "approval.applying",
        "approval.applied",
    ]


async def test_equal_actions_of_a_run_are_one_request(scene: Scene) -> None:
    found = await asyncio.gather(*(scene.ask() for _ in range(8)))
    assert len({item.id for item in found}) == 1
    assert (await scene.ask(target={"environment": "other"})).id != found[0].id


async def test_the_bytes_of_a_request_never_change(scene: Scene) -> None:
    asked = await scene.ask()
    with pytest.raises(psycopg.errors.RaiseException, match="never change"):
        async with scene.gateway.db.transaction() as tx:
            await tx.execute("update requests set body = 'x' where id = %(id)s", id=asked.id)


async def test_a_decision_about_another_hash_changes_nothing(scene: Scene) -> None:
    asked = await scene.ask()
    answer = await scene.approve(asked, scene.owner, action_hash="sha256:" + "0" * 64)
    assert (answer.status_code, answer.json()["code"]) == (409, "approval.hash_mismatch")
    assert (await scene.read(asked)).state is RequestState.REQUESTED


async def test_a_redemption_of_other_bytes_or_too_late_voids_it(scene: Scene, clock: FakeClock) -> None:
    changed = await scene.ask()
    await scene.approve(changed, scene.owner)
    voided = await scene.redeem(changed, "sha256:" + "0" * 64)
    assert (voided.state, voided.reason_code) == (RequestState.VOID, "action_changed")
    late = await scene.ask()
    await scene.approve(late, scene.owner)
    clock.advance(timedelta(seconds=late.execute_within))
    voided = await scene.redeem(late)
    assert (voided.state, voided.reason_code) == (RequestState.VOID, "executed_too_late")


async def test_a_forged_capability_redeems_nothing(scene: Scene) -> None:
    asked = await scene.ask()
    await scene.approve(asked, scene.owner)
    async with scene.gateway.db.transaction() as tx:
        longer = "update requests set not_after = not_after + interval '1 day' where id = %(id)s"
        await tx.execute(longer, id=asked.id)
    assert (await scene.redeem(asked)).reason_code == "capability_forged"


async def test_an_approver_who_may_no_more_has_approved_nothing(scene: Scene) -> None:
    asked = await scene.ask()
    await scene.approve(asked, scene.admin)
    async with scene.gateway.db.transaction() as tx:
        now = scene.gateway.clock.now()
        await identity.set_member(tx, scene.project.id, scene.admin.user.id, identity.ProjectRole.READ, now=now)
    assert (await scene.redeem(asked)).reason_code == "approver_not_eligible"


async def test_a_changed_row_voids_the_decision_and_another_row_does_not(scene: Scene) -> None:
    asked = await scene.ask()
    await put_policy(scene, "limits: {project: {total: 3}}\n")
    kept = await scene.approve(asked, scene.owner)
    assert kept.json()["state"] == "approved", kept.text
    other = await scene.ask(target={"environment": "other"})
    await put_policy(scene, STRICTER)
    voided = (await scene.approve(other, scene.owner)).json()
    assert (voided["state"], voided["reason_code"]) == ("void", "policy_changed")
    assert (await scene.redeem(asked)).reason_code == "policy_changed"


async def put_policy(scene: Scene, text: str) -> None:
    workflow.effective_policy(text)
    async with scene.gateway.db.transaction() as tx:
        now = scene.gateway.clock.now()
        await workflow.keep_policy(tx, scene.repository, text=text, commit_sha=text[:40], now=now)


async def test_of_two_decisions_at_once_one_counts(scene: Scene) -> None:
    asked = await scene.ask()
    deny = {"decision": "deny", "action_hash": asked.action_hash, "reason": "not now"}
    answers = await asyncio.gather(
        scene.approve(asked, scene.owner), scene.gateway.post(f"/approvals/{asked.id}:decide", scene.admin, deny)
    )
    assert Counter(item.status_code for item in answers) == {200: 1, 409: 1}
    refused = next(item.json() for item in answers if item.status_code == 409)
    assert refused["code"] in ("approval.already_resolved", "confirm.outdated")


async def test_a_refusal_says_why_and_may_ask_for_more(scene: Scene) -> None:
    asked = await scene.ask()
    place, body = f"/approvals/{asked.id}:decide", {"decision": "deny", "action_hash": asked.action_hash}
    silent = await scene.gateway.post(place, scene.admin, body)
    assert (silent.status_code, silent.json()["code"]) == (422, "approval.reason_required")
    more = {"reason": "which service?", "reason_code": "needs_information"}
    said = (await scene.gateway.post(place, scene.admin, body | more)).json()
    assert (said["state"], said["reason_code"], said["reason"]) == ("denied", "needs_information", "which service?")


async def test_only_roles_of_the_level_decide(scene: Scene) -> None:
    asked = await scene.ask()
    gateway = scene.gateway
    deny = {"decision": "deny", "action_hash": asked.action_hash, "reason": "no"}
    place = f"/approvals/{asked.id}:decide"
    writer = await gateway.person("wes", member_of=scene.project, member_as="read_write")
    platform_admin = await gateway.person("pat", role="admin")
    stranger = await gateway.person("eve")
    answers = [(await gateway.post(place, who, deny)).status_code for who in (writer, platform_admin, stranger)]
    assert answers == [403, 403, 404]
    narrow = await gateway.token(scene.owner, "read", "operate")
    assert (await gateway.post(place, narrow, deny)).status_code == 403  # an API token without the scope decide
    assert (await scene.read(asked)).state is RequestState.REQUESTED


async def test_production_is_approved_with_preview_name_and_fresh_sign_in(scene: Scene, clock: FakeClock) -> None:
    asked = await scene.ask()
    place, body = f"/approvals/{asked.id}:decide", {"decision": "approve", "action_hash": asked.action_hash}
    bare = await scene.gateway.post(place, scene.owner, body)
    assert (bare.status_code, bare.json()["code"]) == (428, "confirm.required")
    wrong = await scene.approve(asked, scene.owner, confirm_name="acme/other")
    assert (wrong.status_code, wrong.json()["code"]) == (428, "confirm.name")
    clock.advance(timedelta(hours=2))
    stale = await scene.approve(asked, scene.owner)
    assert stale.status_code in (401, 403), stale.text


async def test_who_started_the_run_does_not_decide_while_another_may(scene: Scene) -> None:
    asked = await scene.ask(initiator=scene.admin.user.id)
    barred = await scene.approve(asked, scene.admin)
    assert (barred.status_code, barred.json()["code"]) == (403, "approval.self_approval")
    detail = await scene.gateway.get(f"/approvals/{asked.id}", scene.admin)
    assert detail.json()["own"] == "barred"
    assert (await scene.approve(asked, scene.owner)).json()["state"] == "approved"


async def test_the_single_owner_of_an_embedded_installation_decides_after_saying_so(
    dsn: str, clock: FakeClock, tmp_path: Path
) -> None:
    async with open_gateway(dsn, clock, tmp_path, embedded=True) as gateway:
        project, repository, run = await gateway.scene()
        owner = await gateway.person("root", role="owner")
        scene = Scene(gateway, project, repository, run, owner, owner)
        asked = await scene.ask(initiator=owner.user.id)
        silent = await scene.approve(asked, owner)
        assert (silent.status_code, silent.json()["code"]) == (422, "approval.acknowledge_sole")
        said = (await scene.approve(asked, owner, acknowledge_sole=True)).json()
        assert (said["state"], said["acknowledged_sole"]) == ("approved", True)
        async with gateway.db.reading() as reader:
            last = "select body from journal where kind = 'approval.decided'"
            assert (await reader.value(last))["acknowledged_sole"] is True


async def test_what_nobody_decides_expires_and_is_renewed_or_given_up(scene: Scene, clock: FakeClock) -> None:
    asked, gateway = await scene.ask(), scene.gateway
    early = await gateway.post(f"/approvals/{asked.id}:renew", scene.owner)
    assert (early.status_code, early.json()["code"]) == (409, "approval.not_expired")
    clock.advance(timedelta(hours=168))
    late = {"decision": "deny", "action_hash": asked.action_hash, "reason": "late"}
    answer = await gateway.post(f"/approvals/{asked.id}:decide", scene.owner, late)
    assert (answer.status_code, answer.json()["code"]) == (409, "approval.expired")
    assert await expire_requests(gateway.db, clock) == 1
    assert await expire_requests(gateway.db, clock) == 0
    renewed = (await gateway.post(f"/approvals/{asked.id}:renew", scene.owner)).json()
    assert (renewed["renews"], renewed["state"]) == (str(asked.id), "requested")
    assert renewed["action_hash"] == asked.action_hash
    given_up = (await gateway.post(f"/approvals/{renewed['id']}:cancel", scene.owner, {"reason": "no need"})).json()
    assert (given_up["state"], given_up["reason_code"]) == ("cancelled", "cancelled_by_person")


async def test_a_row_without_approval_approves_by_the_policy(scene: Scene) -> None:
    row = approvals.row_for(
        workflow.builtin_policy(), "run.start", approvals.Circumstances("x", "y", "code-only", "ai")
    )
    assert row is None
    asked = await scene.ask(row=workflow.ApprovalRow("x", ("run.start",), ("*",), ("*",), "any", "none"))
    assert asked.state is RequestState.APPROVED
    assert asked.approver_id == "policy:x"
    assert asked.mac is not None
    assert SIGNER is not None


async def test_a_runs_end_cancels_its_requests(scene: Scene) -> None:
    waits, approved = await scene.ask(), await scene.ask(target={"environment": "other"})
    await scene.approve(approved, scene.owner)
    async with scene.gateway.db.transaction() as tx:
        await approvals.cancel_of_run(tx, scene.run.id, now=scene.gateway.clock.now())
    assert {(await scene.read(item)).state for item in (waits, approved)} == {RequestState.CANCELLED}
    assert (await scene.redeem(approved)).state is RequestState.CANCELLED


async def test_what_changes_before_or_during_its_execution_is_never_told_as_applied(scene: Scene) -> None:
    waits, begun = await scene.ask(), await scene.ask(target={"environment": "other"})
    await scene.approve(begun, scene.owner)
    await scene.redeem(begun)
    async with scene.gateway.db.transaction() as tx:
        now = scene.gateway.clock.now()
        voided = await approvals.make_void(tx, waits.id, "target_moved", now=now)
        failed = await approvals.make_void(tx, begun.id, "target_moved", now=now)
        await approvals.close_of_run(tx, scene.run.id, succeeded=True, now=now)
    assert (voided.state, voided.reason_code) == (RequestState.VOID, "target_moved")
    assert (failed.state, failed.result) == (RequestState.FAILED, {"code": "target_moved"})
    assert [(await scene.read(item)).state for item in (waits, begun)] == [RequestState.VOID, RequestState.FAILED]


async def test_lists_show_the_queue_and_the_history_of_visible_projects(scene: Scene) -> None:
    gateway = scene.gateway
    first, second = await scene.ask(), await scene.ask(target={"environment": "other"})
    await scene.approve(first, scene.owner)

    async def listed(query: str, who: object = None) -> list[str]:
        found = await gateway.get(f"/approvals?{query}", who or scene.owner)  # type: ignore[arg-type]
        assert found.status_code == 200, found.text
        return [item["id"] for item in found.json()["items"]]

    assert await listed("state=requested") == [str(second.id)]
    assert await listed("state=approved&state=applied") == [str(first.id)]
    assert await listed(f"run={scene.run.id}&kind=approval") == [str(second.id), str(first.id)]
    assert await listed("mine=true", scene.admin) == [str(second.id)]
    assert await listed("mine=true") == [str(second.id), str(first.id)]
    assert await listed("limit=1&project=" + str(scene.project.id)) == [str(second.id)]
    assert await listed("", await gateway.person("eve")) == []
    writer = await gateway.person("wes", member_of=scene.project, member_as="read_write")
    assert await listed("mine=true", writer) == []
    row = (await gateway.get("/approvals?state=requested", writer)).json()["items"][0]
    assert {item["verb"]: item["mode"] for item in row["allowed_actions"]} == {
        "approve": "deny", "deny": "deny", "renew": "deny", "cancel": "allow",
    }  # fmt: skip


async def test_the_detail_shows_the_last_decisions_on_the_target_and_no_secret_of_the_capability(scene: Scene) -> None:
    before, asked = await scene.ask(), await scene.ask(target={"environment": "other"})
    await scene.approve(before, scene.owner)
    answer = await scene.gateway.get(f"/approvals/{asked.id}", scene.admin)
    shown = answer.json()
    assert [(item["id"], item["approver_name"]) for item in shown["history"]] == [(str(before.id), "Root")]
    assert shown["confirm_name"] == "acme/shop"
    assert {"nonce", "mac", "body"}.isdisjoint(shown)
    after = await scene.gateway.get(f"/approvals/{before.id}", scene.admin)
    held = await scene.read(before)
    assert held.nonce is not None
    assert held.nonce.hex() not in after.text


async def test_the_last_event_says_what_a_fresh_read_says(scene: Scene) -> None:
    asked = await scene.ask()
    await scene.approve(asked, scene.owner)
    view = (await scene.gateway.get(f"/approvals/{asked.id}", scene.owner)).json()
    async with scene.gateway.db.reading() as reader:
        body = await reader.value(
            "select body from journal where stream = %(stream)s order by seq desc limit 1",
            stream=f"approval:{asked.id}",
        )
    assert {key: value for key, value in body.items() if key != "v"} == {
        key: value for key, value in view.items() if key in body
    }

"""Trying a policy: what it would change, and which recorded decisions would be others. Nothing is stored or started."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person, open_gateway
from tests.world import POLICY, World

from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Database


@pytest.fixture
async def world(db: Database, clock: FakeClock, tmp_path: Path) -> World:
    return await World.make(db, clock, tmp_path / "world")


@pytest.fixture
async def gateway(dsn: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(dsn, clock, tmp_path) as opened:
        yield opened


async def labeled(world: World, issue: int, label: str, *, by: str = "ann", number: int = 1) -> None:
    """Put a label on an issue and deliver it."""
    world.put_label(issue, label, by=by)
    await world.deliver("issues", world.labeled(issue, label, by=by), delivery_id=f"{issue}-{label}-{number}")
    await world.decide()


async def ask(gateway: Gateway, world: World, who: Person, verb: str, text: str, **more: Any) -> dict[str, Any]:
    answer = await gateway.post(f"/projects/{world.project.id}/policy:{verb}", who, {"text": text, **more})
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def outcomes(shown: dict[str, Any]) -> dict[str, tuple[str | None, ...]]:
    return {
        row["delivery_id"]: tuple(row[name][part] for name in ("present", "proposed") for part in ("verdict", "reason"))
        for row in shown["rows"]
        if row["changed"]
    }


async def test_c12_2_recorded_decisions_are_made_again_and_the_changed_ones_named(
    world: World, gateway: Gateway
) -> None:
    reader = await gateway.person("bob", member_of=world.project)
    first, second, blocked = world.issue(), world.issue(), world.issue()
    await labeled(world, first, "run:dev")
    await labeled(world, first, "run:plan")  # refused: a run is active
    await labeled(world, second, "run:design", by="ann")
    world.put_label(blocked, "state:blocked")
    await labeled(world, blocked, "run:dev")
    runs = await world.count_runs()
    same = await ask(gateway, world, reader, "test", POLICY)
    assert (same["replayed"], same["changed"], same["not_reproduced"], same["rows"]) == (4, 0, 0, [])
    assert same["before_hash"] == same["after_hash"]

    stricter = POLICY + "gates: {stage_order: enforce, blocked: 'off'}\n"
    shown = await ask(gateway, world, reader, "test", stricter)
    assert outcomes(shown) == {
        f"{first}-run:dev-1": ("start", None, "refuse", "stage_prerequisite_missing"),
        f"{second}-run:design-1": ("start", None, "refuse", "stage_prerequisite_missing"),
        f"{blocked}-run:dev-1": ("refuse", "issue_blocked", "refuse", "stage_prerequisite_missing"),
    }
    assert shown["not_reproduced"] == 0
    assert await world.count_runs() == runs, "nothing was started"


async def test_c12_2_a_renaming_changes_no_decision_and_a_stranger_stays_one(world: World, gateway: Gateway) -> None:
    reader = await gateway.person("bob", member_of=world.project)
    world.forge.add_account("eve")
    issue = world.issue()
    await labeled(world, issue, "run:dev", by="eve")
    await labeled(world, issue, "run:dev", number=2)
    renamed = POLICY + 'labels: {names: {"run:dev": "ai: implement"}}\n'
    shown = await ask(gateway, world, reader, "test", renamed)
    assert (shown["replayed"], shown["changed"], shown["not_reproduced"]) == (2, 0, 0)


async def test_c12_2_what_cannot_be_rebuilt_is_said(world: World, gateway: Gateway, clock: FakeClock) -> None:
    reader = await gateway.person("bob", member_of=world.project)
    issue = world.issue()
    await labeled(world, issue, "run:dev")
    async with world.db.transaction() as tx:
        await tx.execute("update webhook_deliveries set verdict = 'ignore', reason = 'trigger_too_old'")
    shown = await ask(gateway, world, reader, "test", POLICY)
    (row,) = shown["rows"]
    assert (row["reproduced"], row["changed"], row["recorded"]["reason"]) == (False, False, "trigger_too_old")
    assert shown["not_reproduced"] == 1

    async with world.db.transaction() as tx:
        await tx.execute("update webhook_deliveries set payload = ''")
    shown = await ask(gateway, world, reader, "test", POLICY)
    assert (shown["replayed"], shown["forgotten"]) == (0, 1)
    clock.advance(timedelta(days=2))
    assert (await ask(gateway, world, reader, "test", POLICY, days=1))["forgotten"] == 0


async def test_c12_1_a_diff_names_changes_and_what_they_meet(world: World, gateway: Gateway) -> None:
    reader = await gateway.person("bob", member_of=world.project)
    issue = world.issue()
    await labeled(world, issue, "run:dev")
    run = await world.run_of(issue)
    text = POLICY + 'labels: {names: {"run:dev": "go"}}\ngates: {blocked: "off"}\n'
    shown = await ask(gateway, world, reader, "diff", text.replace("dev: {model", "dev: {enabled: false, model"))

    found = {
        (item["area"], item["subject"], item["field"]): (item["before"], item["after"]) for item in shown["changes"]
    }
    assert found["gates", "blocked", None] == ("enforce", "off")
    assert found["stages", "dev", "enabled"] == ("yes", "no")
    assert found["labels", "run:dev", "text"] == ("run:dev", "go")
    warned = {item["code"]: (item["subject"], item["met"]) for item in shown["warnings"]}
    assert warned["run_stage_off"] == ("dev", [run.number])
    assert warned["label_renamed"] == ("run:dev -> go", [issue])
    assert (await ask(gateway, world, reader, "diff", POLICY))["changes"] == []


@pytest.mark.parametrize("verb", ["diff", "test"])
async def test_c12_3_a_policy_with_mistakes_or_of_strangers_is_refused(
    world: World, gateway: Gateway, verb: str
) -> None:
    reader = await gateway.person("bob", member_of=world.project)
    stranger = await gateway.person("eve")
    place = f"/projects/{world.project.id}/policy:{verb}"
    wrong = await gateway.post(place, reader, {"text": "stages: {dev: {role: nobody}}\n"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "policy.invalid")
    assert wrong.json()["errors"][0]["pointer"] == "/stages/dev/role"
    hidden = await gateway.post(place, stranger, {"text": POLICY})
    assert hidden.status_code == 404
    large = await gateway.post(place, reader, {"text": "#" * (256 * 1024 + 1)})
    assert large.status_code in (400, 413)
    async with world.db.transaction() as tx:
        await tx.execute("update repositories set unbound_at = now(), webhook_secrets = ''")
    none = await gateway.post(place, reader, {"text": POLICY})
    assert (none.status_code, none.json()["errors"][0]["pointer"]) == (400, "/query/repository")


async def test_c12_4_the_matrix_is_part_of_the_policy_shown(world: World, gateway: Gateway) -> None:
    reader = await gateway.person("bob", member_of=world.project)
    shown = (await gateway.get(f"/projects/{world.project.id}/policy", reader)).json()
    steps = {row["kind"]: row["steps"] for row in shown["matrix"]["next_steps"]}
    assert steps["dev"][0] == "run:dev:revise [revise]"
    policy = workflow.builtin_policy()
    assert [row["id"] for row in shown["matrix"]["approvals"]] == [row.id for row in policy.approvals]
    assert (await gateway.get("/policy", reader)).json()["matrix"]["next_steps"] == shown["matrix"]["next_steps"]

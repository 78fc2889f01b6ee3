"""An issue's lineage: stages, runs, pull requests and documents lead to each other, and what blocks is said."""

from pathlib import Path
from typing import Any

import pytest
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person
from tests.world import World

from stagewright.contexts.runs.api import RunStatus
from stagewright.kit.db import Database


@pytest.fixture
async def world(db: Database, clock: FakeClock, tmp_path: Path) -> World:
    """Return a platform with one project and repository."""
    return await World.make(db, clock, tmp_path / "world")


async def lineage(gateway: Gateway, who: Person, place: str) -> dict[str, Any]:
    answer = await gateway.get(f"/issues/{place}", who)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def stage(shown: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in shown["track"] if item["stage"] == name)
    return found


async def finish(world: World, label: str, files: dict[str, str | bytes | None], issue: int) -> None:
    await world.trigger(issue, label)
    await world.work()
    run = await world.run_of(issue)
    await world.register(run)
    sections = {**factories.a_report()["sections"], "artifacts": ["docs/plan.md"]}
    done = await world.deliver_result(await world.fresh(run), files, report=factories.a_report(sections=sections))
    assert done.status is RunStatus.SUCCEEDED, done.code


async def test_c10_1_stages_runs_pull_requests_and_documents_lead_to_each_other(world: World, gateway: Gateway) -> None:
    owner = await gateway.person("own", role="admin")
    issue = world.issue()
    await finish(world, "run:plan", {"docs/plan.md": "# Plan\n", "docs/order.md": "1\n"}, issue)
    run = await world.run_of(issue)
    shown = await lineage(gateway, owner, f"acme/shop/{issue}")

    plan = stage(shown, "plan")
    assert plan["state"] == "done"
    assert [item["id"] for item in plan["runs"]] == [str(run.id)]
    (pull,) = plan["pulls"]
    assert (pull["pr_number"], pull["run_id"], pull["state"]) == (run.pr_number, str(run.id), "in_review")
    assert pull["head_sha"] == world.branch(pull["branch"])
    named, other = plan["documents"]
    assert (named["path"], named["status"], named["declared"]) == ("docs/plan.md", "added", True)
    assert (other["path"], other["declared"]) == ("docs/order.md", False)
    assert (named["run_id"], named["pr_number"], named["commit_sha"]) == (str(run.id), run.pr_number, pull["head_sha"])
    assert named["url"].endswith(f"/blob/{pull['head_sha']}/docs/plan.md")
    assert plan["active_seconds"] == run.active_seconds
    assert shown["repository"]["full_name"] == "acme/shop"
    assert shown["topic"] == f"issue:acme/shop#{issue}"
    by_pull = await lineage(gateway, owner, f"acme/shop/{run.pr_number}")
    assert (by_pull["number"], by_pull["asked_number"], by_pull["is_pull_request"]) == (issue, run.pr_number, False)
    assert by_pull["track"] == shown["track"]
    of_run = (await gateway.get(f"/runs/{run.id}", owner)).json()
    assert (of_run["repository"], of_run["issue_number"]) == ("acme/shop", issue), "the way from a run to its issue"


async def test_c10_2_the_profile_the_next_stage_and_what_blocks_it_are_said(world: World, gateway: Gateway) -> None:
    owner = await gateway.person("own", role="admin")
    issue = world.issue()
    await finish(world, "run:plan", {"docs/plan.md": "# Plan\n"}, issue)
    await world.deliver("issues", world.labeled(issue, "state:in-review", by=world.forge.bot_account.login))
    await world.decide()
    shown = await lineage(gateway, owner, f"acme/shop/{issue}")

    assert (shown["profile"]["profile"], shown["profile"]["source"]) == ("feature", "default")
    assert shown["profile"]["provisional"] is True
    assert stage(shown, "vision")["state"] == "skipped"
    assert stage(shown, "intake")["state"] == "passed_over"
    assert shown["wanted_stage"] == "dev"
    assert [item["text"] for item in shown["labels"]] == ["state:in-review"]
    assert shown["labels"][0]["label_class"] == "state"
    (blocker,) = shown["blocked_by"]
    assert blocker["reason"] == "previous_stage_in_review"
    assert f"#{(await world.run_of(issue)).pr_number}" in blocker["text"] + blocker["remedy"]
    assert [item["target_label"] for item in shown["next_steps"]][:2] == ["run:plan:revise", "run:dev"]
    assert shown["next_steps"][1]["path"].startswith("/next-step?repository_full_name=acme%2Fshop&issue_number=")
    assert shown["next_steps_of"] == str((await world.run_of(issue)).id)
    assert shown["candidate"] is None


async def test_c10_3_a_revise_belongs_to_its_stage_and_the_newest_document_counts(
    world: World, gateway: Gateway
) -> None:
    owner = await gateway.person("own", role="admin")
    issue = world.issue()
    await finish(world, "run:plan", {"docs/plan.md": "# Plan\n", "docs/order.md": "1\n"}, issue)
    first = await world.run_of(issue)
    await finish(world, "run:plan:revise", {"docs/plan.md": "# Better\n", "docs/order.md": None}, issue)
    second = await world.run_of(issue)
    plan = stage(await lineage(gateway, owner, f"acme/shop/{issue}"), "plan")

    assert [item["kind"] for item in plan["runs"]] == ["plan", "plan_revise"]
    (pull,) = plan["pulls"]
    assert (pull["run_id"], pull["last_run_id"]) == (str(first.id), str(second.id))
    documents = {item["path"]: item for item in plan["documents"]}
    assert documents["docs/plan.md"]["run_id"] == str(second.id)
    assert (documents["docs/order.md"]["status"], documents["docs/order.md"]["url"]) == ("deleted", None)


async def test_c10_4_the_candidate_is_pinned_to_its_head(world: World, gateway: Gateway) -> None:
    owner = await gateway.person("own", role="admin")
    run = await world.deliver_result(await world.started("run:dev"))
    shown = await lineage(gateway, owner, f"acme/shop/{run.issue_number}")

    head = world.branch(str(run.branch))
    assert (shown["candidate"]["pr_number"], shown["candidate"]["head_sha"]) == (run.pr_number, head)
    assert shown["candidate"]["environment"] is None
    assert shown["wanted_stage"] == "qa"
    assert shown["blocked_by"] == []


async def test_c10_5_side_runs_stand_beside_the_track_and_a_run_at_work_blocks(world: World, gateway: Gateway) -> None:
    owner = await gateway.person("own", role="admin")
    run = await world.started("run:doc-audit")
    shown = await lineage(gateway, owner, f"acme/shop/{run.issue_number}")

    assert [item["kind"] for item in shown["side_runs"]] == ["doc_audit"]
    assert "doc-audit" not in [item["stage"] for item in shown["track"]]
    assert [item["reason"] for item in shown["blocked_by"]] == ["run_already_active"]
    assert (shown["next_steps"], shown["next_steps_of"]) == ([], None)


async def test_c10_6_who_may_not_see_the_project_learns_nothing(world: World, gateway: Gateway) -> None:
    run = await world.started("run:dev")
    member = await gateway.person("bob", member_of=world.project)
    stranger = await gateway.person("eve")
    known, unknown = f"acme/shop/{run.issue_number}", "acme/shop/999"

    shown = await lineage(gateway, member, known)
    assert shown["allowed_actions"] == [{"verb": "next_step", "mode": "deny", "reason_code": "permission_denied"}]
    answers = [
        await gateway.get(f"/issues/{known}", stranger),
        await gateway.get(f"/issues/{unknown}", member),
        await gateway.get("/issues/acme/other/1", member),
    ]
    assert [(item.status_code, item.json()["code"]) for item in answers] == [(404, "issue.not_found")] * 3


async def test_c10_7_a_pull_request_of_no_issue_has_a_lineage_of_its_own(world: World, gateway: Gateway) -> None:
    owner = await gateway.person("own", role="admin")
    number = world.pull(head="by-hand")
    await world.deliver("pull_request", _opened(world, number))
    await world.decide()
    shown = await lineage(gateway, owner, f"acme/shop/{number}")

    assert (shown["number"], shown["is_pull_request"], shown["wanted_stage"]) == (number, True, None)
    assert shown["url"].endswith(f"/pull/{number}")


def _opened(world: World, number: int) -> dict[str, Any]:
    thread = world.thread(number)
    return {
        "action": "opened",
        "repository": {"id": world.repository.forge_repository_id, "full_name": "acme/shop", "default_branch": "main"},
        "sender": {"login": "ann", "id": 1, "type": "User"},
        "pull_request": {
            "number": number,
            "state": "open",
            "labels": [],
            "merged_at": None,
            "updated_at": thread.updated_at.isoformat(),
        },
    }

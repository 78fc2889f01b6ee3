"""RN6: the status comment of a run that ended offers the steps of its cell: exact targets and variants."""

import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from tests import factories
from tests.world import World

from stagewright.contexts.identity.store import insert_user
from stagewright.contexts.runs.api import finished_run, request_run
from stagewright.kit.ids import uuid7

PUBLIC_URL = "https://stagewright.test"
OFFER = re.compile(r"^- \[(.+)\]\((\S+)\)$", re.MULTILINE)
PROVISIONAL = {
    "run:intake": "run:intake:revise revise, run:vision full_flow, run:prd shortened_flow, run:plan very_short_flow,"
    " need:reviewer reviewer",
    "run:vision": "run:vision:revise revise, run:prd full_or_shortened_flow, run:plan very_short_flow,"
    " need:reviewer reviewer, run:rethink rethink",
    "run:prd": "run:prd:revise revise, run:arch full_flow, run:design shortened_flow, run:plan very_short_flow,"
    " need:reviewer reviewer, run:rethink rethink",
    "run:arch": "run:arch:revise revise, run:design full_or_shortened_flow, run:plan very_short_flow,"
    " need:reviewer reviewer, run:rethink rethink",
    "run:plan": "run:plan:revise revise, run:dev all_flows, need:reviewer reviewer, run:rethink rethink",
    "run:ops": "run:ops:revise revise, need:reviewer reviewer, run:rethink rethink, run:doc-audit doc_audit,"
    " run:self-improve self_improve",
    "run:design": "run:design:revise revise, run:plan all_flows, run:dev go_to_dev, need:reviewer reviewer,"
    " run:rethink rethink",
    "run:dev": "run:dev:revise revise, run:qa all_flows, need:reviewer reviewer, run:rethink rethink,"
    " run:doc-audit doc_audit",
    "run:doc-audit": "run:doc-audit:revise revise, run:plan prepare_plan, run:dev go_to_dev, run:qa go_to_qa,"
    " need:reviewer reviewer",
}


@pytest.fixture
def world(world: World) -> World:
    """Return a platform with a public address."""
    world.outside = replace(world.outside, addresses=replace(world.outside.addresses, public_url=PUBLIC_URL))
    return world


def links(world: World, thread: int | None) -> list[tuple[str, dict[str, str]]]:
    """Return words and parameters of the steps that the thread's newest status comment links to."""
    assert thread is not None
    found = OFFER.findall(world.status_comments(thread)[-1])
    assert all(url.startswith(f"{PUBLIC_URL}/next-step?repository_full_name=") for _, url in found)
    return [(text, {key: value for key, (value,) in parse_qs(urlsplit(url).query).items()}) for text, url in found]


def offers(world: World, issue: int | None) -> str:
    """Return the steps that the issue's newest status comment offers."""
    return ", ".join(f"{step['target_label']} {step['display_variant']}" for _, step in links(world, issue))


@pytest.mark.parametrize("label", PROVISIONAL)
async def test_rn6_a_success_offers_the_steps_of_its_stage(world: World, label: str) -> None:
    run = await world.deliver_result(await world.started(label), {"docs/result.md": "# Result\n"})

    assert run.status == "succeeded"
    assert offers(world, run.issue_number) == PROVISIONAL[label]


async def test_rn6_a_revise_offers_what_its_stage_offers(world: World) -> None:
    first = await world.deliver_result(await world.started("run:vision"), {"docs/result.md": "# Result\n"})
    assert first.issue_number is not None
    await world.trigger(first.issue_number, "run:vision:revise")
    await world.work()
    run = await world.run_of(first.issue_number)
    await world.register(run)
    run = await world.deliver_result(await world.fresh(run), {"docs/more.md": "# More\n"})

    assert (run.kind, run.status) == ("vision_revise", "succeeded")
    assert offers(world, run.issue_number) == PROVISIONAL["run:vision"]


async def test_rn6_after_a_cancellation_the_same_trigger_comes_first(world: World) -> None:
    run = await world.started("run:dev")
    await world.cancel(run)
    await world.work()
    run = await world.fresh(run)

    assert run.status == "cancelled"
    assert offers(world, run.issue_number) == "run:dev retry, run:rethink rethink"


async def test_a_step_is_said_in_words_and_its_link_names_thread_run_and_variant(world: World) -> None:
    run = await world.deliver_result(await world.started("run:dev"))
    (pull,) = world.pull_requests()
    common = {
        "repository_full_name": world.repository.full_name,
        "issue_number": str(run.issue_number),
        "source_run_id": str(run.id),
    }
    found = dict(links(world, run.issue_number))

    assert found["Go on: `run:qa` (every path)"] == common | {
        "action_kind": "issue_stage_transition",
        "target_label": "run:qa",
        "display_variant": "all_flows",
    }
    assert found["Ask for an agent's review: `need:reviewer`"] == common | {
        "pull_request_number": str(pull.number),
        "action_kind": "pull_request_label_add",
        "target_label": "need:reviewer",
        "display_variant": "reviewer",
    }


async def test_without_a_public_address_a_step_is_plain_text(world: World) -> None:
    world.outside = replace(world.outside, addresses=replace(world.outside.addresses, public_url=None))
    run = await world.deliver_result(await world.started("run:dev"))
    assert run.issue_number is not None
    (comment,) = world.status_comments(run.issue_number)
    assert "\n- Go on: `run:qa` (every path)\n" in comment
    assert "next-step" not in comment


async def test_the_longer_path_that_an_agent_proposes_is_the_last_step(world: World) -> None:
    report = factories.a_report(escalation={"to": "new-service", "reasons": ["new_integration"]})
    run = await world.deliver_result(await world.started("run:prd"), {"docs/prd.md": "# PRD\n"}, report=report)
    assert links(world, run.issue_number)[-1][0] == "Accept the longer path: `run:arch` (full path)"
    assert offers(world, run.issue_number).endswith("run:arch accept_escalation")


async def test_a_review_is_offered_only_while_the_pull_request_is_open(world: World) -> None:
    run = await world.deliver_result(await world.started("run:vision"), {"docs/vision.md": "# Vision\n"})
    assert "need:reviewer" in offers(world, run.issue_number)
    (pull,) = world.pull_requests()
    world.forge.close(world.repository.forge_repository_id, pull.number)
    await world.scan()
    async with world.db.reading() as reader:
        assert not (await finished_run(reader, run)).has_open_link


async def test_a_run_asked_for_in_the_console_names_the_person(world: World) -> None:
    issue = world.issue()
    async with world.db.transaction() as tx:
        person = await insert_user(
            tx,
            user_id=uuid7(),
            email="mia@example.test",
            name="Mia `x` | @ann",
            locale="en",
            role="member",
            now=world.clock.now(),
        )
        assert person is not None
        request = factories.a_run_request(
            world.repository,
            now=world.clock.now(),
            issue_number=issue,
            requested_by_kind="user",
            requested_by=str(person.id),
        )
        await request_run(tx, request, clock=world.clock)
    await world.work()
    (comment,) = world.status_comments(issue)
    assert "| Trigger | `run:dev` · `Mia x \\| @ann` |" in comment

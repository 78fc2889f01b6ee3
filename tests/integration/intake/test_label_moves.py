"""WF8: what a person does with a pull request moves the labels of it and of its Issue (workflow, section 11.4)."""

from pathlib import Path
from typing import Any

import pytest
from tests.fakes.clock import FakeClock
from tests.integration.intake.test_links import close, payload, review, reviewed, told
from tests.world import POLICY, World

from stagewright.kit.db import Database

IN_REVIEW, APPROVED = {"state:in-review"}, {"state:approved"}


async def act(world: World, number: int, what: str) -> dict[str, Any]:
    """Do ``what`` with the pull request; return the payload of its webhook."""
    if what in ("approved", "dismissed", "changes_requested"):
        review(world, number, what)
        return payload(world, number, "dismissed" if what == "dismissed" else "submitted")
    close(world, number, merged=what == "merged")
    return payload(world, number, "closed")


async def learn(world: World, number: int, what: str, *, delivered: bool) -> None:
    """Do it, and let the platform learn of it: by its webhook, or by the scan alone."""
    body = await act(world, number, what)
    event = "pull_request" if body["action"] == "closed" else "pull_request_review"
    if delivered:
        await told(world, body, event, delivery_id=f"p-{what}")
    else:
        await world.scan()
    await world.work()


WAYS = [pytest.param(True, id="delivered"), pytest.param(False, id="found by the scan")]
CASES = [
    (("approved",), APPROVED, APPROVED),
    (("approved", "dismissed"), IN_REVIEW, IN_REVIEW),
    (("approved", "changes_requested"), IN_REVIEW, IN_REVIEW),
    (("approved", "merged"), APPROVED, APPROVED),
    (("merged",), APPROVED, APPROVED),
    (("closed",), set(), IN_REVIEW),
]


@pytest.mark.parametrize("delivered", WAYS)
@pytest.mark.parametrize(("acts", "on_issue", "on_pull"), CASES)
async def test_the_labels_say_what_became_of_the_result(
    world: World, acts: tuple[str, ...], on_issue: set[str], on_pull: set[str], delivered: bool
) -> None:
    run, number = await reviewed(world)
    assert run.issue_number is not None
    assert (world.labels(run.issue_number), world.labels(number)) == (IN_REVIEW, IN_REVIEW)
    for what in acts:
        await learn(world, number, what, delivered=delivered)

    assert (world.labels(run.issue_number), world.labels(number)) == (on_issue, on_pull)


async def test_a_label_a_person_took_off_meanwhile_stays_off(world: World) -> None:
    run, number = await reviewed(world)
    assert run.issue_number is not None
    world.forge.person_unlabels(world.repository.forge_repository_id, run.issue_number, "state:in-review")
    world.put_label(run.issue_number, "bug")
    await learn(world, number, "merged", delivered=True)

    assert world.labels(run.issue_number) == APPROVED | {"bug"}


async def test_the_same_news_twice_moves_labels_once(world: World) -> None:
    run, number = await reviewed(world)
    assert run.issue_number is not None
    body = await act(world, number, "merged")
    for delivery_id in ("p-1", "p-2"):
        await told(world, body, delivery_id=delivery_id)
        await world.work()
        world.forge.person_unlabels(world.repository.forge_repository_id, run.issue_number, "state:approved")
    await world.scan()
    await world.work()

    assert world.labels(run.issue_number) == set(), "what a person took off afterwards is not put on again"


async def test_the_labels_are_the_projects_own_words(db: Database, clock: FakeClock, tmp_path: Path) -> None:
    renamed = POLICY + 'labels: {names: {"state:approved": "ship it"}}\n'
    world = await World.make(db, clock, tmp_path, policy=renamed)
    run, number = await reviewed(world)
    assert run.issue_number is not None
    await learn(world, number, "approved", delivered=True)

    assert (world.labels(run.issue_number), world.labels(number)) == ({"ship it"}, {"ship it"})

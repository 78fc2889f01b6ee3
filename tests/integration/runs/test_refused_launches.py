"""RN7: a launch that the thread's labels contradict ends at once and names them (workflow, section 9)."""

from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.world import World

from stagewright.contexts.runs.model import Run
from stagewright.kit.db import Database

MODELS = ("[ai-model-gpt-5.2]", "[ai-model-gpt-5.1-codex-max]")
LEVELS = ("[ai-reasoning-low]", "[ai-reasoning-high]")


async def launched_with(world: World, *labels: str) -> Run:
    """Return the run of ``run:plan`` on an issue that carries ``labels``."""
    issue = world.issue()
    for label in labels:
        world.put_label(issue, label)
    await world.trigger(issue, "run:plan")
    await world.work()
    return await world.run_of(issue)


@pytest.mark.parametrize("labels", [MODELS, LEVELS], ids=["models", "levels"])
async def test_rn7_two_labels_of_one_group_fail_the_launch_and_are_both_named(
    world: World, labels: tuple[str, str]
) -> None:
    run = await launched_with(world, *labels)
    assert run.issue_number is not None
    (comment,) = world.status_comments(run.issue_number)

    assert (run.status, run.code) == ("failed", "model_label_conflict")
    assert all(label in comment for label in labels), comment
    assert "on the issue" in comment
    assert world.labels(run.issue_number) == set(labels), "the trigger goes, the person's labels stay"
    assert await world.attempts_of(run) == []


@pytest.mark.parametrize(("locale", "where"), [("en", "A label on the issue"), ("ru", "Метка на задаче")])
async def test_a_label_of_no_known_model_fails_the_launch_which_lists_the_known_ones(
    db: Database, clock: FakeClock, tmp_path: Path, locale: str, where: str
) -> None:
    world = await World.make(db, clock, tmp_path, locale=locale)
    run = await launched_with(world, "[ai-model-gpt-9]")
    assert run.issue_number is not None
    (comment,) = world.status_comments(run.issue_number)

    assert (run.status, run.code) == ("failed", "model_unknown")
    assert where in comment
    assert "[ai-model-gpt-9]" in comment
    for known in (*MODELS, "[ai-model-gpt-5.3-codex-spark]"):
        assert known in comment
    assert await world.attempts_of(run) == []

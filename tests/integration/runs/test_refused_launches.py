"""RN7: a launch that the thread's labels contradict ends at once and names them (workflow, section 9)."""

import pytest
from tests.world import World

from stagewright.contexts.runs.model import Run

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
    assert world.labels(run.issue_number) == set(labels), "the trigger goes, the person's labels stay"
    assert await world.attempts_of(run) == []

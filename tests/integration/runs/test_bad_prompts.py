"""A project's prompt text that cannot be used ends the run at once; its comment names the file and the remedy."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.world import POLICY, World

from stagewright.contexts.runs.model import FailureClass, Run, RunStatus
from stagewright.kit.db import Database

DEV = ".stagewright/prompts/stage/dev.en.md"
OWN = POLICY + (
    "  licence-audit: {role: km, mode: code-only, env: none, scope: docs, limit_minutes: 30,"
    " artifacts: [licence_report], model: rehearsal}\n"
)


def push(world: World, name: str, text: str) -> None:
    """Put a file on the default branch."""
    world.person.write(name, text)
    world.person.commit(f"person writes {name}")
    world.person.push(world.remote, "main")
    world.show_branches()


async def labelled(world: World, label: str = "run:dev") -> Run:
    """Set the label and let the platform work for less time than a launch is tried again."""
    issue, before = world.issue(), world.clock.now()
    await world.trigger(issue, label)
    await world.work()
    assert world.clock.now() - before < timedelta(minutes=1)
    return await world.run_of(issue)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Be careful.\n{{ nonsense }}\n", f"the prompt text {DEV} cannot be used: line 2: nonsense is no variable"),
        ("---\nmode: replace\n---\n{{ nonsense }}\n", f"{DEV} cannot be used: line 4: nonsense is no variable"),
        ("Well.\n{% for a in scope %}x{% endfor %}\n", f"{DEV} cannot be used: line 2: for is not allowed"),
        ("---\nmode: shout\n---\nWell.\n", f"{DEV} cannot be used: 'mode' is 'append' or 'replace'"),
    ],
)
async def test_a_bad_prompt_text_ends_the_run_at_once_and_is_named(world: World, text: str, told: str) -> None:
    push(world, DEV, text)
    run = await labelled(world)
    assert (run.status, run.code) == (RunStatus.FAILED, "prompt_override_invalid")
    assert run.failure_class is FailureClass.PRECONDITION
    (comment,) = world.status_comments(1)
    assert "A condition was not met, code `prompt_override_invalid`. Mend the named file" in comment
    assert told in comment
    assert await world.attempts_of(run) == []
    push(world, DEV, "Be careful.\n")
    world.clock.advance(timedelta(seconds=5))
    await world.trigger(1)
    await world.work()
    assert (await world.run_of(1)).status is RunStatus.PREPARING  # its workload was created


async def test_a_stage_of_the_project_without_its_prompt_part_says_which_file_to_add(
    db: Database, clock: FakeClock, tmp_path: Path
) -> None:
    world = await World.make(db, clock, tmp_path, policy=OWN, locale="ru")
    run = await labelled(world, "run:licence-audit")
    assert (run.status, run.code) == (RunStatus.FAILED, "prompt_part_missing")
    assert run.failure_class is FailureClass.PRECONDITION
    (comment,) = world.status_comments(1)
    assert "код `prompt_part_missing`. Добавьте названный файл в основную ветку" in comment
    assert "add .stagewright/prompts/stage/licence-audit.ru.md" in comment

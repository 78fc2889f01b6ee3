"""The demo's repository: green before, green after, and the rehearsal does what the issue asks for."""

import subprocess
from pathlib import Path

from stagewright.adapters.engines.scripted.scenario import parse_scenario
from stagewright.contexts.workflow import api as workflow
from stagewright.processes.cli.local import sample


def write(folder: Path, path: str, text: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)


def test_the_rehearsal_solves_the_issue_and_keeps_the_tests_green(tmp_path: Path) -> None:
    for path, text in sample.files().items():
        write(tmp_path, path, text)
    steps = parse_scenario(sample.rehearsal())
    [check] = [step.value for step in steps if step.kind == "run"]
    before = subprocess.run(["/bin/sh", "-c", check], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    for step in steps:
        if step.kind == "write":
            write(tmp_path, step.value["path"], step.value["content"])
    after = subprocess.run(["/bin/sh", "-c", check], cwd=tmp_path, capture_output=True, text=True, timeout=30)

    assert (before.returncode, after.returncode) == (0, 0), after.stderr
    assert "Ran 2 tests" in before.stderr
    assert "Ran 6 tests" in after.stderr


def test_the_policy_of_the_sample_rehearses() -> None:
    policy = workflow.effective_policy(sample.POLICY)

    assert policy.stages["dev"].model == "rehearsal"

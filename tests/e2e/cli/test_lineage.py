"""An issue's lineage, its repository's labels, and a policy that is tried: from the terminal, on the real processes."""

from pathlib import Path

import pytest
from tests.e2e.cli.playground import Playground, Repository

pytestmark = pytest.mark.e2e
STRICTER = """\
version: 1
defaults: {model: rehearsal}
stages: {dev: {model: rehearsal}}
gates: {stage_order: enforce}
"""


def test_a_person_sees_where_an_issue_is_and_tries_a_stricter_policy(
    playground: Playground, slow: Repository, tmp_path: Path
) -> None:
    run = playground.begin(slow)
    assert playground.call("run", "watch", run).code == 0
    run_view = playground.call("run", "view", run, "-o", "json").json()
    viewed = playground.call("issue", "view", run)

    assert viewed.code == 0, viewed.err
    assert "[x] dev" in viewed.out
    assert f"{run_view['number']} dev succeeded" in viewed.out
    assert f"PR #{run_view['pr_number']} in_review" in viewed.out
    assert "done.txt (added by" in viewed.out
    lineage = playground.call("issue", "view", f"{slow.full_name}#{run_view['issue_number']}", "-o", "json").json()
    assert lineage["candidate"]["pr_number"] == run_view["pr_number"]
    assert lineage["wanted_stage"] == "qa"

    listed = playground.call("label", "list", slow.full_name, "--project", run_view["project_id"])
    assert listed.code == 0, listed.err
    assert "run:dev" in listed.out
    file = tmp_path / "policy.yaml"
    file.write_text(STRICTER, encoding="utf-8")
    where = ("--repo", slow.full_name, "--project", run_view["project_id"])
    changed = playground.call("policy", "diff", str(file), *where)
    assert (changed.code, "stage_order" in changed.out) == (0, True), changed.err
    tried = playground.call("policy", "test", str(file), *where, "--since", "1d")
    assert tried.code == 0, tried.err
    assert "refuse stage_prerequisite_missing" in tried.out
    assert "decisions change" in tried.err
    matrix = playground.call("policy", "matrix", *where)
    assert (matrix.code, "run:dev:revise [revise]" in matrix.out) == (0, True), matrix.err

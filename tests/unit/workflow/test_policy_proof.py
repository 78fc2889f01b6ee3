"""WF6: no check of the policy is without its case, and what is generated from the policy says what the policy says."""

import ast
import re
from collections.abc import Iterator

from tests.unit.house.trees import ROOT
from tests.unit.workflow.test_policy_errors import APPROVAL_MISTAKES, MISTAKES
from tests.unit.workflow.test_policy_narrowing import LOOSER
from tests.unit.workflow.words import a_policy
from tools import policy_docs

from stagewright.contexts.workflow.api import CreateLabel, label_catalogue, plan_label_bootstrap

RULES = ROOT / "src/stagewright/contexts/workflow/rules"
CODE = re.compile(r"[a-z][a-z_]*")
RENAMED = 'labels: {names: {"run:dev": "ai: implement"}}\nstages: {qa: {limit_minutes: 7}, ops: {enabled: false}}'


def codes_given() -> Iterator[str]:
    """Yield the code of every problem that the rules can report."""
    for file in RULES.glob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                at = {"problem": 1, "complain": 2}.get(call.func.attr)
                if at is not None and len(call.args) > at and isinstance(call.args[at], ast.Constant):
                    yield str(call.args[at].value)  # type: ignore[attr-defined]


def test_every_mistake_the_rules_can_find_has_its_case() -> None:
    cases = {code for _, (_, code, _) in (*MISTAKES, *APPROVAL_MISTAKES)} | {code for *_, code in LOOSER}
    given = set(codes_given())

    assert all(CODE.fullmatch(code) for code in given)
    assert given == cases


def test_the_tables_of_the_guide_are_those_of_the_policy() -> None:
    assert policy_docs.problems(ROOT) == []
    other = policy_docs.text(a_policy(RENAMED))
    assert policy_docs.text(a_policy()) != other
    assert "| 7 |" in other


def test_the_bootstrap_makes_the_labels_of_the_policy_and_no_others() -> None:
    for policy in (a_policy(), a_policy(RENAMED)):
        planned = plan_label_bootstrap((), policy)
        made = [(item.key, item.label.name, item.label.color) for item in planned if isinstance(item, CreateLabel)]

        assert len(made) == len(planned)
        assert made == [(item.key, item.text, item.color) for item in label_catalogue(policy)]

"""WF6: every mistake of a policy file is reported at once, with its path and its line."""

import pytest
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import Policy, PolicyInvalid, PolicyProblem, builtin_text, load_policy


def problems(text: str, *, platform: bool = False) -> list[PolicyProblem]:
    with pytest.raises(PolicyInvalid) as caught:
        a_policy(platform_text=text) if platform else a_policy(text)
    return [problem for problem in caught.value.problems if isinstance(problem, PolicyProblem)]


def found(text: str, *, platform: bool = False) -> set[tuple[str, str, int]]:
    return {(item.pointer, item.code.removeprefix("policy."), item.line) for item in problems(text, platform=platform)}


MISTAKES: list[tuple[str, tuple[str, str, int]]] = [
    # the text itself
    ("limits:\n  project: [", ("", "syntax", 3)),
    ("a: \x07", ("", "syntax", 1)),
    ("- one\n- two\n", ("", "type", 1)),
    ("just words", ("", "type", 1)),
    ("limits: {}\n---\nlimits: {}\n", ("", "documents", 2)),
    ("limits: &a {}\n", ("/limits", "alias", 1)),
    ("x: &a 1\ny: *a\n", ("/y", "alias", 2)),
    ("version: !!int 1\n", ("/version", "tag", 1)),
    ("gates:\n  blocked: off\n  blocked: off\n", ("/gates/blocked", "duplicate", 3)),
    ("? [a]\n: b\n", ("", "key", 1)),
    ("x: " + "[" * 40 + "]" * 40, ("/x" + "/0" * 24, "depth", 1)),
    ("# " + "x" * 262144, ("", "too_large", 1)),
    # shape
    ("\nlimitz: {}\n", ("/limitz", "unknown_key", 2)),
    ("stages:\n  dev:\n    rol: qa\n", ("/stages/dev/rol", "unknown_key", 3)),
    ("models:\n  x:\n    engine: codex\n    id: x\n    base_url: http://x\n", ("/models/x/base_url", "unknown_key", 5)),
    ("stages:\n  Dev: {}\n", ("/stages/Dev", "key", 2)),
    ("stages:\n  new: {role: dev}\n", ("/stages/new/scope", "required", 2)),
    ("stages: null\n", ("/stages", "required", 1)),
    ("stages: []\n", ("/stages", "value", 1)),
    ("version: 2\n", ("/version", "value", 1)),
    ("stages:\n  dev:\n    limit_minutes: 0\n", ("/stages/dev/limit_minutes", "value", 3)),
    ("stages:\n  dev:\n    limit_minutes: soon\n", ("/stages/dev/limit_minutes", "value", 3)),
    ("stages:\n  dev:\n    mode: yes\n", ("/stages/dev/mode", "value", 3)),
    ("stages:\n  dev:\n    modes: []\n", ("/stages/dev/modes", "empty", 3)),
    ("stages:\n  dev:\n    involved: [qa, qa]\n", ("/stages/dev/involved", "duplicate", 3)),
    ('labels:\n  names:\n    "run:dev": ""\n', ("/labels/names/run:dev", "value", 3)),
    ('labels:\n  names:\n    "run:dev": ' + "x" * 51 + "\n", ("/labels/names/run:dev", "value", 3)),
    ("roles:\n  dev:\n    name: {en: X, fr: Y}\n", ("/roles/dev/name/fr", "unknown_key", 3)),
    ("special:\n  rethink:\n    label: run:again\n", ("/special/rethink/label", "value", 3)),
    ("special:\n  rethink:\n    label: null\n", ("/special/rethink/label", "required", 3)),
    ("labels:\n  reserved: [1]\n", ("/labels/reserved/0", "value", 2)),
    ('labels:\n  aliases:\n    "run:dev": [1]\n', ("/labels/aliases/run:dev/0", "value", 3)),
    ('labels:\n  catalogue:\n    x: {class: y, threads: [issue], description: z}\n',
     ("/labels/catalogue/x/class", "value", 3)),
    ("profiles:\n  paths: {quick-fix: null, feature: null, new-service: null}\n", ("/profiles/paths", "empty", 0)),
    ("scopes:\n  docs:\n    allow:\n      - /etc/**\n", ("/scopes/docs/allow/0", "value", 4)),
    ("scopes:\n  docs:\n    allow: [../x]\n", ("/scopes/docs/allow/0", "value", 3)),
    ("branches:\n  prefix: a/b\n", ("/branches/prefix", "value", 2)),
    ("approvals:\n  - id: x\n", ("/approvals/0/action", "required", 2)),
    # contradictions
    ("stages:\n  dev:\n    role: cook\n", ("/stages/dev/role", "unknown_name", 3)),
    ("stages:\n  dev:\n    involved:\n    - cook\n", ("/stages/dev/involved/0", "unknown_name", 4)),
    ("stages:\n  dev:\n    scope: web\n", ("/stages/dev/scope", "unknown_name", 3)),
    ("stages:\n  dev:\n    env: moon\n", ("/stages/dev/env", "value", 3)),
    ("stages:\n  dev:\n    model: gpt-0\n", ("/stages/dev/model", "unknown_name", 3)),
    ("stages:\n  dev:\n    reasoning: deep\n", ("/stages/dev/reasoning", "unknown_name", 3)),
    ("stages:\n  dev:\n    modes: [code-only]\n", ("/stages/dev/mode", "mode", 0)),
    ("stages:\n  dev:\n    needs_candidate: true\n", ("/stages/dev/needs_candidate", "candidate", 3)),
    ("roles:\n  dev:\n    model: gpt-0\n", ("/roles/dev/model", "unknown_name", 3)),
    ("roles:\n  dev:\n    reasoning: deep\n", ("/roles/dev/reasoning", "unknown_name", 3)),
    ("defaults:\n  model: gpt-0\n", ("/defaults/model", "unknown_name", 2)),
    ("defaults:\n  reasoning: deep\n", ("/defaults/reasoning", "unknown_name", 2)),
    ("special:\n  discussion:\n    default_role: cook\n", ("/special/discussion/default_role", "unknown_name", 3)),
    ("models:\n  x: {engine: cook, id: x}\n", ("/models/x/engine", "unknown_name", 2)),
    ("reasoning:\n  low:\n    effort: {cook: low}\n", ("/reasoning/low/effort/cook", "unknown_name", 3)),
    ("stages:\n  rethink: {role: dev, mode: code-only, env: none, scope: docs, limit_minutes: 1}\n",
     ("/stages/rethink", "kind_taken", 2)),
    ("stages:\n  dev-revise: {role: dev, mode: code-only, env: none, scope: docs, limit_minutes: 1}\n",
     ("/stages/dev-revise", "kind_taken", 2)),
    ('labels:\n  names:\n    "run:cook": x\n', ("/labels/names/run:cook", "unknown_label", 3)),
    ('labels:\n  aliases:\n    "run:cook": [x]\n', ("/labels/aliases/run:cook", "unknown_label", 3)),
    ('labels:\n  names:\n    "run:dev": " RUN:qa"\n', ("/labels/names/run:dev", "label_taken", 3)),
    ('labels:\n  aliases:\n    "run:dev":\n      - "[state:blocked]"\n',
     ("/labels/aliases/run:dev/0", "label_taken", 4)),
    ('labels:\n  aliases:\n    "run:dev": ["run:debug"]\n', ("/labels/aliases/run:dev/0", "label_taken", 3)),
    ('labels:\n  names:\n    "run:dev": "[]"\n', ("/labels/names/run:dev", "label_empty", 3)),
    ('labels:\n  catalogue:\n    "state:blocked": null\n', ("/labels/catalogue/state:blocked", "label_needed", 3)),
    ("profiles:\n  default: cook\n", ("/profiles/default", "unknown_name", 2)),
    ("profiles:\n  variants: {cook: x}\n", ("/profiles/variants/cook", "unknown_name", 2)),
    ("profiles:\n  variants:\n    feature: full_flow\n", ("/profiles/variants/new-service", "variant", 0)),
    ("profiles:\n  variants:\n    feature: a_or_b\n", ("/profiles/variants/feature", "variant", 3)),
    ("profiles:\n  paths:\n    feature: [intake, cook]\n", ("/profiles/paths/feature/1", "unknown_name", 3)),
    ("profiles:\n  paths:\n    feature: [dev, plan]\n", ("/profiles/paths/feature", "profile_order", 3)),
    ("profiles:\n  paths:\n    feature:\n    - intake\n    - qa\n",
     ("/profiles/paths/feature/1", "candidate_order", 5)),
    ("next_steps:\n  cook: {}\n", ("/next_steps/cook", "unknown_name", 2)),
    ("next_steps:\n  dev:\n    side: [run:ai-repair]\n", ("/next_steps/dev/side/0", "target", 3)),
    ("next_steps:\n  dev:\n    side: [run:debug]\n", ("/next_steps/dev/side/0", "target", 3)),
    ("next_steps:\n  dev:\n    jumps:\n    - {target: cook, variant: x}\n",
     ("/next_steps/dev/jumps/0/target", "target", 4)),
    ("next_steps:\n  dev:\n    jumps:\n    - {target: run:qa, variant: x, profile: cook}\n",
     ("/next_steps/dev/jumps/0/profile", "unknown_name", 4)),
    ("scopes:\n  any: {allow: []}\n", ("/scopes/any", "scope_fixed", 2)),
    ("scopes:\n  docs:\n    allow: ['docs**']\n", ("/scopes/docs/allow/0", "pattern", 3)),
    ("scopes:\n  docs:\n    allow: ['docs/[z-a].md']\n", ("/scopes/docs/allow/0", "pattern", 3)),
    ('scopes:\n  docs:\n    allow: ["docs/x\\n"]\n', ("/scopes/docs/allow/0", "value", 3)),
    ('branches:\n  prefix: "x\\n"\n', ("/branches/prefix", "value", 2)),
    ("roles:\n" + "".join(f"  r{n}: {{name: x, limits: {{full-env: 1, code-only: 1}}}}\n" for n in range(50)),
     ("/roles", "too_many", 0)),
    ("approvals:\n" + 101 * "- {}\n", ("/approvals", "too_many", 1)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_each_mistake_is_named_with_path_and_line(text: str, expected: tuple[str, str, int]) -> None:
    pointer, code, line = expected
    if line:
        assert expected in found(text)
    else:
        assert (pointer, code) in {(item[0], item[1]) for item in found(text)}


def a_row(**changes: str) -> str:
    row = {"id": "a", "action": "run.start", "kinds": "all", "roles": "all", "env": "any", "approval": "deny"}
    return "{" + ", ".join(f"{key}: {value}" for key, value in {**row, **changes}.items()) + "}"


APPROVAL_MISTAKES: list[tuple[str, tuple[str, str, int]]] = [
    (a_row(action="fly"), ("/approvals/0/action", "unknown_action", 2)),
    (a_row(action="[fly]"), ("/approvals/0/action/0", "unknown_action", 2)),
    (a_row(action="FLY!"), ("/approvals/0/action", "value", 2)),
    (a_row(kinds="[cook]"), ("/approvals/0/kinds/0", "unknown_name", 2)),
    (a_row(kinds="some"), ("/approvals/0/kinds", "value", 2)),
    (a_row(roles="[cook]"), ("/approvals/0/roles/0", "unknown_name", 2)),
    (a_row(approval="maybe"), ("/approvals/0/approval", "value", 2)),
    (a_row(expires_in="3"), ("/approvals/0/expires_in", "value", 2)),
    (f"{a_row()}\n- {a_row()}", ("/approvals/1/id", "duplicate", 3)),
    ("just words", ("/approvals/0", "value", 2)),
]


@pytest.mark.parametrize(("row", "expected"), APPROVAL_MISTAKES)
def test_each_mistake_of_an_approval_row_is_named(row: str, expected: tuple[str, str, int]) -> None:
    assert expected in found(f"approvals:\n- {row}\n")
    assert expected in found(f"approvals:\n- {row}\n", platform=True)


def test_all_mistakes_are_reported_at_once_and_in_order() -> None:
    text = "limits:\n  project: {total: many}\nstages:\n  dev:\n    role: cook\n    rol: x\nversion: 3\n"
    listed = problems(text)

    assert [(item.line, item.pointer) for item in listed] == [
        (2, "/limits/project/total"),
        (5, "/stages/dev/role"),
        (6, "/stages/dev/rol"),
        (7, "/version"),
    ]
    assert listed[0].message == "line 2: 'many' does not fit; expected a whole number from 0 to 1000"
    assert listed[2].message == "line 6: unknown key 'rol'; did you mean 'role'?"
    assert listed[0].as_json()["pointer"] == "/limits/project/total"


def test_the_message_counts_the_mistakes_and_shows_the_first() -> None:
    with pytest.raises(PolicyInvalid, match=r"has 2 mistakes; the first: /limitz: line 1: unknown key"):
        a_policy("limitz: {}\nlimit: {}\n")
    with pytest.raises(PolicyInvalid, match=r"has 1 mistake; the first: /: line 1: the file must be a map"):
        a_policy("[]")


def test_a_mistake_of_the_platforms_file_says_so() -> None:
    listed = problems("limits:\n  project: {total: many}\n", platform=True)
    assert listed[0].message.startswith("platform policy, line 2: ")
    assert (listed[0].source, listed[0].line) == ("platform", 2)


def test_a_broken_built_in_file_is_reported_too() -> None:
    with pytest.raises(PolicyInvalid, match="builtin policy, line"):
        load_policy(builtin_text() + "\nnonsense: 1\n")
    with pytest.raises(
        PolicyInvalid, match="31 mistakes; the first: /approvals: builtin policy, line 1: 'approvals' is needed here"
    ):
        load_policy("version: 1")


def test_a_key_that_is_far_from_every_known_one_lists_the_known_ones() -> None:
    (problem,) = problems("gates: {zzz: off}")
    assert problem.message.endswith("known keys: blocked, in_review, need, stage_order")


def test_long_values_are_cut_and_words_are_shown_as_written() -> None:
    (long,) = problems(f"branches: {{prefix: {'a/' * 50}}}")
    (nothing,) = problems("stages: {dev: {artifacts: [null]}}")
    (flag,) = problems("gates: {blocked: true}")
    (table,) = problems("gates: {blocked: {}}")

    assert "…" in long.message
    assert "null does not fit" in nothing.message
    assert "true does not fit" in flag.message
    assert "a map does not fit" in table.message


def test_words_of_yaml_1_1_stay_words() -> None:
    policy = a_policy("gates: {blocked: off}\nstages: {dev: {name: 'no', artifacts: [on, 1e3, 0x1f, 12:30:45, ~1]}}")
    assert policy.gates.blocked == "off"
    assert policy.stages["dev"].artifacts == ("on", "1e3", "0x1f", "12:30:45", "~1")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "{}", "stages: {}\n"])
def test_an_empty_file_changes_nothing(text: str) -> None:
    assert a_policy(text).hash == a_policy().hash


def test_a_byte_that_is_no_utf_8_text_is_a_syntax_error() -> None:
    assert ("", "syntax", 1) in found("a: \ud800")


def test_numbers_keep_their_value() -> None:
    policy: Policy = a_policy("budgets: {run_usd: 2.5, issue_usd: 10.0}")
    assert (policy.budgets.run_usd, policy.budgets.issue_usd) == (2.5, 10)

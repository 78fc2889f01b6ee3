"""Reading rehearsal scenarios: every step, and errors that name the line and the remedy."""

from typing import Any

import pytest

from stagewright.adapters.engines.scripted.scenario import BadScenario, parse_scenario

ALL_STEPS = """
- say: hello
- write: {path: src/a.py, content: "x = 1\\n"}
- delete: old.txt
- rename: {from: a.txt, to: b/c.txt}
- run: make test
- tool: {name: issue_get, arguments: {number: 7}}
- tool: {name: run_status}
- ask: {question: Which way?, options: []}
- sleep: 2s
- usage: {tokens_in: 10, tokens_out: 3}
- fail: rate_limited
- crash
- hang
- obey:
- result: {summary: done}
- result: not json
- result:
"""


def test_every_step_of_the_specification_is_read() -> None:
    steps = parse_scenario(ALL_STEPS)
    assert [(step.kind, step.value) for step in steps] == [
        ("say", "hello"),
        ("write", {"path": "src/a.py", "content": "x = 1\n"}),
        ("delete", "old.txt"),
        ("rename", {"from": "a.txt", "to": "b/c.txt"}),
        ("run", "make test"),
        ("tool", {"name": "issue_get", "arguments": {"number": 7}}),
        ("tool", {"name": "run_status", "arguments": {}}),
        ("ask", {"question": "Which way?", "options": []}),
        ("sleep", 2.0),
        ("usage", {"tokens_in": 10, "tokens_cached": 0, "tokens_out": 3}),
        ("fail", "rate_limited"),
        ("crash", None),
        ("hang", None),
        ("obey", None),
        ("result", {"summary": "done"}),
        ("result", "not json"),
        ("result", {}),
    ]
    assert steps[0].line == 2
    assert steps[-1].line == 18


def test_steps_may_stand_below_the_key_steps() -> None:
    assert [step.kind for step in parse_scenario("steps:\n  - say: hi\n  - hang\n")] == ["say", "hang"]


@pytest.mark.parametrize(("text", "seconds"), [("2s", 2.0), ("500ms", 0.5), ("1.5m", 90.0), ("3", 3.0), ("0.25", 0.25)])
def test_durations_have_units_or_are_seconds(text: str, seconds: float) -> None:
    assert parse_scenario(f"- sleep: {text}")[0].value == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("- say: hi\n- jump: 3\n", 2, "unknown step 'jump'; known are say, write"),
        ("- say: 5\n", 1, "'say' takes a text"),
        ("- write: {path: a}\n", 1, "'write' takes {path, content}"),
        ("- write:\n    path: /etc/passwd\n    content: x\n", 1, "inside the repository"),
        ("- say: a\n- write: {path: ../x, content: x}\n", 2, "inside the repository"),
        ("- rename: {from: a, to: b/../../c}\n", 1, "'rename' takes {from, to}"),
        ("- sleep: soon\n", 1, "such as 2s, 500ms"),
        ("- sleep: true\n", 1, "such as 2s, 500ms"),
        ("- sleep: 900h\n", 1, "such as 2s, 500ms"),
        ("- sleep: -1\n", 1, "such as 2s, 500ms"),
        ("- usage: {tokens_in: -1}\n", 1, "whole numbers"),
        ("- usage: {dollars: 1}\n", 1, "whole numbers"),
        ("- crash: 3\n", 1, "'crash' takes nothing"),
        ("- result: [1]\n", 1, "'result' takes a mapping"),
        ("- ask: why\n", 1, "'ask' takes a mapping"),
        ("- tool: issue_get\n", 1, "'tool' takes {name, arguments}"),
        ("- say: a\n  run: b\n", 1, "a step is one of"),
        ("- just words\n", 1, "a step is one of"),
        ("just words\n", 1, "a list of steps"),
        ("", 1, "a list of steps"),
        ("stages: []\n", 1, "exactly one key, 'steps'"),
        ("steps: []\nsteps: []\n", 2, "stands here twice"),
        ("- say: a\n- write: {path: a, path: b, content: c}\n", 2, "stands here twice"),
        ("- say: a\n- say: 'open\n", 3, "not valid YAML"),
        ("- &x say: a\n- *x\n", 2, "aliases"),
        ("- say: !!python/object:os.system x\n", 1, "not plain text"),
        ("- say: \x00\n", 1, "not valid YAML"),
        ("- say: " + "9" * 5000 + "\n", 1, "not plain text"),
        ("- say: a\n- result: " + "[" * 100_000, 2, "nested deeper than 64"),
    ],
)
def test_a_bad_scenario_is_refused_with_its_line_and_a_remedy(text: str, line: int, says: str) -> None:
    with pytest.raises(BadScenario) as caught:
        parse_scenario(text)
    assert str(caught.value).startswith(f"line {line}: ")
    assert says in str(caught.value)


def test_a_scenario_larger_than_the_limit_is_refused() -> None:
    with pytest.raises(BadScenario, match="larger than 256 KiB"):
        parse_scenario("- say: " + "x" * 300_000)


@pytest.mark.parametrize("value", ["{a: 1, b: [x, {c: null}]}", "{}"])
def test_a_result_keeps_its_values(value: str) -> None:
    expected: dict[str, Any] = {"{a: 1, b: [x, {c: null}]}": {"a": 1, "b": ["x", {"c": None}]}, "{}": {}}
    assert parse_scenario(f"- result: {value}")[0].value == expected[value]

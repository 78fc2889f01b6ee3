"""WF3: every spelling of 2.2 matches; names, aliases and keys; unknown triggers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import (
    is_trigger_text,
    label_key,
    label_keys,
    label_text,
    nearest_triggers,
    normalise,
    stage_kind,
    stage_label,
    trigger_kind,
)

POLICY = a_policy()
RENAMED = a_policy(
    """
    labels:
      names: {"run:dev": "AI: Implement", "state:in-review": "[in review]", "run:qa": "Проверка"}
      aliases: {"run:dev": ["run:develop", "Code  it"]}
    """
)
SPACE = st.text(alphabet=" \t\n", max_size=2)


@st.composite
def spellings(draw: st.DrawFn, text: str) -> str:
    """Another way to write ``text``: case, outer and inner white space, brackets."""
    words = []
    for word in text.split(" "):
        words.append("".join(draw(st.sampled_from([char, char.upper(), char.lower()])) for char in word))
    inner = draw(st.sampled_from([" ", "  ", " \t "])).join(words)
    if draw(st.booleans()) and not inner.startswith("["):
        inner = f"[{draw(SPACE)}{inner}{draw(SPACE)}]"
    return draw(SPACE) + inner + draw(SPACE)


@given(st.data())
def test_every_spelling_of_every_label_matches(data: st.DataObject) -> None:
    policy = data.draw(st.sampled_from([POLICY, RENAMED]))
    key = data.draw(st.sampled_from(sorted(policy.catalogue)))
    text = data.draw(spellings(policy.catalogue[key].text))

    assert label_key(text, policy) == key


@given(st.data())
def test_every_spelling_of_an_alias_matches(data: st.DataObject) -> None:
    alias = data.draw(st.sampled_from(["run:develop", "code it"]))
    assert label_key(data.draw(spellings(alias)), RENAMED) == "run:dev"


@given(st.text())
def test_normalising_never_fails_and_drops_one_pair_of_brackets(text: str) -> None:
    normal = normalise(text)
    assert normal == normal.strip()
    assert normalise(f" {text.upper()} ".lower()) == normalise(text.upper().lower())
    if text.strip() and not text.strip().startswith("[") and not text.strip().endswith("]"):
        assert normalise(f"[{text}]") == normal


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("[ai-model-gpt-5.4]", "ai-model-gpt-5.4"),
        ("[[x]]", "[x]"),
        ("[x", "[x"),
        ("x]", "x]"),
        ("[", "["),
        ("[]", ""),
        ("  Straße\u00a0 1 ", "strasse 1"),
        ("cafe\u0301", "café"),
    ],
)
def test_the_normal_form(text: str, normal: str) -> None:
    assert normalise(text) == normal


def test_a_renamed_label_is_known_by_its_text_its_aliases_and_its_key() -> None:
    assert label_keys(["ai: implement", "run:dev", "code it", "bug"], RENAMED) == {"run:dev"}
    assert label_text("run:dev", RENAMED) == "AI: Implement"
    assert label_text("run:plan", RENAMED) == "run:plan"


def test_a_key_gives_way_to_a_label_that_is_called_so() -> None:
    swapped = a_policy('labels: {names: {"run:dev": "run:qa", "run:qa": "run:dev"}}')
    assert label_key("run:qa", swapped) == "run:dev"
    assert label_key("run:dev", swapped) == "run:qa"


def test_what_asks_for_a_run() -> None:
    for text in ("run:dev", "[RUN:DEV]", "run:debug", "run:whatever", "[run:whatever]", " [ Run:x]"):
        assert is_trigger_text(text, POLICY), text
    for text in ("bug", "state:blocked", "need:reviewer", "mode:discussion", "rerun:dev", "[ai-model-gpt-5.4]"):
        assert not is_trigger_text(text, POLICY), text
    assert is_trigger_text("AI: implement", RENAMED)
    own = a_policy('labels: {trigger_prefix: "[go "}')
    assert is_trigger_text("[go anywhere]", own)


def test_only_triggers_have_a_kind() -> None:
    kind = trigger_kind("run:doc-audit:revise", POLICY)
    assert kind is not None
    assert kind.key == stage_kind("doc-audit", revise=True) == "doc_audit_revise"
    assert stage_label("doc-audit", revise=True) == "run:doc-audit:revise"
    for key in (None, "state:blocked", "need:reviewer", "run:debug", "cook"):
        assert trigger_kind(key, POLICY) is None


def test_the_nearest_triggers_are_enabled_ones() -> None:
    assert nearest_triggers("run:desing", POLICY)[0] == "run:design"
    assert "run:design" not in nearest_triggers("run:desing", a_policy("stages: {design: {enabled: false}}"))

"""What a person reads: both languages say the same things, and nobody's text breaks out of its place."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.contexts.workflow.api import (
    LaunchReason,
    RefuseReason,
    is_sender_reason,
    reason_family,
    refusal_text,
)
from stagewright.contexts.workflow.model.reasons import (
    SENDER_ROLE_FAMILY,
    SENDER_TYPE_FAMILY,
    sender_role_reason,
    sender_type_reason,
)
from stagewright.contexts.workflow.rules.texts import EN, RU, WORDS, safe_value

FAMILIES = {*(reason.value for reason in RefuseReason), *(reason.value for reason in LaunchReason)}
FAMILIES |= {SENDER_TYPE_FAMILY, SENDER_ROLE_FAMILY}


def fields(sentences: tuple[str, str]) -> set[str]:
    found = (name for sentence in sentences for _, name, _, _ in string.Formatter().parse(sentence))
    return {name.removesuffix("_en").removesuffix("_ru") for name in found if name}


def test_both_languages_have_the_same_keys_and_every_reason_has_its_text() -> None:
    assert set(EN) == set(RU) == FAMILIES
    assert set(WORDS["en"]) == set(WORDS["ru"])


@pytest.mark.parametrize("key", sorted(FAMILIES))
def test_both_languages_use_the_same_parameters(key: str) -> None:
    assert fields(EN[key]) == fields(RU[key])
    assert all(re.search("[а-яё]", sentence) for sentence in RU[key])
    assert not any(re.search("[а-яё]", sentence) for sentence in EN[key])
    assert all(sentence.endswith(".") for sentence in (*EN[key], *RU[key]))


def test_a_reason_is_said_in_the_language_of_the_project() -> None:
    params = {"run": "run-0042", "kind": "qa", "label": "run:qa"}
    assert (
        refusal_text("run_already_active", "ru-RU", params).reason
        == "Уже идёт запуск, который исключает этот: `run-0042` (`qa`)."
    )
    assert "`stagewright run cancel run-0042`" in refusal_text("run_already_active", "de", params).remedy


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("reason", ["run_already_active", "discussion_mode_trigger_label_conflict"])
def test_nobody_is_told_to_take_a_label_off_to_cancel(reason: str, locale: str) -> None:
    said = refusal_text(reason, locale, {"run": "run-0042", "kind": "qa", "label": "run:qa"}).remedy
    assert "`stagewright run cancel run-0042`" in said
    assert "run:qa" not in said


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_result_in_review_names_only_ways_that_exist(locale: str) -> None:
    said = refusal_text("previous_stage_in_review", locale, {"pull_request": "#40"}).remedy
    assert "#40" in said
    assert not re.search(r"link|ссылк", said)
    assert "`?`" in refusal_text("run_already_active", None).reason


def test_reasons_with_a_word_of_their_own_belong_to_a_family() -> None:
    assert reason_family(sender_type_reason("Bot")) == SENDER_TYPE_FAMILY
    assert reason_family(sender_role_reason("read")) == SENDER_ROLE_FAMILY
    assert reason_family(sender_role_reason(None)) == "sender_role_not_permitted"
    assert reason_family("issue_closed") == "issue_closed"
    assert refusal_text(sender_role_reason("read"), "en", {"role": "read", "sender": "ada"}).reason.startswith("The")
    assert is_sender_reason("sender_not_allowed")
    assert not is_sender_reason("issue_closed")


@given(st.text())
def test_no_value_leaves_its_code_span(text: str) -> None:
    shown = safe_value(text)
    assert len(shown) <= 400
    assert "`" not in shown
    assert "\n" not in shown
    assert shown.isprintable()


def test_braces_in_a_value_are_not_a_template() -> None:
    assert "`{run} {0.x}`" in refusal_text("trigger_label_unknown", "en", {"label": "{run} {0.x}"}).reason

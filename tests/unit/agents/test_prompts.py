"""Composition of prompts: every part, in order, with the facts of the run, and a hash that leaves out the nonce."""

import hashlib
import re
from dataclasses import replace

import pytest
from tests.unit.agents.factories import NONCE, a_prompt_input, a_remark, an_opening

from stagewright.contexts.agents.api import (
    Document,
    PromptInput,
    PromptInvalid,
    PromptKind,
    PromptMode,
    PromptPartMissing,
    compose,
    load_catalogue,
    report_schema,
    resume_prompt,
    role_name,
    sanitise,
)
from stagewright.contexts.agents.rules.isolation import Fence
from stagewright.contexts.agents.rules.variables import RESUME_REASONS, variables
from stagewright.contexts.agents.usecases.templates import SPECIAL_STAGES, STAGES, render

CATALOGUE = load_catalogue()
ROLES = ("pm", "sa", "em", "sre", "km", "dev", "reviewer", "qa")
SCOPES = {
    "none": (),
    "docs": ("**/*.md",),
    "any": (),
    "self_improve": ("**/*.md", ".stagewright/prompts/**", "deploy/runner/Dockerfile"),
}
FRAME_HEADINGS = {
    "en": ("# Facts of this run", "# Project documents", "# What happened before", "# Texts written by others"),
    "ru": ("# Факты этого запуска", "# Документы проекта", "# Что было раньше", "# Тексты других людей"),
}


def scope_of(stage: str) -> str:
    return {"dev": "any", "ai-repair": "any", "reviewer": "none", "discussion": "none"}.get(
        stage, "self_improve" if stage == "self-improve" else "docs"
    )


def rendered(wanted: PromptInput, values: dict[str, str], part: str, name: str) -> str:
    found = CATALOGUE.find(part, name, wanted.locale)
    assert found is not None
    key, source = found
    assert key.locale == wanted.locale
    return render(source, values, path=key.path)


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("stage", STAGES + SPECIAL_STAGES)
def test_every_stage_role_kind_and_mode_reaches_its_prompt(stage: str, locale: str) -> None:
    scope = scope_of(stage)
    for role in ROLES:
        for kind in PromptKind:
            for mode in PromptMode:
                wanted = a_prompt_input(
                    stage=stage,
                    role=role,
                    kind=kind,
                    mode=mode,
                    locale=locale,
                    scope=scope,
                    scope_patterns=SCOPES[scope],
                    report_schema=report_schema(stage).id,
                )
                check_prompt(wanted)
        check_stable_hash(wanted)


def check_prompt(wanted: PromptInput) -> None:
    prompt = compose(wanted, CATALOGUE)
    values = variables(wanted, Fence(wanted.nonce))
    facts, documents, progress, untrusted = FRAME_HEADINGS[wanted.locale]
    expected = [
        rendered(wanted, values, "base", "base"),
        rendered(wanted, values, "role", wanted.role),
        rendered(wanted, values, "stage", wanted.stage),
        rendered(wanted, values, "kind", wanted.kind),
        rendered(wanted, values, "mode", wanted.mode),
        facts,
        documents,
        progress,
        untrusted,
        rendered(wanted, values, "completion", "completion"),
    ]
    places = [prompt.text.find(f"{text}\n") for text in expected]
    assert -1 not in places
    assert places == sorted(places)
    assert role_name(wanted.role, wanted.locale) in expected[1]
    assert all(f"- `{pattern}`\n" in prompt.text for pattern in wanted.scope_patterns)
    assert f"`{wanted.scope}`" in prompt.text
    assert not re.search(r"\{[{%#]|[%#}]\}", prompt.text)
    assert len(prompt.parts) == len(expected)


def check_stable_hash(wanted: PromptInput) -> None:
    prompt = compose(wanted, CATALOGUE)
    again = compose(replace(wanted, nonce="0123456789abcdef"), CATALOGUE)
    assert again.stable_sha256 == prompt.stable_sha256
    assert again.sha256 != prompt.sha256
    assert [part.sha256 for part in again.parts] == [part.sha256 for part in prompt.parts]


def test_the_hash_is_of_the_exact_bytes() -> None:
    prompt = compose(a_prompt_input(), CATALOGUE)
    assert prompt.sha256 == hashlib.sha256(prompt.text.encode()).hexdigest()
    masked = prompt.text.replace(NONCE, "{nonce}")
    assert prompt.stable_sha256 == hashlib.sha256(masked.encode()).hexdigest()


def test_another_input_gives_another_stable_hash() -> None:
    first = compose(a_prompt_input(), CATALOGUE).stable_sha256
    for changes in ({"minutes_left": 179}, {"comments": ()}, {"locale": "ru"}, {"tools": ()}):
        assert compose(a_prompt_input(**changes), CATALOGUE).stable_sha256 != first


def test_every_fact_stands_in_the_prompt() -> None:
    text = compose(a_prompt_input(pull_request=an_opening(number=12)), CATALOGUE).text
    for fact in (
        "`acme/shop`", "`run-0042`", "#7", "#12", "`stagewright/issue-7/dev`", "c0ffee", "https://slot-3.example",
        "`candidate`", "`feature`", "180 minutes", "8.50 USD", "`.github/**`", "- `tests`", "`github_issue_get`",
        "refs/stagewright/prior/design", "house style", "Run make check.", "Use tabs.", "Keep the API?", "→ Yes.",
        "The cart was read", "scope_violation: src/app.py", 'place="src/cart.py:12"', 'source="review_comment:9"',
        "One more thing.",
    ):  # fmt: skip
        assert fact in text, fact


def test_what_does_not_apply_leaves_no_trace() -> None:
    bare = a_prompt_input(
        issue=None, comments=(), review_threads=(), inbox=(), branch="", base_sha="", target_sha="", slot_url="",
        access_profile="", profile="", protected_paths=(), artifacts=(), prior_stages=(), minutes_left=None,
        budget_left="", tools=(), documents=(), instruction_files=(), answers=(), last_summary="", feedback=(),
    )  # fmt: skip
    prompt = compose(bare, CATALOGUE)
    assert {part.name for part in prompt.parts if part.part == "frame"} == {"facts"}
    assert "None in this run." in prompt.text
    assert "docs/runs/run-0042" in compose(replace(bare, stage="intake"), CATALOGUE).text
    for absent in ("``", "Protected:", "Artifacts expected", "minutes", "<untrusted id="):
        assert absent not in prompt.text


def test_a_scope_without_paths_says_that_nothing_may_change() -> None:
    text = compose(a_prompt_input(scope="none", scope_patterns=()), CATALOGUE).text
    assert "No file may be changed." in text


def test_a_language_without_texts_is_served_in_english() -> None:
    prompt = compose(a_prompt_input(locale="de"), CATALOGUE)
    assert "# Role: Developer" in prompt.text
    assert "in de, unless" in prompt.text
    assert {part.locale for part in prompt.parts} == {"en"}


def test_the_prompt_shows_what_the_console_shows() -> None:
    body = "Visible\u200b te\u202ext <!-- hidden order -->\r\nwith \U000e0041two lines"
    prompt = compose(a_prompt_input(issue=an_opening(body=body)), CATALOGUE)
    shown = sanitise(body)
    assert shown.text == "Visible text \nwith two lines"
    assert f"\n{shown.text}\n</untrusted" in prompt.text
    assert prompt.sanitizer == shown.counts
    assert (shown.counts.html_comments, shown.counts.zero_width) == (1, 1)
    assert (shown.counts.bidi_controls, shown.counts.tag_characters) == (1, 1)


def test_hidden_characters_are_counted_in_every_source() -> None:
    hidden = "x\u200b"
    wanted = a_prompt_input(
        issue=an_opening(title=hidden, body=hidden, author=hidden),
        comments=(a_remark(hidden),),
        inbox=(a_remark(hidden),),
        documents=(Document("a.md", hidden),),
        branch=hidden,
    )
    assert compose(wanted, CATALOGUE).sanitizer.zero_width == 8
    assert "\u200b" not in compose(wanted, CATALOGUE).text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"nonce": "short"}, "/nonce"),
        ({"nonce": "x" * 32}, "/nonce"),
        ({"role": "../dev"}, "/role"),
        ({"stage": "Dev"}, "/stage"),
        ({"locale": "en/../ru"}, "/locale"),
        ({"repository": "acme"}, "/repository"),
        ({"report_schema": "work.v9"}, "/report_schema"),
    ],
)
def test_a_wrong_input_is_refused_by_name(changes: dict[str, str], field: str) -> None:
    with pytest.raises(PromptInvalid) as refused:
        compose(a_prompt_input(**changes), CATALOGUE)
    assert [problem.pointer for problem in refused.value.problems] == [field]


def test_a_role_without_text_names_the_file_to_add() -> None:
    with pytest.raises(PromptPartMissing, match=r"\.stagewright/prompts/role/poet\.ru\.md"):
        compose(a_prompt_input(role="poet", locale="ru"), CATALOGUE)


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_each_reason_to_resume_has_its_own_words(locale: str) -> None:
    texts = {
        reason: resume_prompt(a_prompt_input(locale=locale), CATALOGUE, reason=reason) for reason in RESUME_REASONS
    }
    assert len({prompt.stable_sha256 for prompt in texts.values()}) == len(RESUME_REASONS)
    for prompt in texts.values():
        assert [part.part for part in prompt.parts] == ["resume", "frame", "frame", "completion"]
        assert "→ Yes." in prompt.text
        assert "scope_violation: src/app.py" in prompt.text
        assert "One more thing." in prompt.text
        assert "Off by one." in prompt.text
        assert "The total differs" not in prompt.text
        assert "The cart was read" not in prompt.text
        assert prompt.size < compose(a_prompt_input(locale=locale), CATALOGUE).size / 2


def test_an_unknown_reason_to_resume_is_refused() -> None:
    with pytest.raises(PromptInvalid, match="first"):
        resume_prompt(a_prompt_input(), CATALOGUE, reason="first")

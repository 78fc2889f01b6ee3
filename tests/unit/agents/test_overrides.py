"""Prompt texts of a project: added, or replacing where that is allowed; nothing in them can loop or reach out."""

import pytest
from tests.unit.agents.factories import a_prompt_input

from stagewright.contexts.agents.api import OverrideInvalid, check_overrides, compose, load_catalogue, template_problems

CATALOGUE = load_catalogue()
FOLDER = ".stagewright/prompts/"


def test_a_project_text_is_added_after_the_built_in_one() -> None:
    text = "Our money is `Decimal`. Issue {{ issue }}{% if stage == 'dev' %}, write code{% endif %}.\n"
    prompt = compose(a_prompt_input(overrides={FOLDER + "role/dev.en.md": text}), CATALOGUE)
    ours = prompt.text.index("Our money is `Decimal`. Issue 7, write code.")
    assert prompt.text.index("# Role: Developer") < ours < prompt.text.index("# Stage: dev")
    assert [(p.source, p.locale) for p in prompt.parts if p.part == "role"] == [
        ("built-in", "en"),
        (f"project:{FOLDER}role/dev.en.md", "en"),
    ]


def test_a_project_text_may_replace_the_built_in_one() -> None:
    text = "---\nmode: replace\n---\nOnly this role text."
    prompt = compose(a_prompt_input(overrides={"role/dev.en.md": text}), CATALOGUE)
    assert "Only this role text." in prompt.text
    assert "# Role: Developer" not in prompt.text


@pytest.mark.parametrize("path", ["base.en.md", "completion.en.md"])
def test_base_and_completion_can_only_be_added_to(path: str) -> None:
    added = compose(a_prompt_input(overrides={path: "An addition."}), CATALOGUE)
    assert "An addition." in added.text
    assert "# How you work here" in added.text
    assert "# How to finish" in added.text
    with pytest.raises(OverrideInvalid, match="only be added to"):
        compose(a_prompt_input(overrides={path: "---\nmode: replace\n---\nNo rules."}), CATALOGUE)


def test_the_projects_language_falls_back_to_english() -> None:
    both = {"kind/work.ru.md": "По-русски.", "kind/work.en.md": "In English."}
    assert "По-русски." in compose(a_prompt_input(locale="ru", overrides=both), CATALOGUE).text
    english = {"kind/work.en.md": "In English."}
    assert "In English." in compose(a_prompt_input(locale="ru", overrides=english), CATALOGUE).text


def test_a_role_of_the_project_lives_from_its_own_text() -> None:
    overrides = {"role/poet.en.md": "You write verse, as {{ role_title }}."}
    prompt = compose(a_prompt_input(role="poet", role_title="House poet", overrides=overrides), CATALOGUE)
    assert "You write verse, as House poet." in prompt.text


def test_hidden_characters_of_project_texts_are_removed_and_counted() -> None:
    prompt = compose(a_prompt_input(overrides={"role/dev.en.md": "a\u200bb<!-- note -->"}), CATALOGUE)
    assert "\nab\n" in prompt.text
    assert (prompt.sanitizer.zero_width, prompt.sanitizer.html_comments) == (1, 1)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("{{ unknown }}", "no variable"),
        ("{% for x in role %}{% endfor %}", "for is not allowed"),
        ("{{ range(9) }}", "call is not allowed"),
        ("{{ role * 100000000 }}", "mul is not allowed"),
        ("{{ role.__class__ }}", "getattr is not allowed"),
        ("{{ role['x'] }}", "getitem is not allowed"),
        ("{{ role | upper }}", "filter is not allowed"),
        ("{% set a = role %}", "assign is not allowed"),
        ("{% include 'base.en.md' %}", "include is not allowed"),
        ("{% macro m() %}{% endmacro %}", "macro is not allowed"),
        ("{{ role", "unexpected end"),
        ("{% if role %}", "line 1"),
        ("{% nonsense %}", "raw"),
        ("{% if minutes_left > 5 %}x{% endif %}", "all variables are texts"),
    ],
)
def test_a_text_that_loops_calls_or_reaches_out_is_refused_with_its_line(text: str, remedy: str) -> None:
    with pytest.raises(OverrideInvalid) as refused:
        compose(a_prompt_input(overrides={"role/dev.en.md": text}), CATALOGUE)
    assert remedy in str(refused.value)
    assert "role/dev.en.md" in str(refused.value)
    assert refused.value.problems


def test_conditions_and_raw_braces_are_fine() -> None:
    assert template_problems("{% if locale == 'en' and not scope in ('any', 'docs') %}a{% else %}b{% endif %}") == []
    assert template_problems("{% raw %}{{ anything }}{% endraw %}") == []


def test_deep_nesting_is_a_problem_and_not_a_crash() -> None:
    assert template_problems("{% if role %}" * 3000 + "{% endif %}" * 3000)


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("roles/dev.en.md", "x", "unknown_path"),
        ("role/dev.md", "x", "unknown_path"),
        ("role/.en.md", "x", "unknown_path"),
        ("frame/facts.en.md", "x", "unknown_path"),
        ("role/deep/dev.en.md", "x", "unknown_path"),
        ("role/dev.en.txt", "x", "unknown_path"),
        ("role/poet.en.md", "x", "unknown_name"),
        ("stage/dance.en.md", "x", "unknown_name"),
        ("role/dev.en.md", "x" * 40_000, "too_large"),
        ("role/dev.en.md", "---\nmode: replace\n", "front_matter"),
        ("role/dev.en.md", "---\nmode: prepend\n---\n", "front_matter"),
        ("role/dev.en.md", "---\nmod: replace\n---\n", "front_matter"),
        ("base.ru.md", "---\nmode: replace\n---\nx", "not_replaceable"),
    ],
)
def test_wrong_project_files_are_named_with_their_remedy(path: str, text: str, code: str) -> None:
    problems = check_overrides({FOLDER + path: text}, roles=["dev"], stages=["dev"])
    assert [problem.code for problem in problems] == [code]
    assert path.replace("/", "~1") in problems[0].pointer


def test_right_project_files_have_no_problems() -> None:
    files = {
        FOLDER + "role/dev.en.md": "---\nmode: replace\n\n---\nx",
        "stage/dev.ru.md": "---\nmode: append\n---\nx",
        "kind/revise.en.md": "x",
        "resume.en.md": "x",
    }
    assert check_overrides(files, roles=["dev"], stages=["dev"]) == []

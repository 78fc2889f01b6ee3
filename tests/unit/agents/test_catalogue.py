"""The built-in texts: complete, equal in both languages, and real."""

import re

import pytest
from jinja2 import Environment, meta

from stagewright.contexts.agents.api import ROLE_NAMES, Catalogue, CatalogueBroken, check_catalogue, load_catalogue
from stagewright.contexts.agents.model import PartKey
from stagewright.contexts.agents.usecases.templates import REQUIRED, SPECIAL_STAGES, STAGES

CATALOGUE = load_catalogue()
PAIRS = sorted((part, name) for part, names in REQUIRED.items() for name in names)


@pytest.mark.parametrize(("part", "name"), PAIRS)
def test_both_languages_say_the_same_in_the_same_form(part: str, name: str) -> None:
    en, ru = (CATALOGUE.texts[PartKey(part, name, locale)] for locale in ("en", "ru"))

    def shape(text: str) -> tuple[object, ...]:
        headings = re.findall(r"^(#+) ", text, re.MULTILINE)
        items = re.findall(r"^\s*(?:-|\d\.) ", text, re.MULTILINE)
        variables = meta.find_undeclared_variables(Environment(autoescape=True).parse(text))
        tags = re.findall(r"\{% *(\w+)", text)
        return headings, len(items), sorted(variables), tags

    assert shape(en) == shape(ru)
    assert not re.search("[а-яё]", en)
    assert len(re.findall("[а-яё]", ru)) > len(re.findall("[a-z]", ru)) / 2


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("stage", STAGES + SPECIAL_STAGES)
def test_a_stage_says_what_to_read_to_produce_to_avoid_and_when_it_is_done(stage: str, locale: str) -> None:
    text = CATALOGUE.texts[PartKey("stage", stage, locale)]
    words = {
        "en": ("Purpose:", "## Produce", "## Do not", "## Done when", "## Quality bar"),
        "ru": ("Цель:", "## Сделать", "## Не делать", "## Готово, когда", "## Планка качества"),
    }[locale]
    assert all(word in text for word in words)
    assert 15 <= len(text.strip().splitlines()) <= 45


def test_a_missing_text_stops_the_start() -> None:
    texts = dict(CATALOGUE.texts)
    del texts[PartKey("stage", "dev", "en")]
    del texts[PartKey("role", "qa", "ru")]
    with pytest.raises(CatalogueBroken) as broken:
        check_catalogue(Catalogue(texts))
    assert [problem.pointer for problem in broken.value.problems] == ["/role/qa.ru.md", "/stage/dev.en.md"]


def test_a_text_nothing_uses_or_nothing_can_render_stops_the_start() -> None:
    extra = {PartKey("role", "poet", "en"): "x", PartKey("role", "qa", "en"): "{{ mood }}"}
    with pytest.raises(CatalogueBroken) as broken:
        check_catalogue(Catalogue({**CATALOGUE.texts, **extra}))
    assert {problem.code for problem in broken.value.problems} == {"unknown", "template"}


def test_every_role_has_a_name_in_both_languages() -> None:
    assert set(ROLE_NAMES) == set(REQUIRED["role"])
    assert all(names.keys() == {"en", "ru"} for names in ROLE_NAMES.values())

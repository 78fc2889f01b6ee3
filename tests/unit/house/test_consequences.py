"""Every consequence that the server can send has words in both languages, wherever a person reads them (§7.10)."""

import importlib
import json
import pkgutil
import re
import string
from functools import cache
from typing import Any

import pytest
from tests.unit.house.trees import ROOT

import stagewright.contexts
from stagewright.kit.consequences import Catalogue, Consequence
from stagewright.processes.cli.consequences import WORDS, words_of

UI = ROOT / "console/src/shared/ui/i18n"
PLACEHOLDER = re.compile(r"\{(\w+)\}")


@cache
def catalogue() -> dict[str, frozenset[str]]:
    """Return every code of every context with its parameters; two contexts never share one."""
    found: dict[str, frozenset[str]] = {}
    for module in pkgutil.walk_packages(stagewright.contexts.__path__, "stagewright.contexts."):
        if ".rules" in module.name:
            for said in vars(importlib.import_module(module.name)).values():
                if isinstance(said, Catalogue):
                    assert not found.keys() & said.codes.keys()
                    found |= said.codes
    return found


def console(locale: str) -> dict[str, str]:
    words: dict[str, Any] = json.loads((UI / f"{locale}.json").read_text())["consequence"]
    return {f"{context}.{name}": text for context, group in words.items() for name, text in group.items()}


def placeholders(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_the_catalogues_of_all_contexts_are_found() -> None:
    assert {code.partition(".")[0] for code in catalogue()} == {
        "approval", "run", "repository", "credential", "user", "member",
    }  # fmt: skip


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_the_console_has_words_for_every_code_and_for_no_other(locale: str) -> None:
    words = console(locale)
    assert words.keys() == catalogue().keys()
    for code, params in catalogue().items():
        for form in words[code].split(" | "):
            assert frozenset(PLACEHOLDER.findall(form)) == params, code


def test_the_command_line_has_words_for_every_code_and_for_no_other() -> None:
    assert WORDS.keys() == catalogue().keys()
    for code, params in catalogue().items():
        assert [placeholders(text) for text in WORDS[code]] == [params, params], code


def test_what_a_newer_server_sends_is_shown_as_it_came() -> None:
    assert words_of({"code": "run.flies", "params": {"to": "Mars"}}, "ru") == "run.flies to=Mars"
    assert words_of({"code": "run.wait_ends"}, "en").startswith("what the run waits for")
    assert words_of({"code": "user.renamed", "params": {}}, "en") == "user.renamed"


def test_a_code_is_made_only_as_its_catalogue_says() -> None:
    says = Catalogue({"run.ends": ("run",)})
    assert says("run.ends", run="run-0001") == Consequence("run.ends", {"run": "run-0001"})
    for code, params in (
        ("run.begins", {"run": "run-0001"}),
        ("run.ends", {}),
        ("run.ends", {"run": "r", "kind": "k"}),
    ):
        with pytest.raises(ValueError, match=code):
            says(code, **params)

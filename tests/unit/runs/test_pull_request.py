"""Title and body of a pull request: our block, a person's words, revisions, and the closing line last."""

from typing import Any

import pytest
from tests.factories import a_report
from tests.unit.runs.words import OTHER_ID, RUN_ID, a_run

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs.rules import pull_request
from stagewright.contexts.runs.rules.pull_request import PullRequestFacts

BODY = """\
<!-- stagewright:delivery 01a202d3-17fc-7600-8664-605442127836 -->

## Context

The Issue asks for a greeting.

## What was done

Added hello.py.

## Artifacts

- hello.py

## Checks

- tests — passed: all passed

## Risks

None known.

---
Delivered by Stagewright: run-0042, stage dev, role dev, model gpt-5.4.

<!-- /stagewright:delivery -->

Closes #7
"""


def facts(**changes: Any) -> PullRequestFacts:
    values: dict[str, Any] = {
        "run_url": None,
        "stage_name": "dev",
        "model": "gpt-5.4",
        "closing": "Closes #7",
        "warnings": (),
        "inert": agents.inert,
    }
    return PullRequestFacts(**(values | changes))


def test_the_body_of_a_new_pull_request() -> None:
    assert pull_request.render_body(a_run(), a_report(), facts()) == BODY


def test_the_body_in_russian_links_its_run() -> None:
    body = pull_request.render_body(a_run(locale="ru"), a_report(), facts(run_url="https://s/r/42"))
    assert "## Что сделано" in body
    assert "[run-0042](https://s/r/42)" in body
    assert body.endswith("Closes #7\n")


def test_empty_sections_are_left_out_and_warnings_are_listed() -> None:
    sections = {"context": "", "done": "", "artifacts": [], "checks": [], "risks": ""}
    report = a_report(sections=sections, follow_ups=[{"title": "Tidy up", "body": "x"}])
    body = pull_request.render_body(a_run(), report, facts(warnings=("high entropy in a.bin",)))
    assert "## Context" not in body
    assert "## What was done\n\nDid the work." in body
    assert "## Follow-ups\n\n- Tidy up" in body
    assert "## Warnings of the checks\n\n- high entropy in a.bin" in body


def test_words_of_the_agent_mention_nobody_close_nothing_and_hide_nothing() -> None:
    sections = a_report()["sections"] | {"done": "Fixes #1 for @ann <!-- stagewright:delivery x --> \u202edone"}
    body = pull_request.render_body(a_run(), a_report(sections=sections), facts())
    assert "Fixes #1" not in body
    assert "@ann" not in body
    assert body.count("<!-- stagewright:delivery ") == 1
    assert "\u202e" not in body


def test_a_revision_replaces_our_block_and_is_appended_before_the_closing_line() -> None:
    body = BODY.replace("Closes #7", "A person adds this.\n\n### Revision of the plan\n\nCloses #7")
    second = a_run(id=OTHER_ID, number=43)
    revised = pull_request.revise_body(body, second, a_report(summary="Better words."), facts())
    assert f"stagewright:delivery {OTHER_ID}" in revised
    assert f"stagewright:delivery {RUN_ID}" not in revised
    assert "A person adds this." in revised
    assert revised.endswith("### Revision 1\n\nBetter words.\n\nCloses #7\n"), "only our headings are counted"
    third = a_run(id=RUN_ID, number=44, locale="ru")
    again = pull_request.revise_body(revised, third, a_report(summary="Ещё лучше."), facts())
    assert again.index("### Revision 1") < again.index("### Доработка 2") < again.index("Closes #7")
    assert pull_request.revisions(again) == 2


def test_revising_twice_for_one_run_changes_nothing() -> None:
    revised = pull_request.revise_body(BODY, a_run(id=OTHER_ID), a_report(), facts())
    assert pull_request.revise_body(revised, a_run(id=OTHER_ID), a_report(summary="other"), facts()) == revised


def test_a_body_without_our_block_keeps_every_word_of_its_person() -> None:
    revised = pull_request.revise_body("By hand.\n\nFixes the shop.", a_run(), a_report(), facts())
    assert revised.startswith("By hand.\n\nFixes the shop.\n\n<!-- stagewright:delivery ")
    assert revised.rstrip().endswith("### Revision 1\n\nDid the work.")


@pytest.mark.parametrize("body", ["", "by hand"])
def test_joining_appends_or_replaces_the_block(body: str) -> None:
    joined = pull_request.joined(body, BODY)
    assert joined == (f"{body}\n\n{BODY}".lstrip())
    other = BODY.replace("hello.py", "other.py")
    assert pull_request.joined(joined, other) == joined.replace("hello.py", "other.py")


def test_a_report_of_any_size_fits_and_keeps_block_and_closing_line() -> None:
    sections = {
        "context": "c" * 50_000,
        "done": "```\n" + "d" * 50_000,
        "artifacts": ["a" * 1000] * 500,
        "checks": [{"name": "n" * 500, "outcome": "passed", "detail": "e" * 2000}] * 500,
        "risks": "r" * 50_000,
    }
    report = a_report(sections=sections, follow_ups=[{"title": "t" * 500, "body": ""}] * 100)
    body = pull_request.render_body(a_run(), report, facts(warnings=["w" * 1000] * 200))
    assert len(body) <= pull_request.LIMIT
    assert pull_request.END in body
    assert body.endswith("Closes #7\n")
    long = BODY.replace("Closes #7", "p" * 59_000 + "\n\nCloses #7")
    revised = pull_request.revise_body(long, a_run(id=OTHER_ID), report, facts())
    assert "p" * 59_000 in revised
    assert len(revised) <= 65_536


def test_a_check_that_is_only_a_word_is_shown_as_it_is() -> None:
    sections = a_report()["sections"] | {"checks": ["lint"]}
    assert "## Checks\n\n- lint\n" in pull_request.render_body(a_run(), a_report(sections=sections), facts())


def test_a_body_that_is_full_already_gets_our_block_and_no_more() -> None:
    full = BODY.replace("Closes #7", "p" * 60_000 + "\n\nCloses #7")
    revised = pull_request.revise_body(full, a_run(id=OTHER_ID, number=43), a_report(), facts())
    assert "Revision 1" not in revised
    assert "run-0043" in revised
    assert revised.endswith("p\n\nCloses #7\n")

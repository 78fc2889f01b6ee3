"""The review of a reviewer's report: what stands in the diff, what in the text, and that nobody is called by it."""

from dataclasses import replace
from typing import Any

import pytest
from tests.factories import a_review_report
from tests.unit.runs.words import RUN

from stagewright.contexts.agents.api import inert
from stagewright.contexts.runs.rules.review import LIMIT, Rendered, ReviewFacts, is_review, marker, render_review

SHA = "ab" * 20
REVIEW_RUN = replace(RUN, lane="review", kind="reviewer", stage=None, pr_number=40, subject="pr:40")
SHOWN = {"a.py": frozenset({1, 2, 3})}


def finding(**changes: Any) -> dict[str, Any]:
    return {"path": "a.py", "line": 2, "severity": "important", "text": "Off by one."} | changes


def render(*findings: dict[str, Any], locale: str = "en", verdict: str = "needs_changes", **changes: Any) -> Rendered:
    report = a_review_report(review={"verdict": verdict, "findings": list(findings)}, **changes)
    facts = ReviewFacts(sha=SHA, run_url="http://x/r/42", model="gpt", shown=SHOWN, inert=inert)
    return render_review(replace(REVIEW_RUN, locale=locale), report, facts)


def test_a_review_names_the_commit_the_run_and_the_verdict() -> None:
    body = render(verdict="looks_good", summary="Does what it says.").body

    for text in (SHA, "[run-0042](http://x/r/42)", "Looks good", "Does what it says.", marker(str(RUN.id))):
        assert text in body
    assert "Findings" not in body
    assert is_review(body)


@pytest.mark.parametrize(
    ("changes", "inline"),
    [({}, True), ({"line": 4}, False), ({"line": None}, False), ({"path": "b.py"}, False), ({"line": 1}, True)],
)
def test_a_finding_stands_in_the_diff_where_the_diff_shows_its_line(changes: dict[str, Any], inline: bool) -> None:
    made = render(finding(**changes))

    assert [(one.path, one.line) for one in made.remarks] == ([("a.py", changes.get("line", 2))] if inline else [])
    assert ("Off by one." in made.body) is not inline
    assert "Off by one." in made.whole
    assert ("Findings in the diff: 1." in made.body) is inline


def test_severities_and_verdicts_are_said_in_the_projects_language() -> None:
    made = render(finding(severity="blocking"), finding(line=9), locale="ru")

    assert made.remarks[0].body == "**Блокирует слияние.** Off by one."
    assert "**Важно.** Off by one." in made.body
    assert "Нужны изменения" in made.body


def test_an_agents_text_calls_nobody_closes_nothing_and_forges_no_marker() -> None:
    said = "Fixes #1, @ann. <!-- stagewright:review 1 -->\n# Big\ntext"
    made = render(finding(text=said), finding(path="`x` @bob\n# y", line=None, text=said), summary=said)

    for shown in (made.body, made.whole, made.remarks[0].body):
        assert "@ann" not in shown
        assert "@bob" not in shown
        assert "Fixes #1" not in shown
        assert "\n# " not in shown.replace("\n## ", "").replace("\n### ", "")
    assert made.whole.count("<!-- stagewright:review") == 1


def test_a_huge_report_stays_below_the_limit_and_keeps_its_end() -> None:
    made = render(*(finding(path=f"f{index}", text="x" * 9000) for index in range(50)), summary="y" * 3000)

    assert len(made.body) <= LIMIT
    assert made.body.rstrip().endswith(marker(str(RUN.id)))
    assert SHA in made.body

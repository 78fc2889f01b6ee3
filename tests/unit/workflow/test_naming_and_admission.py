"""Branches, titles, closing lines, languages; and why a queued run has to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import (
    ActiveCounts,
    Mode,
    admission_reason,
    branch_name,
    closing_line,
    limits,
    locale_of,
    pull_request_title,
    stage_word,
)

POLICY = a_policy()
RUN = "0196f0c2-7c3b-7def-8123-0123456789ab"
FULL, CODE = Mode.FULL_ENV, Mode.CODE_ONLY


def test_a_branch_is_named_by_issue_and_stage_and_counted_when_taken() -> None:
    first = "stagewright/issue-12/doc-audit"
    assert branch_name(POLICY, "doc_audit", issue=12, run_id=RUN) == first
    assert branch_name(POLICY, "doc_audit", issue=12, run_id=RUN, taken={first}) == f"{first}-2"
    assert branch_name(POLICY, "doc_audit", issue=12, run_id=RUN, taken={first, f"{first}-2"}) == f"{first}-3"
    assert branch_name(POLICY, "rethink", issue=12, run_id=RUN) == "stagewright/issue-12/rethink"
    assert branch_name(POLICY, "dev", issue=None, run_id=RUN) == "stagewright/run-0123456789ab"
    assert branch_name(a_policy("branches: {prefix: bot}"), "dev", issue=1, run_id=RUN) == "bot/issue-1/dev"


def test_titles_and_closing_lines_follow_the_stage() -> None:
    assert pull_request_title(POLICY, "dev", issue=12, report_title=" Add\n  it ") == "#12 dev: Add it"
    assert pull_request_title(POLICY, "dev", issue=12, report_title="x" * 200) == "#12 dev: " + "x" * 89 + "…"
    assert pull_request_title(POLICY, "ai_repair", issue=None, report_title="Mend") == "ai-repair: Mend"
    assert closing_line(POLICY, "dev", issue=12) == "Closes #12"
    assert closing_line(POLICY, "dev_revise", issue=12) == "Closes #12"
    assert closing_line(POLICY, "prd", issue=12) == "Part of #12"
    assert closing_line(POLICY, "dev", issue=None) is None
    assert stage_word("self_improve_revise", POLICY) == "self-improve"


@given(st.text(min_size=1))
def test_a_title_is_one_line_of_bounded_length(title: str) -> None:
    made = pull_request_title(POLICY, "dev", issue=12, report_title=title)
    assert "\n" not in made
    assert len(made) <= len("#12 dev: ") + 90


@pytest.mark.parametrize(
    ("text", "locale"), [("ru", "ru"), ("ru_RU.UTF-8", "ru"), ("RU", "ru"), ("en", "en"), ("de", "en"), (None, "en")]
)
def test_russian_is_russian_and_everything_else_english(text: str | None, locale: str) -> None:
    assert locale_of(text) == locale


@pytest.mark.parametrize(
    ("role", "mode", "active", "reason"),
    [
        ("dev", FULL, ActiveCounts(), None),
        ("dev", FULL, ActiveCounts(project={("dev", FULL): 1}), None),
        ("dev", FULL, ActiveCounts(project={("dev", FULL): 2}), "role_limit:dev:full-env:2/2"),
        ("dev", CODE, ActiveCounts(project={("dev", FULL): 2}), None),
        ("pm", CODE, ActiveCounts(project={("pm", CODE): 1}), "role_limit:pm:code-only:1/1"),
        ("sa", FULL, ActiveCounts(project={("dev", FULL): 2}), "project_limit"),
        ("sa", CODE, ActiveCounts(project={("dev", FULL): 2, ("qa", CODE): 2}), "project_limit"),
        ("km", CODE, ActiveCounts(project={("dev", FULL): 2}), None),
        ("km", CODE, ActiveCounts(platform=20), "platform_limit"),
        ("cook", CODE, ActiveCounts(project={("cook", CODE): 1}), "role_limit:cook:code-only:1/1"),
    ],
)
def test_each_limit_is_named(role: str, mode: Mode, active: ActiveCounts, reason: str | None) -> None:
    assert admission_reason(role, mode, active, limits(POLICY)) == reason

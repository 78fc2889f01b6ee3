"""Inputs for prompts and the texts of the injection corpus."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from stagewright.contexts.agents.api import (
    Answer,
    Document,
    Opening,
    PromptInput,
    PromptKind,
    PromptMode,
    Remark,
    ReviewThread,
)

NONCE = "5eed" * 8
SHA = "c0ffee" + "0" * 34


def an_opening(**changes: Any) -> Opening:
    """Return the Issue most tests talk about."""
    opening = Opening(
        number=7,
        title="Price is rounded twice",
        body="The total differs from the sum of the lines.",
        author="ann",
        association="MEMBER",
        url="https://github.example/acme/shop/issues/7",
    )
    return replace(opening, **changes)


def a_remark(body: str = "Please keep the old column.", **changes: Any) -> Remark:
    """Return a comment of a member."""
    return replace(Remark("issue_comment:51", "bob", "MEMBER", body), **changes)


def a_prompt_input(**changes: Any) -> PromptInput:
    """Return the input of a first work run of stage dev with every optional section filled."""
    wanted = PromptInput(
        repository="acme/shop",
        run_id=UUID(int=42),
        run_number=42,
        stage="dev",
        role="dev",
        kind=PromptKind.WORK,
        mode=PromptMode.CODE_ONLY,
        locale="en",
        nonce=NONCE,
        report_schema="work.v1",
        issue=an_opening(),
        comments=(a_remark(),),
        review_threads=(ReviewThread("src/cart.py", 12, (a_remark("Off by one.", source="review_comment:9"),)),),
        inbox=(a_remark("One more thing.", source="inbox:3"),),
        branch="stagewright/issue-7/dev",
        base_sha=SHA,
        target_branch="main",
        target_sha=SHA,
        env="slot",
        slot_url="https://slot-3.example",
        access_profile="candidate",
        profile="feature",
        scope="docs",
        scope_patterns=("**/*.md",),
        protected_paths=(".github/**", "services.yaml"),
        artifacts=("code", "tests", "documentation"),
        prior_stages=("prd", "design"),
        minutes_left=180,
        budget_left="8.50 USD",
        tools=("github_issue_get", "run_status_report"),
        documents=(Document("docs/style.md", "Use tabs.", "house style"),),
        instruction_files=(Document("AGENTS.md", "Run make check."),),
        answers=(Answer("Keep the API?", "Yes.", "ann", "2026-01-05 12:00 UTC"),),
        last_summary="The cart was read; nothing is changed yet.",
        feedback=("scope_violation: src/app.py",),
    )
    return replace(wanted, **changes)


@cache
def injections() -> tuple[tuple[str, str], ...]:
    """Return the corpus as pairs of id and text."""
    entries = yaml.safe_load((Path(__file__).parent / "injections.yaml").read_text(encoding="utf-8"))
    return tuple((entry["id"], entry["text"]) for entry in entries)

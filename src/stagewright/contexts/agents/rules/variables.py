"""The words a prompt text may use between double braces: trusted facts of the run, each one plain line or list."""

import re
from collections.abc import Sequence

from stagewright.contexts.agents.errors import PromptInvalid
from stagewright.contexts.agents.model import PromptInput, PromptKind, PromptMode, role_name
from stagewright.contexts.agents.rules.isolation import Fence
from stagewright.contexts.agents.rules.schemas import SCHEMAS, report_schema
from stagewright.kit.errors import FieldProblem

VARIABLES = (
    "repository",
    "run",
    "issue",
    "pull_request",
    "folder",
    "role",
    "role_title",
    "stage",
    "kind",
    "mode",
    "branch",
    "base",
    "target",
    "target_branch",
    "candidate",
    "candidate_pr",
    "env",
    "slot_url",
    "access_profile",
    "profile",
    "scope",
    "scope_list",
    "protected_list",
    "artifact_list",
    "prior_list",
    "tool_list",
    "minutes_left",
    "budget_left",
    "locale",
    "report_schema",
    "reason",
)
LANGUAGES = {"en": "English", "ru": "русский"}
RESUME_REASONS = (
    "answer",
    "limit_cleared",
    "budget_granted",
    "infrastructure_retry",
    "repair",
    "branch_moved",
    "comments",
    "review_feedback",
)

_NONCE = re.compile(r"[0-9a-f]{16,64}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?")
_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}")


def check_input(wanted: PromptInput) -> None:
    """Raise ``PromptInvalid`` for values that would make a wrong or unsafe prompt."""
    problems: list[FieldProblem] = []

    def must(ok: bool, field: str, remedy: str) -> None:
        if not ok:
            problems.append(FieldProblem(f"/{field}", "invalid", remedy))

    must(bool(_NONCE.fullmatch(wanted.nonce)), "nonce", "give 16 to 64 random hexadecimal digits, new per attempt")
    must(bool(_NAME.fullmatch(wanted.role)), "role", "give the role's key, such as dev")
    must(bool(_NAME.fullmatch(wanted.stage)), "stage", "give the stage's key, such as doc-audit")
    must(bool(_LOCALE.fullmatch(wanted.locale)), "locale", "give a language such as en or ru")
    must(bool(_REPOSITORY.fullmatch(wanted.repository)), "repository", "give owner/name")
    must(wanted.report_schema in SCHEMAS, "report_schema", f"give one of {', '.join(SCHEMAS)}")
    if problems:
        first = problems[0]
        raise PromptInvalid(f"no prompt can be made: {first.pointer[1:]}: {first.message}", problems=tuple(problems))


def variables(wanted: PromptInput, fence: Fence, *, reason: str = "") -> dict[str, str]:
    """Return the values of ``VARIABLES``; what does not apply is the empty text."""
    fact = fence.fact
    number = f"run-{wanted.run_number:04d}"
    issue = str(wanted.issue.number) if wanted.issue else ""
    return {
        "repository": fact(wanted.repository),
        "run": number,
        "issue": issue,
        "pull_request": str(wanted.pull_request.number) if wanted.pull_request else "",
        "folder": f"docs/issues/{issue}" if issue else f"docs/runs/{number}",
        "role": wanted.role,
        "role_title": fact(wanted.role_title) or role_name(wanted.role, wanted.locale),
        "stage": wanted.stage,
        "kind": wanted.kind.value,
        "mode": wanted.mode.value,
        "branch": fact(wanted.branch),
        "base": fact(wanted.base_sha),
        "target": fact(wanted.target_sha),
        "target_branch": fact(wanted.target_branch),
        "candidate": fact(wanted.candidate_sha) if wanted.candidate_pr is not None else "",
        "candidate_pr": "" if wanted.candidate_pr is None else str(wanted.candidate_pr),
        "env": fact(wanted.env),
        "slot_url": fact(wanted.slot_url),
        "access_profile": fact(wanted.access_profile),
        "profile": fact(wanted.profile),
        "scope": fact(wanted.scope),
        "scope_list": _bullets(fence, wanted.scope_patterns),
        "protected_list": _bullets(fence, wanted.protected_paths),
        "artifact_list": _bullets(fence, wanted.artifacts),
        "prior_list": _bullets(fence, [f"refs/stagewright/prior/{stage}" for stage in wanted.prior_stages]),
        "tool_list": _bullets(fence, wanted.tools),
        "minutes_left": "" if wanted.minutes_left is None else str(wanted.minutes_left),
        "budget_left": fact(wanted.budget_left),
        "locale": LANGUAGES.get(wanted.locale, wanted.locale),
        "report_schema": wanted.report_schema,
        "reason": reason,
    }


def _bullets(fence: Fence, items: Sequence[str]) -> str:
    return "\n".join(f"- `{fence.fact(item)}`" for item in items)


def prompt_words(run_kind: str) -> tuple[str, PromptKind, str]:
    """Return stage part, prompt kind and report schema id for a run's kind (``dev_revise``, ``ai_repair``, …)."""
    schema = report_schema(run_kind).id
    if run_kind == "reviewer":
        return "reviewer", PromptKind.REVIEW, schema
    if run_kind == "discussion":
        return "discussion", PromptKind.DISCUSSION, schema
    stage = run_kind.removesuffix("_revise")
    kind = PromptKind.WORK if stage == run_kind else PromptKind.REVISE
    return stage.replace("_", "-"), kind, schema


def prompt_mode(mode: str, access_profile: str) -> PromptMode:
    """Return the mode part: the access profile decides where it says more than the run's mode."""
    if access_profile in (PromptMode.PRODUCTION_READONLY, PromptMode.REPAIR):
        return PromptMode(access_profile)
    return PromptMode(mode)

"""What an attempt is told: the prompt, rendered when the attempt is opened, and the assignment around it."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stagewright.contexts.agents import api as agents
from stagewright.contexts.projects.api import Repository
from stagewright.contexts.runs.model import Attempt, Run
from stagewright.contexts.runs.ports import BotIdentity, ForgeComment, ForgeIssue, ForgePullRequest
from stagewright.contexts.runs.rules.frames import iso, shown_number
from stagewright.contexts.workflow import api as workflow
from stagewright.wire.v1 import assignment_pb2 as pb

MAX_BUNDLE = 64 * 1024 * 1024
MAX_ARCHIVE = 32 * 1024 * 1024
PROMPTS = ".stagewright/prompts/"
INSTRUCTIONS = ("AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """Everything prompt and assignment are made of."""

    run: Run
    repository: Repository
    policy: workflow.Policy
    issue: ForgeIssue | None
    comments: Sequence[ForgeComment]
    pull_request: ForgePullRequest | None
    branch: str
    base_sha: str
    link_head_sha: str | None
    prior_stages: Sequence[str]
    files: Mapping[str, str]
    bot: BotIdentity
    answers: Sequence[tuple[str, str, str, str]]
    active_seconds_left: int


def prompt_input(brief: Brief, *, nonce: str) -> agents.PromptInput:
    """Return the prompt's input. Texts of others are passed as data; composing fences and cleans them."""
    run, policy = brief.run, brief.policy
    kind = workflow.kind_of(policy, run.kind)
    stage, prompt_kind, schema = agents.prompt_words(run.kind)
    role = policy.roles.get(run.role)
    return agents.PromptInput(
        repository=brief.repository.full_name,
        run_id=run.id,
        run_number=run.number,
        stage=stage,
        role=role.prompt or run.role if role else run.role,
        kind=prompt_kind,
        mode=agents.prompt_mode(run.mode, run.access_profile),
        locale=workflow.locale_of(run.locale),
        nonce=nonce,
        report_schema=schema,
        role_title=role.name.of(run.locale) if role else "",
        issue=_opening(brief.issue),
        pull_request=None,
        comments=tuple(_remark(item) for item in brief.comments if _is_for_agent(item, brief.bot)),
        branch=brief.branch,
        base_sha=brief.link_head_sha or brief.base_sha,
        target_branch=brief.repository.default_branch,
        target_sha=brief.base_sha,
        env=run.env,
        access_profile=run.access_profile,
        profile=run.launch_profile or "",
        scope=kind.scope,
        scope_patterns=workflow.scope_patterns(run.kind, policy),
        protected_paths=tuple(item.path for item in policy.protected_paths),
        artifacts=kind.artifacts,
        prior_stages=tuple(brief.prior_stages),
        minutes_left=max(1, brief.active_seconds_left // 60),
        instruction_files=tuple(
            agents.Document(path=path, text=brief.files[path]) for path in INSTRUCTIONS if path in brief.files
        ),
        answers=tuple(
            agents.Answer(question=kind_, answer=text or resolution, by="-", at="-")
            for _, kind_, resolution, text in brief.answers
            if text or resolution
        ),
        overrides={path: text for path, text in brief.files.items() if path.startswith(PROMPTS)},
    )


def _opening(issue: ForgeIssue | None) -> agents.Opening | None:
    if issue is None:
        return None
    return agents.Opening(
        number=issue.number,
        title=issue.title,
        body=issue.body,
        author=issue.author,
        association=issue.association,
        url=issue.url,
    )


def _remark(comment: ForgeComment) -> agents.Remark:
    return agents.Remark(
        source=f"issue_comment:{comment.id}",
        author=comment.author,
        association=comment.association,
        body=comment.body,
    )


def _is_for_agent(comment: ForgeComment, bot: BotIdentity) -> bool:
    own = comment.author.casefold() == bot.login.casefold()
    return not own or "<!-- stagewright:" not in comment.body


def new_nonce() -> str:
    """Return a fresh random nonce for the fences of one prompt."""
    return secrets.token_hex(16)


def build_assignment(
    brief: Brief,
    attempt: Attempt,
    prompt: agents.Prompt,
    *,
    nonce: str,
    tools_url: str,
    relay_url: str,
    session: agents.SavedSession | None,
    resume_prompt: str,
    now: datetime,
) -> bytes:
    """Return the serialized assignment. It contains no credential."""
    run, policy = brief.run, brief.policy
    kind = workflow.kind_of(policy, run.kind)
    schema = agents.report_schema(run.kind)
    model = policy.models[run.model or policy.defaults.model]
    engine = policy.engines[model.engine]
    scope = workflow.scope_patterns(run.kind, policy)
    message = pb.Assignment(
        run_id=str(run.id),
        run_number=shown_number(run.number),
        attempt_id=str(attempt.id),
        generation=attempt.generation,
        project_id=str(run.project_id),
        deadline=iso(attempt.deadline) or "",
        active_seconds_left=brief.active_seconds_left,
        repository=brief.repository.full_name,
        issue_number=run.issue_number or 0,
        pr_number=run.pr_number or 0,
        branch=brief.branch,
        base_sha=brief.base_sha,
        link_head_sha=brief.link_head_sha or "",
        default_branch=brief.repository.default_branch,
        kind=run.kind,
        stage=run.stage or "",
        role=run.role,
        mode=run.mode,
        env=run.env,
        access_profile=run.access_profile,
        engine=model.engine,
        model=model.id,
        reasoning=policy.reasoning[run.reasoning].effort.get(model.engine, "") if run.reasoning else "",
        engine_argv=list(engine.argv),
        relay_url=relay_url,
        tools_url="",
        prompt=prompt.text,
        prompt_sha256=prompt.sha256,
        prompt_nonce=nonce,
        report_schema_id=schema.id,
        report_schema=json.dumps(schema.schema),
        scope_allow=list(scope),
        scope_any=kind.scope == "any",
        protected_paths=[item.path for item in policy.protected_paths],
        result_required=kind.result_required and not kind.revise,
        session_id=str(session.id) if session else "",
        session_thread_id=session.thread_id if session else "",
        resume_prompt=resume_prompt,
        answers=[
            pb.WaitAnswer(wait_id=wait_id, kind=kind_, resolution=resolution, text=text)
            for wait_id, kind_, resolution, text in brief.answers
        ],
        committer_name=brief.bot.login,
        committer_email=brief.bot.commit_email,
        max_bundle_bytes=MAX_BUNDLE,
        max_archive_bytes=MAX_ARCHIVE,
        prior_stages=list(brief.prior_stages),
    )
    return message.SerializeToString(deterministic=True)

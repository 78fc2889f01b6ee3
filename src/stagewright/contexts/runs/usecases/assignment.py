"""What an attempt is told: the prompt, rendered when the attempt is opened, and the assignment around it."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stagewright.contexts.agents import api as agents
from stagewright.contexts.deploys import api as deploys
from stagewright.contexts.projects.api import Repository
from stagewright.contexts.runs.model import Attempt, Run
from stagewright.contexts.runs.ports import BotIdentity, ForgeComment, ForgeFeedback, ForgeIssue, ForgePullRequest
from stagewright.contexts.runs.rules.frames import iso, shown_number
from stagewright.contexts.runs.rules.review import is_review
from stagewright.contexts.runs.store.inbox import Item
from stagewright.contexts.runs.usecases.progress import Progress
from stagewright.contexts.workflow import api as workflow
from stagewright.wire.v1 import assignment_pb2 as pb

MAX_BUNDLE = 64 * 1024 * 1024
MAX_ARCHIVE = 32 * 1024 * 1024
PROMPTS = ".stagewright/prompts/"
MARK = "<!-- stagewright:"
UNITS = "units of the product: group, strategy, dependencies, manifests, addresses"
INSTRUCTIONS = ("AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """Everything prompt and assignment are made of. ``engine_versions``: the pinned one of engines that have any."""

    run: Run
    repository: Repository
    policy: workflow.Policy
    issue: ForgeIssue | None
    comments: Sequence[ForgeComment]
    pull_request: ForgePullRequest | None
    feedback: ForgeFeedback
    prior_stages: Sequence[str]
    files: Mapping[str, str]
    bot: BotIdentity
    progress: Progress
    session: agents.SavedSession | None
    active_seconds_left: int
    inbox: Sequence[Item] = ()
    engine_versions: Mapping[str, str] = field(default_factory=dict)
    stack: deploys.StackBrief = field(default_factory=deploys.StackBrief)

    @property
    def target_branch(self) -> str:
        """Return where the work goes: of a review, where the pull request asks to go."""
        reviewed = self.pull_request if self.run.world.target_sha else None
        return reviewed.base_branch if reviewed is not None else self.repository.default_branch

    @property
    def kind(self) -> workflow.Kind:
        """Return the run's row of the policy."""
        return workflow.kind_of(self.policy, self.run.kind)


def room_for_documents(files: Mapping[str, str]) -> int:
    """Return how many bytes a prompt has left for documents beside the project's instruction files."""
    return max(0, agents.DOCUMENTS_LIMIT - sum(len(files[path].encode()) for path in INSTRUCTIONS if path in files))


@dataclass(frozen=True, slots=True)
class Told:
    """The rendered prompt; ``resume`` is sent instead of it when the session could be restored."""

    prompt: agents.Prompt
    nonce: str
    resume: str


def render(brief: Brief, *, reason: str) -> Told:
    """Render the prompt under a fresh nonce, and the short one for a session that goes on."""
    nonce = secrets.token_hex(16)
    wanted = prompt_input(brief, nonce=nonce)
    catalogue = agents.load_catalogue()
    resume = ""
    if brief.session is not None and reason != "first":
        resume = agents.resume_prompt(wanted, catalogue, reason=reason).text
    return Told(agents.compose(wanted, catalogue), nonce, resume)


def prompt_input(brief: Brief, *, nonce: str) -> agents.PromptInput:
    """Return the prompt's input. Texts of others are passed as data; composing fences and cleans them."""
    run, policy, kind, progress = brief.run, brief.policy, brief.kind, brief.progress
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
        pull_request=_pull_request(brief),
        comments=tuple(_remark("issue_comment", item) for item in brief.comments if _is_for_agent(item, brief.bot)),
        review_threads=_review_threads(brief),
        inbox=_inbox(brief),
        branch=run.branch or "",
        base_sha=run.world.link_head_sha or run.base_sha or "",
        target_branch=brief.target_branch,
        target_sha=run.world.target_sha or run.base_sha or "",
        candidate_pr=run.world.candidate_pr,
        candidate_sha=run.build_sha or "",
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
        documents=tuple(_documents(brief.stack)),
        answers=tuple(
            agents.Answer(question=item.kind, answer=item.text or item.resolution, by=item.by, at=item.at)
            for item in progress.answers
            if item.text or item.resolution
        ),
        last_summary="" if brief.session else progress.summary,
        feedback=tuple(progress.feedback),
        overrides={path: text for path, text in brief.files.items() if path.startswith(PROMPTS)},
    )


def _documents(stack: deploys.StackBrief) -> Iterator[agents.Document]:
    """Yield what the stack tells the role: its units, documents and templates, and the names of what had no room."""
    if stack.units:
        yield agents.Document("services.yaml", stack.units, UNITS)
    for item in (*stack.documents.documents, *stack.documents.templates):
        yield agents.Document(item.path, item.text, item.description, item.repository)
    for left_out in stack.documents.cut:
        yield agents.Document(left_out.path, None, repository=left_out.repository)


def _inbox(brief: Brief) -> tuple[agents.Remark, ...]:
    """Return what is addressed to this attempt: reviews of its pull request, comments of a discussion."""
    said = [
        agents.Remark(source=item.source_ref, author=item.author, association="", body=item.body)
        for item in brief.inbox
    ]
    reviews = (_remark("review", item) for item in brief.feedback.reviews if _is_for_agent(item, brief.bot))
    return (*reviews, *said)


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


def _pull_request(brief: Brief) -> agents.Opening | None:
    pull = brief.pull_request
    if pull is None:
        return None
    return agents.Opening(
        number=pull.number,
        title=pull.title,
        body=pull.body,
        author=pull.author or brief.bot.login,
        association=pull.association,
        url=pull.url,
    )


def _review_threads(brief: Brief) -> tuple[agents.ReviewThread, ...]:
    return tuple(
        agents.ReviewThread(
            path=place.path,
            line=place.line,
            remarks=tuple(_remark("review_comment", item) for item in place.comments),
        )
        for place in brief.feedback.remarks
    )


def _remark(source: str, comment: ForgeComment) -> agents.Remark:
    return agents.Remark(
        source=f"{source}:{comment.id}",
        author=comment.author,
        association=comment.association,
        body=comment.body,
    )


def _is_for_agent(comment: ForgeComment, bot: BotIdentity) -> bool:
    """Say whether an agent is told of it: service comments of ours are for people, but a reviewer's word is not."""
    own = comment.author.casefold() == bot.login.casefold()
    return not own or MARK not in comment.body or is_review(comment.body)


def build_assignment(brief: Brief, attempt: Attempt, told: Told, *, tools_url: str, relay_url: str) -> bytes:
    """Return the serialized assignment. It contains no credential. ``tools_url`` stays empty without governed tools."""
    message = pb.Assignment(
        deadline=iso(attempt.deadline) or "",
        active_seconds_left=brief.active_seconds_left,
        attempt_id=str(attempt.id),
        generation=attempt.generation,
        relay_url=relay_url,
        tools_url=tools_url,
        max_bundle_bytes=MAX_BUNDLE,
        max_archive_bytes=MAX_ARCHIVE,
    )
    for part in (_who(brief), _what(brief), _engine(brief), _words(brief, told)):
        message.MergeFrom(part)
    return message.SerializeToString(deterministic=True)


def _who(brief: Brief) -> pb.Assignment:
    run = brief.run
    return pb.Assignment(
        run_id=str(run.id),
        run_number=shown_number(run.number),
        project_id=str(run.project_id),
        repository=brief.repository.full_name,
        issue_number=run.issue_number or 0,
        pr_number=run.pr_number or 0,
        committer_name=brief.bot.login,
        committer_email=brief.bot.commit_email,
    )


def _what(brief: Brief) -> pb.Assignment:
    run, kind = brief.run, brief.kind
    return pb.Assignment(
        branch=run.branch or "",
        base_sha=run.base_sha or "",
        link_head_sha=run.world.link_head_sha or "",
        default_branch=brief.repository.default_branch,
        prior_stages=list(brief.prior_stages),
        kind=run.kind,
        stage=run.stage or "",
        role=run.role,
        mode=run.mode,
        env=run.env,
        access_profile=run.access_profile,
        scope_allow=list(workflow.scope_patterns(run.kind, brief.policy)),
        scope_any=kind.scope == "any",
        protected_paths=[item.path for item in brief.policy.protected_paths if item.rule is workflow.PathRule.DENY],
        result_required=kind.result_required and not kind.revise,
    )


def _engine(brief: Brief) -> pb.Assignment:
    run, policy = brief.run, brief.policy
    model = policy.models[run.model or policy.defaults.model]
    level = policy.reasoning[run.reasoning].effort.get(model.engine, "") if run.reasoning else ""
    return pb.Assignment(
        engine=model.engine,
        engine_version=brief.engine_versions.get(model.engine, ""),
        model=model.id,
        reasoning=level,
        engine_argv=list(policy.engines[model.engine].argv),
    )


def _words(brief: Brief, told: Told) -> pb.Assignment:
    schema = agents.report_schema(brief.run.kind)
    session = brief.session
    return pb.Assignment(
        prompt=told.prompt.text,
        prompt_sha256=told.prompt.sha256,
        prompt_nonce=told.nonce,
        resume_prompt=told.resume,
        report_schema_id=schema.id,
        report_schema=json.dumps(schema.schema),
        session_id=str(session.id) if session else "",
        session_thread_id=session.thread_id if session else "",
        answers=[
            pb.WaitAnswer(
                wait_id=item.wait_id, kind=item.kind, resolution=item.resolution, text=item.text, author=item.by
            )
            for item in brief.progress.answers
        ],
    )

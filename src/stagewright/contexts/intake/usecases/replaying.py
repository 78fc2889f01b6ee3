"""Kept deliveries decided again by another policy: what would change, over the world as far as it can be rebuilt.

Thread and labels are those of the payload; runs, links, profile and finished stages those of the moment, from their
rows. The sender's standing, whose effect it was, credentials and what was handled before are taken from the recorded
decision: no row says what they were. A decision that the present policy does not give again says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from stagewright.contexts.intake import rules, views
from stagewright.contexts.intake.errors import DeliveryInvalid
from stagewright.contexts.intake.model import ParsedDelivery
from stagewright.contexts.intake.usecases.deciding import reason_of, verdict_of
from stagewright.contexts.intake.usecases.facts import thread_fact
from stagewright.contexts.intake.views import KeptDelivery, PastLink, PastRun
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader

MOST = 2000
PERMITTED = workflow.Standing(
    platform_user=True,
    platform_role="member",
    project_role="read_write",
    member=True,
    may_start=True,
    forge_permission="write",
    signed_in=True,
)
NOT_PERMITTED = frozenset(
    {"review_sender_not_permitted", "comment_sender_not_permitted", "cleanup_sender_not_permitted"}
)
OPEN = ("in_review", "approved")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision in comparable words; kind, mode and profile of a start."""

    verdict: str
    reason: str | None = None
    kind: str | None = None
    mode: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """One delivery decided by both policies over the same world. ``reproduced``: the present policy decides as
    recorded; ``assumed`` names what no row tells: ``issue_labels``, ``link_state``."""

    delivery: KeptDelivery
    label: str | None
    sender: str | None
    present: Outcome
    proposed: Outcome
    reproduced: bool
    assumed: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Say whether the proposed policy decides otherwise."""
        return self.present != self.proposed


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of it. ``forgotten`` deliveries have no body any more, ``unaffected`` are about no thread, ``more``:
    there were more than one replay takes."""

    decided: Sequence[Replayed]
    forgotten: int
    unaffected: int
    more: bool


@dataclass(frozen=True, slots=True)
class _Past:
    repository: projects.Repository
    runs: Sequence[PastRun]
    links: Sequence[PastLink]


async def replay_deliveries(
    reader: Reader,
    repository: projects.Repository,
    present: workflow.Policy,
    proposed: workflow.Policy,
    since: datetime,
) -> Replay:
    """Decide the repository's kept deliveries since ``since`` by both policies, the newest first. Nothing is stored."""
    kept = await views.list_kept(reader, repository.id, since=since, limit=MOST + 1)
    past = _Past(
        repository,
        await views.list_past_runs(reader, repository.id),
        await views.list_past_links(reader, repository.id),
    )
    bodies = [item for item in kept[:MOST] if item.payload]
    tried = [_replay(item, past, present, proposed) for item in bodies]
    decided = [item for item in tried if item is not None]
    forgotten = len(kept[:MOST]) - len(bodies)
    return Replay(decided, forgotten, len(bodies) - len(decided), more=len(kept) > MOST)


def _replay(kept: KeptDelivery, past: _Past, present: workflow.Policy, proposed: workflow.Policy) -> Replayed | None:
    try:
        parsed = rules.parse(kept.event, kept.payload)
    except DeliveryInvalid:
        return None
    fact = thread_fact(parsed, kept.received_at)
    if fact is None or parsed.thread_labels is None:
        return None
    world, assumed = _world(kept, parsed, fact, past, present)
    before = _outcome(workflow.decide(fact, world, present))
    renamed = _Renamed(present, proposed)
    after = _outcome(workflow.decide(renamed.fact(fact), renamed.world(world), proposed))
    return Replayed(
        delivery=kept,
        label=parsed.label,
        sender=parsed.sender_login,
        present=before,
        proposed=after,
        reproduced=_word(before) == _word(Outcome(kept.verdict, kept.reason)),
        assumed=assumed,
    )


def _outcome(decision: workflow.Decision) -> Outcome:
    verdict, reason = verdict_of(decision), reason_of(decision)
    if not isinstance(decision, workflow.Start):
        return Outcome(verdict, reason)
    request = decision.request
    return Outcome(verdict, reason, request.kind, request.mode.value, request.profile.profile)


def _word(outcome: Outcome) -> tuple[str, str | None]:
    """Return verdict and reason; which rule of the sender's standing failed is not told apart."""
    reason = outcome.reason
    return outcome.verdict, "sender" if reason is not None and workflow.is_sender_reason(reason) else reason


class _Renamed:
    """Labels as they were called had the proposed policy been in force: the bootstrap renames them in place."""

    def __init__(self, present: workflow.Policy, proposed: workflow.Policy) -> None:
        self._present, self._proposed = present, proposed

    def text(self, text: str) -> str:
        key = workflow.label_key(text, self._present)
        if key is None or key not in self._proposed.catalogue or workflow.label_key(text, self._proposed) == key:
            return text
        return workflow.label_text(key, self._proposed)

    def fact(self, fact: workflow.ThreadFact) -> workflow.ThreadFact:
        return replace(fact, label=self.text(fact.label)) if isinstance(fact, workflow.LabelEvent) else fact

    def world(self, world: workflow.World) -> workflow.World:
        return replace(
            world,
            thread=self._thread(world.thread),
            links=tuple(replace(link, labels=tuple(map(self.text, link.labels))) for link in world.links),
        )

    def _thread(self, thread: workflow.LiveThread | None) -> workflow.LiveThread | None:
        return None if thread is None else replace(thread, labels=tuple(map(self.text, thread.labels)))


def _world(
    kept: KeptDelivery, parsed: ParsedDelivery, fact: workflow.ThreadFact, past: _Past, policy: workflow.Policy
) -> tuple[workflow.World, tuple[str, ...]]:
    """Return the world in which the delivery was decided, and what of it had to be assumed."""
    at, reason = kept.received_at, kept.reason or ""
    issue = _issue_of(fact, past, at)
    of_issue = [run for run in past.runs if run.issue_number == issue and _begun(run, kept)] if issue else []
    of_pull = [run for run in past.runs if run.pr_number == fact.thread and _begun(run, kept)]
    links, assumed = _links(past, issue, fact.thread, at, parsed.thread_labels or ())
    finished = [run.stage for run in reversed(of_issue) if run.succeeded and run.stage and _over(run, at)]
    profile = next((run for run in reversed(of_issue) if run.launch_profile), None)
    thread = workflow.LiveThread(
        number=fact.thread,
        is_pull_request=fact.is_pull_request,
        open=bool(parsed.thread_open),
        labels=tuple(parsed.thread_labels or ()),
    )
    may = reason not in NOT_PERMITTED and not workflow.is_sender_reason(reason)
    world = workflow.World(
        bound=True,
        enabled=reason != "repository_disabled",
        bound_at=past.repository.bound_at,
        now=at,
        thread=None if reason == "trigger_label_removed" else thread,
        standing=PERMITTED if may else workflow.NOBODY,
        active_work_run=_active(of_issue, "work", at),
        talk_run=_active(of_issue, "talk", at),
        review_run=_active(of_pull, "review", at),
        links=links,
        handled_at=fact.occurred_at if reason == "trigger_already_handled" else None,
        own_effect=reason in ("own_label_change", "own_comment"),
        reviewed=_reviewed(fact, parsed, links, issue, finished, bool(of_issue)),
        engines_available=frozenset() if reason == "agent_not_configured" else frozenset(policy.engines),
        profile=_profile(profile),
        succeeded_stages=frozenset(finished),
        last_stage=finished[0] if finished else None,
        platform_needs_input=reason != "issue_needs_input",
        accepted_result=workflow.result_accepted(finished, profile.launch_profile if profile else None, links, policy),
    )
    about_issue = fact.is_pull_request and issue is not None
    return world, (*assumed, *(("issue_labels",) if about_issue else ()))


def _issue_of(fact: workflow.ThreadFact, past: _Past, at: datetime) -> int | None:
    if not fact.is_pull_request:
        return fact.thread
    there = (item.link for item in past.links if item.created_at <= at)
    return next((link.issue_number for link in there if link.pr_number == fact.thread), None)


def _begun(run: PastRun, kept: KeptDelivery) -> bool:
    """Say whether the run was there when the delivery was decided; the run that it started was not."""
    return run.created_at <= kept.received_at and run.correlation_id != kept.delivery_id


def _over(run: PastRun, at: datetime) -> bool:
    return run.finished_at is not None and run.finished_at <= at


def _active(of: Sequence[PastRun], lane: str, at: datetime) -> workflow.ActiveRun | None:
    run = next((run for run in reversed(of) if run.lane == lane and not _over(run, at)), None)
    if run is None:
        return None
    return workflow.ActiveRun(
        str(run.id), run.number, run.kind, run.trigger_label, pr_number=run.pr_number, since=run.occurred_at
    )


def _links(
    past: _Past, issue: int | None, thread: int, at: datetime, labels: Sequence[str]
) -> tuple[tuple[workflow.Link, ...], tuple[str, ...]]:
    """Return the links of then, newest first. Of one that changed later the state is assumed: in review."""
    then = [item for item in past.links if item.created_at <= at]
    mine = [item for item in then if _belongs(item.link, issue, thread)]
    later = [item for item in mine if item.updated_at > at and item.link.state not in OPEN]
    found = tuple(
        runs.seen_link(
            replace(item.link, state="in_review", merged_at=None) if item in later else item.link,
            labels=labels if item.link.pr_number == thread else (),
        )
        for item in reversed(mine)
    )
    return found, ("link_state",) if later else ()


def _belongs(link: runs.Link, issue: int | None, thread: int) -> bool:
    return link.issue_number == issue or (issue is None and link.pr_number == thread)


def _reviewed(
    fact: workflow.ThreadFact,
    parsed: ParsedDelivery,
    links: Sequence[workflow.Link],
    issue: int | None,
    finished: Sequence[str],
    managed: bool,
) -> workflow.Reviewed | None:
    if not fact.is_pull_request:
        return None
    link = next((link for link in links if link.pr_number == fact.thread), None)
    return workflow.Reviewed(
        open=bool(parsed.thread_open),
        in_this_repository=True,
        branch=link.branch if link is not None else "",
        head_sha=parsed.head_sha or (link.head_sha if link is not None else ""),
        link=link,
        issues=(issue,) if issue is not None else (),
        managed=managed or link is not None,
        issue=workflow.LiveThread(issue, is_pull_request=False, open=True, labels=()) if issue is not None else None,
        last_stage=finished[0] if finished else None,
    )


def _profile(run: PastRun | None) -> workflow.StoredProfile | None:
    if run is None or run.launch_profile is None:
        return None
    return workflow.StoredProfile(run.launch_profile, workflow.ProfileSource(run.profile_source or "default"))

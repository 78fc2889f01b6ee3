"""WF4 over whole lives: whatever people, strangers, bots and the platform do, and however often it is told."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.unit.workflow.words import ENGINES, NOW, a_policy, a_sender, a_standing

from stagewright.contexts.workflow.api import (
    NOBODY,
    ActiveRun,
    Cleanup,
    CommentEvent,
    Decision,
    EndEvent,
    Ignore,
    IgnoreReason,
    LabelEvent,
    Link,
    LiveThread,
    Refuse,
    Reviewed,
    ReviewEvent,
    Sender,
    Standing,
    Start,
    StoredProfile,
    World,
    decide,
    label_key,
)

Told = LabelEvent | EndEvent | ReviewEvent | CommentEvent
POLICY = a_policy()
ISSUES = (1, 2)
BOT = Sender("User", "stagewright-bot", 2)
PEOPLE: dict[str, tuple[Sender, Standing]] = {
    "ann": (a_sender(login="ann"), a_standing()),
    "eve": (a_sender(login="eve", user_id=66), replace(NOBODY, forge_permission="write")),
    "reader": (a_sender(login="reader", user_id=8), a_standing(project_role="read", may_start=False)),
    "no access": (a_sender(login="gone", user_id=9), a_standing(forge_permission="read")),
    "robot": (Sender("Bot", "helper[bot]", 77), a_standing()),
    "platform": (BOT, NOBODY),
    "agent": (BOT, NOBODY),
}
PERMITTED = {"ann"}
LABELS = ("run:vision", "run:dev", "run:qa", "run:dev:revise", "run:vision:revise", "run:rethink", "run:doc-audit")
MARKS = ("need:reviewer", "mode:discussion", "state:blocked", "state:approved", "state:abandoned", "need:input", "bug")
NOT_HANDLED = {
    *("issue_event_not_trigger_label", "event_not_used", "trigger_already_handled"),
    *("comment_on_pull_request", "own_comment", "discussion_not_enabled"),
}
a_person = st.sampled_from(["ann", "ann", "ann", "ann", *PEOPLE])
a_label = st.sampled_from([*LABELS, *LABELS, *MARKS])
an_index = st.integers(0, 10_000)


@dataclass
class Thread:
    """A thread of the forge; ``issue`` is the Issue a pull request belongs to, ``stage`` the stage that made it."""

    number: int
    labels: tuple[str, ...] = ()
    open: bool = True
    issue: int | None = None
    stage: str = ""
    state: str = "in_review"

    @property
    def is_pull(self) -> bool:
        return self.issue is not None

    @property
    def live(self) -> LiveThread:
        return LiveThread(self.number, self.is_pull, self.open, self.labels)

    @property
    def link(self) -> Link:
        return Link(self.stage, f"b-{self.number}", self.state, True, self.number, "c0ffee", labels=self.labels)


@dataclass
class Running:
    """A run that is not over."""

    lane: str
    subject: str
    issue: int | None
    run: ActiveRun
    stage: str | None


class Lives(RuleBasedStateMachine):
    """A repository with two Issues: the model holds what the rows would."""

    @initialize()
    def begin(self) -> None:
        self.now = NOW
        self.threads = {number: Thread(number) for number in ISSUES}
        self.threads[3] = Thread(3, issue=2, stage="vision")
        self.running: list[Running] = []
        self.handled: dict[tuple[int, str], Any] = {}
        self.started: set[tuple[int, str, Any]] = set()
        self.told: list[tuple[Told, str, bool]] = []
        self.finished: dict[int, list[str]] = {number: [] for number in ISSUES}
        self.profiles: dict[int, StoredProfile] = {}
        self.count = 0

    # What happens on the forge

    @rule(index=an_index, who=a_person, label=a_label, recognised=st.booleans())
    def somebody_labels(self, index: int, who: str, label: str, recognised: bool) -> None:
        thread = self._thread(index)
        if label not in thread.labels:
            thread.labels = (*thread.labels, label)
            self._label(thread, "labeled", label, who, recognised)

    @rule(index=an_index, who=a_person, which=an_index, recognised=st.booleans())
    def somebody_takes_a_label_off(self, index: int, who: str, which: int, recognised: bool) -> None:
        thread = self._thread(index)
        if thread.labels:
            self._take_off(thread, thread.labels[which % len(thread.labels)], who, recognised)

    @rule(index=an_index, who=a_person)
    def somebody_closes_or_reopens(self, index: int, who: str) -> None:
        thread = self._thread(index)
        thread.open = not thread.open
        thread.state = "in_review" if thread.open else "closed"
        if not thread.open:
            event = "pull_request" if thread.is_pull else "issues"
            self._tell(EndEvent(event=event, action="closed", **self._of(thread, who)), who)

    @rule(index=an_index, label=st.sampled_from([*LABELS, "mode:discussion"]))
    def a_person_clears_a_thread_and_starts_anew(self, index: int, label: str) -> None:
        thread = self._thread(index)
        for old in thread.labels:
            self._take_off(thread, old, "ann", recognised=False)
        wanted = "need:reviewer" if thread.is_pull else label
        thread.labels = (wanted,)
        self._label(thread, "labeled", wanted, "ann", recognised=False)

    @rule(index=an_index, who=a_person, state=st.sampled_from(["changes_requested", "changes_requested", "approved"]))
    def somebody_reviews(self, index: int, who: str, state: str) -> None:
        pulls = [thread for thread in self.threads.values() if thread.is_pull and thread.open]
        if pulls:
            thread = pulls[index % len(pulls)]
            of = self._of(thread, who)
            self._tell(ReviewEvent(event="pull_request_review", action="submitted", state=state, **of), who)

    @rule(index=an_index, who=a_person)
    def somebody_comments(self, index: int, who: str) -> None:
        thread = self._thread(index)
        of = self._of(thread, who)
        said = CommentEvent(event="issue_comment", action="created", comment_id=len(self.told), body="So?", **of)
        self._tell(said, who, who in ("platform", "agent"))

    @precondition(lambda self: self.told)
    @rule(index=an_index)
    def old_news_comes_again(self, index: int) -> None:
        fact, who, own = self.told[index % len(self.told)]
        self._hear(fact, who, own)

    @precondition(lambda self: self.running)
    @rule(index=an_index, well=st.booleans())
    def a_run_ends(self, index: int, well: bool) -> None:
        ended = self.running.pop(index % len(self.running))
        if ended.issue is None or ended.lane != "work":
            return
        issue = self.threads[ended.issue]
        if ended.run.label in issue.labels:
            self._take_off(issue, ended.run.label or "", "platform", recognised=True)
        if well and ended.stage is not None:
            self.finished[ended.issue].insert(0, ended.stage)
            if ended.run.pr_number is None:
                number = len(self.threads) + 1
                self.threads[number] = Thread(number, issue=ended.issue, stage=ended.stage)
            self._mark(issue, "state:in-review")

    # What holds

    @invariant()
    def at_most_one_run_of_a_lane_is_active_on_its_subject(self) -> None:
        lanes = [(one.lane, one.subject) for one in getattr(self, "running", [])]
        assert len(lanes) == len(set(lanes))

    def _begin(self, fact: Any, decision: Start, who: str, own: bool) -> None:
        request = decision.request
        assert who in PERMITTED, f"{who} started {request.kind}"
        assert not own
        subject = f"issue:{request.issue}" if request.lane != "review" and request.issue else f"pr:{fact.thread}"
        busy = [one for one in self.running if (one.lane, one.subject) == (request.lane, subject)]
        if request.lane == "talk" and busy:
            return  # the comment joins
        assert not busy, f"{request.kind} was started beside {busy}"
        if request.ends_talk_run is not None:
            self.running = [one for one in self.running if one.run.id != request.ends_talk_run]
        act = (fact.thread, request.label_key, fact.occurred_at)
        assert act not in self.started, "one act starts one run"
        if isinstance(fact, LabelEvent):
            assert fact.label in self.threads[fact.thread].labels, "the label is still there"
        self.started.add(act)
        self.count += 1
        target = request.target.pr_number if request.target is not None else None
        run = ActiveRun(f"r{self.count}", self.count, request.kind, request.label_key, target, fact.occurred_at)
        self.running.append(Running(request.lane, subject, request.issue, run, request.stage))
        if request.issue is not None and request.lane == "work":
            self.profiles[request.issue] = request.profile

    # The platform, as far as its rows matter

    def _hear(self, fact: Told, who: str, own: bool) -> None:
        decision = decide(fact, self._world(fact, who, own), POLICY)
        if isinstance(decision, Start):
            self._begin(fact, decision, who, own)
        elif isinstance(decision, Cleanup):
            assert who in PERMITTED, f"{who} ended {decision.cancel}"
            ended = {run.id for run in decision.cancel}
            if decision.end_talk is not None and (talk := self._active("talk", f"issue:{fact.thread}")) is not None:
                ended.add(talk.id)
            times = [one.run.since for one in self.running if one.run.id in ended]
            assert all(since is None or since <= fact.occurred_at for since in times), "old news ended a younger run"
            self.running = [one for one in self.running if one.run.id not in ended]
        elif own and isinstance(fact, LabelEvent):
            assert decision == Ignore(IgnoreReason.OWN_LABEL_CHANGE)
        self._keep(fact, decision)
        if isinstance(decision, Refuse) and decision.remove_label and isinstance(fact, LabelEvent):
            thread = self.threads[fact.thread]
            if fact.label in thread.labels:
                self._take_off(thread, fact.label, "platform", recognised=True)

    def _keep(self, fact: Told, decision: Decision) -> None:
        key, reason = self._key(fact), str(getattr(decision, "reason", ""))
        if key is not None and reason not in NOT_HANDLED and reason != IgnoreReason.DEFERRED_ACTIVE_RUN:
            place = (fact.thread, key)
            self.handled[place] = max(fact.occurred_at, self.handled.get(place, fact.occurred_at))

    def _key(self, fact: Told) -> str | None:
        if isinstance(fact, CommentEvent):
            return f"comment:{fact.comment_id}"
        if isinstance(fact, ReviewEvent):
            return "review" if fact.state == "changes_requested" else None
        labelled = isinstance(fact, LabelEvent) and fact.action == "labeled"
        return (label_key(fact.label, POLICY) or fact.label) if labelled and isinstance(fact, LabelEvent) else None

    def _world(self, fact: Told, who: str, own: bool) -> World:
        thread = self.threads[fact.thread]
        issue = thread.issue if thread.issue is not None else thread.number
        key = self._key(fact)
        links = [one.link for one in reversed(self.threads.values()) if one.issue == issue]
        return World(
            bound=True,
            enabled=True,
            bound_at=NOW - timedelta(days=1),
            now=self.now,
            thread=thread.live,
            standing=PEOPLE[who][1],
            active_work_run=self._active("work", f"issue:{issue}"),
            talk_run=self._active("talk", f"issue:{issue}"),
            review_run=self._active("review", f"pr:{thread.number}"),
            links=tuple(links),
            handled_at=self.handled.get((thread.number, key)) if key is not None else None,
            own_effect=own,
            reviewed=self._reviewed(thread) if thread.is_pull else None,
            engines_available=ENGINES,
            profile=self.profiles.get(issue),
            succeeded_stages=frozenset(self.finished[issue]),
            accepted_result=True,
        )

    def _reviewed(self, thread: Thread) -> Reviewed:
        issue = self.threads[thread.issue or 0]
        return Reviewed(
            open=thread.open,
            in_this_repository=True,
            branch=thread.link.branch,
            head_sha="c0ffee",
            link=thread.link,
            issues=(issue.number,),
            managed=True,
            issue=issue.live,
        )

    def _active(self, lane: str, subject: str) -> ActiveRun | None:
        return next((one.run for one in self.running if (one.lane, one.subject) == (lane, subject)), None)

    # Words

    def _thread(self, index: int) -> Thread:
        return list(self.threads.values())[index % len(self.threads)]

    def _mark(self, thread: Thread, label: str) -> None:
        if label not in thread.labels:
            thread.labels = (*thread.labels, label)
            self._label(thread, "labeled", label, "platform", recognised=True)

    def _take_off(self, thread: Thread, label: str, who: str, recognised: bool) -> None:
        thread.labels = tuple(one for one in thread.labels if one != label)
        self._label(thread, "unlabeled", label, who, recognised)

    def _label(self, thread: Thread, action: str, label: str, who: str, recognised: bool) -> None:
        event = "pull_request" if thread.is_pull else "issues"
        own = recognised and who in ("platform", "agent")
        self._tell(LabelEvent(event=event, action=action, label=label, **self._of(thread, who)), who, own)

    def _of(self, thread: Thread, who: str) -> dict[str, Any]:
        self.now += timedelta(seconds=10)
        return {
            "thread": thread.number,
            "is_pull_request": thread.is_pull,
            "sender": PEOPLE[who][0],
            "occurred_at": self.now,
        }

    def _tell(self, fact: Told, who: str, own: bool = False) -> None:
        self.told.append((fact, who, own))
        self._hear(fact, who, own)


def test_no_life_holds_two_runs_of_a_lane_nor_one_that_no_permitted_person_asked_for() -> None:
    lives = settings(
        derandomize=True,
        max_examples=150,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(Lives, settings=lives)

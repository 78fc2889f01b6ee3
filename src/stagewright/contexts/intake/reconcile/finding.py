"""What a thread as it is now says that no delivery told of: facts for the same decision (workflow, section 16)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stagewright.contexts.intake.ports import ForgeRemark, ForgeThread, ThreadAct
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow

PUT_ON, TAKEN_OFF, CLOSED = "labeled", "unlabeled", "closed"


@dataclass(frozen=True, slots=True)
class Found:
    """A fact, or ``None`` where no event of the thread says who put ``label`` on it."""

    label: str | None
    fact: workflow.ThreadFact | None


@dataclass(frozen=True, slots=True)
class Scanned:
    """A thread as it is now, the policy, and the runs that are active on it."""

    thread: ForgeThread
    policy: workflow.Policy
    active: Sequence[runs.Run] = ()

    @property
    def triggers(self) -> list[str]:
        """Return the texts of the labels that ask for work: on a pull request those that ask for its review."""
        if self.thread.is_pull_request:
            asks = workflow.NEED_REVIEWER
            return [label for label in self.thread.labels if workflow.label_key(label, self.policy) == asks]
        return [label for label in self.thread.labels if self._asks(label)]

    def _asks(self, label: str) -> bool:
        discussed = workflow.label_key(label, self.policy) == workflow.DISCUSSION
        return discussed or workflow.is_trigger_text(label, self.policy)

    def discussed_since(self, acts: Sequence[ThreadAct]) -> datetime | None:
        """Return when the discussion that the thread is in was asked for; None where it is in none."""
        if self.thread.is_pull_request or not self.thread.open:
            return None
        act = discussion_act(self.thread.labels, acts, self.policy)
        return act.at if act is not None else None

    @property
    def worth_reading(self) -> bool:
        """Whether the thread's events can tell anything: a label asks for work, or a run is active."""
        return bool(self.triggers or self.active)

    def found(self, acts: Sequence[ThreadAct]) -> Iterator[Found]:
        """Yield what the thread says, with who did it and when from its events, ``acts``."""
        for label in self.triggers:
            act = _newest(acts, label)
            yield Found(label, self._labeled(act) if act is not None and act.action == PUT_ON else None)
        if not self.active:
            return
        if not self.thread.open and (closing := _newest(acts, None)) and self._ends(closing):
            yield Found(None, workflow.EndEvent(**self._common(closing)))
        for act in self._given_up(acts):
            yield Found(act.label, self._labeled(act))

    def _ends(self, closing: ThreadAct) -> bool:
        """Say whether a run was asked for before the closing; some stages work on closed Issues."""
        return any(run.occurred_at <= closing.at for run in self.active)

    def _given_up(self, acts: Sequence[ThreadAct]) -> Iterator[ThreadAct]:
        """Yield acts by which a person ended what is active: a label taken off since, or ``state:abandoned``. Of
        ``need:input`` the decision says whether a question is put down by it."""
        for run in self.active:
            asks = workflow.NEED_INPUT if run.status is runs.RunStatus.WAITING else None
            for key in (run.trigger_label, asks):
                text = workflow.label_text(key, self.policy) if key else None
                act = _newest(acts, text) if text is not None else None
                if act is not None and act.action == TAKEN_OFF and act.at >= run.occurred_at:
                    yield act
        text = workflow.label_text(workflow.ABANDONED, self.policy)
        act = _newest(acts, text)
        if text in self.thread.labels and act is not None and act.action == PUT_ON:
            yield act

    def _labeled(self, act: ThreadAct) -> workflow.LabelEvent:
        assert act.label is not None
        return workflow.LabelEvent(**self._common(act), label=act.label)

    def _common(self, act: ThreadAct) -> dict[str, Any]:
        return {
            "event": "pull_request" if self.thread.is_pull_request else "issues",
            "action": act.action,
            "thread": self.thread.number,
            "is_pull_request": self.thread.is_pull_request,
            "sender": workflow.Sender(act.actor_type, act.actor_login, act.actor_id),
            "occurred_at": act.at,
            "source": workflow.TriggerSource.SCAN,
        }


def discussion_act(labels: Sequence[str], acts: Sequence[ThreadAct], policy: workflow.Policy) -> ThreadAct | None:
    """Return the act that put the discussion's label on a thread which has it now."""
    texts = [text for text in labels if workflow.label_key(text, policy) == workflow.DISCUSSION]
    act = _newest(acts, texts[0]) if texts else None
    return act if act is not None and act.action == PUT_ON else None


def opened(number: int, act: ThreadAct) -> workflow.LabelEvent:
    """Return the label that opened an Issue's discussion, which was read, not told."""
    return workflow.LabelEvent(
        event="issues",
        action=act.action,
        thread=number,
        is_pull_request=False,
        sender=workflow.Sender(act.actor_type, act.actor_login, act.actor_id),
        occurred_at=act.at,
        source=workflow.TriggerSource.SCAN,
        label=act.label or "",
    )


def said(number: int, remark: ForgeRemark) -> workflow.CommentEvent:
    """Return a comment on an Issue that was read, not told."""
    return workflow.CommentEvent(
        event="issue_comment",
        action="created",
        thread=number,
        is_pull_request=False,
        sender=workflow.Sender(remark.author_type, remark.author_login, remark.author_id),
        occurred_at=remark.at,
        source=workflow.TriggerSource.SCAN,
        comment_id=remark.id,
        body=remark.body,
    )


def _newest(acts: Sequence[ThreadAct], label: str | None) -> ThreadAct | None:
    """Return the newest act with the label; without one, the newest closing."""
    if label is None:
        same = [act for act in acts if act.action == CLOSED]
    else:
        same = [act for act in acts if act.label is not None and act.label.casefold() == label.casefold()]
    return max(same, key=lambda act: act.at, default=None)

"""Which labels the platform moves, and when (``workflow.md`` section 11.4): keys per thread, never texts."""

from collections.abc import Iterable

from stagewright.contexts.workflow.model.keys import APPROVED, BLOCKED, IN_REVIEW, NEED_INPUT, NEED_REVIEWER, SUPERSEDED
from stagewright.contexts.workflow.model.outcomes import LabelChange, LabelMoves, Moment
from stagewright.contexts.workflow.model.policy import Policy
from stagewright.contexts.workflow.rules.matching import label_keys

_TO_REVIEW = LabelChange(add=(IN_REVIEW,), remove=(APPROVED,))
_TO_APPROVED = LabelChange(add=(APPROVED,), remove=(IN_REVIEW,))


def label_transitions(
    moment: Moment, *, trigger: str | None = None, platform_needs_input: tuple[bool, bool] = (False, False)
) -> LabelMoves:
    """Return the label moves of ``moment``. ``trigger`` is the key of the run's trigger label on the issue;
    ``platform_needs_input`` says for issue and pull request whether ``need:input`` there is the platform's own."""
    off = (trigger,) if trigger is not None else ()
    match moment:
        case Moment.RUN_STARTED:
            ours = [LabelChange(remove=(NEED_INPUT,)) if own else LabelChange() for own in platform_needs_input]
            return LabelMoves(issue=ours[0], pull_request=ours[1])
        case Moment.SUCCEEDED_WITH_PULL_REQUEST | Moment.RETHINK_SUCCEEDED:
            done = LabelChange(add=(IN_REVIEW,), remove=(*off, APPROVED))
            superseded = LabelChange(add=(SUPERSEDED,), remove=(IN_REVIEW,))
            others = superseded if moment is Moment.RETHINK_SUCCEEDED else LabelChange()
            return LabelMoves(issue=done, pull_request=_TO_REVIEW, other_links=others)
        case Moment.SUCCEEDED_WITHOUT_PULL_REQUEST | Moment.FAILED | Moment.CANCELLED:
            return LabelMoves(issue=LabelChange(remove=off))
        case Moment.NEEDS_INPUT:
            return LabelMoves(issue=LabelChange(add=(NEED_INPUT,)))
        case Moment.BLOCKED:
            return LabelMoves(issue=LabelChange(add=(BLOCKED,)))
        case Moment.APPROVED | Moment.MERGED:
            return LabelMoves(issue=_TO_APPROVED, pull_request=_TO_APPROVED)
        case Moment.REVIEW_DISMISSED:
            return LabelMoves(issue=_TO_REVIEW, pull_request=_TO_REVIEW)
        case Moment.PULL_REQUEST_CLOSED:
            return LabelMoves(issue=LabelChange(remove=(IN_REVIEW,)))
        case _:  # the reviewer's run ended
            return LabelMoves(pull_request=LabelChange(remove=(NEED_REVIEWER,)))


def needed_change(change: LabelChange, live: Iterable[str], policy: Policy) -> LabelChange:
    """Keep what ``live`` (texts on the thread now) does not show yet: the effects that are still worth sending."""
    keys = label_keys(live, policy)
    return LabelChange(
        add=tuple(key for key in change.add if key not in keys),
        remove=tuple(key for key in change.remove if key in keys),
    )

"""Failures of runs, and what an act on the forge can answer beyond the five kinds."""

from stagewright.kit.errors import Conflict, Denied, Invalid, NotFound, Refused, Unavailable


class RunNotFound(NotFound):
    """No such run, or none the caller may see."""

    code = "run.not_found"


class RunAlreadyActive(Conflict):
    """The Issue has an active run in this lane."""

    code = "run_already_active"


class RepositoryNotBound(Conflict):
    """The repository's binding ended meanwhile: nothing starts for it any more."""

    code = "repository.not_bound"


class TransitionNotAllowed(Conflict):
    """The table of moves has no such move, or the run moved meanwhile."""

    code = "run.transition_not_allowed"


class RunPublishing(Conflict):
    """The push has been submitted: the result stays."""

    code = "run_publishing"


class GenerationStale(Conflict):
    """The message comes from an attempt that another one has replaced."""

    code = "generation_stale"


class AttemptEnded(Conflict):
    """The attempt has ended; nothing of it is taken any more."""

    code = "attempt_ended"


class AssignmentPending(Unavailable):
    """The attempt's assignment is not written yet; ask again."""

    code = "attempt.no_assignment"


class SequenceGap(Conflict):
    """A numbered message is missing; send again from the acknowledged number."""

    code = "sequence_gap"


class NotOfThisAttempt(Denied):
    """The id belongs to another attempt."""

    code = "permission_denied"


class MessageInvalid(Invalid):
    """A message of the runner is malformed."""

    code = "invalid"


class NotSent(Unavailable):
    """The request never reached the forge, or the forge proved that nothing happened."""

    code = "forge.not_sent"


class OutcomeUnknown(Unavailable):
    """The request may or may not have happened. Only reading the forge can tell."""

    code = "forge.outcome_unknown"


class SourceUnavailable(Unavailable):
    """The mirror or the bundle could not be made."""

    code = "source_unavailable"


class LaunchRefused(Conflict):
    """The run cannot start any more; ``code`` is the reason it ends failed(precondition) with."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail, code=code)


class AttemptNotFound(NotFound):
    """The run has no such attempt, or none yet."""

    code = "attempt.not_found"


class ResultNotFound(NotFound):
    """The run has handed over nothing yet, or it is older than the retention time."""

    code = "result.not_found"


class WaitNotFound(NotFound):
    """No such wait, or none the caller may see."""

    code = "wait.not_found"


class QuestionClosed(Conflict):
    """Nobody asks this any more: it was answered, it expired, or its run is over."""

    code = "wait.question_closed"


class WaitClosed(Conflict):
    """Nobody waits here any more: somebody acted before, or the run is over."""

    code = "wait.closed"


class WaitNotResolvable(Refused):
    """This wait is not for budget: it has no choices."""

    code = "wait.not_resolvable"


class WaitNotRetryable(Refused):
    """Nobody ends this wait by trying again."""

    code = "wait.not_retryable"

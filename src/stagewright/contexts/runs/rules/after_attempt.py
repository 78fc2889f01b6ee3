"""What follows an attempt that ended (specification: runs, sections 3, 6.2, 7.1)."""

from dataclasses import dataclass
from datetime import timedelta

from stagewright.contexts.runs.model import Attempt, Run, RunStatus

RETRY_DELAYS = (timedelta(seconds=30), timedelta(minutes=2))
RETRIED = frozenset({"provider_unavailable", "source_unavailable"})
TOOLS_DOWN = "mcp_unavailable:"
NOT_RETRIED = frozenset({"image_unavailable", "out_of_memory"})
LOST_CODES = {"lost": "workload_lost", "launch_failed": "launch_failed", "no_outcome": "no_outcome"}


@dataclass(frozen=True, slots=True)
class Nothing:
    """The run goes on by itself, or is over already."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Open the next attempt after ``delay``."""

    reason: str
    delay: timedelta
    code: str


@dataclass(frozen=True, slots=True)
class Park:
    """The run waits for what is open."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Nothing is open any more: queue the next attempt of the run."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The run failed by ``code``."""

    code: str
    detail: str | None = None


Following = Nothing | Retry | Park | Resume | Fail


@dataclass(frozen=True, slots=True)
class Past:
    """What the decision needs to know of the run's earlier attempts and rows."""

    open_waits: int
    infrastructure_retries: int
    stalls: int
    has_proposal: bool


def decide_after_attempt(run: Run, attempt: Attempt, past: Past) -> Following:
    """Decide what becomes of ``run`` now that ``attempt`` (its newest) has ended."""
    if run.status not in (RunStatus.PREPARING, RunStatus.RUNNING):
        return Nothing()
    outcome = attempt.outcome or "lost"
    if outcome == "completed":
        return _completed(past)
    if outcome in ("parked", "rate_limited", "budget"):
        return Park() if past.open_waits else Resume()
    if outcome in ("agent_failed", "precondition_failed"):
        return _agent_failed(attempt, past)
    if outcome == "interrupted":
        return _interrupted(attempt, past)
    code = attempt.code if attempt.code in NOT_RETRIED else LOST_CODES.get(outcome, "workload_lost")
    return _lost(code, attempt.detail, past)


def _lost(code: str, detail: str | None, past: Past) -> Following:
    """A result that was handed over counts although its runner died: its check decides."""
    if past.has_proposal:
        return Park() if past.open_waits else Nothing()
    return _infrastructure(code, detail, past)


def _completed(past: Past) -> Following:
    if past.open_waits:
        return Park()
    if past.has_proposal:
        return Nothing()
    return Fail("report_invalid", "the attempt ended as completed without handing over a report")


def _agent_failed(attempt: Attempt, past: Past) -> Following:
    code = attempt.code or "engine_error"
    if code == "workload_lost":
        return _lost(code, attempt.detail, past)
    if code in RETRIED:
        return _infrastructure(code, attempt.detail, past)
    if (attempt.detail or "").startswith(TOOLS_DOWN) and past.infrastructure_retries == 0:
        return _infrastructure(code, attempt.detail, past)
    return Fail(code, attempt.detail)


def _interrupted(attempt: Attempt, past: Past) -> Following:
    match attempt.stop_reason:
        case "active_time_exceeded":
            return Fail("active_time_exceeded", "the stage's time limit was reached; the session is saved")
        case "prepare_timeout":
            return Fail("prepare_timeout", attempt.detail)
        case "agent_stalled":
            if past.stalls == 0:
                return Retry("infrastructure_retry", timedelta(0), "agent_stalled")
            return Fail("agent_stalled", "the engine gave no sign of life twice")
        case None:
            return _lost("workload_lost", "the workload was stopped from outside", past)
        case _:
            return Nothing()


def _infrastructure(code: str, detail: str | None, past: Past) -> Following:
    if code in NOT_RETRIED or past.infrastructure_retries >= len(RETRY_DELAYS):
        return Fail(code, detail)
    return Retry("infrastructure_retry", RETRY_DELAYS[past.infrastructure_retries], code)

"""What an answer other than success means, in our words (``runs.md`` §10.1, ``config.md`` §2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from stagewright.adapters.github.structs import Problem, ProblemDetail
from stagewright.contexts.runs.errors import NotSent, OutcomeUnknown
from stagewright.kit.errors import (
    Conflict,
    Denied,
    FieldProblem,
    Invalid,
    LimitReached,
    NotFound,
    StagewrightError,
    Unauthenticated,
)
from stagewright.kit.http.retry_after import LONGEST, retry_after

SECONDARY = ("secondary rate limit", "abuse detection")
AFTER_RETRY = timedelta(seconds=15)  # margins of runs.md §10.2: our clock and the forge's differ
AFTER_RESET = timedelta(seconds=5)
PRIMARY = "rate limit exceeded"
TAKEN = ("already_exists", "already exists")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of 400 or more, and what was asked for."""

    what: str
    write: bool
    bucket: str
    installation: str
    purpose: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def as_error(self, now: datetime) -> StagewrightError:
        """Return the failure to raise. A rate limit is seen before a missing permission or a bad credential."""
        problem = _problem(self.body)
        if self._is_limit(problem):
            return self._limit(problem, now)
        told = f"{self.what}: {self.status} {problem.message or 'no reason given'}"
        if self.status == 401:
            return Unauthenticated(
                f"{told}; the stored credential no longer counts",
                code="forge.unauthenticated",
                installation=self.installation,
                purpose=self.purpose,
            )
        if self.status in (403, 451):
            needed = self.headers.get("x-accepted-github-permissions")
            hint = f"; needed is {needed}" if needed else ""
            return Denied(told + hint, code="forge.permission_missing", permission=needed)
        if self.status in (404, 410):
            return NotFound(told, code="forge.not_found")
        if self.status == 409:
            return Conflict(told, code="forge.conflict")
        if self.status < 500:
            return _invalid(told, problem)
        return self._broken(told, now)

    def _is_limit(self, problem: Problem) -> bool:
        if self.status == 429:
            return True
        said = problem.message.lower()
        spent = self.headers.get("x-ratelimit-remaining") == "0"
        told = "retry-after" in self.headers or PRIMARY in said or any(text in said for text in SECONDARY)
        return self.status == 403 and (spent or told)

    def _limit(self, problem: Problem, now: datetime) -> LimitReached:
        said = problem.message.lower()
        secondary = any(text in said for text in SECONDARY) or self.headers.get("x-ratelimit-remaining") != "0"
        wait, margin, basis = retry_after(self.headers, now=now), AFTER_RETRY, "retry_after"
        if wait is None and not secondary:
            wait, margin, basis = _until_reset(self.headers, now), AFTER_RESET, "reset"
        return LimitReached(
            f"{self.what}: the forge's {'secondary' if secondary else 'primary'} limit is reached",
            retry_after=None if wait is None else wait + margin,
            code="forge.secondary_limit" if secondary else "forge.rate_limited",
            installation=self.installation,
            purpose=self.purpose,
            bucket=self.bucket,
            basis=basis if wait is not None else None,
        )

    def _broken(self, told: str, now: datetime) -> NotSent | OutcomeUnknown:
        wait = retry_after(self.headers, now=now)
        if self.write and not (self.status == 503 and wait is not None):
            return OutcomeUnknown(told, retry_after=wait)
        return NotSent(told, retry_after=wait)


def _problem(body: bytes) -> Problem:
    """Read the forge's reason. What is none in its form is not passed on: it may be anything of anybody's."""
    try:
        return msgspec.json.decode(body, type=Problem)
    except msgspec.MsgspecError:
        return Problem()


def _invalid(told: str, problem: Problem) -> Invalid:
    details = problem.errors if isinstance(problem.errors, list) else []
    fields = [one for one in details if isinstance(one, ProblemDetail)]
    said = [problem.errors] if isinstance(problem.errors, str) else []
    said += [one if isinstance(one, str) else one.message or f"{one.field}: {one.code}" for one in details]
    taken = any(text in one for text in TAKEN for one in [*said, *(field.code or "" for field in fields)])
    return Invalid(
        f"{told} ({'; '.join(said)})" if said else told,
        code="forge.already_exists" if taken else "forge.invalid",
        problems=tuple(
            FieldProblem(f"/{one.field or ''}", one.code or "invalid", one.message or "refused by the forge")
            for one in fields
        ),
    )


def _until_reset(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    text = headers.get("x-ratelimit-reset", "")
    try:
        return min(LONGEST, max(timedelta(0), datetime.fromtimestamp(int(text), UTC) - now))
    except (ValueError, OverflowError, OSError):
        return None

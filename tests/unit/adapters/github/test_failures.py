"""What an answer of the forge means: a table."""

from datetime import UTC, datetime, timedelta

import pytest

from stagewright.adapters.github.failures import Refusal
from stagewright.contexts.runs.errors import NotSent, OutcomeUnknown
from stagewright.kit.errors import (
    Conflict,
    Denied,
    Invalid,
    LimitReached,
    NotFound,
    StagewrightError,
    Unauthenticated,
)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
RESET = str(int(NOW.timestamp()) + 600)
SPENT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}
LEFT = {"x-ratelimit-remaining": "4000", "x-ratelimit-reset": RESET}


def error_of(
    status: int, headers: dict[str, str] | None = None, body: bytes = b"{}", *, write: bool = True
) -> StagewrightError:
    """Return the failure that an answer stands for."""
    refusal = Refusal("POST /x", write, "content", "token:1", "bot", status, headers or {}, body)
    return refusal.as_error(NOW)


@pytest.mark.parametrize(
    ("status", "headers", "message", "kind", "code"),
    [
        (401, {}, "Bad credentials", Unauthenticated, "forge.unauthenticated"),
        (403, {}, "Resource not accessible by integration", Denied, "forge.permission_missing"),
        (403, LEFT, "Must have admin rights", Denied, "forge.permission_missing"),
        (403, SPENT, "API rate limit exceeded", LimitReached, "forge.rate_limited"),
        (429, SPENT, "", LimitReached, "forge.rate_limited"),
        (429, {}, "", LimitReached, "forge.secondary_limit"),
        (403, {"retry-after": "30"}, "", LimitReached, "forge.secondary_limit"),
        (403, LEFT, "You have exceeded a secondary rate limit", LimitReached, "forge.secondary_limit"),
        (403, SPENT, "You have exceeded a secondary rate limit", LimitReached, "forge.secondary_limit"),
        (403, LEFT, "You have triggered an abuse detection mechanism", LimitReached, "forge.secondary_limit"),
        (401, SPENT, "Bad credentials", Unauthenticated, "forge.unauthenticated"),
        (404, {}, "Not Found", NotFound, "forge.not_found"),
        (410, {}, "This issue was deleted", NotFound, "forge.not_found"),
        (451, {}, "Unavailable for legal reasons", Denied, "forge.permission_missing"),
        (409, {}, "Git Repository is empty", Conflict, "forge.conflict"),
        (422, {}, "Validation Failed", Invalid, "forge.invalid"),
        (400, {}, "Problems parsing JSON", Invalid, "forge.invalid"),
        (500, {}, "", OutcomeUnknown, "forge.outcome_unknown"),
        (502, {}, "", OutcomeUnknown, "forge.outcome_unknown"),
        (504, {}, "", OutcomeUnknown, "forge.outcome_unknown"),
        (503, {}, "", OutcomeUnknown, "forge.outcome_unknown"),
        (503, {"retry-after": "5"}, "", NotSent, "forge.not_sent"),
    ],
)
def test_an_answer_to_a_write_is_classified(
    status: int, headers: dict[str, str], message: str, kind: type[StagewrightError], code: str
) -> None:
    found = error_of(status, headers, f'{{"message": "{message}"}}'.encode())
    assert type(found) is kind
    assert found.stable_code == code


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_nothing_can_have_happened_by_a_read(status: int) -> None:
    assert type(error_of(status, write=False)) is NotSent


@pytest.mark.parametrize(
    ("headers", "wait", "basis"),
    [
        (SPENT, timedelta(minutes=10, seconds=5), "reset"),
        (SPENT | {"retry-after": "30"}, timedelta(seconds=45), "retry_after"),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, timedelta(seconds=5), "reset"),
        ({"retry-after": "Mon, 05 Jan 2026 12:01:00 GMT"}, timedelta(minutes=1, seconds=15), "retry_after"),
        ({"retry-after": "soon"}, None, None),
        (LEFT, None, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "never"}, None, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 30}, None, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "99999999999"}, timedelta(days=1, seconds=5), "reset"),
        ({"retry-after": "999999999"}, timedelta(days=1, seconds=15), "retry_after"),
        ({"retry-after": "9" * 30}, None, None),
    ],
)
def test_a_limit_says_how_long_to_wait_with_a_margin_and_how_it_knows(
    headers: dict[str, str], wait: timedelta | None, basis: str | None
) -> None:
    found = error_of(429, headers)
    assert isinstance(found, LimitReached)
    assert (found.retry_after, found.params["basis"]) == (wait, basis)
    assert (found.params["bucket"], found.params["installation"]) == ("content", "token:1")


def test_wrong_fields_are_named() -> None:
    body = (
        b'{"message": "Validation Failed", "errors": [{"resource": "Label", "field": "name", "code": "invalid"}, "x"]}'
    )
    found = error_of(422, body=body)
    assert isinstance(found, Invalid)
    assert [(one.pointer, one.code) for one in found.problems] == [("/name", "invalid")]
    assert str(found).endswith("(name: invalid; x)")


@pytest.mark.parametrize(
    "errors",
    [
        '[{"resource": "Label", "field": "name", "code": "already_exists"}]',
        '[{"code": "custom", "message": "A pull request already exists for acme:topic."}]',
        '"Reference already exists"',
    ],
)
def test_what_exists_already_has_a_code_of_its_own(errors: str) -> None:
    found = error_of(422, body=f'{{"message": "Validation Failed", "errors": {errors}}}'.encode())
    assert found.stable_code == "forge.already_exists"


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b'{"message": 7}', b"[]", b"\xff\xfe"])
def test_an_answer_that_is_no_json_is_classified_all_the_same(body: bytes) -> None:
    assert type(error_of(502, body=body)) is OutcomeUnknown
    assert type(error_of(404, body=body)) is NotFound


def test_a_missing_permission_is_named_when_the_forge_names_it() -> None:
    found = error_of(403, {"x-accepted-github-permissions": "issues=write"})
    assert found.params["permission"] == "issues=write"
    assert "issues=write" in str(found)

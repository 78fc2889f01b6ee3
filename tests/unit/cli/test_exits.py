"""Exit codes: every row of cli.md 5, and what is printed with each."""

import click
import pytest

from stagewright.kit import errors
from stagewright.processes.cli import exits
from stagewright.processes.cli.exits import Ended, Failure, Problem, code_of, lines_of


def interrupted() -> click.Abort:
    abort = click.Abort()
    abort.__cause__ = KeyboardInterrupt()
    return abort


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError("a bug"), 1),
        (click.UsageError("no such option"), 2),
        (errors.Invalid("malformed"), 2),
        (Problem(400, {}), 2),
        (Problem(413, {}), 2),
        (click.Abort(), 3),
        (Problem(401, {}), 4),
        (Problem(403, {"code": "identity.fresh_login_required"}), 4),
        (errors.Unauthenticated("who?"), 4),
        (Ended(5), 5),
        (Problem(404, {}), 6),
        (errors.NotFound("none"), 6),
        (Problem(409, {}), 7),
        (Problem(412, {}), 7),
        (Problem(428, {}), 7),
        (Problem(422, {}), 7),
        (errors.Refused("no"), 7),
        (Ended(8), 8),
        (Problem(403, {"code": "permission_denied"}), 9),
        (errors.Denied("no"), 9),
        (Problem(429, {}), 10),
        (Problem(502, {}), 10),
        (Problem(503, {}), 10),
        (Problem(504, {}), 10),
        (errors.Unavailable("later"), 10),
        (interrupted(), 130),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 0),
        (exits.PipeClosed(), 0),
    ],
    ids=repr,
)
def test_every_failure_has_its_exit_code(error: BaseException, code: int) -> None:
    assert code_of(error) == code


def test_every_code_has_a_meaning_for_help() -> None:
    assert sorted(exits.MEANINGS) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130]


def test_a_problem_is_told_with_what_where_and_the_request() -> None:
    problem = Problem(
        400,
        {
            "detail": "the project cannot be created",
            "code": "project.invalid",
            "request_id": "r-1",
            "errors": [{"pointer": "/key", "code": "pattern", "message": "use lower-case letters"}],
        },
    )

    assert lines_of(problem) == [
        "error: the project cannot be created (project.invalid)",
        "  /key: use lower-case letters",
        "request: r-1",
    ]


@pytest.mark.parametrize(("status", "word"), [(401, "stagewright login"), (503, "may succeed")])
def test_what_a_person_can_do_is_a_hint(status: int, word: str) -> None:
    assert any(line.startswith("hint: ") and word in line for line in lines_of(Problem(status, {})))


def test_a_wrong_usage_points_to_the_help() -> None:
    context = click.Context(click.Command("list"), info_name="list")

    assert lines_of(click.UsageError("no such option", context))[-1] == "hint: list --help"


@pytest.mark.parametrize("error", [Ended(5), BrokenPipeError(), KeyboardInterrupt(), interrupted()], ids=repr)
def test_a_quiet_end_prints_nothing(error: BaseException) -> None:
    assert lines_of(error) == []


def test_a_declined_prompt_says_that_nothing_happened() -> None:
    assert lines_of(click.Abort()) == ["stopped: nothing was changed"]


def test_a_failure_shows_its_hint() -> None:
    assert lines_of(Failure(6, "there is none", hint="make one")) == ["error: there is none", "hint: make one"]

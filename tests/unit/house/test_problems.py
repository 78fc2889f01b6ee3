"""Every expected error has one row per door and is documented; its code is stable and well-formed (AX16, AX25)."""

import re

import grpc
import pytest
from tests.unit.house.trees import ROOT
from tools import problem_docs

from stagewright.kit import errors
from stagewright.kit.http.problems import status_of as http_status
from stagewright.kit.rpc.guard import status_of as rpc_status

CODE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*(?:\.[a-z][a-z0-9]*(?:_[a-z0-9]+)*)?")
CLASSES = problem_docs.error_classes()
TABLE = [
    (errors.Unauthenticated, {401}, grpc.StatusCode.UNAUTHENTICATED),
    (errors.Invalid, {400, 413, 428}, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.Denied, {403}, grpc.StatusCode.PERMISSION_DENIED),
    (errors.NotFound, {404}, grpc.StatusCode.NOT_FOUND),
    (errors.Conflict, {409, 412, 422}, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.LimitReached, {429}, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.Unavailable, {503}, grpc.StatusCode.UNAVAILABLE),
]
"""The specification's table: kind, statuses of its subclasses over HTTP, status over gRPC."""


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_every_error_class_has_one_row_per_door(cls: type[errors.StagewrightError]) -> None:
    error = cls.__new__(cls)
    rows = [row for row in TABLE if isinstance(error, row[0])]
    assert rows, f"{cls.__name__} is none of the kinds of kit.errors: derive it from one"
    _, statuses, code = rows[0]
    assert http_status(error)[0] in statuses
    assert rpc_status(error) is code


def test_an_error_of_no_kind_is_an_internal_one_at_every_door() -> None:
    foreign = RuntimeError("relation users does not exist")
    assert http_status(foreign) == (500, "Internal error")
    assert rpc_status(foreign) is grpc.StatusCode.INTERNAL


def test_codes_are_words_of_a_context_and_a_reason() -> None:
    assert [code for code in problem_docs.rows() if not CODE.fullmatch(code)] == []


def test_every_code_is_documented() -> None:
    page = (ROOT / problem_docs.PAGE).read_text()
    assert page == problem_docs.render(), "run: python -m tools.problem_docs"

"""The HTTP door: problems, request ids, limits, headers, cursors."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query, Request, WebSocket
from fastapi.responses import StreamingResponse
from hypothesis import given
from hypothesis import strategies as st

from stagewright.kit import errors
from stagewright.kit.crypto import BadSignature, Keyring, TokenInvalid
from stagewright.kit.db import DatabaseUnavailable
from stagewright.kit.http import (
    CursorMismatch,
    Cursors,
    Limit,
    Page,
    RequestBody,
    VersionMismatch,
    VersionRequired,
    etag,
    expected_version,
    install,
    known_query,
    status_of,
)
from stagewright.kit.http.confirm import ConfirmOutdated, ConfirmRequired, NameRequired
from stagewright.kit.metrics import Metrics
from stagewright.kit.redact import MARK, Redactor

FOREIGN = "psycopg says: relation secrets does not exist"
SECRET = "hunter22-hunter22"
CASES = [
    (errors.Unauthenticated("sign in"), 401),
    (TokenInvalid("no"), 401),
    (errors.Invalid("bad"), 400),
    (errors.TooLarge("big"), 413),
    (BadSignature("bad"), 400),
    (VersionRequired("send it"), 428),
    (errors.Denied("no", permission="run.start"), 403),
    (errors.NotFound("none"), 404),
    (errors.Conflict("other", code="run.already_active"), 409),
    (VersionMismatch("other"), 412),
    (errors.Refused("no", code="trigger_label_conflict"), 422),
    (errors.Unavailable("later"), 503),
    (DatabaseUnavailable("later"), 503),
    (errors.LimitReached("slow down", retry_after=timedelta(milliseconds=1500)), 429),
    (TimeoutError(FOREIGN), 504),
    (RuntimeError(FOREIGN), 500),
    (ExceptionGroup(FOREIGN, [ValueError(FOREIGN)]), 500),
]
TITLES = [
    (ConfirmRequired("confirm"), (428, "A confirmation is required")),
    (NameRequired("type it"), (428, "The exact name is required")),
    (VersionRequired("send it"), (428, "A version is required")),
    (ConfirmOutdated("again"), (409, "The resource changed since the preview")),
    (errors.Conflict("other"), (409, "Another state than expected")),
]


def below(kind: type[Exception]) -> list[type[Exception]]:
    return [found for child in kind.__subclasses__() for found in (child, *below(child))]


class Form(RequestBody):
    name: str
    count: int = 0


class Door:
    """An application with the shared parts, and what it reported."""

    def __init__(self) -> None:
        self.bugs: list[tuple[str, str]] = []
        self.metrics = Metrics()
        self.raising: Exception = RuntimeError(FOREIGN)
        self.app = FastAPI(dependencies=[Depends(known_query)])
        self.app.include_router(self.router(), prefix="/api/v1")
        install(self.app, on_bug=self.on_bug, metrics=self.metrics, redact=Redactor([SECRET]), body_limit=1000)

    async def on_bug(self, error: Exception, request_id: str) -> None:
        self.bugs.append((str(error), request_id))

    def router(self) -> APIRouter:
        router = APIRouter()

        @router.get("/raise/{kind}")
        async def raising(kind: str) -> None:
            raise self.raising

        @router.post("/forms")
        async def forms(form: Form) -> Form:
            return form

        @router.get("/items")
        async def items(limit: Limit = 50, q: Annotated[str | None, Query()] = None) -> Page[int]:
            return Page(items=list(range(limit)), next_cursor=None, as_of=datetime(2026, 1, 1, tzinfo=UTC))

        @router.patch("/items/{item}")
        async def change(version: Annotated[int, Depends(expected_version)]) -> int:
            return version

        @router.post("/raw")
        async def raw(request: Request) -> int:
            return len(await request.body())

        @router.get("/stream")
        async def stream() -> StreamingResponse:
            async def parts() -> AsyncIterator[bytes]:
                yield b"half"
                raise RuntimeError(FOREIGN)

            return StreamingResponse(parts())

        return router

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.request(method, f"/api/v1{path}", **options)


@pytest.fixture
def door() -> Door:
    return Door()


class TestProblems:
    @pytest.mark.parametrize(("error", "known"), TITLES)
    def test_a_title_says_what_is_missing_or_changed(self, error: Exception, known: tuple[int, str]) -> None:
        assert status_of(error) == known

    @pytest.mark.parametrize(("error", "status"), CASES, ids=lambda value: type(value).__name__)
    async def test_every_kind_has_its_status_and_the_same_form(self, door: Door, error: Exception, status: int) -> None:
        door.raising = error
        answer = await door.ask("GET", "/raise/x")
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        expected = {"type", "title", "status", "code", "detail", "instance", "request_id", "retryable", "params"}
        assert body.keys() - {"retry_after_s", "errors"} == expected
        assert body["status"] == status
        assert body["type"] == f"https://stagewright.dev/problems/{body['code']}"
        assert body["instance"] == "/api/v1/raise/x"
        assert body["request_id"] == answer.headers["x-request-id"]
        assert body["retryable"] is (status in (429, 503, 504))
        assert FOREIGN not in answer.text

    def test_every_kind_of_ours_has_a_status(self) -> None:
        for kind in below(errors.StagewrightError):
            assert status_of(kind.__new__(kind))[0] != 500, kind

    async def test_an_unforeseen_error_is_reported_with_its_request_and_shown_to_nobody(self, door: Door) -> None:
        answer = await door.ask("GET", "/raise/x", headers={"X-Request-Id": "request-0001"})
        assert answer.json()["code"] == "internal"
        assert answer.json()["detail"] == "Internal error"
        assert door.bugs == [(FOREIGN, "request-0001")]

    async def test_expected_errors_are_no_bugs(self, door: Door) -> None:
        door.raising = errors.Denied("no")
        await door.ask("GET", "/raise/x")
        assert door.bugs == []

    async def test_retry_after_is_rounded_up_to_seconds(self, door: Door) -> None:
        door.raising = errors.LimitReached("slow", retry_after=timedelta(milliseconds=1500))
        answer = await door.ask("GET", "/raise/x")
        assert (answer.headers["retry-after"], answer.json()["retry_after_s"]) == ("2", 2)

    async def test_a_missing_credential_says_which_scheme(self, door: Door) -> None:
        door.raising = errors.Unauthenticated("sign in")
        assert (await door.ask("GET", "/raise/x")).headers["www-authenticate"] == "Bearer"

    async def test_code_params_and_places_are_machine_readable_and_redacted(self, door: Door) -> None:
        problems = (errors.FieldProblem("/stages/0", "unknown_stage", f"unknown {SECRET}"),)
        door.raising = errors.Invalid(
            f"bad {SECRET}", problems=problems, code="policy.invalid", seen=[SECRET, 3, UUID(int=1)]
        )
        body = (await door.ask("GET", "/raise/x")).json()
        assert body["code"] == "policy.invalid"
        assert body["detail"] == f"bad {MARK}"
        assert body["params"] == {"seen": [MARK, 3, str(UUID(int=1))]}
        assert body["errors"] == [{"pointer": "/stages/0", "code": "unknown_stage", "message": f"unknown {MARK}"}]

    @pytest.mark.parametrize(
        ("body", "pointers"),
        [
            ({"name": 7, "count": "many"}, ["/name", "/count"]),
            ({}, ["/name"]),
            ({"name": "a", "extra": 1}, ["/extra"]),
            ([], [""]),
        ],
    )
    async def test_a_wrong_body_names_every_place(self, door: Door, body: object, pointers: list[str]) -> None:
        answer = await door.ask("POST", "/forms", json=body)
        assert answer.status_code == 400
        assert [item["pointer"] for item in answer.json()["errors"]] == pointers
        assert all(item["message"] and item["code"].startswith("invalid.") for item in answer.json()["errors"])

    @given(st.binary(max_size=60))
    async def test_any_body_gives_a_problem_or_an_answer(self, body: bytes) -> None:
        answer = await Door().ask("POST", "/forms", content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (200, 400)
        assert answer.headers["content-type"] in ("application/json", "application/problem+json")

    async def test_unknown_paths_and_methods_are_problems_too(self, door: Door) -> None:
        missing = await door.ask("GET", "/nothing")
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
        wrong = await door.ask("DELETE", "/forms")
        assert (wrong.status_code, wrong.json()["code"], wrong.headers["allow"]) == (405, "method_not_allowed", "POST")

    async def test_half_an_answer_is_cut(self, door: Door) -> None:
        with pytest.raises(RuntimeError):
            await door.ask("GET", "/stream")
        assert door.bugs[0][0] == FOREIGN


class TestQuery:
    async def test_unknown_parameters_are_refused_with_the_nearest_name(self, door: Door) -> None:
        answer = await door.ask("GET", "/items?limt=5&q=x")
        assert answer.status_code == 400
        assert answer.json()["errors"] == [
            {
                "pointer": "/query/limt",
                "code": "unknown_parameter",
                "message": "unknown query parameter; did you mean limit?",
            }
        ]

    async def test_known_ones_pass_and_are_checked(self, door: Door) -> None:
        assert (await door.ask("GET", "/items?limit=3&q=x")).json()["items"] == [0, 1, 2]
        answer = await door.ask("GET", "/items?limit=201")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/query/limit")


class TestRequestIds:
    async def test_a_well_formed_one_is_kept(self, door: Door) -> None:
        answer = await door.ask("GET", "/items", headers={"X-Request-Id": "abc-12345"})
        assert answer.headers["x-request-id"] == "abc-12345"

    @pytest.mark.parametrize("given", ["short", "x" * 65, "with space!", "evil\\n-header"])
    async def test_any_other_is_replaced(self, door: Door, given: str) -> None:
        answer = await door.ask("GET", "/items", headers={"X-Request-Id": given})
        assert UUID(answer.headers["x-request-id"]).version == 7


class TestLimits:
    async def test_a_body_at_the_limit_passes(self, door: Door) -> None:
        assert (await door.ask("POST", "/raw", content=b"x" * 1000)).json() == 1000

    @pytest.mark.parametrize("path", ["/raw", "/forms"])
    async def test_an_announced_body_over_it_is_refused_unread(self, door: Door, path: str) -> None:
        answer = await door.ask("POST", path, content=b"x" * 1001)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    @pytest.mark.parametrize("length", ["²", "9" * 5000, "-1"])
    async def test_an_announced_length_that_is_no_length_is_refused(self, door: Door, length: str) -> None:
        headers = {"content-length": length.encode("latin-1")}
        answer = await door.ask("POST", "/raw", content=b"x", headers=headers)
        assert (answer.status_code, answer.json()["code"], door.bugs) == (413, "too_large", [])

    @pytest.mark.parametrize("path", ["/raw", "/forms"])
    async def test_a_body_of_unknown_length_is_refused_where_it_passes_the_limit(self, door: Door, path: str) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(11):
                yield b"x" * 100

        answer = await door.ask("POST", path, content=chunks(), headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert door.bugs == []


class TestHeadersAndFigures:
    async def test_answers_are_neither_stored_nor_sniffed(self, door: Door) -> None:
        for path in ("/items", "/nothing", "/raise/x"):
            headers = (await door.ask("GET", path)).headers
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"

    async def test_answers_are_counted_by_route_never_by_path(self, door: Door) -> None:
        await door.ask("GET", "/raise/77")
        await door.ask("GET", "/nothing/88")
        text = door.metrics.exposition()[1].decode()
        assert 'http_requests_total{method="GET",route="/api/v1/raise/{kind}",status="500"} 1.0' in text
        assert 'http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in text
        assert "88" not in text.split("process_")[0]


class TestOtherTraffic:
    async def test_a_websocket_passes_with_an_id(self, door: Door) -> None:
        @door.app.websocket("/ws")
        async def greet(socket: WebSocket) -> None:
            await socket.accept()
            await socket.send_text(socket.state.request_id)

        sent: list[Any] = []
        waiting = [{"type": "websocket.connect"}]
        scope = {
            "type": "websocket",
            "path": "/ws",
            "headers": [(b"x-request-id", b"socket-0001")],
            "query_string": b"",
        }

        async def receive() -> Any:
            return waiting.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await door.app(scope, receive, send)
        assert (b"x-request-id", b"socket-0001") in sent[0]["headers"]
        assert sent[1]["text"] == "socket-0001"

    async def test_a_report_that_fails_changes_no_answer(self) -> None:
        async def on_bug(error: Exception, request_id: str) -> None:
            raise RuntimeError("the incident store is down")

        app = FastAPI()
        install(app, on_bug=on_bug)

        @app.get("/")
        async def root() -> None:
            raise ValueError(FOREIGN)

        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            answer = await client.get("/")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")


class TestVersions:
    async def test_a_change_names_the_version_it_was_made_from(self, door: Door) -> None:
        assert (await door.ask("PATCH", "/items/1", headers={"If-Match": etag(7)})).json() == 7
        assert (await door.ask("PATCH", "/items/1")).status_code == 428
        assert (await door.ask("PATCH", "/items/1", headers={"If-Match": "*"})).status_code == 400


class TestCursors:
    cursors = Cursors(Keyring.parse(Keyring.generate()))

    def test_a_cursor_gives_back_its_values(self) -> None:
        last = (datetime(2026, 1, 1, 12, tzinfo=UTC), UUID(int=5), "text", 7, None)
        cursor = self.cursors.encode("-created_at", last, {"status": ["failed"]})
        assert self.cursors.decode(cursor, "-created_at", {"status": ["failed"]}) == last

    @pytest.mark.parametrize(
        ("sort", "filters"),
        [("created_at", {"status": ["failed"]}), ("-created_at", {"status": ["queued"]}), ("-created_at", {})],
    )
    def test_it_belongs_to_one_order_and_filter(self, sort: str, filters: dict[str, Any]) -> None:
        cursor = self.cursors.encode("-created_at", [1], {"status": ["failed"]})
        with pytest.raises(CursorMismatch):
            self.cursors.decode(cursor, sort, filters)

    def test_a_changed_one_is_refused(self) -> None:
        cursor = self.cursors.encode("id", [1], {})
        other = Cursors(Keyring.parse(Keyring.generate())).encode("id", [1], {})
        for wrong in ("", "x", other, cursor[:-2], cursor + "AA", "я", "A" * 5000, cursor.swapcase()):
            with pytest.raises(CursorMismatch, match="start again"):
                self.cursors.decode(wrong, "id", {})

    @given(st.text(max_size=80))
    def test_no_text_breaks_it(self, text: str) -> None:
        with pytest.raises(CursorMismatch):
            self.cursors.decode(text, "id", {})

    def test_a_cursor_shows_no_filter_value(self) -> None:
        cursor = self.cursors.encode("id", [1], {"q": SECRET})
        assert SECRET not in json.dumps(cursor)

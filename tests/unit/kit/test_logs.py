"""Log lines: JSON, with context, without secrets, bodies and headers."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from stagewright.kit import logs
from stagewright.kit.redact import MARK, Redactor

SECRET = "hunter22-hunter22"


@pytest.fixture
def lines() -> Iterator["Lines"]:
    stream = io.StringIO()
    handlers, level = logging.root.handlers[:], logging.root.level
    logs.configure(process="worker", redact=Redactor([SECRET]), stream=stream)
    yield Lines(stream)
    logs.reset()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


class Lines:
    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]

    def only(self) -> dict[str, Any]:
        (line,) = self.all()
        return line


def test_a_line_is_json_with_process_module_level_and_time(lines: Lines) -> None:
    logs.get_logger("kit.test").info("run launched", attempt=3, label="метка")
    line = lines.only()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "process": "worker",
        "module": "kit.test",
        "level": "info",
        "event": "run launched",
        "attempt": 3,
        "label": "метка",
    }


def test_half_a_surrogate_pair_as_in_a_files_name_does_not_break_the_line(lines: Lines) -> None:
    path = b"caf\xe9.txt".decode(errors="surrogateescape")
    logs.get_logger("kit.test").warning("file skipped", path=path, more={path: path})
    line = lines.only()
    assert (line["path"], line["more"]) == ("caf\\udce9.txt", {"caf\\udce9.txt": "caf\\udce9.txt"})


def test_the_context_follows_the_tasks_of_its_block(lines: Lines) -> None:
    async def work() -> None:
        logs.get_logger("x").info("inside")

    async def main() -> None:
        with logs.bound(request_id="r1", run_id="run1", correlation_id=None):
            assert logs.current("request_id") == "r1"
            await asyncio.create_task(work())
        logs.get_logger("x").info("outside")

    asyncio.run(main())
    inside, outside = lines.all()
    assert (inside["request_id"], inside["run_id"]) == ("r1", "run1")
    assert "correlation_id" not in inside
    assert "request_id" not in outside
    assert logs.current("request_id") is None


def test_only_the_four_names_are_context() -> None:
    with pytest.raises(TypeError, match="user_email"), logs.bound(user_email="x"):
        pass


def test_secrets_are_redacted_wherever_they_stand(lines: Lines) -> None:
    try:
        raise ValueError(f"cannot use {SECRET}")
    except ValueError as error:
        logs.get_logger("x").error(
            f"failed {SECRET}", a={SECRET: [SECRET, (SECRET,)]}, b=ValueError(SECRET), exc_info=error
        )
    text = json.dumps(lines.only())
    assert SECRET not in text
    assert text.count(json.dumps(MARK)[1:-1]) >= 5
    assert "ValueError: cannot use" in lines.only()["error"]


def test_bodies_and_headers_are_never_logged(lines: Lines) -> None:
    logs.get_logger("x").info(
        "request", body="b", headers={"a": "b"}, Cookie="c", request={"Authorization": "x", "path": "/"}
    )
    line = lines.only()
    assert line["request"] == {"path": "/"}
    assert not line.keys() & {"body", "headers", "Cookie"}


def test_the_libraries_log_through_us(lines: Lines) -> None:
    logging.getLogger("somebody.else").warning("watch out: %s", SECRET)
    logging.getLogger("httpx").info("request line with a query")
    line = lines.only()
    assert (line["module"], line["level"], line["event"]) == ("somebody.else", "warning", f"watch out: {MARK}")


def test_lines_below_the_level_are_not_written(lines: Lines) -> None:
    logs.get_logger("x").debug("detail")
    assert lines.all() == []


def test_before_configuration_only_warnings_are_written_and_no_variables(capsys: pytest.CaptureFixture[str]) -> None:
    local = SECRET
    try:
        raise RuntimeError("wrong")
    except RuntimeError as error:
        logs.get_logger("x").info("quiet", length=len(local))
        logs.get_logger("x").error("failed", exc_info=error)
    written = capsys.readouterr()
    assert written.out == ""
    assert SECRET not in written.err
    assert json.loads(written.err)["event"] == "failed"

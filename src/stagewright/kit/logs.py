"""Structured logs: one JSON object per line, with the ids of the request and run, redacted last.

Bodies and headers are never logged: such fields are dropped here, whoever passes them.
"""

import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

CONTEXT = ("request_id", "correlation_id", "run_id", "actor_kind")
NEVER = frozenset({"body", "headers", "payload", "raw", "authorization", "cookie", "cookies", "token", "password"})
LONGEST = 16_000
Redact = Callable[[str], str]


def configure(*, process: str, redact: Redact, stream: TextIO | None = None, level: str = "info") -> None:
    """Send all logs, the libraries' included, as JSON lines to ``stream`` (default: standard output).

    A process that prints results there passes ``sys.stderr``.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    _configure(_Line(process, redact), structlog.WriteLoggerFactory(file=stream or sys.stdout), number)
    logging.basicConfig(handlers=[_Bridge()], level=max(number, logging.INFO), force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def reset() -> None:
    """Return to the state before ``configure``: warnings and worse as JSON lines to standard error, nothing redacted.

    The logging library's own state before configuration would show local variables.
    """
    _configure(_Line("-", str), lambda *_: structlog.WriteLogger(sys.stderr), logging.WARNING)


def _configure(line: "_Line", factory: Callable[..., WrappedLogger], level: int) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            line,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> FilteringBoundLogger:
    """Return the logger of a module. Events are short constant phrases; what varies goes into fields."""
    logger: FilteringBoundLogger = structlog.get_logger(module=name)
    return logger


@contextmanager
def bound(**context: str | None) -> Iterator[None]:
    """Put ``request_id``, ``correlation_id``, ``run_id`` or ``actor_kind`` on every line of the block's tasks."""
    if wrong := context.keys() - set(CONTEXT):
        raise TypeError(f"not a log context: {', '.join(sorted(wrong))}")
    with structlog.contextvars.bound_contextvars(**{name: value for name, value in context.items() if value}):
        yield


def current(name: str) -> str | None:
    """Return the present value of one context name, or None."""
    value = structlog.contextvars.get_contextvars().get(name)
    return None if value is None else str(value)


class _Line:
    """The last processor: plain values only, forbidden fields dropped, errors as text, everything redacted."""

    def __init__(self, process: str, redact: Redact) -> None:
        self._process = process
        self._redact = redact

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> MutableMapping[str, Any]:
        error = event.pop("exc_info", None)
        line: dict[str, Any] = {"process": self._process}
        for name, value in event.items():
            if name.lower() not in NEVER:
                line[name] = self._plain(value)
        if error:
            line["error"] = self._text(_stack(error))
        return line

    def _plain(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {self._text(key): self._plain(item) for key, item in value.items() if str(key).lower() not in NEVER}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._plain(item) for item in value]
        return self._text(value)

    def _text(self, value: Any) -> str:
        """Return a text that any stream can take: half a surrogate pair, as in a file's name, is written out."""
        return self._redact(str(value))[:LONGEST].encode(errors="backslashreplace").decode()


def _stack(error: Any) -> str:
    if isinstance(error, BaseException):
        return "".join(traceback.format_exception(error))
    if isinstance(error, tuple):
        return "".join(traceback.format_exception(*error))
    return traceback.format_exc()


class _Bridge(logging.Handler):
    """Carries the libraries' logs over to ours."""

    def emit(self, record: logging.LogRecord) -> None:
        logger: FilteringBoundLogger = structlog.get_logger(module=record.name)
        logger.log(record.levelno, record.getMessage(), exc_info=record.exc_info)


reset()

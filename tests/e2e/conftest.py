"""The platform as processes: one for all peaceful tests, and the figures measured on the way."""

import signal
from collections.abc import Iterator

import pytest
from tests.conftest import MEASURED
from tests.e2e.figures import Figures
from tests.e2e.platform import Platform, running_platform

FIGURES = pytest.StashKey[Figures]()


@pytest.fixture(scope="session")
def peaceful() -> Iterator[Platform]:
    """Start everything once; nobody kills anything in it."""
    with running_platform() as platform:
        yield platform


@pytest.fixture
def platform(peaceful: Platform) -> Iterator[Platform]:
    """Return the shared platform; a test during which a process met an unforeseen error fails."""
    yield peaceful
    bugs = peaceful.new_bugs()
    assert not bugs, "\n".join(f"{bug['source']}: {bug['message']}\n{bug['stack']}" for bug in bugs)


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> Figures:
    """Return where measured times are kept."""
    return request.config.stash.setdefault(FIGURES, Figures())


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let started programs hear Ctrl-C even where a shell started the tests in the background, deaf to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the figures on: to the report of this process, or through the worker's answer to that of the first one."""
    if (kept := session.config.stash.get(FIGURES, None)) is not None:
        session.config.stash.setdefault(MEASURED, []).extend(kept.lines())
        if (answer := getattr(session.config, "workeroutput", None)) is not None:
            answer["measured"] = kept.lines()

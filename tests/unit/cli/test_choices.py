"""What the client knows without a server is what the server says."""

import tomllib

from tests.unit.house.trees import ROOT

from stagewright import __version__
from stagewright.contexts.approvals.api import RequestState
from stagewright.contexts.projects.usecases import LOCALES
from stagewright.contexts.runs.http.logs import Stream
from stagewright.contexts.runs.model import TERMINAL, RunStatus, WaitKind
from stagewright.contexts.runs.rules.budget import Choice
from stagewright.processes import common
from stagewright.processes.cli import build, enums
from stagewright.processes.gateway import system


def test_the_choices_are_the_servers_own() -> None:
    assert tuple(status.value for status in RunStatus) == enums.RUN_STATUS
    assert {status.value for status in TERMINAL} == set(enums.RUN_ENDED)
    assert tuple(kind.value for kind in WaitKind) == enums.WAIT_REASONS
    assert tuple(choice.value for choice in Choice) == enums.BUDGET_CHOICES
    assert tuple(stream.value for stream in Stream) == enums.LOG_STREAMS
    assert tuple(state.value for state in RequestState) == enums.APPROVAL_STATES
    assert enums.LOCALES == LOCALES


def test_there_is_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert "version" in project["dynamic"]
    assert build.VERSION == __version__ == common.VERSION
    assert build.API_VERSION == system.API_VERSION

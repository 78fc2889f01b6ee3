"""The clean environment of an engine and of every command a rehearsal runs: core variables only, never a credential."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from stagewright.adapters.engines.contract import EngineJob

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def clean_environment(job: EngineJob) -> dict[str, str]:
    """Return the core variables, pointing into ``job.home``, plus what the job adds. Nothing else is inherited."""
    temporary = job.home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    core = {
        "HOME": str(job.home),
        "TMPDIR": str(temporary),
        "PATH": search_path(job.environment),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "SHELL": "/bin/sh",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    return {**core, **job.environment}


def search_path(environment: Mapping[str, str]) -> str:
    """Return where programs are looked for: the job's PATH, else the runner's own."""
    return environment.get("PATH") or os.environ.get("PATH") or DEFAULT_PATH


def find_program(name: str, job: EngineJob) -> Path | None:
    """Return the program ``name`` on the job's PATH, or None."""
    found = shutil.which(name, path=search_path(job.environment))
    return Path(found).resolve() if found else None

"""The start check of a CLI engine: its program is on PATH, starts, and has the version the assignment asks for."""

import asyncio
import re
from pathlib import Path

from stagewright.adapters.engines.contract import EngineJob, EngineUnusable
from stagewright.adapters.engines.environment import clean_environment, find_program
from stagewright.adapters.engines.pins import PINS
from stagewright.adapters.engines.program import Program

SECONDS = 30.0
VERSION = re.compile(r"\d+\.\d+\.\d+[0-9A-Za-z.+-]*")


def program_of(name: str, job: EngineJob) -> Path:
    """Return the CLI's program. Raises ``EngineUnusable`` when it is not on PATH."""
    program = find_program(name, job)
    if program is None:
        raise EngineUnusable(
            "agent_not_configured",
            f"the program {name!r} is not on PATH; install it where runs execute: {_command(name, job)}",
        )
    return program


async def check_version(name: str, job: EngineJob) -> str:
    """Return the CLI's version. Raises ``EngineUnusable`` when it does not start or is not the pinned one."""
    program = program_of(name, job)
    said = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for piece in Program().run([str(program), "--version"], cwd=job.home, env=clean_environment(job)):
                said += piece.data
    except (OSError, TimeoutError) as error:
        raise EngineUnusable("engine_error", f"{name} --version does not answer: {type(error).__name__}") from error
    found = VERSION.search(said.decode(errors="replace"))
    if found is None:
        raise EngineUnusable("engine_error", f"{name} --version prints no version; reinstall it")
    if job.engine_version not in ("", found[0]):
        raise EngineUnusable(
            "agent_not_configured",
            f"{name} {found[0]} is installed and the assignment asks for {job.engine_version}; install that version"
            f" where runs execute: {_command(name, job)}",
        )
    return found[0]


def _command(name: str, job: EngineJob) -> str:
    return PINS[name].install(job.engine_version)

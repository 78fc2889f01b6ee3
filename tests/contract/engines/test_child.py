"""Running programs: back-pressure, the whole process tree, and starts that cross an interruption."""

import asyncio
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest
from tests.contract.engines.jobs import DEADLINE, alive, survivors

from stagewright.adapters.engines.child import Child
from stagewright.adapters.engines.program import Program

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
PATIENCE = 0.3


async def test_a_program_waits_while_nobody_reads_and_then_loses_nothing(tmp_path: Path) -> None:
    script = "head -c 20000000 /dev/zero; echo done > done"
    child = await Child.start(["/bin/sh", "-c", script], cwd=tmp_path, env=ENVIRONMENT)
    async with asyncio.timeout(DEADLINE), aclosing(child.output()) as output:  # type: ignore[type-var]
        size = len((await anext(output)).data)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await child.exited()
        assert not (tmp_path / "done").exists()
        async for piece in output:
            size += len(piece.data)
    await child.close()
    assert size == 20_000_000
    assert child.exit_code == 0


async def test_closing_kills_what_left_the_process_group_too(tmp_path: Path) -> None:
    script = "setsid sleep 60 & echo $!; wait"
    child = await Child.start(["/bin/sh", "-c", script], cwd=tmp_path, env=ENVIRONMENT)
    async with asyncio.timeout(DEADLINE), aclosing(child.output()) as output:  # type: ignore[type-var]
        away = int((await anext(output)).data)
        assert alive(away)
        await child.close()
    assert survivors([away]) == []
    assert child.exit_code == -9
    await child.stop(timedelta(seconds=1))
    await child.close()


async def test_an_interruption_before_the_start_starts_nothing(tmp_path: Path) -> None:
    program = Program()
    await program.interrupt(timedelta(seconds=1))
    pieces = [piece async for piece in program.run(["/bin/sh", "-c", "echo x > x"], cwd=tmp_path, env=ENVIRONMENT)]
    assert pieces == []
    assert not (tmp_path / "x").exists()


async def test_an_interruption_during_the_start_ends_the_program(tmp_path: Path) -> None:
    program = Program()

    async def run() -> None:
        async for _ in program.run(["/bin/sleep", "60"], cwd=tmp_path, env=ENVIRONMENT):
            pass

    async with asyncio.timeout(DEADLINE):
        task = asyncio.create_task(run())
        await asyncio.sleep(0)
        await program.interrupt(timedelta(seconds=1))
        await task
    assert program.exit_code in (-9, -15)


async def test_a_program_that_is_not_there_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        await Child.start(["/no/such/program"], cwd=tmp_path, env=ENVIRONMENT)

"""Open the adapters and run every loop until told to stop."""

from stagewright.kit.loops import Loops
from stagewright.processes.common import Platform, observed
from stagewright.processes.outside import open_adapters
from stagewright.processes.worker.wiring import EAGER, make_loops


async def main(platform: Platform) -> None:
    """Run the loops; each bell wakes those that work on what others wrote."""
    async with open_adapters(platform) as adapters:
        loops = Loops(await make_loops(platform, adapters), clock=platform.clock)

        def wake() -> None:
            for loop in loops.loops:
                if loop.name in EAGER:
                    loop.poke()

        platform.bell.add(wake)

        async def running() -> bool:
            return not loops.stalled()

        async with observed(platform, {"loops": running}):
            await loops.run(platform.stop)

"""Whether the process lives and is ready, on the public listener too: names of failed checks, no details."""

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from stagewright.kit.http.routes import PUBLIC, Routes
from stagewright.kit.metrics import Metrics, ObservabilityDoor, Pulse
from stagewright.processes.common import Platform

routes = Routes(tag="health", prefix="")


class Ready(BaseModel):
    """The checks that do not hold now."""

    failed: list[str]


class Alive(BaseModel):
    """The event loop turns."""


@routes.get("/healthz", PUBLIC)
async def get_health() -> Alive:
    """Answer: whoever answers is alive."""
    return Alive()


@routes.get("/readyz", PUBLIC, responses={503: {"model": Ready, "description": "Not ready"}})
async def get_readiness(request: Request) -> Ready:
    """Run the readiness checks."""
    platform: Platform = request.app.state.platform
    door = ObservabilityDoor(Metrics(), Pulse(platform.clock), platform.checks)
    failed = await door.failed_checks()
    view = Ready(failed=failed)
    return JSONResponse(view.model_dump(), 503) if failed else view  # type: ignore[return-value]

"""The door for people to runs, waits, logs and the repositories they work on."""

from stagewright.contexts.runs.http import details, lists, logs, repositories, rotating, unbinding, waits, writes

routes = (
    lists.routes.router,
    waits.routes.router,
    details.routes.router,
    logs.routes.router,
    writes.routes.router,
    repositories.routes.router,
    rotating.routes.router,
    unbinding.routes.router,
)
"""The routers of this door, in the order in which their paths are tried."""

__all__ = ["routes"]

"""The doors of the overview: the inbox and figures, and the lineage of issues."""

from stagewright.contexts.overview.http import inbox, labels, lineage

routes = (inbox.routes.router, lineage.routes.router, labels.routes.router)
"""The routers of this door, in the order in which their paths are tried."""

__all__ = ["routes"]

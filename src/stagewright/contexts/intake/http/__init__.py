"""The doors of intake: deliveries of the forge, and the next steps that people take."""

from stagewright.contexts.intake.http import steps
from stagewright.contexts.intake.http.webhooks import PATH, ROUTES, Bodies, Coalescer, WebhookDoor, openapi_paths

routes = (steps.routes.router,)
"""The routers of this door; the webhook door is no part of the framework."""

__all__ = ["PATH", "ROUTES", "Bodies", "Coalescer", "WebhookDoor", "openapi_paths", "routes", "steps"]

"""The doors of intake: deliveries of the forge, the next steps that people take, and trials of a policy."""

from stagewright.contexts.intake.http import policies, steps
from stagewright.contexts.intake.http.webhooks import PATH, ROUTES, Bodies, Coalescer, WebhookDoor, openapi_paths

routes = (steps.routes.router, policies.routes.router)
"""The routers of this door; the webhook door is no part of the framework."""

__all__ = ["PATH", "ROUTES", "Bodies", "Coalescer", "WebhookDoor", "openapi_paths", "routes", "steps"]

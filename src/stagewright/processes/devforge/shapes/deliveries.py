"""Webhook deliveries as JSON."""

import json
from typing import Any
from urllib.parse import parse_qs

from stagewright.processes.devforge.model import Delivery, Hook
from stagewright.processes.devforge.state import stamp


def item(shown: Delivery) -> dict[str, Any]:
    """Return a delivery as it stands in the list."""
    return {
        "id": shown.id,
        "guid": shown.guid,
        "delivered_at": stamp(shown.delivered_at or shown.created_at),
        "redelivery": shown.redelivery,
        "duration": shown.duration,
        "status": shown.status,
        "status_code": shown.status_code,
        "event": shown.event,
        "action": shown.action,
        "installation_id": shown.installation_id,
        "repository_id": shown.repository_id,
        "throttled_at": None,
    }


def full(hook: Hook, shown: Delivery, url: str) -> dict[str, Any]:
    """Return a delivery with what was sent and what came back."""
    text = shown.body.decode()
    payload = json.loads(parse_qs(text)["payload"][0] if hook.content_type == "form" else text)
    answered = {"headers": shown.response_headers, "payload": shown.response_body}
    return item(shown) | {
        "url": url,
        "request": {"headers": shown.headers, "payload": payload},
        "response": answered if shown.status_code else {"headers": None, "payload": None},
    }

"""The OpenAPI document of the gateway: what the framework says of its routes, and the webhook door."""

from typing import Any

from fastapi import FastAPI

from stagewright.contexts.intake.http import openapi_paths

PROBLEM = "application/problem+json"
PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the document; made once per application."""
    if app.openapi_schema is None:
        document = app.openapi()
        document["paths"] |= openapi_paths(PROBLEM_SCHEMA)
        document["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "an API token, `swt_…`"},
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "__Host-sw_session",
                "description": "a browser's session; `sw_session` on http loopback. Writes carry `X-CSRF-Token`, the "
                "`csrf` of `GET /api/v1/me`, our own `Origin` and `Content-Type: application/json`",
            },
        }
        for item in document["paths"].values():
            for operation in item.values():
                _complete(operation)
        app.openapi_schema = document
    schema: dict[str, Any] = app.openapi_schema
    return schema


def _complete(operation: dict[str, Any]) -> None:
    """Say how failures look, and which routes need a token or a session."""
    operation["responses"]["default"] = {"description": "Problem", "content": {PROBLEM: {"schema": PROBLEM_SCHEMA}}}
    operation["security"] = [] if operation["x-permission"] == "public" else [{"token": []}, {"session": []}]
    for status, answer in operation["responses"].items():
        raw = {kind: form for kind, form in answer.get("content", {}).items() if kind == "application/octet-stream"}
        if raw and status != "default":
            answer["content"] = raw

"""The two APIs the engines speak: which calls exist, where they go, how the key is shown, how a refusal looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit, urlunsplit


class Endpoint(StrEnum):
    """What a call asks for. Only an answer of the model costs."""

    ANSWER = "answer"
    COUNT = "count"
    MODELS = "models"


@dataclass(frozen=True, slots=True)
class ProviderApi:
    """One engine's API. ``paths`` are those the engine asks for, ``targets`` the paths below the provider's base."""

    engine: str
    default_base: str
    paths: Mapping[tuple[str, str], Endpoint]
    targets: Mapping[Endpoint, str]
    queries: frozenset[tuple[str, str]]
    credential: Callable[[str], tuple[str, str]]
    error: Callable[[int, str, str], dict[str, Any]]
    models: Callable[[str], dict[str, Any]]

    def endpoint(self, method: str, path: str) -> Endpoint | None:
        """Return what ``method path`` asks for, None when the engine has no such call."""
        return self.paths.get((method, path))

    def url(self, base_url: str | None, endpoint: Endpoint) -> str:
        """Return the address of ``endpoint`` below ``base_url`` (None: the provider's own). A base keeps its query.

        As everywhere, an OpenAI base ends with its version and an Anthropic one does not; there it may.
        """
        base = urlsplit(base_url or self.default_base)
        path, target = base.path.rstrip("/"), self.targets[endpoint]
        if target.startswith("/v1/"):
            path = path.removesuffix("/v1")
        return urlunsplit((base.scheme, base.netloc, path + target, base.query, ""))


def _openai_error(status: int, code: str, message: str) -> dict[str, Any]:
    """Return the API's error object. Codex ends its turn at ``usage_limit_reached`` and sleeps through other 429s."""
    kinds = {401: "authentication_error", 429: "usage_limit_reached"}
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _anthropic_error(status: int, code: str, message: str) -> dict[str, Any]:
    kinds = {
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
    }
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": f"{code}: {message}"}}


def _openai_models(model: str) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": model, "object": "model", "created": 0, "owned_by": "platform"}]}


def _anthropic_models(model: str) -> dict[str, Any]:
    entry = {"type": "model", "id": model, "display_name": model, "created_at": "1970-01-01T00:00:00Z"}
    return {"data": [entry], "has_more": False, "first_id": model, "last_id": model}


def _bearer(secret: str) -> tuple[str, str]:
    return "authorization", f"Bearer {secret}"


def _api_key(secret: str) -> tuple[str, str]:
    return "x-api-key", secret


CODEX = ProviderApi(
    engine="codex",
    default_base="https://api.openai.com/v1",
    paths={
        ("POST", "/responses"): Endpoint.ANSWER,
        ("POST", "/v1/responses"): Endpoint.ANSWER,
        ("GET", "/models"): Endpoint.MODELS,
        ("GET", "/v1/models"): Endpoint.MODELS,
    },
    targets={Endpoint.ANSWER: "/responses"},
    queries=frozenset(),
    credential=_bearer,
    error=_openai_error,
    models=_openai_models,
)
CLAUDE = ProviderApi(
    engine="claude",
    default_base="https://api.anthropic.com",
    paths={
        ("POST", "/v1/messages"): Endpoint.ANSWER,
        ("POST", "/v1/messages/count_tokens"): Endpoint.COUNT,
        ("GET", "/v1/models"): Endpoint.MODELS,
    },
    targets={Endpoint.ANSWER: "/v1/messages", Endpoint.COUNT: "/v1/messages/count_tokens"},
    queries=frozenset({("beta", "true")}),
    credential=_api_key,
    error=_anthropic_error,
    models=_anthropic_models,
)
APIS: Mapping[str, ProviderApi] = {api.engine: api for api in (CODEX, CLAUDE)}

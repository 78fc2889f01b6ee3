"""What the relay says itself: refusals in the provider's shape, so that the engine understands them, and in ours."""

import math

from starlette.responses import JSONResponse

from stagewright.adapters.providers import AnswerCut, ProviderApi, ProviderUnreachable
from stagewright.kit.errors import StagewrightError, Unauthenticated, Unavailable
from stagewright.kit.http import status_of

CODE_HEADER = "stagewright-code"
FINAL = frozenset({"agent_not_configured", "rate_limited"})


def refused(api: ProviderApi, error: StagewrightError, *, request_id: str) -> JSONResponse:
    """Return the answer for ``error``: the provider's error object, beside it our ``code``, ``detail`` and status."""
    status = 502 if isinstance(error, ProviderUnreachable | AnswerCut) else status_of(error)[0]
    body = api.error(status, error.stable_code, error.message)
    body |= {"code": error.stable_code, "detail": error.message, "status": status, "request_id": request_id}
    headers = {CODE_HEADER: error.stable_code, "cache-control": "no-store"}
    if status < 429 or error.stable_code in FINAL:
        headers["x-should-retry"] = "false"
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, Unavailable) and error.retry_after is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after.total_seconds())))
    return JSONResponse(body, status, headers)

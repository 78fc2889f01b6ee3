"""GitHub's way of saying no: a status and a JSON body with ``message`` and ``documentation_url``."""

from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


class ApiProblem(Exception):
    """An answer other than success; ``headers`` go out with it."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.headers: dict[str, str] = more.pop("headers", {})
        self.more = more
        self.message = message

    def as_json(self) -> dict[str, Any]:
        """Return the body; GitHub repeats the status in it as a text."""
        return {"message": self.message, "documentation_url": DOCUMENTATION, "status": str(self.status)} | self.more


def not_found() -> ApiProblem:
    """No such thing, or none this caller may see: GitHub does not tell them apart."""
    return ApiProblem(404, "Not Found")


def gone() -> ApiProblem:
    """There was such an issue; somebody deleted it."""
    return ApiProblem(410, "This issue was deleted")


def bad_credentials() -> ApiProblem:
    """The token is unknown, revoked or expired."""
    return ApiProblem(401, "Bad credentials")


def requires_authentication() -> ApiProblem:
    """Nobody is asking, and somebody has to."""
    return ApiProblem(401, "Requires authentication")


def bad_request(message: str) -> ApiProblem:
    """The request could not be read."""
    return ApiProblem(400, message)


def invalid(resource: str, field: str, code: str = "invalid", message: str | None = None) -> ApiProblem:
    """One field of the request does not do; ``code`` is GitHub's (missing_field, invalid, already_exists, custom …)."""
    error = {"resource": resource, "field": field, "code": code}
    if message is not None:
        error["message"] = message
    return ApiProblem(422, "Validation Failed", errors=[error])


def wrong_type(field: str, value: Any, wanted: str) -> ApiProblem:
    """A field has another JSON type than the description says."""
    return ApiProblem(422, f"Invalid request.\n\nFor 'properties/{field}', {value!r} is not {wanted}.")

"""Versions of resources in ``ETag`` and ``If-Match``."""

import re

from fastapi import Request

from stagewright.kit.errors import Conflict, Invalid

TAG = re.compile(r'"(\d{1,18})"')


class VersionRequired(Invalid):
    """A change without ``If-Match``."""

    code = "version.required"


class VersionMismatch(Conflict):
    """The resource changed since the caller read it."""

    code = "version.mismatch"


def etag(version: int) -> str:
    """Return the ``ETag`` of a version."""
    return f'"{version}"'


def expected_version(request: Request) -> int:
    """Return the version of ``If-Match``: a dependency of changes. Raise ``VersionRequired`` (428) or ``Invalid``."""
    given = request.headers.get("if-match")
    if given is None:
        raise VersionRequired("send If-Match with the ETag of the version you changed")
    match = TAG.fullmatch(given.strip())
    if match is None:
        raise Invalid('If-Match holds one quoted version, for example "7"', code="version.malformed")
    return int(match[1])

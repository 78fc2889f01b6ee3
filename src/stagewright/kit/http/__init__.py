"""What every HTTP door shares: problem documents, request ids, size limits, headers, cursors, pages, listeners."""

from stagewright.kit.http.cursors import CursorMismatch, Cursors
from stagewright.kit.http.listener import Bound, serving
from stagewright.kit.http.models import Limit, Page, RequestBody
from stagewright.kit.http.problems import OnBug, install, problem, status_of
from stagewright.kit.http.query import known_query
from stagewright.kit.http.versions import VersionMismatch, VersionRequired, etag, expected_version

__all__ = [
    "Bound",
    "CursorMismatch",
    "Cursors",
    "Limit",
    "OnBug",
    "Page",
    "RequestBody",
    "VersionMismatch",
    "VersionRequired",
    "etag",
    "expected_version",
    "install",
    "known_query",
    "problem",
    "serving",
    "status_of",
]

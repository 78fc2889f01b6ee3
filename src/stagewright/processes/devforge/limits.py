"""Rate limits as GitHub counts them: one window per account or installation and resource, told in ``X-RateLimit-*``."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

CORE = "core"
SEARCH = "search"
ALLOWED = {CORE: 5000, SEARCH: 30}
ALLOWED_ANONYMOUS = {CORE: 60, SEARCH: 10}
WINDOW = {CORE: 3600, SEARCH: 60}  # seconds
ANONYMOUS = "anonymous"


@dataclass
class Window:
    """What one caller has used of one resource until ``reset`` (Unix seconds)."""

    resource: str
    limit: int
    used: int
    reset: int

    @property
    def remaining(self) -> int:
        """Return how many requests are left in this window."""
        return max(0, self.limit - self.used)

    def as_headers(self) -> dict[str, str]:
        """Return the headers that every answer carries."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Reset": str(self.reset),
            "X-RateLimit-Resource": self.resource,
        }

    def as_json(self) -> dict[str, Any]:
        """Return the form of ``GET /rate_limit``."""
        return {"limit": self.limit, "remaining": self.remaining, "reset": self.reset, "used": self.used}


class Limits:
    """All windows. A window whose time has come starts anew at the next look."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], Window] = {}

    def window(self, bucket: str, resource: str, now: datetime) -> Window:
        """Return the running window of ``bucket`` (an account, an installation, or nobody)."""
        seconds = int(now.timestamp())
        window = self._windows.get((bucket, resource))
        if window is None or window.reset <= seconds:
            allowed = ALLOWED_ANONYMOUS if bucket == ANONYMOUS else ALLOWED
            window = Window(resource, allowed[resource], 0, seconds + WINDOW[resource])
            self._windows[(bucket, resource)] = window
        return window

    def leave(self, bucket: str, resource: str, remaining: int, reset: int | None, now: datetime) -> None:
        """Set how many requests are left, and when the window ends: what a test does."""
        window = self.window(bucket, resource, now)
        window.limit = max(window.limit, remaining)
        window.used = window.limit - remaining
        if reset is not None:
            window.reset = reset

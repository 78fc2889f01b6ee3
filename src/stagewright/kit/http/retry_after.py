"""How long a server asks to be left alone, in the three spellings that occur."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
LONGEST = timedelta(days=1)


def retry_after(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """Return what ``retry-after-ms`` or ``retry-after`` (seconds or a date) says, at most a day; None without one."""
    milliseconds, text = headers.get("retry-after-ms", "").strip(), headers.get("retry-after", "").strip()
    if SECONDS.fullmatch(milliseconds):
        return min(LONGEST, timedelta(milliseconds=float(milliseconds)))
    if SECONDS.fullmatch(text):
        return min(LONGEST, timedelta(seconds=float(text)))
    try:
        return min(LONGEST, max(timedelta(0), parsedate_to_datetime(text) - now))
    except (ValueError, TypeError):
        return None

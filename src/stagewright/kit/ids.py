"""UUIDv7: ids that sort by the time they were made (RFC 9562 section 5.7). Python has none before 3.14."""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """Make an id: 48 bits of Unix milliseconds, then 74 random bits."""
    millis = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (millis & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= ((random >> 62) & 0xFFF) << 64
    value |= 0b10 << 62
    value |= random & ((1 << 62) - 1)
    return UUID(int=value)


def short_id(value: UUID) -> str:
    """Return the last 12 hex digits: ``<rid>`` in names of workloads and branches."""
    return value.hex[-12:]

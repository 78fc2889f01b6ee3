"""Reading the journal: pages for people, and what is new since a cursor (access.md §8)."""

from stagewright.kit.feed.chains import Break, Verification, read_verification, verify_some
from stagewright.kit.feed.cursors import BadCursor, Cursor, Snapshot, check_cursor, decode_cursor
from stagewright.kit.feed.pages import find_entry, list_audit, list_stream, project_of_stream
from stagewright.kit.feed.replay import Wanted, epoch, present, replay
from stagewright.kit.feed.retention import forget_days, journal_size

__all__ = [
    "BadCursor",
    "Break",
    "Cursor",
    "Snapshot",
    "Verification",
    "Wanted",
    "check_cursor",
    "decode_cursor",
    "epoch",
    "find_entry",
    "forget_days",
    "journal_size",
    "list_audit",
    "list_stream",
    "present",
    "project_of_stream",
    "read_verification",
    "replay",
    "verify_some",
]

"""Failures of the overview."""

from stagewright.kit.errors import Invalid, NotFound


class ItemNotFound(NotFound):
    """No such item in the caller's inbox."""

    code = "inbox.not_found"


class SnoozeInvalid(Invalid):
    """The time to come back to an item is not one."""

    code = "inbox.snooze_invalid"

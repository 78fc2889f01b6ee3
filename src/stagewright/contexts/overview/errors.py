"""Failures of the overview."""

from stagewright.kit.errors import Invalid, NotFound


class ItemNotFound(NotFound):
    """No such item in the caller's inbox."""

    code = "inbox.not_found"


class SnoozeInvalid(Invalid):
    """The time to come back to an item is not one."""

    code = "inbox.snooze_invalid"


class IssueNotFound(NotFound):
    """Nothing is known of such an Issue or pull request, or the caller may not see its project."""

    code = "issue.not_found"

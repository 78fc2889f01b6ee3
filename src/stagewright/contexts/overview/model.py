"""Words of the overview: what can need a person."""

from enum import StrEnum


class InboxKind(StrEnum):
    """What an item of the inbox asks for."""

    APPROVAL = "approval"
    QUESTION = "question"
    OWNER_REVIEW = "owner_review"
    BUDGET = "budget"
    REVIEW = "review"
    MANUAL_STEP = "manual_step"
    ERROR = "error"

"""Every reason a delivery is ignored or refused for. The words stand in the journal, in comments and in answers."""

import re
from enum import StrEnum


class IgnoreReason(StrEnum):
    """Why a fact starts nothing and nobody is told."""

    ISSUE_EVENT_NOT_TRIGGER_LABEL = "issue_event_not_trigger_label"
    TRIGGER_ALREADY_HANDLED = "trigger_already_handled"
    TRIGGER_LABEL_REMOVED = "trigger_label_removed"
    TRIGGER_TOO_OLD = "trigger_too_old"
    OWN_LABEL_CHANGE = "own_label_change"
    OWN_COMMENT = "own_comment"
    RESERVED_LABEL = "reserved_label"
    RUN_ALREADY_ACTIVE_SAME_LABEL = "run_already_active_same_label"
    DEFERRED_ACTIVE_RUN = "deferred_active_run"
    STAGE_LABEL_ON_PULL_REQUEST = "stage_label_on_pull_request"
    PULL_REQUEST_EVENT_RECORDED = "pull_request_event_recorded"
    PULL_REQUEST_NOT_MANAGED = "pull_request_not_managed"
    REVIEW_RECORDED = "review_recorded"
    REVIEW_STATE_NOT_USED = "review_state_not_used"
    REVIEW_SENDER_NOT_PERMITTED = "review_sender_not_permitted"
    COMMENT_ON_PULL_REQUEST = "comment_on_pull_request"
    COMMENT_EVENT_NOT_USED = "comment_event_not_used"
    COMMENT_SENDER_NOT_PERMITTED = "comment_sender_not_permitted"
    DISCUSSION_NOT_ENABLED = "discussion_not_enabled"
    CLEANUP_SENDER_NOT_PERMITTED = "cleanup_sender_not_permitted"
    PUSH_NOT_DEFAULT_BRANCH = "push_not_default_branch"
    PUSH_DELETED_REF = "push_deleted_ref"
    PUSH_DEPLOY_DISABLED = "push_deploy_disabled"
    PUSH_NO_CLUSTER = "push_no_cluster"
    REPOSITORY_MISMATCH = "repository_mismatch"
    PUSH_SUPERSEDED = "push_superseded"
    PUSH_MAIN_VERSIONS_AUTOBUMPED = "push_main_versions_autobumped"
    REPOSITORY_NOT_BOUND = "repository_not_bound"
    REPOSITORY_NOT_BOUND_FOR_PUSH_MAIN = "repository_not_bound_for_push_main"
    REPOSITORY_DISABLED = "repository_disabled"
    BINDING_RECORDED = "binding_recorded"
    PING = "ping"
    EVENT_NOT_USED = "event_not_used"


class RefuseReason(StrEnum):
    """Why a trigger is refused with one diagnostic comment. Two of the sender's reasons carry a word of their own."""

    ISSUE_TRIGGER_LABEL_CONFLICT = "issue_trigger_label_conflict"
    RUN_ALREADY_ACTIVE = "run_already_active"
    DISCUSSION_MODE_TRIGGER_LABEL_CONFLICT = "discussion_mode_trigger_label_conflict"
    TRIGGER_LABEL_UNKNOWN = "trigger_label_unknown"
    STAGE_DISABLED = "stage_disabled"
    SENDER_LOGIN_MISSING = "sender_login_missing"
    SENDER_NOT_ALLOWED = "sender_not_allowed"
    SENDER_NOT_PROJECT_MEMBER = "sender_not_project_member"
    SENDER_ROLE_NOT_PERMITTED = "sender_role_not_permitted"
    SENDER_FORGE_PERMISSION_MISSING = "sender_forge_permission_missing"
    REPOSITORY_NOT_BOUND_FOR_ISSUE_LABEL = "repository_not_bound_for_issue_label"
    ISSUE_CLOSED = "issue_closed"
    ISSUE_ABANDONED = "issue_abandoned"
    ISSUE_SUPERSEDED = "issue_superseded"
    ISSUE_BLOCKED = "issue_blocked"
    ISSUE_NEEDS_INPUT = "issue_needs_input"
    ROLE_INPUT_REQUIRED = "role_input_required"
    PREVIOUS_STAGE_IN_REVIEW = "previous_stage_in_review"
    STAGE_PREREQUISITE_MISSING = "stage_prerequisite_missing"
    STAGE_PULL_REQUEST_OPEN = "stage_pull_request_open"
    REVISE_TARGET_NOT_FOUND = "revise_target_not_found"
    PULL_REQUEST_FROM_FORK = "pull_request_from_fork"
    REVIEWER_TARGET_NOT_FOUND = "reviewer_target_not_found"
    ISSUE_TRIGGER_CANDIDATE_NOT_FOUND = "issue_trigger_candidate_not_found"
    PULL_REQUEST_REVIEW_STAGE_AMBIGUOUS = "pull_request_review_stage_ambiguous"
    PULL_REQUEST_REVIEW_STAGE_NOT_RESOLVED = "pull_request_review_stage_not_resolved"
    ENVIRONMENT_NOT_DECLARED = "environment_not_declared"
    AGENT_NOT_CONFIGURED = "agent_not_configured"


class LaunchReason(StrEnum):
    """Codes of failed(precondition) that only the launch finds."""

    MODE_NOT_ALLOWED = "mode_not_allowed"
    STACK_INVALID = "stack_invalid"
    MODEL_LABEL_CONFLICT = "model_label_conflict"
    MODEL_UNKNOWN = "model_unknown"


class StepReason(StrEnum):
    """Why a next step of the console does not go ahead, beside the reasons of triggers."""

    PROFILE_DOWNGRADE = "profile_downgrade"
    REPOSITORY_DISABLED = "repository_disabled"
    NOT_STARTED = "not_started"


SENDER_TYPE_FAMILY = "sender_type_not_permitted"
SENDER_ROLE_FAMILY = "sender_role_named_not_permitted"
_TYPE = re.compile(r"^sender_type_[a-z0-9_]+_not_permitted$")
_ROLE = re.compile(r"^sender_role_[a-z0-9_]+_not_permitted$")


def sender_type_reason(sender_type: str | None) -> str:
    """Return ``sender_type_<type>_not_permitted``; an absent type counts as ``unknown``."""
    return f"sender_type_{_word(sender_type)}_not_permitted"


def sender_role_reason(role: str | None) -> str:
    """Return the reason for a project role without ``run.start``, or for having none."""
    return f"sender_role_{_word(role)}_not_permitted" if role else RefuseReason.SENDER_ROLE_NOT_PERMITTED.value


def reason_family(reason: str) -> str:
    """Return the catalogue key of ``reason``: itself, or the family of a sender's type or role."""
    if reason == RefuseReason.SENDER_ROLE_NOT_PERMITTED:
        return reason
    if _TYPE.match(reason):
        return SENDER_TYPE_FAMILY
    return SENDER_ROLE_FAMILY if _ROLE.match(reason) else reason


def is_sender_reason(reason: str) -> bool:
    """Say whether ``reason`` speaks of the person who set the label, so that one comment per person is enough."""
    return reason.startswith("sender_")


def _word(text: str | None) -> str:
    return re.sub(r"[^a-z0-9]+", "_", (text or "").lower()).strip("_")[:40] or "unknown"

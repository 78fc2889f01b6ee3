"""The sender guard: who may start anything by a label, checked before every effect (``workflow.md`` section 7.1)."""

from stagewright.contexts.workflow.model.decisions import Sender, Standing
from stagewright.contexts.workflow.model.reasons import RefuseReason, sender_role_reason, sender_type_reason

PLATFORM_CHIEFS = frozenset({"owner", "admin"})
TRIAGE_OR_HIGHER = frozenset({"triage", "write", "maintain", "admin"})


def guard_sender(sender: Sender, standing: Standing) -> str | None:
    """Return why ``sender`` is not permitted, or None. Unknown answers count as no."""
    if (sender.type or "").lower() != "user":
        return sender_type_reason(sender.type)
    if not sender.login:
        return RefuseReason.SENDER_LOGIN_MISSING.value
    if sender.user_id is None or not standing.platform_user:
        return RefuseReason.SENDER_NOT_ALLOWED.value
    chief = standing.platform_role in PLATFORM_CHIEFS
    if not chief and not standing.member:
        return RefuseReason.SENDER_NOT_PROJECT_MEMBER.value
    if not chief and not standing.may_start:
        return sender_role_reason(standing.project_role)
    if standing.forge_permission not in TRIAGE_OR_HIGHER:
        return RefuseReason.SENDER_FORGE_PERMISSION_MISSING.value
    return None

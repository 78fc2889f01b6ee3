"""The sender guard: who may start anything by a label, checked before every effect (``workflow.md`` section 7.1)."""

from stagewright.contexts.workflow.model.decisions import Sender, Standing
from stagewright.contexts.workflow.model.policy import Policy
from stagewright.contexts.workflow.model.reasons import RefuseReason, sender_role_reason, sender_type_reason

PLATFORM_CHIEFS = frozenset({"owner", "admin"})
TRIAGE_OR_HIGHER = frozenset({"triage", "write", "maintain", "admin"})


def guard_sender(sender: Sender, standing: Standing) -> str | None:
    """Return why ``sender`` is not permitted, or None. Unknown answers count as no.

    Who is signed in with us needs no account of the forge; whoever has one needs the forge's permission all the same.
    """
    if not standing.signed_in and (unknown := _account(sender, standing)):
        return unknown
    chief = standing.platform_role in PLATFORM_CHIEFS
    if not chief and not standing.member:
        return RefuseReason.SENDER_NOT_PROJECT_MEMBER.value
    if not chief and not standing.may_start:
        return sender_role_reason(standing.project_role)
    asked = bool(sender.login) or not standing.signed_in
    if asked and standing.forge_permission not in TRIAGE_OR_HIGHER:
        return RefuseReason.SENDER_FORGE_PERMISSION_MISSING.value
    return None


def _account(sender: Sender, standing: Standing) -> str | None:
    """Rows 1 to 3: the account that a payload names is a person's, and known to the platform."""
    if (sender.type or "").lower() != "user":
        return sender_type_reason(sender.type)
    if not sender.login:
        return RefuseReason.SENDER_LOGIN_MISSING.value
    if sender.user_id is None or not standing.platform_user:
        return RefuseReason.SENDER_NOT_ALLOWED.value
    return None


def is_automation(sender: Sender, policy: Policy) -> bool:
    """Say whether the policy lets this login end what a merge ends (``senders.automation_allow``)."""
    return (sender.login or "").casefold() in {login.casefold() for login in policy.automation_allow}


def guard_cleanup(sender: Sender, standing: Standing, policy: Policy, *, merged: bool = False) -> str | None:
    """Return why ``sender`` may end nothing, or None. The merge of a linked pull request and an allowed automation
    need no account with us: the forge's permission is enough."""
    if not merged and not is_automation(sender, policy):
        return guard_sender(sender, standing)
    if standing.forge_permission not in TRIAGE_OR_HIGHER:
        return RefuseReason.SENDER_FORGE_PERMISSION_MISSING.value
    return None

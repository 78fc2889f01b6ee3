"""What other contexts may use of identity."""

from stagewright.contexts.identity.errors import (
    FirstStart,
    FreshLoginRequired,
    PermissionMissing,
    SessionEnded,
    SessionRequired,
    TokenRefused,
)
from stagewright.contexts.identity.events import AuditRead
from stagewright.contexts.identity.model import (
    ApiToken,
    Member,
    Membership,
    PlatformRole,
    Principal,
    ProjectRole,
    Scope,
    SenderStanding,
    User,
)
from stagewright.contexts.identity.rules import TABLE as PERMISSION_TABLE
from stagewright.contexts.identity.rules import Permission, allows
from stagewright.contexts.identity.store import (
    find_by_github_id,
    find_owner,
    find_user,
    installation_id,
    list_members,
    list_memberships,
    list_names,
    list_tokens,
    note_use,
)
from stagewright.contexts.identity.usecases.callers import (
    Caller,
    authenticate_session,
    authenticate_token,
    list_who_may,
    refresh_session,
    refresh_token,
    require,
    standing_of_sender,
)
from stagewright.contexts.identity.usecases.logins import OneTimeCode, make_local_code
from stagewright.contexts.identity.usecases.members import add_member, member_verbs, set_member
from stagewright.contexts.identity.usecases.people import admit_first_users, ensure_owner, pin_github_login, pin_owner
from stagewright.contexts.identity.usecases.sessions import forget_ended, renew_session
from stagewright.contexts.identity.usecases.tokens import NewToken, create_token, replace_local_token, revoke_token

__all__ = [
    "PERMISSION_TABLE",
    "ApiToken",
    "AuditRead",
    "Caller",
    "FirstStart",
    "FreshLoginRequired",
    "Member",
    "Membership",
    "NewToken",
    "OneTimeCode",
    "Permission",
    "PermissionMissing",
    "PlatformRole",
    "Principal",
    "ProjectRole",
    "Scope",
    "SenderStanding",
    "SessionEnded",
    "SessionRequired",
    "TokenRefused",
    "User",
    "add_member",
    "admit_first_users",
    "allows",
    "authenticate_session",
    "authenticate_token",
    "create_token",
    "ensure_owner",
    "find_by_github_id",
    "find_owner",
    "find_user",
    "forget_ended",
    "installation_id",
    "list_members",
    "list_memberships",
    "list_names",
    "list_tokens",
    "list_who_may",
    "make_local_code",
    "member_verbs",
    "note_use",
    "pin_github_login",
    "pin_owner",
    "refresh_session",
    "refresh_token",
    "renew_session",
    "replace_local_token",
    "require",
    "revoke_token",
    "set_member",
    "standing_of_sender",
]

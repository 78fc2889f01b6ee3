"""What other contexts may use of identity."""

from stagewright.contexts.identity.errors import FreshLoginRequired, PermissionMissing, TokenRefused
from stagewright.contexts.identity.model import (
    ApiToken,
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
    list_memberships,
    list_tokens,
    note_use,
)
from stagewright.contexts.identity.usecases import (
    NewToken,
    authenticate_token,
    create_token,
    ensure_owner,
    pin_github_login,
    replace_local_token,
    require,
    revoke_token,
    set_member,
    standing_of_sender,
)

__all__ = [
    "PERMISSION_TABLE",
    "ApiToken",
    "FreshLoginRequired",
    "NewToken",
    "Permission",
    "PermissionMissing",
    "PlatformRole",
    "Principal",
    "ProjectRole",
    "Scope",
    "SenderStanding",
    "TokenRefused",
    "User",
    "allows",
    "authenticate_token",
    "create_token",
    "ensure_owner",
    "find_by_github_id",
    "find_owner",
    "find_user",
    "installation_id",
    "list_memberships",
    "list_tokens",
    "note_use",
    "pin_github_login",
    "replace_local_token",
    "require",
    "revoke_token",
    "set_member",
    "standing_of_sender",
]

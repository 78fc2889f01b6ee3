"""Failures of identity."""

from stagewright.kit.errors import Conflict, Denied, Invalid, NotFound, Unauthenticated


class TokenRefused(Unauthenticated):
    """The API token is unknown, expired, revoked, or its user is disabled. Which one is not said."""

    code = "identity.token_refused"


class PermissionMissing(Denied):
    """The caller may see this but not do it; ``params`` name the permission and who can grant it."""

    code = "permission_denied"


class FreshLoginRequired(Denied):
    """The action needs a session or token younger than one hour."""

    code = "identity.fresh_login_required"


class UserNotFound(NotFound):
    """No such user."""

    code = "user.not_found"


class TokenNotFound(NotFound):
    """No such token of the caller."""

    code = "token.not_found"


class TokenInvalidRequest(Invalid):
    """The wanted token cannot be made: a scope or its life is wrong."""

    code = "token.invalid"


class OwnerExists(Conflict):
    """There is an owner already."""

    code = "identity.owner_exists"


class SessionRequired(Denied):
    """An API token cannot do this; a person signed in can."""

    code = "identity.session_required"


class MemberExists(Conflict):
    """The user is a member of the project already."""

    code = "member.exists"


class MismatchedAccount(Conflict):
    """The forge account belongs to another user, or the user is pinned to another account."""

    code = "identity.github_mismatch"

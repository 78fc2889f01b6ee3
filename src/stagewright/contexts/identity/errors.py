"""Failures of identity."""

from stagewright.kit.errors import Conflict, Denied, Invalid, NotFound, Refused, Unauthenticated, Unavailable


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


class SessionEnded(Unauthenticated):
    """The session cookie does not count any more: signed out, revoked, unused for too long, or too old."""

    code = "identity.session_ended"


class CodeRefused(Unauthenticated):
    """The one-time code is unknown, used, or older than it may be. Which one is not said."""

    code = "identity.code_refused"


class LoginStateRefused(Unauthenticated):
    """The login was begun in another browser, before too long, or was finished already."""

    code = "identity.login_state"


class EmailNotAllowed(Denied):
    """No verified e-mail of the GitHub account belongs to a user who may sign in."""

    code = "identity.email_not_allowed"


class AccountDisabled(Denied):
    """The person may not sign in any more."""

    code = "identity.account_disabled"


class ForgeLoginFailed(Unavailable):
    """GitHub did not say who signs in."""

    code = "identity.forge_login_failed"


class SessionNotFound(NotFound):
    """No such live session of the caller."""

    code = "session.not_found"


class MemberNotFound(NotFound):
    """No such member of the project, or none the caller may see."""

    code = "member.not_found"


class UserExists(Conflict):
    """The e-mail belongs to a user already."""

    code = "user.exists"


class LastAdmin(Refused):
    """The project would have no admin."""

    code = "member.last_admin"


class OwnerProtected(Refused):
    """The owner is not changed this way; ownership is transferred."""

    code = "user.owner_protected"


class OwnRole(Refused):
    """Nobody changes their own platform role or disables themselves."""

    code = "user.own_role"


class NotTransferable(Refused):
    """Ownership goes to an active platform admin only."""

    code = "user.not_transferable"


class UserInvalid(Invalid):
    """What is wanted of the user cannot be: a name, a zone, a state."""

    code = "user.invalid"


class FirstStart(Invalid):
    """There is no user yet, and nobody was named to be the owner."""

    code = "identity.owner_missing"


class ForgeUnreadable(Refused):
    """No credential is stored here with which the forge says who has a login."""

    code = "identity.forge_unreadable"

"""The door for people about themselves and each other: signing in, sessions, tokens, users, members."""

from stagewright.contexts.identity.http import github, login, me, members, tokens, users
from stagewright.contexts.identity.http.parts import Parts

routes = (login.routes.router, me.routes.router, tokens.routes.router, users.routes.router, members.routes.router)
local = (login.local.router, me.local.router)
"""Routes that exist only where the owner signs in by a one-time link."""
oauth = (github.routes.router,)
"""Routes that exist only with an OAuth client of GitHub."""

__all__ = ["Parts", "local", "oauth", "routes"]

"""Accounts, rate limits and what the server tells about itself."""

from stagewright.processes.devforge.limits import CORE, SEARCH
from stagewright.processes.devforge.problems import ApiProblem
from stagewright.processes.devforge.rest.call import Answer, Call, Route
from stagewright.processes.devforge.shapes import people


async def get_me(call: Call) -> Answer:
    """Return the caller's own account."""
    actor = call.actor
    if actor.app is not None:  # an installation is no account
        raise ApiProblem(403, "Resource not accessible by integration")
    return Answer(people.private_user(call.forge, actor.user))


async def get_user(call: Call) -> Answer:
    """Return an account by login."""
    return Answer(people.public_user(call.forge, call.forge.user(call.path["username"])))


async def get_rate_limit(call: Call) -> Answer:
    """Return the caller's windows; asking costs nothing."""
    now = call.forge.now()
    windows = {name: call.forge.limits.window(call.caller.bucket, name, now).as_json() for name in (CORE, SEARCH)}
    return Answer({"resources": windows, "rate": windows[CORE]})


async def get_meta(call: Call) -> Answer:
    """Return what the server tells about itself."""
    return Answer({"verifiable_password_authentication": False})


ROUTES = (
    Route("GET", "/user", get_me, None),
    Route("GET", "/users/{username}", get_user, None),
    Route("GET", "/rate_limit", get_rate_limit, None),
    Route("GET", "/meta", get_meta, None),
)

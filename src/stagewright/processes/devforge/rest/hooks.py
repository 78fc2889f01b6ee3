"""Hooks of a repository and of the calling App, their deliveries and redelivery."""

from typing import Any
from urllib.parse import urlsplit

from stagewright.processes.devforge.model import Delivery, Hook
from stagewright.processes.devforge.problems import ApiProblem, invalid, not_found, wrong_type
from stagewright.processes.devforge.rest.apps import calling_app
from stagewright.processes.devforge.rest.call import READ_HOOKS, WRITE_HOOKS, Answer, Call, Route
from stagewright.processes.devforge.shapes import deliveries as shapes
from stagewright.processes.devforge.shapes import people, repos

MOST_HOOKS = 20  # per repository and event on GitHub; here per repository
CONTENT_TYPES = ("json", "form")
ZEN = "Practice on loopback, perform in the open."


async def list_hooks(call: Call) -> Answer:
    """List the hooks of a repository."""
    return call.page(call.repo.hooks, lambda hook: people.hook(call.forge, call.repo, hook))


async def create_hook(call: Call) -> Answer:
    """Make a hook; it gets a ping at once."""
    config = _config(call, {})
    if any(hook.url == config["url"] for hook in call.repo.hooks):
        raise ApiProblem(422, "Validation Failed", errors=[_hook_error("Hook already exists on this repository")])
    if len(call.repo.hooks) >= MOST_HOOKS:
        raise ApiProblem(422, "Validation Failed", errors=[_hook_error("The hook limit has been reached")])
    now = call.forge.now()
    hook = Hook(
        id=call.forge.next_id(),
        url=config["url"],
        secret=config.get("secret", ""),
        events=call.texts("events") or ["push"],
        active=call.flag("active", default=True),
        content_type=config["content_type"],
        insecure_ssl=config["insecure_ssl"],
        created_at=now,
        updated_at=now,
    )
    call.repo.hooks.append(hook)
    _ping(call, hook)
    return Answer(people.hook(call.forge, call.repo, hook), status=201)


async def get_hook(call: Call) -> Answer:
    """Return a hook."""
    return Answer(people.hook(call.forge, call.repo, _hook(call)))


async def update_hook(call: Call) -> Answer:
    """Change where a hook goes, its secret, its events or whether it is active."""
    hook = _hook(call)
    config = _config(call, people.hook_config(hook) | {"secret": hook.secret})
    events = call.texts("events") or list(hook.events)
    events = [event for event in events if event not in (call.texts("remove_events") or [])]
    hook.events = list(dict.fromkeys([*events, *(call.texts("add_events") or [])]))
    hook.url, hook.secret = config["url"], config["secret"]
    hook.content_type, hook.insecure_ssl = config["content_type"], config["insecure_ssl"]
    hook.active = call.flag("active", default=hook.active)
    hook.updated_at = call.forge.now()
    return Answer(people.hook(call.forge, call.repo, hook))


async def delete_hook(call: Call) -> Answer:
    """Delete a hook."""
    hook = _hook(call)
    call.repo.hooks.remove(hook)
    call.forge.courier.forget(hook)
    return Answer(status=204)


async def ping_hook(call: Call) -> Answer:
    """Send a ping."""
    _ping(call, _hook(call))
    return Answer(status=204)


def _ping(call: Call, hook: Hook) -> None:
    payload = {
        "zen": ZEN,
        "hook_id": hook.id,
        "hook": people.hook(call.forge, call.repo, hook),
        "repository": repos.repository(call.forge, call.repo),
        "sender": people.simple_user(call.forge, call.actor.user),
    }
    if hook.active:
        call.forge.courier.send(hook, "ping", payload, repository_id=call.repo.id)


async def list_deliveries(call: Call) -> Answer:
    """List a hook's deliveries, newest first."""
    return call.page(_any_hook(call).deliveries[::-1], shapes.item)


async def get_delivery(call: Call) -> Answer:
    """Return a delivery with what was sent and answered."""
    hook = _any_hook(call)
    return Answer(shapes.full(hook, _delivery(call, hook), call.url))


async def redeliver(call: Call) -> Answer:
    """Send a delivery's bytes again under the same GUID."""
    hook = _any_hook(call)
    call.forge.courier.redeliver(hook, _delivery(call, hook))
    return Answer({}, status=202)


async def get_app_config(call: Call) -> Answer:
    """Return where the App's webhooks go."""
    return Answer(people.hook_config(_app_hook(call)))


async def update_app_config(call: Call) -> Answer:
    """Change where the App's webhooks go, or their secret."""
    hook = _app_hook(call)
    config = _read_config(call.body, people.hook_config(hook) | {"secret": hook.secret})
    hook.url, hook.secret = config["url"], config["secret"]
    hook.content_type, hook.insecure_ssl = config["content_type"], config["insecure_ssl"]
    hook.updated_at = call.forge.now()
    return Answer(people.hook_config(hook))


def _any_hook(call: Call) -> Hook:
    return _app_hook(call) if call.found is None else _hook(call)


def _app_hook(call: Call) -> Hook:
    hook = calling_app(call).hook
    if hook is None:
        raise not_found()
    return hook


def _hook(call: Call) -> Hook:
    found = next((hook for hook in call.repo.hooks if hook.id == call.number("hook_id")), None)
    if found is None:
        raise not_found()
    return found


def _delivery(call: Call, hook: Hook) -> Delivery:
    found = next((one for one in hook.deliveries if one.id == call.number("delivery_id")), None)
    if found is None:
        raise not_found()
    return found


def _config(call: Call, before: dict[str, Any]) -> dict[str, str]:
    told = call.body.get("config")
    if told is None and before:
        return before
    if not isinstance(told, dict):
        raise invalid("Hook", "config", "missing_field")
    return _read_config(told, before)


def _read_config(told: dict[str, Any], before: dict[str, Any]) -> dict[str, str]:
    """Read a hook's configuration over the one before."""
    config = {"content_type": "form", "insecure_ssl": "0", "secret": ""} | before
    for name in ("url", "content_type", "secret", "insecure_ssl"):
        if name in told:
            value = told[name]
            if not isinstance(value, str | int) or isinstance(value, bool):
                raise wrong_type(f"config/{name}", value, "a string")
            config[name] = str(value)
    address = urlsplit(config.get("url", ""))
    if address.scheme not in ("http", "https") or not address.hostname:
        raise invalid("Hook", "url", "invalid", "url must be an http or https address")
    if config["content_type"] not in CONTENT_TYPES:
        raise invalid("Hook", "content_type")
    return config


def _hook_error(message: str) -> dict[str, str]:
    return {"resource": "Hook", "code": "custom", "message": message}


HOOKS = "/repos/{owner}/{repo}/hooks"
HOOK = f"{HOOKS}/{{hook_id}}"
APP = "/app/hook"
ROUTES = (
    Route("GET", HOOKS, list_hooks, READ_HOOKS),
    Route("POST", HOOKS, create_hook, WRITE_HOOKS, success=201),
    Route("GET", HOOK, get_hook, READ_HOOKS),
    Route("PATCH", HOOK, update_hook, WRITE_HOOKS),
    Route("DELETE", HOOK, delete_hook, WRITE_HOOKS, success=204),
    Route("POST", f"{HOOK}/pings", ping_hook, WRITE_HOOKS, success=204),
    Route("GET", f"{HOOK}/deliveries", list_deliveries, READ_HOOKS),
    Route("GET", f"{HOOK}/deliveries/{{delivery_id}}", get_delivery, READ_HOOKS),
    Route("POST", f"{HOOK}/deliveries/{{delivery_id}}/attempts", redeliver, WRITE_HOOKS, success=202),
    Route("GET", f"{APP}/config", get_app_config, None),
    Route("PATCH", f"{APP}/config", update_app_config, None),
    Route("GET", f"{APP}/deliveries", list_deliveries, None),
    Route("GET", f"{APP}/deliveries/{{delivery_id}}", get_delivery, None),
    Route("POST", f"{APP}/deliveries/{{delivery_id}}/attempts", redeliver, None, success=202),
)

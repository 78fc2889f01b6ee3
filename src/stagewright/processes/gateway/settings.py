"""The door to the installation's stored settings, and the switch among them that keeps everybody from writing."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Request, Response
from pydantic import BaseModel, JsonValue
from starlette.requests import HTTPConnection

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database
from stagewright.kit.errors import Refused
from stagewright.kit.http import Limit, Page, RequestBody, etag, expected_version
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import Admit, ClockDep, CursorsDep, Db, Routes, caller
from stagewright.kit.http.shapes import AllowedAction, Instant
from stagewright.kit.settings.stored import SettingState, StoredSettings, change_setting, get_setting, list_settings
from stagewright.kit.settings.stored import setting_frame as frame_of
from stagewright.processes.common import Platform
from stagewright.processes.stored_settings import READ_ONLY

routes = Routes(tag="settings")
CallerDep = Annotated[Caller, Depends(caller)]
VersionDep = Annotated[int, Depends(expected_version)]
Key = Annotated[str, Path(max_length=100, pattern=r"^[a-z][a-z0-9_.]*$")]
PERSONAL_PATHS = ("/api/v1/me", "/api/v1/settings", "/api/v1/auth", "/auth", "/api/v1/realtime")
PERSONAL_VERBS = (":view", ":unview", ":view-all", ":snooze", ":validate")
READING = ("GET", "HEAD", "OPTIONS")


class ReadOnly(Refused):
    """The installation is set to read-only."""

    code = "settings.read_only"


class SettingFrame(BaseModel):
    """The part of a setting that is equal for all readers and that its events carry."""

    id: str
    key: str
    type: Literal["boolean", "choice", "duration"]
    allowed: list[str]
    about: str
    default: JsonValue
    value: JsonValue
    is_default: bool
    scope: str
    reload: Literal["live", "restart"]
    sensitive: bool
    version: int
    updated_at: Instant | None
    updated_by: str | None


class SettingView(SettingFrame):
    """A stored setting: its default, its value now, who changed it."""

    allowed_actions: list[AllowedAction]

    @classmethod
    def of(cls, state: SettingState) -> "SettingView":
        """Show ``state`` to somebody who may manage settings."""
        return cls(**frame_of(state), allowed_actions=setting_actions(is_default=state.is_default))


def setting_actions(*, is_default: bool) -> list[AllowedAction]:
    """Return what somebody who may manage settings may do with one."""
    reason = "is_default" if is_default else None
    reset = AllowedAction(verb="reset", mode="deny" if reason else "allow", reason_code=reason)
    return [AllowedAction(verb="change", mode="allow"), reset]


class SettingForm(RequestBody):
    """The value wanted; null: the default again."""

    value: JsonValue


class Nothing(RequestBody):
    """A verb without words."""


def _stored(request: Request) -> StoredSettings:
    platform: Platform = request.app.state.platform
    return platform.stored


StoredDep = Annotated[StoredSettings, Depends(_stored)]


@routes.get("/settings", Permission.SETTINGS_MANAGE)
async def list_stored_settings(
    me: CallerDep,
    db: Db,
    stored: StoredDep,
    clock: ClockDep,
    cursors: CursorsDep,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[SettingView]:
    """List the stored settings by key."""
    paging = Paging(cursors, limit, cursor, "key", {})
    async with db.reading() as reader:
        found = await list_settings(reader, stored.catalogue)
    return paging.slice(found, lambda item: (item.key,), SettingView.of, as_of=clock.now())


@routes.get("/settings/{key}", Permission.SETTINGS_MANAGE)
async def get_stored_setting(key: Key, me: CallerDep, db: Db, stored: StoredDep, response: Response) -> SettingView:
    """Show a stored setting."""
    async with db.reading() as reader:
        state = await get_setting(reader, stored.catalogue, key)
    response.headers["ETag"] = etag(state.version)
    return SettingView.of(state)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a setting, by whoever may, if nobody did since ``version``."""

    me: Caller
    db: Database
    stored: StoredSettings
    clock: Clock
    version: int

    async def to(self, key: str, value: Any, response: Response) -> SettingView:
        """Write ``value``, or the default with None; this process reads it at once."""
        async with self.db.transaction(self.me.actor) as tx:
            state = await change_setting(
                tx,
                self.stored.catalogue,
                key,
                value,
                version=self.version,
                by=self.me.actor.id,
                now=self.clock.now(),
            )
        self.stored.forget()
        response.headers["ETag"] = etag(state.version)
        return SettingView.of(state)


def _change(me: CallerDep, db: Db, stored: StoredDep, clock: ClockDep, version: VersionDep) -> Change:
    return Change(me, db, stored, clock, version)


ChangeDep = Annotated[Change, Depends(_change)]


@routes.patch("/settings/{key}", Permission.SETTINGS_MANAGE)
async def change_stored_setting(key: Key, form: SettingForm, change: ChangeDep, response: Response) -> SettingView:
    """Change a setting if nobody did since the version in ``If-Match``."""
    return await change.to(key, form.value, response)


@routes.post("/settings/{key}:reset", Permission.SETTINGS_MANAGE)
async def reset_stored_setting(
    key: Key, change: ChangeDep, response: Response, form: Nothing | None = None
) -> SettingView:
    """Give a setting its default again if nobody changed it since the version in ``If-Match``."""
    return await change.to(key, None, response)


class WriteGate:
    """An ``Admit`` that also refuses writes while the installation is read-only.

    What concerns only the caller stays possible: signing out, dismissing, snoozing; and switching it off again.
    """

    def __init__(self, admit: Admit, stored: StoredSettings) -> None:
        self._admit = admit
        self._stored = stored

    async def __call__(self, connection: HTTPConnection, permission: str) -> Any:
        """Return who calls. Raises what the inner one raises, and ``ReadOnly``."""
        caller = await self._admit(connection, permission)
        if _writes(connection) and await self._stored.is_on(READ_ONLY):
            raise ReadOnly(
                "the installation is set to read-only; an admin of the platform switches it back in Settings"
            )
        return caller

    async def again(self, caller: Any) -> Any:
        """Return the caller as they are now."""
        return await self._admit.again(caller)


def _writes(connection: HTTPConnection) -> bool:
    path, method = connection.url.path, connection.scope.get("method", "GET")  # a WebSocket has none
    below = any(path == place or path.startswith(f"{place}/") for place in PERSONAL_PATHS)
    personal = below or path.endswith(PERSONAL_VERBS)
    return method not in READING and not personal

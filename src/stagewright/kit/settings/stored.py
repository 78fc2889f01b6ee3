"""Settings that people change while the program runs: a typed catalogue over one table, every change journalled.

The kit knows how a setting is kept and checked, not which there are. The installation's catalogue stands beside its
environment's (``processes``), and wiring passes values on: no context reads a setting, so that none depends on where
settings are kept. A reader in another process sees a change after ``StoredSettings.TTL`` at the latest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from psycopg.types.json import Jsonb

from stagewright.kit.clock import Clock
from stagewright.kit.db import Database, Reader, Row, Tx
from stagewright.kit.errors import FieldProblem, Invalid, NotFound
from stagewright.kit.http.versions import VersionMismatch
from stagewright.kit.ids import uuid7
from stagewright.kit.journal import Event
from stagewright.kit.settings.values import parse_duration

Value = bool | int | str | None
UNSET = 0

ROWS = "select key, value, version, updated_at, updated_by from stored_settings where key = any(%(keys)s)"
INSERT = """
insert into stored_settings (key, value, version, updated_at, updated_by)
values (%(key)s, %(value)s, 1, %(now)s, %(by)s)
on conflict (key) do nothing
returning key, value, version, updated_at, updated_by
"""
UPDATE = """
update stored_settings set value = %(value)s, version = version + 1, updated_at = %(now)s, updated_by = %(by)s
where key = %(key)s and version = %(version)s
returning key, value, version, updated_at, updated_by
"""
CHANGE = """
insert into setting_changes (id, key, version, before, after, changed_at, changed_by)
values (%(id)s, %(key)s, %(version)s, %(before)s, %(after)s, %(now)s, %(by)s)
"""


class SettingNotFound(NotFound):
    """No setting has this key."""

    code = "setting.not_found"


class SettingInvalid(Invalid):
    """The value is not one the setting can have."""

    code = "setting.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSetting:
    """What a setting is. ``reload`` says whether a change counts at once or after the next start."""

    type: Literal["boolean", "choice", "duration"]
    default: Value
    about: str
    allowed: tuple[str, ...] = ()
    least: timedelta = timedelta(0)
    most: timedelta = timedelta.max
    scope: str = "platform"
    reload: Literal["live", "restart"] = "live"
    sensitive: bool = False

    def check(self, value: Any) -> Value:
        """Return ``value`` if the setting can have it; raise ValueError with what to write instead."""
        match self.type:
            case "boolean":
                if not isinstance(value, bool):
                    raise ValueError("write true or false, without quotes")
            case "choice":
                if value not in self.allowed:
                    raise ValueError("write one of " + ", ".join(self.allowed))
            case "duration":
                found = parse_duration(value) if isinstance(value, str) else None
                if found is None or not self.least <= found <= self.most:
                    raise ValueError(f"write a duration such as 30d, from {self.least} to {self.most}")
        checked: Value = value
        return checked


Catalogue = Mapping[str, StoredSetting]


@dataclass(frozen=True, slots=True)
class SettingState:
    """A setting and its value now: the default while ``is_default``. Version 0 was never changed."""

    key: str
    setting: StoredSetting
    value: Value
    is_default: bool
    version: int
    updated_at: datetime | None
    updated_by: str | None


def setting_frame(state: SettingState) -> dict[str, Any]:
    """Return the part of a setting's view that is equal for all readers."""
    setting = state.setting
    hidden = setting.sensitive and not state.is_default
    return {
        "id": state.key,
        "key": state.key,
        "type": setting.type,
        "allowed": list(setting.allowed),
        "about": setting.about,
        "default": setting.default,
        "value": None if hidden else state.value,
        "is_default": state.is_default,
        "scope": setting.scope,
        "reload": setting.reload,
        "sensitive": setting.sensitive,
        "version": state.version,
        "updated_at": state.updated_at.isoformat() if state.updated_at else None,
        "updated_by": state.updated_by,
    }


@dataclass(frozen=True, kw_only=True)
class SettingChanged(Event):
    """A stored setting has another value; the body is its frame."""

    kind: ClassVar[str] = "setting.changed"
    topic: ClassVar[str] = "settings"

    state: SettingState

    @property
    def stream(self) -> str:
        return f"setting:{self.state.key}"

    def body(self) -> Mapping[str, Any]:
        return {"v": 1, **setting_frame(self.state)}


def _state(key: str, setting: StoredSetting, row: Row | None) -> SettingState:
    if row is None:
        return SettingState(key, setting, setting.default, True, UNSET, None, None)
    default = row["value"] is None
    value = setting.default if default else row["value"]
    return SettingState(key, setting, value, default, row["version"], row["updated_at"], row["updated_by"])


async def list_settings(reader: Reader, catalogue: Catalogue) -> list[SettingState]:
    """Return every setting of ``catalogue`` by key."""
    rows = {row["key"]: row for row in await reader.all(lambda row: row, ROWS, keys=list(catalogue))}
    return [_state(key, catalogue[key], rows.get(key)) for key in sorted(catalogue)]


async def get_setting(reader: Reader, catalogue: Catalogue, key: str) -> SettingState:
    """Return one setting. Raises ``SettingNotFound``."""
    if key not in catalogue:
        raise SettingNotFound(f"there is no setting {key[:100]}")
    (state,) = await list_settings(reader, {key: catalogue[key]})
    return state


async def change_setting(
    tx: Tx, catalogue: Catalogue, key: str, value: Any, *, version: int, by: str, now: datetime
) -> SettingState:
    """Give a setting ``value``, or its default again with None, if nobody did since ``version``.

    Raises ``SettingNotFound``, ``SettingInvalid`` or ``VersionMismatch``.
    """
    before = await get_setting(tx, catalogue, key)
    setting = before.setting
    if value is not None:
        try:
            value = setting.check(value)
        except ValueError as error:
            problem = FieldProblem("/value", "value", str(error))
            raise SettingInvalid(f"{key} cannot have this value", problems=(problem,)) from error
    values = {"key": key, "value": Jsonb(value), "now": now, "by": by, "version": version}
    row = await tx.find(lambda row: row, INSERT if version == UNSET else UPDATE, **values)
    if row is None:
        raise VersionMismatch("the setting was changed since you read it: read it again")
    after = _state(key, setting, row)
    kept = {"before": Jsonb(before.value), "after": Jsonb(after.value), "version": after.version}
    await tx.execute(CHANGE, id=uuid7(), key=key, now=now, by=by, **kept)
    tx.publish(SettingChanged(state=after))
    return after


class StoredSettings:
    """The values of a catalogue as one process reads them: at most ``TTL`` old, anew after ``forget``."""

    TTL = timedelta(seconds=2)

    def __init__(self, db: Database, catalogue: Catalogue, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._values: dict[str, Value] = {}
        self._read_at: datetime | None = None
        self.catalogue = catalogue

    def forget(self) -> None:
        """Read anew at the next question: something was written."""
        self._read_at = None

    async def get(self, key: str) -> Value:
        """Return the value of ``key``."""
        now = self._clock.now()
        if self._read_at is None or now - self._read_at > self.TTL:
            async with self._db.reading() as reader:
                states = await list_settings(reader, self.catalogue)
            self._values = {state.key: state.value for state in states}
            self._read_at = now
        return self._values[key]

    async def is_on(self, key: str) -> bool:
        """Return a boolean setting."""
        return await self.get(key) is True

    async def length(self, key: str) -> timedelta:
        """Return a duration."""
        return parse_duration(str(await self.get(key)))

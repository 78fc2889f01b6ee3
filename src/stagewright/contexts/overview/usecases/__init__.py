"""What needs this person now; and putting an item aside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.overview import rules, store, views
from stagewright.contexts.overview.errors import ItemNotFound, SnoozeInvalid
from stagewright.contexts.overview.events import InboxSnoozed
from stagewright.contexts.overview.model import InboxItem, Snooze
from stagewright.kit.db import Reader, Tx
from stagewright.kit.errors import FieldProblem

FAILED_LATELY = timedelta(days=14)
MOST_ERRORS = 100
May = Callable[[str, UUID], bool]


@dataclass(frozen=True, slots=True)
class Shown:
    """An item, and how it is put aside if it is."""

    item: InboxItem
    snooze: Snooze | None


async def list_inbox(reader: Reader, me: Caller, *, now: datetime, snoozed: bool = False) -> list[Shown]:
    """Return what needs ``me``, or with ``snoozed`` what ``me`` has put aside; the newest first."""
    aside = await store.list_snoozes(reader, me.user.id, now=now)
    found = [Shown(item, aside.get(item.id)) for item in await _items(reader, me, now)]
    chosen = [shown for shown in found if rules.is_snoozed(shown.item, shown.snooze, now) is snoozed]
    if not snoozed:
        chosen = [Shown(shown.item, None) for shown in chosen]
    return sorted(chosen, key=lambda shown: (shown.item.since, shown.item.id), reverse=True)


async def _items(reader: Reader, me: Caller, now: datetime) -> list[InboxItem]:
    seen = me.projects
    visible: Sequence[UUID] | None = None if seen is None else list(seen)
    waiting = await views.list_waiting(reader, visible=visible)
    failed = await views.list_failed(reader, visible=visible, since=now - FAILED_LATELY)
    reviews = await views.list_reviews(reader, visible=visible)
    return [
        *(rules.of_wait(row) for row in waiting if _may(me, row.who_can_act, row.project_id)),
        *(rules.of_failed(row) for row in failed if me.may(Permission.RUN_START, row.project_id)),
        *(rules.of_review(row) for row in reviews if me.may(Permission.RUN_START, row.project_id)),
        *await _errors(reader, me, visible, now),
    ]


def _may(me: Caller, permission: str, project_id: UUID) -> bool:
    """Say whether ``me`` can end a wait; ``permission`` is what the wait names, or ``nobody``."""
    return permission in list(Permission) and me.may(Permission(permission), project_id)


async def _errors(reader: Reader, me: Caller, visible: Sequence[UUID] | None, now: datetime) -> list[InboxItem]:
    found = await incidents.list_page(
        reader, incidents.ALERTS, user=me.user.id, visible=visible, now=now, after=None, limit=MOST_ERRORS
    )
    keys = await views.project_keys(reader, [seen.incident.project_id for seen in found if seen.incident.project_id])
    return [
        rules.of_incident(seen.incident, keys.get(seen.incident.project_id) if seen.incident.project_id else None)
        for seen in found
    ]


async def snooze(tx: Tx, me: Caller, item_id: str, *, until: datetime | None, now: datetime) -> Shown:
    """Put an item of the caller's inbox aside until ``until``, at most thirty days; None takes it back."""
    item = next((item for item in await _items(tx, me, now) if item.id == item_id), None)
    if item is None:
        raise ItemNotFound(f"there is no {item_id} in your inbox")
    if until is None:
        if await store.take_back(tx, me.user.id, item_id):
            tx.publish(InboxSnoozed(user_id=me.user.id, item=item_id, until=None))
        return Shown(item, None)
    if not now < until <= now + rules.LONGEST_SNOOZE:
        problem = FieldProblem("/until", "range", "choose a time from now to 30 days ahead; null takes it back")
        raise SnoozeInvalid("the item cannot be put aside until then", problems=(problem,))
    await store.put_aside(tx, me.user.id, item_id, until=until, now=now)
    tx.publish(InboxSnoozed(user_id=me.user.id, item=item_id, until=until))
    return Shown(item, Snooze(item_id, until, now))

"""Which saved session an attempt continues (``runs.md`` section 7.3)."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.agents.model import FailedRun, SavedSession, SessionChoice, SessionWish

RESTART_WITHIN = timedelta(hours=24)
RESTARTED_CLASSES = frozenset({"timeout", "infrastructure", "budget"})
KEPT_PER_RUN = 3


def choose_session(candidates: Sequence[SavedSession], wish: SessionWish, *, now: datetime) -> SessionChoice:
    """Choose what to restore. Only the newest session of the right run counts: an older one would forget work."""
    if wish.next_attempt:
        return _compatible(_newest(candidates, {wish.run_id}), wish, with_wip=wish.kind != "discussion")
    if wish.kind.endswith("_revise"):
        return _compatible(_newest(candidates, wish.link_runs), wish, with_wip=False)
    failed = _restarted(wish, now)
    if failed is None:
        return SessionChoice(None)
    return _compatible(_newest(candidates, {failed.run_id}), wish, with_wip=failed.base_sha == wish.base_sha)


def is_compatible(session: SavedSession, wish: SessionWish) -> bool:
    """Say whether the engine of ``wish`` can read the session: same engine, same major and minor version."""
    return session.engine == wish.engine and _series(session.engine_version) == _series(wish.engine_version)


def _restarted(wish: SessionWish, now: datetime) -> FailedRun | None:
    same = [run for run in wish.failed_runs if run.kind == wish.kind]
    newest = max(same, key=lambda run: run.finished_at, default=None)
    if newest is None or newest.failure_class not in RESTARTED_CLASSES:
        return None
    return newest if now - newest.finished_at <= RESTART_WITHIN else None


def _newest(candidates: Sequence[SavedSession], runs: Collection[UUID]) -> SavedSession | None:
    return max((c for c in candidates if c.run_id in runs), key=lambda c: (c.created_at, c.id), default=None)


def _compatible(session: SavedSession | None, wish: SessionWish, *, with_wip: bool) -> SessionChoice:
    if session is None:
        return SessionChoice(None)
    if not is_compatible(session, wish):
        return SessionChoice(None, not_compatible=True)
    return SessionChoice(session, with_wip=with_wip and session.has_wip)


def _series(version: str) -> tuple[str, ...]:
    return tuple(version.strip().lstrip("v").split(".")[:2])

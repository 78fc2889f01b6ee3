"""Rows of ``login_states``, ``login_codes`` and ``login_failures``: what a login needs for minutes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.identity.model import CliWish, LoginState, Scope
from stagewright.kit.db import Reader, Row, Tx, record

to_state = record(LoginState)
to_wish = record(CliWish, token_scopes=lambda values: tuple(Scope(value) for value in values))

INSERT_STATE = """
insert into login_states (hash, cookie_hash, verifier, next_path, created_at, expires_at)
values (%(hash)s, %(cookie_hash)s, %(verifier)s, %(next_path)s, %(now)s, %(expires_at)s)
"""
# Used or not: whoever knows the state has spent it, so that a stolen one is worth one attempt.
CLAIM_STATE = """
update login_states set used_at = %(now)s where hash = %(hash)s and used_at is null and expires_at > %(now)s
returning *
"""
INSERT_CODE = """
insert into login_codes (hash, kind, user_id, challenge, token_name, token_scopes, token_days, token_project_id,
    created_at, expires_at)
values (%(hash)s, %(kind)s, %(user)s, %(challenge)s, %(name)s, %(scopes)s, %(days)s, %(project)s, %(now)s,
    %(expires_at)s)
"""
CLAIM_CODE = """
update login_codes set used_at = %(now)s
where hash = %(hash)s and kind = %(kind)s and used_at is null and expires_at > %(now)s
returning *
"""
NOTE_FAILURE = """
insert into login_failures as f (key, failures, since) values (%(key)s, 1, %(now)s)
on conflict (key) do update set
    failures = case when f.since > %(window)s then f.failures + 1 else 1 end,
    since = case when f.since > %(window)s then f.since else %(now)s end,
    paused_until = case when f.since > %(window)s and f.failures + 1 >= %(most)s then %(until)s else f.paused_until end
"""
PAUSED_UNTIL = "select paused_until from login_failures where key = %(key)s and paused_until > %(now)s"
FORGET_STATES = "delete from login_states where expires_at < %(before)s"
FORGET_CODES = "delete from login_codes where expires_at < %(before)s"
FORGET_FAILURES = "delete from login_failures where since < %(before)s"


async def insert_state(
    tx: Tx, state: LoginState, *, hashed: bytes, cookie_hash: bytes, now: datetime, expires_at: datetime
) -> None:
    """Keep what a login at GitHub begins with."""
    await tx.execute(
        INSERT_STATE,
        hash=hashed,
        cookie_hash=cookie_hash,
        verifier=state.verifier,
        next_path=state.next_path,
        now=now,
        expires_at=expires_at,
    )


async def claim_state(tx: Tx, hashed: bytes, *, now: datetime) -> tuple[LoginState, bytes] | None:
    """Use up the state; return it with the hash of its cookie, or None when it does not count."""

    def both(row: Row) -> tuple[LoginState, bytes]:
        return to_state(row), bytes(row["cookie_hash"])

    return await tx.find(both, CLAIM_STATE, hash=hashed, now=now)


async def insert_local_code(tx: Tx, user_id: UUID, *, hashed: bytes, now: datetime, expires_at: datetime) -> None:
    """Keep a one-time code that signs its user in."""
    nothing: dict[str, Any] = dict.fromkeys(("challenge", "name", "scopes", "days", "project"))
    await tx.execute(INSERT_CODE, kind="local", hash=hashed, user=user_id, now=now, expires_at=expires_at, **nothing)


async def claim_local_code(tx: Tx, hashed: bytes, *, now: datetime) -> UUID | None:
    """Use up a one-time code; return whose it is."""
    found = await tx.find(lambda row: row["user_id"], CLAIM_CODE, hash=hashed, kind="local", now=now)
    return found if isinstance(found, UUID) else None


async def insert_cli_code(tx: Tx, wish: CliWish, *, hashed: bytes, now: datetime, expires_at: datetime) -> None:
    """Keep a one-time code that the CLI exchanges for a token."""
    await tx.execute(
        INSERT_CODE,
        kind="cli",
        hash=hashed,
        user=wish.user_id,
        challenge=wish.challenge,
        name=wish.token_name,
        scopes=[scope.value for scope in wish.token_scopes],
        days=wish.token_days,
        project=wish.token_project_id,
        now=now,
        expires_at=expires_at,
    )


async def claim_cli_code(tx: Tx, hashed: bytes, *, now: datetime) -> CliWish | None:
    """Use up a code of the CLI; return what was granted."""
    return await tx.find(to_wish, CLAIM_CODE, hash=hashed, kind="cli", now=now)


async def note_failure(tx: Tx, key: str, *, most: int, now: datetime, window: datetime, until: datetime) -> None:
    """Count a failed login; with ``most`` since ``window`` logins pause ``until`` then."""
    await tx.execute(NOTE_FAILURE, key=key, most=most, now=now, window=window, until=until)


async def find_pause(reader: Reader, key: str, *, now: datetime) -> datetime | None:
    """Return until when logins pause, or None."""
    value = await reader.value(PAUSED_UNTIL, key=key, now=now)
    return value if isinstance(value, datetime) else None


async def forget_logins(tx: Tx, *, before: datetime) -> int:
    """Delete states, codes and failures from before; return how many went."""
    gone = [await tx.execute(sql, before=before) for sql in (FORGET_STATES, FORGET_CODES, FORGET_FAILURES)]
    return sum(gone)

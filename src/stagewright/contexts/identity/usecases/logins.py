"""How people sign in: one-time codes on this machine, GitHub, and the CLI's exchange."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from stagewright.contexts.identity import store
from stagewright.contexts.identity.errors import (
    AccountDisabled,
    CodeRefused,
    EmailNotAllowed,
    MismatchedAccount,
)
from stagewright.contexts.identity.events import AccessChanged, LoginRefused
from stagewright.contexts.identity.model import (
    CliWish,
    ForgeAccount,
    LoginMethod,
    LoginState,
    Origin,
    User,
    UserState,
)
from stagewright.contexts.identity.rules.login import challenge_of, emails_to_try, safe_next
from stagewright.contexts.identity.store import logins
from stagewright.contexts.identity.usecases.people import pin_github_login
from stagewright.contexts.identity.usecases.sessions import NewSession, begin_session
from stagewright.contexts.identity.usecases.tokens import NewToken, create_token, refuse_reserved_name
from stagewright.kit.crypto import equal, hash_secret, new_secret
from stagewright.kit.db import Reader, Tx
from stagewright.kit.errors import LimitReached
from stagewright.kit.journal import Actor

LOCAL_CODE_LIFE = timedelta(minutes=15)
CLI_CODE_LIFE = timedelta(minutes=5)
STATE_LIFE = timedelta(minutes=10)
MOST_FAILURES = 5
FAILURES_WITHIN = timedelta(minutes=15)
PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """A code just made; ``text`` is shown once."""

    text: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BegunLogin:
    """A login at GitHub that was begun: what goes into its address, and what goes into the browser's cookie."""

    state: str = field(repr=False)
    cookie: str = field(repr=False)
    challenge: str


async def make_local_code(tx: Tx, owner: User, *, now: datetime) -> OneTimeCode:
    """Make a code that signs the owner in, once, within 15 minutes."""
    code = OneTimeCode(new_secret(), now + LOCAL_CODE_LIFE)
    await logins.insert_local_code(tx, owner.id, hashed=hash_secret(code.text), now=now, expires_at=code.expires_at)
    return code


async def sign_in_by_code(tx: Tx, code: str, *, origin: Origin, now: datetime, longest: timedelta) -> NewSession:
    """Begin a session for whom the code was made. Raises ``CodeRefused``."""
    user_id = await logins.claim_local_code(tx, hash_secret(code), now=now)
    user = await store.find_user(tx, user_id) if user_id else None
    if user is None or user.state is not UserState.ACTIVE:
        raise CodeRefused("the code does not count (any more): `stagewright open` makes a new one")
    return await begin_session(tx, user, method=LoginMethod.LOCAL, origin=origin, now=now, longest=longest)


async def begin_github(tx: Tx, *, next_path: str | None, now: datetime) -> BegunLogin:
    """Begin a login at GitHub: a state and a PKCE verifier that only this browser can finish with."""
    begun_state, cookie, verifier = new_secret(), new_secret(), new_secret()
    await logins.insert_state(
        tx,
        LoginState(verifier, safe_next(next_path)),
        hashed=hash_secret(begun_state),
        cookie_hash=hash_secret(cookie),
        now=now,
        expires_at=now + STATE_LIFE,
    )
    return BegunLogin(begun_state, cookie, challenge_of(verifier))


async def claim_state(tx: Tx, *, state: str | None, cookie: str | None, now: datetime) -> LoginState | None:
    """Use up the state of a login; None unless this browser began it, once, less than 10 minutes ago."""
    found = await logins.claim_state(tx, hash_secret(state), now=now) if state else None
    if found is None or not cookie or not equal(found[1], hash_secret(cookie)):
        return None
    return found[0]


async def sign_in_by_github(
    tx: Tx, account: ForgeAccount, *, origin: Origin, now: datetime, longest: timedelta
) -> NewSession:
    """Begin a session for the user the GitHub account is. No user is made here.

    Raises ``EmailNotAllowed``, ``MismatchedAccount`` or ``AccountDisabled``.
    """
    user = await _user_of(tx, account)
    tx.actor = Actor("user", str(user.id))  # from here on it is this person who acts
    if user.state is UserState.DISABLED:
        raise AccountDisabled("this user may not sign in any more; an admin of the platform can change that")
    if user.github_user_id is None:
        user = await pin_github_login(tx, user, github_id=account.github_user_id, login=account.login)
    elif user.github_login != account.login:
        user = await store.change_user(tx, user.id, login=account.login)
    if user.state is UserState.INVITED:
        user = await store.set_access(tx, user.id, state=UserState.ACTIVE.value)
        tx.publish(AccessChanged(user=user))
    return await begin_session(tx, user, method=LoginMethod.GITHUB, origin=origin, now=now, longest=longest)


async def _user_of(tx: Tx, account: ForgeAccount) -> User:
    """Return the user: the one pinned to the account's number, else the one with a verified e-mail of it."""
    pinned = await store.find_by_github_id(tx, account.github_user_id)
    if pinned is not None:
        return (await store.lock_users(tx, pinned.id))[pinned.id]
    primary, others = emails_to_try(account)
    found = await store.find_by_email(tx, primary) if primary else None
    if found is None:
        matches = await store.list_by_emails(tx, others)
        found = matches[0] if len(matches) == 1 else None
    if found is None:
        raise EmailNotAllowed("no verified e-mail of this GitHub account is one of a user of this installation")
    locked = (await store.lock_users(tx, found.id))[found.id]
    if locked.github_user_id not in (None, account.github_user_id):
        raise MismatchedAccount("this e-mail belongs to a user who signs in with another GitHub account")
    return locked


def refused(code: str, method: LoginMethod, origin: Origin, github_user_id: int | None = None) -> LoginRefused:
    """Return the fact that a login was refused."""
    return LoginRefused(method=method, code=code, github_user_id=github_user_id, ip_prefix=origin.ip_prefix)


async def refuse_while_paused(reader: Reader, ip_prefix: str, *, now: datetime) -> None:
    """Raise ``LimitReached`` while logins from the prefix pause after too many failures."""
    until = await logins.find_pause(reader, ip_prefix, now=now)
    if until is not None:
        raise LimitReached(
            "too many logins failed from here; try again later", retry_after=until - now, code="login.paused"
        )


async def note_failure(tx: Tx, ip_prefix: str, *, now: datetime) -> None:
    """Count a failed login; five within 15 minutes pause the prefix for 15 minutes."""
    await logins.note_failure(
        tx, ip_prefix, most=MOST_FAILURES, now=now, window=now - FAILURES_WITHIN, until=now + PAUSE
    )


async def grant_to_cli(tx: Tx, wish: CliWish, *, now: datetime) -> OneTimeCode:
    """Make the code that the CLI exchanges for the token its person agreed to."""
    refuse_reserved_name(wish.token_name)
    code = OneTimeCode(new_secret(), now + CLI_CODE_LIFE)
    await logins.insert_cli_code(tx, wish, hashed=hash_secret(code.text), now=now, expires_at=code.expires_at)
    return code


async def exchange_cli_code(tx: Tx, code: str, verifier: str, *, now: datetime) -> tuple[NewToken, User]:
    """Make the token that was granted, for whoever proves to have asked for it. Raises ``CodeRefused``."""
    wish = await logins.claim_cli_code(tx, hash_secret(code), now=now)
    user = await store.find_user(tx, wish.user_id) if wish else None
    if wish is None or user is None or user.state is not UserState.ACTIVE:
        raise CodeRefused("the code does not count (any more): run `stagewright login` again")
    if not equal(challenge_of(verifier), wish.challenge):
        raise CodeRefused("the code does not count (any more): run `stagewright login` again")
    tx.actor = Actor("user", str(user.id))  # whose token it is
    made = await create_token(
        tx,
        user,
        name=wish.token_name,
        scopes=[scope.value for scope in wish.token_scopes],
        now=now,
        life=timedelta(days=wish.token_days),
        project_id=wish.token_project_id,
    )
    return made, user

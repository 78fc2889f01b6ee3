"""The door to people's API tokens: made with a session, shown once, revoked; and the CLI's consent."""

from datetime import timedelta
from uuid import UUID

from fastapi.responses import Response
from pydantic import BaseModel, Field

from stagewright.contexts.identity import store
from stagewright.contexts.identity.http.parts import NEW_TOKENS, CallerDep, ListingDep
from stagewright.contexts.identity.http.views import NewTokenView, TokenView
from stagewright.contexts.identity.model import CliWish, Scope
from stagewright.contexts.identity.rules import Permission
from stagewright.contexts.identity.rules.login import CHALLENGE
from stagewright.contexts.identity.usecases.logins import grant_to_cli
from stagewright.contexts.identity.usecases.tokens import create_token, refuse_reserved_name, revoke_token
from stagewright.kit.db import Tx
from stagewright.kit.http import Page, RequestBody
from stagewright.kit.http.limits import take
from stagewright.kit.http.once import Answer, OnceDep
from stagewright.kit.http.routes import ClockDep, Db, Routes
from stagewright.kit.http.shapes import Instant

routes = Routes(tag="session")


class TokenForm(RequestBody):
    """The token a person wants."""

    name: str = Field(min_length=1, max_length=100)
    scopes: list[Scope] = Field(min_length=1)
    expires_in_days: int = Field(default=30, ge=1, le=90)
    project_id: UUID | None = None


class CliForm(TokenForm):
    """The token a person grants to the CLI, and the PKCE challenge (S256) of the address that the CLI opened."""

    challenge: str = Field(pattern=f"^{CHALLENGE.pattern}$")


class CliCodeView(BaseModel):
    """What the page hands to the CLI: to its loopback port, or for the person to paste."""

    code: str
    expires_at: Instant


@routes.get("/me/tokens", Permission.SIGNED_IN)
async def list_my_tokens(me: CallerDep, db: Db, listing: ListingDep) -> Page[TokenView]:
    """List the caller's API tokens, the revoked and expired ones too."""
    async with db.reading() as reader:
        tokens = await store.list_tokens(reader, me.user.id)
    return listing.page(tokens, "created_at", lambda item: (item.created_at, item.id), TokenView.of)


@routes.post("/me/tokens", Permission.SIGNED_IN, status_code=201, response_model=NewTokenView)
async def create_my_token(form: TokenForm, me: CallerDep, once: OnceDep, clock: ClockDep) -> Response:
    """Make an API token. A token cannot make tokens: this needs a person signed in with a session."""
    me.need_session("make API tokens; `stagewright up` makes the one of this machine")
    refuse_reserved_name(form.name)

    async def act(tx: Tx) -> Answer:
        await take(tx, NEW_TOKENS, me.actor.id, now=clock.now())
        made = await create_token(
            tx,
            me.user,
            name=form.name,
            scopes=form.scopes,
            now=clock.now(),
            life=timedelta(days=form.expires_in_days),
            project_id=form.project_id,
        )
        view = NewTokenView(**TokenView.of(made.token).model_dump(), token=made.text)
        return Answer(view, 201, {"Location": "/api/v1/me/tokens"})

    return await once.run(act)


@routes.delete("/me/tokens/{token_id}", Permission.SIGNED_IN, status_code=200)
async def revoke_my_token(token_id: UUID, me: CallerDep, db: Db, clock: ClockDep) -> TokenView:
    """Revoke one of the caller's tokens; it counts nowhere from the next request on."""
    async with db.transaction(me.actor) as tx:
        revoked = await revoke_token(tx, me.user, token_id, now=clock.now())
    return TokenView.of(revoked)


@routes.post("/me/cli-codes", Permission.SIGNED_IN, status_code=201)
async def grant_cli_login(form: CliForm, me: CallerDep, db: Db, clock: ClockDep) -> CliCodeView:
    """Agree that the CLI gets a token: the code is exchanged once, within 5 minutes, with the PKCE verifier."""
    me.need_session("agree to a token of the CLI")
    wish = CliWish(
        user_id=me.user.id,
        challenge=form.challenge,
        token_name=form.name,
        token_scopes=tuple(form.scopes),
        token_days=form.expires_in_days,
        token_project_id=form.project_id,
    )
    async with db.transaction(me.actor) as tx:
        await take(tx, NEW_TOKENS, me.actor.id, now=clock.now())
        code = await grant_to_cli(tx, wish, now=clock.now())
    return CliCodeView(code=code.text, expires_at=code.expires_at.isoformat())

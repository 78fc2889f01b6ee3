"""Turns a stored credential into what a request carries: a token's text, or an App's freshly minted token.

Minted tokens live in memory only, are narrowed to one repository and to the permissions of the need, and are renewed
five minutes before they expire (``config.md`` §2.2).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from gidgethub.apps import get_jwt
from jwt import PyJWTError

from stagewright.adapters.github.structs import Installation, InstallationToken
from stagewright.adapters.github.wire import Answer, Request, Wire, decoded, url_of
from stagewright.contexts.projects.model import Repository
from stagewright.contexts.runs.errors import NotSent, OutcomeUnknown
from stagewright.contexts.vault.model import BOT, MANAGEMENT, Credential, CredentialKind, ResolvedCredential
from stagewright.kit.clock import Clock
from stagewright.kit.errors import Denied, Invalid, Unauthenticated

T = TypeVar("T")
EARLY = timedelta(minutes=5)
JWT_SECONDS = 9 * 60
MOST_KEPT = 2000

Resolve = Callable[[UUID, UUID, str], Awaitable[ResolvedCredential]]
"""Opens the credential of (repository id, project id, purpose); raises what the vault raises."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a request needs: the purpose that picks the credential, and the permissions a minted token gets."""

    purpose: str
    permissions: tuple[tuple[str, str], ...]


LABELS = Need(MANAGEMENT, (("issues", "write"), ("metadata", "read"), ("pull_requests", "write")))
SENDERS = Need(MANAGEMENT, (("metadata", "read"),))
THREADS = Need(BOT, (("contents", "read"), ("issues", "write"), ("metadata", "read"), ("pull_requests", "write")))
GIT_READ = Need(BOT, (("contents", "read"), ("metadata", "read")))
GIT_WRITE = Need(BOT, (("contents", "write"), ("metadata", "read")))


@dataclass(frozen=True, slots=True)
class Pass:
    """What a request carries. ``installation`` names whose limits it draws on."""

    installation: str
    text: str = field(repr=False)
    credential: Credential


@dataclass(frozen=True, slots=True)
class Minted:
    """A token of an installation."""

    text: str = field(repr=False)
    expires_at: datetime
    installation_id: int


class Access:
    """Passes for repositories. One mint is in flight per key, however many wait for it."""

    def __init__(self, wire: Wire, resolve: Resolve, clock: Clock) -> None:
        self._wire = wire
        self._resolve = resolve
        self._clock = clock
        self._minted: dict[tuple[object, ...], Minted] = {}
        self._minting: dict[tuple[object, ...], asyncio.Task[Minted]] = {}

    async def pass_for(self, repository: Repository, need: Need, *, refused: str | None = None) -> Pass:
        """Return a pass; ``refused`` is the text the forge just did not take.

        Raises ``Unauthenticated`` when nothing but the refused text is to be had.
        """
        resolved = await self._resolve(repository.id, repository.project_id, need.purpose)
        credential = resolved.credential
        if credential.kind is CredentialKind.TOKEN:
            if resolved.secret == refused:
                raise Unauthenticated(
                    f"the {need.purpose} token of {repository.full_name} no longer counts; store a new one",
                    code="forge.unauthenticated",
                    installation=f"token:{credential.id}",
                    purpose=need.purpose,
                    credential_id=str(credential.id),
                    credential_version=credential.version,
                )
            return Pass(f"token:{credential.id}", resolved.secret, credential)
        if credential.kind is not CredentialKind.GITHUB_APP:
            raise Invalid(f"a credential of kind {credential.kind} does not open a forge; store a token or an App")
        minted = await self._token(repository, need, resolved, refused)
        return Pass(f"app:{minted.installation_id}", minted.text, credential)

    async def installation_of(self, repository: Repository, need: Need) -> str:
        """Return whose limits a pass draws on; the forge is asked only when the credential does not say it."""
        credential = (await self._resolve(repository.id, repository.project_id, need.purpose)).credential
        if credential.kind is CredentialKind.GITHUB_APP and credential.installation_id is not None:
            return f"app:{credential.installation_id}"
        if credential.kind is CredentialKind.TOKEN:
            return f"token:{credential.id}"
        return (await self.pass_for(repository, need)).installation

    async def git_credential(self, repository: Repository, *, write: bool, refused: str | None) -> tuple[str, str]:
        """Return the user name and password git needs for the repository."""
        found = await self.pass_for(repository, GIT_WRITE if write else GIT_READ, refused=refused)
        return "x-access-token", found.text

    async def as_app(self, repository: Repository, credential: Credential, path: str, kind: type[T]) -> T:
        """Read ``path`` as the App itself."""
        resolved = await self._resolve(repository.id, repository.project_id, credential.purpose)
        answer = await self._signed("GET", repository, resolved, path)
        return decoded(answer, kind, write=False)

    async def _token(
        self, repository: Repository, need: Need, resolved: ResolvedCredential, refused: str | None
    ) -> Minted:
        credential = resolved.credential
        place = (repository.api_url, repository.forge_repository_id)
        key = (credential.id, credential.version, *place, need.permissions)
        kept = self._minted.get(key)
        if kept is not None and kept.text != refused and kept.expires_at - EARLY > self._clock.now():
            return kept
        task = self._minting.get(key)
        if task is None:
            task = asyncio.create_task(self._mint(repository, need, resolved))
            self._minting[key] = task
            task.add_done_callback(lambda done: self._end_mint(key, done))
        return await asyncio.shield(task)

    def _end_mint(self, key: tuple[object, ...], task: asyncio.Task[Minted]) -> None:
        del self._minting[key]
        if task.cancelled() or task.exception() is not None:
            self._minted.pop(key, None)
            return
        if len(self._minted) >= MOST_KEPT:
            now = self._clock.now()
            self._minted = {key: minted for key, minted in self._minted.items() if minted.expires_at > now}
        self._minted[key] = task.result()

    async def _mint(self, repository: Repository, need: Need, resolved: ResolvedCredential) -> Minted:
        installation = resolved.credential.installation_id
        if installation is None:
            owner, _, name = repository.full_name.partition("/")
            path = url_of(repository.api_url, "/repos/{owner}/{name}/installation", owner=owner, name=name)
            answer = await self._signed("GET", repository, resolved, path)
            installation = decoded(answer, Installation, write=False).id
        wish = {"repository_ids": [repository.forge_repository_id], "permissions": dict(need.permissions)}
        path = f"/app/installations/{installation}/access_tokens"
        try:
            whose = (f"app:{installation}", need.purpose)
            answer = await self._signed("POST", repository, resolved, path, wish, whose=whose)
        except OutcomeUnknown as error:  # a token minted in vain harms nobody: what asked for it was not sent
            raise NotSent(f"no token could be had for {repository.full_name}: {error}") from error
        except Invalid as error:
            wanted = ", ".join(f"{name}: {level}" for name, level in need.permissions)
            raise Denied(
                f"the App may not act on {repository.full_name}; grant it {wanted} there ({error})",
                code="forge.permission_missing",
                permission=wanted,
            ) from error
        token = decoded(answer, InstallationToken, write=False)  # one minted in vain harms nobody
        return Minted(token.token, token.expires_at, installation)

    async def _signed(
        self,
        method: str,
        repository: Repository,
        resolved: ResolvedCredential,
        path: str,
        data: object = None,
        *,
        whose: tuple[str, str] = ("", ""),
    ) -> Answer:
        """Send as the App itself; ``whose`` are the installation and the purpose that a refusal concerns."""
        jwt = app_jwt(resolved.credential.app_id, resolved.secret)
        installation, purpose = whose
        url = url_of(repository.api_url, path)
        return await self._wire.send(
            Request(method, url, jwt=jwt, data=data, installation=installation, purpose=purpose)
        )


def app_jwt(app_id: int | None, private_key: str) -> str:
    """Sign who the App is, for nine minutes. Raises ``Unauthenticated`` for a key that cannot sign."""
    try:
        return get_jwt(app_id=str(app_id), private_key=private_key, expiration=JWT_SECONDS)
    except (ValueError, TypeError, PyJWTError) as error:
        raise Unauthenticated(
            "the stored private key of the GitHub App is no RSA key in PEM form; store it again",
            code="credential.invalid",
        ) from error

"""Attempt tokens: minted anew from the attempt's row, checked in a fixed order (specification: tools, 1.1)."""

from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from stagewright.contexts.runs.model import Attempt, AttemptStatus, Run
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.kit.crypto import AttemptClaims, Keyring, TokenInvalid, TokenSigner
from stagewright.kit.db import Reader
from stagewright.kit.errors import NotFound

ATTEMPT_CLASSES = ("run", "tools", "model")


class AttemptTokens:
    """One signer per class. Minting again for the same attempt gives the same claims."""

    def __init__(self, keyring: Keyring, *, issuer: str) -> None:
        self._signers = {
            name: TokenSigner(keyring, purpose=f"token-{name}", audience=name, issuer=issuer)
            for name in ATTEMPT_CLASSES
        }

    def mint(self, run: Run, attempt: Attempt) -> dict[str, str]:
        """Return the three tokens of the attempt; they end at its deadline."""
        return {
            name: signer.sign(
                AttemptClaims(
                    attempt=attempt.id,
                    run=run.id,
                    project=run.project_id,
                    generation=attempt.generation,
                    jti=_jti(attempt.id, name),
                    issued_at=attempt.reserved_at,
                    expires_at=attempt.deadline,
                )
            )
            for name, signer in self._signers.items()
        }

    async def verify(self, reader: Reader, name: str, token: str, *, now: datetime) -> tuple[Run, Attempt]:
        """Return whose token this is. The first failure of any check is ``token.invalid``, the step is not named."""
        claims = self._signers[name].verify(token, now=now)
        if await attempt_rows.is_revoked(reader, claims.jti):
            raise _refused()
        try:
            attempt = await attempt_rows.get(reader, claims.attempt)
            run = await run_rows.get(reader, attempt.run_id)
        except NotFound as error:
            raise _refused() from error
        if (run.id, run.project_id, attempt.generation) != (claims.run, claims.project, claims.generation):
            raise _refused()
        return run, attempt


def is_over(run: Run, attempt: Attempt) -> bool:
    """Say whether the attempt may not act any more at the doors of tools and models."""
    return attempt.generation != run.generation or attempt.status is AttemptStatus.ENDED or run.status.terminal


def _jti(attempt_id: UUID, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"stagewright:attempt:{attempt_id}:{name}"))


def _refused() -> TokenInvalid:
    return TokenInvalid("the token is not valid here")

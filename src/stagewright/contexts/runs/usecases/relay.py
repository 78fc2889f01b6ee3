"""The model relay's rows: the run's model, credential and limit before a call; usage, blocks and doubts after it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import Attempt, AttemptId, Run, Wait, WaitKind
from stagewright.contexts.runs.rules import relay as rules
from stagewright.contexts.runs.rules.relay import Tokens
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import limits as limit_rows
from stagewright.contexts.runs.store import relay as relay_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.usecases import moves
from stagewright.contexts.vault import api as vault
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.crypto import KeyUnknown, Sealer
from stagewright.kit.db import Reader, Tx
from stagewright.kit.errors import Denied, Unauthenticated, Unavailable

RATE_LIMIT, QUOTA = "rate_limit", "quota"


@dataclass(frozen=True, slots=True)
class Ready:
    """The call may go out with this credential. ``strikes``: how often in a row the provider closed its limit."""

    credential: vault.ResolvedCredential
    strikes: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """The provider's limit is closed for the project."""

    until: datetime


def bucket_of(run: Run) -> str:
    """Return the bucket of the run's provider in ``provider_limits``."""
    return f"model:{run.engine}"


def limits_key(run: Run) -> str:
    """Return the installation under which model limits are kept: the project."""
    return str(run.project_id)


async def model_of(reader: Reader, run: Run) -> str:
    """Return the provider's name of the run's model. Raises ``Denied`` when the policy no longer has the model."""
    policy = await workflow.policy_in_force(reader, run.repository_id)
    entry = policy.models.get(run.model or "")
    if entry is None or entry.engine != run.engine:
        raise Denied(
            f"the policy no longer has the run's model {run.model!r} for {run.engine}; start the run again",
            code="model_not_allowed",
        )
    return entry.id


async def prepare_call(reader: Reader, run: Run, *, sealer: Sealer, now: datetime) -> Ready | Blocked:
    """Return what a call needs, or until when the limit is closed. The credential is resolved anew for each call.

    Raises ``Unavailable`` (``agent_not_configured``) without a credential that opens, ``Unauthenticated``
    (``credential_rejected``) for one that is known not to count.
    """
    until = await limit_rows.blocked_until(reader, limits_key(run), bucket_of(run), now)
    if until is not None:
        return Blocked(until)
    try:
        credential = await vault.resolve(
            reader,
            purpose=bucket_of(run),
            project_id=run.project_id,
            repository_id=run.repository_id,
            sealer=sealer,
            now=now,
        )
    except (vault.CredentialMissing, vault.CredentialUndecryptable, KeyUnknown) as error:
        raise Unavailable(f"{run.engine}: {error.message}", code="agent_not_configured") from error
    except (vault.CredentialInvalid, vault.CredentialExpired) as error:
        raise Unauthenticated(f"{run.engine}: {error.message}", code="credential_rejected") from error
    return Ready(credential, await limit_rows.strikes(reader, limits_key(run), bucket_of(run)))


async def note_limited(tx: Tx, run: Run, *, retry_after: timedelta | None, cause: str, now: datetime) -> datetime:
    """Close the provider's limit for the whole project and return until when. Answers that cross add no strike."""
    key, bucket = limits_key(run), bucket_of(run)
    closed = await limit_rows.blocked_until(tx, key, bucket, now)
    wanted = now + rules.block_for(retry_after, strikes=await limit_rows.strikes(tx, key, bucket))
    if closed is not None and (retry_after is None or closed >= wanted):
        return closed
    await limit_rows.block(tx, key, bucket, until=wanted, cause=cause, now=now)
    tx.publish(
        events.LimitBlocked(
            installation=key, bucket=bucket, cause=cause, until=wanted, project_id=run.project_id, run_id=run.id
        )
    )
    if cause == QUOTA:
        await incidents.report(
            tx,
            level="error",
            source="runs.relay",
            code="model.quota_used_up",
            message=f"the provider of {bucket} says that its quota or balance is used up; runs wait until it is raised",
            project_id=run.project_id,
            run_id=run.id,
            now=now,
        )
    return wanted


async def note_rejected(tx: Tx, run: Run, credential: vault.Credential, *, now: datetime) -> None:
    """Doubt a credential that its provider rejected; at the second time it counts no more, and people are told."""
    state = rules.state_after_rejection(credential.state, credential.checked_at, now=now)
    await vault.note_state(tx, credential.id, state, now=now)
    if state == "invalid" and credential.state != "invalid":
        await incidents.report(
            tx,
            level="error",
            source="runs.relay",
            code="credential.rejected",
            message=f"the {credential.scope.value} credential for {bucket_of(run)} was rejected twice; replace it",
            details={"version": credential.version},
            project_id=run.project_id,
            run_id=run.id,
            now=now,
        )


async def note_worked(tx: Tx, run: Run, ready: Ready, *, now: datetime) -> None:
    """Keep that the provider took the call: the credential counts, and strikes begin anew."""
    if ready.credential.credential.state != "valid":
        await vault.note_state(tx, ready.credential.credential.id, "valid", now=now)
    if ready.strikes:
        await limit_rows.note_worked(tx, limits_key(run), bucket_of(run), now=now)


def is_news(ready: Ready) -> bool:
    """Say whether a success of this call is worth a write."""
    return ready.strikes > 0 or ready.credential.credential.state != "valid"


async def record_usage(
    tx: Tx, run_id: UUID, attempt_id: AttemptId, tokens: Tokens, *, model: str, now: datetime
) -> None:
    """Keep what one call used, also of an attempt that has ended meanwhile, and add it to the meters once.

    Not added when the attempt's meters hold what its runner reported (``settle_reported``). Cost stays unknown.
    """
    run = await run_rows.lock(tx, run_id)
    attempt = await attempt_rows.lock(tx, attempt_id)
    metered = rules.relay_metered(
        attempt.outcome, attempt=_tokens_of(attempt), relayed=await relay_rows.relayed(tx, attempt_id)
    )
    await result_rows.add_usage(
        tx,
        attempt_id,
        model=model,
        tokens_in=tokens.sent,
        tokens_cached=tokens.cached,
        tokens_out=tokens.answered,
        source="relay",
        now=now,
    )
    if metered:
        total = _tokens_of(attempt) + tokens
        await attempt_rows.save(tx, with_tokens(attempt, total), was=attempt.status.value)
        await _add_to_run(tx, run, tokens)


async def settle_reported(tx: Tx, run: Run, attempt: Attempt, reported: Tokens) -> Tokens:
    """Return the attempt's totals at its outcome; what the runner reported counts only when the relay saw nothing.

    Adds to the run's meters what was not added yet. The caller holds both rows locked and writes the totals.
    """
    relayed = await relay_rows.relayed(tx, attempt.id)
    if relayed != Tokens():
        return relayed
    await _add_to_run(tx, run, reported)
    return reported


async def open_credential_wait(tx: Tx, run: Run, attempt: Attempt, *, now: datetime) -> Wait:
    """Let the run wait until its engine's credential is replaced: its attempt ended ``credential_rejected``."""
    target = f"{relay_rows.CREDENTIAL}:{run.engine}"
    if all(wait.target_id != target for wait in await wait_rows.list_open(tx, run.id)):
        _publish_auth(tx, run, events.AUTH_REQUIRED)
    return await moves.open_wait(
        tx,
        run,
        WaitKind.QUESTION,
        target_kind=relay_rows.CREDENTIAL,
        target_id=target,
        who_can_act="credentials.manage",
        now=now,
        attempt=attempt,
    )


def _publish_auth(tx: Tx, run: Run, by_engine: Mapping[str, type[events.RunFact]]) -> None:
    """Journal that the engine's credential was rejected, or counts again. The link is a path below the console."""
    event = by_engine.get(run.engine or "")
    if event is not None:
        extra = {"engine": run.engine, "project": str(run.project_id), "console_url": f"/r/{run.number}"}
        tx.publish(event(run=run, extra=extra))


async def close_credential_waits(tx: Tx, *, now: datetime, limit: int = 50) -> int:
    """Close waits for a credential that was stored, or was seen to count, since they were opened."""
    closed = 0
    waiting = await relay_rows.claim_credential_waits(tx, limit=limit)
    known = await vault.list_credentials(tx) if waiting else []
    for wait, run in waiting:
        if any(_works_for(item, run, wait.opened_at) for item in known):
            await wait_rows.close(
                tx, wait.id, status="resolved", resolution="credential_replaced", text=None, by="system", now=now
            )
            _publish_auth(tx, run, events.AUTH_SYNCHRONIZED)
            closed += 1
    return closed


def _works_for(item: vault.Credential, run: Run, since: datetime) -> bool:
    reaches = item.project_id in (None, run.project_id) and item.repository_id in (None, run.repository_id)
    return (
        reaches
        and item.purpose == bucket_of(run)
        and rules.works_since(item.state, stored_at=item.created_at, checked_at=item.checked_at, since=since)
    )


async def is_metered(reader: Reader, attempt_id: AttemptId) -> bool:
    """Say whether the relay counted calls of the attempt: then what its engine says of them is no second record."""
    return await relay_rows.relayed(reader, attempt_id) != Tokens()


def with_tokens(attempt: Attempt, tokens: Tokens) -> Attempt:
    """Return the attempt with these totals."""
    return replace(attempt, tokens_in=tokens.sent, tokens_cached=tokens.cached, tokens_out=tokens.answered)


def _tokens_of(attempt: Attempt) -> Tokens:
    return Tokens(attempt.tokens_in, attempt.tokens_cached, attempt.tokens_out)


async def _add_to_run(tx: Tx, run: Run, tokens: Tokens) -> None:
    await run_rows.add_usage(tx, run.id, tokens_in=tokens.sent, tokens_cached=tokens.cached, tokens_out=tokens.answered)

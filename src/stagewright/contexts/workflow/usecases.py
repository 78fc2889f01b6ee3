"""The policy in force: the built-in one, and a project's over it. Reads the packaged file, once."""

from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from uuid import UUID

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.projects import api as projects
from stagewright.contexts.workflow import store
from stagewright.contexts.workflow.errors import KindUnknown, PolicyInvalid
from stagewright.contexts.workflow.events import PolicyChanged
from stagewright.contexts.workflow.model.policy import Kind, Policy
from stagewright.contexts.workflow.rules.policy_loading import load_policy
from stagewright.kit.db import Reader, Tx


@lru_cache(maxsize=1)
def builtin_text() -> str:
    """Return the text of the built-in policy as it is packaged."""
    return files("stagewright.contexts.workflow.rules").joinpath("builtin.yaml").read_text(encoding="utf-8")


@lru_cache(maxsize=64)
def effective_policy(project_text: str | None = None, platform_text: str | None = None) -> Policy:
    """Return the policy of a project's file over the platform's over the built-in one. Raises PolicyInvalid."""
    return load_policy(builtin_text(), project_text, platform_text=platform_text)


def builtin_policy() -> Policy:
    """Return the policy that holds where no file says otherwise."""
    return effective_policy()


def kind_of(policy: Policy, kind: str) -> Kind:
    """Return the row of ``kind``. Raises KindUnknown."""
    row = policy.kinds.get(kind)
    if row is None:
        raise KindUnknown(f"The policy knows no kind {kind!r}; use one of: {', '.join(policy.kinds)}.", kind=kind)
    return row


async def policy_in_force(reader: Reader, repository_id: UUID) -> Policy:
    """Return the repository's policy: its last valid file over the built-in one; the built-in one before any."""
    kept = await store.find(reader, repository_id)
    if kept is None:
        return builtin_policy()
    try:
        return effective_policy(kept.project_text)
    except PolicyInvalid:
        return builtin_policy()  # valid under an older program only; the next reading says so


async def keep_policy(
    tx: Tx, repository: projects.Repository, *, text: str | None, commit_sha: str, now: datetime
) -> Policy:
    """Put the project's file as read at ``commit_sha`` in force. An invalid one changes nothing but the incident."""
    kept = await store.find(tx, repository.id)
    if kept is not None and kept.commit_sha == commit_sha:
        return await policy_in_force(tx, repository.id)
    problem: str | None = None
    kept_text = text
    try:
        policy = effective_policy(text)
    except PolicyInvalid as error:
        policy = await policy_in_force(tx, repository.id)
        kept_text = kept.project_text if kept is not None else None
        problem = "; ".join(item.message for item in error.problems[:20]) or error.message
        await incidents.report(
            tx,
            level="error",
            source="workflow.policy",
            code="policy_invalid",
            message=f"{repository.full_name}: {problem}",
            project_id=repository.project_id,
            now=now,
        )
    await store.keep(
        tx,
        repository.id,
        policy_hash=policy.hash,
        project_text=kept_text,
        commit_sha=commit_sha,
        problem=problem,
        now=now,
    )
    if kept is None or (kept.hash, kept.problem) != (policy.hash, problem):
        tx.publish(
            PolicyChanged(
                project_id=repository.project_id,
                repository_id=repository.id,
                policy_hash=policy.hash,
                commit_sha=commit_sha,
                problem=problem,
            )
        )
    return policy

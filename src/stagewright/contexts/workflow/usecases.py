"""The policy in force: the built-in one, the platform's over it, a project's over both."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from stagewright.contexts.workflow.rules.matching import normalise
from stagewright.contexts.workflow.rules.policy_loading import load_policy
from stagewright.kit.db import Reader, Tx


@lru_cache(maxsize=1)
def builtin_text() -> str:
    """Return the text of the built-in policy as it is packaged."""
    return files("stagewright.contexts.workflow.rules").joinpath("builtin.yaml").read_text(encoding="utf-8")


@dataclass(slots=True)
class _PlatformFile:
    """The platform's own policy file as this process read it at its start: one for all it decides."""

    text: str | None = None


_PLATFORM = _PlatformFile()


@lru_cache(maxsize=64)
def _effective(project_text: str | None, platform_text: str | None) -> Policy:
    return load_policy(builtin_text(), project_text, platform_text=platform_text)


@contextmanager
def platform_policy(text: str | None) -> Iterator[Policy]:
    """Put the platform's own policy file in force in this process, for the block. Raises PolicyInvalid."""
    policy, before = _effective(None, text), _PLATFORM.text
    _PLATFORM.text = text
    try:
        yield policy
    finally:
        _PLATFORM.text = before


def effective_policy(project_text: str | None = None) -> Policy:
    """Return the policy of a project's file over the platform's over the built-in one. Raises PolicyInvalid."""
    return _effective(project_text, _PLATFORM.text)


def builtin_policy() -> Policy:
    """Return the policy that holds where no project says otherwise: the built-in one, with the platform's over it."""
    return effective_policy()


def kind_of(policy: Policy, kind: str) -> Kind:
    """Return the row of ``kind``. Raises KindUnknown."""
    row = policy.kinds.get(kind)
    if row is None:
        raise KindUnknown(f"The policy knows no kind {kind!r}; use one of: {', '.join(policy.kinds)}.", kind=kind)
    return row


async def policy_in_force(reader: Reader, repository_id: UUID) -> Policy:
    """Return the repository's policy: its last valid file over the built-in one; the built-in one before any."""
    aliases = await store.label_aliases(reader, repository_id)
    return _accepting(_in_force(await store.find(reader, repository_id)), aliases)


def _accepting(policy: Policy, aliases: Mapping[str, Sequence[str]]) -> Policy:
    """Return the policy, in which texts that a renaming left on the forge stand for their labels too."""
    if not aliases:
        return policy
    left = {normalise(text): key for key, texts in aliases.items() if key in policy.catalogue for text in texts}
    return replace(policy, labels_by_text={**left, **policy.labels_by_text})


def _in_force(kept: store.RepositoryPolicy | None) -> Policy:
    if kept is None:
        return builtin_policy()
    try:
        return effective_policy(kept.project_text)
    except PolicyInvalid:
        return builtin_policy()  # valid under an older program or platform policy; the next reading says so


async def keep_policy(
    tx: Tx, repository: projects.Repository, *, text: str | None, commit_sha: str, now: datetime
) -> Policy:
    """Put the project's file as read at ``commit_sha`` in force. An invalid one changes nothing but the incident."""
    kept = await store.find(tx, repository.id)
    if kept is not None and kept.commit_sha == commit_sha and kept.hash == (policy := _in_force(kept)).hash:
        return _accepting(policy, await store.label_aliases(tx, repository.id))
    problem: str | None = None
    kept_text = text
    try:
        policy = effective_policy(text)
    except PolicyInvalid as error:
        policy = _in_force(kept)
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
    return _accepting(policy, await store.label_aliases(tx, repository.id))

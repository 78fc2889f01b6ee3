"""What a repository declares at its default branch's head: read by the worker, kept for every decision after it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.deploys import store
from stagewright.contexts.deploys.events import StackRead, StackResolved, StackResolveFailed
from stagewright.contexts.projects.api import Repository
from stagewright.contexts.workflow.api import DeclaredDeploy, DeclaredRuntime, Mode
from stagewright.kit.db import Reader, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the stack says of modes, environments and deploys. Both parts are None where there is no file."""

    runtime: DeclaredRuntime | None = None
    deploy: DeclaredDeploy | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    files: int = 0
    diagnostics: int = 0


async def keep_declared(tx: Tx, repository: Repository, declared: Declared, *, commit_sha: str, now: datetime) -> None:
    """Keep what was read at ``commit_sha``; tells of it where there is a file, once for each commit."""
    before = await store.find(tx, repository.id)
    problem = declared.runtime.problem if declared.runtime is not None else None
    await store.keep(
        tx,
        store.Declaration(
            repository_id=repository.id,
            commit_sha=commit_sha,
            problem=problem,
            runtime=_runtime_row(declared.runtime),
            deploy=_deploy_row(declared.deploy),
            read_at=now,
        ),
    )
    if declared.runtime is not None and (before is None or before.commit_sha != commit_sha):
        tx.publish(_event(repository, declared, commit_sha, problem))


async def declared_runtime(reader: Reader, repository_id: UUID) -> DeclaredRuntime | None:
    """Return the declared modes and environments; None where there is no file, or nothing was read yet."""
    kept = await store.find(reader, repository_id)
    if kept is None or kept.runtime is None:
        return None
    row = kept.runtime
    default = row.get("default_mode")
    return DeclaredRuntime(
        trigger_modes={kind: Mode(mode) for kind, mode in row["trigger_modes"].items()},
        default_mode=Mode(default) if default is not None else None,
        environments=frozenset(row["environments"]),
        valid=kept.problem is None,
        problem=kept.problem,
    )


async def declared_deploy(reader: Reader, repository_id: UUID) -> DeclaredDeploy | None:
    """Return what is declared of deploys by push, or None as above."""
    kept = await store.find(reader, repository_id)
    if kept is None or kept.deploy is None:
        return None
    return DeclaredDeploy(production=kept.deploy["production"], on_push=kept.deploy["on_push"])


def _event(repository: Repository, declared: Declared, commit_sha: str, problem: str | None) -> StackRead:
    facts: dict[str, Any] = {
        "project_id": repository.project_id,
        "repository_id": repository.id,
        "commit_sha": commit_sha,
        "sources": declared.sources,
        "files": declared.files,
        "diagnostics": declared.diagnostics,
    }
    return StackResolved(**facts) if problem is None else StackResolveFailed(**facts, problem=problem)


def _runtime_row(runtime: DeclaredRuntime | None) -> Mapping[str, Any] | None:
    if runtime is None:
        return None
    return {
        "trigger_modes": {kind: mode.value for kind, mode in runtime.trigger_modes.items()},
        "default_mode": runtime.default_mode.value if runtime.default_mode is not None else None,
        "environments": sorted(runtime.environments),
    }


def _deploy_row(deploy: DeclaredDeploy | None) -> Mapping[str, Any] | None:
    return None if deploy is None else {"production": deploy.production, "on_push": deploy.on_push}

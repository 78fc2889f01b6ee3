"""Everything a pass of the worker reaches: database, ports, keys, addresses."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.deploys import api as deploys
from stagewright.contexts.runs.model import Attempt, Run
from stagewright.contexts.runs.ports import Forge, GitStore, Trees, Workloads
from stagewright.kit.clock import Clock
from stagewright.kit.crypto import MacSigner, Sealer
from stagewright.kit.db import Database

MintTokens = Callable[[Run, Attempt], Mapping[str, str]]
FindSecrets = Callable[[bytes], list[str]]

CLAIM = timedelta(seconds=60)
EFFECT_LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where workloads and people reach the platform."""

    controlplane_url: str
    tools_url: str
    relay_url: str
    public_url: str | None


@dataclass(frozen=True, slots=True)
class Outside:
    """The worker's hands. ``signer`` checks the capabilities of approvals.

    ``engine_versions`` has the pinned version of every engine that is a program of its own; another one is refused in
    the workload. ``stack_platform`` has the settings that stacks may read. ``policy_heads`` remembers at which commit
    each repository's policy and stack were read last, ``heads_seen`` when the remote was asked for its branches last,
    and its answer.
    """

    db: Database
    clock: Clock
    forge: Forge
    git: GitStore
    trees: Trees
    workloads: Workloads
    addresses: Addresses
    worker_id: str
    workload_kind: str
    mint_tokens: MintTokens
    find_secrets: FindSecrets
    redact: Callable[[str], str]
    sealer: Sealer
    signer: MacSigner
    engines_available: Callable[[UUID, UUID], Awaitable[frozenset[str]]]
    engine_versions: Mapping[str, str] = field(default_factory=dict)
    stack_platform: deploys.Platform = field(default_factory=deploys.Platform)
    policy_heads: dict[UUID, str] = field(default_factory=dict)
    heads_seen: dict[UUID, tuple[datetime, Mapping[str, str]]] = field(default_factory=dict)

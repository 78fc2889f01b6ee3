"""What a plan depends on besides the repositories: the platform, the project, the policy, and what is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Settings of the installation (``access.md`` section 13). None where the setting is not given."""

    domain: str | None = None
    candidate_domain: str | None = None
    registry: str | None = None
    ingress_class: str | None = None
    builder: str = "none"
    reserved_namespaces: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The registered project. ``repositories``: alias -> role; ``issue_repositories``: how many have issues, which
    decides the form of a candidate's key; ``quota``: the ceiling per resource; ``cluster_kinds``: what its persistent
    environments may hold cluster-wide, as ``Kind.group``."""

    key: str
    name: str
    repositories: Mapping[str, str] = field(default_factory=dict)
    quota: Mapping[str, str] = field(default_factory=dict)
    public_slots: bool = False
    cluster_kinds: frozenset[str] = frozenset()
    candidate_replicas: int = 2
    max_live: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWords:
    """What the workflow policy knows: its roles, and the modes that each kind of run allows."""

    roles: frozenset[str]
    modes: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which environment a plan is for; ``candidate``: ``i<issue>`` or ``<alias>-i<issue>``, with its issue."""

    environment: str
    candidate: str | None = None
    issue: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All of the above, and values of ``vars`` given by hand (``--var``, offline only)."""

    platform: Platform
    project: Project
    policy: PolicyWords
    overrides: Mapping[str, str] = field(default_factory=dict)

"""``environments``, ``webhookRuntime`` and ``vars`` (``stack.md`` sections 3, 4.3 and 5)."""

from typing import Literal

from pydantic import Field

from stagewright.contexts.deploys.model.document.fields import Block, Duration, Name, Quantity, Text, Whole

EnvironmentKind = Literal["production", "persistent", "candidate"]
Mode = Literal["full-env", "code-only"]


class ContainerLimits(Block):
    """The LimitRange of an environment's namespace."""

    default: dict[str, Quantity] = {}
    default_request: dict[str, Quantity] = {}
    max: dict[str, Quantity] = {}


class Egress(Block):
    """Where an environment may reach: a preset, or a network with ports."""

    preset: Literal["internet-https", "kubernetes-api", "platform"] | None = None
    cidr: Text | None = None
    ports: list[Whole] = []


class Environment(Block):
    """An environment as declared; what is unset comes from its parent, then from the defaults of its kind."""

    from_: Name | None = Field(default=None, alias="from")
    kind: EnvironmentKind | None = None
    namespace_template: Text | None = None
    domain_template: Text | None = None
    image_pull_policy: Literal["IfNotPresent", "Always"] | None = None
    pod_security: Literal["restricted", "baseline"] | None = None
    quota: dict[str, Quantity] | None = None
    limits: ContainerLimits | None = None
    egress: list[Egress] | None = None
    max_live: int | None = Field(default=None, ge=1, le=50)
    deploy_on_push: Literal["auto", "approval", "off"] | None = None
    on_failure: Literal["stop", "rollback"] | None = None


class Ttl(Block):
    """How long a candidate lives: asleep after ``sleep`` without activity, deleted after ``delete``."""

    sleep: Duration | None = None
    delete: Duration | None = None


class WebhookRuntime(Block):
    """Modes and lives of environments by kind of run and role."""

    default_mode: Mode | None = None
    trigger_modes: dict[str, Mode] = {}
    default_ttl: Ttl | Duration | None = Field(default=None, alias="defaultTTL")
    ttl_by_role: dict[str, Ttl | Duration] = {}


class Variable(Block):
    """A value that templates read. Looked up as a configuration entry, then by environment, then the default."""

    default: str | None = Field(default=None, max_length=4096)
    environments: dict[Name, str] = {}
    config: str | None = None
    pattern: str | None = None
    required: bool = True


class Version(Block):
    """A version that is written for people, raised when one of ``bumpOn`` changes."""

    value: str
    bump_on: list[str] = []

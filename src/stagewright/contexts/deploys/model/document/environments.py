"""``environments``, ``webhookRuntime``, ``vars`` and ``versions`` (``stack.md`` sections 1.5, 3, 4.3 and 5)."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, JsonValue, Tag

from stagewright.contexts.deploys.model.document.fields import (
    Block,
    ConfigKey,
    FilePath,
    Name,
    Port,
    Quantity,
    Span,
    Text,
)

EnvironmentKind = Literal["production", "persistent", "candidate"]
Mode = Literal["full-env", "code-only"]


def written(value: Any) -> str:
    """Say which alternative of a field was meant that takes a text or a map."""
    return "(text)" if isinstance(value, str | int | float) else "(map)"


class ContainerLimits(Block):
    """The LimitRange of an environment's namespace: what a container gets that says nothing itself."""

    default: dict[str, Quantity] = Field(default={}, examples=[{"cpu": "500m", "memory": "512Mi"}])
    """Limits of a container that names none, by resource."""
    default_request: dict[str, Quantity] = Field(default={}, examples=[{"cpu": "100m", "memory": "128Mi"}])
    """Requests of a container that names none, by resource."""
    max: dict[str, Quantity] = Field(default={}, examples=[{"cpu": "4", "memory": "8Gi"}])
    """The most that one container may ask for, by resource."""


_EGRESS: list[JsonValue] = [
    {"required": ["preset"], "properties": {"cidr": False, "ports": False}},
    {"required": ["cidr"], "properties": {"preset": False}},
]


class Egress(Block, json_schema_extra={"oneOf": _EGRESS}):
    """Where the pods of an environment may connect to: a preset, or a network with its ports. Exactly one of both."""

    preset: Literal["internet-https", "kubernetes-api", "platform"] | None = None
    """A destination that the platform knows."""
    cidr: Text | None = Field(default=None, examples=["203.0.113.10/32"])
    """A network. Private and link-local networks are refused for candidates."""
    ports: list[Port] = Field(default=[], examples=[[443]])
    """TCP ports of the network; only beside `cidr`."""


class Environment(Block):
    """An environment. What is not set comes from its parent, then from the defaults of its kind."""

    from_: Name | None = Field(default=None, alias="from", examples=["live"])
    """The environment it inherits from: set fields override, maps merge by key, lists replace. At most 8 deep."""
    kind: EnvironmentKind | None = None
    """What the environment is for; required unless it is inherited. A stack has at most one production and one
    candidate environment."""
    namespace_template: Text | None = Field(default=None, examples=["{{ project.key }}-{{ candidate.key }}"])
    """Its Kubernetes namespace, a DNS label. Default: project and candidate key for candidates, else project key and
    the environment's name. The template of a candidate environment must read `candidate.key`."""
    domain_template: Text | None = Field(default=None, examples=["{{ env.name }}.books.example.org"])
    """Its host: lower-case, without scheme, port or path. Default for candidates: a host under the platform's
    candidate domain where one is set; else none."""
    image_pull_policy: Literal["IfNotPresent", "Always"] | None = None
    """Set on containers that have none. Default: `IfNotPresent`."""
    pod_security: Literal["restricted", "baseline"] | None = None
    """The Pod Security Admission level of the namespace. Default: `restricted`."""
    quota: dict[str, Quantity] | None = Field(default=None, examples=[{"requests.cpu": "3", "requests.memory": "6Gi"}])
    """The namespace's ResourceQuota, by resource. May lower the project's ceiling, never raise it."""
    limits: ContainerLimits | None = None
    """The namespace's LimitRange. Default: that of the environment's kind."""
    egress: list[Egress] | None = None
    """Where pods may connect to. Default: nowhere for candidates, else `internet-https`."""
    max_live: Annotated[int, Field(ge=1, le=50)] | None = None
    """Candidate environments that may be awake at once; only for candidates. Default: the project's setting (3)."""
    deploy_on_push: Literal["auto", "approval", "off"] | None = None
    """What a push to the default branch does; only for production. Default: `approval`; `off` ignores the push."""
    on_failure: Literal["stop", "rollback"] | None = None
    """What a failed deploy does; not for candidates. Default: `stop`."""


class Ttl(Block):
    """How long a candidate environment lives: 5m <= sleep <= delete <= 14d."""

    sleep: Span | None = Field(default=None, examples=["45m"])
    """Time after the last activity until it sleeps. Default: `1h`."""
    delete: Span | None = Field(default=None, examples=["24h"])
    """Time after the release of the last lease until it is deleted. Default: `24h`."""


Life = Annotated[Annotated[Span, Tag("(text)")] | Annotated[Ttl, Tag("(map)")], Discriminator(written)]


class WebhookRuntime(Block):
    """How runs that are started by labels use environments: modes by kind of run, lives by role."""

    default_mode: Mode | None = None
    """The mode of runs that `triggerModes` does not name; must be allowed by the policy. Unset: the policy decides."""
    trigger_modes: dict[str, Mode] = Field(default={}, examples=[{"prd": "code-only", "dev": "full-env"}])
    """Mode by kind of run. A missing `_revise` kind takes the entry of its stage."""
    default_ttl: Life | None = Field(default=None, alias="defaultTTL", examples=[{"sleep": "45m", "delete": "24h"}])
    """How long candidates live; one duration alone means `delete`. Default: sleep after 1h, delete after 24h."""
    ttl_by_role: dict[str, Life] = Field(default={}, examples=[{"qa": {"sleep": "3h", "delete": "48h"}}])
    """The same by role; what is missing comes from `defaultTTL`."""


class Variable(Block):
    """A value that templates read as `vars.<name>`. Looked up in the configuration, by environment, then the
    default."""

    default: Annotated[str, Field(max_length=4096)] | None = Field(default=None, examples=["info"])
    """The value where nothing else is found; at most 4 KiB, never a template."""
    environments: dict[Name, Annotated[str, Field(max_length=4096)]] = Field(
        default={}, examples=[{"preview": "debug"}]
    )
    """Values by environment; an environment without one takes that of its parent."""
    config: ConfigKey | None = Field(default=None, examples=["MAIL_HOST"])
    """The key of a configuration entry of kind variable; its value wins."""
    pattern: str | None = Field(default=None, examples=["[a-z0-9.-]+"])
    """A regular expression that the whole value must match."""
    required: bool = True
    """Whether it is an error when no value is found."""


class Version(Block):
    """A version written for people. What is built and deployed never depends on it."""

    value: str = Field(examples=["2.4.07"])
    """The version; its last number is raised."""
    bump_on: list[FilePath] = Field(default=[], examples=[["services/api", "libs/shared"]])
    """Files and directories of the repository. A push to the default branch that changes one raises the version."""


VersionValue = Annotated[Annotated[str, Tag("(text)")] | Annotated[Version, Tag("(map)")], Discriminator(written)]

"""Readiness, hooks and the order of groups (``stack.md`` section 10)."""

from typing import Annotated, Literal

from pydantic import Field

from stagewright.contexts.deploys.model.document.fields import (
    Block,
    Duration,
    EnvName,
    Flag,
    KeyRef,
    Name,
    PortNumber,
    Quantity,
    Ref,
    Templated,
    Text,
)


class HttpProbe(Block):
    """An HTTP request that must be answered as expected."""

    service: Text = Field(examples=["api"])
    """A Kubernetes Service of the unit."""
    port: PortNumber = Field(examples=[8080])
    """Its port."""
    path: Text = Field(default="/", examples=["/healthz"])
    """The path of the request."""
    expect: Annotated[int, Field(ge=100, le=599), Templated()] = 200
    """The status of the answer."""


class TcpProbe(Block):
    """A TCP connection that must be taken."""

    service: Text = Field(examples=["postgres"])
    """A Kubernetes Service of the unit."""
    port: PortNumber = Field(examples=[5432])
    """Its port."""


class Readiness(Block):
    """When a unit is ready: all its objects are healthy, its probe passes, and both hold for `stableFor`."""

    timeout: Duration = Field(default="10m", examples=["4m"])
    """How long the unit may take."""
    stable_for: Duration = Field(default="10s", examples=["5s"])
    """How long it must stay ready."""
    http: HttpProbe | None = None
    """A probe by HTTP."""
    tcp: TcpProbe | None = None
    """A probe by TCP."""


class SecretKey(Block):
    """A key of a declared secret."""

    secret: Ref = Field(examples=["database"])
    """The secret's name."""
    key: KeyRef = Field(examples=["URL"])
    """The key in it."""


class Resources(Block):
    """Kubernetes resources of a container."""

    requests: dict[str, Quantity] = Field(default={}, examples=[{"cpu": "100m", "memory": "128Mi"}])
    """What it is given at least, by resource."""
    limits: dict[str, Quantity] = Field(default={}, examples=[{"cpu": "1", "memory": "512Mi"}])
    """What it may use at most, by resource."""


HookPhase = Literal["beforeDeploy", "afterInfrastructure", "afterDeploy", "beforeUnit", "afterUnit", "beforeDelete"]


class Hook(Block):
    """A Kubernetes Job that runs at a point of the deploy, without API rights, under the namespace's Pod Security."""

    name: Name = Field(examples=["smoke"])
    """Its name."""
    phase: Annotated[HookPhase, Templated()]
    """When it runs. Of the stack: `beforeDeploy`, `afterInfrastructure`, `afterDeploy`, `beforeDelete`; of a unit:
    `beforeUnit`, `afterUnit`, `beforeDelete`."""
    image: Text = Field(examples=["api"])
    """A declared image."""
    command: list[Text] = Field(examples=[["python", "-m", "shop.smoke"]])
    """The program and its first arguments; no shell is added."""
    args: list[Text] = []
    """More arguments."""
    when: Flag = True
    """Whether it runs at all."""
    env: dict[EnvName, Text] = Field(default={}, examples=[{"BASE_URL": "{{ url }}"}])
    """Environment variables."""
    secret_env: dict[EnvName, SecretKey] = Field(
        default={}, examples=[{"DATABASE_URL": {"secret": "database", "key": "URL"}}]
    )
    """Environment variables from declared secrets."""
    run: Annotated[Literal["always", "onChange", "once"], Templated()] = "onChange"
    """How often: at each deploy, when the rendered Job changed, or once per environment."""
    timeout: Duration = Field(default="10m", examples=["3m"])
    """How long it may take; at most 1h."""
    retries: Annotated[int, Field(ge=0, le=3), Templated()] = 0
    """How often it is tried again."""
    resources: Resources | None = None
    """What it may use. Default: the namespace's LimitRange."""
    on_failure: Annotated[Literal["fail", "continue"], Templated()] = "fail"
    """What its failure does: the deploy fails, or goes on with a warning."""


class Orchestration(Block):
    """The order of groups, and what all units share."""

    deploy_order: list[Ref] | None = Field(default=None, examples=[["migrations", "backend", "frontend"]])
    """The groups of services in the order in which they are deployed, after the infrastructure. Default: all used
    groups, alphabetically."""
    max_parallel: Annotated[int, Field(ge=1, le=16), Templated()] = 4
    """How many units are deployed at once."""
    readiness: Readiness = Readiness()
    """Defaults for the readiness of units."""
    hooks: list[Hook] = []
    """Hooks of the whole stack."""

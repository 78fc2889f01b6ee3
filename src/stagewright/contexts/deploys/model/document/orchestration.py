"""Readiness, hooks and the order of groups (``stack.md`` section 10)."""

from typing import Literal

from pydantic import Field

from stagewright.contexts.deploys.model.document.fields import Block, Duration, Flag, Name, Quantity, Text, Whole


class HttpProbe(Block):
    """An HTTP request that must be answered as expected."""

    service: Text
    port: Whole
    path: Text = "/"
    expect: Whole = 200


class TcpProbe(Block):
    """A TCP connection that must be taken."""

    service: Text
    port: Whole


class Readiness(Block):
    """When a unit counts as ready."""

    timeout: Duration = "10m"
    stable_for: Duration = "10s"
    http: HttpProbe | None = None
    tcp: TcpProbe | None = None


class SecretKey(Block):
    """A key of a declared secret."""

    secret: Name
    key: str


class Resources(Block):
    """Kubernetes resources of a container."""

    requests: dict[str, Quantity] = {}
    limits: dict[str, Quantity] = {}


HookPhase = Literal["beforeDeploy", "afterInfrastructure", "afterDeploy", "beforeUnit", "afterUnit", "beforeDelete"]


class Hook(Block):
    """A Kubernetes Job that runs at a point of the deploy."""

    name: Name
    phase: HookPhase
    image: Name
    command: list[Text]
    args: list[Text] = []
    when: Flag = True
    env: dict[str, Text] = {}
    secret_env: dict[str, SecretKey] = {}
    run: Literal["always", "onChange", "once"] = "onChange"
    timeout: Duration = "10m"
    retries: int = Field(default=0, ge=0, le=3)
    resources: Resources | None = None
    on_failure: Literal["fail", "continue"] = "fail"


class Orchestration(Block):
    """The order of groups, and what all units share."""

    deploy_order: list[Name] | None = None
    max_parallel: int = Field(default=4, ge=1, le=16)
    readiness: Readiness = Readiness()
    hooks: list[Hook] = []

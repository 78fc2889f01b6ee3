"""Services, infrastructure and components (``stack.md`` section 6)."""

from typing import Annotated, Literal

from pydantic import Field

from stagewright.contexts.deploys.model.document.fields import (
    Block,
    Flag,
    Name,
    PathText,
    PortNumber,
    Ref,
    Templated,
    Text,
)
from stagewright.contexts.deploys.model.document.orchestration import Hook, Readiness

Strategy = Literal["rebuild", "restart", "hot-reload"]
StrategyField = Annotated[Strategy, Templated()]


class Manifest(Block):
    """Files of Kubernetes objects."""

    path: PathText = Field(examples=["deploy/k8s/api.yaml"])
    """A file or a pattern, relative to the root of the repository that declares it."""
    render: Flag = True
    """Whether templates in it are rendered."""
    when: Flag = True
    """Whether it is used in this environment."""


class ConfigMap(Block):
    """Files that become the keys of a ConfigMap, by base name; at most 900 KiB."""

    name: Name = Field(examples=["migrations"])
    """Its name."""
    files: list[PathText] = Field(min_length=1, examples=[["services/api/migrations/*.sql"]])
    """Files and patterns."""
    when: Flag = True
    """Whether it exists in this environment."""


class Sync(Block):
    """Files that reach a container without a build."""

    paths: list[PathText] = Field(min_length=1, examples=[["services/api/src"]])
    """Files and directories of the repository."""
    container: Ref = Field(examples=["api"])
    """The container that gets them."""
    mount_path: PathText = Field(examples=["/app/src"])
    """Where they stand in it: absolute, not `/`, not a system directory."""
    exclude: list[PathText] = Field(default=[], examples=[["**/*.md"]])
    """Patterns of files to leave out."""


class Expose(Block):
    """A path of the environment's host that leads to a Service; the platform makes the Ingress."""

    service: Text = Field(examples=["api"])
    """A Kubernetes Service of the unit."""
    port: PortNumber = Field(examples=[8080])
    """Its port."""
    path: Text = Field(default="/", examples=["/api"])
    """The path, with everything below it."""
    host_prefix: Text | None = Field(default=None, examples=["admin"])
    """A label in front of the environment's host."""
    access: Annotated[Literal["gated", "public"], Templated()] = "gated"
    """Who may come: people who are signed in, or everybody. In candidates `public` needs a project setting."""
    public_paths: list[Text] = Field(default=[], examples=[["/webhooks"]])
    """Paths that are open to everybody all the same."""


class Unit(Block):
    """A part of the infrastructure. It is deployed before all services."""

    name: Name = Field(examples=["postgres"])
    """Its name, unique over services and infrastructure."""
    when: Flag = Field(default=True, examples=["{{ env.kind == 'candidate' }}"])
    """Whether it exists in this environment; read at plan time."""
    depends_on: list[Ref] | None = Field(default=None, examples=[["postgres"]])
    """Units that must be ready first; not of a later group."""
    manifests: list[Manifest] = []
    """Its Kubernetes objects, keyed by `path`."""
    config_maps: list[ConfigMap] | None = None
    """ConfigMaps made from files, keyed by `name`; a new content restarts the pods that use them."""
    readiness: Readiness | None = None
    """When it is ready."""
    hooks: list[Hook] | None = None
    """Jobs around it, keyed by `name`."""
    protected: Flag = False
    """Whether its objects are never pruned or recreated, only reported."""


class Service(Unit):
    """A part of the product. Fields that are not set may come from its components."""

    use: list[Ref] = Field(default=[], examples=[["fast-loop"]])
    """Components, the first one that sets a field wins."""
    deploy_group: Ref | None = Field(default=None, examples=["backend"])
    """The group it is deployed with. Default: `default`."""
    code_update_strategy: StrategyField | None = None
    """How new code reaches it in candidates: a build, new pods with new files, or files into running pods. Default, and
    everywhere else: `rebuild`."""
    sync: Sync | None = None
    """The files for `restart` and `hot-reload`, which need it."""
    scope: Annotated[Literal["environment", "singleton"], Templated()] = "environment"
    """`singleton` is deployed in the production environment only; others read `singletons.<name>`."""
    expose: list[Expose] | None = None
    """What of it can be reached from outside."""


class ComponentDefaults(Block):
    """Values for services that use the component. Each is taken whole."""

    code_update_strategy: StrategyField | None = None
    """How new code reaches the service in candidates."""
    deploy_group: Ref | None = Field(default=None, examples=["backend"])
    """The group the service is deployed with."""
    depends_on: list[Ref] | None = None
    """Units that must be ready first."""
    sync: Sync | None = None
    """Files that reach a container without a build."""
    readiness: Readiness | None = None
    """When the service is ready."""
    hooks: list[Hook] | None = None
    """Jobs around the service."""
    config_maps: list[ConfigMap] | None = None
    """ConfigMaps made from files."""
    expose: list[Expose] | None = None
    """What can be reached from outside."""


class Component(Block):
    """Named defaults for services. Components cannot use components."""

    name: Name = Field(examples=["fast-loop"])
    """Its name."""
    defaults: ComponentDefaults = ComponentDefaults()
    """The values."""

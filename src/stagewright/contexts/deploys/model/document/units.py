"""Services, infrastructure and components (``stack.md`` section 6)."""

from typing import Literal

from pydantic import Field

from stagewright.contexts.deploys.model.document.fields import Block, Flag, Name, Text, Whole
from stagewright.contexts.deploys.model.document.orchestration import Hook, Readiness

Strategy = Literal["rebuild", "restart", "hot-reload"]


class Manifest(Block):
    """Files of Kubernetes objects; ``path`` may be a pattern."""

    path: Text
    render: Flag = True
    when: Flag = True


class ConfigMap(Block):
    """Files that become the keys of a ConfigMap."""

    name: Name
    files: list[Text] = Field(min_length=1)
    when: Flag = True


class Sync(Block):
    """Files that are copied into a running container."""

    paths: list[Text] = Field(min_length=1)
    container: Name
    mount_path: Text
    exclude: list[Text] = []


class Expose(Block):
    """A path of the environment's host that leads to a Service."""

    service: Text
    port: Whole
    path: Text = "/"
    host_prefix: Text | None = None
    access: Literal["gated", "public"] = "gated"
    public_paths: list[Text] = []


class Unit(Block):
    """What infrastructure and services share."""

    name: Name
    when: Flag = True
    depends_on: list[Name] | None = None
    manifests: list[Manifest] = []
    config_maps: list[ConfigMap] | None = None
    readiness: Readiness | None = None
    hooks: list[Hook] | None = None
    protected: bool = False


class Service(Unit):
    """A part of the product. Fields that are None may come from a component."""

    use: list[Name] = []
    deploy_group: Name | None = None
    code_update_strategy: Strategy | None = None
    sync: Sync | None = None
    scope: Literal["environment", "singleton"] = "environment"
    expose: list[Expose] | None = None


class ComponentDefaults(Block):
    """Values for services that use the component; each is taken whole."""

    code_update_strategy: Strategy | None = None
    deploy_group: Name | None = None
    depends_on: list[Name] | None = None
    sync: Sync | None = None
    readiness: Readiness | None = None
    hooks: list[Hook] | None = None
    config_maps: list[ConfigMap] | None = None
    expose: list[Expose] | None = None


class Component(Block):
    """Named defaults."""

    name: Name
    defaults: ComponentDefaults = ComponentDefaults()

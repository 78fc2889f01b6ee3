"""The whole document: envelope and ``spec`` (``stack.md`` section 1)."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from stagewright.contexts.deploys.model.document.environments import (
    Environment,
    Variable,
    VersionValue,
    WebhookRuntime,
    written,
)
from stagewright.contexts.deploys.model.document.fields import (
    LABEL_KEY,
    LABEL_VALUE,
    PROJECT_KEY,
    Block,
    FilePath,
    Name,
    Word,
)
from stagewright.contexts.deploys.model.document.images import Image
from stagewright.contexts.deploys.model.document.orchestration import Orchestration
from stagewright.contexts.deploys.model.document.secrets import Secret, SecretResolution
from stagewright.contexts.deploys.model.document.units import Component, Service, Unit

API_VERSION = "stagewright.dev/v1alpha1"
STACK = "ServiceStack"
FRAGMENT = "ServiceStackFragment"
PLATFORM_PREFIX = "stagewright.dev/"
LabelKey = Annotated[str, StringConstraints(pattern=LABEL_KEY)]
LabelValue = Annotated[str, StringConstraints(pattern=LABEL_VALUE)]


class Import(Block):
    """A file whose content is merged under the importing one."""

    path: FilePath = Field(examples=["deploy/units/*.yaml"])
    """A file or a pattern, relative to the importing file; with `repository`, to that repository's root."""
    repository: Name | None = Field(default=None, examples=["ui"])
    """The alias of another repository."""
    optional: bool = False
    """Whether it is all right that nothing matches."""


ImportItem = Annotated[Annotated[FilePath, Tag("(text)")] | Annotated[Import, Tag("(map)")], Discriminator(written)]


class RepositoryUse(Block):
    """Another repository of the project that the stack reads."""

    alias: Name = Field(examples=["ui"])
    """Its alias in the project; owner and address come from the registry."""
    required: bool = True
    """Whether it is an error when the repository cannot be read; otherwise what it holds is left out."""
    ref: str | None = Field(default=None, examples=["release"])
    """A branch, tag or commit. Default: the default branch."""
    stack_path: FilePath = "services.yaml"
    """Where its stack file lies."""


class ProjectDoc(Block):
    """A document that agents are given to read."""

    path: FilePath = Field(examples=["docs/ux.md"])
    """A file or a directory, which stands for its listing."""
    repository: Name | None = Field(default=None, examples=["handbook"])
    """The alias of its repository; required if the stack has more than one."""
    description: str = Field(max_length=200, examples=["interface rules"])
    """What it is about, at most 200 characters."""
    roles: list[str] = Field(default=[], examples=[["dev", "qa"]])
    """The roles that get it; none means all."""
    priority: int = 100
    """Lower ones come first and are cut last."""
    optional: bool = False
    """Whether it may be missing."""


class RoleTemplate(Block):
    """A template of a document that a role writes."""

    path: FilePath = Field(examples=["templates/test-plan.md"])
    """The file."""
    repository: Name | None = Field(default=None, examples=["handbook"])
    """The alias of its repository; required if the stack has more than one."""
    description: str = Field(max_length=200, examples=["test plan skeleton"])
    """What it is for, at most 200 characters."""


class Spec(Block):
    """The content of a stack. A fragment needs nothing of it."""

    project: Annotated[str, StringConstraints(pattern=PROJECT_KEY)] | None = Field(default=None, examples=["bookshop"])
    """The key of the registered project. Default: `metadata.name`."""
    imports: list[ImportItem] = Field(default=[], examples=[["deploy/images.yaml", {"path": "deploy/units/*.yaml"}]])
    """Files that are merged under this one; a text alone means its path."""
    repositories: list[RepositoryUse] = []
    """Other repositories of the project, keyed by `alias`."""
    versions: dict[Word, VersionValue] = Field(
        default={}, examples=[{"api": {"value": "2.4.07", "bumpOn": ["services/api"]}, "schema": "12"}]
    )
    """Versions for people, read as `versions.<key>`; a text alone is never raised."""
    vars: dict[Word, Variable] = {}
    """Values for templates, read as `vars.<name>`."""
    environments: dict[Name, Environment] = {}
    """The environments; a stack needs at least one."""
    webhook_runtime: WebhookRuntime = WebhookRuntime()
    """Modes of runs, and lives of candidate environments."""
    components: list[Component] = []
    """Named defaults for services, keyed by `name`."""
    images: dict[Name, Image] = {}
    """The images that manifests and hooks use."""
    secrets: list[Secret] = []
    """The secrets that the platform writes, keyed by `name`."""
    secret_resolution: SecretResolution = SecretResolution()
    """Which configuration keys are read per environment."""
    infrastructure: list[Unit] = []
    """Units that are deployed first, keyed by `name`."""
    services: list[Service] = []
    """The units of the product, keyed by `name`."""
    orchestration: Orchestration = Orchestration()
    """Order, parallelism, readiness and hooks."""
    project_docs: list[ProjectDoc] = []
    """Documents for agents, keyed by `repository` and `path`."""
    role_doc_templates: dict[str, list[RoleTemplate]] = {}
    """Templates of documents by role."""


class Metadata(Block):
    """The stack's name, and labels for all its objects."""

    name: Name | None = Field(default=None, examples=["bookshop"])
    """The stack's name; required except in a fragment, not templated."""
    labels: dict[LabelKey, LabelValue] = Field(
        default={},
        examples=[{"team": "books"}],
        json_schema_extra={"propertyNames": {"not": {"pattern": f"^{PLATFORM_PREFIX}"}}},
    )
    """Labels that every object gets; the prefix `stagewright.dev/` is the platform's."""


class Stack(Block):
    """A stack (root), or a fragment that a stack imports."""

    api_version: Literal["stagewright.dev/v1alpha1"]
    """The version of this format."""
    kind: Literal["ServiceStack", "ServiceStackFragment"]
    """Whether this file is a stack, or a part that one imports."""
    metadata: Metadata = Metadata()
    """Name and labels."""
    spec: Spec = Spec()
    """The content."""

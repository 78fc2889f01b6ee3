"""The whole document: envelope and ``spec`` (``stack.md`` section 1)."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from stagewright.contexts.deploys.model.document.environments import Environment, Variable, Version, WebhookRuntime
from stagewright.contexts.deploys.model.document.fields import Block, Name, Word
from stagewright.contexts.deploys.model.document.images import Image
from stagewright.contexts.deploys.model.document.orchestration import Orchestration
from stagewright.contexts.deploys.model.document.secrets import Secret, SecretResolution
from stagewright.contexts.deploys.model.document.units import Component, Service, Unit

API_VERSION = "stagewright.dev/v1alpha1"
STACK = "ServiceStack"
FRAGMENT = "ServiceStackFragment"


class Import(Block):
    """A file whose content is merged under the importing one; a text alone means its path."""

    path: str
    repository: Name | None = None
    optional: bool = False


class RepositoryUse(Block):
    """Another repository of the project that the stack reads."""

    alias: Name
    required: bool = True
    ref: str | None = None
    stack_path: str = "services.yaml"


class ProjectDoc(Block):
    """A document for the prompts of runs."""

    path: str
    repository: Name | None = None
    description: str = Field(max_length=200)
    roles: list[str] = []
    priority: int = 100
    optional: bool = False


class RoleTemplate(Block):
    """A template of a document for one role."""

    path: str
    repository: Name | None = None
    description: str = Field(max_length=200)


class Spec(Block):
    """The content of a stack."""

    project: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,29}$")] | None = None
    imports: list[str | Import] = []
    repositories: list[RepositoryUse] = []
    versions: dict[Word, str | Version] = {}
    vars: dict[Word, Variable] = {}
    environments: dict[Name, Environment] = {}
    webhook_runtime: WebhookRuntime = WebhookRuntime()
    components: list[Component] = []
    images: dict[Name, Image] = {}
    secrets: list[Secret] = []
    secret_resolution: SecretResolution = SecretResolution()
    infrastructure: list[Unit] = []
    services: list[Service] = []
    orchestration: Orchestration = Orchestration()
    project_docs: list[ProjectDoc] = []
    role_doc_templates: dict[str, list[RoleTemplate]] = {}


class Metadata(Block):
    """The stack's name, and labels for all its objects."""

    name: Name | None = None
    labels: dict[str, str] = {}


class Stack(Block):
    """A stack (root) or a fragment of one."""

    api_version: Literal["stagewright.dev/v1alpha1"]
    kind: Literal["ServiceStack", "ServiceStackFragment"]
    metadata: Metadata = Metadata()
    spec: Spec = Spec()

"""Secret declarations and how their values are found (``stack.md`` sections 8 and 9)."""

from typing import Literal

from pydantic import Field

from stagewright.contexts.deploys.model.document.fields import Block, Flag, Name, Text


class Generate(Block):
    """A value that the vault makes once per environment."""

    kind: Literal["password", "hex", "base64url", "uuid", "ed25519", "rsa"]
    length: int = Field(default=32, ge=8, le=4096)
    alphabet: str | None = None
    rotate: Literal["never", "manual"] = "never"


class FromConfig(Block):
    """A value of the project's configuration."""

    config: str
    required: bool = True
    default: str | None = None


class CopyFrom(Block):
    """A value of another environment."""

    environment: Name
    secret: Name
    key: str


class KeySource(Block):
    """Exactly one of ``generate``, ``from``, ``copy`` and ``compose`` (``stack.secret_source``)."""

    generate: Generate | None = None
    from_: FromConfig | None = Field(default=None, alias="from")
    copy_: CopyFrom | None = Field(default=None, alias="copy")
    compose: Text | None = None
    shareable: bool = False


class Secret(Block):
    """A Kubernetes Secret that the platform writes."""

    name: Name
    type: Literal["Opaque", "kubernetes.io/tls", "kubernetes.io/dockerconfigjson", "kubernetes.io/basic-auth"] = (
        "Opaque"
    )
    when: Flag = True
    environments: list[Name] | None = None
    keys: dict[str, KeySource] = Field(min_length=1)
    restart: Literal["auto", "none"] = "auto"


class KeyOverride(Block):
    """Another key to read for some environments."""

    source_key: str
    override_keys: dict[Name, str]


class KeyPattern(Block):
    """A rule that makes the other key from the first."""

    source_prefix: str
    exclude_prefixes: list[str] = []
    exclude_suffixes: list[str] = []
    environments: list[Name]
    override_template: str


class SecretResolution(Block):
    """How keys are looked up per environment."""

    environment_aliases: dict[Name, list[Name]] = {}
    key_overrides: list[KeyOverride] = []
    patterns: list[KeyPattern] = []

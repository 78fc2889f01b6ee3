"""Secret declarations and how their values are found (``stack.md`` sections 8 and 9)."""

from typing import Annotated, Literal

from pydantic import Field

from stagewright.contexts.deploys.model.document.fields import (
    Block,
    ConfigKey,
    Flag,
    KeyRef,
    Name,
    Ref,
    SecretKeyName,
    Templated,
    Text,
)


class Generate(Block):
    """A value that the vault makes once per environment; it goes with the environment."""

    kind: Annotated[Literal["password", "hex", "base64url", "uuid", "ed25519", "rsa"], Templated()]
    """What is made."""
    length: Annotated[int, Field(ge=8, le=4096), Templated()] = 32
    """How many characters; of a key in bits where its kind has sizes."""
    alphabet: Text | None = Field(default=None, examples=["abcdefghjkmnpqrstuvwxyz23456789"])
    """The characters of a password."""
    rotate: Annotated[Literal["never", "manual"], Templated()] = "never"
    """Whether people may ask for a new value."""


class FromConfig(Block):
    """A value of the project's configuration."""

    config: Annotated[ConfigKey, Templated()] = Field(examples=["PAYMENTS_API_KEY"])
    """The key of the entry; `secretResolution` may lead to another one."""
    required: Flag = True
    """Whether it is an error when no value is found."""
    default: Text | None = None
    """The value where none is found; only outside production."""


class CopyFrom(Block):
    """The value that another environment has. Into a candidate only what its source calls `shareable`."""

    environment: Ref = Field(examples=["rehearsal"])
    """The other environment."""
    secret: Ref = Field(examples=["database"])
    """The secret there."""
    key: KeyRef = Field(examples=["PASSWORD"])
    """The key in it."""


SOURCES = ("generate", "from", "copy", "compose")


class KeySource(Block, json_schema_extra={"oneOf": [{"required": [source]} for source in SOURCES]}):
    """Where the value of a key comes from: exactly one of `generate`, `from`, `copy` and `compose`."""

    generate: Generate | None = None
    """Made once per environment, at random."""
    from_: FromConfig | None = Field(default=None, alias="from")
    """Taken from the configuration."""
    copy_: CopyFrom | None = Field(default=None, alias="copy")
    """Taken from another environment."""
    compose: Text | None = Field(
        default=None, examples=["postgresql://app:{{ keys.PASSWORD }}@postgres.{{ namespace }}/app"]
    )
    """A text with `{{ keys.OTHER }}` of the same secret and public variables, put together inside the vault."""
    shareable: Flag = False
    """Whether `copy` may bring the value into a candidate."""


SecretType = Literal["Opaque", "kubernetes.io/tls", "kubernetes.io/dockerconfigjson", "kubernetes.io/basic-auth"]


class Secret(Block):
    """A Kubernetes Secret that the platform writes. Values never stand in files, templates, plans or logs."""

    name: Name = Field(examples=["database"])
    """Its name."""
    type: Annotated[SecretType, Templated()] = "Opaque"
    """The Kubernetes type."""
    when: Flag = True
    """Whether it exists in this environment."""
    environments: list[Ref] | None = Field(default=None, examples=[["live", "preview"]])
    """The environments that have it. Default: all."""
    keys: dict[SecretKeyName, KeySource] = Field(
        min_length=1, examples=[{"PASSWORD": {"generate": {"kind": "password"}}}]
    )
    """Its keys and where their values come from."""
    restart: Annotated[Literal["auto", "none"], Templated()] = "auto"
    """Whether a new value restarts the pods that use it."""


class KeyOverride(Block):
    """Another configuration key for some environments."""

    source_key: ConfigKey = Field(examples=["PAYMENTS_API_KEY"])
    """The key that is asked for; stands once in the list."""
    override_keys: dict[Name, ConfigKey] = Field(examples=[{"preview": "PAYMENTS_SANDBOX_KEY"}])
    """The key that is read instead, by environment."""


class KeyPattern(Block):
    """A rule that makes the other configuration key from the one that is asked for."""

    source_prefix: str = Field(examples=["MAIL_"])
    """Keys that begin with this are meant."""
    exclude_prefixes: list[str] = Field(default=[], examples=[["MAIL_PUBLIC_"]])
    """Keys that begin with one of these are not."""
    exclude_suffixes: list[str] = Field(default=[], examples=[["_HOST"]])
    """Keys that end with one of these are not."""
    environments: list[Name] = Field(examples=[["preview", "rehearsal"]])
    """The environments that the rule is for."""
    override_template: str = Field(examples=["{key}_{env_upper}"])
    """The other key, with `{key}`, `{suffix}`, `{env}` and `{env_upper}`."""


class SecretResolution(Block):
    """Which configuration keys are read for an environment. No pattern is built in."""

    environment_aliases: dict[Name, list[Name]] = Field(default={}, examples=[{"live": ["prod"]}])
    """Other names of environments in the configuration. Built in: `production: [prod]`."""
    key_overrides: list[KeyOverride] = []
    """Other keys, one by one; they come first."""
    patterns: list[KeyPattern] = []
    """Other keys by rule; every rule that matches is tried, in order."""

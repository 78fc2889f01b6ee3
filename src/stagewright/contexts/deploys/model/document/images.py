"""Images, external and built (``stack.md`` section 7)."""

from typing import Annotated, Literal

from pydantic import Field

from stagewright.contexts.deploys.model.document.fields import (
    Block,
    Duration,
    Flag,
    KeyRef,
    PathText,
    Ref,
    Templated,
    Text,
)
from stagewright.contexts.deploys.model.document.orchestration import Resources


class BuildSecret(Block):
    """A secret that the builder mounts while it builds; never an argument."""

    id: Text = Field(examples=["npm-token"])
    """The id under which the Dockerfile mounts it."""
    secret: Ref = Field(examples=["registry"])
    """A declared secret."""
    key: KeyRef = Field(examples=["TOKEN"])
    """A key of it."""


_EXTERNAL = {"const": "external"}
_BUILD_ONLY = (
    "context",
    "dockerfile",
    "target",
    "args",
    "buildSecrets",
    "platforms",
    "aliases",
    "resources",
    "timeout",
)
_EXTERNAL_ONLY = ("from", "mirror")
ONLY: dict[str, tuple[str, ...]] = {"external": _EXTERNAL_ONLY, "build": _BUILD_ONLY}
"""The fields that one type of image has and the other has not (``stack.image_fields``)."""


class Image(
    Block,
    json_schema_extra={
        "if": {"properties": {"type": {"const": "external"}}},
        "then": {"required": ["from"], "properties": dict.fromkeys(_BUILD_ONLY, False)},
        "else": {"properties": dict.fromkeys(_EXTERNAL_ONLY, False)},
    },
):
    """An image: one that exists (`external`), or one that the platform builds (`build`). Templates read it as
    `images.<name>`."""

    type: Literal["external", "build"]
    """Whether the image exists or is built; not templated."""
    when: Flag = True
    """Whether the image is used in this environment."""
    from_: Text | None = Field(default=None, alias="from", examples=["postgres:17"])
    """External: its reference with a tag or a digest; a tag becomes a digest at plan time."""
    mirror: Annotated[Literal["auto", "never"], Templated()] | None = None
    """External: whether it is copied into the platform's registry where there is one. Default: `auto`."""
    context: PathText | None = Field(default=None, examples=["services/api"])
    """Build: the directory of the sources. Default: `.`, the repository's root."""
    dockerfile: PathText | None = Field(default=None, examples=["services/api/Dockerfile"])
    """Build: the Dockerfile. Default: `Dockerfile` in the context."""
    target: Text | None = Field(default=None, examples=["runtime"])
    """Build: the stage to build. Default: the last one."""
    args: dict[str, Text] | None = Field(default=None, examples=[{"MODE": "{{ env.kind }}"}])
    """Build: arguments. Names that look like secrets are refused; use `buildSecrets`."""
    build_secrets: list[BuildSecret] | None = None
    """Build: secrets that are mounted while building."""
    platforms: list[Text] | None = Field(default=None, examples=[["linux/amd64", "linux/arm64"]])
    """Build: OCI platforms. Default: `linux/amd64`."""
    aliases: list[Text] | None = Field(default=None, examples=[["{{ versions.api }}"]])
    """Build: more tags, pushed by builds from the default branch only."""
    resources: Resources | None = None
    """Build: what the build may use. Default: requests 1 CPU and 2Gi, limits 4 CPU and 8Gi."""
    timeout: Duration | None = Field(default=None, examples=["30m"])
    """Build: how long it may take. Default: `30m`."""

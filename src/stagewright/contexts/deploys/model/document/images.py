"""Images, external and built (``stack.md`` section 7)."""

from typing import Literal

from pydantic import Field

from stagewright.contexts.deploys.model.document.fields import Block, Duration, Flag, Name, Text
from stagewright.contexts.deploys.model.document.orchestration import Resources


class BuildSecret(Block):
    """A secret that the builder mounts; never an argument."""

    id: str
    secret: Name
    key: str


class Image(Block):
    """An image. Which fields belong to which type is checked apart (``stack.image_fields``)."""

    type: Literal["external", "build"]
    when: Flag = True
    from_: Text | None = Field(default=None, alias="from")
    mirror: Literal["auto", "never"] | None = None
    context: Text | None = None
    dockerfile: Text | None = None
    target: Text | None = None
    args: dict[str, Text] | None = None
    build_secrets: list[BuildSecret] | None = None
    platforms: list[str] | None = None
    aliases: list[Text] | None = None
    resources: Resources | None = None
    timeout: Duration | None = None

"""A Kubernetes object of a unit on its way from a manifest into the plan, and the places of its fields."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stagewright.contexts.deploys.model.places import At, Path, Step
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence

Body = dict[str, Any]
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
TEMPLATES: dict[str, Path] = {
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "PodTemplate": ("template",),
}
"""Where a kind keeps its pod template, if not under ``spec.template``."""


class PodTemplate(NamedTuple):
    """A pod template inside an object. ``path`` leads to it; ``metadata`` and ``spec`` are its parts."""

    path: Path
    metadata: Body
    spec: Body

    def containers(self) -> Iterator[tuple[Path, Body]]:
        """Give every container of every sort, with its path in the object."""
        for field_name in CONTAINERS:
            for place, item in enumerate(as_list(self.spec.get(field_name))):
                if isinstance(item, dict):
                    yield (*self.path, "spec", field_name, place), item


@dataclass(slots=True, eq=False)
class Unfinished:
    """An object as its manifest gives it, rendered. ``node``: the document it was read from, None for what the platform
    makes; ``rendered``: whether its templates were; ``generated``: made by the platform from other fields."""

    body: Body
    at: At | None
    unit: str
    node: Mapping | None = None
    rendered: bool = True
    generated: bool = False
    group: str = field(init=False)
    version: str = field(init=False)
    kind: str = field(init=False)
    name: str = field(init=False)
    pods: tuple[PodTemplate, ...] = field(init=False)

    def __post_init__(self) -> None:
        api_version = as_text(self.body.get("apiVersion"))
        self.group, _, self.version = api_version.rpartition("/")
        self.kind = as_text(self.body.get("kind"))
        self.name = as_text(as_map(self.body.get("metadata")).get("name"))
        self.pods = tuple(_pods(self.body, self.kind))

    def __str__(self) -> str:
        return " ".join(filter(None, (self.kind, self.name))) or "an object"

    @property
    def type(self) -> str:
        """The kind with its group, as ``Deployment.apps``; the core group stands alone."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def place(self, path: Path) -> At | None:
        """Return where ``path`` stands in the file: the nearest that is written there."""
        return self.at if self.node is None else _nearest(self.node, path, self.at)

    def written(self, path: Path) -> Node | None:
        """Return the node that stands at ``path`` in the file; None where it is not found for sure."""
        node: Node | None = self.node
        value: object = self.body
        for step in path:
            node, value = _below(node, step, value), _inside(value, step)
        return node


def _below(node: Node | None, step: Step, value: object) -> Node | None:
    if isinstance(node, Mapping) and isinstance(step, str):
        return node.items.get(step)
    if isinstance(node, Sequence) and isinstance(step, int) and isinstance(value, list):
        same = len(node.items) == len(value) and step < len(value)  # templates may have left items out
        return node.items[step] if same else None
    return None


def _inside(value: object, step: Step) -> object:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _nearest(node: Mapping, path: Path, otherwise: At | None) -> At | None:
    place, current = otherwise, node
    last: Node = current
    for step in path:
        if isinstance(last, Mapping) and isinstance(step, str) and step in last.items:
            place = last.keys.get(step, place)
            last = last.items[step]
        elif isinstance(last, Sequence) and isinstance(step, int) and step < len(last.items):
            last = last.items[step]
            place = last.at
        else:
            return place
    return last.at if isinstance(last, Scalar) else place


def _pods(body: Body, kind: str) -> Iterator[PodTemplate]:
    path = TEMPLATES.get(kind, ("spec", "template"))
    if kind == "Pod":
        yield PodTemplate((), as_map(body.get("metadata")), as_map(body.get("spec")))
        return
    value: object = body
    for step in path:
        value = _inside(value, step)
    if isinstance(value, dict) and isinstance(value.get("spec"), dict):
        spec = value["spec"]
        if any(isinstance(spec.get(name), list) for name in CONTAINERS):
            yield PodTemplate(path, as_map(value.get("metadata")), spec)


def as_map(value: object) -> Body:
    """Return ``value`` where it is a map, else an empty one: the API server says what is wrong with its type."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return ``value`` where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """Return ``value`` where it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def dotted(path: Path) -> str:
    """Return ``path`` as Kubernetes writes it: ``spec.containers[0].image``."""
    text = ""
    for step in path:
        if isinstance(step, int) or "." in step or "/" in step:
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text

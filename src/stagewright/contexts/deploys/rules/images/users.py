"""Which units and hooks use an image: found in the templates of manifests before they are rendered, because what an
image is made of depends on who uses it."""

from collections.abc import Iterator
from collections.abc import Sequence as SequenceType
from dataclasses import dataclass, field

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.places import At, Source
from stagewright.contexts.deploys.model.sources import Blob, EntryKind, Repositories
from stagewright.contexts.deploys.model.stages import EffectiveUnit, Prepared
from stagewright.contexts.deploys.model.tree import Mapping, Scalar, Sequence
from stagewright.contexts.deploys.rules.confining import confine, is_glob
from stagewright.contexts.deploys.rules.hook_rules import PlacedHook, all_hooks
from stagewright.contexts.deploys.rules.images.names import named_in, without_comments
from stagewright.contexts.deploys.rules.preparing import named_images
from stagewright.contexts.deploys.rules.spots import node_at, spot

MOST_BYTES = 1 << 20


@dataclass(slots=True)
class Users:
    """``units``: image -> the units of this plan whose manifests name it; ``others``: images that hooks of this plan
    run or name; ``named``: every image that anything names, switched on or not."""

    units: dict[str, dict[str, EffectiveUnit]] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)


def find_users(
    units: SequenceType[EffectiveUnit], prepared: Prepared, repositories: Repositories, found: Findings
) -> Users:
    """Return who uses which image. Images that are switched off but used by an enabled unit are noted, and so are
    images that nothing uses. Files that cannot be read are told by the stage that reads the manifests."""
    users = Users()
    images = prepared.stack.spec.images
    for unit in units:
        for source, blob, enabled in _manifests(unit, prepared, repositories):
            if b"images" not in blob.data:
                continue
            text = blob.data.decode("utf-8", "replace")
            for name, _ in named_in(text):
                users.named.add(name)
                if enabled:
                    users.units.setdefault(name, {})[unit.name] = unit
            for name, line in named_in(without_comments(text)) if enabled else ():
                if name in images and not images[name].when:
                    message = f"{quoted(unit.name)} uses the image {quoted(name)}, which is switched off here"
                    found.add("image_disabled", message, At(source, line, 1), hint="give both the same when")
    for placed in all_hooks(units, prepared):
        names = set(_named_by(placed))
        users.named |= names
        if placed.enabled:
            users.others |= names
    _check_unused(users, prepared, found)
    return users


def _manifests(
    unit: EffectiveUnit, prepared: Prepared, repositories: Repositories
) -> Iterator[tuple[Source, Blob, bool]]:
    """Yield the manifests of a unit that have templates, and whether each is part of the plan."""
    aliases = _repositories(unit, prepared)
    for manifest in unit.manifests:
        alias = aliases.get(manifest.path, unit.repository)
        files = repositories.sources.get(alias)
        inside = confine(manifest.path)
        if files is None or not inside or manifest.render is False:
            continue
        for name in files.glob(inside) if is_glob(inside) else (inside,):
            entry = files.stat(name)
            if entry is not None and entry.kind is EntryKind.FILE and entry.size <= MOST_BYTES:
                blob = files.read(name, most=MOST_BYTES)
                yield Source(alias, name, blob.blob_id), blob, unit.enabled and manifest.when


def _repositories(unit: EffectiveUnit, prepared: Prepared) -> dict[str, str]:
    """Return the repository of each manifest of a unit: that of the file which names it."""
    declared = node_at(prepared.tree, (*unit.path, "manifests"))
    items = declared.items if isinstance(declared, Sequence) else ()
    paths = (item.items.get("path") for item in items if isinstance(item, Mapping))
    return {str(path.value): path.at.source.repository for path in paths if isinstance(path, Scalar)}


def _named_by(placed: PlacedHook) -> Iterator[str]:
    hook = placed.hook
    yield hook.image
    for text in (*hook.command, *hook.args, *hook.env.values()):
        yield from named_images(text)


def _check_unused(users: Users, prepared: Prepared, found: Findings) -> None:
    for name in prepared.stack.spec.images:
        if name not in users.named:
            path = ("spec", "images", name)
            message = f"nothing uses the image {quoted(name)}; remove it"
            found.add("unused_image", message, spot(prepared.tree, path), path)

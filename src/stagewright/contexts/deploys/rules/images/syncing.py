"""Files that are copied into running pods instead of being built into an image (``stack.md`` section 6.2)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.plan import PlannedSync
from stagewright.contexts.deploys.model.sources import Repositories, TrackedFile
from stagewright.contexts.deploys.model.stages import EffectiveUnit, Prepared
from stagewright.contexts.deploys.rules.canonical import digest
from stagewright.contexts.deploys.rules.components import field_place
from stagewright.contexts.deploys.rules.confining import confine
from stagewright.contexts.deploys.rules.images.identity import portable
from stagewright.contexts.deploys.rules.images.users import Users
from stagewright.kit.globs import is_pattern, matches

SOURCE_FORMAT = 1


class SourceFile(NamedTuple):
    """A file of a source image. ``inside``: its path below the mount point."""

    inside: str
    file: TrackedFile


@dataclass(frozen=True, slots=True)
class SourceImage:
    """The files that one unit syncs, in the repository ``alias``."""

    unit: str
    alias: str
    files: tuple[SourceFile, ...]
    paths: frozenset[str] = field(default_factory=frozenset)

    def planned(self) -> PlannedSync:
        """Return the identity of the source image: of its files alone."""
        files = [[item.inside, item.file.mode, item.file.blob_id] for item in self.files]
        content = {"format": SOURCE_FORMAT, "files": [[portable(path), mode, blob] for path, mode, blob in files]}
        return PlannedSync(unit=self.unit, identity=digest(content))


def source_images(
    units: Iterable[EffectiveUnit], prepared: Prepared, repositories: Repositories, found: Findings
) -> dict[str, SourceImage]:
    """Return the source images by unit. Only candidate environments have any, because ``strategy`` is ``rebuild``
    everywhere else; paths that lead to no tracked file are noted."""
    images = {}
    for unit in units:
        if unit.enabled and unit.sync is not None and unit.strategy != "rebuild":
            images[unit.name] = _source_image(unit, unit.sync.paths, unit.sync.exclude, prepared, repositories, found)
    return images


def _source_image(
    unit: EffectiveUnit,
    paths: Sequence[str],
    exclude: Sequence[str],
    prepared: Prepared,
    repositories: Repositories,
    found: Findings,
) -> SourceImage:
    at, _ = field_place(unit, ("sync",), prepared)
    alias = at.source.repository if at is not None else unit.repository
    source = repositories.sources.get(alias)
    patterns = [pattern for pattern in exclude if is_pattern(pattern)]
    files: list[SourceFile] = []
    for index, path in enumerate(paths):
        inside = confine(path)
        if source is None or not inside:
            continue
        tracked = source.tracked(inside) or _single(source.tracked(inside.rpartition("/")[0]), inside)
        if not tracked:
            where, pointed = field_place(unit, ("sync", "paths", index), prepared)
            message = f"git tracks no file at {quoted(path)}; correct the path, or add the files"
            found.add("sync_path", message, where, pointed)
        for file in tracked:
            below = file.path.removeprefix(f"{inside}/") if file.path != inside else inside.rpartition("/")[2]
            if not any(matches(pattern, name, exact=True) for pattern in patterns for name in (below, file.path)):
                files.append(SourceFile(below, file))
    files.sort(key=lambda item: (portable(item.inside), portable(item.file.path)))
    return SourceImage(unit.name, alias, tuple(files), frozenset(item.file.path for item in files))


def _single(tracked: Iterable[TrackedFile], path: str) -> list[TrackedFile]:
    return [file for file in tracked if file.path == path]


def left_out(image: str, alias: str, users: Users, sources: Mapping[str, SourceImage]) -> frozenset[str]:
    """Return the files of the repository ``alias`` that do not count in the identity of an image: those that every
    user of it in this plan syncs. Hooks run the image as it is, so an image that one of them names keeps its files."""
    using = users.units.get(image, {})
    if not using or image in users.others:
        return frozenset()
    each = [sources[name].paths if name in sources and sources[name].alias == alias else frozenset() for name in using]
    return frozenset.intersection(*each)

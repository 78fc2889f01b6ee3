"""Stage 12, first part: the files of units become objects (``stack.md`` section 6.1). Object rules follow later."""

import base64
import re
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.units import ConfigMap, Manifest
from stagewright.contexts.deploys.model.objects import Body, Unfinished
from stagewright.contexts.deploys.model.places import At, Path, Source
from stagewright.contexts.deploys.model.sources import Blob, EntryKind, FileSource, Repositories
from stagewright.contexts.deploys.model.stages import EffectiveUnit, Prepared
from stagewright.contexts.deploys.model.tree import Mapping, plain
from stagewright.contexts.deploys.rules.components import field_place
from stagewright.contexts.deploys.rules.confining import confine, is_glob
from stagewright.contexts.deploys.rules.normalising import without_nulls
from stagewright.contexts.deploys.rules.preparing import unit_scope
from stagewright.contexts.deploys.rules.reading import MOST_BYTES, MOST_FILES, MOST_TOTAL, ParseCache, read_manifests
from stagewright.contexts.deploys.rules.rendering import render_document

MOST_CONFIG_MAP = 900 * 1024
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


@dataclass(slots=True)
class ManifestReader:
    """Reads the manifests and config files of units. ``images``: references by name; ``files`` and ``size`` count what
    was read, for the limits."""

    prepared: Prepared
    repositories: Repositories
    images: MappingType[str, str]
    found: Findings
    cache: ParseCache | None = None
    files: set[tuple[str, str]] = field(default_factory=set)
    size: int = 0

    def objects(self, units: Iterable[EffectiveUnit]) -> tuple[Unfinished, ...]:
        """Return the objects of all ``units``, as far as they can be read."""
        return tuple(item for unit in units for item in self._of_unit(unit))

    def _of_unit(self, unit: EffectiveUnit) -> list[Unfinished]:
        made: list[Unfinished] = []
        seen: set[tuple[str, str]] = set()
        for manifest in unit.manifests:
            at, path = field_place(unit, ("manifests", manifest.path, "path"), self.prepared)
            if manifest.when is not False:
                for repository, name, blob in self._blobs(unit, manifest.path, at, path, seen):
                    made += self._documents(unit, manifest, Source(repository, name, blob.blob_id), blob)
        for config_map in unit.config_maps:
            at, path = field_place(unit, ("configMaps", config_map.name, "files"), self.prepared)
            if config_map.when is not False:
                made.append(self._config_map(unit, config_map, at, path))
        return made

    def _documents(self, unit: EffectiveUnit, manifest: Manifest, source: Source, blob: Blob) -> list[Unfinished]:
        made = []
        rendered = manifest.render is not False
        scope = unit_scope(self.prepared, unit.name, unit.group, self.images) if rendered else None
        for node in read_manifests(blob, source, self.found, self.cache):
            before = len(self.found.items)
            data = plain(node) if scope is None else render_document(node, scope, self.found)
            if isinstance(data, dict) and len(self.found.items) == before:
                made.append(Unfinished(without_nulls(data), _start(node), unit.name, node, rendered=rendered))
        return made

    def _blobs(
        self, unit: EffectiveUnit, pattern: str, at: At | None, path: Path, seen: set[tuple[str, str]]
    ) -> Iterable[tuple[str, str, Blob]]:
        """Give the files that ``pattern`` names, in the repository of the file that declares it, each once."""
        repository = at.source.repository if at is not None else unit.repository
        files = self.repositories.sources[repository]
        for name in self._names(files, pattern, at, path):
            if (repository, name) not in seen:
                seen.add((repository, name))
                blob = self._read(files, repository, name, at, path)
                if blob is not None:
                    yield repository, name, blob

    def _names(self, files: FileSource, pattern: str, at: At | None, path: Path) -> Sequence[str]:
        inside = confine(pattern)
        if inside is None:
            text = f"{quoted(pattern)} leads out of the repository; write a path relative to its root"
            self.found.add("manifest_outside", text, at, path)
            return ()
        if not is_glob(inside):
            return (inside,)
        names = files.glob(inside)
        if not names:
            text = f"{quoted(pattern)} matches no file; correct the pattern, or remove it"
            self.found.add("manifest_missing", text, at, path)
        return names

    def _read(self, files: FileSource, repository: str, name: str, at: At | None, path: Path) -> Blob | None:
        entry = files.stat(name)
        kind = entry.kind if entry is not None else None
        if entry is None or kind in (EntryKind.DIRECTORY, EntryKind.OTHER):
            what = f"{quoted(name)} does not exist; paths start at the root of the repository"
            if kind is EntryKind.DIRECTORY:
                what = f"{quoted(name)} is a folder; write {quoted(name + '/*.yaml')}"
            elif kind is EntryKind.OTHER:
                what = f"{quoted(name)} is no file; name a file"
            self.found.add("manifest_missing", what, at, path)
            return None
        if kind is EntryKind.OUTSIDE:
            text = f"{quoted(name)} is a link that leaves the repository; put the file itself there"
            self.found.add("manifest_outside", text, at, path)
            return None
        if entry.size > MOST_BYTES:
            text = f"{quoted(name)} has {entry.size} bytes; a file may have at most {MOST_BYTES}, so split it"
            self.found.add("file_too_large", text, at, path)
            return None
        return self._counted(files, repository, name, at, path)

    def _counted(self, files: FileSource, repository: str, name: str, at: At | None, path: Path) -> Blob | None:
        if (repository, name) in self.files:
            return files.read(name, most=MOST_BYTES)
        if len(self.files) >= MOST_FILES or self.size > MOST_TOTAL:
            text = f"a stack may read at most {MOST_FILES} files and {MOST_TOTAL} bytes; {quoted(name)} is too many"
            self.found.add("too_many_files", text, at, path)
            return None
        blob = files.read(name, most=MOST_BYTES)
        self.files.add((repository, name))
        self.size += len(blob.data)
        return blob

    def _config_map(self, unit: EffectiveUnit, config_map: ConfigMap, at: At | None, path: Path) -> Unfinished:
        texts: dict[str, str] = {}
        binaries: dict[str, str] = {}
        seen: set[tuple[str, str]] = set()
        size = 0
        for pattern in config_map.files:
            for _, name, blob in self._blobs(unit, pattern, at, path, seen):
                key = name.rpartition("/")[2]
                size += len(blob.data)
                self._check_key(config_map, key, {**texts, **binaries}, at, path)
                try:
                    texts[key] = blob.data.decode()
                except UnicodeDecodeError:
                    binaries[key] = base64.b64encode(blob.data).decode()
        if size > MOST_CONFIG_MAP:
            text = (
                f"the files of the config map {quoted(config_map.name)} have {size} bytes; at most {MOST_CONFIG_MAP} "
            )
            self.found.add("configmap_size", text + "fit, so split it, or put large files into an image", at, path)
        body: Body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": config_map.name}}
        body |= {name: data for name, data in (("data", texts), ("binaryData", binaries)) if data}
        return Unfinished(body, at, unit.name)

    def _check_key(self, config_map: ConfigMap, key: str, taken: Body, at: At | None, path: Path) -> None:
        if key in taken:
            text = f"two files of the config map {quoted(config_map.name)} are called {quoted(key)}; rename one"
            self.found.add("object_duplicate", text, at, path)
        elif not _KEY.fullmatch(key):
            text = f"the file {quoted(key)} cannot be a key of the config map {quoted(config_map.name)}; "
            self.found.add("object_identity", text + "use letters, digits, '-', '_' and '.' in its name", at, path)


def _start(node: Mapping) -> At:
    """Return where a document starts: at its first key."""
    return next(iter(node.keys.values()), node.at)

"""What the builder of an image gets: its files after ``.dockerignore``, and its Dockerfile."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.images import Image
from stagewright.contexts.deploys.model.places import At, Path, Source
from stagewright.contexts.deploys.model.sources import Blob, EntryKind, FileSource, TrackedFile
from stagewright.contexts.deploys.model.stages import Prepared
from stagewright.contexts.deploys.rules.confining import confine
from stagewright.contexts.deploys.rules.images import dockerfile as reading
from stagewright.contexts.deploys.rules.images import ignoring
from stagewright.contexts.deploys.rules.images.dockerfile import Dockerfile, read_dockerfile
from stagewright.contexts.deploys.rules.images.identity import ContextFile
from stagewright.contexts.deploys.rules.images.ignoring import Ignoring, read_ignore_file
from stagewright.contexts.deploys.rules.spots import spot

IGNORE = ".dockerignore"


@dataclass(frozen=True, slots=True)
class BuildContext:
    """``files``: what the builder sees; ``source``: the Dockerfile, for places in it."""

    alias: str
    files: tuple[ContextFile, ...]
    dockerfile: Dockerfile
    source: Source


@dataclass(slots=True)
class ContextReader:
    """Reads the contexts of one plan. ``listed``: tracked files by repository and folder, asked once."""

    prepared: Prepared
    sources: Mapping[str, FileSource]
    found: Findings
    listed: dict[tuple[str, str], tuple[TrackedFile, ...]] = field(default_factory=dict)

    def read(self, name: str, image: Image) -> BuildContext | None:
        """Return the context of an image, or None after a mistake that leaves none."""
        path: Path = ("spec", "images", name)
        alias = spot(self.prepared.tree, (*path, "context")).source.repository
        files = self.sources.get(alias)
        folder = self._folder(image.context or ".", files, (*path, "context"))
        if files is None or folder is None:
            return None
        found = self._dockerfile(image, folder, alias, files, path)
        if found is None:
            return None
        dockerfile, where = found
        ignored = self._ignoring(folder, where.file, alias, files)
        inside = f"{folder}/" if folder else ""
        tracked = ((file.path.removeprefix(inside), file) for file in self._tracked(alias, folder))
        seen = tuple(ContextFile(below, file) for below, file in tracked if not ignored.ignores(below))
        return BuildContext(alias, seen, dockerfile, where)

    def _folder(self, written: str, files: FileSource | None, path: Path) -> str | None:
        folder = confine(written)
        entry = files.stat(folder) if folder and files is not None else None
        if folder is None or (entry is not None and entry.kind is EntryKind.OUTSIDE):
            problem = "leads out of the repository; name a directory inside of it"
        elif folder and entry is None:
            problem = "does not exist; paths start at the root of the repository"
        elif entry is not None and entry.kind is not EntryKind.DIRECTORY:
            problem = "is no directory; the context is the directory that the builder sees"
        else:
            return folder
        self.found.add("image_context", f"{quoted(written)} {problem}", spot(self.prepared.tree, path), path)
        return None

    def _dockerfile(
        self, image: Image, folder: str, alias: str, files: FileSource, path: Path
    ) -> tuple[Dockerfile, Source] | None:
        written = image.dockerfile or (f"{folder}/Dockerfile" if folder else "Dockerfile")
        field_path = (*path, "dockerfile")
        name = confine(written)
        blob = self._blob(alias, files, name, reading.MOST_BYTES) if name else None
        if not name or blob is None:
            said = "is no file that git tracks in the repository; add it, or name another one with dockerfile"
            at = spot(self.prepared.tree, field_path)
            self.found.add("image_dockerfile", f"{quoted(written)} {said}", at, field_path)
            return None
        source = Source(alias, name, blob.blob_id)
        try:
            result = read_dockerfile(blob.data, dict(image.args or {}))
        except reading.Unreadable as error:
            self.found.add(
                "image_dockerfile", f"the Dockerfile cannot be used: {error.message}", At(source, error.line, 1)
            )
            return None
        if image.target is not None and not result.has_stage(image.target):
            here = (*path, "target")
            known = ", ".join(stage for stage in result.stages if not stage.isdecimal()) or "none has a name"
            message = f"{quoted(name)} has no stage {quoted(image.target)}; its stages: {known}"
            self.found.add("image_dockerfile", message, spot(self.prepared.tree, here), here)
        return result, source

    def _ignoring(self, folder: str, dockerfile: str, alias: str, files: FileSource) -> Ignoring:
        """Return the rules of ``<dockerfile>.dockerignore``, else of the file in the context."""
        for name in (f"{dockerfile}{IGNORE}", f"{folder}/{IGNORE}" if folder else IGNORE):
            blob = self._blob(alias, files, name, ignoring.MOST_BYTES)
            if blob is None:
                continue
            source = Source(alias, name, blob.blob_id)
            try:
                if len(blob.data) > ignoring.MOST_BYTES:
                    raise ignoring.BadPattern("it is larger than 1 MiB; use folders and **", 1)
                return read_ignore_file(blob.data)
            except ignoring.BadPattern as error:
                message = f"the file cannot be used: {error.message}"
                self.found.add("image_context", message, At(source, error.line, 1))
                break
        return Ignoring()

    def _blob(self, alias: str, files: FileSource, name: str, most: int) -> Blob | None:
        """Return a tracked file. What git does not track does not count, for it is in no commit."""
        if all(file.path != name for file in self._tracked(alias, name.rpartition("/")[0])):
            return None
        entry = files.stat(name)
        return files.read(name, most=most) if entry is not None and entry.kind is EntryKind.FILE else None

    def _tracked(self, alias: str, folder: str) -> tuple[TrackedFile, ...]:
        known = self.listed.get((alias, folder))
        if known is None:
            known = tuple(self.sources[alias].tracked(folder))
            self.listed[alias, folder] = known
        return known

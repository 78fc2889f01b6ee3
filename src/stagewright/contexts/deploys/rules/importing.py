"""Stage 2: all files of a stack, and who imports whom (``stack.md`` section 2.1). Every file is read once."""

from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from collections.abc import Sequence as Many
from dataclasses import dataclass, field

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.stack import API_VERSION, FRAGMENT, STACK
from stagewright.contexts.deploys.model.places import At, Path, Source
from stagewright.contexts.deploys.model.sources import EntryKind, FileSource, Repositories
from stagewright.contexts.deploys.model.tree import Mapping, Scalar
from stagewright.contexts.deploys.rules.confining import confine, folder_of, is_glob, literal
from stagewright.contexts.deploys.rules.reading import MOST_BYTES, MOST_TOTAL, ParseCache, read_stack_file
from stagewright.contexts.deploys.rules.wishes import Wish, refuse_templates, wishes_of

MOST_READ = 200
MOST_LEVELS = 8
MOST_WISHES = 2_000
MOST_GLOBS = 200
GENERATED = "generated"
"""Identity of the source that holds a root file made by us."""

Key = tuple[str, str]
"""Alias and path of a file."""


@dataclass(slots=True)
class ReadFile:
    """A file of the stack. ``imports``: the files it imports, each with the place that says so."""

    source: Source
    tree: Mapping
    imports: dict[Key, tuple[At, Path]] = field(default_factory=dict)


@dataclass(slots=True)
class ImportGraph:
    """All files by alias and path, the root first. ``missing``: alias -> imports from repositories without files."""

    files: dict[Key, ReadFile]
    missing: dict[str, list[Wish]]
    aliases: dict[str, Wish]
    size: int


def read_graph(repositories: Repositories, found: Findings, cache: ParseCache | None = None) -> ImportGraph | None:
    """Read the root file and everything it imports. None where the root cannot be read."""
    return _Reader(repositories, found, cache).read()


class _Reader:
    def __init__(self, repositories: Repositories, found: Findings, cache: ParseCache | None) -> None:
        self._repositories = repositories
        self._found = found
        self._cache = cache
        self._graph = ImportGraph({}, {}, {}, 0)
        self._seen: set[Key] = set()
        self._wishes = 0
        self._globs: dict[Key, Many[str]] = {}
        self._full = False

    def read(self) -> ImportGraph | None:
        root = (self._repositories.root, self._repositories.stack_path)
        if not self._read_root(root):
            return None
        level: list[Key] = [root]
        while level and not self._full:
            level = self._read_level(level)
        return self._graph

    def _read_root(self, key: Key) -> bool:
        alias, path = key
        source = self._repositories.sources.get(alias)
        at = At(Source(alias, path, ""), 1, 1)
        if source is None:
            reason = self._repositories.unavailable.get(alias, "it is not a repository of the project")
            self._found.add("repository_unavailable", f"the repository {quoted(alias)} cannot be read: {reason}", at)
            return False
        entry = source.stat(path)
        if entry is None or entry.kind in (EntryKind.DIRECTORY, EntryKind.OTHER):
            self._found.add("file_missing", f"there is no file {quoted(path)}; add it, or name another one", at)
            return False
        if entry.kind is EntryKind.OUTSIDE:
            message = f"{quoted(path)} is a link that leaves the repository; put the file itself there"
            self._found.add("import_outside", message, at)
            return False
        self._seen.add(key)
        return self._take(key, source, ()) is not None

    def _read_level(self, importers: Iterable[Key]) -> list[Key]:
        """Read what ``importers`` import and nobody imported before. Return the new files, sorted."""
        new: dict[Key, Key] = {}
        for importer in importers:
            file = self._graph.files[importer]
            for wish in self._wished(file):
                for target in self._targets(importer, wish):
                    file.imports.setdefault(target, (wish.at, wish.path_in_file))
                    if target not in self._seen:
                        new.setdefault(target, importer)
        taken = []
        for target in sorted(new):
            self._seen.add(target)
            if len(self._graph.files) >= MOST_READ:
                self._stop("import_limit", f"more than {MOST_READ} imported files; merge some of them", target, new)
            if self._full:
                break
            parent = self._graph.files[new[target]].source
            chain = (*parent.chain, self._name((parent.repository, parent.file)))
            if self._take(target, self._repositories.sources[target[0]], chain) is not None:
                taken.append(target)
        return taken

    def _stop(self, code: str, message: str, target: Key, importers: MappingType[Key, Key]) -> None:
        at, path = self._graph.files[importers[target]].imports[target]
        self._found.add(code, message, at, path)
        self._full = True

    def _take(self, key: Key, source: FileSource, chain: tuple[str, ...]) -> ReadFile | None:
        blob = source.read(key[1], most=MOST_BYTES)
        place = Source(key[0], key[1], blob.blob_id, chain)
        self._graph.size += len(blob.data)
        if self._graph.size > MOST_TOTAL:
            message = f"the files of the stack have more than {MOST_TOTAL:,} bytes in all; make it smaller"
            self._found.add("file_too_large", message, At(place, 1, 1))
            self._full = True
            return None
        tree = read_stack_file(blob, place, self._found, self._cache)
        if tree is None:
            return None
        if chain:
            self._check_fragment(tree, imported_by_generated=self._is_generated() and len(chain) == 1)
        file = self._graph.files[key] = ReadFile(place, tree)
        return file

    def _is_generated(self) -> bool:
        return self._repositories.sources[self._repositories.root].identity == GENERATED

    def _check_fragment(self, tree: Mapping, *, imported_by_generated: bool) -> None:
        kinds = (FRAGMENT, STACK) if imported_by_generated else (FRAGMENT,)
        kind = tree.items.get("kind")
        if not isinstance(kind, Scalar) or kind.value not in kinds:
            says = f"is {quoted(kind.value)}" if isinstance(kind, Scalar) else "is missing"
            at = kind.at if kind is not None else tree.at
            self._found.add("import_kind", f"kind {says} in an imported file; write kind: {FRAGMENT}", at, ("kind",))
        version = tree.items.get("apiVersion")
        if not isinstance(version, Scalar) or version.value != API_VERSION:
            at = version.at if version is not None else tree.at
            self._found.add("api_version", f"apiVersion must be {API_VERSION}", at, ("apiVersion",))

    def _wished(self, file: ReadFile) -> Iterable[Wish]:
        spec = file.tree.items.get("spec")
        if not isinstance(spec, Mapping):
            if spec is not None and file.source.chain:
                self._found.add("wrong_type", "spec must be a map", spec.at, ("spec",))
            return
        refuse_templates(spec, self._found)
        for wish in wishes_of(spec, self._found):
            self._wishes += 1
            if self._wishes > MOST_WISHES:
                message = f"more than {MOST_WISHES:,} imports in all; use patterns"
                self._found.add("import_limit", message, wish.at, wish.path_in_file)
                self._full = True
                return
            yield wish

    def _targets(self, importer: Key, wish: Wish) -> list[Key]:
        """Return the files that one import means; what is wrong with it is noted."""
        alias = importer[0] if wish.repository is None else wish.repository
        if wish.repository is not None:
            self._graph.aliases.setdefault(alias, wish)
        source = self._repositories.sources.get(alias)
        if source is None:
            self._graph.missing.setdefault(alias, []).append(wish)
            return []
        if is_glob(wish.path):
            return self._globbed(importer, alias, source, wish)
        path = confine(wish.path, folder_of(importer[1]) if wish.repository is None else "")
        entry = source.stat(path) if path is not None else None
        if path is None or (entry is not None and entry.kind is EntryKind.OUTSIDE):
            self._outside(wish)
            return []
        if entry is None or entry.kind is not EntryKind.FILE:
            if entry is not None or not wish.optional:
                what = "is not a file" if entry is not None else "does not exist"
                message = f"the imported file {quoted(path or wish.path)} {what}; mend the path or remove the import"
                self._found.add("import_missing", message, wish.at, wish.path_in_file)
            return []
        return [(alias, path)]

    def _globbed(self, importer: Key, alias: str, source: FileSource, wish: Wish) -> list[Key]:
        folder = literal(folder_of(importer[1])) if wish.repository is None else ""
        pattern = confine(wish.path, folder)
        if pattern is None:
            self._outside(wish)
            return []
        if (alias, pattern) not in self._globs:
            if len(self._globs) >= MOST_GLOBS:
                message = f"more than {MOST_GLOBS} patterns in imports; use fewer"
                self._found.add("import_limit", message, wish.at, wish.path_in_file)
                return []
            self._globs[alias, pattern] = source.glob(pattern)
        found = [(alias, path) for path in self._globs[alias, pattern] if (alias, path) != importer]
        if not found and not wish.optional:
            message = f"no file matches {quoted(wish.path)}; mend the pattern, or add optional: true"
            self._found.add("import_empty", message, wish.at, wish.path_in_file)
        return found

    def _outside(self, wish: Wish) -> None:
        message = f"the import {quoted(wish.path)} leads out of its repository; name a file inside"
        self._found.add("import_outside", message, wish.at, wish.path_in_file)

    def _name(self, key: Key) -> str:
        return file_name(key, self._repositories.root)


def file_name(key: Key, root: str) -> str:
    """Return how chains name a file: its path, with the alias in front unless it lies in the root's repository."""
    return key[1] if key[0] == root else f"{key[0]}:{key[1]}"

"""Several repositories as one stack: which one is the root, and which commit each of them is read at (``stack.md``
section 12). Owner and address come from the registry; a file only ever names an alias."""

import hashlib
import json
import re
from collections.abc import Mapping as MappingType
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from typing import NamedTuple

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.stack import API_VERSION, STACK
from stagewright.contexts.deploys.model.places import At
from stagewright.contexts.deploys.model.sources import Blob, Entry, EntryKind, Repositories, TrackedFile
from stagewright.contexts.deploys.model.stages import Loaded
from stagewright.contexts.deploys.model.tree import Mapping, Plain, Scalar, Sequence
from stagewright.contexts.deploys.rules.importing import GENERATED
from stagewright.contexts.deploys.rules.loading import load
from stagewright.contexts.deploys.rules.reading import ParseCache

ORCHESTRATOR = "orchestrator"
SERVICE = "service"
STACK_PATH = "services.yaml"
GENERATED_ALIAS = ""
_SHA = re.compile(r"[0-9a-f]{40}")


class Use(NamedTuple):
    """A repository that a stack declares."""

    alias: str
    required: bool
    ref: str | None
    stack_path: str
    at: At


class Root(NamedTuple):
    """Where the root file is: in the repository ``alias``, or generated (None) from the stacks of ``services``."""

    alias: str | None
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """What a repository advertises: its branches and tags by name, with full commit ids."""

    default_branch: str
    refs: MappingType[str, str]


class Pin(NamedTuple):
    """The commit that an alias is read at, and the ref it came from; ``kept``: from the run before."""

    alias: str
    sha: str
    ref: str | None
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """All pins by alias; ``unavailable``: alias -> why there is none."""

    pins: MappingType[str, Pin]
    unavailable: MappingType[str, str] = field(default_factory=dict)


class Composed(NamedTuple):
    """A repository of a composition, for the record: ``stack_blob`` is None where its own stack file was not read."""

    alias: str
    sha: str
    stack_blob: str | None


def choose_root(roles: MappingType[str, str], stacks: frozenset[str], found: Findings) -> Root | None:
    """Return where the root is, from the ``roles`` of the registered aliases and those that hold a stack file.

    None where there is no stack at all, or where two orchestrators make it ambiguous (a finding then).
    """
    leaders = sorted(alias for alias, role in roles.items() if role == ORCHESTRATOR)
    if len(leaders) > 1:
        names = ", ".join(leaders)
        found.add("root_ambiguous", f"several repositories are orchestrators: {names}; keep the role for one of them")
        return None
    if leaders:
        return Root(leaders[0])
    if len(stacks) == 1:
        return Root(min(stacks))
    services = tuple(sorted(alias for alias in stacks if roles.get(alias) == SERVICE))
    return Root(None, services) if services else None


def declared(tree: Mapping) -> tuple[Use, ...]:
    """Return the repositories that a merged tree declares, by alias; malformed items are left out."""
    spec = tree.items.get("spec")
    items = spec.items.get("repositories") if isinstance(spec, Mapping) else None
    uses = []
    for item in items.items if isinstance(items, Sequence) else ():
        alias = _value(item, "alias") if isinstance(item, Mapping) else None
        if isinstance(item, Mapping) and isinstance(alias, str):
            ref, path = _value(item, "ref"), _value(item, "stackPath")
            uses.append(
                Use(
                    alias,
                    _value(item, "required") is not False,
                    ref if isinstance(ref, str) else None,
                    path if isinstance(path, str) else STACK_PATH,
                    item.at,
                )
            )
    return tuple(sorted(uses))


def survey(repositories: Repositories, cache: ParseCache | None = None) -> tuple[Use, ...]:
    """Return what the files that can be read now declare. Call it again with what it named until nothing is new;
    problems are not told here but by the real load."""
    result = load(repositories, Findings(), cache)
    return declared(result.tree) if result is not None else ()


def plan_pins(
    uses: Many[Use],
    heads: MappingType[str, Heads | str],
    found: Findings,
    *,
    own: MappingType[str, str],
    kept: MappingType[str, str] | None = None,
    repin: bool = False,
) -> Pins:
    """Give every declared alias its commit.

    ``heads``: what each registered repository advertises, or why it cannot be reached; ``own``: aliases that are read
    at a given commit (the candidate's); ``kept``: the pins of the run that is revised, used unless ``repin``.
    """
    pins = {alias: Pin(alias, sha, None) for alias, sha in own.items()}
    unavailable: dict[str, str] = {}
    for use in uses:
        if use.alias in pins:
            continue
        if kept is not None and not repin and use.alias in kept:
            pins[use.alias] = Pin(use.alias, kept[use.alias], use.ref, kept=True)
        elif use.alias in heads:
            _pin(use, heads[use.alias], pins, unavailable, found)
    return Pins(pins=pins, unavailable=unavailable)


def _pin(use: Use, heads: Heads | str, pins: dict[str, Pin], unavailable: dict[str, str], found: Findings) -> None:
    if isinstance(heads, str):
        unavailable[use.alias] = heads
        return
    ref = use.ref or heads.default_branch
    sha = ref if _SHA.fullmatch(ref) else heads.refs.get(ref)
    if sha is None:
        unavailable[use.alias] = f"it has no branch or tag {quoted(ref)}"
        message = f"the repository {quoted(use.alias)} has no branch or tag {quoted(ref)}; mend ref"
        found.add("repository_ref", message, use.at, ("spec", "repositories", use.alias, "ref"))
        return
    pins[use.alias] = Pin(use.alias, sha, ref)


def composition(loaded: Loaded, repositories: Repositories) -> tuple[Composed, ...]:
    """Return what was composed, by alias: the commit of every repository, and the blob of its stack file."""
    blobs = {file.repository: file.blob_id for file in loaded.files if file.file == repositories.stack_path}
    return tuple(
        Composed(alias, source.identity, blobs.get(alias))
        for alias, source in sorted(repositories.sources.items())
        if source.identity != GENERATED
    )


def generated_root(project: str, services: MappingType[str, str]) -> "GeneratedRoot":
    """Return a root file that imports the stack of every repository in ``services`` (alias -> path of its stack)."""
    aliases = sorted(services)
    spec = {
        "repositories": [{"alias": alias, "stackPath": services[alias]} for alias in aliases],
        "imports": [{"repository": alias, "path": services[alias]} for alias in aliases],
    }
    root = {"apiVersion": API_VERSION, "kind": STACK, "metadata": {"name": project}, "spec": spec}
    return GeneratedRoot(json.dumps(root, indent=1, ensure_ascii=False).encode() + b"\n")


@dataclass(frozen=True, slots=True)
class GeneratedRoot:
    """A ``FileSource`` that holds the generated root alone; its alias is ``GENERATED_ALIAS``."""

    data: bytes

    @property
    def identity(self) -> str:
        """Says that no repository holds the root."""
        return GENERATED

    def stat(self, path: str) -> Entry | None:
        """Return the root file's entry."""
        return Entry(EntryKind.FILE, len(self.data)) if path == STACK_PATH else None

    def read(self, path: str, *, most: int) -> Blob:
        """Return the root file."""
        digest = hashlib.sha1(b"blob %d\0" % len(self.data) + self.data, usedforsecurity=False)
        return Blob(self.data[: most + 1], digest.hexdigest())

    def glob(self, pattern: str) -> Many[str]:
        """Return nothing: there is only the root."""
        return ()

    def tracked(self, folder: str) -> Many[TrackedFile]:
        """Return nothing: git does not know it."""
        return ()


def _value(item: Mapping, name: str) -> Plain:
    node = item.items.get(name)
    return node.value if isinstance(node, Scalar) else None

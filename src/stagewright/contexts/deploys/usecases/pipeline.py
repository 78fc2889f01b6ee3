"""The pipeline of ``stack.md`` section 13, in its order: every stage adds what it found, and the next ones go on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stagewright.contexts.deploys.model.diagnostics import Diagnostic, Findings
from stagewright.contexts.deploys.model.inputs import Selection
from stagewright.contexts.deploys.model.plan import Plan, PlannedSecret
from stagewright.contexts.deploys.model.stages import EffectiveUnit, Loaded, OrderedPhase, Outcome, Prepared, Request
from stagewright.contexts.deploys.model.tree import Mapping as Tree
from stagewright.contexts.deploys.rules.components import effective_units
from stagewright.contexts.deploys.rules.documents import check_documents
from stagewright.contexts.deploys.rules.environments.inheriting import inherit
from stagewright.contexts.deploys.rules.graph import order
from stagewright.contexts.deploys.rules.images import plan_images
from stagewright.contexts.deploys.rules.loading import load
from stagewright.contexts.deploys.rules.making import Images, Made, make_objects
from stagewright.contexts.deploys.rules.objects.secrets import references
from stagewright.contexts.deploys.rules.planning import assemble
from stagewright.contexts.deploys.rules.preparing import prepare
from stagewright.contexts.deploys.rules.reading import ParseCache
from stagewright.contexts.deploys.rules.references import unused_secrets
from stagewright.contexts.deploys.rules.secrets import plan_secrets
from stagewright.contexts.deploys.rules.shape.checking import check_shape
from stagewright.contexts.deploys.rules.variables import part

CANDIDATE = "candidate"
SAMPLE_ISSUE = 1
SAMPLE_CANDIDATE = f"i{SAMPLE_ISSUE}"
CONFIG = "configuration values"
DIGESTS = "image digests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Stages 1-4, which no environment changes: the stack, and for a candidate that of the base."""

    loaded: Loaded | None
    base: Loaded | None
    diagnostics: Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """All that the stages gave for one environment; parts are missing where an earlier stage found nothing to go on
    with. ``diagnostics`` includes those of the files."""

    files: Files
    diagnostics: Findings
    prepared: Prepared | None = None
    units: Sequence[EffectiveUnit] = ()
    phases: Sequence[OrderedPhase] = ()
    images: Images | None = None
    secrets: Sequence[PlannedSecret] = ()
    made: Made | None = None
    plan: Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The same for several environments, with what was found in any of them."""

    files: Files
    worked: tuple[Worked, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_files(request: Request, cache: ParseCache | None = None) -> Files:
    """Locate, parse, import, merge, and check the form (stages 1-4)."""
    found = Findings()
    loaded = load(request.repositories, found, cache)
    if loaded is not None:
        check_shape(loaded.tree, found)
    base = load(request.base, Findings(), cache) if request.base is not None else None
    return Files(loaded=loaded, base=base, diagnostics=found)


def work_out(request: Request, selection: Selection, files: Files, cache: ParseCache | None = None) -> Worked:
    """Take the stack through stages 5-13 for one environment."""
    found = Findings(list(files.diagnostics.items))
    if files.loaded is None:
        return Worked(files=files, diagnostics=found)
    prepared = prepare(files.loaded, files.base, request, selection, found)
    if prepared is None:
        return Worked(files=files, diagnostics=found)
    check_documents(prepared.stack, prepared.tree, request.base or request.repositories, found)
    units = effective_units(prepared, found)
    phases = order(units, prepared, found)
    secrets = plan_secrets(prepared, request, found)
    images = plan_images(prepared, units, request, found)
    made = make_objects(prepared, phases, images, request, found, cache)
    plan = assemble(prepared, phases, images, secrets, made, request, found, files.loaded.files)
    return Worked(
        files=files,
        diagnostics=found,
        prepared=prepared,
        units=units,
        phases=phases,
        images=images,
        secrets=secrets,
        made=made,
        plan=None if found.failed else plan,
    )


def plan_stack(request: Request, cache: ParseCache | None = None) -> Outcome:
    """Return the plan for the environment that ``request`` selects, or what stands in its way."""
    if request.selection is None:
        raise ValueError("a plan is for one environment: give the request a selection")
    worked = work_out(request, request.selection, read_files(request, cache), cache)
    return Outcome(worked.plan, worked.diagnostics.sorted(), _skipped(request))


def check_stack(request: Request, environments: Sequence[str] = (), cache: ParseCache | None = None) -> Outcome:
    """Check the stack for the named environments, or for all that are declared; a candidate gets a sample key."""
    return Outcome(None, work_out_all(request, environments, cache).diagnostics, _skipped(request))


def work_out_all(request: Request, environments: Sequence[str] = (), cache: ParseCache | None = None) -> Whole:
    """Take the stack through all stages for the named environments, or for all that are declared."""
    files = read_files(request, cache)
    cache = cache if cache is not None else ParseCache()
    worked = tuple(work_out(request, selection, files, cache) for selection in selections(files, environments))
    found = Findings(list(files.diagnostics.items))
    for item in worked:
        found.items += item.diagnostics.items
    if not environments and not found.failed:
        _find_unused_secrets(worked, found)
    return Whole(files=files, worked=worked, diagnostics=found.sorted())


def _find_unused_secrets(worked: Sequence[Worked], found: Findings) -> None:
    """Note the secrets that no object names in any environment: a unit that is off in one may use them in another."""
    objects = [item for one in worked if one.made is not None for item in one.made.objects]
    named = {str(reference.name) for item in objects for reference in references(item)}
    prepared = next((one.prepared for one in worked if one.prepared is not None), None)
    if prepared is not None:
        unused_secrets(prepared, named, found)


def selections(files: Files, environments: Sequence[str] = ()) -> Iterator[Selection]:
    """Yield what to select to see each environment; candidates get the sample key."""
    kinds = kinds_of(files)
    for name in environments or sorted(kinds):
        if kinds.get(name) == CANDIDATE:
            yield Selection(environment=name, candidate=SAMPLE_CANDIDATE, issue=SAMPLE_ISSUE)
        else:
            yield Selection(environment=name)


def kinds_of(files: Files) -> Mapping[str, str]:
    """Return the kind of every environment that can be used, by name, as the file says that decides about them."""
    deciding = files.base or files.loaded
    declared = part(deciding.tree, "environments") if deciding is not None else None
    if not isinstance(declared, Tree):
        return {}
    return {name: item.kind for name, item in inherit(declared, Findings()).items()}


def _skipped(request: Request) -> tuple[str, ...]:
    return () if request.config.known else (CONFIG, DIGESTS)

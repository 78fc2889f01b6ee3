"""A stack at the head of the default branch, for decisions and prompts: what it declares, and what agents are told."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.documents import RoleDocuments
from stagewright.contexts.deploys.model.inputs import Inputs, Selection
from stagewright.contexts.deploys.model.sources import Repositories
from stagewright.contexts.deploys.model.stages import Prepared, Request
from stagewright.contexts.deploys.rules.components import effective_units
from stagewright.contexts.deploys.rules.documents import BUDGET, documents_for
from stagewright.contexts.deploys.rules.inventory import as_text, inventory
from stagewright.contexts.deploys.rules.preparing import prepare
from stagewright.contexts.deploys.usecases.absent import NoConfig, NoDigests
from stagewright.contexts.deploys.usecases.declaring import Declared
from stagewright.contexts.deploys.usecases.pipeline import (
    CANDIDATE,
    SAMPLE_ISSUE,
    Files,
    Worked,
    kinds_of,
    read_files,
    work_out_all,
)
from stagewright.contexts.workflow.api import DeclaredDeploy, DeclaredRuntime, Mode

PRODUCTION = "production"
OFF = "off"
MOST_ALIAS = 40
NOTHING = "the stack declares no environment that can be used"


@dataclass(frozen=True, slots=True)
class StackBrief:
    """What the prompt of a run gets: documents and templates of its role, and the units as text ("" for none)."""

    documents: RoleDocuments = field(default_factory=RoleDocuments)
    units: str = ""


def has_stack(repositories: Repositories) -> bool:
    """Say whether there is anything to read. What stands there and is no file is read, and then it is a mistake."""
    return repositories.sources[repositories.root].stat(repositories.stack_path) is not None


def declare(repositories: Repositories, inputs: Inputs) -> Declared:
    """Check the whole stack, for every environment, and return what it declares; an invalid one says its problem."""
    if not has_stack(repositories):
        return Declared()
    whole = work_out_all(_request(repositories, inputs))
    problem = next((item for item in whole.diagnostics if item.is_error), None)
    prepared = next((item.prepared for item in whole.worked if item.prepared is not None), None)
    kinds = frozenset(kinds_of(whole.files).values())
    said = f"{problem.where}: {problem.message}" if problem is not None else None
    return Declared(
        runtime=_runtime(prepared, kinds, said),
        deploy=_deploy(whole.worked, kinds),
        sources={alias: source.identity for alias, source in repositories.sources.items()},
        files=len(whole.files.loaded.files) if whole.files.loaded is not None else 0,
        diagnostics=len(whole.diagnostics),
    )


def brief_of(
    repositories: Repositories, inputs: Inputs, *, role: str, issue: int | None = None, budget: int = BUDGET
) -> StackBrief:
    """Return what the prompts of ``role`` get. ``issue``: whose candidate the addresses are of; ``budget``: bytes."""
    if not has_stack(repositories):
        return StackBrief()
    request = _request(repositories, inputs)
    files = read_files(request)
    selection = _shown(files, issue)
    if files.diagnostics.failed or selection is None or files.loaded is None:
        return StackBrief()
    found = Findings()
    prepared = prepare(files.loaded, None, request, selection, found)
    if prepared is None or found.failed:
        return StackBrief()
    units = inventory(effective_units(prepared, found), prepared.environment)
    return StackBrief(documents_for(role, prepared.stack, repositories, budget=budget), as_text(units))


def alias_of(full_name: str) -> str:
    """Return the alias of a repository in its project: its name without the owner, as a DNS label."""
    name = full_name.rpartition("/")[2].lower()
    return re.sub("[^a-z0-9]+", "-", name).strip("-")[:MOST_ALIAS].rstrip("-") or "repository"


def _request(repositories: Repositories, inputs: Inputs) -> Request:
    return Request(repositories=repositories, inputs=inputs, config=NoConfig(), digests=NoDigests())


def _shown(files: Files, issue: int | None) -> Selection | None:
    """Return the environment whose units are told: the candidate's, else production, else the first."""
    by_kind = {kind: name for name, kind in sorted(kinds_of(files).items(), reverse=True)}
    if (name := by_kind.get(CANDIDATE)) is not None:
        number = issue or SAMPLE_ISSUE
        return Selection(environment=name, candidate=f"i{number}", issue=number)
    first = by_kind.get(PRODUCTION) or next(iter(by_kind.values()), None)
    return Selection(environment=first) if first is not None else None


def _runtime(prepared: Prepared | None, kinds: frozenset[str], problem: str | None) -> DeclaredRuntime:
    if prepared is None or problem is not None:
        return DeclaredRuntime(environments=kinds, valid=False, problem=problem or NOTHING)
    runtime = prepared.stack.spec.webhook_runtime
    return DeclaredRuntime(
        trigger_modes={kind: Mode(mode) for kind, mode in runtime.trigger_modes.items()},
        default_mode=Mode(runtime.default_mode) if runtime.default_mode is not None else None,
        environments=kinds,
    )


def _deploy(worked: Iterable[Worked], kinds: frozenset[str]) -> DeclaredDeploy:
    environments = [item.prepared.environment for item in worked if item.prepared is not None]
    on_push = [item.deploy_on_push for item in environments if item.kind == PRODUCTION]
    return DeclaredDeploy(production=PRODUCTION in kinds, on_push=on_push != [OFF])

"""What others may use of deploys: the stack engine, and what repositories declare."""

from stagewright.contexts.deploys.model.codes import CODES
from stagewright.contexts.deploys.model.diagnostics import Diagnostic, Severity
from stagewright.contexts.deploys.model.documents import PromptDocument, RoleDocuments
from stagewright.contexts.deploys.model.inputs import Inputs, Platform, PolicyWords, Project, Selection
from stagewright.contexts.deploys.model.places import At, Provenance
from stagewright.contexts.deploys.model.plan import Plan
from stagewright.contexts.deploys.model.sources import (
    ConfigEntry,
    ConfigReader,
    DigestResolver,
    FileSource,
    Repositories,
)
from stagewright.contexts.deploys.model.stages import Outcome, Request
from stagewright.contexts.deploys.rules.comparing import compare as compare_plans
from stagewright.contexts.deploys.rules.composing import Heads
from stagewright.contexts.deploys.rules.explaining import Explanation, UnknownPointer
from stagewright.contexts.deploys.rules.json_schema import stack_schema
from stagewright.contexts.deploys.rules.naming import project_key, variable_names
from stagewright.contexts.deploys.rules.reading import ParseCache
from stagewright.contexts.deploys.usecases.absent import NoConfig, NoDigests
from stagewright.contexts.deploys.usecases.composing import compose
from stagewright.contexts.deploys.usecases.declaring import Declared, declared_deploy, declared_runtime, keep_declared
from stagewright.contexts.deploys.usecases.explaining import explain_stack
from stagewright.contexts.deploys.usecases.pipeline import (
    Files,
    Whole,
    Worked,
    check_stack,
    kinds_of,
    plan_stack,
    read_files,
    selections,
    work_out,
    work_out_all,
)
from stagewright.contexts.deploys.usecases.reading import (
    StackBrief,
    alias_of,
    brief_of,
    declare,
)
from stagewright.contexts.deploys.usecases.rendering import render_stack

__all__ = [
    "CODES",
    "At",
    "ConfigEntry",
    "ConfigReader",
    "Declared",
    "Diagnostic",
    "DigestResolver",
    "Explanation",
    "FileSource",
    "Files",
    "Heads",
    "Inputs",
    "NoConfig",
    "NoDigests",
    "Outcome",
    "ParseCache",
    "Plan",
    "Platform",
    "PolicyWords",
    "Project",
    "PromptDocument",
    "Provenance",
    "Repositories",
    "Request",
    "RoleDocuments",
    "Selection",
    "Severity",
    "StackBrief",
    "UnknownPointer",
    "Whole",
    "Worked",
    "alias_of",
    "brief_of",
    "check_stack",
    "compare_plans",
    "compose",
    "declare",
    "declared_deploy",
    "declared_runtime",
    "explain_stack",
    "keep_declared",
    "kinds_of",
    "plan_stack",
    "project_key",
    "read_files",
    "render_stack",
    "selections",
    "stack_schema",
    "variable_names",
    "work_out",
    "work_out_all",
]

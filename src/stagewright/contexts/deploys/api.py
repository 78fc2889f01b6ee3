"""What others may use of deploys: the stack engine, and what repositories declare."""

from stagewright.contexts.deploys.model.diagnostics import Diagnostic, Severity
from stagewright.contexts.deploys.model.documents import PromptDocument, RoleDocuments
from stagewright.contexts.deploys.model.inputs import Inputs, Platform, PolicyWords, Project, Selection
from stagewright.contexts.deploys.model.plan import Plan
from stagewright.contexts.deploys.model.sources import (
    ConfigEntry,
    ConfigReader,
    DigestResolver,
    FileSource,
    Repositories,
)
from stagewright.contexts.deploys.model.stages import Outcome, Request
from stagewright.contexts.deploys.rules.composing import Heads
from stagewright.contexts.deploys.rules.reading import ParseCache
from stagewright.contexts.deploys.usecases.absent import NoConfig, NoDigests
from stagewright.contexts.deploys.usecases.composing import compose
from stagewright.contexts.deploys.usecases.declaring import Declared, declared_deploy, declared_runtime, keep_declared
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

__all__ = [
    "ConfigEntry",
    "ConfigReader",
    "Declared",
    "Diagnostic",
    "DigestResolver",
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
    "Repositories",
    "Request",
    "RoleDocuments",
    "Selection",
    "Severity",
    "StackBrief",
    "Whole",
    "Worked",
    "alias_of",
    "brief_of",
    "check_stack",
    "compose",
    "declare",
    "declared_deploy",
    "declared_runtime",
    "keep_declared",
    "kinds_of",
    "plan_stack",
    "read_files",
    "selections",
    "work_out",
    "work_out_all",
]

"""A push, decided: what surrounds it, and the binding's default branch read again where the delivery names another."""

from dataclasses import replace

from stagewright.contexts.intake.model import ParsedDelivery
from stagewright.contexts.intake.reconcile.outside import Outside
from stagewright.contexts.projects import api as projects
from stagewright.contexts.workflow import api as workflow


async def with_current_branch(
    outside: Outside, repository: projects.Repository | None, parsed: ParsedDelivery
) -> ParsedDelivery:
    """Return the delivery with the default branch as it is now. The forge is asked only where a push and the binding
    differ: an old delivery may know an old name."""
    if repository is None or parsed.event != "push" or parsed.default_branch in (None, repository.default_branch):
        return parsed
    return replace(parsed, default_branch=await outside.threads.default_branch(repository))


async def push_world(
    outside: Outside, repository: projects.Repository | None, parsed: ParsedDelivery
) -> workflow.PushWorld | None:
    """Return what surrounds a push to a bound repository; None for everything else."""
    if repository is None or parsed.event != "push":
        return None
    return workflow.PushWorld(
        default_branch=parsed.default_branch or repository.default_branch,
        declared=await outside.stacks.deploy(repository),
        cluster=outside.stacks.cluster,
    )

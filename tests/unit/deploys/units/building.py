"""Plans of images and secrets for tests."""

from collections.abc import Mapping
from typing import Any

from tests.fakes.stack_files import Content
from tests.unit.deploys.preparing import CANDIDATE, ENVIRONMENTS, a_request
from tests.unit.deploys.stacks import a_stack, loaded
from tests.unit.deploys.units.texts import Digests

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.inputs import Selection
from stagewright.contexts.deploys.model.plan import PlannedSecret
from stagewright.contexts.deploys.model.stages import Prepared, Request
from stagewright.contexts.deploys.rules.components import effective_units
from stagewright.contexts.deploys.rules.graph import order
from stagewright.contexts.deploys.rules.images import ImagePlan, plan_images
from stagewright.contexts.deploys.rules.preparing import prepare
from stagewright.contexts.deploys.rules.secrets import plan_secrets

HEAD = f"spec:\n  {ENVIRONMENTS}"
"""What stands before a text: its first line is line 6 of the file."""


def readied(
    text: str, files: Mapping[str, Content], selection: Selection, **changes: Any
) -> tuple[Prepared, Request, Findings]:
    """Prepare a stack with further files."""
    found = Findings()
    repositories = a_stack(HEAD + text, files)
    request = a_request(repositories=repositories, **{"digests": Digests(), **changes})
    prepared = prepare(loaded(HEAD + text, files), None, request, selection, found)
    assert prepared is not None, found.sorted()
    return prepared, request, found


def images(
    text: str, files: Mapping[str, Content], selection: Selection = CANDIDATE, **changes: Any
) -> tuple[ImagePlan, Findings]:
    """Plan the images of a stack."""
    prepared, request, found = readied(text, files, selection, **changes)
    return plan_images(prepared, effective_units(prepared, found), request, found), found


def secrets(text: str, selection: Selection = CANDIDATE, **changes: Any) -> tuple[tuple[PlannedSecret, ...], Findings]:
    """Plan the secrets of a stack."""
    prepared, request, found = readied(text, {}, selection, **changes)
    return plan_secrets(prepared, request, found), found


def references(text: str, selection: Selection = CANDIDATE, **changes: Any) -> Findings:
    """Check the names and rules of a stack."""
    prepared, _, found = readied(text, {}, selection, **changes)
    order(effective_units(prepared, found), prepared, found)
    return found

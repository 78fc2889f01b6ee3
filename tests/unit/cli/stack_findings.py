"""A stack in memory and findings in it, for the tests of how they are shown."""

from pathlib import Path

from tests.fakes.stack_files import MemoryFiles

from stagewright.contexts.deploys.model.diagnostics import Diagnostic, Findings, Related
from stagewright.contexts.deploys.model.places import At, Source
from stagewright.contexts.deploys.model.sources import Repositories
from stagewright.contexts.deploys.rules.reading import ParseCache
from stagewright.processes.cli.stacks.reading import Stack

TEXT = (
    f"kind: ServiceStack\nspec:\n  services:\n    - {{name: api, manifest: [\tdeploy/api.yaml]}}\nx-long: {'a' * 300}\n"
)


def a_stack(text: str = TEXT, shown: str = "") -> Stack:
    """Return a stack of one file, with another repository that cannot be read here."""
    sources = {"main": MemoryFiles({"services.yaml": text, "deploy/a b.yaml": "x: 1\n"})}
    return Stack(Path("/nowhere"), "main", Repositories(root="main", sources=sources), shown, {}, ParseCache())


def at(line: int, column: int, file: str = "services.yaml", repository: str = "main") -> At:
    """Return a place."""
    return At(Source(repository, file, "0" * 40), line, column)


def an_error(**changes: object) -> Diagnostic:
    """Return a finding about an unknown field, with a hint."""
    found = Findings()
    given: dict[str, object] = {
        "code": "unknown_field",
        "message": "there is no field 'manifest' in a service",
        "at": at(4, 19),
        "path": ("spec", "services", "api", "manifest"),
        "hint": "did you mean 'manifests'?",
    }
    found.add(**{**given, **changes})  # type: ignore[arg-type]  # a builder of tests
    return found.items[0]


def a_warning() -> Diagnostic:
    """Return a finding that is a doubt, with another place."""
    return an_error(
        code="unused_image", message="nothing uses the image 'web'", at=at(1, 1, "deploy/a b.yaml", "ui"), path=(),
        hint=None, related=(Related(at(2, 1), "declared here"),),
    )  # fmt: skip

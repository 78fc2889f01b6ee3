"""Prepared stacks for tests: requests, the policy's words, and the findings as lines."""

from typing import Any

from tests.fakes.stack_files import MemoryFiles
from tests.unit.deploys.stacks import ROOT, loaded, told

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.inputs import Inputs, Platform, PolicyWords, Project, Selection
from stagewright.contexts.deploys.model.sources import ConfigEntry, Repositories
from stagewright.contexts.deploys.model.stages import Prepared, Request
from stagewright.contexts.deploys.rules.preparing import prepare

BOTH = frozenset({"full-env", "code-only"})
POLICY = PolicyWords(
    roles=frozenset({"dev", "qa", "reviewer"}),
    modes={
        "intake": frozenset({"code-only"}),
        **dict.fromkeys(("dev", "dev_revise", "qa", "qa_revise", "doc_audit"), BOTH),
        "deploy": frozenset({"full-env"}),
        "reviewer": frozenset({"code-only"}),
    },
)
SHA = "0123456789abcdef0123456789abcdef01234567"
PLATFORM = Platform(
    domain="stages.example.org", candidate_domain="preview.example.org", registry="registry.example.org"
)
ENVIRONMENTS = "environments: {live: {kind: production}, preview: {kind: candidate}}\n"
LIVE = Selection(environment="live")
CANDIDATE = Selection(environment="preview", candidate="i7", issue=7)


class Entries:
    """A ``ConfigReader`` made of a list."""

    def __init__(self, *entries: ConfigEntry, known: bool = True) -> None:
        self.all = entries
        self.known = known

    def entries(self, key: str) -> list[ConfigEntry]:
        """Return the entries with this key."""
        return [entry for entry in self.all if entry.key == key]


class NoDigests:
    """A ``DigestResolver`` that knows nothing."""

    def resolve(self, reference: str) -> str | None:
        """Return nothing."""
        return None


def a_request(**changes: Any) -> Request:
    """A request about the stack in memory. ``platform``, ``project``, ``policy`` and ``overrides`` go to the inputs."""
    names = {"platform": PLATFORM, "project": Project(key="shop", name="The shop"), "policy": POLICY, "overrides": {}}
    inputs = Inputs(**{name: changes.pop(name, value) for name, value in names.items()})
    repositories = Repositories(root=ROOT, sources={ROOT: MemoryFiles({}, identity=SHA)})
    settings = {"repositories": repositories, "config": Entries(), "digests": NoDigests(), **changes}
    return Request(inputs=inputs, **settings)


def prepared(
    text: str, selection: Selection = CANDIDATE, trusted: str | None = None, **changes: Any
) -> tuple[Prepared | None, Findings]:
    """Prepare the stack ``text`` for an environment, and return what was found as well. ``trusted``: the stack of the
    default branch."""
    found = Findings()
    request = a_request(**changes)
    return prepare(loaded(text), loaded(trusted) if trusted is not None else None, request, selection, found), found


def ready(text: str, selection: Selection = CANDIDATE, **changes: Any) -> Prepared:
    """Prepare a stack in which nothing is wrong."""
    result, found = prepared(text, selection, **changes)
    assert result is not None, found.sorted()
    assert not found.items, found.sorted()
    return result


def mistakes(text: str, selection: Selection = CANDIDATE, trusted: str | None = None, **changes: Any) -> list[str]:
    """Return what is said about a stack, as ``code file:line: message``."""
    return told(prepared(text, selection, trusted, **changes)[1])

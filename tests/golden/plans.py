"""The three stacks and their plans: the example shop, a product in two repositories, and Stagewright itself."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from stagewright.contexts.deploys.api import (
    Inputs,
    Outcome,
    Plan,
    Platform,
    PolicyWords,
    Project,
    Repositories,
    Request,
    Selection,
    plan_stack,
)
from stagewright.contexts.workflow.api import builtin_policy
from tests.fakes.stack_files import MemoryFiles
from tests.fakes.stack_ports import KnownConfig, KnownDigests

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEPT = HERE / "plans"
VARIABLES = {
    "MAIL_HOST": "mail.example.org",
    "MAIL_HOST_REHEARSAL": "mail.rehearsal.example.org",
    "MAIL_HOST_PREVIEW": "sink.example.org",
    "OWNER_EMAIL": "owner@example.org",
    "TRUSTED_PROXIES": "10.0.0.0/8",
    "ORIGIN": "https://market.example.org",
}
CANDIDATE, ISSUE = "i12", 12
PLATFORM = Platform(
    domain="stagewright.example.org",
    candidate_domain="candidates.example.org",
    registry="registry.example.org",
    ingress_class="traefik",
    builder="golden",
)
OWN_FILES = ("services.yaml", ".dockerignore", "deploy")
OWN_DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "docs/security.md", "docs/adr/0001-words.md")
"""What the golden plan of this repository sees of it. Documents have other words there: theirs change nothing."""


@dataclass(frozen=True)
class Golden:
    """A stack whose plans are kept. ``sources``: alias -> the files of a repository, the root's first."""

    name: str
    project: str
    sources: Callable[[], Mapping[str, MemoryFiles]]
    environments: tuple[str, ...]
    candidate: str
    unavailable: Mapping[str, str] = field(default_factory=dict)


def folder(path: Path, *parts: str) -> MemoryFiles:
    """Return the files of a folder, or of some of its parts, as a repository in memory."""
    found = {}
    for part in parts or ("",):
        top = path / part
        for file in [top] if top.is_file() else sorted(top.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                found[file.relative_to(path).as_posix()] = file.read_bytes()
    return MemoryFiles(found, identity="0" * 40)


def _own() -> Mapping[str, MemoryFiles]:
    own = folder(ROOT, *OWN_FILES)
    return {"main": MemoryFiles({**own.files, **dict.fromkeys(OWN_DOCUMENTS, "# Words\n")}, identity=own.identity)}


def _two() -> Mapping[str, MemoryFiles]:
    return {alias: folder(HERE / "two" / alias) for alias in ("main", "ui")}


STACKS = {
    item.name: item
    for item in (
        Golden(
            "shop",
            "shop",
            lambda: {"main": folder(ROOT / "examples" / "shop")},
            ("live", "rehearsal", "preview"),
            "preview",
        ),
        Golden("two", "market", _two, ("live", "preview"), "preview", {"handbook": "nobody may read it"}),
        Golden("stagewright", "stagewright", _own, ("live", "preview"), "preview"),
    )
}


def repositories(golden: Golden) -> Repositories:
    """Return the repositories of a stack; the root is the first."""
    sources = golden.sources()
    return Repositories(root=next(iter(sources)), sources=sources, unavailable=golden.unavailable)


def request(golden: Golden, environment: str, *, known: bool = True, **changes: Any) -> Request:
    """Return what is asked for: with a server's knowledge of digests and configuration, or without (``known``)."""
    opened = repositories(golden)
    policy = builtin_policy()
    words = PolicyWords(
        roles=frozenset(policy.roles),
        modes={name: frozenset(mode.value for mode in kind.modes) for name, kind in policy.kinds.items()},
    )
    project = Project(
        key=golden.project,
        name=golden.project.title(),
        repositories={alias: "orchestrator" if alias == opened.root else "service" for alias in opened.sources},
    )
    is_candidate = environment == golden.candidate
    given: dict[str, Any] = {
        "repositories": opened,
        "base": opened if is_candidate else None,
        "inputs": Inputs(platform=PLATFORM, project=project, policy=words),
        "config": KnownConfig(known=known, variables=VARIABLES),
        "digests": KnownDigests(known=known),
        "selection": Selection(
            environment=environment,
            candidate=CANDIDATE if is_candidate else None,
            issue=ISSUE if is_candidate else None,
        ),
        "preview": not known,
    }
    return Request(**{**given, **changes})


def cases() -> Iterator[tuple[Golden, str]]:
    """Give every stack with each of its environments."""
    for golden in STACKS.values():
        for environment in golden.environments:
            yield golden, environment


def outcome(golden: Golden, environment: str) -> Outcome:
    """Plan."""
    return plan_stack(request(golden, environment))


def kept(plan: Plan) -> str:
    """Return the text that is kept: without places, which move with each line, and without commits."""
    body = msgspec.to_builtins(plan)
    body.pop("sources", None)
    for item in body["objects"]:
        item.pop("provenance", None)
    body["warnings"] = [f"{item['code']} {item['path']}: {item['message']}" for item in body["warnings"]]
    return json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def place(golden: Golden, environment: str) -> Path:
    """Return where the plan is kept."""
    return KEPT / f"{golden.name}-{environment}.json"

"""From a folder to what the engine is asked: the files, the policy's words, and stand-ins for the platform."""

import gc
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from stagewright.kit.errors import Invalid
from stagewright.processes.cli.exits import FAILED, FORBIDDEN, USAGE, Failure
from stagewright.processes.cli.lazy import load

if TYPE_CHECKING:
    from stagewright.contexts.deploys.api import (
        FileSource,
        Inputs,
        ParseCache,
        PolicyWords,
        Repositories,
        Request,
        Selection,
    )

API = "stagewright.contexts.deploys.api"
FILES = "stagewright.adapters.stack_files"
WORKFLOW = "stagewright.contexts.workflow.api"
STACK_FILE = "services.yaml"
POLICY_FILE = ".stagewright/policy.yaml"
LARGEST_POLICY = 256 * 1024
ALIAS = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
CANDIDATE = re.compile(r"(?:[a-z0-9-]+-)?i([1-9][0-9]{0,8})")
VARIABLE = re.compile(r"([a-zA-Z][a-zA-Z0-9_]{0,63})=(.*)", re.DOTALL)
DEADLINE = 10
# What stands in for the settings of an installation: names that can never be real (RFC 2606).
DOMAIN, CANDIDATE_DOMAIN, REGISTRY = "stagewright.invalid", "candidates.invalid", "registry.invalid"
NO_SERVER = "the server does not have this feature yet: it comes with the cluster runtime"


class Stack(NamedTuple):
    """A stack on this machine. ``shown``: what stands before its paths where they are printed."""

    root: Path
    alias: str
    repositories: "Repositories"
    shown: str
    variables: Mapping[str, str]
    cache: "ParseCache"

    @property
    def source(self) -> "FileSource":
        """Return the files of the repository that holds the root file."""
        return self.repositories.sources[self.alias]

    def path(self, repository: str, file: str) -> str:
        """Return a file's path as it is printed: from here, or with the alias of another repository."""
        return os.path.normpath(os.path.join(self.shown, file)) if repository == self.alias else f"{repository}:{file}"


def ask(what: str, *given: Any) -> Any:
    """Return what a function of the engine answers. Nothing looks for garbage meanwhile: trees have no cycles, and a
    large stack would be walked again and again while it grows."""
    answer = load(f"{API}:{what}")
    collecting = gc.isenabled()
    gc.disable()
    try:
        return answer(*given)
    finally:
        if collecting:
            gc.enable()


def find_root(path: str = ".") -> tuple[Path, str]:
    """Return the folder that counts as the repository's root, and the stack file's name in it."""
    given = Path(path)
    if given.is_file():
        return given.resolve().parent, given.name
    start = given.resolve()
    for folder in (start, *start.parents):
        if (folder / STACK_FILE).exists():
            return folder, STACK_FILE
        if (folder / ".git").exists():
            break
    raise Failure(
        USAGE,
        f"there is no {STACK_FILE} in {start}, nor above it in its repository",
        hint="name its folder, or go there",
    )


def open_stack(
    path: str = ".",
    *,
    ref: str | None = None,
    server: bool = False,
    variables: Sequence[str] = (),
    repositories: Sequence[str] = (),
) -> Stack:
    """Open the stack of a work tree, or of a commit of its repository; other repositories as the options say."""
    _refuse_server(server, variables)
    root, name = find_root(path)
    alias = _alias(root)
    sources = {alias: _work_tree(root) if ref is None else _commit(root, ref), **_others(repositories)}
    opened = load(f"{API}:Repositories")(root=alias, sources=sources, stack_path=name)
    shown = os.path.relpath(root)
    return Stack(root, alias, opened, "" if shown == "." else shown, _overrides(variables), load(f"{API}:ParseCache")())


def _refuse_server(server: bool, variables: Sequence[str]) -> None:
    if server and variables:
        raise Failure(USAGE, "--var: the configuration of a server is not overridden from here; leave --server out")
    if server:
        raise Failure(FORBIDDEN, f"--server: {NO_SERVER}", hint="leave it out: what stays open is said as a warning")


def _others(repositories: Sequence[str]) -> "dict[str, FileSource]":
    found: dict[str, FileSource] = {}
    for text in repositories:
        alias, equals, folder = text.partition("=")
        if not equals or not ALIAS.fullmatch(alias):
            raise Failure(USAGE, f"--repository: {text!r} does not say which repository is where; write ALIAS=DIR")
        if not Path(folder).is_dir():
            raise Failure(USAGE, f"--repository: {folder!r} is no folder")
        found[alias] = _work_tree(Path(folder).resolve())
    return found


def _work_tree(root: Path) -> "FileSource":
    source: FileSource = load(f"{FILES}:WorkTreeFiles")(root)
    return source


def _commit(root: Path, ref: str) -> "FileSource":
    if not (root / ".git").exists():
        raise Failure(USAGE, f"--ref: {root} is not the root of a git repository")
    line = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"]
    try:
        done = subprocess.run(line, cwd=root, capture_output=True, text=True, timeout=DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(FAILED, f"--ref: git does not answer: {error}") from error
    if done.returncode != 0:
        raise Failure(USAGE, f"--ref: there is no commit {ref!r} in {root}")
    source: Any = load(f"{FILES}:GitTreeFiles")(root, done.stdout.strip())
    context = click.get_current_context(silent=True)
    if context is not None:
        context.call_on_close(source.close)
    files: FileSource = source
    return files


def _alias(root: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-")[:40] or "stack"


def make_request(stack: Stack, *, environment: str | None = None, candidate: str | None = None) -> "Request":
    """Return what the engine is asked. Without a base the stack is trusted: what it declares is seen as if merged."""
    _check_names(stack)
    request: Request = load(f"{API}:Request")(
        repositories=stack.repositories,
        inputs=_inputs(stack),
        config=load(f"{API}:NoConfig")(),
        digests=load(f"{API}:NoDigests")(),
        preview=True,
        week=datetime.now(UTC).strftime("%G-W%V"),
    )
    if environment is None:
        return request
    if candidate is None and _kind(stack, request, environment) == "candidate":
        raise Failure(
            USAGE, f"--candidate: {environment} is of kind candidate, of which there is one for each change",
            hint="name one, as --candidate i123",
        )  # fmt: skip
    return replace(request, selection=_selection(environment, candidate))


def _check_names(stack: Stack) -> None:
    """Refuse values for variables that the stack does not have."""
    if not stack.variables:
        return
    known = ask("variable_names", stack.repositories, stack.cache)
    for name in stack.variables:
        if name not in known:
            hint = f"it has {', '.join(known)}" if known else "it declares none under spec.vars"
            raise Failure(USAGE, f"--var: the stack has no variable {name!r}", hint=hint)


def _kind(stack: Stack, request: "Request", environment: str) -> str | None:
    files = ask("read_files", request, stack.cache)
    found: str | None = load(f"{API}:kinds_of")(files).get(environment)
    return found


def _selection(environment: str, candidate: str | None) -> "Selection":
    found = None if candidate is None else CANDIDATE.fullmatch(candidate)
    if candidate is not None and found is None:
        raise Failure(USAGE, f"--candidate: {candidate!r} is no candidate's key; write i<issue>, as i123")
    selection: Selection = load(f"{API}:Selection")(
        environment=environment, candidate=candidate, issue=int(found[1]) if found else None
    )
    return selection


def _inputs(stack: Stack) -> "Inputs":
    key = _project_key(stack)
    platform = load(f"{API}:Platform")(
        domain=DOMAIN, candidate_domain=CANDIDATE_DOMAIN, registry=REGISTRY, ingress_class=None, builder="none"
    )
    project = load(f"{API}:Project")(key=key, name=key, repositories={stack.alias: "service"})
    inputs: Inputs = load(f"{API}:Inputs")(
        platform=platform, project=project, policy=_policy_words(stack), overrides=stack.variables
    )
    return inputs


def _overrides(variables: Sequence[str]) -> Mapping[str, str]:
    given: dict[str, str] = {}
    for text in variables:
        found = VARIABLE.fullmatch(text)
        if found is None:
            raise Failure(USAGE, f"--var: {text!r} does not say which variable; write NAME=VALUE")
        given[found[1]] = found[2]
    return given


def _project_key(stack: Stack) -> str:
    key: str | None = ask("project_key", stack.repositories, stack.cache)
    return key or stack.alias


def _policy_words(stack: Stack) -> "PolicyWords":
    """Return roles and modes of the repository's own policy file, or of the built-in policy."""
    entry = stack.source.stat(POLICY_FILE)
    if entry is None:
        policy = load(f"{WORKFLOW}:builtin_policy")()
    else:
        data = stack.source.read(POLICY_FILE, most=LARGEST_POLICY).data
        try:
            policy = load(f"{WORKFLOW}:effective_policy")(data.decode())
        except (Invalid, UnicodeDecodeError) as error:
            hint = f"`stagewright policy check {stack.path(stack.alias, POLICY_FILE)}` names its mistakes"
            raise Failure(
                FAILED, f"{POLICY_FILE} is invalid, and it says which roles and kinds there are", hint=hint
            ) from error
    words: PolicyWords = load(f"{API}:PolicyWords")(
        roles=frozenset(policy.roles),
        modes={name: frozenset(str(mode) for mode in kind.modes) for name, kind in policy.kinds.items()},
    )
    return words


def plain(value: Any) -> Any:
    """Return a plan, or a part of one, as plain data."""
    return load("msgspec:to_builtins")(value)

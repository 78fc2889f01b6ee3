"""The names that templates read (``stack.md`` section 4.2), and the values of ``vars`` (section 4.3)."""

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.inputs import Inputs, Platform
from stagewright.contexts.deploys.model.places import At, Path
from stagewright.contexts.deploys.model.scope import Fixed, Names, Scope, Value
from stagewright.contexts.deploys.model.sources import Repositories
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence, plain
from stagewright.contexts.deploys.rules.templates.problems import Refused, Reported

MOST_BYTES = 4096
NO_IMAGES = "is only known in manifests and hooks"
NO_UNIT = "is only known in manifests of units"
_HEX = 40
_SHORT = 7


class Found(NamedTuple):
    """A value of a variable, and the rule that found it. ``declared``: it stands in the stack and is checked there."""

    value: str
    origin: str
    declared: bool = False


Lookup = Callable[[str], Found | None]
"""Finds a variable of the configuration by its key. Raises ``Refused``."""


@dataclass(slots=True, eq=False)
class Vars(Names):
    """The declared variables, looked up when they are first read. ``read``: those that were, with their origin."""

    declared: Mapping
    ancestors: tuple[str, ...]
    lookup: Lookup
    overrides: MappingType[str, str]
    found: Findings
    read: dict[str, tuple[str, str]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    path: str = "vars"

    def find(self, name: str) -> Value | None:
        """Return the value; None where it has none and needs none. Raises ``Reported`` after a mistake."""
        if (known := self.read.get(name)) is not None:
            return known[0]
        node = self.declared.items.get(name)
        if not isinstance(node, Mapping):
            return None
        try:
            return self._resolved(name, node)
        except Refused as refused:
            self._note(name, refused)
            raise Reported from refused

    def known(self) -> tuple[str, ...]:
        """Return the declared names."""
        return tuple(sorted(self.declared.items))

    def why(self, name: str) -> str | None:
        """Return why a declared variable has no value."""
        if name not in self.declared.items:
            return None
        return f"has no value in the environment {quoted(self.ancestors[0])}, and needs none; read it by default(…)"

    def _resolved(self, name: str, node: Mapping) -> str | None:
        value = next(self._values(name, node), None)
        if value is None:
            if _scalar(node, "required") is False:
                return None
            tried = ", ".join(self._tried(node))
            said = f"the variable {quoted(name)} has no value; tried: {tried}"
            raise Refused("var_unresolved", said, f"give it a default, or offline a value by --var {name}=…")
        try:
            _check(name, value.value, _scalar(node, "pattern"))
        except Refused as refused:
            raise Reported if value.declared else refused from refused
        self.read[name] = value.value, value.origin
        return value.value

    def _values(self, name: str, node: Mapping) -> Iterator[Found]:
        """Yield the values in the order in which they count."""
        if (given := self.overrides.get(name)) is not None:
            yield Found(given, "override")
        if isinstance(key := _scalar(node, "config"), str) and (entry := self.lookup(key)) is not None:
            yield entry
        environments = node.items.get("environments")
        for ancestor in self.ancestors if isinstance(environments, Mapping) else ():
            if isinstance(value := _scalar(environments, ancestor), str):
                yield Found(value, f"environment:{ancestor}", declared=True)
        if isinstance(value := _scalar(node, "default"), str):
            yield Found(value, "default", declared=True)

    def _tried(self, node: Mapping) -> Iterator[str]:
        if isinstance(key := _scalar(node, "config"), str):
            yield f"the configuration entry {quoted(key)}"
        yield from (f"environments.{ancestor}" for ancestor in self.ancestors)
        yield "default"

    def _note(self, name: str, refused: Refused) -> None:
        if name not in self.failed and not isinstance(refused, Reported):
            self.failed.add(name)
            self.found.add(
                refused.code, refused.message, self.declared.keys.get(name), ("spec", "vars", name), hint=refused.hint
            )


def check_variables(declared: Node | None, found: Findings) -> None:
    """Check what ``vars`` declares: patterns that can be read, and values that match them and are not too long."""
    for name, node in declared.items.items() if isinstance(declared, Mapping) else ():
        pattern = _scalar(node, "pattern")
        if isinstance(pattern, str) and _matcher(pattern) is None:
            if not _is_expression(pattern):
                continue  # said by the schema
            said = f"the pattern {quoted(pattern)} cannot be used: it is no regular expression without look-around"
            found.add("bad_value", said, _at(node, "pattern"), ("spec", "vars", name, "pattern"))
            continue
        for path, scalar in _written(node):
            try:
                _check(name, str(scalar.value), pattern)
            except Refused as refused:
                found.add(refused.code, refused.message, scalar.at, ("spec", "vars", name, *path))


def _written(node: Node) -> Iterator[tuple[Path, Scalar]]:
    if not isinstance(node, Mapping):
        return
    if isinstance(default := node.items.get("default"), Scalar):
        yield ("default",), default
    environments = node.items.get("environments")
    for name, value in environments.items.items() if isinstance(environments, Mapping) else ():
        if isinstance(value, Scalar):
            yield ("environments", name), value


def _check(name: str, value: str, pattern: object) -> None:
    if len(value.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise Refused("template_limit", f"the value of the variable {quoted(name)} is longer than 4 KiB")
    matcher = _matcher(pattern) if isinstance(pattern, str) else None
    if matcher is not None:
        try:
            matcher.validate_python(value)
        except ValidationError as error:
            said = f"the value {quoted(value)} of the variable {quoted(name)} does not match {quoted(pattern)}"
            raise Refused("var_pattern", said) from error


@lru_cache(maxsize=512)
def _matcher(pattern: str) -> TypeAdapter[str] | None:
    """Return what matches whole texts, in time that grows with their length alone: patterns come from candidates, and
    pydantic's engine, unlike Python's, never tries a text twice. None for a pattern that it cannot read."""
    try:
        TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
        return TypeAdapter(Annotated[str, StringConstraints(pattern=rf"\A(?:{pattern})\z")])
    except SchemaError:
        return None


def _is_expression(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def environment_scope(
    tree: Mapping, inputs: Inputs, name: str, kind: str, *, candidate: tuple[str, int] | None, variables: Vars
) -> Scope:
    """Return what the templates of an environment read. ``candidate``: its key and issue."""
    project = {"key": inputs.project.key, "name": inputs.project.name}
    values: dict[str, Value] = {
        "project": Fixed("project", project),
        "env": Fixed("env", {"name": name, "kind": kind}),
        "candidate": _candidate(candidate),
        "platform": _platform(inputs.platform),
        "versions": Fixed("versions", version_values(tree)),
        "vars": variables,
    }
    missing = {
        "source": "is not known in environments",
        "images": NO_IMAGES,
        "unit": NO_UNIT,
        **dict.fromkeys(("namespace", "domain", "url"), "is not known in namespaceTemplate and domainTemplate"),
    }
    return Scope(values, missing)


def _candidate(candidate: tuple[str, int] | None) -> Fixed:
    if candidate is None:
        return Fixed("candidate", {}, "is only known in candidate environments; read it by default(…)")
    return Fixed("candidate", {"key": candidate[0], "issue": candidate[1]})


def _platform(platform: Platform) -> Fixed:
    settings = {
        "domain": platform.domain,
        "candidateDomain": platform.candidate_domain,
        "registry": platform.registry,
        "ingressClass": platform.ingress_class,
    }
    return Fixed("platform", {name: value for name, value in settings.items() if value is not None})


def version_values(tree: Mapping) -> dict[str, Value]:
    """Return the versions by key."""
    versions = part(tree, "versions")
    items = versions.items if isinstance(versions, Mapping) else {}
    values = {key: _scalar(node, "value") if isinstance(node, Mapping) else plain(node) for key, node in items.items()}
    return {key: value for key, value in values.items() if isinstance(value, str)}


def source_names(repositories: Repositories) -> Fixed:
    """Return the pinned commits."""
    shas = {alias: source.identity for alias, source in repositories.sources.items()}
    each: dict[str, Value] = {alias: Fixed(f"source.repositories.{alias}", {"sha": sha}) for alias, sha in shas.items()}
    sha = shas[repositories.root]
    short = sha[:_SHORT] if len(sha) == _HEX else sha
    return Fixed("source", {"sha": sha, "short": short, "repositories": Fixed("source.repositories", each)})


def singleton_names(tree: Mapping, namespace: str | None) -> Fixed:
    """Return where the singletons of a stack live: in the namespace of its production environment."""
    if namespace is None:
        return Fixed("singletons", {}, "is not known: no production environment is declared")
    services = part(tree, "services")
    units = services.items if isinstance(services, Sequence) else []
    names = [str(_scalar(unit, "name")) for unit in units if _scalar(unit, "scope") == "singleton"]
    return Fixed("singletons", {name: Fixed(f"singletons.{name}", {"namespace": namespace}) for name in names})


def part(tree: Mapping, name: str) -> Node | None:
    """Return a part of ``spec``, or None."""
    spec = tree.items.get("spec")
    return spec.items.get(name) if isinstance(spec, Mapping) else None


def _scalar(node: Node | None, name: str) -> object:
    value = node.items.get(name) if isinstance(node, Mapping) else None
    return value.value if isinstance(value, Scalar) else None


def _at(node: Node, name: str) -> At:
    value = node.items.get(name) if isinstance(node, Mapping) else None
    return (value or node).at

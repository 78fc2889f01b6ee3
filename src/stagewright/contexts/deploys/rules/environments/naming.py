"""The namespace and the domain of an environment: rendered, well-formed, its own, and nobody else's."""

import re
from collections.abc import Mapping as MappingType
from dataclasses import dataclass

from stagewright.contexts.deploys.model.diagnostics import Findings, Related, quoted
from stagewright.contexts.deploys.model.inputs import Platform
from stagewright.contexts.deploys.model.places import At, Path
from stagewright.contexts.deploys.model.scope import Fixed, Scope
from stagewright.contexts.deploys.model.tree import Scalar
from stagewright.contexts.deploys.rules.environments.inheriting import Inherited
from stagewright.contexts.deploys.rules.templates.compiling import Omitted, compiled
from stagewright.contexts.deploys.rules.templates.problems import Refused, Reported
from stagewright.contexts.deploys.rules.templates.values import context

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_HOST = 253
RESERVED = ("default", "kube-*", "openshift-*", "stagewright*", "sw-run-*")
_NAMESPACE = {"candidate": "{{ project.key }}-{{ candidate.key }}"}
_NAMESPACE_ELSE = "{{ project.key }}-{{ env.name }}"
_CANDIDATE_DOMAIN = "{{ candidate.key }}-{{ project.key }}.{{ platform.candidateDomain }}"
_STAND_IN = "i987654321"
_KEYS = r"(?:[a-z0-9][a-z0-9-]*-)?i[0-9]+"


@dataclass(frozen=True, slots=True)
class Named:
    """Where an environment lives, and the places that say so. ``family``: what the names of all candidates match."""

    name: str
    namespace: str
    domain: str | None
    namespace_at: At
    domain_at: At
    family: re.Pattern[str] | None = None


def name_environment(environment: Inherited, scope: Scope, platform: Platform, found: Findings) -> Named | None:
    """Render and check both names. None where one of them cannot be used."""
    path = ("spec", "environments", environment.name)
    space = _Field(environment, "namespaceTemplate", _NAMESPACE.get(environment.kind, _NAMESPACE_ELSE), path)
    host = _Field(environment, "domainTemplate", _default_domain(environment, platform), path)
    rendered = space.render(scope, found), host.render(scope, found)
    if rendered[0] is None or rendered[1] is None:
        return None
    namespace, domain = rendered[0], rendered[1] or None
    space_fits = _check_namespace(namespace, space, platform, found)
    if not (domain is None or _check_domain(domain, host, environment, platform, found)) or not space_fits:
        return None
    family = None
    if environment.kind == "candidate":
        if not _differs(space, scope):
            found.add("namespace_not_unique", _shared(space, "a namespace"), space.at, space.path)
        if domain is not None and not _differs(host, scope):
            found.add("domain_collision", _shared(host, "a host"), host.at, host.path)
        family = _family(space, scope)
    return Named(environment.name, namespace, domain, space.at, host.at, family)


def _shared(field: "_Field", what: str) -> str:
    return f"{field.name} of a candidate environment must read candidate.key: else all candidates share {what}"


def _default_domain(environment: Inherited, platform: Platform) -> str:
    return _CANDIDATE_DOMAIN if environment.kind == "candidate" and platform.candidate_domain is not None else ""


class _Field:
    """A template of an environment, or the default of its kind; the default is "" where a kind has none."""

    def __init__(self, environment: Inherited, name: str, default: str, path: Path) -> None:
        node = environment.fields.items.get(name)
        own = node if isinstance(node, Scalar) and isinstance(node.value, str) else None
        self.name = name
        self.at = own.at if own is not None else environment.at
        self.path = (*path, name) if own is not None else path
        self.default = default
        self.text = str(own.value) if own is not None else default
        self.raw = own is not None and own.raw

    def render(self, scope: Scope, found: Findings) -> str | None:
        """Return the result, or None after a mistake."""
        try:
            return self.rendered(scope)
        except Reported:
            return None
        except Refused as refused:
            found.add(refused.code, refused.message, self.at, self.path, hint=refused.hint)
            return None

    def rendered(self, scope: Scope) -> str:
        """Return the result; a template that gives ``omit`` is as good as none. Raises ``Refused``."""
        if self.raw:
            return self.text
        try:
            return self._text(self.text, scope)
        except Omitted:
            return self._text(self.default, scope)

    def _text(self, text: str, scope: Scope) -> str:
        result = compiled(text).render(context(scope)) if "{{" in text else text
        if not isinstance(result, str):
            raise Refused("template_type", f"{self.name} must give a text, and gives {quoted(result)}")
        return result

    @property
    def reads_candidate(self) -> bool:
        """Whether the candidate's key is read at all."""
        used = (self.text, self.default) if "omit" in compiled(self.text).reads else (self.text,)
        return not self.raw and any("candidate.key" in compiled(text).reads for text in used)


def _differs(field: _Field, scope: Scope) -> bool:
    """Whether two candidates get two names."""
    try:
        one, other = (field.rendered(_as_candidate(scope, key)) for key in ("i1", "i2"))
        return field.reads_candidate and one != other
    except Refused:
        return False


def _family(field: _Field, scope: Scope) -> re.Pattern[str] | None:
    """Return what the namespaces of all candidates look like, where that can be said."""
    try:
        name = field.rendered(_as_candidate(scope, _STAND_IN))
    except Refused:
        return None
    before, key, after = name.partition(_STAND_IN)
    return re.compile(re.escape(before) + _KEYS + re.escape(after)) if key else None


def _as_candidate(scope: Scope, key: str) -> Scope:
    return scope.extended({"candidate": Fixed("candidate", {"key": key, "issue": int(key[1:])})})


def _check_namespace(namespace: str, field: _Field, platform: Platform, found: Findings) -> bool:
    if _LABEL.fullmatch(namespace) is None:
        rule = "lower-case letters, digits and hyphens, at most 63 of them; the filter dns_label makes such a name"
        said = f"the namespace {quoted(namespace)} must be {rule}"
        found.add("namespace_invalid", said, field.at, field.path)
        return False
    for pattern in (*RESERVED, *sorted(platform.reserved_namespaces)):
        if namespace == pattern or (pattern.endswith("*") and namespace.startswith(pattern[:-1])):
            said = f"the namespace {quoted(namespace)} is reserved ({pattern}): choose another namespaceTemplate"
            found.add("namespace_reserved", said, field.at, field.path)
            return False
    return True


def _check_domain(domain: str, field: _Field, environment: Inherited, platform: Platform, found: Findings) -> bool:
    if len(domain) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, domain.split("."))):
        said = f"the domain {quoted(domain)} must be a bare lower-case host, without scheme, port and path"
        found.add("domain_invalid", said, field.at, field.path)
        return False
    if environment.kind == "candidate":
        parent = platform.candidate_domain
        if parent is None or not domain.endswith(f".{parent}"):
            under = f"under {quoted(parent)}" if parent else "under a candidate domain, and the installation has none"
            found.add(
                "domain_outside", f"the host {quoted(domain)} of candidates must lie {under}", field.at, field.path
            )
            return False
    return True


def check_collisions(named: MappingType[str, Named], found: Findings) -> None:
    """Refuse two environments with one namespace or one host."""
    spaces: dict[str, Named] = {}
    hosts: dict[str, Named] = {}
    families = [item for item in named.values() if item.family is not None]
    for item in named.values():
        path = ("spec", "environments", item.name)
        if (first := spaces.setdefault(item.namespace, item)) is not item:
            said = f"{_both(first, item)} use the namespace {quoted(item.namespace)}: they need two"
            related = [Related(first.namespace_at, f"the namespace of {quoted(first.name)}")]
            found.add("namespace_collision", said, item.namespace_at, path, related=related)
        elif (rival := next((other for other in families if _clashes(item, other)), None)) is not None:
            said = f"{quoted(item.namespace)}, where {quoted(item.name)} lives, is where a candidate may live as well"
            related = [Related(rival.namespace_at, f"the namespaces of candidates in {quoted(rival.name)}")]
            found.add("namespace_collision", said, item.namespace_at, path, related=related)
        if item.domain is not None and (other := hosts.setdefault(item.domain, item)) is not item:
            said = f"{_both(other, item)} use the host {quoted(item.domain)}: they need two"
            related = [Related(other.domain_at, f"the host of {quoted(other.name)}")]
            found.add("domain_collision", said, item.domain_at, path, related=related)


def _both(one: Named, other: Named) -> str:
    return f"the environments {quoted(one.name)} and {quoted(other.name)} both"


def _clashes(item: Named, other: Named) -> bool:
    return item is not other and other.family is not None and other.family.fullmatch(item.namespace) is not None

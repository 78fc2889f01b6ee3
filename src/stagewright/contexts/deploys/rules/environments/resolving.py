"""All environments of a stack as they take effect, and what templates read in each."""

from collections.abc import Callable
from typing import NamedTuple

from pydantic import ValidationError

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.environments import Environment
from stagewright.contexts.deploys.model.inputs import Inputs, Selection
from stagewright.contexts.deploys.model.scope import Scope, Value
from stagewright.contexts.deploys.model.stages import EffectiveEnvironment
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence, plain
from stagewright.contexts.deploys.rules.environments.holding import egress_of, limits_of, quota_of
from stagewright.contexts.deploys.rules.environments.inheriting import Inherited, inherit, ordered
from stagewright.contexts.deploys.rules.environments.naming import Named, check_collisions, name_environment
from stagewright.contexts.deploys.rules.rendering import render_block
from stagewright.contexts.deploys.rules.variables import Vars, environment_scope, part, singleton_names

SAMPLE = ("i1", 1)
"""The candidate that stands for all where no one is asked for."""
_TEMPLATES = ("namespaceTemplate", "domainTemplate")


class Resolved(NamedTuple):
    """An environment that takes effect. ``scope``: what its templates read, where only the default branch decides."""

    effective: EffectiveEnvironment
    scope: Scope

    def rendered(self, declared: Mapping) -> Mapping:
        """Return the environment as it is declared, without inheritance, with its templates rendered but for those of
        its names. Mistakes were said when it was resolved."""
        kept = {key: node for key, node in declared.items.items() if key in _TEMPLATES}
        rest = {key: node for key, node in declared.items.items() if key not in _TEMPLATES}
        tree = render_block(Mapping(rest, declared.keys, declared.at), self.scope, Findings(), ()).tree
        return Mapping({**kept, **tree.items}, declared.keys, declared.at)


def resolve_environments(
    tree: Mapping, inputs: Inputs, selection: Selection, variables: Callable[[Inherited], Vars], found: Findings
) -> dict[str, Resolved]:
    """Return every declared environment that can be used. ``tree``: the stack that decides about environments;
    ``variables``: those of an environment."""
    declared = part(tree, "environments")
    inherited = inherit(declared, found) if isinstance(declared, Mapping) else {}
    resolved: dict[str, Resolved] = {}
    named: dict[str, Named] = {}
    home: str | None = None
    for environment in ordered(inherited):
        candidate = _candidate(environment, selection)
        scope = environment_scope(
            tree,
            inputs,
            environment.name,
            environment.kind,
            candidate=candidate,
            variables=variables(environment),
        ).extended({"singletons": singleton_names(tree, home)})
        names = name_environment(environment, scope, inputs.platform, found)
        if names is None:
            continue
        named[environment.name] = names
        home = names.namespace if environment.kind == "production" else home
        whole = _with_names(scope, tree, names, home)
        effective = _effective(environment, names, whole, inputs, found)
        if effective is not None:
            resolved[environment.name] = Resolved(effective, whole)
    check_collisions(named, found)
    return resolved


def _candidate(environment: Inherited, selection: Selection) -> tuple[str, int] | None:
    if environment.kind != "candidate":
        return None
    if selection.environment == environment.name and selection.candidate is not None:
        return selection.candidate, selection.issue or _issue(selection.candidate)
    return SAMPLE


def _issue(key: str) -> int:
    digits = key.rpartition("i")[2]
    return int(digits) if digits.isdecimal() and digits.isascii() else 0


def _with_names(scope: Scope, tree: Mapping, names: Named, home: str | None) -> Scope:
    values: dict[str, Value] = {"namespace": names.namespace, "singletons": singleton_names(tree, home)}
    if names.domain is not None:
        values |= {"domain": names.domain, "url": f"https://{names.domain}"}
    no_domain = "is not known: the environment has no domain; read it by default(…)"
    return scope.extended(values).without(*(name for name in ("domain", "url") if name not in values), why=no_domain)


def _effective(
    environment: Inherited, names: Named, scope: Scope, inputs: Inputs, found: Findings
) -> EffectiveEnvironment | None:
    fields = environment.fields
    kept = {key: node for key, node in fields.items.items() if key not in _TEMPLATES}
    path = ("spec", "environments", environment.name)
    rendered = render_block(Mapping(kept, fields.keys, fields.at), scope, found, path)
    declared = _typed(rendered.tree, fields, environment.name, found) if not rendered.failed else None
    if declared is None:
        return None
    fallback = EffectiveEnvironment(
        name=environment.name, kind=environment.kind, ancestors=environment.ancestors, namespace="", domain=None
    )
    return EffectiveEnvironment(
        name=environment.name,
        kind=environment.kind,
        ancestors=environment.ancestors,
        namespace=names.namespace,
        domain=names.domain,
        image_pull_policy=declared.image_pull_policy or fallback.image_pull_policy,
        pod_security=declared.pod_security or fallback.pod_security,
        quota=quota_of(environment, declared, inputs.project, found),
        limits=limits_of(environment, declared),
        egress=egress_of(environment, declared, found),
        max_live=(declared.max_live or inputs.project.max_live) if environment.kind == "candidate" else None,
        deploy_on_push=declared.deploy_on_push or fallback.deploy_on_push,
        on_failure=declared.on_failure or fallback.on_failure,
    )


def _typed(rendered: Mapping, written: Mapping, name: str, found: Findings) -> Environment | None:
    """Return the fields as their types. What was wrong before rendering has been said by the schema."""
    try:
        return Environment.model_validate(plain(rendered))
    except ValidationError as error:
        for mistake in error.errors():
            before, after = _at(written, mistake["loc"]), _at(rendered, mistake["loc"])
            if isinstance(after, Scalar) and before is not after:
                said = f"the template gives {quoted(after.value)}: {mistake['msg']}"
                found.add("wrong_type", said, after.at, ("spec", "environments", name, *mistake["loc"]))
        return None


def _at(node: Node | None, steps: tuple[int | str, ...]) -> Node | None:
    for step in steps:
        if isinstance(node, Mapping):
            node = node.items.get(str(step))
        elif isinstance(node, Sequence) and isinstance(step, int):
            node = node.items[step] if step < len(node.items) else None
    return node

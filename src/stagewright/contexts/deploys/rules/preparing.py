"""Stages 5-7: one environment of a loaded stack, with its templates rendered and its fields typed."""

import re
from collections.abc import Mapping as MappingType
from functools import partial

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.stack import Stack
from stagewright.contexts.deploys.model.inputs import Selection
from stagewright.contexts.deploys.model.places import Path, pointer
from stagewright.contexts.deploys.model.scope import Fixed, Scope, Value
from stagewright.contexts.deploys.model.stages import EffectiveEnvironment, Loaded, Prepared, Request
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar
from stagewright.contexts.deploys.rules.configured import configured, resolver_of
from stagewright.contexts.deploys.rules.environments.inheriting import Inherited
from stagewright.contexts.deploys.rules.environments.resolving import Resolved, resolve_environments
from stagewright.contexts.deploys.rules.rendering import render_stack
from stagewright.contexts.deploys.rules.resolving import Resolver
from stagewright.contexts.deploys.rules.runtime import check_runtime
from stagewright.contexts.deploys.rules.shape.checking import typed
from stagewright.contexts.deploys.rules.trust import builtin_stack, protect
from stagewright.contexts.deploys.rules.variables import (
    NO_UNIT,
    Vars,
    check_variables,
    part,
    singleton_names,
    source_names,
    version_values,
)

MARK = "\x00"
"""Around the name of an image in the text of a hook, until the images are planned. YAML texts hold none of their own
unless somebody escapes one, and then it names an image just the same."""
_ENVIRONMENTS = "/spec/environments/"
_MARKED = re.compile(f"{MARK}([^{MARK}]*){MARK}")


def prepare(
    loaded: Loaded, base: Loaded | None, request: Request, selection: Selection, found: Findings
) -> Prepared | None:
    """Return the stack as it takes effect in the selected environment.

    ``base``: the stack of the default branch, where the request names its repositories; None then means that it has
    none, so that candidates get the built-in defaults and nothing else can be deployed. A request without ``base``
    trusts the stack itself.
    """
    outer = _deciding(loaded, base, request, selection, found)
    if outer is None:
        return None
    tree = loaded.tree if outer is loaded.tree else protect(loaded.tree, outer, found)
    _check_project(tree, request, found)
    check_variables(part(tree, "vars"), found)
    by = resolver_of(outer, _names(part(outer, "environments")))
    variables = partial(_variables, by=by, request=request, found=found)
    environments = resolve_environments(outer, request.inputs, selection, partial(variables, outer), found)
    chosen = environments.get(selection.environment)
    if chosen is None:
        _say_unknown(outer, selection, found)
        return None
    own = variables(tree, chosen.effective)
    scope = _scope(tree, chosen, environments, own, request)
    rendered = render_stack(tree, scope, chosen.scope, _hooks(scope, tree), found)
    whole = _with_environments(rendered.tree, environments)
    stack = _typed(whole, rendered.failed, found)
    if stack is None:
        return None
    runtime = part(whole, "webhookRuntime")
    check_runtime(stack.spec.webhook_runtime, runtime, request.inputs.policy, found)
    return Prepared(
        stack=stack,
        tree=whole,
        environment=chosen.effective,
        selection=selection,
        inputs=request.inputs,
        variables=scope,
        declared=_names(part(tree, "environments")),
        read_vars=own.read,
    )


def unit_scope(prepared: Prepared, name: str, group: str, images: MappingType[str, str]) -> Scope:
    """Return what the manifests of a unit read. ``images``: their references by name."""
    values: dict[str, Value] = {
        "unit": Fixed("unit", {"name": name, "group": group}),
        "images": Fixed("images", dict(images)),
    }
    return prepared.variables.extended(values)


def with_images(text: str, images: MappingType[str, str]) -> str:
    """Return a text of a hook with the references of the images that it names. Raises ``KeyError`` for one that has
    none."""
    return _MARKED.sub(lambda match: images[match[1]], text) if MARK in text else text


def named_images(text: str) -> tuple[str, ...]:
    """Return the names of the images that a text of a hook inserts."""
    return tuple(_MARKED.findall(text)) if MARK in text else ()


def _deciding(
    loaded: Loaded, base: Loaded | None, request: Request, selection: Selection, found: Findings
) -> Mapping | None:
    """Return the stack that decides about the protected parts; None where nothing can be deployed."""
    if base is not None:
        return base.tree
    if request.base is None and (request.preview or selection.candidate is None):
        return loaded.tree
    declared = part(loaded.tree, "environments")
    own = declared.items.get(selection.environment) if isinstance(declared, Mapping) else None
    kind = own.items.get("kind") if isinstance(own, Mapping) else None
    if selection.candidate is None or (isinstance(kind, Scalar) and kind.value != "candidate"):
        said = "the default branch has no stack, so only candidates can be deployed: merge the stack first"
        found.add("unknown_environment", said, own.at if own is not None else loaded.tree.at, ("spec", "environments"))
        return None
    return builtin_stack(loaded.tree, selection.environment, request.inputs.project.key)


def _say_unknown(outer: Mapping, selection: Selection, found: Findings) -> None:
    declared = part(outer, "environments")
    if not isinstance(declared, Mapping) or not declared.items or selection.environment in declared.items:
        return  # what is wrong has been said
    said = f"no environment {quoted(selection.environment)} is declared; declared: {', '.join(_names(declared))}"
    found.add("unknown_environment", said, declared.at, ("spec", "environments"))


def _check_project(tree: Mapping, request: Request, found: Findings) -> None:
    """Refuse a stack of another project."""
    metadata = tree.items.get("metadata")
    named = metadata.items.get("name") if isinstance(metadata, Mapping) else None
    project = part(tree, "project")
    node, path = (project, ("spec", "project")) if project is not None else (named, ("metadata", "name"))
    key = request.inputs.project.key
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value != key:
        said = f"the stack is that of the project {quoted(node.value)}, and this project is {quoted(key)}"
        found.add("project_mismatch", said, node.at, path, hint="set spec.project to the key of the project")


def _variables(
    tree: Mapping, environment: Inherited | EffectiveEnvironment, *, by: Resolver, request: Request, found: Findings
) -> Vars:
    declared = part(tree, "vars")
    empty = Mapping({}, {}, tree.at)
    return Vars(
        declared if isinstance(declared, Mapping) else empty,
        environment.ancestors,
        configured(environment.name, environment.kind, by=by, config=request.config),
        request.inputs.overrides,
        found,
    )


def _scope(
    tree: Mapping, chosen: Resolved, environments: MappingType[str, Resolved], variables: Vars, request: Request
) -> Scope:
    """Return what the stack reads in the chosen environment."""
    homes = [item.effective.namespace for item in environments.values() if item.effective.kind == "production"]
    values: dict[str, Value] = {
        "vars": variables,
        "versions": Fixed("versions", version_values(tree)),
        "source": source_names(request.repositories),
        "singletons": singleton_names(tree, homes[0] if homes else None),
    }
    return chosen.scope.extended(values).without("unit", why=NO_UNIT)


def _hooks(scope: Scope, tree: Mapping) -> Scope:
    """Return what hooks read: images as marks, which take their places when images are planned."""
    images = {name: f"{MARK}{name}{MARK}" for name in _names(part(tree, "images"))}
    return scope.extended({"images": Fixed("images", images)})


def _names(node: Node | None) -> tuple[str, ...]:
    return tuple(sorted(node.items)) if isinstance(node, Mapping) else ()


def _with_environments(tree: Mapping, environments: MappingType[str, Resolved]) -> Mapping:
    """Return the tree with the fields of environments rendered as well, each as its own environment sees them."""
    spec, declared = tree.items["spec"], part(tree, "environments")
    if not isinstance(spec, Mapping) or not isinstance(declared, Mapping):
        return tree
    items: dict[str, Node] = {
        name: environments[name].rendered(node) if name in environments and isinstance(node, Mapping) else node
        for name, node in declared.items.items()
    }
    whole = Mapping({**spec.items, "environments": Mapping(items, declared.keys, declared.at)}, spec.keys, spec.at)
    return Mapping({**tree.items, "spec": whole}, tree.keys, tree.at)


def _typed(tree: Mapping, failed: frozenset[Path], found: Findings) -> Stack | None:
    """Return the stack as types. Of environments, and of scalars whose template was refused, all has been said."""
    own = Findings()
    stack = typed(tree, own)
    said = {pointer(path) for path in failed}
    found.items += [item for item in own.items if item.path not in said and not item.path.startswith(_ENVIRONMENTS)]
    return stack

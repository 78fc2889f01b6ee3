"""Every name by which parts of a stack refer to each other, and what is declared but never used."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.stack import Spec
from stagewright.contexts.deploys.model.document.units import ComponentDefaults, Unit
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.stages import EffectiveUnit, Prepared
from stagewright.contexts.deploys.rules.components import field_place
from stagewright.contexts.deploys.rules.hook_rules import check_hooks
from stagewright.contexts.deploys.rules.overriding import check_resolution
from stagewright.contexts.deploys.rules.resolving import resolver
from stagewright.contexts.deploys.rules.spots import spot
from stagewright.contexts.deploys.rules.unit_rules import check_units


def check_references(units: Sequence[EffectiveUnit], prepared: Prepared, found: Findings) -> None:
    """Check the names of groups, environments, secrets, images and repositories, and the rules of units and hooks."""
    _check_groups(units, prepared, found)
    _check_environments(prepared, found)
    _check_repositories(prepared, found)
    _check_components(prepared, found)
    check_units(units, prepared, found)
    check_hooks(units, prepared, found)
    check_resolution(prepared, _config_keys(prepared.stack.spec), found)


def unused_secrets(prepared: Prepared, named: Collection[str], found: Findings) -> None:
    """Note secrets that nothing names. ``named``: those that the objects of manifests refer to."""
    used = {*named, *_named_secrets(prepared.stack.spec)}
    for secret in prepared.stack.spec.secrets:
        if secret.name not in used:
            path = ("spec", "secrets", secret.name)
            message = f"nothing uses the secret {quoted(secret.name)}; remove it"
            found.add("unused_secret", message, spot(prepared.tree, path), path)


def _named_secrets(spec: Spec) -> Iterable[str]:
    """Yield the secrets that other parts of the stack name."""
    holders: list[Unit | ComponentDefaults] = [*spec.infrastructure, *spec.services]
    holders += [component.defaults for component in spec.components]
    hooks = [*spec.orchestration.hooks, *(hook for holder in holders for hook in holder.hooks or ())]
    for hook in hooks:
        yield from (key.secret for key in hook.secret_env.values())
    for image in spec.images.values():
        yield from (mounted.secret for mounted in image.build_secrets or ())
    for secret in spec.secrets:
        yield from (source.copy_.secret for source in secret.keys.values() if source.copy_ is not None)


def _check_groups(units: Sequence[EffectiveUnit], prepared: Prepared, found: Findings) -> None:
    groups = prepared.stack.spec.orchestration.deploy_order
    if groups is None:
        return
    listed = ", ".join(groups) or "none"
    for unit in units:
        if not unit.infrastructure and unit.group not in groups:
            at, path = field_place(unit, ("deployGroup",), prepared)
            message = f"the group {quoted(unit.group)} of {quoted(unit.name)} is not in deployOrder: {listed}"
            found.add("unknown_group", message, at, path, hint="add it to spec.orchestration.deployOrder")
    for index, group in enumerate(groups):
        if group in groups[:index]:
            path = ("spec", "orchestration", "deployOrder", index)
            message = f"the group {quoted(group)} stands twice in deployOrder; a group is deployed once"
            found.add("duplicate_name", message, spot(prepared.tree, path), path)


def _check_environments(prepared: Prepared, found: Findings) -> None:
    spec = prepared.stack.spec
    aliases = resolver(spec.secret_resolution, prepared.declared).canonical
    for name, variable in spec.vars.items():
        for environment in variable.environments:
            _environment(environment, ("spec", "vars", name, "environments", environment), {}, prepared, found)
    for secret in spec.secrets:
        path: Path = ("spec", "secrets", secret.name)
        for index, environment in enumerate(secret.environments or ()):
            _environment(environment, (*path, "environments", index), aliases, prepared, found)
        for key, source in secret.keys.items():
            if source.copy_ is not None:
                here = (*path, "keys", key, "copy", "environment")
                _environment(source.copy_.environment, here, aliases, prepared, found)


def _environment(name: str, path: Path, aliases: Mapping[str, str], prepared: Prepared, found: Findings) -> None:
    if name not in prepared.declared and name not in aliases:
        listed = ", ".join(prepared.declared) or "none"
        message = f"no environment {quoted(name)} is declared; declared: {listed}"
        found.add("unknown_environment", message, spot(prepared.tree, path), path)


def _check_repositories(prepared: Prepared, found: Findings) -> None:
    """Check the repositories that documents name; those of imports were checked while they were read."""
    spec = prepared.stack.spec
    known = {use.alias for use in spec.repositories} | {prepared.tree.at.source.repository}
    known |= set(prepared.inputs.project.repositories)
    for index, doc in enumerate(spec.project_docs):
        _repository(doc.repository, ("spec", "projectDocs", index, "repository"), known, prepared, found)
    for role, templates in spec.role_doc_templates.items():
        for index, template in enumerate(templates):
            path = ("spec", "roleDocTemplates", role, index, "repository")
            _repository(template.repository, path, known, prepared, found)


def _repository(name: str | None, path: Path, known: Collection[str], prepared: Prepared, found: Findings) -> None:
    if name is not None and name not in known:
        message = f"no repository {quoted(name)} is declared; declared: {', '.join(sorted(known))}"
        found.add("unknown_repository", message, spot(prepared.tree, path), path)


def _check_components(prepared: Prepared, found: Findings) -> None:
    used = {name for service in prepared.stack.spec.services for name in service.use}
    for component in prepared.stack.spec.components:
        if component.name not in used:
            path = ("spec", "components", component.name)
            message = f"no service uses the component {quoted(component.name)}; remove it"
            found.add("unused_component", message, spot(prepared.tree, path), path)


def _config_keys(spec: Spec) -> set[str]:
    """Return the configuration keys that the stack reads."""
    keys = {variable.config for variable in spec.vars.values()}
    keys |= {source.from_.config for secret in spec.secrets for source in secret.keys.values() if source.from_}
    return {key for key in keys if key is not None}

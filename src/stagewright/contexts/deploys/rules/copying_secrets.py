"""Values that come from the vault of another environment: what may be copied where, and never in a circle."""

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.secrets import CopyFrom, Secret
from stagewright.contexts.deploys.model.document.stack import Stack
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.stages import Prepared
from stagewright.contexts.deploys.rules.resolving import Resolver
from stagewright.contexts.deploys.rules.secret_names import is_written
from stagewright.contexts.deploys.rules.spots import spot

Copied = tuple[str, str, str]
"""Environment, secret and key."""


def kind_of(stack: Stack, environment: str) -> str | None:
    """Return the kind of a declared environment, its own or that of its nearest parent."""
    name: str | None = environment
    seen: set[str] = set()
    while name is not None and name not in seen:
        seen.add(name)
        declared = stack.spec.environments.get(name)
        if declared is None:
            return None
        if declared.kind is not None:
            return declared.kind
        name = declared.from_
    return None


def check_copy(secret: Secret, key: str, rule: CopyFrom, prepared: Prepared, by: Resolver, found: Findings) -> None:
    """Check that a copy leads to a value, that the value may go there, and that it is no copy of itself."""
    path: Path = ("spec", "secrets", secret.name, "keys", key, "copy")
    environment = by.environment(rule.environment)
    declared = {other.name: other for other in prepared.stack.spec.secrets}
    source = declared.get(rule.secret)
    if environment not in prepared.declared:
        return  # said among the references
    problem = None
    if source is None:
        problem = f"no secret {quoted(rule.secret)} is declared; declared: {', '.join(sorted(declared))}"
        field = "secret"
    elif rule.key not in source.keys:
        keys = ", ".join(sorted(source.keys))
        problem = f"the secret {quoted(rule.secret)} has no key {quoted(rule.key)}; its keys: {keys}"
        field = "key"
    if source is None or problem is not None:
        here = (*path, field)
        found.add("unknown_secret", problem or "", spot(prepared.tree, here), here)
        return
    _check_rights(source, rule, environment, path, prepared, by, found)
    _check_circle((prepared.environment.name, secret.name, key), path, prepared, by, found)


def _check_rights(
    source: Secret, rule: CopyFrom, environment: str, path: Path, prepared: Prepared, by: Resolver, found: Findings
) -> None:
    kind = prepared.environment.kind
    refused = None
    if not is_written(source, environment, by):
        refused = f"the secret {quoted(source.name)} is not written in {quoted(environment)}; copy from where it is"
    elif kind == "production" and kind_of(prepared.stack, environment) == "candidate":
        refused = f"production never copies from a candidate environment, and {quoted(environment)} is one"
    elif kind == "candidate" and not source.keys[rule.key].shareable:
        refused = (
            f"{quoted(rule.key)} of {quoted(source.name)} may not be copied into a candidate environment, where agents "
            "read it; set shareable: true there, or generate a value"
        )
    if refused is not None:
        found.add("secret_copy_refused", refused, spot(prepared.tree, path), path)


def _check_circle(start: Copied, path: Path, prepared: Prepared, by: Resolver, found: Findings) -> None:
    secrets = {secret.name: secret for secret in prepared.stack.spec.secrets}
    chain = [start]
    while True:
        _, name, key = chain[-1]
        source = secrets[name].keys.get(key) if name in secrets else None
        if source is None or source.copy_ is None:
            return
        rule = source.copy_
        following = (by.environment(rule.environment), rule.secret, rule.key)
        if following == start:
            break
        if following in chain:
            return  # told where the circle itself begins
        chain.append(following)
    names = " -> ".join("/".join(part) for part in (*chain, start))
    message = f"the copies go in a circle: {names}; give one of them a value of its own"
    found.add("secret_copy_cycle", message, spot(prepared.tree, path), path)

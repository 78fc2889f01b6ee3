"""Which declared secrets exist in an environment, and references to their keys."""

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.orchestration import SecretKey
from stagewright.contexts.deploys.model.document.secrets import Secret
from stagewright.contexts.deploys.model.places import At, Path
from stagewright.contexts.deploys.model.stages import Prepared
from stagewright.contexts.deploys.rules.resolving import Resolver, resolver


def is_written(secret: Secret, environment: str, by: Resolver) -> bool:
    """Say whether ``secret`` belongs to an environment; its ``when`` is another matter."""
    return secret.environments is None or environment in map(by.environment, secret.environments)


def written_secrets(prepared: Prepared) -> tuple[Secret, ...]:
    """Return the secrets that are written into the environment."""
    spec = prepared.stack.spec
    by = resolver(spec.secret_resolution, prepared.declared)
    return tuple(item for item in spec.secrets if item.when and is_written(item, prepared.environment.name, by))


def _is_here(secret: Secret, prepared: Prepared) -> bool:
    by = resolver(prepared.stack.spec.secret_resolution, prepared.declared)
    return secret.when and is_written(secret, prepared.environment.name, by)


def check_key(
    key: SecretKey, at: At | None, path: Path, prepared: Prepared, found: Findings, *, here: bool = True
) -> None:
    """Check that a reference to a key of a secret leads somewhere; ``here``: also in this environment."""
    declared = {secret.name: secret for secret in prepared.stack.spec.secrets}
    secret = declared.get(key.secret)
    if secret is None:
        listed = ", ".join(sorted(declared)) or "none"
        message = f"no secret {quoted(key.secret)} is declared; declared: {listed}"
        found.add("unknown_secret", message, at, path)
    elif key.key not in secret.keys:
        listed = ", ".join(sorted(secret.keys))
        message = f"the secret {quoted(key.secret)} has no key {quoted(key.key)}; its keys: {listed}"
        found.add("unknown_secret", message, at, path)
    elif here and not _is_here(secret, prepared):
        environment = prepared.environment.name
        message = f"the secret {quoted(key.secret)} is not written in the environment {quoted(environment)}"
        found.add("unknown_secret", message, at, path, hint="look at its when and environments")

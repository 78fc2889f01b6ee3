"""Values of ``vars`` that stand in the configuration: found by the one resolver, and never a secret's."""

from pydantic import ValidationError

from stagewright.contexts.deploys.model.diagnostics import quoted
from stagewright.contexts.deploys.model.document.secrets import SecretResolution
from stagewright.contexts.deploys.model.sources import ConfigEntry, ConfigKind, ConfigReader
from stagewright.contexts.deploys.model.tree import Mapping, plain
from stagewright.contexts.deploys.rules.resolving import Resolved, Resolver, Unreadable, resolve, resolver
from stagewright.contexts.deploys.rules.templates.problems import Refused
from stagewright.contexts.deploys.rules.variables import Found, Lookup, part


def resolver_of(tree: Mapping, declared: tuple[str, ...]) -> Resolver:
    """Return the resolver of the stack that decides about ``secretResolution``. What is wrong there was said before."""
    node = part(tree, "secretResolution")
    try:
        rules = SecretResolution.model_validate(plain(node)) if node is not None else SecretResolution()
    except ValidationError:
        rules = SecretResolution()
    return resolver(rules, declared)


def configured(environment: str, kind: str, *, by: Resolver, config: ConfigReader) -> Lookup:
    """Return what finds variables of the configuration for an environment."""

    def find(key: str) -> Found | None:
        found = resolve(key, environment, kind, by=by, config=config)
        if isinstance(found, Unreadable):
            said = f"the value of the configuration key {quoted(found.place.key)} cannot be decrypted: store it again"
            raise Refused("value_undecryptable", said)
        entries = (found.entry,) if isinstance(found, Resolved) else found.refused
        _refuse_secrets(key, entries)
        if not isinstance(found, Resolved) or found.entry.value is None:
            return None
        return Found(found.entry.value, f"config:{found.place}")

    return find


def _refuse_secrets(key: str, entries: tuple[ConfigEntry, ...]) -> None:
    if any(entry.kind is ConfigKind.SECRET for entry in entries):
        said = f"the configuration key {quoted(key)} is a secret: templates read variables alone, never secrets"
        raise Refused("template_secret", said, "declare it under secrets, with `from: {config: …}`")

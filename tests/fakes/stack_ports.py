"""What the stack engine asks of others, answered from nothing: every key is known, every tag has a digest."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stagewright.contexts.deploys.model.sources import ConfigEntry, ConfigKind, Scope

EVERYWHERE = frozenset({"production", "persistent", "candidate"})


def a_secret(key: str, **changes: object) -> ConfigEntry:
    """Return an entry of the project that may enter every environment; its value is never asked for."""
    given: dict[str, object] = {
        "key": key,
        "kind": ConfigKind.SECRET,
        "scope": Scope.PROJECT,
        "environment": "*",
        "version": 1,
        "audience": EVERYWHERE,
    }
    return ConfigEntry(**{**given, **changes})  # type: ignore[arg-type]  # a builder of tests


def a_variable(key: str, value: str, **changes: object) -> ConfigEntry:
    """Return an entry whose value templates may read."""
    return a_secret(key, **{"kind": ConfigKind.VARIABLE, "value": value, **changes})


@dataclass
class KnownConfig:
    """Answers with the given entries; without any, every key is a secret of the project; not ``known``: nothing."""

    given: Mapping[str, Sequence[ConfigEntry]] | None = None
    known: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)

    def entries(self, key: str) -> Sequence[ConfigEntry]:
        """Return every entry with this key."""
        if not self.known:
            return ()
        if key in self.variables:
            return (a_variable(key, self.variables[key]),)
        if self.given is not None:
            return self.given.get(key, ())
        return (a_secret(key),)


@dataclass
class KnownDigests:
    """Gives every reference a digest made of its name."""

    known: bool = True

    def resolve(self, reference: str) -> str | None:
        """Return the digest."""
        return f"sha256:{hashlib.sha256(reference.encode()).hexdigest()}" if self.known else None

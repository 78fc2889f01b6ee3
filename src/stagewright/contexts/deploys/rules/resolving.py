"""Finds the configuration entry of a key for an environment (``stack.md`` section 9). One resolver for variables and
secrets, for plans, installation and the command line. It never sees the value of a secret."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from stagewright.contexts.deploys.model.document.secrets import SecretResolution
from stagewright.contexts.deploys.model.sources import ConfigEntry, ConfigReader, Scope
from stagewright.contexts.deploys.rules.overriding import KEY, made_key

EVERYWHERE = "*"
BUILT_IN_ALIASES = {"production": ("prod",)}
DIRECT = "direct"


class Candidate(NamedTuple):
    """A key to look for, and the rule that names it: ``keyOverrides/<key>``, ``patterns/<index>`` or ``direct``."""

    key: str
    rule: str


class Place(NamedTuple):
    """One place that was tried. ``environment`` is a name or ``*``."""

    key: str
    environment: str
    scope: Scope
    rule: str

    def __str__(self) -> str:
        return f"{self.key} for {self.environment} in {self.scope.value}"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The entry that counts, and the place and rule by which it was found."""

    entry: ConfigEntry
    place: Place


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Nothing counts. ``tried``: every place, in order; ``refused``: entries whose audience lacks the environment's
    kind."""

    tried: tuple[Place, ...]
    refused: tuple[ConfigEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An entry on the way cannot be decrypted: nothing after it may count."""

    entry: ConfigEntry
    place: Place


Resolution = Resolved | Unresolved | Unreadable


@dataclass(frozen=True, slots=True)
class Resolver:
    """The rules of one stack. ``canonical``: every alias of an environment -> its name."""

    rules: SecretResolution
    canonical: Mapping[str, str] = field(default_factory=dict)

    def environment(self, name: str) -> str:
        """Return the environment that ``name`` stands for."""
        return self.canonical.get(name, name)

    def candidates(self, key: str, environment: str) -> tuple[Candidate, ...]:
        """Return the keys to look for, in order: overrides, every pattern that applies, then the key itself."""
        keys: dict[str, str] = {}
        for made, rule in self._made(key, self.environment(environment)):
            if made != key and KEY.fullmatch(made):
                keys.setdefault(made, rule)
        keys[key] = DIRECT
        return tuple(Candidate(made, rule) for made, rule in keys.items())

    def _made(self, key: str, environment: str) -> Iterator[tuple[str, str]]:
        for override in self.rules.key_overrides:
            if override.source_key == key:
                for name, other in override.override_keys.items():
                    if self.environment(name) == environment:
                        yield other, f"keyOverrides/{key}"
        for index, pattern in enumerate(self.rules.patterns):
            if environment in map(self.environment, pattern.environments):
                from_pattern = made_key(pattern, key, environment)
                if from_pattern is not None:
                    yield from_pattern, f"patterns/{index}"


def resolver(rules: SecretResolution, declared: tuple[str, ...]) -> Resolver:
    """Return the resolver of a stack. ``declared``: its environments; none of them is an alias."""
    canonical: dict[str, str] = {}
    for aliases in (BUILT_IN_ALIASES, rules.environment_aliases):
        for name, others in aliases.items():
            for alias in others:
                if name in declared and alias not in declared:
                    canonical[alias] = name
    return Resolver(rules, canonical)


def resolve(key: str, environment: str, kind: str, *, by: Resolver, config: ConfigReader) -> Resolution:
    """Return the entry of ``key`` that counts in ``environment``: the first one that is not empty and may enter its
    ``kind``, by candidate key, then the bound environment before ``*``, then repository, project, platform."""
    canonical = by.environment(environment)
    tried: list[Place] = []
    refused: list[ConfigEntry] = []
    for candidate in by.candidates(key, canonical):
        entries = _by_place(config, candidate.key, by)
        for bound in (canonical, EVERYWHERE):
            for scope in Scope:
                place = Place(candidate.key, bound, scope, candidate.rule)
                tried.append(place)
                entry = entries.get((bound, scope))
                if entry is None:
                    continue
                if not entry.readable:
                    return Unreadable(entry, place)
                if entry.empty:
                    continue
                if kind in entry.audience:
                    return Resolved(entry, place)
                refused.append(entry)
    return Unresolved(tuple(tried), tuple(refused))


def _by_place(config: ConfigReader, key: str, by: Resolver) -> dict[tuple[str, Scope], ConfigEntry]:
    """Return the entries of ``key`` by place. Bound to an environment's own name counts before bound to an alias."""
    found: dict[tuple[str, Scope], ConfigEntry] = {}
    entries = [entry for entry in config.entries(key) if entry.key == key]
    for entry in sorted(entries, key=lambda entry: (entry.environment in by.canonical, entry.environment)):
        found.setdefault((by.environment(entry.environment), entry.scope), entry)
    return found

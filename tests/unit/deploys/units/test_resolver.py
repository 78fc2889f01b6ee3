"""The resolver of configuration entries: its precedence, against a naive reference, and its rules one by one."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.deploys.preparing import Entries
from tests.unit.deploys.units.texts import an_entry

from stagewright.contexts.deploys.model.document.secrets import KeyOverride, KeyPattern, SecretResolution
from stagewright.contexts.deploys.model.sources import ConfigEntry, Scope
from stagewright.contexts.deploys.rules.resolving import (
    Resolution,
    Resolved,
    Resolver,
    Unreadable,
    Unresolved,
    resolve,
    resolver,
)

DECLARED = ("live", "preview", "production")
KINDS = ("production", "persistent", "candidate")
KEYS = ("A_KEY", "B_KEY", "A_KEY_LIVE", "X_KEY")


def found(
    *entries: ConfigEntry, rules: SecretResolution | None = None, environment: str = "live", kind: str = "production"
) -> Resolution:
    """Resolve A_KEY."""
    by = resolver(rules or SecretResolution(), DECLARED)
    return resolve("A_KEY", environment, kind, by=by, config=Entries(*entries))


@dataclass
class Naive:
    """The page word by word: nested loops over everything."""

    rules: SecretResolution
    entries: list[ConfigEntry]
    keys: list[tuple[str, str]] = field(default_factory=list)

    def look(self, key: str, environment: str, kind: str) -> tuple[str, str] | ConfigEntry | None:
        """Return the entry and its rule, the unreadable entry, or None."""
        self.list_keys(key, environment)
        for candidate, rule in self.keys:
            for place in [(bound, scope) for bound in (environment, "*") for scope in Scope]:
                for entry in self.entries:
                    if entry.key != candidate or (entry.environment, entry.scope) != place:
                        continue
                    if not entry.readable:
                        return entry
                    if not entry.empty and kind in entry.audience:
                        return f"{entry.key} {entry.environment} {entry.scope.value} {entry.version}", rule
        return None

    def list_keys(self, key: str, environment: str) -> None:
        """Write down the keys to look for."""
        for override in self.rules.key_overrides:
            if override.source_key == key and environment in override.override_keys:
                self.keys.append((override.override_keys[environment], f"keyOverrides/{key}"))
        for index, pattern in enumerate(self.rules.patterns):
            applies = key.startswith(pattern.source_prefix) and environment in pattern.environments
            if applies and not any(key.endswith(text) for text in pattern.exclude_suffixes):
                made = pattern.override_template.replace("{key}", key).replace("{env_upper}", environment.upper())
                if made != key:
                    self.keys.append((made, f"patterns/{index}"))
        self.keys.append((key, "direct"))


entries = st.lists(
    st.builds(
        an_entry,
        key=st.sampled_from(KEYS),
        scope=st.sampled_from(list(Scope)),
        environment=st.sampled_from(["*", "live", "preview"]),
        version=st.integers(1, 9),
        audience=st.frozensets(st.sampled_from(KINDS), min_size=1),
        empty=st.sampled_from([False, False, True]),
        readable=st.sampled_from([True, True, True, True, False]),
    ),
    max_size=14,
    unique_by=lambda entry: (entry.key, entry.environment, entry.scope),
)
patterns = st.builds(
    lambda **fields: KeyPattern(**fields),
    source_prefix=st.sampled_from(["A_", "B_", "A_KEY"]),
    exclude_suffixes=st.sampled_from([[], ["_KEY"]]),
    environments=st.lists(st.sampled_from(["live", "preview"]), max_size=2, unique=True),
    override_template=st.sampled_from(["{key}_{env_upper}", "X_KEY", "{key}"]),
)
overrides = st.builds(
    lambda **fields: KeyOverride(**fields),
    source_key=st.sampled_from(["A_KEY", "B_KEY"]),
    override_keys=st.dictionaries(st.sampled_from(["live", "preview"]), st.sampled_from(["X_KEY", "B_KEY_X"])),
)
rules = st.builds(
    lambda **fields: SecretResolution(**fields),
    key_overrides=st.lists(overrides, max_size=2, unique_by=lambda item: item.source_key),
    patterns=st.lists(patterns, max_size=3),
)


@settings(max_examples=120, deadline=None)
@given(rules, entries, st.sampled_from(["A_KEY", "B_KEY"]), st.sampled_from(["live", "preview"]))
def test_the_resolver_agrees_with_a_naive_reference_and_names_its_rule(
    given_rules: SecretResolution, stored: list[ConfigEntry], key: str, environment: str
) -> None:
    for kind in KINDS:
        by = resolver(given_rules, ("live", "preview"))
        result = resolve(key, environment, kind, by=by, config=Entries(*stored))
        expected = Naive(given_rules, stored).look(key, environment, kind)
        if isinstance(result, Resolved):
            place = result.place
            said = f"{place.key} {place.environment} {place.scope.value} {result.entry.version}"
            assert (said, place.rule) == expected
        elif isinstance(result, Unreadable):
            assert result.entry == expected
        else:
            assert expected is None
            assert len(result.tried) == 6 * len(by.candidates(key, environment))


def test_an_override_counts_before_every_pattern_and_they_before_the_key() -> None:
    given_rules = SecretResolution(
        key_overrides=[KeyOverride(source_key="A_KEY", override_keys={"live": "ZERO"})],
        patterns=[
            KeyPattern(source_prefix="A_", environments=["live"], override_template="ONE_{suffix}"),
            KeyPattern(source_prefix="", environments=["live"], override_template="{key}_{env_upper}"),
            KeyPattern(source_prefix="A_", environments=["live"], override_template="ONE_{suffix}"),
            KeyPattern(source_prefix="A_", exclude_prefixes=["A_K"], environments=["live"], override_template="NO"),
        ],
    )
    by = Resolver(given_rules)
    assert by.candidates("A_KEY", "live") == (
        ("ZERO", "keyOverrides/A_KEY"),
        ("ONE_KEY", "patterns/0"),
        ("A_KEY_LIVE", "patterns/1"),
        ("A_KEY", "direct"),
    )
    assert by.candidates("A_KEY", "preview") == (("A_KEY", "direct"),)


def test_a_value_bound_to_the_environment_counts_before_a_nearer_scope() -> None:
    result = found(
        an_entry(scope=Scope.REPOSITORY, version=1), an_entry(scope=Scope.PLATFORM, environment="live", version=2)
    )
    assert isinstance(result, Resolved)
    assert result.entry.version == 2
    assert str(result.place) == "A_KEY for live in platform"


def test_an_unreadable_value_is_never_skipped() -> None:
    broken = an_entry(scope=Scope.REPOSITORY, readable=False, audience=frozenset())
    result = found(broken, an_entry(version=2))
    assert isinstance(result, Unreadable)
    assert result.entry is broken


def test_what_may_not_enter_is_told_with_every_place_tried() -> None:
    closed = an_entry(audience=frozenset({"production"}))
    result = found(closed, environment="preview", kind="candidate")
    assert isinstance(result, Unresolved)
    assert result.refused == (closed,)
    assert [str(place) for place in result.tried] == [
        "A_KEY for preview in repository",
        "A_KEY for preview in project",
        "A_KEY for preview in platform",
        "A_KEY for * in repository",
        "A_KEY for * in project",
        "A_KEY for * in platform",
    ]


def test_an_alias_stands_for_its_environment() -> None:
    named = SecretResolution(environment_aliases={"live": ["main"]})
    by_alias = an_entry(environment="main", version=2)
    for environment in ("live", "main"):
        result = found(by_alias, rules=named, environment=environment)
        assert isinstance(result, Resolved)
        assert (result.entry, result.place.environment) == (by_alias, "live")
    exact = an_entry(environment="live", version=3)
    assert found(by_alias, exact, rules=named) == Resolved(exact, found(exact).place)  # type: ignore[union-attr]


def test_prod_is_an_alias_of_production_unless_an_environment_has_that_name() -> None:
    assert isinstance(found(an_entry(environment="prod"), environment="production"), Resolved)
    assert resolver(SecretResolution(), ("prod", "production")).canonical == {}
    assert resolver(SecretResolution(), ("live",)).canonical == {}

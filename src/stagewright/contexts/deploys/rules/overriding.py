"""The rules of ``secretResolution``: keys made by patterns, and what is wrong with them (``stack.md`` section 9)."""

import re
from collections.abc import Iterable, Iterator

from stagewright.contexts.deploys.model.diagnostics import Findings, Related, quoted
from stagewright.contexts.deploys.model.document.secrets import KeyPattern, SecretResolution
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.stages import Prepared
from stagewright.contexts.deploys.rules.spots import spot

KEY = re.compile(r"[A-Z][A-Z0-9_]{0,127}")
PLACEHOLDERS = ("{key}", "{suffix}", "{env}", "{env_upper}")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}|[{}]")
_OTHERS = re.compile(r"[^A-Z0-9]")
_AT: Path = ("spec", "secretResolution")
_FORM = "a key has capital letters, digits and _ only, at most 128, and starts with a letter"


def applies(pattern: KeyPattern, key: str) -> bool:
    """Say whether ``pattern`` speaks about ``key``."""
    return (
        key.startswith(pattern.source_prefix)
        and not key.startswith(tuple(pattern.exclude_prefixes))
        and not key.endswith(tuple(pattern.exclude_suffixes))
    )


def made_key(pattern: KeyPattern, key: str, environment: str) -> str | None:
    """Return the key that ``pattern`` makes of ``key``, or None where it does not apply."""
    if not applies(pattern, key):
        return None
    values = {
        "{key}": key,
        "{suffix}": key.removeprefix(pattern.source_prefix),
        "{env}": environment,
        "{env_upper}": _OTHERS.sub("_", environment.upper()),
    }
    return _PLACEHOLDER.sub(lambda match: values.get(match[0], match[0]), pattern.override_template)


def check_resolution(prepared: Prepared, keys: Iterable[str], found: Findings) -> None:
    """Check the rules, and what patterns make of the ``keys`` that the stack reads."""
    rules = prepared.stack.spec.secret_resolution
    canonical = _check_aliases(rules, prepared, found)
    _check_overrides(rules, canonical, prepared, found)
    used = sorted(set(keys))
    for index, pattern in enumerate(rules.patterns):
        _check_pattern(pattern, index, used, canonical, prepared, found)


def _check_aliases(rules: SecretResolution, prepared: Prepared, found: Findings) -> dict[str, str]:
    built_in = {"prod": "production"} if "production" in prepared.declared and "prod" not in prepared.declared else {}
    owners: dict[str, tuple[str, Path]] = {alias: (name, _AT) for alias, name in built_in.items()}
    for name, aliases in rules.environment_aliases.items():
        here = (*_AT, "environmentAliases", name)
        _known(name, here, prepared, found, aliases={})
        for index, alias in enumerate(aliases):
            path = (*here, index)
            at = spot(prepared.tree, path)
            if alias in prepared.declared:
                message = f"the alias {quoted(alias)} is itself the name of an environment; choose another alias"
                found.add("alias_conflict", message, at, path)
            elif alias in owners and owners[alias][0] != name:
                other, before = owners[alias]
                message = f"the alias {quoted(alias)} stands for {quoted(other)} and {quoted(name)}; keep one of them"
                related = (
                    [Related(spot(prepared.tree, before), f"the alias of {quoted(other)}")] if before != _AT else []
                )
                found.add("alias_conflict", message, at, path, related=related)
            owners.setdefault(alias, (name, path))
    return {alias: name for alias, (name, _) in owners.items() if alias not in prepared.declared}


def _check_overrides(rules: SecretResolution, canonical: dict[str, str], prepared: Prepared, found: Findings) -> None:
    first: dict[str, Path] = {}
    for index, override in enumerate(rules.key_overrides):
        path = (*_AT, "keyOverrides", index)
        source = (*path, "sourceKey")
        if not KEY.fullmatch(override.source_key):
            message = f"{quoted(override.source_key)} is no configuration key; {_FORM}"
            found.add("override_invalid", message, spot(prepared.tree, source), source)
        if override.source_key in first:
            message = f"{quoted(override.source_key)} has two entries in keyOverrides; make one of them"
            related = [Related(spot(prepared.tree, first[override.source_key]), "the first entry")]
            found.add("override_ambiguous", message, spot(prepared.tree, source), source, related=related)
        first.setdefault(override.source_key, source)
        seen: dict[str, str] = {}
        for name, key in override.override_keys.items():
            here = (*path, "overrideKeys", name)
            at = spot(prepared.tree, here)
            _known(name, here, prepared, found, aliases=canonical)
            environment = canonical.get(name, name)
            if environment in seen:
                message = (
                    f"{quoted(override.source_key)} has two keys for {quoted(environment)}: under "
                    f"{quoted(seen[environment])} and {quoted(name)}; keep one"
                )
                found.add("override_ambiguous", message, at, here)
            seen.setdefault(environment, name)
            if (problem := _problem(key, override.source_key)) is not None:
                found.add("override_invalid", problem, at, here)


def _check_pattern(
    pattern: KeyPattern,
    index: int,
    keys: list[str],
    canonical: dict[str, str],
    prepared: Prepared,
    found: Findings,
) -> None:
    path = (*_AT, "patterns", index)
    for place, name in enumerate(pattern.environments):
        _known(name, (*path, "environments", place), prepared, found, aliases=canonical)
    here = (*path, "overrideTemplate")
    at = spot(prepared.tree, here)
    unknown = [part for part in _PLACEHOLDER.findall(pattern.override_template) if part not in PLACEHOLDERS]
    if unknown:
        message = f"{quoted(unknown[0])} is no placeholder; there are {', '.join(PLACEHOLDERS)}"
        found.add("override_invalid", message, at, here)
        return
    for key, environment in _uses(pattern, keys, canonical):
        made = made_key(pattern, key, environment)
        if made is not None and (problem := _problem(made, key)) is not None:
            found.add("override_invalid", f"for {quoted(key)} in {quoted(environment)}: {problem}", at, here)
            return


def _uses(pattern: KeyPattern, keys: list[str], canonical: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name in pattern.environments:
        for key in keys:
            yield key, canonical.get(name, name)


def _problem(made: str, key: str) -> str | None:
    if not KEY.fullmatch(made):
        return f"{quoted(made)} is no configuration key; {_FORM}"
    return f"the other key is {quoted(key)} again; name another one" if made == key else None


def _known(name: str, path: Path, prepared: Prepared, found: Findings, *, aliases: dict[str, str]) -> None:
    if name not in prepared.declared and name not in aliases:
        listed = ", ".join(prepared.declared) or "none"
        message = f"no environment {quoted(name)} is declared; declared: {listed}"
        found.add("unknown_environment", message, spot(prepared.tree, path), path)

"""The secrets of a plan: for every key where its value will come from, never the value (``stack.md`` section 8)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stagewright.contexts.deploys.model.diagnostics import Findings, Severity, quoted
from stagewright.contexts.deploys.model.document.secrets import FromConfig, Generate, KeySource, Secret
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.plan import PlannedSecret
from stagewright.contexts.deploys.model.stages import Prepared, Request
from stagewright.contexts.deploys.rules.composing_secrets import check_circles, composed
from stagewright.contexts.deploys.rules.copying_secrets import check_copy
from stagewright.contexts.deploys.rules.resolving import Resolved, Resolver, Unreadable, resolve, resolver
from stagewright.contexts.deploys.rules.secret_names import written_secrets
from stagewright.contexts.deploys.rules.spots import spot

SKIPPED = "values of secrets in the configuration"
_BASIC = ("username", "password")
_TYPE_KEYS: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
}
_RSA_SIZES = (2048, 3072, 4096)
_FEWEST = 10
_PRINTABLE = frozenset(map(chr, range(33, 127)))

Source = tuple[Mapping[str, Any], str | None]
"""A descriptor, and the version of the entry behind it."""


def plan_secrets(prepared: Prepared, request: Request, found: Findings) -> tuple[PlannedSecret, ...]:
    """Return a descriptor for each key of each secret that is written into the environment, by name and key. Optional
    keys without a value are left out. What cannot be known offline is a warning in a preview."""
    planning = _Planning(prepared, request, found, resolver(prepared.stack.spec.secret_resolution, prepared.declared))
    planned: list[PlannedSecret] = []
    for secret in sorted(written_secrets(prepared), key=lambda secret: secret.name):
        planned += planning.secret(secret)
    return tuple(planned)


@dataclass(frozen=True, slots=True)
class _Planning:
    """What is known while the secrets of one environment are planned."""

    prepared: Prepared
    request: Request
    found: Findings
    by: Resolver

    def secret(self, secret: Secret) -> list[PlannedSecret]:
        """Return the descriptors of one secret."""
        path: Path = ("spec", "secrets", secret.name)
        self._check_type(secret, path)
        check_circles(secret, self.prepared, self.found)
        planned = []
        for key, source in sorted(secret.keys.items()):
            made = self._source(secret, key, source)
            if made is not None:
                planned.append(PlannedSecret(secret=secret.name, key=key, source=made[0], version=made[1]))
        return planned

    def add(self, code: str, message: str, path: Path, hint: str | None = None) -> None:
        """Note a problem of the stack's text."""
        self.found.add(code, message, spot(self.prepared.tree, path), path, hint=hint)

    def _check_type(self, secret: Secret, path: Path) -> None:
        missing = [key for key in _TYPE_KEYS.get(secret.type, ()) if key not in secret.keys]
        if secret.type == "kubernetes.io/basic-auth" and not any(key in secret.keys for key in _BASIC):
            missing = ["username"]
        if missing:
            message = (
                f"a secret of the type {secret.type} needs the key {quoted(missing[0])}; declare it, or use Opaque"
            )
            self.add("secret_key_name", message, (*path, "keys"))

    def _source(self, secret: Secret, key: str, source: KeySource) -> Source | None:
        path: Path = ("spec", "secrets", secret.name, "keys", key)
        if source.generate is not None:
            return self._generated(source.generate, (*path, "generate"))
        if source.from_ is not None:
            return self._from(source.from_, (*path, "from"))
        if source.copy_ is not None:
            check_copy(secret, key, source.copy_, self.prepared, self.by, self.found)
            environment = self.by.environment(source.copy_.environment)
            wanted = {"environment": environment, "secret": source.copy_.secret, "key": source.copy_.key}
            return {"copy": wanted}, None
        if source.compose is not None:
            parts = composed(secret, key, source.compose, self.prepared, self.found)
            return {"compose": parts}, None
        return None

    def _generated(self, rule: Generate, path: Path) -> Source:
        """Return how a value is made. The generation number comes from the vault when the plan is carried out."""
        made: dict[str, Any] = {"kind": rule.kind, "rotate": rule.rotate}
        if rule.kind == "rsa":
            made["length"] = rule.length if "length" in rule.model_fields_set else _RSA_SIZES[0]
            if made["length"] not in _RSA_SIZES:
                message = f"an rsa key has 2048, 3072 or 4096 bits, not {rule.length}"
                self.add("bad_value", message, (*path, "length"))
        elif rule.kind not in ("uuid", "ed25519"):
            made["length"] = rule.length
        if rule.alphabet is not None:
            made["alphabet"] = rule.alphabet
            self._check_alphabet(rule, rule.alphabet, (*path, "alphabet"))
        return {"generate": made}, None

    def _check_alphabet(self, rule: Generate, alphabet: str, path: Path) -> None:
        if rule.kind != "password":
            message = (
                f"only a password has an alphabet, and this is a value of the kind {rule.kind}; remove one of them"
            )
            self.add("bad_value", message, path)
        elif not _PRINTABLE.issuperset(alphabet) or len(set(alphabet)) != len(alphabet) or len(alphabet) < _FEWEST:
            message = (
                f"the alphabet {quoted(alphabet)} must be at least {_FEWEST} different characters of ASCII, each once "
                "and none of them a space"
            )
            self.add("bad_value", message, path)

    def _from(self, rule: FromConfig, path: Path) -> Source | None:
        """Return where a value of the configuration comes from."""
        environment = self.prepared.environment
        here = (*path, "config")
        if not self.request.config.known:
            if rule.required:
                message = (
                    f"which entry {quoted(rule.config)} comes from is not known offline; plan against a server to see"
                )
                self._unresolved(message, here)
            return {"from": {"config": rule.config}}, None
        result = resolve(rule.config, environment.name, environment.kind, by=self.by, config=self.request.config)
        if isinstance(result, Resolved):
            place = result.place
            given = {"config": rule.config, "key": place.key, "scope": place.scope.value}
            return {"from": {**given, "environment": place.environment, "rule": place.rule}}, str(result.entry.version)
        if isinstance(result, Unreadable):
            message = (
                f"the value of {result.place}, version {result.entry.version}, cannot be decrypted; restore the key "
                "that encrypted it, or set the value anew"
            )
            self.add("value_undecryptable", message, here)
            return {"from": {"config": rule.config}}, None
        if rule.default is not None and environment.kind != "production":
            return {"from": {"config": rule.config, "default": True}}, f"default:{_fingerprint(rule.default)}"
        if result.refused:
            entry = result.refused[0]
            message = (
                f"the value of {quoted(entry.key)} for {entry.environment} in {entry.scope.value} may not enter "
                f"environments of the kind {environment.kind}; widen its audience, or bind another value to "
                f"{quoted(environment.name)}"
            )
            self.add("secret_audience", message, here)
        elif rule.required:
            tried = "; ".join(map(str, result.tried))
            message = f"no value of {quoted(rule.config)} is found for {quoted(environment.name)}; tried: {tried}"
            self._unresolved(message, here)
        else:
            return None
        return {"from": {"config": rule.config}}, None

    def _unresolved(self, message: str, path: Path) -> None:
        severity = Severity.WARNING if self.request.preview else Severity.ERROR
        self.found.add("secret_unresolved", message, spot(self.prepared.tree, path), path, severity=severity)


def skipped_secrets(prepared: Prepared, request: Request) -> Sequence[str]:
    """Return the checks that were skipped because no configuration can be read."""
    reads = any(source.from_ for secret in written_secrets(prepared) for source in secret.keys.values())
    return (SKIPPED,) if reads and not request.config.known else ()


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

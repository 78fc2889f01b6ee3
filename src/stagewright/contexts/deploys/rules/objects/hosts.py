"""Hosts of Ingress objects lie inside the environment's domain."""

from collections.abc import Iterator

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.objects import Unfinished, as_list, as_map
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.rules.objects.setting import Setting, report

_GROUPS = ("networking.k8s.io", "extensions")


def check_hosts(item: Unfinished, setting: Setting, found: Findings) -> None:
    """Check every host that an Ingress answers for, or has a certificate for."""
    if item.kind != "Ingress" or item.group not in _GROUPS:
        return
    domain = setting.environment.domain
    for path, host in _hosts(item):
        if domain is None:
            text = f"is {quoted(host)}, but the environment {quoted(setting.environment.name)} has no domain; "
            report(found, "object_host", item, path, text + "set its domainTemplate, or leave the Ingress out")
        elif not isinstance(host, str) or not host:
            text = f"is missing, so the Ingress would answer for every host; write {quoted(domain)} or a host below it"
            report(found, "object_host", item, path, text)
        elif host != domain and not host.endswith("." + domain):
            text = f"is {quoted(host)}, which is outside the environment; use {quoted(domain)} or a host below it"
            report(found, "object_host", item, path, text)


def _hosts(item: Unfinished) -> Iterator[tuple[Path, object]]:
    spec = as_map(item.body.get("spec"))
    rules = as_list(spec.get("rules"))
    for place, rule in enumerate(rules):
        yield ("spec", "rules", place, "host"), as_map(rule).get("host")
    if not rules or "defaultBackend" in spec:
        yield ("spec", "rules") if not rules else ("spec", "defaultBackend"), None
    for place, tls in enumerate(as_list(spec.get("tls"))):
        for index, host in enumerate(as_list(as_map(tls).get("hosts"))):
            yield ("spec", "tls", place, "hosts", index), host

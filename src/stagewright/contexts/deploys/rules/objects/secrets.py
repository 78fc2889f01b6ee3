"""Secrets that objects name are declared, or are entries of the environment (``stack.md`` section 6.4)."""

from collections.abc import Iterator
from typing import NamedTuple

from stagewright.contexts.deploys.model.diagnostics import Findings, Severity, quoted
from stagewright.contexts.deploys.model.objects import Body, PodTemplate, Unfinished, as_list, as_map
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.sources import ConfigKind
from stagewright.contexts.deploys.rules.objects.setting import Setting, report

_VOLUME_DRIVERS = ("csi", "flexVolume", "rbd", "cephfs", "iscsi", "scaleIO", "storageos", "cinder", "azureFile")


class Reference(NamedTuple):
    """A place where an object names a Secret. ``path`` leads to the name; ``keys``: path and name of each key read."""

    path: Path
    name: object
    keys: tuple[tuple[Path, object], ...] = ()
    optional: bool = False


def check_secrets(item: Unfinished, setting: Setting, found: Findings) -> None:
    """Check every Secret that ``item`` names."""
    for reference in references(item):
        if isinstance(reference.name, str):
            _check(item, reference, setting, found)


def references(item: Unfinished) -> Iterator[Reference]:
    """Give every place where ``item`` names a Secret: pods, Ingress TLS, and pull secrets of accounts."""
    for pod in item.pods:
        yield from pod_references(pod)
    if item.kind == "Ingress":
        for place, tls in enumerate(as_list(as_map(item.body.get("spec")).get("tls"))):
            if "secretName" in as_map(tls):
                yield Reference(("spec", "tls", place, "secretName"), tls["secretName"])
    elif item.kind == "ServiceAccount":
        for name in ("imagePullSecrets", "secrets"):
            for place, entry in enumerate(as_list(item.body.get(name))):
                yield Reference((name, place, "name"), as_map(entry).get("name"))


def pod_references(pod: PodTemplate) -> Iterator[Reference]:
    """Give every place where a pod names a Secret."""
    base: Path = (*pod.path, "spec")
    for place, entry in enumerate(as_list(pod.spec.get("imagePullSecrets"))):
        yield Reference((*base, "imagePullSecrets", place, "name"), as_map(entry).get("name"))
    for path, container in pod.containers():
        yield from _of_container(path, container)
    for place, volume in enumerate(as_list(pod.spec.get("volumes"))):
        yield from _of_volume((*base, "volumes", place), as_map(volume))


def _of_container(path: Path, container: Body) -> Iterator[Reference]:
    for place, variable in enumerate(as_list(container.get("env"))):
        chosen = as_map(as_map(variable).get("valueFrom")).get("secretKeyRef")
        if isinstance(chosen, dict):
            where: Path = (*path, "env", place, "valueFrom", "secretKeyRef")
            keys = (((*where, "key"), chosen.get("key")),)
            yield Reference((*where, "name"), chosen.get("name"), keys, chosen.get("optional") is True)
    for place, source in enumerate(as_list(container.get("envFrom"))):
        chosen = as_map(source).get("secretRef")
        if isinstance(chosen, dict):
            where = (*path, "envFrom", place, "secretRef", "name")
            yield Reference(where, chosen.get("name"), (), chosen.get("optional") is True)


def _of_volume(path: Path, volume: Body) -> Iterator[Reference]:
    chosen = volume.get("secret")
    if isinstance(chosen, dict):
        yield _with_items((*path, "secret"), chosen, "secretName")
    for place, source in enumerate(as_list(as_map(volume.get("projected")).get("sources"))):
        inner = as_map(source).get("secret")
        if isinstance(inner, dict):
            yield _with_items((*path, "projected", "sources", place, "secret"), inner, "name")
    for driver in _VOLUME_DRIVERS:
        for name in ("nodePublishSecretRef", "secretRef"):
            inner = as_map(volume.get(driver)).get(name)
            if isinstance(inner, dict):
                yield Reference((*path, driver, name, "name"), inner.get("name"))
        if "secretName" in as_map(volume.get(driver)):
            yield Reference((*path, driver, "secretName"), volume[driver]["secretName"])


def _with_items(path: Path, chosen: Body, field_name: str) -> Reference:
    items = as_list(chosen.get("items"))
    keys = tuple(((*path, "items", place, "key"), as_map(item).get("key")) for place, item in enumerate(items))
    return Reference((*path, field_name), chosen.get(field_name), keys, chosen.get("optional") is True)


def _check(item: Unfinished, reference: Reference, setting: Setting, found: Findings) -> None:
    name = str(reference.name)
    keys = setting.secrets.get(name)
    if keys is None:
        _check_entry(item, reference, name, setting, found)
        return
    for path, key in reference.keys:
        if isinstance(key, str) and key not in keys and not reference.optional:
            known = ", ".join(sorted(keys))
            text = f"is {quoted(key)}, which the declared secret {quoted(name)} does not have; its keys are {known}"
            report(found, "object_secret_unknown", item, path, text)


def _check_entry(item: Unfinished, reference: Reference, name: str, setting: Setting, found: Findings) -> None:
    """Check a name that is not declared: an entry of the environment will do, where entries can be read."""
    bound = (setting.environment.name, "*")
    entries = setting.config.entries(name) if setting.config.known else ()
    if reference.optional or any(entry.kind is ConfigKind.SECRET and entry.environment in bound for entry in entries):
        return
    text = f"is {quoted(name)}, but the environment {quoted(setting.environment.name)} has no such secret"
    if setting.config.known:
        remedy = "declare it under spec.secrets"
        report(found, "object_secret_unknown", item, reference.path, f"{text}; {remedy}")
    else:
        text += " declared; declare it under spec.secrets, unless it is a secret entry, which only a server can tell"
        report(found, "object_secret_unknown", item, reference.path, text, severity=Severity.WARNING)

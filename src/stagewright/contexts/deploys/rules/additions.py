"""What the platform adds to objects: labels, pull policy, no API token, restarts, synced files (``runtime.md`` 7.3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.units import Sync
from stagewright.contexts.deploys.model.objects import Body, PodTemplate, Unfinished, as_list, as_map
from stagewright.contexts.deploys.model.plan import PlannedSecret
from stagewright.contexts.deploys.model.stages import EffectiveEnvironment, EffectiveUnit, Prepared
from stagewright.contexts.deploys.rules.canonical import digest
from stagewright.contexts.deploys.rules.components import field_place
from stagewright.contexts.deploys.rules.exposing import gate_own_ingress
from stagewright.contexts.deploys.rules.normalising import normalise_quantities
from stagewright.contexts.deploys.rules.objects.secrets import pod_references
from stagewright.contexts.deploys.rules.objects.setting import PREFIX

MANAGED = {"app.kubernetes.io/managed-by": "stagewright", PREFIX + "managed": "true"}
_SHORT = 16
_VOLUME = "stagewright-sync"
_RUNNING = ("containers", "initContainers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """What one plan adds. ``restarts``: secret -> what its versions come to; ``configs``: config map -> its content."""

    environment: EffectiveEnvironment
    labels: Mapping[str, str]
    restarts: Mapping[str, str]
    configs: Mapping[str, str]

    def add(self, item: Unfinished, step_id: str, *, cluster_scoped: bool) -> None:
        """Complete the body of ``item``, in place."""
        metadata = item.body["metadata"]
        if not cluster_scoped:
            metadata["namespace"] = self.environment.namespace
        metadata["labels"] = {**self.labels, **as_map(metadata.get("labels")), **MANAGED}
        ours = {PREFIX + "unit": item.unit, PREFIX + "step-id": step_id}
        metadata["annotations"] = {**as_map(metadata.get("annotations")), **ours}
        gate_own_ingress(item, self.environment)
        for pod in item.pods:
            self._complete(item, pod)
        normalise_quantities(item)

    def _complete(self, item: Unfinished, pod: PodTemplate) -> None:
        for _, container in pod.containers():
            container.setdefault("imagePullPolicy", self.environment.image_pull_policy)
        if pod.spec.get("serviceAccountName", "default") == "default":
            pod.spec["automountServiceAccountToken"] = False
        added = {PREFIX + "secret-" + name: self.restarts[name] for name in self._secrets(pod)}
        added |= {PREFIX + "config-" + name: self.configs[name] for name in _config_maps(pod) if name in self.configs}
        annotate_pod(item, pod, added)

    def _secrets(self, pod: PodTemplate) -> set[str]:
        names = {reference.name for reference in pod_references(pod) if "imagePullSecrets" not in reference.path}
        return {name for name in names if isinstance(name, str) and name in self.restarts}


def annotate_pod(item: Unfinished, pod: PodTemplate, added: Mapping[str, str]) -> None:
    """Add annotations to a pod template."""
    if not added:
        return
    template = item.body
    for step in pod.path:
        template = template[step]  # type: ignore[index]
    metadata = template["metadata"] = as_map(template.get("metadata"))
    metadata["annotations"] = {**as_map(metadata.get("annotations")), **added}


def _config_maps(pod: PodTemplate) -> set[str]:
    """Return the names of the config maps that a pod uses."""
    names: set[object] = set()
    for _, container in pod.containers():
        for variable in as_list(container.get("env")):
            names.add(as_map(as_map(as_map(variable).get("valueFrom")).get("configMapKeyRef")).get("name"))
        for source in as_list(container.get("envFrom")):
            names.add(as_map(as_map(source).get("configMapRef")).get("name"))
    for volume in as_list(pod.spec.get("volumes")):
        names.add(as_map(as_map(volume).get("configMap")).get("name"))
        for source in as_list(as_map(as_map(volume).get("projected")).get("sources")):
            names.add(as_map(as_map(source).get("configMap")).get("name"))
    return {name for name in names if isinstance(name, str)}


def restarts_of(prepared: Prepared, secrets: Iterable[PlannedSecret]) -> dict[str, str]:
    """Return, for every secret with ``restart: auto``, a text that changes with the versions of its keys."""
    wanted = {secret.name for secret in prepared.stack.spec.secrets if secret.restart == "auto"}
    versions: dict[str, dict[str, list[object]]] = {}
    for planned in secrets:
        if planned.secret in wanted:
            versions.setdefault(planned.secret, {})[planned.key] = [dict(planned.source), planned.version]
    return {name: digest(keys)[:_SHORT] for name, keys in versions.items()}


def configs_of(items: Iterable[Unfinished], units: Mapping[str, EffectiveUnit]) -> dict[str, str]:
    """Return, for every config map made from files, a text that changes with its content."""
    declared = {config.name: unit.name for unit in units.values() for config in unit.config_maps}
    return {
        item.name: digest([item.body.get("data"), item.body.get("binaryData")])[:_SHORT]
        for item in items
        if item.kind == "ConfigMap" and not item.group and item.node is None and item.name in declared
    }


def add_sync(
    unit: EffectiveUnit, items: Iterable[Unfinished], identity: str, image: str, prepared: Prepared, found: Findings
) -> None:
    """Let the pods of ``unit`` start with the files of its source image, which an init container copies in."""
    sync = unit.sync
    if sync is None:
        return
    pods = [(item, pod) for item in items for pod in item.pods if item.kind in ("Deployment", "StatefulSet")]
    chosen = [(item, pod) for item, pod in pods if _container(pod, sync.container) is not None]
    if not chosen:
        text = f"no Deployment or StatefulSet of the unit {quoted(unit.name)} has the container "
        text += f"{quoted(sync.container)} that sync names; correct sync.container"
        found.add("sync_path", text, *field_place(unit, ("sync", "container"), prepared))
    for item, pod in chosen:
        _copy_in(pod, sync, image, restricted=prepared.environment.pod_security == "restricted")
        annotate_pod(item, pod, {PREFIX + "sync-source": identity})
        metadata = item.body["metadata"]
        metadata["annotations"] = as_map(metadata.get("annotations")) | {
            PREFIX + "sync-strategy": unit.strategy,
            PREFIX + "sync-container": sync.container,
            PREFIX + "sync-mount-path": sync.mount_path,
        }


def _container(pod: PodTemplate, name: str) -> Body | None:
    containers = [item for field in _RUNNING for item in as_list(pod.spec.get(field))]
    return next((item for item in containers if as_map(item).get("name") == name), None)


def _copy_in(pod: PodTemplate, sync: Sync, image: str, *, restricted: bool) -> None:
    container = _container(pod, sync.container)
    assert container is not None  # chosen by it
    mount = {"name": _VOLUME, "mountPath": sync.mount_path}
    container["volumeMounts"] = [*as_list(container.get("volumeMounts")), mount]
    pod.spec["volumes"] = [*as_list(pod.spec.get("volumes")), {"name": _VOLUME, "emptyDir": {}}]
    context: Body = {"allowPrivilegeEscalation": False}
    if restricted:
        context |= {"capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True}
        context["seccompProfile"] = {"type": "RuntimeDefault"}
    copier = {
        "name": _VOLUME,
        "image": image,
        "args": [sync.mount_path],
        "securityContext": context,
        "volumeMounts": [mount],
    }
    pod.spec["initContainers"] = [copier, *as_list(pod.spec.get("initContainers"))]

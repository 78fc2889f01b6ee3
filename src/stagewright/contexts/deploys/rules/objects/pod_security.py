"""Pod templates satisfy the environment's Pod Security level, as the API server's admission asks in its ``latest``."""

from collections.abc import Iterator
from typing import NamedTuple

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.objects import Body, PodTemplate, Unfinished, as_list, as_map
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.rules.objects.setting import Setting, report

BASELINE_CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
SAFE_SYSCTLS = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
        "net.ipv4.tcp_slow_start_after_idle",
        "net.ipv4.tcp_notsent_lowat",
    ]
)
SELINUX_TYPES = frozenset(("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"))
RESTRICTED_VOLUMES = frozenset(
    [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ]
)
_PROFILES = ("RuntimeDefault", "Localhost")
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("httpGet", "tcpSocket")


class Violation(NamedTuple):
    """What breaks the standard: the field, the level that asks, what is wrong and what to write."""

    path: Path
    level: str
    text: str


def check_pod_security(item: Unfinished, setting: Setting, found: Findings) -> None:
    """Check every pod template of ``item``."""
    level = setting.environment.pod_security
    for pod in item.pods:
        for violation in violations(pod, level):
            text = f"{violation.text} (Pod Security {quoted(violation.level)})"
            report(found, "object_pod_security", item, violation.path, text)


def violations(pod: PodTemplate, level: str) -> Iterator[Violation]:
    """Give everything in ``pod`` that ``level`` (``baseline`` or ``restricted``) refuses."""
    for path, text in _baseline(pod):
        yield Violation(path, "baseline", text)
    if level == "restricted":
        for path, text in _restricted(pod):
            yield Violation(path, "restricted", text)


Offence = tuple[Path, str]


def _contexts(pod: PodTemplate) -> Iterator[tuple[Path, Body]]:
    yield (*pod.path, "spec", "securityContext"), as_map(pod.spec.get("securityContext"))
    for path, container in pod.containers():
        yield (*path, "securityContext"), as_map(container.get("securityContext"))


def _volumes(pod: PodTemplate) -> Iterator[tuple[Path, Body]]:
    for place, volume in enumerate(as_list(pod.spec.get("volumes"))):
        yield (*pod.path, "spec", "volumes", place), as_map(volume)


def _baseline(pod: PodTemplate) -> Iterator[Offence]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(name):
            yield (*pod.path, "spec", name), "shares the node's namespace; remove it"
    for path, volume in _volumes(pod):
        if volume.get("hostPath") is not None:
            yield (*path, "hostPath"), "mounts a folder of the node; use a persistentVolumeClaim or an emptyDir"
    for path, context in _contexts(pod):
        yield from _baseline_context(path, context)
    for path, container in pod.containers():
        yield from _baseline_container(path, container, user_namespace=pod.spec.get("hostUsers") is False)
    yield from _sysctls(pod)
    for key, value in as_map(pod.metadata.get("annotations")).items():
        profile = str(value)
        usual = profile in ("", "runtime/default") or profile.startswith("localhost/")
        if str(key).startswith(_APPARMOR) and not usual:
            yield (*pod.path, "metadata", "annotations", key), f"is {quoted(value)}; use 'runtime/default'"


def _baseline_context(path: Path, context: Body) -> Iterator[Offence]:
    if as_map(context.get("windowsOptions")).get("hostProcess"):
        yield (*path, "windowsOptions", "hostProcess"), "runs on the node itself; remove it"
    seccomp = as_map(context.get("seccompProfile")).get("type")
    if seccomp is not None and seccomp not in _PROFILES:
        yield (*path, "seccompProfile", "type"), f"is {quoted(seccomp)}; use RuntimeDefault or Localhost"
    apparmor = as_map(context.get("appArmorProfile")).get("type")
    if apparmor is not None and apparmor not in _PROFILES:
        yield (*path, "appArmorProfile", "type"), f"is {quoted(apparmor)}; use RuntimeDefault or Localhost"
    linux = as_map(context.get("seLinuxOptions"))
    if (linux.get("type") or "") not in SELINUX_TYPES:
        yield (*path, "seLinuxOptions", "type"), f"is {quoted(linux['type'])}; use container_t, or remove it"
    for name in ("user", "role"):
        if linux.get(name):
            yield (*path, "seLinuxOptions", name), "may not be set; remove it"


def _baseline_container(path: Path, container: Body, *, user_namespace: bool) -> Iterator[Offence]:
    context = as_map(container.get("securityContext"))
    inner: Path = (*path, "securityContext")
    if context.get("privileged"):
        yield (*inner, "privileged"), "gives the container the node; set it to false"
    for place, name in enumerate(as_list(as_map(context.get("capabilities")).get("add"))):
        if name not in BASELINE_CAPABILITIES:
            yield (*inner, "capabilities", "add", place), f"is {quoted(name)}, which may not be added; remove it"
    mount = context.get("procMount")
    if mount not in (None, "Default") and not user_namespace:
        yield (*inner, "procMount"), f"is {quoted(mount)}; use Default"
    for place, port in enumerate(as_list(container.get("ports"))):
        if as_map(port).get("hostPort"):
            yield (*path, "ports", place, "hostPort"), "takes a port of the node; remove it and use a Service"
    yield from _hosts_of_probes(path, container)


def _hosts_of_probes(path: Path, container: Body) -> Iterator[Offence]:
    lifecycle = as_map(container.get("lifecycle"))
    places = [((*path, name), as_map(container.get(name))) for name in _PROBES]
    places += [((*path, "lifecycle", name), as_map(lifecycle.get(name))) for name in ("postStart", "preStop")]
    for where, probe in places:
        for handler in _HANDLERS:
            if as_map(probe.get(handler)).get("host"):
                yield (*where, handler, "host"), "sends the node's requests elsewhere; remove it"


def _sysctls(pod: PodTemplate) -> Iterator[Offence]:
    context = as_map(pod.spec.get("securityContext"))
    for place, entry in enumerate(as_list(context.get("sysctls"))):
        name = as_map(entry).get("name")
        if name not in SAFE_SYSCTLS:
            where: Path = (*pod.path, "spec", "securityContext", "sysctls", place, "name")
            yield where, f"is {quoted(name)}, which is not among the safe ones; remove it"


def _restricted(pod: PodTemplate) -> Iterator[Offence]:
    for path, volume in _volumes(pod):
        kinds = [name for name, value in volume.items() if name != "name" and value is not None]
        for name in kinds:
            if name not in RESTRICTED_VOLUMES and name != "hostPath":
                allowed = ", ".join(sorted(RESTRICTED_VOLUMES))
                yield (*path, name), f"is a refused sort of volume; use one of {allowed}"
    windows = as_map(pod.spec.get("os")).get("name") == "windows"
    for path, container in pod.containers():
        context = as_map(container.get("securityContext"))
        inner: Path = (*path, "securityContext")
        if not windows:
            yield from _restricted_container(inner, context)
        mount = context.get("procMount")
        if mount not in (None, "Default") and pod.spec.get("hostUsers") is False:
            yield (*inner, "procMount"), f"is {quoted(mount)}; use Default"
    if not windows:
        yield from _seccomp_is_set(pod)
    if pod.spec.get("hostUsers") is not False:
        yield from _never_root(pod)


def _restricted_container(path: Path, context: Body) -> Iterator[Offence]:
    if context.get("allowPrivilegeEscalation") is not False:
        yield (*path, "allowPrivilegeEscalation"), "must be false; set it to false"
    capabilities = as_map(context.get("capabilities"))
    if "ALL" not in as_list(capabilities.get("drop")):
        yield (*path, "capabilities", "drop"), "must hold ALL; write `drop: [ALL]`"
    for place, name in enumerate(as_list(capabilities.get("add"))):
        if name != "NET_BIND_SERVICE" and name in BASELINE_CAPABILITIES:
            yield (*path, "capabilities", "add", place), f"is {quoted(name)}; only NET_BIND_SERVICE may be added"


def _seccomp_is_set(pod: PodTemplate) -> Iterator[Offence]:
    of_pod = as_map(as_map(pod.spec.get("securityContext")).get("seccompProfile")).get("type")
    if of_pod in _PROFILES:
        return
    for path, container in pod.containers():
        own = as_map(as_map(container.get("securityContext")).get("seccompProfile")).get("type")
        if own is None:
            where: Path = (*path, "securityContext", "seccompProfile", "type")
            yield where, "must be set here or for the pod; write `seccompProfile: {type: RuntimeDefault}`"


def _never_root(pod: PodTemplate) -> Iterator[Offence]:
    of_pod = as_map(pod.spec.get("securityContext"))
    base: Path = (*pod.path, "spec", "securityContext")
    if of_pod.get("runAsUser") == 0 and of_pod.get("runAsUser") is not False:
        yield (*base, "runAsUser"), "is root; use another user, such as 10001"
    for path, container in pod.containers():
        context = as_map(container.get("securityContext"))
        own = context.get("runAsNonRoot")
        where: Path = (*path, "securityContext", "runAsNonRoot")
        if own is not None and own is not True:
            yield where, "must be true; set it to true"
        elif own is None and of_pod.get("runAsNonRoot") is not True:
            yield where, "must be true here or for the pod; set runAsNonRoot: true"
        if context.get("runAsUser") == 0 and context.get("runAsUser") is not False:
            yield (*path, "securityContext", "runAsUser"), "is root; use another user, such as 10001"

"""The Pod Security Standards, control by control, as the API server's admission would answer (its ``latest``)."""

from typing import Any

import pytest
from tests.unit.deploys.objects.planned import DEPLOYMENT, planned

from stagewright.contexts.deploys.model.objects import PodTemplate, dotted
from stagewright.contexts.deploys.rules.objects.pod_security import violations

GOOD_CONTAINER: dict[str, Any] = {
    "name": "app",
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
GOOD: dict[str, Any] = {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}}


def offences(level: str, pod: dict[str, Any], metadata: dict[str, Any] | None = None) -> list[str]:
    """Return the fields that ``level`` refuses."""
    return [dotted(item.path) for item in violations(PodTemplate((), metadata or {}, pod), level)]


def a_container(context: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Return a container that is good apart from these fields."""
    return {**GOOD_CONTAINER, "securityContext": {**GOOD_CONTAINER["securityContext"], **(context or {})}, **fields}


def a_pod(container: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Return a pod that is good apart from these fields."""
    return {**GOOD, "containers": [container or GOOD_CONTAINER], **fields}


def test_a_hardened_pod_passes_both_levels() -> None:
    assert offences("baseline", a_pod()) == []
    assert offences("restricted", a_pod()) == []


def test_an_ordinary_pod_passes_baseline_only() -> None:
    plain = {"containers": [{"name": "app"}]}
    assert offences("baseline", plain) == []
    assert offences("restricted", plain) == [
        "spec.containers[0].securityContext.allowPrivilegeEscalation",
        "spec.containers[0].securityContext.capabilities.drop",
        "spec.containers[0].securityContext.seccompProfile.type",
        "spec.containers[0].securityContext.runAsNonRoot",
    ]


POD_FIELDS: list[tuple[dict[str, Any], list[str]]] = [
    ({"hostNetwork": True}, ["spec.hostNetwork"]),
    ({"hostPID": True}, ["spec.hostPID"]),
    ({"hostIPC": True}, ["spec.hostIPC"]),
    ({"hostNetwork": False, "hostPID": False, "hostIPC": False}, []),
    ({"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}, ["spec.volumes[0].hostPath"]),
    (
        {"securityContext": {**GOOD["securityContext"], "windowsOptions": {"hostProcess": True}}},
        ["spec.securityContext.windowsOptions.hostProcess"],
    ),
    (
        {"securityContext": {**GOOD["securityContext"], "sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
        ["spec.securityContext.sysctls[0].name"],
    ),
    (
        {
            "securityContext": {
                **GOOD["securityContext"],
                "sysctls": [
                    {"name": "net.ipv4.tcp_syncookies", "value": "1"},
                    {"name": "net.ipv4.tcp_rmem", "value": "4096 1 2"},
                    {"name": "net.ipv4.tcp_notsent_lowat", "value": "1"},
                ],
            }
        },
        [],
    ),
    (
        {"securityContext": {**GOOD["securityContext"], "seLinuxOptions": {"type": "spc_t"}}},
        ["spec.securityContext.seLinuxOptions.type"],
    ),
    (
        {"securityContext": {**GOOD["securityContext"], "seLinuxOptions": {"user": "u", "role": "r"}}},
        ["spec.securityContext.seLinuxOptions.user", "spec.securityContext.seLinuxOptions.role"],
    ),
    (
        {
            "securityContext": {
                **GOOD["securityContext"],
                "seLinuxOptions": {"type": "container_engine_t", "level": "s0"},
            }
        },
        [],
    ),
    (
        {"securityContext": {**GOOD["securityContext"], "appArmorProfile": {"type": "Unconfined"}}},
        ["spec.securityContext.appArmorProfile.type"],
    ),
    ({"securityContext": {**GOOD["securityContext"], "appArmorProfile": {"type": "Localhost"}}}, []),
]
CONTAINER_FIELDS: list[tuple[dict[str, Any], list[str]]] = [
    (a_container({"privileged": True}), ["securityContext.privileged"]),
    (a_container({"privileged": False}), []),
    (
        a_container({"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "SYS_ADMIN"]}}),
        ["securityContext.capabilities.add[1]"],
    ),
    (a_container(ports=[{"containerPort": 1}, {"containerPort": 2, "hostPort": 80}]), ["ports[1].hostPort"]),
    (a_container(ports=[{"containerPort": 2, "hostPort": 0}]), []),
    (a_container({"procMount": "Unmasked"}), ["securityContext.procMount"]),
    (a_container({"procMount": "Default"}), []),
    (a_container({"seccompProfile": {"type": "Unconfined"}}), ["securityContext.seccompProfile.type"]),
    (a_container({"seccompProfile": {"type": "Localhost"}}), []),
    (a_container({"windowsOptions": {"hostProcess": True}}), ["securityContext.windowsOptions.hostProcess"]),
    (a_container({"appArmorProfile": {"type": "Unconfined"}}), ["securityContext.appArmorProfile.type"]),
    (a_container(livenessProbe={"httpGet": {"host": "10.0.0.1", "port": 1}}), ["livenessProbe.httpGet.host"]),
    (a_container(startupProbe={"tcpSocket": {"host": "10.0.0.1", "port": 1}}), ["startupProbe.tcpSocket.host"]),
    (a_container(readinessProbe={"httpGet": {"host": "", "port": 1}}), []),
    (
        a_container(lifecycle={"preStop": {"httpGet": {"host": "h", "port": 1}}}),
        ["lifecycle.preStop.httpGet.host"],
    ),
]


@pytest.mark.parametrize(("fields", "refused"), POD_FIELDS)
@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_both_levels_look_at_the_pod(level: str, fields: dict[str, Any], refused: list[str]) -> None:
    assert offences(level, a_pod(**fields)) == refused


@pytest.mark.parametrize(("container", "refused"), CONTAINER_FIELDS)
@pytest.mark.parametrize("level", ["baseline", "restricted"])
@pytest.mark.parametrize("sort", ["containers", "initContainers", "ephemeralContainers"])
def test_both_levels_look_at_every_container(
    sort: str, level: str, container: dict[str, Any], refused: list[str]
) -> None:
    pod = a_pod() | {sort: [container]}
    assert offences(level, pod) == [f"spec.{sort}[0].{field}" for field in refused]


def test_app_armor_is_seen_in_annotations_too() -> None:
    key = "container.apparmor.security.beta.kubernetes.io/app"
    assert offences("baseline", a_pod(), {"annotations": {key: "unconfined"}}) == [f"metadata.annotations[{key}]"]
    for profile in ("runtime/default", "localhost/mine", ""):
        assert offences("baseline", a_pod(), {"annotations": {key: profile}}) == []


@pytest.mark.parametrize(
    "sort",
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
    ],
)
def test_restricted_allows_these_volumes(sort: str) -> None:
    assert offences("restricted", a_pod(volumes=[{"name": "a", sort: {}}])) == []


@pytest.mark.parametrize("sort", ["nfs", "iscsi", "gitRepo", "glusterfs", "fc", "awsElasticBlockStore", "something"])
def test_restricted_refuses_other_volumes_that_baseline_allows(sort: str) -> None:
    pod = a_pod(volumes=[{"name": "a", sort: {}}])
    assert offences("restricted", pod) == [f"spec.volumes[0].{sort}"]
    assert offences("baseline", pod) == []


@pytest.mark.parametrize(
    ("context", "refused"),
    [
        ({"allowPrivilegeEscalation": True}, ["securityContext.allowPrivilegeEscalation"]),
        ({"capabilities": {"drop": ["NET_RAW"]}}, ["securityContext.capabilities.drop"]),
        ({"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}, ["securityContext.capabilities.add[0]"]),
        ({"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}, []),
        ({"runAsNonRoot": False}, ["securityContext.runAsNonRoot"]),
        ({"runAsUser": 0}, ["securityContext.runAsUser"]),
        ({"runAsUser": 7}, []),
    ],
)
def test_restricted_asks_more_of_containers(context: dict[str, Any], refused: list[str]) -> None:
    pod = a_pod(a_container(context))
    assert offences("restricted", pod) == [f"spec.containers[0].{field}" for field in refused]
    assert offences("baseline", pod) == []


def test_the_pod_or_every_container_says_that_it_is_not_root() -> None:
    own = a_container({"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}})
    assert offences("restricted", {"containers": [own]}) == []
    assert offences("restricted", {"containers": [own, a_container()]}) == [
        "spec.containers[1].securityContext.seccompProfile.type",
        "spec.containers[1].securityContext.runAsNonRoot",
    ]
    root = {"securityContext": {**GOOD["securityContext"], "runAsUser": 0}, "containers": [own]}
    assert offences("restricted", root) == ["spec.securityContext.runAsUser"]


def test_a_user_namespace_relaxes_what_upstream_relaxes() -> None:
    container = a_container({"runAsUser": 0, "procMount": "Unmasked"})
    pod = {
        "hostUsers": False,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    assert offences("baseline", pod) == []
    assert offences("restricted", pod) == ["spec.containers[0].securityContext.procMount"]


def test_windows_pods_are_not_asked_for_what_linux_alone_knows() -> None:
    pod = {"os": {"name": "windows"}, "securityContext": {"runAsNonRoot": True}, "containers": [{"name": "a"}]}
    assert offences("restricted", pod) == []


def test_a_violation_names_the_field_the_level_and_the_remedy() -> None:
    text = DEPLOYMENT.replace("allowPrivilegeEscalation: false, ", "")
    text = text.replace("spec:\n      sec", "spec:\n      hostPID: true\n      sec")
    first, second = planned(files={"k8s/api.yaml": text}).told
    assert first == (
        "object_pod_security k8s/api.yaml:8: Deployment api: spec.template.spec.hostPID shares the node's namespace; "
        "remove it (Pod Security 'baseline')"
    )
    assert second == (
        "object_pod_security k8s/api.yaml:13: Deployment api: "
        "spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation must be false; set it to false "
        "(Pod Security 'restricted')"
    )


def test_the_level_is_that_of_the_environment() -> None:
    text = DEPLOYMENT.replace("allowPrivilegeEscalation: false, ", "")
    assert planned(files={"k8s/api.yaml": text}, changes={"pod_security": "baseline"}).told == []

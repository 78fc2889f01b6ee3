"""Which kinds a stack may hold: none that belongs to the whole cluster, none that the platform keeps itself."""

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.inputs import Project
from stagewright.contexts.deploys.model.objects import Unfinished, as_list, as_map
from stagewright.contexts.deploys.rules.objects.setting import Setting, report

_ADMISSION = "admissionregistration.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
REFUSED = {
    "Namespace": "the platform makes the namespace; set namespaceTemplate of the environment",
    "Secret": "declare it under spec.secrets, so that its values stay in the vault",
    "ResourceQuota": "set quota of the environment",
    "LimitRange": "set limits of the environment",
    "Pod": "use a Deployment, StatefulSet or Job, which replace a pod that is gone",
    "ReplicaSet.apps": "use a Deployment",
    "ReplicaSet.extensions": "use a Deployment",
    "List": "write its items as documents of their own, separated by ---",
    "ValidatingWebhookConfiguration." + _ADMISSION: "admission belongs to the cluster's administrators",
    "MutatingWebhookConfiguration." + _ADMISSION: "admission belongs to the cluster's administrators",
    "ValidatingAdmissionPolicy." + _ADMISSION: "admission belongs to the cluster's administrators",
    "ValidatingAdmissionPolicyBinding." + _ADMISSION: "admission belongs to the cluster's administrators",
    "MutatingAdmissionPolicy." + _ADMISSION: "admission belongs to the cluster's administrators",
    "MutatingAdmissionPolicyBinding." + _ADMISSION: "admission belongs to the cluster's administrators",
    "ClusterRole." + _RBAC: "use a Role, which is bound to the namespace",
    "ClusterRoleBinding." + _RBAC: "use a RoleBinding, which is bound to the namespace",
}
REFUSED_IN_CANDIDATES = {
    "NetworkPolicy.networking.k8s.io": "the platform keeps the network of candidates; set egress of the environment",
    "NetworkPolicy.extensions": "the platform keeps the network of candidates; set egress of the environment",
    "DaemonSet.apps": "it would run on every node; use a Deployment, or leave it out with `when`",
    "DaemonSet.extensions": "it would run on every node; use a Deployment, or leave it out with `when`",
}
CLUSTER_SCOPED = frozenset(
    [
        "ComponentStatus",
        "Node",
        "PersistentVolume",
        "APIService.apiregistration.k8s.io",
        "CustomResourceDefinition.apiextensions.k8s.io",
        "CertificateSigningRequest.certificates.k8s.io",
        "ClusterTrustBundle.certificates.k8s.io",
        "FlowSchema.flowcontrol.apiserver.k8s.io",
        "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io",
        "StorageVersion.internal.apiserver.k8s.io",
        "IngressClass.networking.k8s.io",
        "IPAddress.networking.k8s.io",
        "ServiceCIDR.networking.k8s.io",
        "RuntimeClass.node.k8s.io",
        "DeviceClass.resource.k8s.io",
        "ResourceSlice.resource.k8s.io",
        "DeviceTaintRule.resource.k8s.io",
        "PriorityClass.scheduling.k8s.io",
        "CSIDriver.storage.k8s.io",
        "CSINode.storage.k8s.io",
        "StorageClass.storage.k8s.io",
        "VolumeAttachment.storage.k8s.io",
        "VolumeAttributesClass.storage.k8s.io",
        "StorageVersionMigration.storagemigration.k8s.io",
        "TokenReview.authentication.k8s.io",
        "SelfSubjectReview.authentication.k8s.io",
        "SubjectAccessReview.authorization.k8s.io",
        "SelfSubjectAccessReview.authorization.k8s.io",
        "SelfSubjectRulesReview.authorization.k8s.io",
        "ClusterIssuer.cert-manager.io",
        "GatewayClass.gateway.networking.k8s.io",
        "ClusterSecretStore.external-secrets.io",
        "ClusterExternalSecret.external-secrets.io",
        "ClusterPolicy.kyverno.io",
        "VolumeSnapshotClass.snapshot.storage.k8s.io",
        "VolumeSnapshotContent.snapshot.storage.k8s.io",
        "CiliumClusterwideNetworkPolicy.cilium.io",
        "AdminNetworkPolicy.policy.networking.k8s.io",
        "BaselineAdminNetworkPolicy.policy.networking.k8s.io",
    ]
)
_OPEN_TYPES = ("LoadBalancer", "NodePort", "ExternalName")


def is_cluster_kind(type_: str, project: Project) -> bool:
    """Say whether a kind, as ``Kind.group``, belongs to no namespace: by itself, or since the project lists it."""
    return type_ in CLUSTER_SCOPED or _is_listed(type_, project)


def _is_listed(type_: str, project: Project) -> bool:
    return type_ in project.cluster_kinds or f"{type_}." in project.cluster_kinds


def check_kind(item: Unfinished, setting: Setting, found: Findings) -> None:
    """Check that the kind may stand in a stack for this environment."""
    remedy = REFUSED.get(item.type) or (REFUSED_IN_CANDIDATES.get(item.type) if setting.candidate else None)
    if remedy is not None:
        where = "in a candidate environment" if item.type not in REFUSED else "in a stack"
        report(found, "object_kind", item, ("kind",), f"{quoted(item.kind)} is refused {where}; {remedy}")
    elif is_cluster_kind(item.type, setting.project):
        _check_cluster_kind(item, setting, found)
    elif item.kind == "Service" and not item.group and setting.candidate:
        _check_service(item, found)


def _check_cluster_kind(item: Unfinished, setting: Setting, found: Findings) -> None:
    if setting.candidate:
        text = "belongs to the whole cluster, which a candidate may not change; leave it out with `when`"
    elif not _is_listed(item.type, setting.project):
        text = f"belongs to the whole cluster; have {quoted(item.type)} added to the project setting cluster_kinds"
    else:
        return
    report(found, "object_cluster_scoped", item, ("kind",), f"{quoted(item.kind)} {text}")


def _check_service(item: Unfinished, found: Findings) -> None:
    spec = as_map(item.body.get("spec"))
    if spec.get("type") in _OPEN_TYPES:
        text = f"is {quoted(spec['type'])}, which a candidate may not have; use ClusterIP and `expose` of the unit"
        report(found, "object_kind", item, ("spec", "type"), text)
    if as_list(spec.get("externalIPs")):
        text = "is refused in a candidate environment; remove it and use `expose` of the unit"
        report(found, "object_kind", item, ("spec", "externalIPs"), text)

"""Objects that nobody would write: they may be refused, and nothing else happens."""

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.deploys.objects.planned import planned

WORDS = st.sampled_from(
    [
        "apiVersion",
        "kind",
        "metadata",
        "name",
        "namespace",
        "labels",
        "annotations",
        "generateName",
        "spec",
        "template",
        "containers",
        "initContainers",
        "image",
        "env",
        "envFrom",
        "valueFrom",
        "secretKeyRef",
        "volumes",
        "secret",
        "secretName",
        "projected",
        "sources",
        "securityContext",
        "capabilities",
        "add",
        "drop",
        "ports",
        "hostPort",
        "rules",
        "hosts",
        "tls",
        "host",
        "roleRef",
        "subjects",
        "resources",
        "verbs",
        "apiGroups",
        "data",
        "binaryData",
        "replicas",
        "lifecycle",
        "preStop",
        "httpGet",
        "livenessProbe",
        "sysctls",
        "seLinuxOptions",
        "seccompProfile",
        "type",
        "jobTemplate",
        "emptyDir",
        "requests",
        "limits",
        "volumeClaimTemplates",
        "metrics",
        "target",
        "a",
    ]
)
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("{{ images.api }}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)
KINDS = st.sampled_from(
    [
        ("apps/v1", "Deployment"),
        ("batch/v1", "CronJob"),
        ("batch/v1", "Job"),
        ("v1", "Pod"),
        ("v1", "Service"),
        ("v1", "ConfigMap"),
        ("v1", "ServiceAccount"),
        ("networking.k8s.io/v1", "Ingress"),
        ("rbac.authorization.k8s.io/v1", "Role"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(KINDS, st.dictionaries(WORDS, BODIES, max_size=6), st.sampled_from(["live", "preview"]))
def test_no_object_however_odd_does_more_than_be_refused(
    kind: tuple[str, str], body: dict[str, Any], environment: str
) -> None:
    document = {"metadata": {"name": "a", "labels": body.get("labels")}, **body, "apiVersion": kind[0], "kind": kind[1]}
    if kind[1] in ("Deployment", "Job"):
        document["spec"] = {"template": {"metadata": body.get("metadata"), "spec": {"containers": [body], **body}}}
    planned(files={"k8s/api.yaml": yaml.safe_dump(document, allow_unicode=False)}, environment=environment)

"""What the platform adds to objects, generated Ingress objects, and hooks as Jobs."""

from typing import Any

import pytest
from tests.unit.deploys.kubernetes import mistakes
from tests.unit.deploys.objects.planned import DEPLOYMENT, STACK, Result, planned

from stagewright.contexts.deploys.model.inputs import Platform
from stagewright.contexts.deploys.model.plan import PlannedHook, PlannedSync

SERVICE = "{name: api, manifests: [{path: k8s/api.yaml}]}"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
GOOD = DEPLOYMENT.replace("spec:\n  template", "spec:\n  selector: {matchLabels: {app: api}}\n  template")


def with_service(fields: str) -> str:
    """Return the stack whose service, on line 12, has more fields."""
    return STACK.replace(SERVICE, SERVICE.removesuffix("}") + f", {fields}}}")


def pod_of(result: Result, name: str = "api") -> dict[str, Any]:
    """Return the pod template of a Deployment."""
    spec: Any = result.body("Deployment", name)["spec"]
    template: dict[str, Any] = spec["template"]
    return template


def hooks_of(result: Result) -> dict[str, PlannedHook]:
    """Return all hooks of a plan, by name."""
    return {hook.name: hook for phase in result.plan.phases for unit in phase.units for hook in unit.hooks}


def test_objects_carry_the_labels_of_the_stack_and_of_the_platform() -> None:
    envelope = "apiVersion: stagewright.dev/v1alpha1\nkind: ServiceStack\n"
    text = f"{envelope}metadata: {{name: shop, labels: {{team: a, part: b}}}}{STACK}"
    own = CONFIG.replace("settings", "settings, labels: {part: mine}")
    body = planned(text, {"k8s/api.yaml": own}).body("ConfigMap", "settings")
    assert body["metadata"] == {
        "name": "settings",
        "namespace": "shop-live",
        "labels": {
            "team": "a",
            "part": "mine",
            "app.kubernetes.io/managed-by": "stagewright",
            "stagewright.dev/managed": "true",
        },
        "annotations": {
            "stagewright.dev/unit": "api",
            "stagewright.dev/step-id": "group-default/api/ConfigMap:settings",
        },
    }


def test_containers_without_a_pull_policy_get_that_of_the_environment() -> None:
    always = {"image_pull_policy": "Always"}
    assert pod_of(planned(changes=always))["spec"]["containers"][0]["imagePullPolicy"] == "Always"
    own = DEPLOYMENT.replace('api }}"', 'api }}"\n          imagePullPolicy: Never')
    result = planned(files={"k8s/api.yaml": own}, changes=always)
    assert pod_of(result)["spec"]["containers"][0]["imagePullPolicy"] == "Never"


def test_pods_have_no_api_token_unless_they_name_their_own_account() -> None:
    assert pod_of(planned())["spec"]["automountServiceAccountToken"] is False
    own = planned(files={"k8s/api.yaml": f"{DEPLOYMENT}\n      serviceAccountName: api\n"})
    assert "automountServiceAccountToken" not in pod_of(own)["spec"]
    asked = planned(files={"k8s/api.yaml": f"{DEPLOYMENT}\n      automountServiceAccountToken: true\n"})
    assert pod_of(asked)["spec"]["automountServiceAccountToken"] is False


USES = [
    "volumes: [{name: v, secret: {secretName: database}}]",
    "volumes: [{name: v, projected: {sources: [{secret: {name: database}}]}}]",
]


@pytest.mark.parametrize("use", USES)
def test_pods_that_use_a_secret_restart_with_its_versions(use: str) -> None:
    files = {"k8s/api.yaml": f"{DEPLOYMENT}\n      {use}\n"}
    first, same = planned(files=files), planned(files=files)
    later = planned(files=files, versions={"URL": "2"})
    key = "stagewright.dev/secret-database"
    value = pod_of(first)["metadata"]["annotations"][key]
    assert value == pod_of(same)["metadata"]["annotations"][key]
    assert value != pod_of(later)["metadata"]["annotations"][key]
    assert "annotations" not in pod_of(planned())["metadata"]


def test_a_secret_can_ask_for_no_restart() -> None:
    text = STACK.replace("{name: database,", "{name: database, restart: none,")
    result = planned(text, {"k8s/api.yaml": f"{DEPLOYMENT}\n      {USES[0]}\n"})
    assert "annotations" not in pod_of(result)["metadata"]


@pytest.mark.parametrize(
    "use",
    [
        "volumes: [{name: v, configMap: {name: files}}]",
        "volumes: [{name: v, projected: {sources: [{configMap: {name: files}}]}}]",
        (
            "initContainers: [{name: i, image: '{{ images.api }}', envFrom: [{configMapRef: {name: files}}], "
            "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]"
        ),
        (
            "initContainers: [{name: i, image: '{{ images.api }}', env: [{name: A, valueFrom: "
            "{configMapKeyRef: {name: files, key: a}}}], securityContext: {allowPrivilegeEscalation: false, "
            "capabilities: {drop: [ALL]}}}]"
        ),
    ],
)
def test_pods_that_use_a_config_map_of_files_restart_with_its_content(use: str) -> None:
    text = with_service("configMaps: [{name: files, files: [a]}]")
    manifest = f"{DEPLOYMENT}\n      {use}\n"
    values = [
        pod_of(planned(text, {"k8s/api.yaml": manifest, "a": content}))["metadata"]["annotations"]
        for content in ("one", "two")
    ]
    assert values[0].keys() == values[1].keys() == {"stagewright.dev/config-files"}
    assert values[0] != values[1]


def test_quantities_in_objects_are_canonical() -> None:
    resources = "resources: {requests: {cpu: 0.5, memory: 1024Mi}, limits: {cpu: 1000m}}"
    text = DEPLOYMENT.replace('api }}"', f'api }}}}"\n          {resources}')
    text += "\n      volumes: [{name: v, emptyDir: {sizeLimit: 2048Mi}}]\n---\n"
    text += "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
    text += "spec: {resources: {requests: {storage: 10240Mi}}}\n"
    result = planned(files={"k8s/api.yaml": text})
    container = pod_of(result)["spec"]["containers"][0]
    assert container["resources"] == {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": "1"}}
    assert pod_of(result)["spec"]["volumes"][0]["emptyDir"] == {"sizeLimit": "2Gi"}
    claim: Any = result.body("PersistentVolumeClaim", "data")["spec"]
    assert claim["resources"]["requests"] == {"storage": "10Gi"}


SYNC = "sync: {paths: [src], container: api, mountPath: /app/src}, codeUpdateStrategy: hot-reload"


def test_pods_that_sync_start_with_their_source_image() -> None:
    identity = "ab" * 32
    result = planned(
        with_service(SYNC),
        {"k8s/api.yaml": GOOD},
        environment="preview",
        syncs=[PlannedSync(unit="api", identity=identity)],
    )
    assert result.told == []
    body = result.body("Deployment", "api")
    assert mistakes(body) == []
    annotations: Any = body["metadata"]
    assert annotations["annotations"] | {"stagewright.dev/sync-strategy": "hot-reload"} == annotations["annotations"]
    pod = pod_of(result)
    assert pod["metadata"]["annotations"] == {"stagewright.dev/sync-source": identity}
    copier = pod["spec"]["initContainers"][0]
    assert copier["image"] == f"registry.example.org/shop/candidate/api.sync:c-{identity[:40]}"
    mount = {"name": "stagewright-sync", "mountPath": "/app/src"}
    assert copier["volumeMounts"] == pod["spec"]["containers"][0]["volumeMounts"] == [mount]
    assert pod["spec"]["volumes"] == [{"name": "stagewright-sync", "emptyDir": {}}]


def test_a_container_to_sync_into_must_exist() -> None:
    text = with_service(SYNC.replace("container: api", "container: web"))
    result = planned(text, environment="preview", syncs=[PlannedSync(unit="api", identity="ab" * 32)])
    assert result.told == [
        (
            "sync_path services.yaml:12: no Deployment or StatefulSet of the unit 'api' has the container "
            "'web' that sync names; correct sync.container"
        )
    ]


def test_exposed_services_get_an_ingress_of_the_platform() -> None:
    result = planned(with_service("expose: [{service: api, port: 8080, path: /api}, {service: api, port: 1}]"))
    assert result.told == []
    body = result.body("Ingress", "stagewright-api-gated")
    assert mistakes(body) == []
    assert body["spec"] == {
        "ingressClassName": "traefik",
        "tls": [{"hosts": ["shop.example.org"]}],
        "rules": [
            {
                "host": "shop.example.org",
                "http": {
                    "paths": [
                        {
                            "path": path,
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "api", "port": {"number": port}}},
                        }
                        for path, port in (("/", 1), ("/api", 8080))
                    ]
                },
            }
        ],
    }
    metadata: Any = body["metadata"]
    assert metadata["annotations"]["stagewright.dev/access"] == "gated"
    assert result.plan.objects[-1].id == "exposure/api/Ingress.networking.k8s.io:stagewright-api-gated"


def test_public_paths_have_an_ingress_of_their_own_beside_the_gated_one() -> None:
    fields = "expose: [{service: api, port: 1, hostPrefix: docs, publicPaths: [/hook, /health]}]"
    result = planned(with_service(fields))
    spec: Any = result.body("Ingress", "stagewright-api-public")["spec"]
    assert [(rule["host"], [path["path"] for path in rule["http"]["paths"]]) for rule in spec["rules"]] == [
        ("docs.shop.example.org", ["/health", "/hook"])
    ]
    assert result.body("Ingress", "stagewright-api-gated")


def test_an_ingress_that_a_candidate_brings_itself_is_gated() -> None:
    text = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: own}\n"
    text += "spec: {rules: [{host: '{{ domain }}'}]}\n"
    for environment, access in (("preview", "gated"), ("live", None)):
        result = planned(files={"k8s/api.yaml": text}, environment=environment)
        metadata: Any = result.body("Ingress", "own")["metadata"]
        assert metadata["annotations"].get("stagewright.dev/access") == access


def test_one_address_leads_to_one_service() -> None:
    text = with_service("expose: [{service: api, port: 1, path: /a}, {service: web, port: 2, path: /a}]")
    assert planned(text).told == [
        (
            "object_duplicate services.yaml:12: the unit 'api' exposes https://shop.example.org/a, which is "
            "taken already; choose another path or hostPrefix"
        )
    ]


def test_without_a_domain_an_exposure_is_left_out_with_a_warning() -> None:
    result = planned(with_service("expose: [{service: api, port: 1}]"), changes={"domain": None})
    assert not result.found.failed
    assert result.told == [
        (
            "object_host services.yaml:12: the unit 'api' is not reachable from outside: the environment "
            "'live' has no domain; set its domainTemplate"
        )
    ]
    assert [item.kind for item in result.plan.objects] == ["Deployment"]


HOOK = "name: smoke, image: api, command: [python, -m, smoke]"


def test_a_hook_is_a_hardened_job_without_shell_and_api_rights() -> None:
    fields = (
        f"{{{HOOK}, phase: afterUnit, args: ['{{{{ images.db }}}}'], env: {{B: '{{{{ url }}}}', A: x}}, timeout: 90s, "
    )
    fields += "secretEnv: {PW: {secret: database, key: PASSWORD}}, resources: {limits: {memory: 1024Mi}}, retries: 2}"
    result = planned(with_service(f"hooks: [{fields}]"))
    assert result.told == []
    hook = hooks_of(result)["smoke"]
    assert (hook.phase, hook.run, hook.timeout, hook.retries, hook.on_failure) == (
        "afterUnit",
        "onChange",
        "1m30s",
        2,
        "fail",
    )
    body: Any = hook.body
    assert mistakes(body) == []
    assert body["metadata"]["name"] == "api-smoke"
    assert body["spec"]["backoffLimit"] == 2
    assert body["spec"]["activeDeadlineSeconds"] == 90
    pod = body["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "stagewright-hook"
    assert pod["automountServiceAccountToken"] is False
    container = pod["containers"][0]
    assert container["command"] == ["python", "-m", "smoke"]
    assert container["args"][0].startswith("postgres@sha256:")
    assert container["env"] == [
        {"name": "A", "value": "x"},
        {"name": "B", "value": "https://shop.example.org"},
        {"name": "PW", "valueFrom": {"secretKeyRef": {"name": "database", "key": "PASSWORD"}}},
    ]
    assert container["resources"] == {"limits": {"memory": "1Gi"}}
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_hooks_of_the_stack_stand_around_the_groups() -> None:
    phases = ("beforeDeploy", "afterInfrastructure", "afterDeploy", "beforeDelete")
    hooks = ", ".join(f"{{name: {phase.lower()}, phase: {phase}, image: api, command: [x]}}" for phase in phases)
    text = STACK + f"  orchestration: {{hooks: [{hooks}]}}\n"
    text += "  infrastructure: [{name: db, manifests: [{path: db.yaml}]}]\n"
    result = planned(text, {"k8s/api.yaml": DEPLOYMENT, "db.yaml": CONFIG})
    assert [phase.id for phase in result.plan.phases] == [
        "images",
        "namespace",
        "secrets",
        "before-deploy",
        "infrastructure",
        "after-infrastructure",
        "group-default",
        "exposure",
        "after-deploy",
        "prune",
        "before-delete",
    ]


def test_a_hook_is_another_one_when_its_image_changes() -> None:
    text = with_service(f"hooks: [{{{HOOK}, phase: beforeUnit}}]")
    first, same = (hooks_of(planned(text))["smoke"].identity for _ in range(2))
    later = hooks_of(planned(text, identities={"api": "cd" * 32}))["smoke"].identity
    assert first == same != later


def test_a_hook_that_is_switched_off_is_not_planned() -> None:
    assert hooks_of(planned(with_service(f"hooks: [{{{HOOK}, phase: beforeUnit, when: false}}]"))) == {}


def test_a_long_name_of_a_hook_leaves_room_for_the_executor() -> None:
    name = "a" * 40
    text = STACK.replace(
        "name: api, m", f"name: {name}, hooks: [{{name: {name}, phase: beforeUnit, image: api, command: [x]}}], m"
    )
    body: Any = hooks_of(planned(text))[name].body
    assert len(body["metadata"]["name"]) == 52


@pytest.mark.parametrize("fields", ["image: apl, args: []", "image: api, args: ['{{ images.apl }}']"])
def test_a_hook_names_images_that_the_plan_has(fields: str) -> None:
    hook = HOOK.replace("image: api", fields)
    text = with_service(f"hooks: [{{{hook}, phase: beforeUnit}}]")
    text = text.replace("db: {", "apl: {type: build, when: false}\n    db: {")
    result = planned(text, dropped="apl")
    assert result.told == [
        (
            "hook_image services.yaml:13: the hook 'smoke' needs the image 'apl', which this plan does not "
            "have; declare it under spec.images, or switch the hook off"
        )
    ]


def test_only_units_with_synced_files_are_changed() -> None:
    syncs = [PlannedSync(unit="api", identity="ab" * 32)]
    result = planned(files={"k8s/api.yaml": GOOD}, environment="preview", syncs=syncs)
    assert (
        result.plan.objects[0].body == planned(files={"k8s/api.yaml": GOOD}, environment="preview").plan.objects[0].body
    )
    other = planned(environment="preview", syncs=[PlannedSync(unit="other", identity="ab" * 32)])
    assert other.told == []


def test_a_copier_in_a_baseline_environment_may_be_root() -> None:
    syncs = [PlannedSync(unit="api", identity="ab" * 32)]
    result = planned(with_service(SYNC), environment="preview", changes={"pod_security": "baseline"}, syncs=syncs)
    assert pod_of(result)["spec"]["initContainers"][0]["securityContext"] == {"allowPrivilegeEscalation": False}


def test_an_installation_without_ingress_class_leaves_it_to_the_cluster() -> None:
    text = with_service("expose: [{service: api, port: 1, access: public}]")
    spec: Any = planned(text, platform=Platform()).body("Ingress", "stagewright-api-public")["spec"]
    assert "ingressClassName" not in spec


def test_a_hook_in_a_baseline_environment_may_be_root() -> None:
    text = with_service(f"hooks: [{{{HOOK}, phase: beforeUnit}}]")
    body: Any = hooks_of(planned(text, changes={"pod_security": "baseline"}))["smoke"].body
    pod = body["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["containers"][0]["securityContext"] == {"allowPrivilegeEscalation": False}


def test_a_missing_image_is_not_said_twice() -> None:
    text = with_service(f"hooks: [{{{HOOK.replace('image: api', 'image: apl')}, phase: beforeUnit}}]")
    told = planned(text, {"k8s/api.yaml": DEPLOYMENT.replace('"{{ images.api }}"', "nginx")}).told
    assert [line.partition(" ")[0] for line in told] == ["object_image_unpinned"]


def test_quantities_of_claims_templates_and_scalers_are_canonical() -> None:
    claim = "{metadata: {name: d}, spec: {resources: {requests: {storage: 1024Mi}}}}"
    text = GOOD.replace("kind: Deployment", "kind: StatefulSet").replace(
        "spec:\n  sel", f"spec:\n  volumeClaimTemplates: [{claim}]\n  sel"
    )
    text += "\n---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n"
    text += "spec: {metrics: [{type: Pods, pods: {metric: {name: m}, target: {averageValue: 1000m}}}]}\n"
    result = planned(files={"k8s/api.yaml": text})
    claims: Any = result.body("StatefulSet", "api")["spec"]
    assert claims["volumeClaimTemplates"][0]["spec"]["resources"]["requests"] == {"storage": "1Gi"}
    scaler: Any = result.body("HorizontalPodAutoscaler", "a")["spec"]
    assert scaler["metrics"][0]["pods"]["target"]["averageValue"] == "1"


def test_a_hook_does_not_wait_for_centuries() -> None:
    text = with_service(f"hooks: [{{{HOOK}, phase: beforeUnit, timeout: 99999999999d}}]")
    said = "a hook may take at most 1h, not '99999999999d'; shorten it, or split the work"
    assert planned(text).told == [f"timeout_range services.yaml:12: {said}"]

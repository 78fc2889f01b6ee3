"""Every rule of objects (``stack.md`` section 6.4): what a person reads when it is broken, and that it lets pass."""

import base64

import pytest
from tests.unit.deploys.objects.planned import (
    BINDING,
    CONFIG,
    DEPLOYMENT,
    INGRESS,
    JOB,
    POD,
    ROLE,
    STACK,
    changed,
    manifest,
    planned,
    problems,
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "kind: ConfigMap\nmetadata: {name: a}\n",
            (
                "object_identity k8s/api.yaml:1: ConfigMap a: apiVersion is missing; every object needs apiVersion "
                "and kind"
            ),
        ),
        (
            "apiVersion: v1\nmetadata: {name: a}\n",
            "object_identity k8s/api.yaml:1: a: kind is missing; every object needs apiVersion and kind",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {}}\n",
            "object_identity k8s/api.yaml:3: ConfigMap: metadata.name is missing; give the object a fixed name",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  generateName: a-\n",
            (
                "object_identity k8s/api.yaml:4: ConfigMap: metadata.generateName is refused, since a plan must know "
                "every name; write metadata.name instead"
            ),
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A_b}\n",
            (
                "object_identity k8s/api.yaml:3: ConfigMap A_b: metadata.name is 'A_b'; use lower-case letters, "
                "digits, '-' and '.', at most 253 characters"
            ),
        ),
        (
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: stagewright-hook}\n",
            (
                "object_identity k8s/api.yaml:3: ServiceAccount stagewright-hook: metadata.name is "
                "'stagewright-hook', a name that the platform uses itself; choose another one"
            ),
        ),
        (
            CONFIG + "---\n" + CONFIG,
            (
                "object_duplicate k8s/api.yaml:7: ConfigMap settings: metadata.name is defined twice, by the units "
                "'api' and 'api'; rename or remove one"
            ),
        ),
        (
            changed(CONFIG, "{name: settings}", "{name: settings, namespace: other}"),
            (
                "object_foreign_namespace k8s/api.yaml:3: ConfigMap settings: metadata.namespace is 'other', but "
                "everything goes into 'shop-live'; remove the field"
            ),
        ),
        (
            "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: a}\n",
            (
                "object_cluster_scoped k8s/api.yaml:2: PersistentVolume a: kind 'PersistentVolume' belongs to the "
                "whole cluster; have 'PersistentVolume' added to the project setting cluster_kinds"
            ),
        ),
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
            (
                "object_kind k8s/api.yaml:2: Secret a: kind 'Secret' is refused in a stack; declare it under "
                "spec.secrets, so that its values stay in the vault"
            ),
        ),
        (
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n",
            (
                "object_kind k8s/api.yaml:2: Namespace a: kind 'Namespace' is refused in a stack; the platform makes "
                "the namespace; set namespaceTemplate of the environment"
            ),
        ),
        (
            changed(CONFIG, "{name: settings}", "{name: settings, labels: {stagewright.dev/unit: x}}"),
            (
                "object_reserved_label k8s/api.yaml:3: ConfigMap settings: metadata.labels[stagewright.dev/unit] has "
                "the platform's prefix; remove it (only the annotations stagewright.dev/health, "
                "stagewright.dev/job-policy, stagewright.dev/prune, stagewright.dev/recreate may be set)"
            ),
        ),
        (
            changed(CONFIG, "{name: settings}", "{name: settings, annotations: {stagewright.dev/prune: always}}"),
            (
                "object_reserved_label k8s/api.yaml:3: ConfigMap settings: "
                "metadata.annotations[stagewright.dev/prune] is 'always'; use never"
            ),
        ),
        (
            changed(
                DEPLOYMENT,
                "metadata: {labels: {app: api}}",
                "metadata: {annotations: {stagewright.dev/health: ignore}}",
            ),
            (
                "object_reserved_label k8s/api.yaml:6: Deployment api: "
                "spec.template.metadata.annotations[stagewright.dev/health] works only as an annotation of the "
                "object itself; move it to metadata.annotations"
            ),
        ),
        (
            changed(DEPLOYMENT, '"{{ images.api }}"', "nginx:1"),
            (
                "object_image_unpinned k8s/api.yaml:11: Deployment api: spec.template.spec.containers[0].image is "
                "'nginx:1', which nothing pins; declare it under spec.images and write \"{{ images.<name> }}\""
            ),
        ),
        (
            changed(
                DEPLOYMENT, '{{ images.api }}"', '{{ images.api }}"\n          envFrom: [{secretRef: {name: keys}}]'
            ),
            (
                "object_secret_unknown k8s/api.yaml:12: Deployment api: "
                "spec.template.spec.containers[0].envFrom[0].secretRef.name is 'keys', but the environment 'live' "
                "has no such secret; declare it under spec.secrets"
            ),
        ),
        (
            changed(
                DEPLOYMENT,
                '{{ images.api }}"',
                '{{ images.api }}"\n          env:\n            - name: A\n              valueFrom:\n'
                "                secretKeyRef: {name: database, key: PASS}",
            ),
            (
                "object_secret_unknown k8s/api.yaml:15: Deployment api: "
                "spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef.key is 'PASS', which the declared "
                "secret 'database' does not have; its keys are PASSWORD, URL"
            ),
        ),
        (
            ROLE + 'rules: [{apiGroups: [""], resources: ["*"], verbs: [get]}]\n',
            (
                "object_rbac k8s/api.yaml:4: Role reader: rules[0].resources[0] is '*'; name what is needed instead "
                "of a wildcard"
            ),
        ),
        (
            ROLE + 'rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]\n',
            (
                "object_rbac k8s/api.yaml:4: Role reader: rules[0].resources[0] is 'secrets'; a role may only `get` "
                "secrets that resourceNames lists"
            ),
        ),
        (
            ROLE + 'rules: [{apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [other]}]\n',
            (
                "object_rbac k8s/api.yaml:4: Role reader: rules[0].resourceNames[0] is 'other', which is no declared "
                "secret; declare it under spec.secrets"
            ),
        ),
        (
            ROLE + 'rules: [{apiGroups: [""], resources: [serviceaccounts/token], verbs: [create]}]\n',
            (
                "object_rbac k8s/api.yaml:4: Role reader: rules[0].resources[0] would let the role make tokens of "
                "accounts; remove it"
            ),
        ),
        (
            ROLE + "rules: [{apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [get]}]\n",
            "object_rbac k8s/api.yaml:4: Role reader: rules[0].apiGroups[0] gives rights over rights; remove it",
        ),
        (
            ROLE + "rules: [{apiGroups: [apps], resources: [deployments], verbs: [escalate]}]\n",
            (
                "object_rbac k8s/api.yaml:4: Role reader: rules[0].verbs[0] is 'escalate', which gives rights over "
                "rights; remove it"
            ),
        ),
        (
            BINDING + "roleRef: {kind: ClusterRole, name: admin}\n",
            (
                "object_rbac k8s/api.yaml:4: RoleBinding reader: roleRef.kind is 'ClusterRole'; bind a Role of the "
                "stack, since cluster roles are not checked here"
            ),
        ),
        (
            BINDING + "roleRef: {kind: Role, name: other}\n",
            (
                "object_rbac k8s/api.yaml:4: RoleBinding reader: roleRef.name is 'other', which is no Role of the "
                "stack; add the Role to a manifest"
            ),
        ),
        (
            ROLE + "---\n" + BINDING + "roleRef: {kind: Role, name: reader}\nsubjects: [{kind: User, name: root}]\n",
            (
                "object_rbac k8s/api.yaml:9: RoleBinding reader: subjects[0].kind is 'User'; only a ServiceAccount "
                "of the namespace may be bound"
            ),
        ),
        (
            ROLE
            + "---\n"
            + BINDING
            + "roleRef: {kind: Role, name: reader}\nsubjects: [{kind: ServiceAccount, name: a, namespace: b}]\n",
            (
                "object_rbac k8s/api.yaml:9: RoleBinding reader: subjects[0].namespace is 'b'; only accounts of "
                "'shop-live' may be bound"
            ),
        ),
        (
            ROLE
            + "---\n"
            + BINDING
            + "roleRef: {kind: Role, name: reader}\nsubjects: [{kind: ServiceAccount, name: stagewright-hook}]\n",
            (
                "object_rbac k8s/api.yaml:9: RoleBinding reader: subjects[0].name is 'stagewright-hook', an account "
                "that stays without rights"
            ),
        ),
        (
            INGRESS + "spec: {rules: [{host: other.example.org}]}\n",
            (
                "object_host k8s/api.yaml:4: Ingress api: spec.rules[0].host is 'other.example.org', which is "
                "outside the environment; use 'shop.example.org' or a host below it"
            ),
        ),
        (
            INGRESS + "spec: {rules: [{http: {}}]}\n",
            (
                "object_host k8s/api.yaml:4: Ingress api: spec.rules[0].host is missing, so the Ingress would answer "
                "for every host; write 'shop.example.org' or a host below it"
            ),
        ),
        (
            CONFIG + "data:\n  config: |\n    a: b\n    key: ghp_" + "a" * 36 + "\n",
            (
                "object_plain_secret k8s/api.yaml:5: ConfigMap settings: data.config holds what looks like a secret "
                "(github_token, line 2 of the value); move it to spec.secrets"
            ),
        ),
    ],
)
def test_a_broken_rule_says_which_field_and_what_to_change(text: str, said: str) -> None:
    assert problems(text) == [said]


@pytest.mark.parametrize(
    "text",
    [
        changed(CONFIG, "{name: settings}", "{name: settings, namespace: shop-live}"),
        changed(CONFIG, "{name: settings}", "{name: settings, annotations: {stagewright.dev/prune: never}}"),
        changed(CONFIG, "{name: settings}", "{name: settings, labels: {other.stagewright.dev/x: z}}"),
        CONFIG + "data: {text: nothing to see, token: short}\n",
        CONFIG + "binaryData: {picture: AAEC, odd: '!'}\n",
        ROLE + 'rules: [{apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [database]}]\n',
        ROLE
        + "rules: []\n---\n"
        + BINDING
        + "roleRef: {kind: Role, name: reader}\nsubjects: [{kind: ServiceAccount, name: api, namespace: shop-live}]\n",
        INGRESS + "spec: {rules: [{host: shop.example.org}, {host: a.b.shop.example.org}]}\n",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: 'system:a'}\n",
        "apiVersion: example.org/v1\nkind: Secret\nmetadata: {name: a}\n",
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a}\nspec:\n  template:\n    spec:" + POD.rstrip(),
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: LoadBalancer}\n",
        changed(DEPLOYMENT, "spec:\n  template", "spec:\n  replicas: 30\n  template"),
        DEPLOYMENT + "\n      imagePullSecrets: [{name: database}]\n",
        DEPLOYMENT + "\n      volumes: [{name: a, image: {reference: '{{ images.db }}'}}]\n",
        JOB,
    ],
)
def test_what_keeps_the_rules_passes(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a}\n",
            (
                "object_kind k8s/api.yaml:2: DaemonSet a: kind 'DaemonSet' is refused in a candidate environment; it "
                "would run on every node; use a Deployment, or leave it out with `when`"
            ),
        ),
        (
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\n",
            (
                "object_kind k8s/api.yaml:2: NetworkPolicy a: kind 'NetworkPolicy' is refused in a candidate "
                "environment; the platform keeps the network of candidates; set egress of the environment"
            ),
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  type: NodePort\n",
            (
                "object_kind k8s/api.yaml:5: Service a: spec.type is 'NodePort', which a candidate may not have; use "
                "ClusterIP and `expose` of the unit"
            ),
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {externalIPs: [192.0.2.1]}\n",
            (
                "object_kind k8s/api.yaml:4: Service a: spec.externalIPs is refused in a candidate environment; "
                "remove it and use `expose` of the unit"
            ),
        ),
        (
            "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: a}\n",
            (
                "object_cluster_scoped k8s/api.yaml:2: ClusterIssuer a: kind 'ClusterIssuer' belongs to the whole "
                "cluster, which a candidate may not change; leave it out with `when`"
            ),
        ),
        (
            changed(DEPLOYMENT, "spec:\n  template", "spec:\n  replicas: 3\n  template"),
            (
                "object_replicas k8s/api.yaml:5: Deployment api: spec.replicas is 3; a candidate may have at most 2 "
                "(a project setting). Write a smaller number there"
            ),
        ),
        (
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec: {maxReplicas: 9}\n",
            (
                "object_replicas k8s/api.yaml:4: HorizontalPodAutoscaler a: spec.maxReplicas is 9; a candidate may "
                "have at most 2 (a project setting). Write a smaller number there"
            ),
        ),
    ],
)
def test_candidates_are_kept_small_and_closed(text: str, said: str) -> None:
    assert problems(
        text, environment="preview", project={"cluster_kinds": frozenset(("ClusterIssuer.cert-manager.io",))}
    ) == [said]


def test_a_candidate_may_have_as_many_copies_as_the_project_says() -> None:
    text = changed(DEPLOYMENT, "spec:\n  template", "spec:\n  replicas: 3\n  template")
    assert problems(text, environment="preview", project={"candidate_replicas": 3}) == []


def test_a_listed_cluster_kind_is_allowed_outside_candidates_and_has_no_namespace() -> None:
    text = "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: a}\n"
    listed = {"cluster_kinds": frozenset(("ClusterIssuer.cert-manager.io", "PersistentVolume."))}
    assert problems(text, project=listed) == []
    result = planned(files={"k8s/api.yaml": text}, project=listed)
    assert "namespace" not in result.body("ClusterIssuer", "a")["metadata"]  # type: ignore[operator]
    assert problems("apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: a}\n", project=listed) == []
    with_namespace = changed(text, "{name: a}", "{name: a, namespace: shop-live}")
    assert problems(with_namespace, project=listed) == [
        (
            "object_foreign_namespace k8s/api.yaml:3: ClusterIssuer a: metadata.namespace is 'shop-live', but a "
            "ClusterIssuer belongs to no namespace; remove the field"
        )
    ]


def test_an_ingress_needs_a_domain_and_a_host() -> None:
    assert problems(INGRESS + "spec: {rules: [{host: a.example.org}]}\n", changes={"domain": None}) == [
        (
            "object_host k8s/api.yaml:4: Ingress api: spec.rules[0].host is 'a.example.org', but the environment "
            "'live' has no domain; set its domainTemplate, or leave the Ingress out"
        )
    ]
    whole = INGRESS + "spec: {defaultBackend: {service: {name: api}}, rules: [{host: shop.example.org}]}\n"
    assert [line.partition(" ")[0] for line in problems(whole)] == ["object_host"]
    assert [line.partition(" ")[0] for line in problems(INGRESS + "spec: {}\n")] == ["object_host"]


def test_what_is_no_map_or_list_where_one_belongs_does_no_harm() -> None:
    text = manifest(
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: a, labels: [], annotations: text}
        spec: {template: {metadata: 3, spec: {containers: [1, {env: {}, ports: 4}], volumes: {}}}}
        """
    )
    assert problems(text, changes={"pod_security": "baseline"}) == [
        (
            "object_image_unpinned k8s/api.yaml:4: Deployment a: spec.template.spec.containers[1].image is None, "
            'which nothing pins; declare it under spec.images and write "{{ images.<name> }}"'
        )
    ]


def test_a_bare_pod_is_refused_and_its_containers_are_still_looked_at() -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: true, containers: [{image: x}]}\n"
    told = problems(text, changes={"pod_security": "baseline"})
    assert [line.partition(" ")[0] for line in told] == ["object_kind", "object_pod_security", "object_image_unpinned"]
    assert "spec.hostNetwork" in told[1]


def test_labels_of_jobs_and_volume_claims_are_reserved_too() -> None:
    claim = "spec: {volumeClaimTemplates: [{metadata: {labels: {stagewright.dev/a: b}}}]}\n"
    job = "spec: {jobTemplate: {metadata: {labels: {stagewright.dev/a: b}}}}\n"
    for kind, version, spec in (("StatefulSet", "apps/v1", claim), ("CronJob", "batch/v1", job)):
        told = problems(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n{spec}")
        assert [line.partition(" ")[0] for line in told] == ["object_reserved_label"]


def test_a_template_without_containers_is_no_pod() -> None:
    text = "apiVersion: example.org/v1\nkind: Page\nmetadata: {name: a}\nspec: {template: {spec: {title: hello}}}\n"
    assert problems(text) == []


def test_only_texts_of_a_config_map_are_searched() -> None:
    token = base64.b64encode(b"ghp_" + b"a" * 36).decode()
    assert problems(CONFIG + "data: {a: 1, b: [x]}\nbinaryData: {a: 1, b: odd}\n") == []
    told = problems(CONFIG + f"binaryData: {{a: {token}}}\n")
    assert [line.partition(" ")[0] for line in told] == ["object_plain_secret"]


def test_volumes_of_drivers_name_secrets_by_other_words() -> None:
    told = problems(f"{DEPLOYMENT}\n      volumes: [{{name: a, azureFile: {{secretName: keys}}}}]\n")
    assert [line.partition(" ")[0] for line in told] == ["object_pod_security", "object_secret_unknown"]
    items = "items: [{key: PASSWORD, path: a}, {key: NONE, path: b}]"
    told = problems(f"{DEPLOYMENT}\n      volumes: [{{name: a, secret: {{secretName: database, {items}}}}}]\n")
    assert len(told) == 1
    assert "volumes[0].secret.items[1].key is 'NONE', which the declared secret 'database' does not have" in told[0]


def test_a_reference_without_a_name_is_left_to_the_api_server() -> None:
    assert problems(f"{DEPLOYMENT}\n      imagePullSecrets: [{{}}]\n") == []


def test_images_are_followed_where_templates_left_items_out() -> None:
    extra = "\n        - '{{ vars.none | default(omit) }}'"
    text = STACK + "  vars: {none: {required: false}}\n"
    told = planned(text, {"k8s/api.yaml": DEPLOYMENT.replace("containers:", f"containers:{extra}")}).told
    assert told == []


def test_other_objects_of_the_group_of_rights_are_no_business_of_roles() -> None:
    assert problems("apiVersion: rbac.authorization.k8s.io/v1\nkind: Other\nmetadata: {name: a}\n") == []

"""Images of containers are pinned, and secrets are known, wherever an object names them."""

import pytest
from tests.unit.deploys.objects.planned import DEPLOYMENT, INGRESS, JOB, STACK, Entries, changed, planned, problems


def test_an_image_that_looks_like_the_pinned_one_must_still_come_through_images() -> None:
    reference = planned().made.objects[0].body["spec"]["template"]["spec"]["containers"][0]["image"]
    told = problems(changed(DEPLOYMENT, '"{{ images.api }}"', f'"{reference}"'))
    assert [line.partition(":")[0] for line in told] == ["object_image_unpinned k8s/api.yaml"]


@pytest.mark.parametrize("sort", ["initContainers", "ephemeralContainers"])
def test_containers_of_every_sort_are_pinned(sort: str) -> None:
    extra = "[{name: x, image: x, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]"
    assert problems(f"{JOB}\n      {sort}: {extra}\n") == [
        (
            f"object_image_unpinned k8s/api.yaml:12: Job load: spec.template.spec.{sort}[0].image is 'x', which "
            'nothing pins; declare it under spec.images and write "{{ images.<name> }}"'
        )
    ]


def test_pods_of_cron_jobs_are_looked_at() -> None:
    inner = "\n".join("    " + line for line in JOB.partition("spec:")[2].splitlines())
    text = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: load}\nspec:\n  jobTemplate:\n    spec:" + inner
    assert problems(text) == []
    assert [line.partition(" ")[0] for line in problems(changed(text, "{{ images.api }}", "nginx"))] == [
        "object_image_unpinned"
    ]


def test_without_rendering_no_image_can_be_pinned() -> None:
    text = changed(STACK, "{path: k8s/api.yaml}", "{path: k8s/api.yaml, render: false}")
    told = planned(text).told
    assert [line.partition(" ")[0] for line in told] == ["object_image_unpinned"]


@pytest.mark.parametrize(
    "place",
    [
        "volumes: [{name: a, secret: {secretName: keys}}]",
        "volumes: [{name: a, projected: {sources: [{secret: {name: keys}}]}}]",
        "volumes: [{name: a, csi: {driver: d, nodePublishSecretRef: {name: keys}}}]",
        "imagePullSecrets: [{name: keys}]",
        (
            "ephemeralContainers: [{name: e, image: '{{ images.api }}', envFrom: [{secretRef: {name: keys}}], "
            "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]"
        ),
    ],
)
def test_every_way_to_name_a_secret_is_seen(place: str) -> None:
    told = problems(f"{DEPLOYMENT}\n      {place}\n")
    assert len(told) == 1
    assert "is 'keys', but the environment 'live' has no such secret" in told[0]
    assert problems(f"{DEPLOYMENT}\n      {place}\n", config=Entries(["keys"])) == []


def test_secrets_of_certificates_and_accounts_are_seen_too() -> None:
    ingress = INGRESS + "spec: {rules: [{host: shop.example.org}], tls: [{secretName: keys}]}\n"
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\nimagePullSecrets: [{name: keys}]\n"
    for text in (ingress, account):
        assert [line.partition(" ")[0] for line in problems(text)] == ["object_secret_unknown"]


def test_offline_an_undeclared_secret_is_only_a_warning() -> None:
    text = f"{DEPLOYMENT}\n      imagePullSecrets: [{{name: keys}}]\n"
    result = planned(files={"k8s/api.yaml": text}, config=Entries(known=False))
    assert not result.found.failed
    assert result.told == [
        (
            "object_secret_unknown k8s/api.yaml:13: Deployment api: spec.template.spec.imagePullSecrets[0].name is "
            "'keys', but the environment 'live' has no such secret declared; declare it under spec.secrets, unless "
            "it is a secret entry, which only a server can tell"
        )
    ]


def test_an_optional_key_may_be_absent() -> None:
    text = changed(
        DEPLOYMENT,
        '{{ images.api }}"',
        '{{ images.api }}"\n'
        "          env: [{name: A, valueFrom: {secretKeyRef: {name: keys, key: B, optional: true}}}]",
    )
    assert problems(text) == []

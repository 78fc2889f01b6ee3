"""A stack as it takes effect in one environment."""

from tests.unit.deploys.preparing import LIVE, ready
from tests.unit.deploys.stacks import loaded

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.document.environments import Egress
from stagewright.contexts.deploys.model.inputs import Selection
from stagewright.contexts.deploys.rules.preparing import named_images, unit_scope, with_images
from stagewright.contexts.deploys.rules.rendering import render_document

EXAMPLE = """
spec:
  versions: {api: {value: "2.4.07", bumpOn: [services/api]}, schema: "12"}
  vars:
    logLevel: {default: info, environments: {preview: debug}}
    unused: {default: nothing}
  environments:
    live: {kind: production, domainTemplate: books.example.org, deployOnPush: approval, onFailure: rollback}
    rehearsal: {from: live, kind: persistent, domainTemplate: "{{ env.name }}.books.example.org"}
    preview:
      kind: candidate
      maxLive: 4
      quota: {requests.cpu: "3", requests.memory: 6Gi}
      egress: [{cidr: 203.0.113.10/32, ports: [443]}]
  images:
    api: {type: build, context: services/api, args: {MODE: "{{ env.kind }}"}, aliases: ["{{ versions.api }}"]}
  secrets:
    - name: database
      keys:
        PASSWORD: {generate: {kind: password, length: 24}}
        URL: {compose: "postgresql://app:{{ keys.PASSWORD }}@postgres.{{ namespace }}/app"}
  services:
    - name: seed-data
      when: "{{ env.kind == 'candidate' }}"
      manifests: [{path: "deploy/{{ candidate.key }}.yaml"}]
      expose: [{service: seed, port: "{{ candidate.issue }}"}]
    - {name: mailer, scope: singleton, manifests: [{path: deploy/mailer.yaml}]}
  orchestration:
    hooks:
      - name: smoke
        phase: afterDeploy
        image: api
        command: [smoke, "--image={{ images.api }}"]
        env: {BASE_URL: "{{ url }}", LEVEL: "{{ vars.logLevel }}", PLAIN: !raw "{{ kept }}"}
"""
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ unit.name }}", labels: {group: "{{ unit.group }}"}}
spec:
  replicas: "{{ 1 if env.kind == 'candidate' else 3 }}"
  paused: "{{ omit }}"
  list: ["{{ omit }}", "{{ vars.logLevel | upper }}"]
  image: "{{ images.api }}"
  mail: "mailer.{{ singletons.mailer.namespace }}"
  braces: "{{ '{{' }} and {{ source.short }}"
  nothing: 1
"""


def test_a_candidate_takes_the_defaults_of_its_kind_under_what_is_declared() -> None:
    environment = ready(EXAMPLE).environment
    assert (environment.kind, environment.namespace) == ("candidate", "shop-i7")
    assert environment.domain == "i7-shop.preview.example.org"
    assert (environment.max_live, environment.pod_security) == (4, "restricted")
    assert (environment.quota["requests.cpu"], environment.quota["limits.cpu"]) == ("3", "8")
    assert environment.egress == (Egress(cidr="203.0.113.10/32", ports=[443]),)


def test_a_child_inherits_what_its_kind_has() -> None:
    environment = ready(EXAMPLE, Selection(environment="rehearsal")).environment
    assert (environment.namespace, environment.domain) == ("shop-rehearsal", "rehearsal.books.example.org")
    assert (environment.on_failure, environment.ancestors) == ("rollback", ("rehearsal", "live"))
    assert environment.quota == {}
    assert environment.max_live is None
    assert environment.egress == (Egress(preset="internet-https"),)


def test_a_scalar_that_is_one_expression_keeps_its_type_and_others_become_text() -> None:
    spec = ready(EXAMPLE).stack.spec
    assert spec.services[1].when is True
    expose = spec.services[1].expose
    assert expose is not None
    assert expose[0].port == 7
    assert spec.images["api"].args == {"MODE": "candidate"}
    assert spec.images["api"].aliases == ["2.4.07"]


def test_a_switched_off_unit_needs_no_values_for_its_templates() -> None:
    unit = ready(EXAMPLE, LIVE).stack.spec.services[1]
    assert unit.when is False
    assert unit.expose is None


def test_composed_secrets_and_raw_scalars_stay_as_they_are() -> None:
    spec = ready(EXAMPLE).stack.spec
    assert spec.secrets[0].keys["URL"].compose == "postgresql://app:{{ keys.PASSWORD }}@postgres.{{ namespace }}/app"
    assert spec.orchestration.hooks[0].env["PLAIN"] == "{{ kept }}"


def test_hooks_name_images_that_are_planned_later() -> None:
    hook = ready(EXAMPLE).stack.spec.orchestration.hooks[0]
    assert hook.env["BASE_URL"] == "https://i7-shop.preview.example.org"
    assert named_images(hook.command[1]) == ("api",)
    assert with_images(hook.command[1], {"api": "registry/api@sha256:1"}) == "--image=registry/api@sha256:1"


def test_a_manifest_is_rendered_with_its_unit_and_images() -> None:
    prepared, found = ready(EXAMPLE), Findings()
    scope = unit_scope(prepared, "api", "backend", {"api": "registry/api@sha256:1"})
    document = render_document(loaded(MANIFEST).tree, scope, found)
    assert not found.items
    assert document == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api", "labels": {"group": "backend"}},
        "spec": {
            "replicas": 1,
            "list": ["DEBUG"],
            "image": "registry/api@sha256:1",
            "mail": "mailer.shop-live",
            "braces": "{{ and 0123456",
            "nothing": 1,
        },
    }


def test_only_variables_that_were_read_are_told() -> None:
    prepared = ready(EXAMPLE)
    assert dict(prepared.read_vars) == {"logLevel": ("debug", "environment:preview")}

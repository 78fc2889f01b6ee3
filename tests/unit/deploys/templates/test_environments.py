"""Environments: inheritance, defaults of their kinds, names, quota and egress (``stack.md`` section 3)."""

from typing import Any

import pytest
from tests.unit.deploys.preparing import CANDIDATE, LIVE, PLATFORM, mistakes, prepared, ready

from stagewright.contexts.deploys.model.document.environments import ContainerLimits, Egress
from stagewright.contexts.deploys.model.inputs import Platform, Project, Selection
from stagewright.contexts.deploys.model.stages import EffectiveEnvironment
from stagewright.contexts.deploys.rules.environments.holding import CANDIDATE_LIMITS, CANDIDATE_QUOTA


def environment(text: str, name: str = "it") -> EffectiveEnvironment:
    """Return an environment of a stack in which nothing is wrong."""
    return ready(f"spec: {{environments: {text}}}", Selection(environment=name)).environment


def wrong(text: str, name: str = "it", **changes: Any) -> list[str]:
    """Return what is said about ``environments``; its first line is line 4 of the file."""
    return mistakes(f"spec: {{environments: {text}}}", Selection(environment=name), **changes)


# Inheritance


def test_a_child_has_its_own_fields_over_those_of_its_parents() -> None:
    it = environment(
        "{it: {from: b, podSecurity: restricted}, b: {from: c, podSecurity: baseline, imagePullPolicy: Always}, "
        "c: {kind: persistent, onFailure: rollback, imagePullPolicy: IfNotPresent}}"
    )
    assert (it.pod_security, it.image_pull_policy, it.on_failure) == ("restricted", "Always", "rollback")
    assert it.ancestors == ("it", "b", "c")
    assert it.kind == "persistent"


def test_maps_merge_by_key_and_lists_are_replaced() -> None:
    it = environment(
        "{it: {from: b, quota: {pods: 5}, limits: {max: {cpu: 2}}, egress: [{preset: platform}]}, "
        "b: {kind: persistent, quota: {pods: 9, secrets: 3}, limits: {max: {memory: 1Gi}, default: {cpu: 1}}, "
        "egress: [{preset: internet-https}, {preset: kubernetes-api}]}}"
    )
    assert it.quota == {"pods": "5", "secrets": "3"}
    assert it.limits == ContainerLimits(max={"cpu": 2, "memory": "1Gi"}, default={"cpu": 1})
    assert it.egress == (Egress(preset="platform"),)


def test_templates_are_inherited_as_templates() -> None:
    it = environment("{it: {from: b}, b: {kind: persistent, namespaceTemplate: 'x-{{ env.name }}'}}")
    assert it.namespace == "x-it"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("candidate", (7, "approval", "stop")),
        ("persistent", (None, "approval", "rollback")),
        ("production", (None, "off", "rollback")),
    ],
)
def test_fields_that_a_kind_has_not_are_not_inherited(kind: str, fields: tuple[object, ...]) -> None:
    parents = "c: {from: p, maxLive: 7}, p: {deployOnPush: 'off', onFailure: rollback}"
    chain = f"{{it: {{from: c, kind: {kind}}}, {parents}}}"
    it = prepared(f"spec: {{environments: {chain}}}", Selection(environment="it"))[0]
    assert it is not None
    assert (it.environment.max_live, it.environment.deploy_on_push, it.environment.on_failure) == fields


def test_the_defaults_of_a_candidate() -> None:
    it = environment("{it: {kind: candidate}}")
    assert it == EffectiveEnvironment(
        name="it",
        kind="candidate",
        ancestors=("it",),
        namespace="shop-i1",
        domain="i1-shop.preview.example.org",
        image_pull_policy="IfNotPresent",
        pod_security="restricted",
        quota=CANDIDATE_QUOTA,
        limits=CANDIDATE_LIMITS,
        egress=(),
        max_live=3,
    )


@pytest.mark.parametrize("kind", ["production", "persistent"])
def test_the_defaults_of_the_other_kinds(kind: str) -> None:
    assert environment(f"{{it: {{kind: {kind}}}}}") == EffectiveEnvironment(
        name="it",
        kind=kind,  # type: ignore[arg-type]
        ancestors=("it",),
        namespace="shop-it",
        domain=None,
        egress=(Egress(preset="internet-https"),),
    )


def test_a_candidate_has_no_domain_where_the_installation_has_none_for_them() -> None:
    it, found = prepared(
        "spec: {environments: {preview: {kind: candidate}}}", platform=Platform(domain="stages.example.org")
    )
    assert not found.items
    assert it is not None
    assert it.environment.domain is None


def test_limits_of_a_candidate_lie_over_the_defaults() -> None:
    it = environment("{it: {kind: candidate, limits: {max: {cpu: 1}}}}")
    assert it.limits is not None
    assert it.limits.max == {"cpu": 1, "memory": "8Gi", "ephemeral-storage": "10Gi"}
    assert it.limits.default == CANDIDATE_LIMITS.default


def test_fields_of_an_environment_are_templates_too() -> None:
    prepared_stack = ready(
        "spec:\n"
        "  vars: {cpu: {default: '2', environments: {it: '3'}}}\n"
        "  environments:\n"
        "    it: {kind: candidate, quota: {requests.cpu: '{{ vars.cpu }}'}, egress: [{cidr: 203.0.113.0/24, "
        "ports: ['{{ 400 + 43 }}']}]}\n",
        Selection(environment="it"),
    )
    assert prepared_stack.environment.quota["requests.cpu"] == "3"
    assert prepared_stack.environment.egress == (Egress(cidr="203.0.113.0/24", ports=[443]),)


# Mistakes. The environments stand in line 4 of the file.
_LONG = ", ".join(f"e{index}: {{from: e{index + 1}}}" for index in range(1, 9))
CASES = [
    ("{it: {from: b}}", ["unknown_environment @4: no environment 'b' is declared; declared: it"]),
    (
        "{it: {from: b}, b: {from: c}, c: {from: b}}",
        ["env_cycle @4: environments inherit in a circle: b -> c -> b; remove one from"],
    ),
    ("{it: {from: it}}", ["env_cycle @4: environments inherit in a circle: it -> it; remove one from"]),
    (
        "{it: {from: e1}, " + _LONG + ", e9: {kind: persistent}}",
        [
            (
                "env_depth @4: 'it' inherits over 9 levels, it -> e1 -> e2 -> e3 -> e4 -> e5 -> e6 -> e7 -> "
                "e8 -> e9; at most 8 are allowed"
            )
        ],
    ),
    ("{it: {from: e2}, " + _LONG + ", e9: {kind: persistent}}", []),
    (
        "{it: {maxLive: 3}}",
        [
            (
                "env_kind @4: the environment 'it' has no kind: set one of production, persistent, candidate, "
                "or inherit it by from"
            )
        ],
    ),
    (
        "{it: {kind: production}, second: {kind: production}}",
        ["env_kind_twice @4: 'second' is a second environment of kind production, beside 'it': keep one"],
    ),
    (
        (
            "{it: {kind: candidate}, second: {kind: candidate, namespaceTemplate: 'x-{{ candidate.key }}', "
            "domainTemplate: 'x-{{ candidate.key }}.preview.example.org'}}"
        ),
        ["env_kind_twice @4: 'second' is a second environment of kind candidate, beside 'it': keep one"],
    ),
    ("{it: {kind: persistent}, second: {kind: persistent}}", []),
    (
        "{it: {kind: persistent, maxLive: 3}}",
        [
            (
                "bad_value @4: maxLive has no meaning in an environment of kind persistent: remove it, only "
                "candidate has it"
            )
        ],
    ),
    (
        "{it: {kind: persistent, deployOnPush: auto}}",
        [
            (
                "bad_value @4: deployOnPush has no meaning in an environment of kind persistent: remove it, "
                "only production has it"
            )
        ],
    ),
    # namespaces
    (
        "{it: {kind: persistent, namespaceTemplate: Shop_It}}",
        [
            (
                "namespace_invalid @4: the namespace 'Shop_It' must be lower-case letters, digits and "
                "hyphens, at most 63 of them; the filter dns_label makes such a name"
            )
        ],
    ),
    (
        "{it: {kind: persistent, namespaceTemplate: kube-it}}",
        [("namespace_reserved @4: the namespace 'kube-it' is reserved (kube-*): choose another namespaceTemplate")],
    ),
    (
        "{it: {kind: persistent, namespaceTemplate: default}}",
        [("namespace_reserved @4: the namespace 'default' is reserved (default): choose another namespaceTemplate")],
    ),
    ("{it: {kind: persistent, namespaceTemplate: defaults}}", []),
    (
        "{it: {kind: candidate, namespaceTemplate: 'shop-{{ env.name }}'}}",
        [
            (
                "namespace_not_unique @4: namespaceTemplate of a candidate environment must read "
                "candidate.key: else all candidates share a namespace"
            )
        ],
    ),
    (
        "{it: {kind: candidate, namespaceTemplate: \"{{ 'x' if candidate.key == '' else 'y' }}\"}}",
        [
            (
                "namespace_not_unique @4: namespaceTemplate of a candidate environment must read "
                "candidate.key: else all candidates share a namespace"
            )
        ],
    ),
    ("{it: {kind: candidate, namespaceTemplate: \"{{ candidate['key'] ~ '-it' }}\"}}", []),
    (
        "{it: {kind: persistent}, second: {kind: persistent, namespaceTemplate: shop-it}}",
        [
            (
                "namespace_collision @4: the environments 'it' and 'second' both use the namespace "
                "'shop-it': they need two"
            )
        ],
    ),
    (
        "{it: {kind: candidate}, i12: {kind: persistent}}",
        ["namespace_collision @4: 'shop-i12', where 'i12' lives, is where a candidate may live as well"],
    ),
    # hosts
    (
        "{it: {kind: persistent, domainTemplate: 'https://books.example.org'}}",
        [
            (
                "domain_invalid @4: the domain 'https://books.example.org' must be a bare lower-case host, "
                "without scheme, port and path"
            )
        ],
    ),
    (
        "{it: {kind: persistent, domainTemplate: 'books.example.org:80'}}",
        [
            (
                "domain_invalid @4: the domain 'books.example.org:80' must be a bare lower-case host, "
                "without scheme, port and path"
            )
        ],
    ),
    ("{it: {kind: persistent, domainTemplate: books.example.org}}", []),
    (
        "{it: {kind: candidate, domainTemplate: '{{ candidate.key }}.example.org'}}",
        [("domain_outside @4: the host 'i1.example.org' of candidates must lie under 'preview.example.org'")],
    ),
    ("{it: {kind: candidate, domainTemplate: '{{ candidate.key }}.preview.example.org'}}", []),
    (
        "{it: {kind: candidate, domainTemplate: it.preview.example.org}}",
        [
            (
                "domain_collision @4: domainTemplate of a candidate environment must read candidate.key: "
                "else all candidates share a host"
            )
        ],
    ),
    (
        "{it: {kind: persistent, domainTemplate: a.example.org}, second: {from: it}}",
        [("domain_collision @4: the environments 'it' and 'second' both use the host 'a.example.org': they need two")],
    ),
    # templates in names
    (
        "{it: {kind: persistent, namespaceTemplate: '{{ namespace }}'}}",
        ["template_undefined @4: 'namespace' is not known in namespaceTemplate and domainTemplate"],
    ),
    (
        "{it: {kind: persistent, domainTemplate: '{{ source.sha }}.example.org'}}",
        ["template_undefined @4: 'source' is not known in environments"],
    ),
    (
        "{it: {kind: persistent, namespaceTemplate: '{{ candidate.key }}'}}",
        [("template_undefined @4: 'candidate.key' is only known in candidate environments; read it by default(…)")],
    ),
    (
        "{it: {kind: persistent, namespaceTemplate: '{{ 12 }}'}}",
        ["template_type @4: namespaceTemplate must give a text, and gives 12"],
    ),
    # quota and egress
    (
        '{it: {kind: candidate, quota: {requests.cpu: "4001m"}}}',
        [("quota_ceiling @4: the quota '4001m' of requests.cpu is above the project's ceiling of '4': lower it")],
    ),
    ('{it: {kind: candidate, quota: {requests.cpu: "4000m", requests.memory: 8192Mi, count/roles: 1}}}', []),
    ('{it: {kind: persistent, quota: {requests.cpu: "400"}}}', []),
    (
        "{it: {kind: candidate, egress: [{cidr: 10.1.0.0/16}]}}",
        [("egress_refused @4: candidates may not reach '10.1.0.0/16': it is a private or link-local network")],
    ),
    (
        "{it: {kind: candidate, egress: [{cidr: 169.254.169.254/32}]}}",
        [("egress_refused @4: candidates may not reach '169.254.169.254/32': it is a private or link-local network")],
    ),
    (
        '{it: {kind: candidate, egress: [{cidr: "::ffff:10.0.0.0/104"}]}}',
        [("egress_refused @4: candidates may not reach '::ffff:10.0.0.0/104': it is a private or link-local network")],
    ),
    (
        '{it: {kind: persistent, egress: [{cidr: "{{ env.name }}"}]}}',
        ["egress_refused @4: 'it' is no network: write its address and prefix, such as 203.0.113.0/24"],
    ),
    (
        "{it: {kind: persistent, egress: [{cidr: 203.0.113.0/24, ports: ['{{ 65536 }}']}]}}",
        ["wrong_type @4: the template gives 65536: Input should be less than or equal to 65535"],
    ),
    ("{it: {kind: persistent, egress: [{cidr: 10.1.0.0/16}]}}", []),
    ("{it: {kind: candidate, egress: [{cidr: 203.0.113.10/32, ports: [443]}]}}", []),
    (
        "{it: {kind: persistent, egress: [{cidr: 203.0.113.0/24, ports: ['{{ env.name }}']}]}}",
        ["wrong_type @4: the template gives 'it': Input should be a valid integer"],
    ),
]


@pytest.mark.parametrize(("text", "said"), CASES)
def test_a_mistake_in_an_environment_is_said_at_its_line(text: str, said: list[str]) -> None:
    assert wrong(text) == [line.replace("@4", "services.yaml:4") for line in said]


def test_a_namespace_that_the_installation_keeps_is_reserved() -> None:
    platform = Platform(reserved_namespaces=frozenset({"ingress-*", "monitoring"}))
    assert wrong("{it: {kind: persistent, namespaceTemplate: ingress-x}}", platform=platform) == [
        (
            "namespace_reserved services.yaml:4: the namespace 'ingress-x' is reserved (ingress-*): choose another "
            "namespaceTemplate"
        )
    ]


def test_a_candidates_host_needs_a_domain_for_candidates() -> None:
    text = "{it: {kind: candidate, domainTemplate: '{{ candidate.key }}.example.org'}}"
    assert wrong(text, platform=Platform()) == [
        (
            "domain_outside services.yaml:4: the host 'i1.example.org' of candidates must lie under a candidate "
            "domain, and the installation has none"
        )
    ]


def test_a_projects_ceiling_counts_before_the_built_in_one() -> None:
    project = Project(key="shop", name="Shop", quota={"requests.cpu": "2", "pods": "90"})
    text = 'spec: {environments: {preview: {kind: candidate, quota: {pods: "80"}}}}'
    it, found = prepared(text, project=project)
    assert not found.items
    assert it is not None
    assert (it.environment.quota["requests.cpu"], it.environment.quota["pods"]) == ("2", "80")
    assert mistakes(text.replace("80", "91"), project=project) == [
        "quota_ceiling services.yaml:4: the quota '91' of pods is above the project's ceiling of '90': lower it"
    ]


def test_the_related_place_of_a_collision_is_the_other_environment() -> None:
    found = prepared("""
        spec:
          environments:
            live: {kind: production, namespaceTemplate: one}
            rehearsal: {kind: persistent, namespaceTemplate: one}
        """, LIVE)[1]  # fmt: skip
    (item,) = found.items
    assert str(item.at) == "services.yaml:7"
    assert [(str(other.at), other.message) for other in item.related] == [
        ("services.yaml:6", "the namespace of 'live'")
    ]
    assert item.path == "/spec/environments/rehearsal"


def test_an_environment_that_nobody_declared_cannot_be_selected() -> None:
    text = "spec:\n  environments: {live: {kind: production}}"
    assert mistakes(text, CANDIDATE) == [
        "unknown_environment services.yaml:5: no environment 'preview' is declared; declared: live"
    ]
    assert prepared(text, CANDIDATE)[0] is None


def test_names_of_an_environment_are_known_in_its_other_fields() -> None:
    it = ready(
        "spec: {environments: {preview: {kind: candidate}}, orchestration: {hooks: [{name: a, phase: afterDeploy, "
        'image: a, command: ["{{ namespace }}", "{{ domain }}", "{{ url }}", "{{ platform.registry }}"]}]}}'
    )
    assert it.stack.spec.orchestration.hooks[0].command == [
        "shop-i7", "i7-shop.preview.example.org", "https://i7-shop.preview.example.org", PLATFORM.registry,
    ]  # fmt: skip

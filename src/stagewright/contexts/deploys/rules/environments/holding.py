"""What an environment may hold and reach: quota under the project's ceiling, container limits, egress."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.environments import ContainerLimits, Egress, Environment
from stagewright.contexts.deploys.model.inputs import Project
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence
from stagewright.contexts.deploys.rules.environments.inheriting import Inherited
from stagewright.contexts.deploys.rules.quantities import parse_quantity

CANDIDATE_QUOTA: Final = {
    "requests.cpu": "4", "requests.memory": "8Gi", "limits.cpu": "8", "limits.memory": "16Gi", "pods": "40",
    "persistentvolumeclaims": "10", "requests.storage": "50Gi", "count/jobs.batch": "50", "configmaps": "100",
    "secrets": "60", "services": "30", "services.loadbalancers": "0", "services.nodeports": "0",
}  # fmt: skip
"""The quota of a candidate's namespace (``runtime.md`` section 4.4)."""
CANDIDATE_LIMITS: Final = ContainerLimits(
    default={"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "1Gi"},
    default_request={"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "100Mi"},
    max={"cpu": "4", "memory": "8Gi", "ephemeral-storage": "10Gi"},
)
_ABROAD = (Egress(preset="internet-https"),)
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10",
        ),
    )
)  # fmt: skip
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
Quotas = dict[str, str]


def quota_of(environment: Inherited, declared: Environment, project: Project, found: Findings) -> Quotas:
    """Return the quota: what is declared over the defaults of the kind. Above the project's ceiling is refused."""
    base = CANDIDATE_QUOTA if environment.kind == "candidate" else {}
    ceilings = {**base, **project.quota}
    quota = {name: _lower(value, ceilings[name]) for name, value in base.items()}
    node = environment.fields.items.get("quota")
    for name, value in (declared.quota or {}).items():
        amount, ceiling = parse_quantity(value), parse_quantity(ceilings.get(name, ""))
        if amount is not None and ceiling is not None and amount > ceiling:
            at = node.keys.get(name) if isinstance(node, Mapping) else environment.at
            above = f"above the project's ceiling of {quoted(ceilings[name])}: lower it"
            said = f"the quota {quoted(str(value))} of {name} is {above}"
            found.add("quota_ceiling", said, at, ("spec", "environments", environment.name, "quota", name))
        quota[name] = str(value)
    return quota


def _lower(value: str, ceiling: str) -> str:
    amount, most = parse_quantity(value), parse_quantity(ceiling)
    return ceiling if amount is not None and most is not None and most < amount else value


def limits_of(environment: Inherited, declared: Environment) -> ContainerLimits | None:
    """Return the limits of containers: what is declared over the defaults of the kind."""
    if environment.kind != "candidate" or declared.limits is None:
        return CANDIDATE_LIMITS if environment.kind == "candidate" else declared.limits
    own = declared.limits
    return ContainerLimits(
        default={**CANDIDATE_LIMITS.default, **own.default},
        default_request={**CANDIDATE_LIMITS.default_request, **own.default_request},
        max={**CANDIDATE_LIMITS.max, **own.max},
    )


def egress_of(environment: Inherited, declared: Environment, found: Findings) -> tuple[Egress, ...]:
    """Return where the environment may reach. Networks that candidates must not see are refused."""
    if declared.egress is None:
        return () if environment.kind == "candidate" else _ABROAD
    node = environment.fields.items.get("egress")
    for index, item in enumerate(declared.egress):
        path: Path = ("spec", "environments", environment.name, "egress", index)
        written = node.items[index] if isinstance(node, Sequence) else None
        for said in _mistakes(item, written, environment.kind):
            found.add("egress_refused", said, written.at if written is not None else environment.at, path)
    return tuple(declared.egress)


def _mistakes(item: Egress, node: Node | None, kind: str) -> Iterator[str]:
    if item.cidr is None:
        return
    try:
        network = ipaddress.ip_network(item.cidr)
    except ValueError:
        written = node.items.get("cidr") if isinstance(node, Mapping) else None
        if isinstance(written, Scalar) and written.value != item.cidr:  # else said by the schema
            yield f"{quoted(item.cidr)} is no network: write its address and prefix, such as 203.0.113.0/24"
        return
    if kind == "candidate" and _is_private(network):
        yield f"candidates may not reach {quoted(item.cidr)}: it is a private or link-local network"


def _is_private(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    if isinstance(network, ipaddress.IPv6Network):
        return network.subnet_of(_MAPPED) or any(network.subnet_of(one) for one in _PRIVATE if one.version == 6)
    return any(network.subnet_of(one) for one in _PRIVATE if one.version == 4)

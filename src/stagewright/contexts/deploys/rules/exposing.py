"""The Ingress objects that the platform makes from ``expose`` (``stack.md`` section 6.1, ``runtime.md`` section 11).

What a controller needs for the slot gate and for certificates is added by its profile when the plan is carried out; an
annotation of ours says which paths are gated.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from stagewright.contexts.deploys.model.diagnostics import Findings, Related, Severity, quoted
from stagewright.contexts.deploys.model.objects import Body, Unfinished
from stagewright.contexts.deploys.model.places import At, Path
from stagewright.contexts.deploys.model.stages import EffectiveEnvironment, EffectiveUnit, Prepared
from stagewright.contexts.deploys.rules.components import field_place
from stagewright.contexts.deploys.rules.objects.setting import PREFIX

ACCESS = PREFIX + "access"
GATED, PUBLIC = "gated", "public"


@dataclass(frozen=True, slots=True)
class _Route:
    host: str
    path: str
    service: str
    port: int
    access: str
    at: At | None
    where: Path


def expose_units(units: Iterable[EffectiveUnit], prepared: Prepared, found: Findings) -> tuple[Unfinished, ...]:
    """Return one Ingress per unit and access, gated or public; certificates are the controller's default ones."""
    made: list[Unfinished] = []
    taken: dict[tuple[str, str], _Route] = {}
    for unit in units:
        routes = _routes(unit, prepared, found)
        for route in routes:
            _check_free(unit, route, taken, found)
        for access in (GATED, PUBLIC):
            chosen = [route for route in routes if route.access == access]
            if chosen:
                made.append(_ingress(unit, access, chosen, prepared))
    return tuple(made)


def _routes(unit: EffectiveUnit, prepared: Prepared, found: Findings) -> list[_Route]:
    domain = prepared.environment.domain
    routes: list[_Route] = []
    for index, item in enumerate(unit.expose):
        at, where = field_place(unit, ("expose", index), prepared)
        if domain is None:
            text = f"the unit {quoted(unit.name)} is not reachable from outside: the environment "
            text += f"{quoted(prepared.environment.name)} has no domain; set its domainTemplate"
            found.add("object_host", text, at, where, severity=Severity.WARNING)
            continue
        host = f"{item.host_prefix}.{domain}" if item.host_prefix else domain
        routes.append(_Route(host, item.path, item.service, item.port, item.access, at, where))
        if item.access == GATED:
            for path in item.public_paths:
                routes.append(_Route(host, path, item.service, item.port, PUBLIC, at, where))
    return routes


def _check_free(unit: EffectiveUnit, route: _Route, taken: dict[tuple[str, str], _Route], found: Findings) -> None:
    other = taken.setdefault((route.host, route.path), route)
    if other is route:
        return
    text = f"the unit {quoted(unit.name)} exposes https://{route.host}{route.path}, which is taken already; "
    related = [] if other.at is None else [Related(other.at, "taken here")]
    found.add("object_duplicate", text + "choose another path or hostPrefix", route.at, route.where, related=related)


def _ingress(unit: EffectiveUnit, access: str, routes: list[_Route], prepared: Prepared) -> Unfinished:
    hosts: dict[str, list[_Route]] = {}
    for route in sorted(routes, key=lambda route: (route.host, route.path)):
        hosts.setdefault(route.host, []).append(route)
    spec: Body = {
        "rules": [
            {"host": host, "http": {"paths": [_path(route) for route in group]}} for host, group in hosts.items()
        ],
        "tls": [{"hosts": list(hosts)}],
    }
    if prepared.inputs.platform.ingress_class is not None:
        spec["ingressClassName"] = prepared.inputs.platform.ingress_class
    body: Body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": f"stagewright-{unit.name}-{access}", "annotations": {ACCESS: access}},
        "spec": spec,
    }
    return Unfinished(body, field_place(unit, ("expose",), prepared)[0], unit.name, generated=True)


def _path(route: _Route) -> Body:
    service = {"name": route.service, "port": {"number": route.port}}
    return {"path": route.path, "pathType": "Prefix", "backend": {"service": service}}


def gate_own_ingress(item: Unfinished, environment: EffectiveEnvironment) -> None:
    """Put an Ingress that a candidate brings itself behind the gate as well."""
    if item.kind == "Ingress" and not item.generated and environment.kind == "candidate":
        item.body["metadata"]["annotations"][ACCESS] = GATED

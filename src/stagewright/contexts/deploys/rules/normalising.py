"""The one way in which equal objects are written: no nulls, and quantities as the API server writes them."""

import math
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from stagewright.contexts.deploys.model.objects import Body, Unfinished, as_list, as_map

_FORM = re.compile(
    r"([+-]?(?:\d{1,18}\.?\d{0,9}|\.\d{1,9}))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d{1,2}|)", re.ASCII
)
_NANO = 10**9
_BINARY = {f"{letter}i": 1024**power * _NANO for letter, power in zip("EPTGMK", range(6, 0, -1), strict=True)}
_DECIMAL = {
    name: 1000**power
    for name, power in zip(("E", "P", "T", "G", "M", "k", "", "m", "u", "n"), range(9, -1, -1), strict=True)
}


@lru_cache(4096)
def canonical_quantity(value: str | int | float) -> str | None:
    """Return a quantity with the largest suffix of its family that leaves a whole number; None for what is none. So
    ``1024Mi`` is ``1Gi`` and ``0.5`` is ``500m``; what is finer than a nano is rounded up."""
    found = _FORM.fullmatch(str(value))
    if found is None or isinstance(value, bool):
        return None
    number, suffix = Fraction(found[1]), found[2]
    if suffix in _BINARY or suffix in _DECIMAL:
        nanos = math.ceil(number * (_BINARY.get(suffix) or _DECIMAL[suffix]))
    else:
        nanos = math.ceil(number * Fraction(10) ** int(suffix[1:]) * _NANO)
    binary = suffix in _BINARY and abs(nanos) >= 1024 * _NANO
    return _shortest(nanos, {**_BINARY, **_DECIMAL} if binary else _DECIMAL)


def _shortest(nanos: int, suffixes: Mapping[str, int]) -> str:
    for name, factor in suffixes.items():
        if nanos and nanos % factor == 0:
            return f"{nanos // factor}{name}"
    return "0"


def without_nulls(value: Any) -> Any:
    """Return ``value`` without the keys whose value is null: to an API server they are the same as absent ones. Maps
    and lists that hold none are returned as they are."""
    if isinstance(value, dict):
        kept = {key: without_nulls(item) for key, item in value.items() if item is not None}
        return value if len(kept) == len(value) and all(kept[key] is value[key] for key in kept) else kept
    if isinstance(value, list):
        items = [without_nulls(item) for item in value]
        return value if all(one is other for one, other in zip(items, value, strict=True)) else items
    return value


def normalise_quantities(item: Unfinished) -> None:
    """Write the quantities of ``item`` in their canonical form, in place."""
    for amounts, names in _amounts(item):
        for name in amounts if names is None else names:
            value = amounts.get(name)
            if isinstance(value, str | int | float):
                amounts[name] = canonical_quantity(value) or value


def _amounts(item: Unfinished) -> Iterator[tuple[Body, tuple[str, ...] | None]]:
    """Give every map that holds quantities, with the keys that do; None for all of them."""
    spec = as_map(item.body.get("spec"))
    for pod in item.pods:
        for _, container in pod.containers():
            yield from _resources(container)
            for variable in as_list(container.get("env")):
                yield as_map(as_map(as_map(variable).get("valueFrom")).get("resourceFieldRef")), ("divisor",)
        yield from _resources(pod.spec)
        yield as_map(pod.spec.get("overhead")), None
        for volume in as_list(pod.spec.get("volumes")):
            yield as_map(as_map(volume).get("emptyDir")), ("sizeLimit",)
            claim = as_map(as_map(as_map(volume).get("ephemeral")).get("volumeClaimTemplate"))
            yield from _resources(as_map(claim.get("spec")))
    for claim in as_list(spec.get("volumeClaimTemplates")):
        yield from _resources(as_map(as_map(claim).get("spec")))
    if item.kind == "PersistentVolumeClaim":
        yield from _resources(spec)
    if item.kind == "HorizontalPodAutoscaler":
        for metric in as_list(spec.get("metrics")):
            for source in as_map(metric).values():
                yield as_map(as_map(source).get("target")), ("averageValue", "value")


def _resources(holder: Body) -> Iterator[tuple[Body, None]]:
    resources = as_map(holder.get("resources"))
    yield as_map(resources.get("requests")), None
    yield as_map(resources.get("limits")), None

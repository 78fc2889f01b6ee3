"""The units of a stack as an agent is told of them."""

from typing import Any

from stagewright.contexts.deploys.model.document.orchestration import Readiness
from stagewright.contexts.deploys.model.document.units import Expose, Manifest
from stagewright.contexts.deploys.model.stages import EffectiveEnvironment, EffectiveUnit
from stagewright.contexts.deploys.rules.inventory import as_text, inventory

PREVIEW = EffectiveEnvironment(
    name="preview", kind="candidate", ancestors=("preview",), namespace="shop-i7", domain="i7-shop.example.org"
)
HOSTLESS = EffectiveEnvironment(
    name="preview", kind="candidate", ancestors=("preview",), namespace="shop-i7", domain=None
)


def a_unit(name: str, **changes: Any) -> EffectiveUnit:
    values: dict[str, Any] = {
        "name": name,
        "path": ("spec", "services", name),
        "infrastructure": False,
        "enabled": True,
        "depends_on": (),
        "manifests": (Manifest(path=f"deploy/{name}.yaml"),),
        "config_maps": (),
        "readiness": Readiness(),
        "hooks": (),
        "protected": False,
        "repository": "shop",
        "declared_strategy": "rebuild",
    }
    return EffectiveUnit(**(values | changes))


def test_units_are_told_by_name_with_group_strategy_needs_manifests_and_addresses() -> None:
    units = (
        a_unit(
            "web",
            group="front",
            strategy="hot-reload",
            depends_on=("postgres", "api"),
            expose=(Expose(service="web", port=80), Expose(service="web", port=81, path="/admin", host_prefix="ops")),
        ),
        a_unit("postgres", infrastructure=True),
    )
    assert as_text(inventory(units, PREVIEW)) == (
        "- postgres: group infrastructure, rebuild; manifests deploy/postgres.yaml\n"
        "- web: group front, hot-reload; needs api, postgres; manifests deploy/web.yaml;"
        " at https://i7-shop.example.org/, https://ops.i7-shop.example.org/admin\n"
    )


def test_what_is_switched_off_is_not_told() -> None:
    assert inventory((a_unit("seed", enabled=False),), PREVIEW) == ()


def test_without_a_host_there_are_no_addresses() -> None:
    (unit,) = inventory((a_unit("web", expose=(Expose(service="web", port=80),)),), HOSTLESS)
    assert unit.urls == ()

"""Checks bodies of objects against the schemas of Kubernetes, strictly: fields that it does not know are mistakes."""

import functools
import importlib.resources
import json
from collections.abc import Mapping
from typing import Any

import referencing
from jsonschema import Draft202012Validator
from kubernetes_validate.utils import latest_version

NEWEST = latest_version()


def mistakes(body: Mapping[str, Any]) -> list[str]:
    """Return what the newest schemas say against ``body``; a kind that they do not know is one mistake."""
    group, _, version = str(body["apiVersion"]).rpartition("/")
    family = f"{group.partition('.')[0]}-{version}" if group else version
    validator = _validator(f"{str(body['kind']).lower()}-{family}.json")
    if validator is None:
        return [f"the schemas of Kubernetes {NEWEST} know no {body['kind']} of {body['apiVersion']}"]
    found = sorted(validator.iter_errors(dict(body)), key=lambda error: list(map(str, error.absolute_path)))
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


@functools.cache
def _validator(name: str) -> Draft202012Validator | None:
    try:
        schema = _schema(name)
    except FileNotFoundError:
        return None
    parts = (referencing.Resource.from_contents(schema), _definitions())
    return Draft202012Validator(
        schema, registry=referencing.Registry().with_resources((r.id() or "", r) for r in parts)
    )


@functools.cache
def _definitions() -> referencing.Resource[Any]:
    return referencing.Resource.from_contents(_schema("_definitions.json"))


def _schema(name: str) -> Any:
    folder = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{NEWEST}-local-strict"
    return json.loads((folder / name).read_text())

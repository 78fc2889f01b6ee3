"""Checking requests, answers and webhook payloads against GitHub's own API description, in the test's process."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tools.github_api import openapi

ROOT = "urn:github-api"
SCALARS = {"integer": int, "number": float}
MOST_PROBLEMS = 8
# errors are described for few operations only; every one of them has to be GitHub's basic error
ERROR_SCHEMAS = {422: "validation-error", 0: "basic-error"}


class Contract:
    """What GitHub's description says of the operations we use. All ``problems`` are empty lists when it is kept."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        translated = {"components": {"schemas": _translate(document["components"]["schemas"])}}
        resource = Resource.from_contents(translated, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(ROOT, resource)
        self._operations = [
            (_pattern(template, self._parameters(item[method])), template, method.upper(), item[method])
            for template, item in document["paths"].items()
            for method in ("get", "post", "put", "patch", "delete")
            if method in item
        ]
        self._operations.sort(key=lambda row: _specificity(row[1]))

    def operation(self, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
        """Return the template and the description of an operation; None when GitHub has no such one."""
        for pattern, template, described_method, operation in self._operations:
            if described_method == method and pattern.fullmatch(path):
                return template, operation
        return None

    def request_problems(self, method: str, path: str, query: Mapping[str, str], body: Any) -> list[str]:
        """Check path, method, query parameters and JSON body of a request."""
        found = self.operation(method, path)
        if found is None:
            return [f"{method} {path}: GitHub's API has no such operation"]
        return [*self._query_problems(found[1], query), *self._body_problems(found[1], body)]

    def response_problems(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """Check the status and the JSON body of an answer; ``body`` None stands for an empty one."""
        found = self.operation(method, path)
        if found is None:
            return [f"{method} {path}: GitHub's API has no such operation"]
        answers = found[1]["responses"]
        if str(status) not in answers:
            return self._error_problems(status, body)
        described = self._resolve(answers[str(status)])
        content = described.get("content", {}).get("application/json")
        if content is None and status >= 400 and body is not None:
            return self._error_problems(status, body)
        if content is None:
            return [] if body is None else [f"{status}: GitHub answers without a body, we with {body!r}"]
        return self._problems(content["schema"], body)

    def webhook_problems(self, event: str, payload: Any) -> list[str]:
        """Check a webhook's payload, found by its event and action."""
        name = "-".join([event, *([payload["action"]] if "action" in payload else [])]).replace("_", "-")
        described = self._document["x-webhooks"].get(name)
        if described is None:
            return [f"{name}: GitHub sends no such webhook"]
        return self._problems(described["post"]["requestBody"]["content"]["application/json"]["schema"], payload)

    def _error_problems(self, status: int, body: Any) -> list[str]:
        if status < 400:
            return [f"{status}: GitHub's description has no such answer here"]
        schema = ERROR_SCHEMAS.get(status, ERROR_SCHEMAS[0])
        if status == 422 and isinstance(body, dict) and any(isinstance(e, str) for e in body.get("errors", [])):
            schema = "validation-error-simple"
        problems = self._problems({"$ref": f"#/components/schemas/{schema}"}, body)
        told = isinstance(body, dict) and {"message", "documentation_url"} <= body.keys()
        return problems if told else [*problems, f"{status}: an error has a message and a documentation_url"]

    def _query_problems(self, operation: dict[str, Any], query: Mapping[str, str]) -> Iterator[str]:
        parameters = self._parameters(operation)
        known = {one["name"]: one["schema"] for one in parameters if one["in"] == "query"}
        for one in parameters:
            if one["in"] == "query" and one.get("required") and one["name"] not in query:
                yield f"query {one['name']}: is required"
        for name, text in query.items():
            if name not in known:
                yield f"query {name}: GitHub knows no such parameter here"
                continue
            value = _typed(text, self._resolve(known[name]).get("type"))
            yield from (f"query {name}: {problem}" for problem in self._problems(known[name], value))

    def _parameters(self, operation: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._resolve(one) for one in operation.get("parameters", [])]

    def _body_problems(self, operation: dict[str, Any], body: Any) -> list[str]:
        described = operation.get("requestBody")
        if described is None:
            return [] if body is None else ["body: GitHub takes none here"]
        if body is None:
            return ["body: is required"] if described.get("required") else []
        return self._problems(described["content"]["application/json"]["schema"], body)

    def _problems(self, schema: dict[str, Any], value: Any) -> list[str]:
        validator = Draft202012Validator(_translate(schema), registry=self._registry)
        found = sorted(validator.iter_errors(value), key=lambda error: error.json_path)
        return [_told(error) for error in found[:MOST_PROBLEMS]]

    def _resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        found: Any = self._document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        assert isinstance(found, dict)
        return self._resolve(found)


@cache
def contract() -> Contract:
    """Return the contract of the cached description; it is fetched first when there is none."""
    return Contract(openapi())


def _translate(node: Any) -> Any:
    """Turn OpenAPI 3.0 schemas into JSON Schema: ``nullable``, references, and ``oneOf`` whose branches overlap."""
    if isinstance(node, list):
        return [_translate(value) for value in node]
    if not isinstance(node, dict):
        return node
    made = {key: value if key in ("enum", "required") else _translate(value) for key, value in node.items()}
    if isinstance(made.get("$ref"), str):
        made["$ref"] = ROOT + made["$ref"]
    if isinstance(made.get("oneOf"), list):  # GitHub's branches often hold each other (a label's text or object do not)
        made["anyOf"] = made.pop("oneOf")
    if made.pop("nullable", False) is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    return made


def _pattern(template: str, parameters: list[dict[str, Any]]) -> re.Pattern[str]:
    """Return the expression of a path; only parameters that are marked so may hold slashes."""
    wide = {one["name"] for one in parameters if one.get("x-multi-segment")}

    def group(found: re.Match[str]) -> str:
        return ".+" if found.group(1) in wide else "[^/]+"

    return re.compile(re.sub(r"\\\{([\w-]+)\\\}", group, re.escape(template)))


def _specificity(template: str) -> list[int]:
    return [int(segment.startswith("{")) for segment in template.split("/")]


def _typed(text: str, kind: str | None) -> Any:
    if kind in SCALARS:
        try:
            return SCALARS[kind](text)
        except ValueError:
            return text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return text.split(",") if kind == "array" else text


def _told(error: ValidationError) -> str:
    """Say where and what; of alternatives name the branch that came nearest."""
    nearest = error
    while nearest.context:
        nearest = max(nearest.context, key=lambda one: (len(one.absolute_path), one.validator != "type"))
    return f"{nearest.json_path}: {nearest.message[:300]}"

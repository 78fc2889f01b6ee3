"""Trimming GitHub's description and reading its nullable fields, on a small description of our own."""

from typing import Any

import pytest
from tools.github_api import trim
from tools.github_contract import Contract


def described() -> dict[str, Any]:
    issue = {
        "type": "object",
        "required": ["title", "milestone"],
        "properties": {
            "title": {"type": "string"},
            "milestone": {"nullable": True, "oneOf": [{"type": "string"}, {"type": "integer"}]},
            "state": {"type": "string", "nullable": True, "enum": ["open", "closed"]},
            "user": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/user"}]},
            "examples": {"type": "string"},
        },
    }
    parameters = [
        {"name": "owner", "in": "path", "schema": {"type": "string"}},
        {"$ref": "#/components/parameters/path"},
        {"name": "page", "in": "query", "schema": {"type": "integer"}},
        {"name": "deep", "in": "query", "schema": {"type": "boolean"}, "required": True},
    ]
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/issue"}, "examples": {"a": {}}}}}
    get = {"parameters": parameters, "responses": {"200": body, "404": {"$ref": "#/components/responses/gone"}}}
    post = {"parameters": parameters[:2], "requestBody": {"required": True} | body, "responses": {"204": {}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/repos/{owner}/{repo}/x/{path}": {"get": get, "post": post},
            "/gists": {"get": {"responses": {"200": {"$ref": "#/components/responses/other"}}}},
        },
        "x-webhooks": {
            "issues-opened": {
                "post": {"requestBody": {"content": {"application/json": body["content"]["application/json"]}}}
            },
            "star-created": {"post": {}},
        },
        "components": {
            "schemas": {
                "issue": issue,
                "user": {"type": "object", "required": ["login"]},
                "basic-error": {"type": "object", "properties": {"message": {"type": "string"}}},
                "unused": {"type": "string"},
            },
            "parameters": {"path": {"name": "path", "in": "path", "schema": {}, "x-multi-segment": True}},
            "responses": {"gone": {"content": {"application/json": {"schema": {}}}}, "other": {}},
        },
    }


@pytest.fixture
def check() -> Contract:
    kept = trim(described())
    kept["components"]["schemas"]["basic-error"] = {"type": "object", "properties": {"message": {"type": "string"}}}
    return Contract(kept)


def test_only_what_we_speak_is_kept_with_what_it_reaches() -> None:
    kept = trim(described())
    assert list(kept["paths"]) == ["/repos/{owner}/{repo}/x/{path}"]
    assert list(kept["x-webhooks"]) == ["issues-opened"]
    assert set(kept["components"]["schemas"]) == {"issue", "user"}
    assert set(kept["components"]["responses"]) == {"gone"}
    assert "examples" in kept["components"]["schemas"]["issue"]["properties"]


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ({"title": "t", "milestone": None}, True),
        ({"title": "t", "milestone": 1, "state": None, "user": None}, True),
        ({"title": "t", "milestone": "m", "state": "open", "user": {"login": "x"}}, True),
        ({"title": "t"}, False),
        ({"title": None, "milestone": None}, False),
        ({"title": "t", "milestone": [], "user": None}, False),
        ({"title": "t", "milestone": None, "state": "ajar"}, False),
        ({"title": "t", "milestone": None, "user": {}}, False),
        (None, False),
    ],
)
def test_nullable_fields_may_be_null_and_no_others(check: Contract, body: Any, good: bool) -> None:
    assert (check.request_problems("POST", "/repos/o/r/x/a/b", {}, body) == []) is good


@pytest.mark.parametrize(
    ("query", "good"),
    [
        ({"deep": "true", "page": "2"}, True),
        ({"deep": "yes"}, False),
        ({"deep": "true", "page": "two"}, False),
        ({"deep": "true", "pag": "2"}, False),
        ({}, False),
    ],
)
def test_queries_are_checked(check: Contract, query: dict[str, str], good: bool) -> None:
    assert (check.request_problems("GET", "/repos/o/r/x/a", query, None) == []) is good


def test_answers_are_checked(check: Contract) -> None:
    path = "/repos/o/r/x/a"
    assert check.response_problems("GET", path, 200, {"title": "t", "milestone": None}) == []
    assert check.response_problems("GET", path, 200, {"title": "t"})
    assert check.response_problems("GET", path, 201, {})
    assert check.response_problems("POST", path, 204, None) == []
    assert check.response_problems("POST", path, 204, {})
    assert check.response_problems("GET", path, 500, {"message": "m"})
    assert check.response_problems("GET", path, 500, {"message": "m", "documentation_url": "d"}) == []
    assert check.response_problems("GET", "/gists", 200, {})


def test_webhooks_are_checked(check: Contract) -> None:
    payload = {"action": "opened", "title": "t", "milestone": None}
    assert check.webhook_problems("issues", payload) == []
    assert check.webhook_problems("issues", {"action": "opened"})
    assert check.webhook_problems("issues", {"action": "melted"})

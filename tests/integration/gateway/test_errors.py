"""Every kind of failure behind the door is one problem document, and nothing foreign shows (AX25)."""

from datetime import timedelta

import pytest
from tests.fakes.gateway import Gateway

from stagewright.kit import errors

FOREIGN = "relation credentials does not exist at 10.0.0.7, password bot-token-9876"
CASES: list[tuple[Exception, int, str]] = [
    (errors.Invalid("write it as owner/name", code="forge.invalid"), 400, "forge.invalid"),
    (errors.Unauthenticated("bad credentials"), 400, "credential.refused"),
    (errors.Denied("not yours", code="forge.permission_missing"), 403, "forge.permission_missing"),
    (errors.NotFound("no such repository", code="forge.not_found"), 404, "forge.not_found"),
    (errors.Conflict("moved", code="forge.moved"), 409, "forge.moved"),
    (errors.Refused("a rule says no", code="forge.rule"), 422, "forge.rule"),
    (errors.LimitReached("slow down", retry_after=timedelta(seconds=7)), 429, "limit_reached"),
    (errors.Unavailable("later", code="forge.unavailable"), 503, "forge.unavailable"),
    (TimeoutError(FOREIGN), 504, "timeout"),
    (RuntimeError(FOREIGN), 500, "internal"),
]


@pytest.mark.parametrize(("error", "status", "code"), CASES, ids=[str(case[1]) for case in CASES])
async def test_a_failure_of_the_forge_is_mapped_once(
    gateway: Gateway, error: Exception, status: int, code: str
) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    gateway.forge.add_repository("acme/shop")
    gateway.forge.fail("repository", error)  # type: ignore[arg-type]
    body = {"full_name": "acme/shop", "token": "bot-token"}
    answer = await gateway.post(f"/projects/{project.id}/repositories", owner, body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["retryable"] is (status in (429, 503, 504))
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
    assert "10.0.0.7" not in answer.text
    assert "bot-token" not in answer.text
    assert (await gateway.get(f"/projects/{project.id}/repositories", owner)).json()["items"] == []


async def test_an_unforeseen_error_opens_an_incident_without_secrets(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    gateway.forge.add_repository("acme/shop")
    gateway.platform.redactor.add("bot-token-9876")
    for _ in range(2):
        gateway.forge.fail("repository", RuntimeError(FOREIGN))  # type: ignore[arg-type]
        body = {"full_name": "acme/shop", "token": "bot-token"}
        answer = await gateway.post(f"/projects/{project.id}/repositories", owner, body)
        assert answer.status_code == 500
    incidents = (await gateway.get("/incidents", owner)).json()["items"]
    assert [(item["source"], item["code"], item["count"]) for item in incidents] == [("gateway", "internal", 2)]
    whole = (await gateway.get(f"/incidents/{incidents[0]['id']}", owner)).json()
    assert {name: whole[name] for name in incidents[0]} == incidents[0]
    assert whole["details"] == {"request_id": answer.json()["request_id"]}
    assert whole["correlation_id"] == answer.json()["request_id"]
    assert "RuntimeError" in whole["stack"]
    assert "bot-token-9876" not in str(whole)


async def test_unknown_and_malformed_input_names_its_place(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    cases = [
        (await gateway.get("/runs?statu=failed", owner), "/query/statu"),
        (await gateway.get("/runs?status=broken", owner), "/query/status/0"),
        (await gateway.get("/runs?limit=0", owner), "/query/limit"),
        (await gateway.get("/runs?from=yesterday", owner), "/query/from"),
        (await gateway.get("/runs/run-0001", owner), "/path/run_id"),
        (await gateway.get("/audit?object=run:1&sort=at", owner), "/query/sort"),
        (await gateway.post("/projects", owner, {"key": "a", "name": "A", "colour": 1}), "/colour"),
        (await gateway.post("/projects", owner, [1]), ""),
    ]
    for answer, place in cases:
        assert answer.status_code == 400, answer.text
        assert [item["pointer"] for item in answer.json()["errors"]] == [place]
    assert "did you mean status?" in cases[0][0].json()["errors"][0]["message"]


async def test_a_body_that_is_too_large_or_no_json_is_refused(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    headers = {"Idempotency-Key": "a-fresh-key", "Content-Type": "application/json"}
    large = await gateway.call("POST", "/projects", owner, headers=headers, content=b" " * (1024 * 1024 + 1))
    assert large.status_code == 413
    broken = await gateway.call("POST", "/projects", owner, headers=headers, content=b"{")
    assert broken.status_code == 400


async def test_unknown_paths_and_methods_are_problems_too(gateway: Gateway) -> None:
    nowhere = await gateway.client.get("/api/v1/nowhere")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "not_found")
    method = await gateway.client.delete("/api/v1/projects")
    assert (method.status_code, method.json()["code"]) == (405, "method_not_allowed")


async def test_the_request_id_is_taken_and_returned(gateway: Gateway) -> None:
    given = await gateway.get("/me", headers={"X-Request-Id": "my-request-0001"})
    assert given.headers["x-request-id"] == given.json()["request_id"] == "my-request-0001"
    made = await gateway.get("/me", headers={"X-Request-Id": "no good: spaces"})
    assert made.headers["x-request-id"] == made.json()["request_id"] != "no good: spaces"

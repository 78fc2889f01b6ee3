"""Every route for every role, by session: who may read reads, and nobody writes without the permission (AX1)."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from tests.fakes.gateway import DOCUMENT, Gateway, Visitor
from tests.integration.gateway.test_permissions import TABLE

from stagewright.kit.http.routes import MARK, PUBLIC

ROLES = ("stranger", "read", "read_write", "admin", "platform_admin", "owner")
# As the specification's table says; the rows of the other test are read, too.
WHO = {name: row[4].split() for name, row in TABLE.items()} | {
    "signed_in": list(ROLES),
    "run.start": ["read_write", "admin", "platform_admin", "owner"],
    "budget.manage": ["admin", "owner"],
    "approval.decide": ["read_write", "admin", "platform_admin", "owner"],
    "approval.decide_owner": ["admin", "owner"],
    "incident.handle": ["read_write", "admin", "platform_admin", "owner"],
    "audit.view_installation": ["platform_admin", "owner"],
    "settings.manage": ["platform_admin", "owner"],
    "project.delete": ["owner"],
    "user.roles": ["owner"],
}
ASKS_MORE = {"/api/v1/audit": "audit.view_installation"}  # without a project
QUERIES = {"/api/v1/audit/verify": "?stream=run:{run_id}"}
STEP = {"issue_number": 1, "action_kind": "issue_stage_transition", "target_label": "run:dev"}
BODIES: dict[str, dict[str, Any]] = {  # routes whose body names what they act on
    "/api/v1/next-steps/preview": STEP,
    "/api/v1/next-steps/execute": STEP | {"expected_labels_hash": "-"},
}
ROUTES = [
    (method.upper(), path + QUERIES.get(path, ""), ASKS_MORE.get(path, operation[MARK]))
    for path, item in sorted(DOCUMENT["paths"].items())
    for method, operation in item.items()
    if operation[MARK] != PUBLIC
]
PLATFORM = {
    "audit.view_installation",
    "project.create",
    "config.platform",
    "platform.operate",
    "user.manage",
    "settings.manage",
    "user.roles",
}


def test_every_permission_of_a_route_is_in_the_table() -> None:
    assert {permission for _, _, permission in ROUTES} - WHO.keys() == set()


async def a_visitor(gateway: Gateway, role: str, project: Any) -> Visitor:
    if role in ("platform_admin", "owner"):
        return await gateway.visitor(await gateway.person("ann", role=role.removeprefix("platform_")))
    if role == "stranger":
        return await gateway.visitor(await gateway.person("ann"))
    return await gateway.visitor(await gateway.person("ann", member_of=project, member_as=role))


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_gets_what_the_table_says_at_every_route(gateway: Gateway, role: str) -> None:
    project, repository, run = await gateway.scene()
    me = await a_visitor(gateway, role, project)
    async with gateway.db.reading() as reader:
        seq = await reader.value("select min(seq) from journal where project_id = %(p)s", p=project.id)
    known = {
        "project_id": project.id,
        "repository_id": repository.id,
        "run_id": run.id,
        "seq": seq,
        "stream": "engine",
        "purpose": "bot",
        "generation": 1,
        "user_id": me.user.id,
        "owner": "acme",
        "repo": "shop",
        "number": 1,
    }
    hidden = (str(project.id), str(repository.id), str(run.id), repository.full_name)
    for method, path, permission in ROUTES:
        place = re.sub(r"\{(\w+)\}", lambda match: str(known.get(match[1], uuid4())), path)
        allowed = role in WHO[permission]
        if method != "GET" and allowed:
            continue  # what the permitted may write is proven route by route
        headers = {**me.headers, "If-Match": '"1"', "Idempotency-Key": str(uuid4())}
        body = BODIES[path] | {"repository_full_name": repository.full_name} if path in BODIES else {}
        content = None if method == "GET" else json.dumps(body).encode()
        answer = await gateway.client.request(method, place, headers=headers, content=content)
        told = f"{role}: {method} {path} answered {answer.status_code} {answer.text[:200]}"
        if permission in PLATFORM and not allowed:
            assert answer.status_code == 403, told
        elif method == "GET" and allowed:
            assert answer.status_code in (200, 400, 404), told  # 400: asks for a parameter; 404: not there yet
        elif not allowed and "{" not in path and path not in BODIES:
            assert answer.status_code == 403 or shows_nothing(answer, hidden), told
        else:
            assert answer.status_code in (400, 403, 404), told


def shows_nothing(answer: Any, secrets: tuple[str, ...]) -> bool:
    """Say whether the answer is about what one may see, and nothing else: lists and verbs over lists."""
    return answer.status_code == 200 and not any(secret in answer.text for secret in secrets)

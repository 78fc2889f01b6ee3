"""The schema of stacks is served to editors, which send no credential."""

import httpx
import pytest

from stagewright.contexts.deploys.rules.json_schema import stack_schema
from stagewright.processes.gateway.app import make_framework


@pytest.mark.parametrize(("name", "fragment"), [("service-stack", False), ("service-stack-fragment", True)])
async def test_editors_get_the_schema_without_a_credential(name: str, fragment: bool) -> None:
    transport = httpx.ASGITransport(make_framework())
    async with httpx.AsyncClient(transport=transport, base_url="https://stagewright.test") as client:
        answer = await client.get(f"/schema/v1alpha1/{name}.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.json() == stack_schema(fragment=fragment)
    assert answer.json()["$id"].endswith(f"/schema/v1alpha1/{name}.json")

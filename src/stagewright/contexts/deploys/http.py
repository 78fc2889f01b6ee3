"""The schemas of stack files, open to everybody: the format is no secret, and editors send no credential."""

from functools import cache

from fastapi.responses import JSONResponse

from stagewright.contexts.deploys.rules.json_schema import stack_schema
from stagewright.kit.http.routes import PUBLIC, Routes

schemas = Routes(tag="stacks", prefix="")
_known = cache(stack_schema)
KEPT = {"cache-control": "public, max-age=3600"}
"""Editors ask often, and the answer changes with releases only."""


class SchemaAnswer(JSONResponse):
    """A JSON Schema."""

    media_type = "application/schema+json"


@schemas.get("/schema/v1alpha1/service-stack.json", PUBLIC, response_class=SchemaAnswer)
async def get_stack_schema() -> SchemaAnswer:
    """Return the JSON Schema of stack files and their fragments."""
    return SchemaAnswer(_known(), headers=KEPT)


@schemas.get("/schema/v1alpha1/service-stack-fragment.json", PUBLIC, response_class=SchemaAnswer)
async def get_stack_fragment_schema() -> SchemaAnswer:
    """Return the JSON Schema of fragments alone."""
    return SchemaAnswer(_known(fragment=True), headers=KEPT)

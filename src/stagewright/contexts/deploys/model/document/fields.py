"""The kinds of fields a stack has: names, templates, durations, quantities.

A document is checked twice. Before rendering, with the context ``RAW``, every templatable scalar may also be a text
that contains ``{{``; afterwards it must have its own type.
"""

import re
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationInfo,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

RAW = {"raw": True}
DNS_LABEL = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
WORD = r"^[a-zA-Z][a-zA-Z0-9_]{0,63}$"
DURATION = r"^(\d+d(\d+h)?(\d+m)?(\d+s)?|\d+h(\d+m)?(\d+s)?|\d+m(\d+s)?|\d+s)$"


class Block(BaseModel):
    """A map with fixed fields. Unknown fields are mistakes; keys with ``x-`` are taken out before."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel, populate_by_name=True)


class Templated:
    """Marks a field whose scalar may be a template in the file."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let templates pass as they are while the document is raw."""

        def check(value: Any, inner: core_schema.ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
            if isinstance(value, str) and "{{" in value and info.context is not None and info.context.get("raw"):
                return value
            return inner(value)

        return core_schema.with_info_wrap_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say in the published schema that a template does as well."""
        return {"anyOf": [handler(schema), {"type": "string", "pattern": re.escape("{{")}]}


Name = Annotated[str, StringConstraints(pattern=DNS_LABEL)]
Word = Annotated[str, StringConstraints(pattern=WORD)]
Duration = Annotated[str, StringConstraints(pattern=DURATION), Templated()]
Text = Annotated[str, Templated()]
Flag = Annotated[bool, Templated()]
Whole = Annotated[int, Templated()]
Quantity = Annotated[str | int, Templated()]

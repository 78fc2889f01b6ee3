"""The kinds of fields a stack has: names, templates, durations, quantities.

A document is checked twice. Before rendering, with the context ``RAW``, every templatable scalar may also be a text
that contains ``{{``; afterwards it must have its own type.
"""

import re
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationInfo,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

RAW = {"raw": True}
OPEN = "{{"
DNS_LABEL = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
PROJECT_KEY = r"^[a-z][a-z0-9-]{1,29}$"
WORD = r"^[a-zA-Z][a-zA-Z0-9_]{0,63}$"
CONFIG_KEY = r"^[A-Z][A-Z0-9_]{0,127}$"
ENV_NAME = r"^[a-zA-Z_][a-zA-Z0-9_.-]{0,252}$"
SECRET_KEY = r"^[a-zA-Z0-9._-]{1,253}$"
LABEL_KEY = r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$"
LABEL_VALUE = r"^([a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?)?$"
_SOME = "[0-9]*[1-9][0-9]*"
DURATION = (
    rf"^({_SOME}d([0-9]+h)?([0-9]+m)?([0-9]+s)?|([0-9]+d)?{_SOME}h([0-9]+m)?([0-9]+s)?"
    rf"|([0-9]+d)?([0-9]+h)?{_SOME}m([0-9]+s)?|([0-9]+d)?([0-9]+h)?([0-9]+m)?{_SOME}s)$"
)
"""Longer units first, and not zero."""
QUANTITY = r"^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"
_QUANTITY = re.compile(QUANTITY.replace("$", r"\Z"), re.ASCII)


class Block(BaseModel):
    """A map with fixed fields. Unknown fields are mistakes; keys with ``x-`` are taken out before."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Templated:
    """Marks a field whose scalar may be a template in the file."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let templates pass as they are while the document is raw."""
        inner = handler(source)
        if inner == core_schema.str_schema():
            return inner

        def check(value: Any, inner: core_schema.ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
            if isinstance(value, str) and OPEN in value and info.context is not None and info.context.get("raw"):
                return value
            return inner(value)

        return core_schema.with_info_wrap_validator_function(check, inner)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say in the published schema that a template does as well."""
        return {"anyOf": [handler(schema), {"type": "string", "pattern": re.escape(OPEN)}]}


class QuantityForm:
    """A Kubernetes quantity: a whole number, or a text such as ``500m`` and ``2Gi``."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check by hand: one problem for both forms."""
        return core_schema.no_info_plain_validator_function(_quantity)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Publish both forms."""
        return {"anyOf": [{"type": "string", "pattern": QUANTITY}, {"type": "integer", "minimum": 0}]}


def _quantity(value: Any) -> str | int:
    if isinstance(value, str) and _QUANTITY.match(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise PydanticCustomError("bad_quantity", "no quantity")


Name = Annotated[str, StringConstraints(pattern=DNS_LABEL)]
Word = Annotated[str, StringConstraints(pattern=WORD)]
ConfigKey = Annotated[str, StringConstraints(pattern=CONFIG_KEY)]
EnvName = Annotated[str, StringConstraints(pattern=ENV_NAME)]
SecretKeyName = Annotated[str, StringConstraints(pattern=SECRET_KEY)]
FilePath = Annotated[str, StringConstraints(min_length=1)]
Span = Annotated[str, StringConstraints(pattern=DURATION)]
"""A duration that is read without an environment, so no template."""
Amount = Annotated[str | int, QuantityForm()]
Port = Annotated[int, Field(ge=1, le=65535)]

Ref = Annotated[Name, Templated()]
"""The name of something declared elsewhere."""
KeyRef = Annotated[SecretKeyName, Templated()]
Duration = Annotated[Span, Templated()]
Text = Annotated[str, Templated()]
PathText = Annotated[FilePath, Templated()]
Flag = Annotated[bool, Templated()]
Whole = Annotated[int, Templated()]
PortNumber = Annotated[Port, Templated()]
Quantity = Annotated[Amount, Templated()]

"""A typed stack as a file: what ``stack render`` prints. Reading it again gives the same stack."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from stagewright.contexts.deploys.model.document.fields import OPEN
from stagewright.contexts.deploys.model.document.stack import Stack
from stagewright.contexts.deploys.rules.reading.building import RAW
from stagewright.contexts.deploys.rules.reading.scalars import Read, resolve

_TEXT = "tag:yaml.org,2002:str"


class _Raw(str):
    """A text that holds ``{{`` and is no template."""

    __slots__ = ()


class _Dumper(yaml.CSafeDumper):
    """Writes texts so that our reader takes them for texts, and none for a template."""

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out."""
        return True


def document(stack: Stack) -> dict[str, Any]:
    """Return the fields that were set, by their names in files."""
    made: dict[str, Any] = stack.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
    return made


def dump(stack: Stack) -> str:
    """Return the stack as YAML."""
    return dump_document(document(stack))


def dump_document(content: Mapping[str, Any]) -> str:
    """Return plain data as YAML whose texts are never templates."""
    return yaml.dump(_marked(content), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _marked(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _marked(item) for key, item in node.items()}
    if isinstance(node, str):
        return _Raw(node) if OPEN in node else node
    return [_marked(item) for item in node] if isinstance(node, Sequence) else node


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_TEXT, text, style=None if resolve(text) == Read(text) else '"')


def _raw(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(RAW, str(text), style='"')


_Dumper.add_representer(str, _text)
_Dumper.add_representer(_Raw, _raw)

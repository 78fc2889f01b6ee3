"""ConfigMaps hold nothing that looks like a key or a token; such values belong to ``spec.secrets``."""

import base64
import binascii
from collections.abc import Iterator

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.objects import Unfinished, as_map
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.rules.objects.setting import report
from stagewright.kit.redact import Redactor

_FIND = Redactor().find


def check_plain_secrets(item: Unfinished, found: Findings) -> None:
    """Check the data of a ConfigMap; the value itself is never shown."""
    if item.kind != "ConfigMap" or item.group:
        return
    for path, data in _data(item):
        findings = _FIND(data)
        if findings:
            line = data.count(b"\n", 0, findings[0].offset) + 1
            text = f"holds what looks like a secret ({findings[0].kind}, line {line} of the value); "
            report(found, "object_plain_secret", item, path, text + "move it to spec.secrets")


def _data(item: Unfinished) -> Iterator[tuple[Path, bytes]]:
    for key, value in as_map(item.body.get("data")).items():
        if isinstance(value, str):
            yield ("data", key), value.encode("utf-8", "surrogatepass")
    for key, value in as_map(item.body.get("binaryData")).items():
        if isinstance(value, str):
            try:
                yield ("binaryData", key), base64.b64decode(value, validate=False)
            except (binascii.Error, ValueError):
                continue

"""The canonical form of a policy document and its hash: equal policies have equal hashes, however they are written."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

ORDERED = (("profiles", "paths"), ("reasoning",))


def canonical_hash(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of ``document``. Key order counts only where it has a meaning."""
    ordered = {"/".join(path): list(_at(document, path)) for path in ORDERED}
    text = json.dumps(
        {"document": document, "order": ordered}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _at(document: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    value: Any = document
    for key in path:
        value = value[key]
    result: Mapping[str, Any] = value
    return result

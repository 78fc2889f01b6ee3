"""Opaque page cursors: signed, bound to the sort order and filters they were made for."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.kit.crypto import BadSignature, Keyring, MacSigner
from stagewright.kit.errors import FieldProblem, Invalid

LONGEST = 4096
Key = str | int | bool | datetime | UUID | None


class CursorMismatch(Invalid):
    """The cursor was changed, or belongs to a list with another order or filter."""

    code = "cursor.mismatch"


class Cursors:
    """Makes and reads the cursors of keyset pages."""

    def __init__(self, keyring: Keyring) -> None:
        self._signer = MacSigner(keyring, "cursor")

    def encode(self, sort: str, last: Sequence[Key], filters: Mapping[str, Any]) -> str:
        """Return the cursor after the row whose sort values are ``last``."""
        payload = {"s": sort, "f": _digest(filters), "v": [_plain(value) for value in last]}
        signed = self._signer.sign(json.dumps(payload, separators=(",", ":")).encode())
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()

    def decode(self, cursor: str, sort: str, filters: Mapping[str, Any]) -> tuple[Key, ...]:
        """Return the sort values of ``cursor``. Raise ``CursorMismatch`` when it is not of this list."""
        try:
            payload = json.loads(self._signer.verify(_bytes(cursor)))
        except (BadSignature, binascii.Error, ValueError) as error:
            raise _mismatch("is not one of ours") from error
        if payload["s"] != sort or payload["f"] != _digest(filters):
            raise _mismatch("belongs to another order or filter")
        return tuple(_value(item) for item in payload["v"])


def _mismatch(why: str) -> CursorMismatch:
    message = f"the cursor {why}: start again without a cursor"
    return CursorMismatch(message, problems=(FieldProblem("/query/cursor", CursorMismatch.code, message),))


def _bytes(cursor: str) -> bytes:
    if len(cursor) > LONGEST:
        raise ValueError("longer than any of ours")
    return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)


def _digest(filters: Mapping[str, Any]) -> str:
    text = json.dumps(filters, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Key) -> Any:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, UUID):
        return {"u": value.hex}
    return value


def _value(item: Any) -> Key:
    if isinstance(item, dict):
        return datetime.fromisoformat(item["t"]) if "t" in item else UUID(item["u"])
    return item  # type: ignore[no-any-return]

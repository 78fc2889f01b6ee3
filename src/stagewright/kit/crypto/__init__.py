"""Keys and what is done with them: sealing, tokens, signatures, secrets. One derived key per purpose, never shared."""

from stagewright.kit.crypto.errors import BadKeys, BadSignature, KeyUnknown, TokenInvalid, Undecryptable
from stagewright.kit.crypto.keyring import Keyring
from stagewright.kit.crypto.macs import MacSigner
from stagewright.kit.crypto.sealer import Sealer
from stagewright.kit.crypto.secrets import (
    equal,
    hash_secret,
    hmac_sha256_header,
    hmac_sha256_matches,
    is_api_token,
    make_api_token,
    new_secret,
)
from stagewright.kit.crypto.tokens import AttemptClaims, TokenSigner

__all__ = [
    "AttemptClaims",
    "BadKeys",
    "BadSignature",
    "KeyUnknown",
    "Keyring",
    "MacSigner",
    "Sealer",
    "TokenInvalid",
    "TokenSigner",
    "Undecryptable",
    "equal",
    "hash_secret",
    "hmac_sha256_header",
    "hmac_sha256_matches",
    "is_api_token",
    "make_api_token",
    "new_secret",
]

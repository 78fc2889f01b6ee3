"""Failures of keys, seals and tokens. None of them shows a value or says which check failed."""

from stagewright.kit.errors import Conflict, Invalid, Unauthenticated, Unavailable


class BadKeys(Invalid):
    """The list of root keys is malformed."""

    code = "crypto.bad_keys"


class KeyUnknown(Unavailable):
    """A value was sealed under a key that this process does not have."""

    code = "crypto.key_unknown"


class Undecryptable(Conflict):
    """A sealed value was changed, cut, or belongs to another place."""

    code = "crypto.undecryptable"


class BadSignature(Invalid):
    """A signed value was changed, or was signed for another purpose."""

    code = "crypto.bad_signature"


class TokenInvalid(Unauthenticated):
    """A token does not count here. Which check failed is not said."""

    code = "token.invalid"

"""What a login needs: where to go afterwards, which addresses may match a user, the PKCE challenge."""

import base64
import hashlib
import re
from collections.abc import Sequence

from stagewright.contexts.identity.model import ForgeAccount

HOME = "/"
NEXT = re.compile(r"/[^\\\s\x00-\x1f\x7f]{0,1999}")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def safe_next(wanted: str | None) -> str:
    """Return the path to go to after a login: relative, with exactly one slash in front, else the start page."""
    if wanted is None or not NEXT.fullmatch(wanted) or wanted.startswith("//"):
        return HOME
    return wanted


def emails_to_try(account: ForgeAccount) -> tuple[str | None, Sequence[str]]:
    """Return the verified primary address (or None) and the other verified ones. Unverified ones never match."""
    verified = [item for item in account.emails if item.verified]
    primary = next((item.address for item in verified if item.primary), None)
    return primary, [item.address for item in verified if item.address != primary]


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge (S256) of ``verifier``."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()

"""Rules of single images: arguments, platforms, other tags, mounted secrets (``stack.md`` section 7)."""

from collections.abc import Iterator

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.images import Image
from stagewright.contexts.deploys.model.document.orchestration import SecretKey
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.stages import Prepared
from stagewright.contexts.deploys.rules.images.names import is_alias
from stagewright.contexts.deploys.rules.secret_names import check_key
from stagewright.contexts.deploys.rules.spots import spot
from stagewright.kit.globs import matches_any

PLATFORMS = ("linux/amd64",)
_KNOWN_PLATFORMS = (
    "linux/386", "linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64", "linux/ppc64le", "linux/riscv64",
    "linux/s390x",
)  # fmt: skip
_SECRET_NAMES = (
    "*PASSWORD*", "*PASSWD*", "*PASSPHRASE*", "*_TOKEN", "TOKEN", "*TOKEN_*", "*SECRET*", "*API_KEY*", "*APIKEY*",
    "*ACCESS_KEY*", "*PRIVATE_KEY*", "*ENCRYPTION_KEY*", "*SIGNING_KEY*", "*MASTER_KEY*", "*CREDENTIAL*", "*_PAT",
    "*_DSN", "*DATABASE_URL*", "*DB_PASS*", "*JWT*", "*GITHUB*TOKEN*", "*GIT*TOKEN*",
)  # fmt: skip
"""Names of ``config.md`` section 1.3 that hold secrets, and a few more that builds use."""


def check_image(name: str, image: Image, prepared: Prepared, found: Findings) -> None:
    """Check what an image declares. Fields that belong to the other type were checked with the shape."""
    for code, message, step in (*_arguments(image), *_platforms(image), *_aliases(image)):
        path: Path = ("spec", "images", name, *step)
        found.add(code, message, spot(prepared.tree, path), path)
    for index, mounted in enumerate(image.build_secrets or ()):
        path = ("spec", "images", name, "buildSecrets", index)
        key = SecretKey(secret=mounted.secret, key=mounted.key)
        check_key(key, spot(prepared.tree, path), path, prepared, found, here=image.when)


def _arguments(image: Image) -> Iterator[tuple[str, str, Path]]:
    for name in image.args or {}:
        if matches_any(_SECRET_NAMES, name):
            message = (
                f"the argument {quoted(name)} looks like a secret, and arguments stay in the image; use buildSecrets"
            )
            yield "image_arg_secret", message, ("args", name)


def _platforms(image: Image) -> Iterator[tuple[str, str, Path]]:
    seen: set[str] = set()
    for index, platform in enumerate(image.platforms or ()):
        if platform not in _KNOWN_PLATFORMS:
            message = f"{quoted(platform)} is no platform that can be built; there are {', '.join(_KNOWN_PLATFORMS)}"
            yield "image_platform", message, ("platforms", index)
        elif platform in seen:
            yield "image_platform", f"the platform {quoted(platform)} stands here twice; keep one", ("platforms", index)
        seen.add(platform)
    if image.platforms == []:
        message = "platforms is empty; name one, or remove the field to build for linux/amd64"
        yield "image_platform", message, ("platforms",)


def _aliases(image: Image) -> Iterator[tuple[str, str, Path]]:
    for index, alias in enumerate(image.aliases or ()):
        if not is_alias(alias):
            message = (
                f"{quoted(alias)} cannot be a tag: letters, digits, '_', '.' and '-', at most 128, not latest, and not "
                "starting with c-, which identities have"
            )
            yield "bad_value", message, ("aliases", index)

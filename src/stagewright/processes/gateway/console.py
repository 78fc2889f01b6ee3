"""The console's files: hashed assets for a year, everything else is its page, with a fresh nonce for its styles.

Only files that stood in the folder when it was looked through are served, by their exact names: no path leaves it.
"""

import mimetypes
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

from starlette.responses import HTMLResponse, Response

from stagewright.kit.http.asgi import App, Receive, Scope, Send, header
from stagewright.kit.http.middleware import page_policy

PLACEHOLDER = "__CSP_NONCE__"
PAGE = "index.html"
ASSETS = "/assets/"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
FOR_EVER = "public, max-age=31536000, immutable"
MACHINES = ("/api/", "/auth/", "/gate/", "/oauth/", "/schema/", "/.stagewright/", "/healthz", "/readyz", "/metrics")
HERE = Path(__file__).parent
FOLDERS = (HERE / "console_dist", HERE.parents[3] / "console" / "dist")
ROUTE = SimpleNamespace(path_format="console")
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("font/woff2", ".woff2")
MISSING = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Stagewright</title>
<style nonce="__CSP_NONCE__">body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}
code{font-size:.95em}</style>
<h1>The console is not built here</h1>
<p>This Stagewright works: its API answers below <code>/api/v1</code>, and the command <code>stagewright</code> shows
everything. The screens come with the released package; in a checkout, build them and load this page again:</p>
<pre><code>make console</code></pre>
<p lang="ru">Консоль здесь не собрана. API и команда <code>stagewright</code> работают; чтобы собрать экраны, выполните
<code>make console</code> и обновите страницу.</p>
</html>
"""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the console: its content, its packed forms by encoding, and its tag."""

    kind: str
    forms: Mapping[str, bytes]
    tag: str


@dataclass(frozen=True, slots=True)
class Build:
    """One build of the console, read whole."""

    page: str
    files: Mapping[str, File]


class Console:
    """Serves the console beside an application, which keeps every path that is not a person's."""

    def __init__(self, app: App, *, folders: tuple[Path, ...] = FOLDERS) -> None:
        self._app = app
        self._folders = folders
        self._seen: tuple[Path, int] | None = None
        self._build: Build | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["path"].startswith(MACHINES):
            await self._app(scope, receive, send)
            return
        scope["route"] = ROUTE
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        build = self._newest()
        if build is None:
            return _page(MISSING, 503)
        file = build.files.get(scope["path"])
        if file is not None:
            return _file(file, scope)
        if scope["path"].startswith(ASSETS):
            return Response("this file is not part of the console now: load the page again", 404)
        return _page(build.page, 200)

    def _newest(self) -> Build | None:
        """Return the build that lies there now; it is read again when its page changed."""
        for folder in self._folders:
            page = folder / PAGE
            if not page.is_file():
                continue
            seen = (folder, page.stat().st_mtime_ns)
            if seen != self._seen:
                self._build, self._seen = read_build(folder), seen
            return self._build
        return None


def read_build(folder: Path) -> Build:
    """Read a build: every file but the page, packed forms beside what they pack, nothing through links outside."""
    root = folder.resolve()
    found = {
        f"/{path.relative_to(folder).as_posix()}": path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.resolve().is_relative_to(root)
    }
    packed = {name for name in found if any(name.endswith(end) and name[: -len(end)] in found for _, end in ENCODINGS)}
    page = found[f"/{PAGE}"].read_text(encoding="utf-8")
    shown = {name for name in found if "/." not in name} - packed - {f"/{PAGE}"}
    return Build(page, {name: _read(name, found[name], found) for name in sorted(shown)})


def _read(name: str, path: Path, found: Mapping[str, Path]) -> File:
    content = path.read_bytes()
    forms = {"identity": content}
    forms |= {word: found[name + end].read_bytes() for word, end in ENCODINGS if name + end in found}
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return File(f"{kind}; charset=utf-8" if kind.startswith("text/") else kind, forms, sha256(content).hexdigest()[:32])


def _file(file: File, scope: Scope) -> Response:
    accepted = {part.partition(";")[0].strip() for part in (header(scope, b"accept-encoding") or "").split(",")}
    encoding = next((word for word, _ in ENCODINGS if word in accepted and word in file.forms), "identity")
    headers = {
        "ETag": f'"{file.tag}-{encoding}"',
        "Cache-Control": FOR_EVER if scope["path"].startswith(ASSETS) else "no-cache",
        "Vary": "Accept-Encoding",
        "Content-Type": file.kind,
    }
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    if headers["ETag"] in (header(scope, b"if-none-match") or "").split(", "):
        return Response(status_code=304, headers=headers)
    return Response(file.forms[encoding], headers=headers)


def _page(text: str, status: int) -> HTMLResponse:
    nonce = secrets.token_urlsafe(16)
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": page_policy(nonce)}
    return HTMLResponse(text.replace(PLACEHOLDER, nonce), status, headers)

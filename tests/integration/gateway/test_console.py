"""The console's files behind the gateway: nonces, caches, packed forms, deep links, and no way out of the folder."""

import gzip
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from stagewright.processes.gateway.console import Console

INDEX = '<!doctype html><meta property="csp-nonce" nonce="__CSP_NONCE__"><script src="/assets/app-1a2b.js"></script>'
SCRIPT = b"console.log('stagewright')" * 40
NONCE = re.compile(r'nonce="([^"]+)"')


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """Return a folder as the console's build leaves it, with a secret beside it."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "assets" / "app-1a2b.js").write_bytes(SCRIPT)
    (folder / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets" / "app-1a2b.js.br").write_bytes(b"packed by brotli")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / ".vite").mkdir()
    (tmp_path / "secret.txt").write_text("the secret beside it")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@asynccontextmanager
async def serving(*folders: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a console of the folders before an application without any route."""
    app = Console(Starlette(), folders=folders)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client:
        yield client


async def test_every_page_gets_a_nonce_of_its_own(dist: Path) -> None:
    async with serving(dist) as client:
        answers = [await client.get(path) for path in ("/", "/", "/index.html")]
    nonces = [NONCE.findall(answer.text)[0] for answer in answers]
    assert len({*nonces, "__CSP_NONCE__"}) == 4
    for answer, nonce in zip(answers, nonces, strict=True):
        policy = answer.headers["content-security-policy"]
        assert f"style-src 'self' 'nonce-{nonce}';" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/runs/1", "/r/01a", "/d/1", "/a/1", "/e/1", "/i/acme/shop.js/12", "/login", "/runs/x.y"]
)
async def test_deep_and_short_links_are_the_consoles_own(dist: Path, path: str) -> None:
    async with serving(dist) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "app-1a2b.js" in answer.text


@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/auth/nowhere", "/schema/nowhere", "/gate/check", "/healthz"])
async def test_paths_of_machines_are_never_a_page(dist: Path, path: str) -> None:
    async with serving(dist) as client:
        assert (await client.get(path)).status_code == 404


async def test_only_reading_gets_a_page(dist: Path) -> None:
    async with serving(dist) as client:
        assert (await client.post("/runs/1")).status_code == 404
        head = await client.head("/")
    assert (head.status_code, head.text) == (200, "")


@pytest.mark.parametrize(
    ("accepted", "encoding", "content"),
    [("gzip, deflate, br", "br", b"packed by brotli"), ("gzip", "gzip", gzip.compress(SCRIPT)), ("", None, SCRIPT)],
)
async def test_assets_are_packed_and_kept_for_ever(
    dist: Path, accepted: str, encoding: str | None, content: bytes
) -> None:
    async with (
        serving(dist) as client,
        client.stream("GET", "/assets/app-1a2b.js", headers={"Accept-Encoding": accepted}) as answer,
    ):
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == encoding
    assert len(raw) == len(content)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_a_file_that_did_not_change_is_not_sent_again(dist: Path) -> None:
    async with serving(dist) as client:
        first = await client.get("/favicon.svg")
        second = await client.get("/favicon.svg", headers={"If-None-Match": first.headers["etag"]})
    assert (first.headers["cache-control"], second.status_code, second.content) == ("no-cache", 304, b"")


async def test_an_asset_of_an_older_build_is_missed_and_no_page(dist: Path) -> None:
    async with serving(dist) as client:
        answer = await client.get("/assets/app-0000.js")
    assert (answer.status_code, "<!doctype" in answer.text) == (404, False)


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/..%5csecret.txt",
        "//secret.txt",
        "/assets//../../secret.txt",
        "/link.txt",
        "/assets/app-1a2b.js%00.txt",
    ],
)
async def test_no_path_leaves_the_folder(dist: Path, path: str) -> None:
    async with serving(dist) as client:
        request = client.build_request("GET", "/")
        request.url = httpx.URL("http://gateway.test", raw_path=path.encode())
        answer = await client.send(request)
    assert "the secret beside it" not in answer.text
    assert answer.status_code in (200, 404)


async def test_a_new_build_is_seen_without_a_restart(dist: Path) -> None:
    async with serving(dist) as client:
        assert "app-1a2b" in (await client.get("/")).text
        (dist / "index.html").write_text(INDEX.replace("1a2b", "3c4d5"))
        assert "app-3c4d5" in (await client.get("/")).text


async def test_without_a_build_a_page_says_how_to_make_one(tmp_path: Path) -> None:
    async with serving(tmp_path / "none") as client:
        answer = await client.get("/")
    assert (answer.status_code, "make console" in answer.text) == (503, True)
    nonce = NONCE.findall(answer.text)[0]
    assert f"'nonce-{nonce}'" in answer.headers["content-security-policy"]

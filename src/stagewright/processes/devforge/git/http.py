"""Git over HTTP: ``git http-backend`` as CGI, with GitHub's credentials in front and push events behind."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import IO

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from stagewright.processes.devforge.access import Caller, Needs, authenticate, authorise, can_see, has_role
from stagewright.processes.devforge.acts.pushes import compare_refs, refs_moved
from stagewright.processes.devforge.git import objects
from stagewright.processes.devforge.git.command import data_of, environment
from stagewright.processes.devforge.model import Repo
from stagewright.processes.devforge.problems import ApiProblem
from stagewright.processes.devforge.state import Forge

SERVICES = {"git-upload-pack": "read", "git-receive-pack": "write"}
READ = Needs(permissions=("contents",))
WRITE = Needs(permissions=("contents",), level="write", role="write")
CHALLENGE = {"WWW-Authenticate": 'Basic realm="GitHub"'}
PATH = re.compile(r"/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)")
TIMEOUT = 300.0  # seconds for one exchange
CHUNK = 65_536
MOST_BODY = 512 * 1024 * 1024
IN_MEMORY = 1024 * 1024


class GitDoor:
    """Answers the three addresses that smart HTTP has per repository."""

    def __init__(self, forge: Forge) -> None:
        self._forge = forge

    async def serve(self, request: Request) -> Response:
        """Answer one request of a git client."""
        found = PATH.fullmatch(request.url.path)
        service = request.query_params.get("service", "") if found and found[3] == "info/refs" else found and found[3]
        if found is None or service not in SERVICES:
            return PlainTextResponse("Not Found", status_code=404)
        try:
            caller = authenticate(self._forge, request.headers.get("authorization"))
            repo = self._forge.repo(found[1], found[2])
            _authorise(caller, repo, SERVICES[service])
        except ApiProblem as problem:
            return _refused(problem, request)
        request.state.login = caller.user.login if caller.user else None
        if found[3] == "git-receive-pack":
            return await self._receive(request, caller, repo)
        return await self._exchange(request, caller, repo, found[3])

    async def _receive(self, request: Request, caller: Caller, repo: Repo) -> Response:
        """Take a push; the answer goes out after pull requests and hooks know about it."""
        async with repo.lock:
            before = await objects.refs(repo.path)
            exchange = await self._exchange(request, caller, repo, "git-receive-pack")
            whole = b"".join([part async for part in exchange.body_iterator if isinstance(part, bytes)])
            moved = compare_refs(before, await objects.refs(repo.path))
            await refs_moved(self._forge, repo, caller.actor, moved)
        headers = {name: value for name, value in exchange.headers.items() if name != "content-length"}
        return Response(whole, status_code=exchange.status_code, headers=headers)

    async def _exchange(self, request: Request, caller: Caller, repo: Repo, rest: str) -> StreamingResponse:
        """Run the backend: the body from a file, since a chunked one has no length to tell; the answer streamed."""
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as body:
            length = await _spool(request, body)
            body.rollover()  # the backend needs a real file
            process = await asyncio.create_subprocess_exec(
                "git",
                "http-backend",
                stdin=body.fileno(),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=self._cgi(request, caller, repo, rest, length),
            )
        try:
            async with asyncio.timeout(TIMEOUT):
                status, headers = await _cgi_head(process)
        except BaseException:
            await _end(process)
            raise
        return StreamingResponse(_rest(process), status_code=status, headers=headers)

    def _cgi(self, request: Request, caller: Caller, repo: Repo, rest: str, length: int) -> dict[str, str]:
        root = data_of(repo.path) / "repositories"
        cgi = environment(self._forge.data) | {
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repo.path.relative_to(root)}/{rest}",
            "QUERY_STRING": request.url.query,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        # without a remote user the backend refuses pushes
        return cgi if caller.user is None else cgi | {"REMOTE_USER": caller.user.login}


def _authorise(caller: Caller, repo: Repo, level: str) -> None:
    """Refuse in git's own way: 401 asks for credentials, 403 names the account."""
    if not can_see(caller, repo):
        raise ApiProblem(401 if caller.user is None else 404, "Repository not found.")
    if level == "write" and caller.user is None:
        raise ApiProblem(401, "Authentication failed.")
    try:
        authorise(caller, repo, WRITE if level == "write" else READ)
    except ApiProblem as problem:
        login = caller.user.login if caller.user else "anonymous"
        denied = "Write access to repository not granted."
        if not has_role(caller.user, repo, "write"):
            denied = f"Permission to {repo.full_name}.git denied to {login}."
        raise ApiProblem(403, denied) from problem


def _refused(problem: ApiProblem, request: Request) -> Response:
    # a repository that does not exist looks like a private one to a client without credentials
    status = problem.status
    if status == 404 and "authorization" not in request.headers:
        status = 401
    headers = CHALLENGE if status == 401 else {}
    return PlainTextResponse(f"remote: {problem.message}", status_code=status, headers=headers)


async def _spool(request: Request, body: IO[bytes]) -> int:
    length = 0
    async for part in request.stream():
        length += len(part)
        if length > MOST_BODY:
            raise ApiProblem(413, "The pack is larger than 512 MiB.")
        body.write(part)
    body.seek(0)
    return length


async def _cgi_head(process: asyncio.subprocess.Process) -> tuple[int, dict[str, str]]:
    assert process.stdout is not None, "the backend was started with a pipe"
    status, headers = 200, {}
    while line := (await process.stdout.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name] = value.strip()
    return status, headers


async def _rest(process: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
    assert process.stdout is not None, "the backend was started with a pipe"
    try:
        async with asyncio.timeout(TIMEOUT):
            while part := await process.stdout.read(CHUNK):
                yield part
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave no backend behind, whether it finished or its client went away."""
    if process.returncode is None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()

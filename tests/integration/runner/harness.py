"""A run for runner tests: a real repository, a fake control plane over real gRPC, the runner as a process."""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.fakes.controlplane import ATTEMPT_ID, FakeControlPlane

from stagewright.wire.v1 import assignment_pb2

TOKENS = {
    "run": "eyJhbGciOiJIUzI1NiJ9.cnVuLXRva2VuLWNhbmFyeQ.run-signature-canary",
    "tools": "eyJhbGciOiJIUzI1NiJ9.dG9vbHMtdG9rZW4tY2FuYXJ5.tools-signature-canary",
    "model": "eyJhbGciOiJIUzI1NiJ9.bW9kZWwtdG9rZW4tY2FuYXJ5.model-signature-canary",
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["status", "summary", "title", "tool_gaps"],
    "properties": {
        "status": {"enum": ["completed", "needs_input", "blocked"]},
        "summary": {"type": "string", "maxLength": 2000},
        "title": {"type": "string"},
        "tool_gaps": {"type": "array", "items": {"type": "string"}},
    },
}
REPORT = {"status": "completed", "summary": "Done.", "title": "A change", "tool_gaps": []}
PROMPT = "Do the work.\n"
GIT_ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.test",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.test",
}


def git(repo: Path, *arguments: str) -> str:
    """Run git in a repository and return what it prints."""
    done = subprocess.run(["git", *arguments], cwd=repo, env=GIT_ENV, capture_output=True, check=True, timeout=60)
    return done.stdout.decode().strip()


def scenario(*steps: dict[str, Any] | str, report: dict[str, Any] | str | None = None) -> str:
    """Return a scenario of these steps, ending with a valid report unless another is given."""
    return json.dumps([*steps, {"result": REPORT if report is None else report}], ensure_ascii=False)


class Remote:
    """The repository the platform has; ``bundle`` is what ``GetSource`` delivers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        git(path, "init", "-q", "-b", "main")
        self.write({"README.md": "hello\n", ".gitignore": "*.log\n", "src/app.py": "print(1)\n"})
        self.base = self.commit("first")

    def write(self, files: dict[str, str]) -> None:
        """Write files into the work tree."""
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def commit(self, message: str) -> str:
        """Commit everything and return the SHA."""
        git(self.path, "add", "-A")
        git(self.path, "commit", "-q", "--allow-empty", "-m", message)
        return git(self.path, "rev-parse", "HEAD")

    def bundle(self, **refs: str) -> bytes:
        """Return a bundle with the base and further refs (``/`` written as ``__``)."""
        names = {"refs/stagewright/base": self.base}
        names |= {f"refs/stagewright/{name.replace('__', '/')}": sha for name, sha in refs.items()}
        for name, sha in names.items():
            git(self.path, "update-ref", name, sha)
        file = self.path.parent / "source.bundle"
        git(self.path, "bundle", "create", "-q", str(file), *names)
        return file.read_bytes()

    def take(self, bundle: bytes) -> str:
        """Fetch a result bundle as the platform would and return the commit; its ref is checked to be the only one."""
        file = self.path.parent / "result.bundle"
        file.write_bytes(bundle)
        heads = git(self.path, "bundle", "list-heads", str(file)).split()
        assert heads[1::2] == ["refs/stagewright/result"]
        git(self.path, "bundle", "verify", "-q", str(file))
        git(self.path, "bundle", "unbundle", str(file))
        return heads[0]

    def files_of(self, commit: str) -> dict[str, str]:
        """Return path -> content of a commit."""
        names = git(self.path, "ls-tree", "-r", "--name-only", commit).splitlines()
        return {name: git(self.path, "show", f"{commit}:{name}") for name in names}


def an_assignment(remote: Remote, **changes: Any) -> assignment_pb2.Assignment:
    """Return an assignment for the scripted engine."""
    values: dict[str, Any] = {
        "run_id": "01890000-0000-7000-8000-00000000000a",
        "run_number": "run-0042",
        "attempt_id": ATTEMPT_ID,
        "generation": 1,
        "repository": "acme/app",
        "issue_number": 7,
        "branch": "stagewright/issue-7/dev",
        "base_sha": remote.base,
        "default_branch": "main",
        "kind": "work",
        "stage": "dev",
        "role": "dev",
        "engine": "scripted",
        "model": "rehearsal",
        "scenario": scenario({"write": {"path": "hello.py", "content": "print('hi')\n"}}),
        "prompt": PROMPT,
        "prompt_sha256": hashlib.sha256(changes.get("prompt", PROMPT).encode()).hexdigest(),
        "report_schema": json.dumps(SCHEMA),
        "scope_any": True,
        "committer_name": 'The "dev" bot',
        "committer_email": "bot@example.test",
    }
    return assignment_pb2.Assignment(**{**values, **changes})


class Run:
    """One runner process and its directories."""

    def __init__(self, folder: Path, platform: FakeControlPlane) -> None:
        self.platform = platform
        self.run_dir = folder / "work"
        self.token_dir = folder / "tokens"
        self.run_dir.mkdir()
        self.token_dir.mkdir()
        for name, text in TOKENS.items():
            (self.token_dir / name).write_text(text)
        self.process: asyncio.subprocess.Process | None = None
        self.output = ""

    @property
    def repo(self) -> Path:
        """Return the work tree."""
        return self.run_dir / "repo"

    def environment(self) -> dict[str, str]:
        """Return what a workload is started with."""
        return {
            "STAGEWRIGHT_CONTROLPLANE_URL": self.platform.url,
            "STAGEWRIGHT_ATTEMPT_ID": ATTEMPT_ID,
            "STAGEWRIGHT_GENERATION": "1",
            "STAGEWRIGHT_TOKEN_DIR": str(self.token_dir),
            "HOME": str(self.run_dir),
            "TMPDIR": str(self.run_dir),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
        }

    async def start(self, **environment: str) -> None:
        """Start the runner."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-m",
            "stagewright.processes.runner",
            cwd=self.run_dir,
            env={**self.environment(), **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )

    async def ended(self, seconds: float = 60.0) -> int:
        """Wait for the end and return the exit code."""
        assert self.process is not None
        out, _ = await asyncio.wait_for(self.process.communicate(), seconds)
        self.output = out.decode()
        assert self.process.returncode is not None
        return self.process.returncode

    async def done(self, **environment: str) -> int:
        """Start, and wait for the end."""
        await self.start(**environment)
        return await self.ended()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the runner alone."""
        assert self.process is not None
        self.process.send_signal(number)

    async def close(self) -> None:
        """Kill what is left."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.communicate()

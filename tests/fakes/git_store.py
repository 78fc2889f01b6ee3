"""Real git without a network: a bare repository next door as the remote, a work tree for people, a store on both."""

import os
import subprocess
from pathlib import Path

from stagewright.adapters.git import GitStore
from stagewright.contexts.projects.model import Repository

WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@x", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@x"}
CLEAN = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}
LIMIT = 30


def git(folder: Path, *words: str, stdin: bytes = b"") -> str:
    """Run git in ``folder`` and return what it printed."""
    environment = {"PATH": os.environ["PATH"]} | WHO | CLEAN
    done = subprocess.run(["git", *words], cwd=folder, env=environment, input=stdin, capture_output=True, timeout=LIMIT)
    assert done.returncode == 0, (words, done.stderr.decode())
    return done.stdout.decode().strip()


def bare_remote(path: Path, default_branch: str = "main") -> Path:
    """Make an empty bare repository that serves any commit it has. Its path is its clone URL."""
    path.mkdir(parents=True)
    git(path, "init", "-q", "--bare", "--template=", "-b", default_branch)
    with (path / "config").open("a") as config:
        config.write("[http]\n\treceivepack = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n")
    return path


def local_git_store(data_dir: Path) -> GitStore:
    """Return a store whose remotes are folders of this machine."""
    return GitStore(data_dir, _no_credential, protocols=("file",))


async def _no_credential(repository: Repository, *, write: bool, refused: str | None) -> tuple[str, str]:
    raise AssertionError(f"a folder needs no credential: {repository.clone_url}")


class WorkTree:
    """A checkout that belongs to a person or an agent, made when there is none at ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.mkdir(parents=True)
            git(path, "init", "-q", "--template=", "-b", "main")

    def write(self, name: str, text: str | bytes) -> None:
        """Put a file into the tree."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)

    def commit(self, message: str = "change", **files: str | bytes) -> str:
        """Commit the tree with ``files`` written first (``__`` stands for ``/``, ``_dot_`` for a dot)."""
        for name, text in files.items():
            self.write(name.replace("__", "/").replace("_dot_", "."), text)
        git(self.path, "add", "-A")
        git(self.path, "commit", "-q", "--allow-empty", "-m", message)
        return self.head()

    def head(self) -> str:
        """Return the commit that is checked out."""
        return git(self.path, "rev-parse", "HEAD")

    def checkout(self, remote: Path, commit: str) -> None:
        """Fetch a remote's branches and stand at ``commit``, throwing away what was there."""
        git(self.path, "fetch", "-q", str(remote), "+refs/heads/*:refs/remotes/forge/*")
        git(self.path, "reset", "-q", "--hard", commit)

    def push(self, remote: Path, branch: str, *, commit: str = "HEAD", force: bool = False) -> None:
        """Push to a bare repository next door."""
        sign = "+" if force else ""
        git(self.path, "push", "-q", str(remote), f"{sign}{commit}:refs/heads/{branch}")

    def bundle(self, base: str, *, ref: str = "refs/stagewright/result", commit: str = "HEAD") -> bytes:
        """Return what a runner hands over: the commits on ``base`` under the result ref."""
        git(self.path, "update-ref", ref, commit)
        return self.bundle_of(ref, f"^{base}")

    def bundle_of(self, *revisions: str) -> bytes:
        """Return a bundle of any revisions."""
        file = self.path.parent / f"{self.path.name}.bundle"
        git(self.path, "bundle", "create", "-q", str(file), *revisions)
        return file.read_bytes()

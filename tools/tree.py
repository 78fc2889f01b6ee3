"""The files of the working tree, read once: what the checks look at."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

SKIPPED_FOLDERS = {".git", ".venv", ".cache", "__pycache__", "node_modules", "dist", "build"}
PYTHON_FOLDERS = ("src", "tests", "tools")


@dataclass
class Module:
    """One Python file: where it is, its text and its syntax tree."""

    path: Path
    text: str = field(repr=False)

    @cached_property
    def ast(self) -> ast.Module:
        """Return the syntax tree; the linter reports what does not parse."""
        return ast.parse(self.text, filename=str(self.path))

    @property
    def name(self) -> str:
        """Return the dotted name below the top folder: ``stagewright.kit.db``, ``unit.house.trees``."""
        parts = self.path.with_suffix("").parts[1:]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def generated(self) -> bool:
        """Say whether a tool writes this file."""
        return self.path.stem.endswith(("_pb2", "_pb2_grpc"))

    @property
    def context_part(self) -> str | None:
        """Return which of a context's modules this belongs to (``store``, ``rules``, …), or None elsewhere."""
        parts = self.name.split(".")
        return parts[3] if parts[:2] == ["stagewright", "contexts"] and len(parts) > 3 else None


class Tree:
    """The files under ``root`` that belong to the project: tracked, or new and not ignored."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def files(self) -> list[Path]:
        """Return all files, relative to the root, in order."""
        listed = _from_git(self.root)
        names = listed if listed is not None else _from_folder(self.root)
        return sorted(path for path in names if (self.root / path).is_file())

    @cached_property
    def modules(self) -> list[Module]:
        """Return the Python files of ``src``, ``tests`` and ``tools`` that people write."""
        found = (Module(path, self.text(path)) for path in self.files if path.suffix == ".py")
        return [module for module in found if module.path.parts[0] in PYTHON_FOLDERS and not module.generated]

    def text(self, path: Path) -> str:
        """Return a file's text."""
        return (self.root / path).read_text(encoding="utf-8")

    def texts(self) -> Iterator[tuple[Path, str]]:
        """Yield every file that is text."""
        for path in self.files:
            try:
                yield path, self.text(path)
            except UnicodeDecodeError:
                continue


def _from_git(root: Path) -> list[Path] | None:
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return [Path(name) for name in done.stdout.split("\0") if name] if done.returncode == 0 else None


def _from_folder(root: Path) -> list[Path]:
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return [path for path in found if not SKIPPED_FOLDERS & set(path.parts)]

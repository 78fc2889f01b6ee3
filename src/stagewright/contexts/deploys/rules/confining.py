"""Paths inside a repository: relative, normalised, never above its root."""

from typing import Final

WILD: Final = frozenset("*?[")


def confine(path: str, folder: str = "") -> str | None:
    """Return ``path``, taken relative to ``folder``, as a normalised path from the root; None where it leads outside.

    The root itself is ``""``. Absolute paths, drive letters, backslashes and control characters are outside.
    """
    if path.startswith(("/", "~")) or "\\" in path or path[1:2] == ":" or any(ord(letter) < 32 for letter in path):
        return None
    parts: list[str] = folder.split("/") if folder else []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if not parts:
                return None
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def is_glob(path: str) -> bool:
    """Say whether ``path`` is a pattern."""
    return not WILD.isdisjoint(path)


def literal(path: str) -> str:
    """Return a pattern that matches ``path`` alone."""
    return "".join(f"[{letter}]" if letter in WILD else letter for letter in path)


def folder_of(path: str) -> str:
    """Return the folder that holds ``path``; ``""`` is the root."""
    return path.rpartition("/")[0]

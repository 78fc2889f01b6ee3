"""A session's files as one archive of bytes and back. Paths are relative and stay inside; links do not exist here."""

import hashlib
import io
import json
import tarfile
import zlib
from pathlib import PurePosixPath

MOST_FILES = 10_000


class ArchiveInvalid(Exception):
    """The archive is not one of ours."""


def pack(files: tuple[tuple[str, bytes], ...]) -> bytes:
    """Return the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as tar:
        for path, content in sorted(files):
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o600
            tar.addfile(member, io.BytesIO(content))
    packed = bytearray(buffer.getvalue())
    packed[4:8] = bytes(4)  # the time in the gzip header
    return bytes(packed)


def unpack(archive: bytes, *, limit: int) -> tuple[tuple[str, bytes], ...]:
    """Return the files. Raises ``ArchiveInvalid`` for anything but regular files with confined paths."""
    files: list[tuple[str, bytes]] = []
    left = limit
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in tar:
                if not member.isreg() or not is_confined(member.name) or len(files) >= MOST_FILES:
                    raise ArchiveInvalid(f"the session archive holds {member.name!r}, which cannot be restored")
                left -= member.size
                if left < 0:
                    raise ArchiveInvalid("the session archive unpacks to more than is allowed")
                content = tar.extractfile(member)
                files.append((member.name, content.read() if content else b""))
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise ArchiveInvalid(f"the session archive cannot be read: {error}") from error
    return tuple(files)


def manifest_of(files: tuple[tuple[str, bytes], ...]) -> str:
    """Return JSON: relative path -> bytes and SHA-256."""
    listed = {path: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} for path, content in files}
    return json.dumps(listed, sort_keys=True)


def is_confined(path: str) -> bool:
    """Return whether a relative path stays in its folder."""
    pure = PurePosixPath(path)
    return bool(path) and "\0" not in path and not pure.is_absolute() and ".." not in pure.parts

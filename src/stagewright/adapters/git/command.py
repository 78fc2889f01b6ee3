"""Runs the git program: a clean environment, fixed settings, a deadline, bounded output, killed as a process group."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO

from stagewright.adapters.git.errors import GitFailed, GitTimedOut

PASSED_ON = (
    "PATH",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.packedGitWindowSize": "16m",
    "core.packedGitLimit": "256m",
    "credential.helper": "",
    "commit.gpgSign": "false",
    "push.gpgSign": "false",
    "push.followTags": "false",
    "fetch.fsckObjects": "true",
    # Faults that old but honest histories have; a forge serves them and every git reads them.
    "fetch.fsck.zeroPaddedFilemode": "ignore",
    "fetch.fsck.missingSpaceBeforeDate": "ignore",
    "fetch.fsck.missingSpaceBeforeEmail": "ignore",
    "fetch.fsck.badTimezone": "ignore",
    "fetch.fsck.missingTaggerEntry": "ignore",
    "fetch.unpackLimit": "1",
    "fetch.recurseSubmodules": "false",
    "transfer.bundleURI": "false",
    "receive.fsckObjects": "true",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "http.extraHeader": "",
    "i18n.commitEncoding": "utf-8",
    "i18n.logOutputEncoding": "utf-8",
    "merge.directoryRenames": "false",
    "pack.threads": "1",
    "protocol.allow": "never",
}
MANY = 64 * 1024 * 1024
STDERR_KEPT = 16 * 1024
PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Caps:
    """What the kernel lets one git use: address space, written file size and processor time."""

    memory_bytes: int = 3 << 30
    file_bytes: int = 512 << 20
    cpu: timedelta = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Output:
    """How git ended. ``cut``: it wrote more than was asked for and was killed."""

    code: int
    out: bytes
    err: str
    cut: bool = False

    @property
    def text(self) -> str:
        """Return standard output without surrounding white space."""
        return self.out.decode("utf-8", "replace").strip()


class Git:
    """The git program with our settings. ``protocols`` are the only transports it may speak."""

    def __init__(self, *, protocols: Sequence[str] = ("https", "http")) -> None:
        settings = SETTINGS | {f"protocol.{name}.allow": "always" for name in protocols}
        self._settings = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        self._environment = {key: os.environ[key] for key in PASSED_ON if key in os.environ} | {
            "HOME": "/nonexistent",
            "LC_ALL": "C.UTF-8",
            "LANGUAGE": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_ALLOW_PROTOCOL": ":".join(protocols),
        }

    @property
    def words(self) -> list[str]:
        """Return the program with its settings, for callers that talk to it themselves."""
        return ["git", *self._settings]

    @property
    def environment(self) -> dict[str, str]:
        """Return the clean environment that it must run in."""
        return dict(self._environment)

    async def run(
        self,
        folder: Path,
        *words: str,
        stdin: bytes | IO[bytes] = b"",
        stdout: IO[bytes] | None = None,
        settings: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        timeout: timedelta = timedelta(seconds=60),
        most: int = MANY,
        caps: Caps | None = None,
        ok: Sequence[int] = (0,),
    ) -> Output:
        """Run ``git <words>`` on the bare repository ``folder``.

        Raises ``GitFailed`` for an exit code outside ``ok`` (unless the output was cut at ``most`` bytes) and
        ``GitTimedOut`` at the deadline.
        """
        extra = [part for key, value in (settings or {}).items() for part in ("-c", f"{key}={value}")]
        command = ["git", *self._settings, *extra, *words]
        if caps is not None:
            command = _capped(command, caps)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=_source_of(stdin),
            stdout=asyncio.subprocess.PIPE if stdout is None else stdout,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment | {"GIT_DIR": str(folder)} | dict(environment or {}),
            cwd="/",
            start_new_session=True,
            pass_fds=tuple(pass_fds),
        )
        verb = words[0]
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                output = await _talk(process, stdin if isinstance(stdin, bytes) else b"", most)
        except TimeoutError as error:
            raise GitTimedOut(verb, -1, f"took longer than {timeout.total_seconds():.0f} s") from error
        finally:
            await _end(process)
        if output.code not in ok and not output.cut:
            raise GitFailed(verb, output.code, output.err)
        return output


def _capped(command: Sequence[str], caps: Caps) -> list[str]:
    """Put the limits of a shell before ``command``. A limit the system does not know is passed over."""
    limits = {"-v": caps.memory_bytes // 1024, "-f": caps.file_bytes // 512, "-t": int(caps.cpu.total_seconds())}
    script = "; ".join(f"ulimit {flag} {value} 2>/dev/null" for flag, value in limits.items())
    return ["sh", "-c", f'{script}; exec "$@"', "sh", *command]


async def _talk(process: asyncio.subprocess.Process, stdin: bytes, most: int) -> Output:
    (out, cut), err, _ = await asyncio.gather(
        _read_up_to(process, most), _read_tail(process.stderr), _feed(process.stdin, stdin)
    )
    return Output(await process.wait(), out, err, cut)


async def _read_up_to(process: asyncio.subprocess.Process, most: int) -> tuple[bytes, bool]:
    if process.stdout is None:
        return b"", False
    got = bytearray()
    while piece := await process.stdout.read(PIECE):
        got += piece
        if len(got) > most:
            _kill(process)
            return bytes(got[:most]), True
    return bytes(got), False


async def _read_tail(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    kept = b""
    while piece := await stream.read(PIECE):
        kept = (kept + piece)[-STDERR_KEPT:]
    return kept.decode("utf-8", "replace").strip()


def _source_of(stdin: bytes | IO[bytes]) -> int | IO[bytes]:
    """Return where git reads from. A pipe for nothing could be closed by git before the first look at it."""
    if not isinstance(stdin, bytes):
        return stdin
    return asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL


async def _feed(stream: asyncio.StreamWriter | None, data: bytes) -> None:
    if stream is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):
        if not stream.is_closing():  # git may have ended already; uvloop refuses to write then
            stream.write(data)
            await stream.drain()
    stream.close()
    with suppress(BrokenPipeError, ConnectionResetError):
        await stream.wait_closed()


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing of the process group and its pipes behind, whatever ended the talk."""
    streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
    # Git may have ended and left a helper behind that keeps the pipes open.
    if process.returncode is None or not all(stream.at_eof() for stream in streams):
        _kill(process)
    for stream in streams:
        while await stream.read(PIECE):
            continue
    await process.wait()

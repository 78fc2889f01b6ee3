"""Sessions: the engine's files and the work in progress, restored at the start and saved again and again."""

import asyncio
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from stagewright.adapters.engines.contract import Archive, Engine
from stagewright.processes.runner.archives import ArchiveInvalid, manifest_of, pack, unpack
from stagewright.processes.runner.door import Door, Pauses
from stagewright.processes.runner.failures import Failed, NotTaken, Unreachable
from stagewright.processes.runner.git import GitFailed
from stagewright.processes.runner.outbox import Outbox
from stagewright.processes.runner.worktree import WIP_REF, WorkTree
from stagewright.wire.v1 import assignment_pb2, session_pb2

LARGEST_ARCHIVE = 32 * 1024 * 1024
LARGEST_BUNDLE = 64 * 1024 * 1024
UNPACKED_FACTOR = 16
TIMER_SECONDS = 300.0
PATIENCE_SECONDS = 120.0
REDEPLOY = "redeploy"


class SessionLost(Exception):
    """The session named in the assignment cannot be restored; the attempt starts fresh."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A session as the platform keeps it, verified."""

    header: session_pb2.SessionHeader
    archive: bytes
    wip: bytes


async def fetch_session(door: Door, session_id: str) -> Fetched:
    """Get and verify a session; a platform that is away for a moment is waited for. Raises ``SessionLost``.

    A session the platform cannot give for long is not lost: the attempt ends (``source_unavailable``), another follows.
    """
    give_up = time.monotonic() + PATIENCE_SECONDS
    between = Pauses()
    while True:
        try:
            return await _fetch(door, session_id)
        except NotTaken as error:
            raise SessionLost(f"the platform does not give the session: {error}") from error
        except Unreachable as error:
            if time.monotonic() >= give_up:
                raise Failed("source_unavailable", f"the session could not be fetched: {error}") from error
        await between.wait()


async def _fetch(door: Door, session_id: str) -> Fetched:
    header = session_pb2.SessionHeader()
    archive, wip = bytearray(), bytearray()
    async for chunk in door.get_session(session_id):
        match chunk.WhichOneof("part"):
            case "header":
                header.CopyFrom(chunk.header)
            case "archive":
                archive += chunk.archive
            case "wip_bundle":
                wip += chunk.wip_bundle
        if len(archive) > LARGEST_ARCHIVE or len(wip) > LARGEST_BUNDLE:
            raise SessionLost("the session is larger than allowed")
    for name, content, expected in (("archive", archive, header.archive_sha256), ("work", wip, header.wip_sha256)):
        if content and hashlib.sha256(content).hexdigest() != expected:
            raise SessionLost(f"the SHA-256 of the session's {name} differs")
    if not archive:
        raise SessionLost("the session has no archive")
    return Fetched(header, bytes(archive), bytes(wip))


async def restore_session(fetched: Fetched, engine: Engine, tree: WorkTree, private: Path, limit: int) -> str:
    """Put a session back and return its thread. Raises ``SessionLost``; the work tree is then at the start again."""
    header = fetched.header
    if header.engine != engine.name:
        raise SessionLost(f"the session is of the engine {header.engine}, this one is {engine.name}")
    try:
        files = unpack(fetched.archive, limit=limit * UNPACKED_FACTOR)
        if fetched.wip:
            bundle = private / "wip.bundle"
            bundle.write_bytes(fetched.wip)
            await tree.restore(bundle)
            bundle.unlink()
        engine.restore(Archive(header.thread_id, header.engine_version, files))
    except (ArchiveInvalid, GitFailed, ValueError, OSError) as error:
        await tree.reset()
        raise SessionLost(str(error)) from error
    return str(header.thread_id)


class SessionKeeper:
    """Saves the session of one attempt; equal states are saved once."""

    def __init__(
        self, door: Door, outbox: Outbox, engine: Engine, tree: WorkTree, assignment: assignment_pb2.Assignment
    ) -> None:
        self._door = door
        self._outbox = outbox
        self._engine = engine
        self._tree = tree
        self._largest_archive = assignment.max_archive_bytes or LARGEST_ARCHIVE
        self._largest_bundle = assignment.max_bundle_bytes or LARGEST_BUNDLE
        self._saved: tuple[str, str, str] | None = None
        self._one = asyncio.Lock()

    async def save(self, reason: str) -> bool:
        """Save what there is; return whether the platform has it now. Never raises what a save can meet."""
        async with self._one:
            try:
                return await self._save(reason)
            except (GitFailed, NotTaken, Unreachable, OSError) as error:
                await self._outbox.log("runner", f"the session was not saved ({reason}): {error}\n".encode())
                return False

    async def every_five_minutes(self) -> None:
        """Save on the timer until cancelled."""
        while True:
            await asyncio.sleep(TIMER_SECONDS)
            await self.save("timer")

    async def _save(self, reason: str) -> bool:
        archive = self._engine.archive()
        if archive is None and reason != REDEPLOY:
            return False
        archive = archive or Archive("", "", ())
        packed = await asyncio.to_thread(pack, archive.files)
        snapshot = await self._tree.snapshot(WIP_REF, "Work in progress")
        state = (hashlib.sha256(packed).hexdigest(), snapshot.tree, snapshot.head)
        if state == self._saved:
            return True
        wip = b"" if snapshot.commit == self._tree.start else await self._tree.bundle(WIP_REF)
        if len(packed) > self._largest_archive or len(wip) > self._largest_bundle:
            text = f"the session was not saved: {len(packed)} and {len(wip)} bytes are more than allowed\n"
            await self._outbox.log("runner", text.encode())
            return False
        header = session_pb2.SessionHeader(
            engine=self._engine.name,
            engine_version=archive.engine_version,
            thread_id=archive.thread_id,
            manifest=manifest_of(archive.files),
            reason=reason,
            archive_bytes=len(packed),
            archive_sha256=state[0],
            wip_bytes=len(wip),
            wip_sha256=hashlib.sha256(wip).hexdigest() if wip else "",
        )
        await self._door.save_session(header, packed, wip)
        self._saved = state
        return True

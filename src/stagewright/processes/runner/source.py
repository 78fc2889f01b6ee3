"""Fetches the source bundle: in chunks, going on where a connection broke, verified as a whole."""

import hashlib
import time
from pathlib import Path

from stagewright.processes.runner.door import Door, Pauses
from stagewright.processes.runner.failures import Failed, NotTaken, Unreachable
from stagewright.wire.v1 import source_pb2

PATIENCE_SECONDS = 300.0


class _Broken(Exception):
    """What arrived does not fit together; it is fetched anew."""


async def fetch_source(door: Door, path: Path, *, patience: float = PATIENCE_SECONDS) -> None:
    """Write the bundle to ``path``. Raises ``Failed`` (`source_unavailable`) when it does not come whole in time."""
    give_up = time.monotonic() + patience
    between = Pauses()
    bundle = _Growing(path)
    while True:
        size = bundle.size
        try:
            async for chunk in door.get_source(bundle.size):
                bundle.append(chunk)
            bundle.verify()
            return
        except _Broken as error:
            bundle.restart()
            reason = str(error)
        except (Unreachable, NotTaken) as error:
            reason = str(error)
        if bundle.size > size:
            between.reset()
        if time.monotonic() >= give_up:
            raise Failed("source_unavailable", f"the source bundle did not come: {reason}")
        await between.wait()


class _Growing:
    """The bundle as far as it has come."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.restart()

    def restart(self) -> None:
        """Forget what came."""
        self._path.write_bytes(b"")
        self.size = 0
        self._announced: tuple[int, str] | None = None

    def append(self, chunk: source_pb2.SourceChunk) -> None:
        """Take the next chunk. Raises ``_Broken`` when it does not continue what came before."""
        announced = (chunk.total_bytes, chunk.sha256)
        if chunk.offset != self.size or self._announced not in (None, announced):
            raise _Broken(f"a chunk for byte {chunk.offset} of {chunk.total_bytes} came at byte {self.size}")
        self._announced = announced
        with self._path.open("ab") as file:
            file.write(chunk.data)
        self.size += len(chunk.data)

    def verify(self) -> None:
        """Check the whole. Raises ``Unreachable`` when more has to come, ``_Broken`` when it is another one."""
        if self._announced is None:
            raise _Broken("the platform sent no chunk")
        total, digest = self._announced
        if self.size < total:
            raise Unreachable(f"the stream ended at byte {self.size} of {total}")
        with self._path.open("rb") as file:
            if self.size > total or hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise _Broken("the SHA-256 of the source bundle differs")

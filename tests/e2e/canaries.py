"""Planted secrets, and where they turn up: in files, rows, answers, environments and command lines."""

import base64
import os
import threading
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from tests.e2e.platform import Platform

LARGEST_LOOK = 64 * 1024 * 1024
EACH_SECONDS = 0.05


class Canaries:
    """Values that may turn up nowhere, and the places where they did."""

    def __init__(self, **values: str | bytes) -> None:
        self._forms: dict[str, tuple[bytes, ...]] = {}
        self.found: dict[str, set[str]] = defaultdict(set)
        for name, value in values.items():
            self.add(name, value)

    def add(self, name: str, value: str | bytes) -> None:
        """Look for ``value`` from now on, as it is and in the usual encodings."""
        raw = value.encode() if isinstance(value, str) else value
        self._forms[name] = tuple(dict.fromkeys(_forms(raw)))

    @property
    def names(self) -> set[str]:
        """Return the names of all values looked for."""
        return set(self._forms)

    def look(self, place: str, data: bytes, *, but: str = "") -> None:
        """Note which values stand in ``data``; the one called ``but`` may."""
        for name, forms in self._forms.items():
            if name != but and any(form in data for form in forms):
                self.found[name].add(place)

    def look_in_file(self, path: Path, *, but: str = "") -> None:
        """Look into a file; one that has gone meanwhile holds nothing."""
        with suppress(OSError), path.open("rb") as file:
            self.look(str(path), file.read(LARGEST_LOOK), but=but)


def _forms(raw: bytes) -> list[bytes]:
    middle = base64.b64encode(raw)[4:-4]
    shifted = [base64.b64encode(b"x" * shift + raw)[8:-8] for shift in (1, 2)]
    plain = [middle, *shifted]
    return [
        raw,
        *plain,
        *(form.translate(bytes.maketrans(b"+/", b"-_")) for form in plain),
        raw.hex().encode(),
        raw.hex().upper().encode(),
        quote(raw, safe="").encode(),
    ]


class Watch:
    """Looks at every process of the machine and at every file of a workload, again and again, on a thread."""

    def __init__(self, platform: Platform, canaries: Canaries) -> None:
        self._platform = platform
        self._canaries = canaries
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watch for canaries")
        self._seen: set[tuple[str, int, int]] = set()
        self.looks = 0
        self.tokens = 0

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)

    def _work(self) -> None:
        while not self._stop.wait(EACH_SECONDS):
            self._note_tokens()
            self._look_at_processes()
            for folder in ("workloads", "runs"):
                self._look_at_files(self._platform.data / folder)
            self.looks += 1

    def _note_tokens(self) -> None:
        """Take the tokens of new attempts for canaries: they belong into their own files only."""
        for path in self._platform.data.glob("workloads/*/tokens/*"):
            if str(path) not in self._canaries.names:
                with suppress(OSError):
                    token = path.read_text()
                    if token.count(".") == 2 and token.rpartition(".")[2]:  # not while it is being written
                        self._canaries.add(str(path), token)
                        self.tokens += 1

    def _look_at_processes(self) -> None:
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) != os.getpid():
                for name in ("environ", "cmdline"):
                    self._canaries.look_in_file(Path("/proc", entry, name))

    def _look_at_files(self, folder: Path) -> None:
        for root, _, names in os.walk(folder):
            for name in names:
                path = Path(root, name)
                with suppress(OSError):
                    status = path.stat()
                    mark = (str(path), status.st_mtime_ns, status.st_size)
                    if mark not in self._seen:
                        self._seen.add(mark)
                        self._canaries.look_in_file(path, but=_home(path))


def _home(path: Path) -> str:
    """Return where a file stood before its folder was thrown away: ``.trash/<folder>.<hex>/…`` was ``<folder>/…``."""
    parts = list(path.parts)
    if ".trash" in parts[:-2]:
        at = parts.index(".trash")
        parts[at : at + 2] = [parts[at + 1].rpartition(".")[0]]
    return str(Path(*parts))


def look_in_database(platform: Platform, canaries: Canaries) -> int:
    """Look into every column of every row of every table; return how many rows there were."""
    tables = platform.rows(
        "select format('%%I', relname) as name from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind in ('r', 'p') and not relispartition"
    )
    count = 0
    for table in tables:
        for row in platform.rows(f"select t::text as whole from {table['name']} t"):
            canaries.look(f"table {table['name']}", row["whole"].encode())
            count += 1
    return count


def look_in_files(folder: Path, canaries: Canaries) -> int:
    """Look into every file below a folder; return how many there were."""
    count = 0
    for root, _, names in os.walk(folder):
        for name in names:
            canaries.look_in_file(Path(root, name))
            count += 1
    return count

"""Write ``db/schema.sql``, the schema that the migrations make, for people to read: ``python -m tools.schema``.

Starts an embedded PostgreSQL in a temporary folder, migrates an empty database and dumps it. The dump holds nothing
that depends on the machine, the server's patch version or the login, so a difference means a migration changed.
"""

import asyncio
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stagewright.kit.migrate import migrate
from stagewright.kit.postgres import EmbeddedPostgres, pgbench_path

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = Path("db/schema.sql")
DEADLINE = 60  # seconds
HEADER = "-- What db/migrations make of an empty database. Written by `python -m tools.schema`; do not edit.\n\n"
NOISE = re.compile(r"^(?:--.*|SET .*;|SELECT pg_catalog\..*;|\\(?:un)?restrict .*)$\n?", flags=re.MULTILINE)


class DumpFailed(Exception):
    """pg_dump refused; the message is its own."""


def dump(dsn: str) -> str:
    """Return the schema of the database at ``dsn``."""
    program = pgbench_path().with_name("pg_dump")  # the wheel's programs lie side by side
    command = [str(program), "--schema-only", "--no-owner", "--no-tablespaces", f"--dbname={dsn}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    if done.returncode:
        raise DumpFailed(done.stderr.strip())
    return HEADER + normalised(done.stdout)


def normalised(text: str) -> str:
    """Take out of a dump what says who made it, where and with which program."""
    text = NOISE.sub("", text)
    text = re.sub(r"(ALTER DEFAULT PRIVILEGES) FOR ROLE \S+", r"\1", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@contextmanager
def migrated() -> Iterator[str]:
    """Yield the address of a migrated database on a server that lives as long as the block."""
    folder = Path(tempfile.mkdtemp(prefix="stagewright-schema-"))
    server = None
    try:
        server = EmbeddedPostgres.start_or_adopt(folder, options={"fsync": "off"})
        asyncio.run(migrate(server.dsn))
        yield server.dsn
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    with migrated() as address:
        (ROOT / SCHEMA).write_text(dump(address))
    print(SCHEMA)

"""Apply the SQL files of a folder that were not applied yet, in the order of their names."""

import sys
from pathlib import Path

from shop.database import connect


def main(folder: str) -> None:
    """Apply what is missing, each file in its own transaction."""
    with connect() as db:
        db.execute("create table if not exists applied (name text primary key)")
        db.commit()
        for path in sorted(Path(folder).glob("*.sql")):
            if db.execute("select 1 from applied where name = %s", (path.name,)).fetchone() is None:
                db.execute(path.read_text())
                db.execute("insert into applied values (%s)", (path.name,))
                db.commit()


if __name__ == "__main__":
    main(sys.argv[1])

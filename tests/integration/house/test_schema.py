"""The committed picture of the schema is what the migrations make."""

from tests.unit.house.trees import ROOT
from tools import schema


def test_the_committed_schema_is_what_the_migrations_make(dsn: str) -> None:
    committed = (ROOT / schema.SCHEMA).read_text()

    assert schema.dump(dsn) == committed, "run: python -m tools.schema"

"""Problems become rows whatever their texts hold, and secrets of size stay out."""

from tests.fakes.clock import FakeClock

from stagewright.contexts.incidents import api as incidents
from stagewright.kit.db import Database


async def reported(db: Database, clock: FakeClock, message: str, details: dict[str, object]) -> incidents.Incident:
    async with db.transaction() as tx:
        await incidents.report(
            tx, level="error", source="test", code="odd", message=message, details=details, stack="\0", now=clock.now()
        )
    async with db.reading() as reader:
        (found,) = await incidents.list_newest(reader, limit=5)
    return found


async def test_texts_that_no_row_can_hold_are_mended(db: Database, clock: FakeClock) -> None:
    found = await reported(db, clock, "a\0b \ud83d", {"na\0me": ["\0", {"half": "\udc00"}], "count": 3, "none": None})
    assert found.message == "ab ?"
    assert found.details == {"name": ["", {"half": "?"}], "count": 3, "none": None}


async def test_details_over_16_kib_are_named_only(db: Database, clock: FakeClock) -> None:
    found = await reported(db, clock, "large", {"body": "ж" * 8193, "other": 1})
    assert found.details == {"truncated": True, "names": ["body", "other"]}
    small = await reported(db, clock, "large", {"body": "ж" * 8000})
    assert (small.count, small.details) == (2, {"body": "ж" * 8000})

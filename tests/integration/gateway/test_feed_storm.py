"""Three gateways, sixteen writers, sockets that drop at random, bells that are lost: nothing is lost or disordered."""

from pathlib import Path

from tests.storm import Size, blow


async def test_every_socket_ends_with_what_was_committed(dsn: str, tmp_path: Path) -> None:
    outcome = await blow(dsn, tmp_path, Size(events=1_000, sockets=20, rate=400.0, stay=0.7))
    assert outcome.problems == []
    assert outcome.committed > 700
    assert outcome.connects > 30

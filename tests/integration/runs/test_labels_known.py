"""What the platform knows of the labels it wrote."""

from tests.world import World

from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.usecases.binding import define_labels, label_states


async def test_a_label_that_was_written_is_known_by_its_text(world: World) -> None:
    async with world.db.transaction() as tx:
        before = await define_labels(tx, world.repository, now=world.clock.now())
    assert {item.state for item in before} == {"missing"}
    for _ in range(8):
        await world.tick(1, turns=1)
    async with world.db.reading() as reader:
        repository = await projects.get_repository(reader, world.repository.id)
        after = await label_states(reader, repository)
    assert {item.state for item in after} == {"ok"}

"""A credential that is removed between an act and the look at its limits is nobody's bug."""

from tests.world import World

from stagewright.contexts.runs.model import RunStatus
from stagewright.contexts.vault.api import CredentialMissing


async def test_an_act_is_done_though_its_credential_was_removed_right_after(world: World) -> None:
    run = await world.started()
    world.forge.fail("rate", CredentialMissing("the repository has no credential: `stagewright repo add`"), times=99)
    run = await world.deliver_result(run)
    assert run.status is RunStatus.SUCCEEDED
    assert {effect.status.value for effect in await world.effects_of(run)} <= {"done", "superseded"}
    assert await world.incidents() == set()

"""What an accepted result changes is kept as a diff, without secrets, and shown where no quarantine is."""

from tests.world import World

from stagewright.contexts.runs.model import RunStatus
from stagewright.contexts.runs.reconcile.diffs import cut
from stagewright.contexts.runs.store import diffs
from stagewright.kit.redact import MARK

SECRET = "correct-horse-battery-staple-41"


async def test_an_accepted_result_keeps_its_diff(world: World) -> None:
    run = await world.deliver_result(await world.started(), {"hello.py": "print('hello')\n"})
    assert run.status is RunStatus.SUCCEEDED
    async with world.db.reading() as reader:
        found = await diffs.find_newest(reader, run.id, None)
    assert found is not None
    assert (found.base_sha, found.generation, found.truncated) == (run.base_sha, 1, False)
    text = found.diff.decode()
    assert text.startswith("diff --git a/hello.py b/hello.py\nnew file mode 100644\n")
    assert text.endswith("+print('hello')\n")


async def test_a_refused_result_keeps_none(world: World) -> None:
    run = await world.started("run:vision")
    await world.hand_over(run, {"a.py": "A = 2\n"})
    await world.turn()
    async with world.db.reading() as reader:
        assert await diffs.find_newest(reader, run.id, None) is None


async def test_a_secret_that_is_removed_is_not_in_the_diff(world: World) -> None:
    world.redactor.add(SECRET)
    world.person.commit("a mistake", conf_dot_py=f"KEY = '{SECRET}'\n")
    world.person.push(world.remote, "main")
    run = await world.started()
    await world.hand_over(run, {"conf.py": "KEY = os.environ['KEY']\n"})
    await world.turn()
    async with world.db.reading() as reader:
        found = await diffs.find_newest(reader, run.id, None)
    assert found is not None
    assert f"-KEY = '{MARK}'".encode() in found.diff
    assert b"+KEY = os.environ['KEY']" in found.diff
    assert SECRET.encode() not in found.diff


def test_a_long_diff_is_cut_at_a_line() -> None:
    assert cut(b"one\ntwo\nthree\n", 9) == (b"one\ntwo\n", True)
    assert cut(b"one\n", 9) == (b"one\n", False)
    assert cut(b"x" * 10, 9) == (b"x" * 9, True)

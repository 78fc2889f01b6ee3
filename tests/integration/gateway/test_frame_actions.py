"""A frame carries what its own reader may do, as a fresh read would say: a row it patches keeps its buttons right."""

from contextlib import AsyncExitStack
from typing import Any

from tests.fakes.gateway import Gateway, Person
from tests.fakes.socket import Client, Listening

from stagewright.contexts.identity.events import AccessChanged
from stagewright.contexts.identity.store import change_user
from stagewright.contexts.projects import api as projects
from stagewright.contexts.projects.model import RepositoryState
from stagewright.contexts.projects.usecases import turn_repository


async def read(gateway: Gateway, who: Person, path: str) -> list[Any]:
    return list((await gateway.get(path, who)).json()["allowed_actions"])


async def heard(client: Client, key: str) -> list[Any]:
    await client.until(lambda: any(frame["key"] == key for frame in client.frames()))
    return next(frame["data"]["allowed_actions"] for frame in client.frames() if frame["key"] == key)


async def test_a_frame_of_a_person_says_what_each_reader_may_do_with_them(server: Listening) -> None:
    gateway = server.gateway
    owner = await gateway.person("root", role="owner")
    boss, other = await gateway.person("boss", role="admin"), await gateway.person("other", role="admin")
    async with AsyncExitStack() as sockets:
        readers = [(who, await sockets.enter_async_context(server.open(who))) for who in (owner, boss, other)]
        for _, client in readers:
            await client.hello("users")
        async with gateway.db.transaction() as tx:
            tx.publish(AccessChanged(user=await change_user(tx, boss.user.id, name="The boss")))
        key = str(boss.user.id)
        found = [await heard(client, key) for _, client in readers]
        assert found == [await read(gateway, who, f"/users/{key}") for who, _ in readers]
        assert found[1] != found[2]  # one is the person themself


async def test_a_frame_of_a_repository_says_what_each_reader_may_do_with_it(server: Listening) -> None:
    gateway = server.gateway
    project, repository, _ = await gateway.scene()
    reader = await gateway.person("eve", member_of=project)
    admin = await gateway.person("ann", member_of=project, member_as="admin")
    async with AsyncExitStack() as sockets:
        readers = [(who, await sockets.enter_async_context(server.open(who))) for who in (reader, admin)]
        for _, client in readers:
            await client.hello("projects", f"repository:{repository.id}")
        async with gateway.db.transaction() as tx:
            locked = await projects.lock_bound(tx, repository.id)
            assert locked is not None
            await turn_repository(tx, locked, RepositoryState.DISABLED)
        place = f"/projects/{project.id}/repositories/{repository.id}"
        found = [await heard(client, str(repository.id)) for _, client in readers]
        assert found == [await read(gateway, who, place) for who, _ in readers]
        assert [{item["mode"] for item in actions} for actions in found] == [{"deny"}, {"allow"}]

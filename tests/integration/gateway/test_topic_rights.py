"""Who gets which topic: every topic by every role, as a table; refusals do not tell what exists."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.api import Caller, Permission, ProjectRole
from stagewright.processes.gateway.realtime.rights import Rights
from stagewright.processes.gateway.realtime.subscriptions import FAMILIES, OBJECTS, UNAVAILABLE, grant

YES = "given"
EVERYBODY = ("runs", "waits", "approvals", "projects", "incidents", "agents", "labels", "inbox:mine")
OF_PROJECT = ("run:it", "repository:it", "issue:it", "members:it", "run.logs:it")
OF_PLATFORM = ("audit", "users", "settings", "system")
ROLES: Mapping[str, tuple[str, ProjectRole | None]] = {
    "stranger": ("member", None),
    "reader": ("member", ProjectRole.READ),
    "writer": ("member", ProjectRole.READ_WRITE),
    "project admin": ("member", ProjectRole.ADMIN),
    "platform admin": ("admin", None),
    "owner": ("owner", None),
}


def expected(role: str, topic: str) -> str:
    """Return what access.md §8.2 says."""
    if topic in EVERYBODY:
        return YES
    if topic in OF_PROJECT:
        return "not_found" if role == "stranger" else YES
    return YES if role in ("platform admin", "owner") else "forbidden"


async def rights_of(gateway: Gateway, person: Person, clock: FakeClock) -> Rights:
    async with gateway.db.reading() as reader:
        principal = await identity.authenticate_token(reader, person.token, now=clock.now(), embedded=False)
    return Rights(Caller(principal, Permission.SIGNED_IN))


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_gets_exactly_the_tabled_topics(gateway: Gateway, clock: FakeClock, role: str) -> None:
    project, repository, run = await gateway.scene()
    platform_role, project_role = ROLES[role]
    person = await gateway.person("eve", role=platform_role)
    if project_role is not None:
        async with gateway.db.transaction() as tx:
            await identity.set_member(tx, project.id, person.user.id, project_role, now=clock.now())
    rights = await rights_of(gateway, person, clock)
    names = {name: name for name in (*EVERYBODY, *OF_PLATFORM)} | {
        "inbox:mine": f"inbox:{person.user.id}",
        "run:it": f"run:{run.id}",
        "repository:it": f"repository:{repository.id}",
        "issue:it": "issue:acme/shop#1",
        "members:it": f"members:{project.id}",
        "run.logs:it": f"run.logs:{run.id}:engine",
    }
    async with gateway.db.reading() as reader:
        granted = await grant(reader, names.values(), rights)
    codes = {item.topic: item.code for item in granted.refused} | dict.fromkeys(granted.names, YES)
    assert {name: codes[topic] for name, topic in names.items()} == {name: expected(role, name) for name in names}


async def test_a_token_for_one_project_gets_no_topic_of_another(gateway: Gateway, clock: FakeClock) -> None:
    project, _, run = await gateway.scene()
    other = await gateway.project("other")
    owner = await gateway.person(role="owner")
    narrow = replace(owner, token=await gateway.token(owner, "read", "platform", only=other))
    rights = await rights_of(gateway, narrow, clock)
    topics = [f"run:{run.id}", f"members:{project.id}", f"members:{other.id}", "audit", "users", "runs"]
    async with gateway.db.reading() as reader:
        granted = await grant(reader, topics, rights)
    assert granted.names == [f"members:{other.id}", "runs"]
    assert not rights.shows(project.id)
    assert not rights.shows(None)


def test_every_topic_there_is_stands_in_the_table() -> None:
    tabled = {name.partition(":")[0] for name in (*EVERYBODY, *OF_PROJECT, *OF_PLATFORM)}
    assert tabled == set(FAMILIES) | set(OBJECTS)
    assert not tabled & UNAVAILABLE


NO_TOPICS = ("", ":", "run:", "run:7", "issue:a/b", "issue:a/b#x", "issue:a\0/b#1", "run.logs:x:engine", "Runs")


@pytest.mark.parametrize("topic", NO_TOPICS)
async def test_what_is_no_topic_is_refused(gateway: Gateway, clock: FakeClock, topic: str) -> None:
    rights = await rights_of(gateway, await gateway.person(role="owner"), clock)
    async with gateway.db.reading() as reader:
        granted = await grant(reader, [topic], rights)
    assert [item.code for item in granted.refused] in (["not_found"], ["topic.unknown"])

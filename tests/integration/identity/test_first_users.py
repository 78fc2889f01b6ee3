"""Who is there at the first start: the owner and the allow-list, which never changes anybody again."""

import pytest
from tests.fakes.gateway import Gateway

from stagewright.contexts.identity import api as identity


async def start(gateway: Gateway, owner: str | None, *allowed: str) -> dict[str, tuple[str, str]]:
    async with gateway.db.transaction() as tx:
        await identity.admit_first_users(tx, owner_email=owner, allowed=allowed, now=gateway.clock.now())
        rows = await tx.all(dict, "select email::text as email, role, state from users")
    return {row["email"]: (row["role"], row["state"]) for row in rows}


async def test_the_first_start_makes_the_owner_and_the_allowed_members(gateway: Gateway) -> None:
    users = await start(gateway, "boss@example.test", "ann@example.test", "Boss@example.test")
    assert users == {"boss@example.test": ("owner", "active"), "ann@example.test": ("member", "invited")}


async def test_a_start_without_an_owner_says_what_to_set(gateway: Gateway) -> None:
    with pytest.raises(identity.FirstStart, match="STAGEWRIGHT_OWNER_EMAIL"):
        await start(gateway, None, "ann@example.test")


async def test_a_later_start_changes_nobody_and_brings_nobody_back(gateway: Gateway) -> None:
    await start(gateway, "boss@example.test", "ann@example.test")
    async with gateway.db.transaction() as tx:
        await tx.execute("update users set state = 'disabled' where role = 'member'")
    users = await start(gateway, "other@example.test", "ann@example.test", "new@example.test")
    assert users == {
        "boss@example.test": ("owner", "active"),
        "ann@example.test": ("member", "disabled"),
        "new@example.test": ("member", "invited"),
    }

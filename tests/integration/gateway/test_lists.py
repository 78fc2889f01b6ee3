"""Lists: pages under concurrent inserts, cursors that were changed or belong elsewhere (AX14), filters."""

from datetime import timedelta

from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway

from stagewright.contexts.identity import api as identity
from stagewright.contexts.incidents import api as incidents


async def test_pages_have_no_gap_and_no_double_while_rows_are_inserted(gateway: Gateway, clock: FakeClock) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    repository = await gateway.repository(project)
    before = []
    for issue in range(1, 8):
        clock.advance(timedelta(seconds=1 if issue % 3 else 0))
        before.append(str((await gateway.run(repository, issue)).id))
    seen: list[str] = []
    cursor: str | None = None
    for step in range(20):
        path = "/runs?limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = (await gateway.get(path, owner)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        clock.advance(timedelta(seconds=1))
        await gateway.run(repository, 100 + step)
    assert seen == list(reversed(before))


async def test_the_oldest_first_order_sees_rows_inserted_meanwhile_once(gateway: Gateway, clock: FakeClock) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    repository = await gateway.repository(project)
    made = [str((await gateway.run(repository, issue)).id) for issue in (1, 2, 3)]
    first = (await gateway.get("/runs?limit=2&sort=created_at", owner)).json()
    clock.advance(timedelta(seconds=1))
    made.append(str((await gateway.run(repository, 4)).id))
    rest = (await gateway.get(f"/runs?limit=2&sort=created_at&cursor={first['next_cursor']}", owner)).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == made
    assert rest["next_cursor"] is None


async def test_a_changed_cursor_and_one_of_another_list_are_refused(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    repository = await gateway.repository(project)
    for issue in (1, 2, 3):
        await gateway.run(repository, issue)
    cursor = (await gateway.get("/runs?limit=1", owner)).json()["next_cursor"]
    flipped = cursor[:-6] + ("A" if cursor[-6] != "A" else "B") + cursor[-5:]
    for query in (
        f"limit=1&cursor={flipped}",
        f"limit=1&cursor={cursor}&status=failed",
        f"limit=1&cursor={cursor}&sort=created_at",
        "limit=1&cursor=garbage",
        "limit=1&cursor=%C3%A4",
    ):
        answer = await gateway.get(f"/runs?{query}", owner)
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor.mismatch"), query
    assert (await gateway.get(f"/projects?cursor={cursor}", owner)).status_code == 400


async def test_short_lists_are_paged_by_the_same_means(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    for key in ("b", "a", "d", "c"):
        await gateway.project(key)
    first = (await gateway.get("/projects?limit=3", owner)).json()
    assert [item["key"] for item in first["items"]] == ["a", "b", "c"]
    rest = (await gateway.get(f"/projects?limit=3&cursor={first['next_cursor']}", owner)).json()
    assert [item["key"] for item in rest["items"]] == ["d"]
    assert rest["next_cursor"] is None


async def test_who_asked_for_a_run_is_shown_by_login_or_name(gateway: Gateway, clock: FakeClock) -> None:
    project, owner = await gateway.project(), await gateway.person("own", role="owner")
    repository = await gateway.repository(project)
    ann, mia = await gateway.person("ann"), await gateway.person("mia")
    async with gateway.db.transaction() as tx:
        await identity.pin_github_login(tx, ann.user, github_id=7, login="ann-on-github")
    for issue, who in enumerate((ann, mia), 1):
        clock.advance(timedelta(seconds=1))
        await gateway.run(repository, issue, requested_by_kind="user", requested_by=str(who.user.id))
    clock.advance(timedelta(seconds=1))
    await gateway.run(repository, 3, requested_by="bob")
    listed = (await gateway.get("/runs?sort=created_at", owner)).json()["items"]
    assert [item["requester_name"] for item in listed] == ["ann-on-github", "Mia", "bob"]
    assert [item["requested_by"]["kind"] for item in listed] == ["user", "user", "forge"]
    for issue, name in enumerate(("ann-on-github", "Mia"), 1):
        shown = (await gateway.get(f"/issues/acme/shop/{issue}", owner)).json()
        runs = [run for stage in shown["track"] for run in stage["runs"]]
        assert [run["requested_by"]["name"] for run in runs] == [name]


async def test_repeated_filters_mean_either_and_different_ones_mean_both(gateway: Gateway, clock: FakeClock) -> None:
    shop, blog, owner = await gateway.project(), await gateway.project("blog"), await gateway.person(role="owner")
    one, other = await gateway.repository(shop), await gateway.repository(blog, "acme/blog")
    await gateway.run(one, 1)
    clock.advance(timedelta(hours=1))
    await gateway.run(one, 2, stage="plan", kind="plan", role="em")
    await gateway.run(other, 3, requested_by="bob")
    hour = clock.now().isoformat().replace("+00:00", "Z")

    async def numbers(query: str) -> list[int]:
        return sorted(item["issue_number"] for item in (await gateway.get(f"/runs?{query}", owner)).json()["items"])

    assert await numbers("issue=1&issue=3") == [1, 3]
    assert await numbers("issue=1&stage=plan") == []
    assert await numbers("role=em&kind=plan") == [2]
    assert await numbers(f"project={blog.id}") == [3]
    assert await numbers(f"repository={one.id}&status=queued") == [1, 2]
    assert await numbers("actor=bob") == [3]
    assert await numbers(f"from={hour}") == [2, 3]
    assert await numbers(f"to={hour}") == [1]
    assert await numbers("status=failed") == []
    assert await numbers("wait_reason=rate_limit") == []
    assert await numbers("pr=5") == []
    every = (await gateway.get("/runs", owner)).json()["items"]
    second = next(item["number"] for item in every if item["issue_number"] == 2)
    assert await numbers(f"number={int(second.partition('-')[2])}") == [2]


async def test_pages_of_the_audit_and_of_incidents_stay_whole_while_rows_come(
    gateway: Gateway, clock: FakeClock
) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    repository = await gateway.repository(project)

    async def more(number: int) -> None:
        clock.advance(timedelta(seconds=1))
        await gateway.run(repository, number)
        async with gateway.db.transaction() as tx:
            await incidents.report(
                tx,
                level="error",
                source="test",
                code=f"broken_{number}",
                message="it broke",
                project_id=project.id,
                now=clock.now(),
            )

    for number in range(1, 6):
        await more(number)
    for path, key in ((f"/audit?project={project.id}", "seq"), ("/incidents?state=open", "id")):
        wanted = [item[key] for item in (await gateway.get(f"{path}&limit=200", owner)).json()["items"]]
        seen: list[object] = []
        cursor = ""
        for step in range(20):
            page = (await gateway.get(f"{path}&limit=2{cursor}", owner)).json()
            seen += [item[key] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
            await more(100 + step + len(wanted))
        assert seen == wanted

"""What the ports ``ForgeThreads`` and ``ForgeDirectory`` promise, asked of the adapter and of the fake."""

import pytest
from tests.contract.github.peers import Peer

from stagewright.kit.errors import Invalid, NotFound, Unauthenticated


async def test_the_remarks_since_a_moment_say_who_wrote_them(peer: Peer) -> None:
    number = await peer.open_issue()
    first = await peer.forge.create_comment(peer.repository, number, "Before.")
    await peer.let_time_pass(5)
    await peer.person_comments(number, "After.")
    every = await peer.threads.remarks(peer.repository, number, first.created_at)
    later = [one for one in every if one.id != first.id]
    assert [one.body for one in every] == ["Before.", "After."]
    assert (every[0].author_login, later[0].author_type) == (peer.bot, "User")
    assert await peer.threads.remarks(peer.repository, number, later[0].at) == later
    assert later[0].author_id is not None


async def test_a_thread_is_told_as_it_is_now(peer: Peer) -> None:
    number = await peer.open_issue(labels=("bug",))
    before = await peer.threads.thread(peer.repository, number)
    assert before is not None
    assert (before.open, before.is_pull_request, before.labels) == (True, False, ("bug",))
    await peer.close(number)
    after = await peer.threads.thread(peer.repository, number)
    assert after is not None
    assert not after.open


@pytest.mark.parametrize("role", ["read", "triage", "write", "maintain", "admin"])
async def test_the_role_of_an_account_is_told(peer: Peer, role: str) -> None:
    await peer.set_role(f"person-{role}", role)
    assert await peer.threads.permission(peer.repository, f"person-{role}") == role
    assert await peer.threads.permission(peer.repository, f"Person-{role.upper()}") == role


@pytest.mark.parametrize("login", ["nobody-of-that-name", "", "..", "a/b", "x[bot]"])
async def test_an_account_that_is_none_has_no_role(peer: Peer, login: str) -> None:
    assert await peer.threads.permission(peer.repository, login) == "none"


async def test_acts_are_told_oldest_first_with_who_did_them(peer: Peer) -> None:
    number = await peer.open_issue()
    await peer.person_labels(number, "bug")
    await peer.let_time_pass(2)
    await peer.person_unlabels(number, "bug")
    await peer.let_time_pass(2)
    await peer.forge.add_label(peer.repository, number, "run:dev")
    await peer.let_time_pass(2)
    await peer.close(number)
    acts = await peer.threads.acts(peer.repository, number)
    assert [(act.action, act.label) for act in acts] == [
        ("labeled", "bug"),
        ("unlabeled", "bug"),
        ("labeled", "run:dev"),
        ("closed", None),
    ]
    assert acts[0].at < acts[1].at < acts[2].at
    assert acts[2].actor_login == peer.bot
    assert (acts[0].actor_type, acts[0].actor_login == peer.bot) == ("User", False)
    assert acts[0].actor_id is not None


async def test_updated_threads_are_open_and_closed_ones_since_then_and_pull_requests_too(peer: Peer) -> None:
    old = await peer.open_issue("old")
    await peer.let_time_pass(60)
    closed, newest = await peer.open_issue("closed"), await peer.open_issue("newest")
    await peer.make_branch("topic")
    pull = await peer.forge.open_pull_request(
        peer.repository, title="t", body="b", head="topic", base="main", draft=False
    )
    await peer.let_time_pass(5)
    await peer.close(closed)
    moment = await peer.threads.thread(peer.repository, newest)
    assert moment is not None
    found = await peer.threads.updated_threads(peer.repository, moment.updated_at, None)
    assert {one.number: (one.open, one.is_pull_request) for one in found.threads} == {
        newest: (True, False),
        pull.number: (True, True),
        closed: (False, False),
    }
    assert found.threads[-1].number == closed
    everything = await peer.threads.updated_threads(peer.repository, None, None)
    assert {old, newest, pull.number} <= {one.number for one in everything.threads}
    assert closed not in {one.number for one in everything.threads}


async def test_a_pull_request_shows_its_head_and_whether_it_was_merged(peer: Peer) -> None:
    head = await peer.make_branch("topic")
    opened = await peer.forge.open_pull_request(
        peer.repository, title="t", body="b", head="topic", base="main", draft=False
    )
    fresh = await peer.threads.pull(peer.repository, opened.number)
    assert fresh is not None
    assert (fresh.number, fresh.open, fresh.merged, fresh.head_sha) == (opened.number, True, False, head)
    assert (fresh.in_repository, fresh.labels) == (True, ())
    await peer.let_time_pass(2)
    await peer.merge(opened.number)
    merged = await peer.threads.pull(peer.repository, opened.number)
    assert merged is not None
    assert (merged.open, merged.merged) == (False, True)
    assert merged.updated_at > fresh.updated_at
    assert await peer.threads.pull(peer.repository, 9_999) is None


async def test_reviews_come_in_their_order_and_a_dismissed_one_says_so(peer: Peer) -> None:
    await peer.make_branch("topic")
    opened = await peer.forge.open_pull_request(
        peer.repository, title="t", body="b", head="topic", base="main", draft=False
    )
    assert list(await peer.threads.reviews(peer.repository, opened.number)) == []
    await peer.review(opened.number, "changes_requested")
    await peer.let_time_pass(2)
    await peer.review(opened.number, "approved")
    given = await peer.threads.reviews(peer.repository, opened.number)
    assert [one.state for one in given] == ["changes_requested", "approved"]
    assert given[1].author_type == "User"
    assert given[1].author_login != peer.bot
    assert given[1].author_id is not None
    await peer.review(opened.number, "dismissed")
    assert [one.state for one in await peer.threads.reviews(peer.repository, opened.number)][-1] == "dismissed"


async def test_the_default_branch_is_told_as_it_is_now(peer: Peer) -> None:
    assert await peer.threads.default_branch(peer.repository) == "main"


async def test_a_merged_pull_request_says_when(peer: Peer) -> None:
    await peer.make_branch("topic")
    opened = await peer.forge.open_pull_request(
        peer.repository, title="t", body="b", head="topic", base="main", draft=False
    )
    fresh = await peer.threads.pull(peer.repository, opened.number)
    await peer.let_time_pass(2)
    await peer.merge(opened.number)
    merged = await peer.threads.pull(peer.repository, opened.number)
    assert fresh is not None
    assert merged is not None
    assert fresh.merged_at is None
    assert merged.merged_at is not None
    assert fresh.updated_at < merged.merged_at <= merged.updated_at


async def test_unchanged_threads_cost_nothing(peer: Peer) -> None:
    number = await peer.open_issue()
    opened = await peer.threads.thread(peer.repository, number)
    assert opened is not None
    since = opened.updated_at
    first = await peer.threads.updated_threads(peer.repository, since, None)
    assert (first.unchanged, [one.number for one in first.threads][-1:]) == (False, [number])
    again = await peer.threads.updated_threads(peer.repository, since, first.etag)
    assert (again.unchanged, again.threads, again.etag) == (True, (), first.etag)
    await peer.let_time_pass(2)
    await peer.person_comments(number, "news")
    assert not (await peer.threads.updated_threads(peer.repository, since, first.etag)).unchanged


async def test_the_list_of_all_open_threads_is_always_read(peer: Peer) -> None:
    number = await peer.open_issue()
    first = await peer.threads.updated_threads(peer.repository, None, None)
    assert first.etag is None
    again = await peer.threads.updated_threads(peer.repository, None, 'W/"some tag"')
    assert number in [one.number for one in again.threads]


async def test_the_directory_tells_of_repositories_and_accounts(peer: Peer) -> None:
    where = (peer.repository.api_url, peer.token)
    found = await peer.directory.repository(*where, peer.repository.full_name)
    assert (found.id, found.full_name) == (peer.repository.forge_repository_id, peer.repository.full_name)
    assert (found.default_branch, found.private) == ("main", False)
    assert found.clone_url.endswith(".git")
    me = await peer.directory.account(*where)
    assert (me.login, me.type) == (peer.bot, "User")
    assert (await peer.directory.user(*where, peer.bot)).id == me.id


async def test_the_directory_tells_what_is_wrong(peer: Peer) -> None:
    url = peer.repository.api_url
    with pytest.raises(Unauthenticated):
        await peer.directory.account(url, "no such token")
    with pytest.raises(NotFound):
        await peer.directory.repository(url, peer.token, "acme/absent")
    with pytest.raises(NotFound):
        await peer.directory.user(url, peer.token, "nobody-of-that-name")
    for name in ("acme", "/x", "a/", "a/b/c"):
        with pytest.raises(Invalid):
            await peer.directory.repository(url, peer.token, name)

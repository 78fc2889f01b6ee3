"""What the port ``Forge`` promises, asked of the adapter and of the fake."""

from datetime import timedelta

import pytest
from tests.contract.github.peers import Peer

from stagewright.contexts.runs.errors import NotSent, OutcomeUnknown
from stagewright.contexts.runs.ports import ForgeFeedback, ForgeLabel, NewRemark
from stagewright.kit.errors import Invalid, LimitReached, NotFound, TooLarge

GONE = 424242


async def test_an_issue_is_read_with_its_text_and_labels(peer: Peer) -> None:
    number = await peer.open_issue("Add a file", "please", ("run:dev", "bug"))
    found = await peer.forge.issue(peer.repository, number)
    assert (found.number, found.title, found.body) == (number, "Add a file", "please")
    assert sorted(found.labels) == ["bug", "run:dev"]
    assert found.open
    assert not found.is_pull_request
    assert found.url.endswith(f"/issues/{number}")


async def test_a_thread_that_is_gone_is_not_found(peer: Peer) -> None:
    with pytest.raises(NotFound):
        await peer.forge.issue(peer.repository, GONE)
    with pytest.raises(NotFound):
        await peer.forge.create_comment(peer.repository, GONE, "text")
    with pytest.raises(NotFound):
        await peer.forge.remove_label(peer.repository, GONE, "bug")
    with pytest.raises(NotFound):
        await peer.forge.update_comment(peer.repository, GONE, "text")
    with pytest.raises(NotFound):
        await peer.forge.delete_comment(peer.repository, GONE)
    assert await peer.threads.thread(peer.repository, GONE) is None


async def test_comments_are_listed_oldest_first_with_their_authors(peer: Peer) -> None:
    number = await peer.open_issue()
    await peer.person_comments(number, "from a person")
    ours = await peer.forge.create_comment(peer.repository, number, "from the bot")
    found = await peer.forge.comments(peer.repository, number)
    assert [one.body for one in found] == ["from a person", "from the bot"]
    assert (found[1].id, found[1].author, found[1].author_type) == (ours.id, peer.bot, "User")
    assert found[0].author != peer.bot
    assert found[0].created_at <= found[1].created_at


async def test_all_pages_of_comments_are_read_also_when_a_page_comes_after_a_full_one(peer: Peer) -> None:
    number = await peer.open_issue()
    for index in range(100):
        await peer.person_comments(number, f"comment {index}")
    assert len(await peer.forge.comments(peer.repository, number)) == 100
    await peer.person_comments(number, "comment 100")
    found = await peer.forge.comments(peer.repository, number)
    assert [one.body for one in found] == [f"comment {index}" for index in range(101)]


async def test_a_comment_is_updated_and_deleted(peer: Peer) -> None:
    number = await peer.open_issue()
    made = await peer.forge.create_comment(peer.repository, number, "first")
    assert (await peer.forge.update_comment(peer.repository, made.id, "second")).body == "second"
    assert [one.body for one in await peer.forge.comments(peer.repository, number)] == ["second"]
    await peer.forge.delete_comment(peer.repository, made.id)
    assert list(await peer.forge.comments(peer.repository, number)) == []


async def test_a_text_longer_than_the_forge_takes_is_refused_before_it_is_sent(peer: Peer) -> None:
    number = await peer.open_issue()
    with pytest.raises(TooLarge) as caught:
        await peer.forge.create_comment(peer.repository, number, "x" * 65_537)
    assert caught.value.problems[0].pointer == "/body"
    made = await peer.forge.create_comment(peer.repository, number, "x" * 65_536)
    assert len(made.body) == 65_536


@pytest.mark.parametrize("label", ["run:dev", "[ai-model-x/y]", "a b", "100%", "état?#", "a&b=c"])
async def test_labels_with_any_characters_are_put_on_and_taken_off(peer: Peer, label: str) -> None:
    number = await peer.open_issue()
    await peer.forge.add_label(peer.repository, number, label)
    await peer.forge.add_label(peer.repository, number, label)
    assert list(await peer.forge.labels_of(peer.repository, number)) == [label]
    await peer.forge.remove_label(peer.repository, number, label)
    await peer.forge.remove_label(peer.repository, number, label)
    assert list(await peer.forge.labels_of(peer.repository, number)) == []


@pytest.mark.parametrize("label", ["", ".", ".."])
async def test_a_name_that_would_mean_all_labels_is_refused(peer: Peer, label: str) -> None:
    number = await peer.open_issue(labels=("bug",))
    with pytest.raises(Invalid):
        await peer.forge.remove_label(peer.repository, number, label)
    assert list(await peer.forge.labels_of(peer.repository, number)) == ["bug"]


async def test_repository_labels_are_defined_again_and_renamed(peer: Peer) -> None:
    first = ForgeLabel("run:dev", "00ff00", "Start development")
    await peer.forge.create_label(peer.repository, first)
    assert first in await peer.forge.repository_labels(peer.repository)
    again = ForgeLabel("run:dev", "0000ff", "Start it")
    await peer.forge.create_label(peer.repository, again)
    number = await peer.open_issue(labels=("run:dev",))
    renamed = ForgeLabel("start development", "0000ff", "Start it")
    await peer.forge.update_label(peer.repository, "run:dev", renamed)
    found = [one for one in await peer.forge.repository_labels(peer.repository) if one in (first, again, renamed)]
    assert found == [renamed]
    assert list(await peer.forge.labels_of(peer.repository, number)) == ["start development"]
    with pytest.raises(NotFound):
        await peer.forge.update_label(peer.repository, "absent", first)


async def test_only_own_reactions_are_told_and_one_is_not_doubled(peer: Peer) -> None:
    number = await peer.open_issue()
    await peer.forge.add_reaction(peer.repository, number, "eyes")
    await peer.forge.add_reaction(peer.repository, number, "eyes")
    assert list(await peer.forge.own_reactions(peer.repository, number)) == ["eyes"]


async def test_reactions_to_a_comment_are_the_comments_own(peer: Peer) -> None:
    number = await peer.open_issue()
    made = await peer.forge.create_comment(peer.repository, number, "A question.")
    await peer.forge.add_comment_reaction(peer.repository, made.id, "eyes")
    await peer.forge.add_comment_reaction(peer.repository, made.id, "eyes")
    await peer.forge.add_comment_reaction(peer.repository, made.id, "+1")
    assert sorted(await peer.forge.own_comment_reactions(peer.repository, made.id)) == ["+1", "eyes"]
    assert list(await peer.forge.own_reactions(peer.repository, number)) == []
    await peer.forge.delete_comment(peer.repository, made.id)
    with pytest.raises(NotFound):
        await peer.forge.add_comment_reaction(peer.repository, made.id, "eyes")


async def test_the_bot_knows_itself(peer: Peer) -> None:
    bot = await peer.forge.bot(peer.repository)
    assert bot.login == peer.bot
    assert bot.commit_email.startswith(f"{bot.user_id}+{peer.bot}@users.noreply.")


async def test_the_default_branch_is_told(peer: Peer) -> None:
    assert await peer.forge.default_branch(peer.repository) == "main"


async def test_a_pull_request_is_opened_found_by_its_head_and_updated(peer: Peer) -> None:
    branch = "stagewright/issue-1/dev"
    assert list(await peer.forge.pull_requests_by_head(peer.repository, branch)) == []
    sha = await peer.make_branch(branch)
    made = await peer.forge.open_pull_request(
        peer.repository, title="#1 dev: hello", body="body", head=branch, base="main", draft=False
    )
    assert (made.state, made.merged, made.draft, made.head_in_repository) == ("open", False, False, True)
    assert (made.head_branch, made.head_sha, made.base_branch) == (branch, sha, "main")
    found = await peer.forge.pull_requests_by_head(peer.repository, branch)
    assert [one.number for one in found] == [made.number]
    kept = await peer.forge.update_pull_request(peer.repository, made.number, title=None, body="more")
    assert (kept.title, kept.body) == ("#1 dev: hello", "more")
    renamed = await peer.forge.update_pull_request(peer.repository, made.number, title="other", body="more")
    assert renamed.title == "other"
    assert await peer.forge.pull_request(peer.repository, made.number) == renamed
    await peer.close(made.number)
    [closed] = await peer.forge.pull_requests_by_head(peer.repository, branch)
    assert (closed.state, closed.merged) == ("closed", False)


async def test_a_second_pull_request_of_a_branch_is_refused_with_its_own_code(peer: Peer) -> None:
    await peer.make_branch("topic")
    opened = {"title": "t", "body": "b", "head": "topic", "base": "main"}
    await peer.forge.open_pull_request(peer.repository, **opened, draft=True)
    with pytest.raises(Invalid) as caught:
        await peer.forge.open_pull_request(peer.repository, **opened, draft=True)
    assert caught.value.stable_code == "forge.already_exists"


async def test_a_pull_request_without_a_branch_is_invalid_and_an_issue_is_none(peer: Peer) -> None:
    with pytest.raises(Invalid):
        await peer.forge.open_pull_request(
            peer.repository, title="t", body="b", head="nowhere", base="main", draft=False
        )
    number = await peer.open_issue()
    with pytest.raises(NotFound):
        await peer.forge.pull_request(peer.repository, number)


async def test_a_lost_answer_is_unknown_and_the_comment_is_found_by_reading(peer: Peer) -> None:
    number = await peer.open_issue()
    await peer.lose_answer("create_comment")
    with pytest.raises(OutcomeUnknown):
        await peer.forge.create_comment(peer.repository, number, "once only")
    assert [one.body for one in await peer.forge.comments(peer.repository, number)] == ["once only"]


async def test_a_lost_pull_request_is_found_by_its_head(peer: Peer) -> None:
    await peer.make_branch("topic")
    await peer.lose_answer("open_pull_request")
    with pytest.raises(OutcomeUnknown):
        await peer.forge.open_pull_request(peer.repository, title="t", body="b", head="topic", base="main", draft=False)
    assert len(await peer.forge.pull_requests_by_head(peer.repository, "topic")) == 1


@pytest.mark.parametrize(("secondary", "code"), [(True, "forge.secondary_limit"), (False, "forge.rate_limited")])
async def test_a_limit_says_when_to_come_back_and_nothing_happened(peer: Peer, secondary: bool, code: str) -> None:
    number = await peer.open_issue()
    await peer.limit("create_comment", secondary=secondary, seconds=90)
    with pytest.raises(LimitReached) as caught:
        await peer.forge.create_comment(peer.repository, number, "text")
    assert caught.value.stable_code == code
    assert caught.value.retry_after is not None
    assert timedelta(seconds=90) <= caught.value.retry_after <= timedelta(seconds=110)


async def test_a_forge_that_is_down_means_nothing_was_sent(peer: Peer) -> None:
    number = await peer.open_issue()
    await peer.go_down()
    with pytest.raises(NotSent):
        await peer.forge.create_comment(peer.repository, number, "text")


async def test_a_limit_says_whose_it_is(peer: Peer) -> None:
    number = await peer.open_issue()
    await peer.limit("create_comment", secondary=True, seconds=90)
    with pytest.raises(LimitReached) as caught:
        await peer.forge.create_comment(peer.repository, number, "text")
    whose = {quota.purpose: quota.installation for quota in await peer.forge.rate(peer.repository)}
    params = caught.value.params
    assert (params["purpose"], params["installation"], params["bucket"]) == ("bot", whose["bot"], "content")
    await peer.limit("add_label", secondary=True, seconds=90)
    with pytest.raises(LimitReached) as caught:
        await peer.forge.add_label(peer.repository, number, "bug")
    params = caught.value.params
    assert (params["purpose"], params["installation"], params["bucket"]) == ("management", whose["management"], "core")


async def test_the_rate_is_told_for_each_purpose(peer: Peer) -> None:
    number = await peer.open_issue()
    await peer.forge.issue(peer.repository, number)
    await peer.forge.add_label(peer.repository, number, "bug")
    quotas = await peer.forge.rate(peer.repository)
    assert sorted(quota.purpose for quota in quotas) == ["bot", "management"]
    for quota in quotas:
        [core] = [one for one in quota.readings if one.bucket == "core"]
        assert core.limit == 5000
        assert core.remaining is not None
        assert core.reset_at is not None


async def test_repositories_of_one_installation_draw_on_the_same_limits_and_others_do_not(peer: Peer) -> None:
    there = await peer.through_app()
    first, second, elsewhere = [
        {quota.installation for quota in await there.forge.rate(one)}
        for one in (there.first, there.second, there.elsewhere)
    ]
    assert first == second
    assert len(first) == 1, "an App acts with one installation for both purposes"
    assert not first & elsewhere


async def test_feedback_is_what_reviews_say_and_what_stands_at_lines(peer: Peer) -> None:
    await peer.make_branch("topic")
    opened = await peer.forge.open_pull_request(
        peer.repository, title="t", body="b", head="topic", base="main", draft=False
    )
    assert await peer.forge.feedback(peer.repository, opened.number) == ForgeFeedback()
    await peer.review(opened.number, "changes_requested")
    await peer.let_time_pass(2)
    await peer.remark(opened.number, "work.txt", 1, "Too vague.")
    said = await peer.forge.feedback(peer.repository, opened.number)
    assert [one.body for one in said.reviews] == ["text", "See the remark."]
    assert said.reviews[0].created_at < said.reviews[1].created_at
    assert said.reviews[0].author != peer.bot
    (place,) = said.remarks
    assert (place.path, place.line, [one.body for one in place.comments]) == ("work.txt", 1, ["Too vague."])
    assert place.comments[0].author_type == "User"


async def test_a_review_of_ours_is_a_comment_with_remarks_in_the_diff(peer: Peer) -> None:
    sha = await peer.make_branch("topic")
    opened = await peer.forge.open_pull_request(
        peer.repository, title="t", body="b", head="topic", base="main", draft=False
    )
    remark = NewRemark("work.txt", 1, "Why?")
    posted = await peer.forge.post_review(
        peer.repository, opened.number, commit_sha=sha, body="Read it.", remarks=[remark]
    )
    assert (posted.body, posted.author) == ("Read it.", peer.bot)
    assert [one.state for one in await peer.threads.reviews(peer.repository, opened.number)] == ["commented"]
    said = await peer.forge.feedback(peer.repository, opened.number)
    assert [(one.id, one.body) for one in said.reviews] == [(posted.id, "Read it.")]
    assert [(one.path, one.line, one.comments[0].body) for one in said.remarks] == [("work.txt", 1, "Why?")]
    assert said.remarks[0].comments[0].author == peer.bot


async def test_a_remark_outside_the_diff_is_refused_with_its_whole_review(peer: Peer) -> None:
    sha = await peer.make_branch("topic")
    opened = await peer.forge.open_pull_request(
        peer.repository, title="t", body="b", head="topic", base="main", draft=False
    )
    await peer.know_the_diff(opened.number, "work.txt", 1)
    for remark in (NewRemark("work.txt", 99, "x"), NewRemark("README.md", 1, "x")):
        with pytest.raises(Invalid):
            await peer.forge.post_review(
                peer.repository,
                opened.number,
                commit_sha=sha,
                body="b",
                remarks=[NewRemark("work.txt", 1, "y"), remark],
            )
    assert await peer.forge.feedback(peer.repository, opened.number) == ForgeFeedback()
    with pytest.raises(NotFound):
        await peer.forge.post_review(peer.repository, GONE, commit_sha=sha, body="b", remarks=[])


async def test_a_review_whose_answer_is_lost_can_be_found(peer: Peer) -> None:
    sha = await peer.make_branch("topic")
    opened = await peer.forge.open_pull_request(
        peer.repository, title="t", body="b", head="topic", base="main", draft=False
    )
    await peer.lose_answer("post_review")
    with pytest.raises(OutcomeUnknown):
        await peer.forge.post_review(peer.repository, opened.number, commit_sha=sha, body="mark", remarks=[])
    assert [one.body for one in (await peer.forge.feedback(peer.repository, opened.number)).reviews] == ["mark"]


async def test_a_pull_request_names_its_author(peer: Peer) -> None:
    await peer.make_branch("topic")
    opened = await peer.forge.open_pull_request(
        peer.repository, title="t", body="b", head="topic", base="main", draft=False
    )
    found = await peer.forge.pull_request(peer.repository, opened.number)
    assert (found.author, found.association) == (peer.bot, "COLLABORATOR")

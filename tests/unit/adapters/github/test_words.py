"""From GitHub's answers to our words, with whatever real answers leave out."""

from datetime import UTC, datetime

import msgspec
import pytest
from tests.contract.github.peers import a_repository

from stagewright.adapters.github import structs, words
from stagewright.kit.errors import Invalid

REPOSITORY = a_repository("acme/shop", 7)


def test_an_issue_of_a_deleted_account_and_with_old_labels_is_read() -> None:
    raw = b'{"number": 3, "user": null, "body": null, "labels": ["old", {"name": "new", "color": null}], "x": 1}'
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=structs.Issue)
    raw = b'{"number": 3, "user": null, "body": null, "labels": ["old", {"name": "new"}], "x": {"y": []}}'
    found = words.issue(msgspec.json.decode(raw, type=structs.Issue))
    assert (found.author, found.body, found.labels, found.open) == ("ghost", "", ("old", "new"), True)


def test_a_pull_request_from_a_fork_or_a_deleted_one_is_not_ours() -> None:
    def head(repo: str) -> bool:
        raw = f'{{"number": 1, "head": {{"ref": "b", "sha": "s", "repo": {repo}}}}}'
        return words.pull_request(msgspec.json.decode(raw, type=structs.PullRequest), REPOSITORY).head_in_repository

    assert head('{"id": 7}')
    assert not head('{"id": 8}')
    assert not head("null")


def test_an_event_that_counts_for_nothing_is_none_and_an_actor_may_be_gone() -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    assert words.thread_act(structs.Event("subscribed", at)) is None
    assert words.thread_act(structs.Event("labeled", at)) is None
    act = words.thread_act(structs.Event("labeled", at, None, structs.Label("bug")))
    assert act is not None
    assert (act.actor_login, act.actor_type, act.actor_id) == (None, None, None)
    closing = words.thread_act(structs.Event("closed", at, None, structs.Label("bug")))
    assert closing is not None
    assert (closing.action, closing.label) == ("closed", None)


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("Closes #7", (7,)),
        ("fixes: #7 and resolved acme/shop#8, fix #7", (7, 8)),
        ("Resolves https://forge.test/Acme/Shop/issues/9", (9,)),
        ("closes other/repo#7, closes https://forge.test/other/repo/issues/8", ()),
        ("Part of #7; see #8; disclosed #9; closes 10", ()),
        ("", ()),
    ],
)
def test_a_pull_request_closes_the_issues_its_text_names_with_a_keyword(text: str, closes: tuple[int, ...]) -> None:
    assert words.closing_references(text, "acme/shop") == closes


@pytest.mark.parametrize(
    ("role_name", "permission", "role"),
    [
        ("maintain", "write", "maintain"),
        ("triage", "read", "triage"),
        ("Release manager", "write", "write"),
        (None, "admin", "admin"),
        ("odd", "odd", "none"),
    ],
)
def test_an_organisations_own_role_counts_as_what_it_is_built_on(
    role_name: str | None, permission: str, role: str
) -> None:
    assert words.role(structs.Permission(permission, role_name)) == role


def test_an_account_without_a_number_is_refused() -> None:
    with pytest.raises(Invalid):
        words.account(structs.User("ann"))

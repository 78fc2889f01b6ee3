"""From GitHub's structs to the words of our ports, and checks of what we send."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from stagewright.adapters.github import structs
from stagewright.contexts.intake.ports import ForgePull, ForgeRemark, ForgeReview, ForgeThread, ThreadAct
from stagewright.contexts.projects.model import ForgeAccount, ForgeRepository, Repository
from stagewright.contexts.runs.ports import (
    ForgeComment,
    ForgeFeedback,
    ForgeIssue,
    ForgeLabel,
    ForgePullRequest,
    ForgeRemarks,
)
from stagewright.kit.errors import FieldProblem, Invalid, TooLarge

GHOST = structs.User()
LONGEST_BODY = 65_536
GITHUBS = (".github.com", ".ghe.com")
ROLES = ("none", "read", "triage", "write", "maintain", "admin")
CLOSING = re.compile(
    r"(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:([\w.-]+/[\w.-]+)?#|https?://[^\s/]+/([\w.-]+/[\w.-]+)/issues/)(\d{1,9})\b"
)
UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def label_names(labels: list[structs.Label | str]) -> tuple[str, ...]:
    """Return the names of a thread's labels."""
    return tuple(label if isinstance(label, str) else label.name for label in labels)


def issue(found: structs.Issue) -> ForgeIssue:
    """Return an issue with its text."""
    return ForgeIssue(
        number=found.number,
        title=found.title,
        body=found.body or "",
        author=(found.user or GHOST).login,
        association=found.author_association,
        url=found.html_url,
        open=found.state == "open",
        is_pull_request=found.pull_request is not None,
        labels=label_names(found.labels),
    )


def thread(found: structs.Issue) -> ForgeThread:
    """Return an issue or pull request as a thread."""
    return ForgeThread(
        number=found.number,
        is_pull_request=found.pull_request is not None,
        open=found.state == "open",
        labels=label_names(found.labels),
        updated_at=found.updated_at or UNKNOWN_TIME,
    )


def comment(found: structs.Comment) -> ForgeComment:
    """Return a comment."""
    return _said(found, found.created_at)


def remark(found: structs.Comment) -> ForgeRemark:
    """Return a comment with who wrote it."""
    author = found.user or GHOST
    return ForgeRemark(found.id, found.body or "", found.created_at, author.type, author.login, author.id)


def feedback(reviews: Sequence[structs.Review], comments: Sequence[structs.ReviewComment]) -> ForgeFeedback:
    """Return what reviews say: their texts, and comments in the diff by the place they answer to.

    A place whose line is gone is left out: what it asked for was changed. REST does not tell which are resolved.
    """
    places: dict[int, list[structs.ReviewComment]] = {}
    for one in sorted(comments, key=lambda one: (one.created_at, one.id)):
        places.setdefault(one.in_reply_to_id or one.id, []).append(one)
    texts = (one for one in reviews if one.submitted_at is not None and (one.body or "").strip())
    return ForgeFeedback(
        reviews=tuple(_said(one, one.submitted_at or UNKNOWN_TIME) for one in texts),
        remarks=tuple(
            ForgeRemarks(first.path, first.line, tuple(_said(one, one.created_at) for one in (first, *others)))
            for first, *others in places.values()
            if first.position is not None or first.subject_type == "file"
        ),
    )


def posted_review(found: structs.Review) -> ForgeComment:
    """Return a review as what was said in it."""
    return _said(found, found.submitted_at or UNKNOWN_TIME)


def _said(found: structs.Comment | structs.Review | structs.ReviewComment, at: datetime) -> ForgeComment:
    author = found.user or GHOST
    return ForgeComment(
        id=found.id,
        url=found.html_url,
        body=found.body or "",
        author=author.login,
        author_id=author.id,
        author_type=author.type,
        association=found.author_association,
        created_at=at,
    )


def label(found: structs.Label) -> ForgeLabel:
    """Return a label of a repository."""
    return ForgeLabel(found.name, found.color, found.description or "")


def pull_request(found: structs.PullRequest, repository: Repository) -> ForgePullRequest:
    """Return a pull request; a head in another repository, or in a deleted one, is not ours."""
    return ForgePullRequest(
        number=found.number,
        url=found.html_url,
        state=found.state,
        merged=found.merged_at is not None,
        draft=found.draft,
        title=found.title,
        body=found.body or "",
        head_branch=found.head.ref,
        head_sha=found.head.sha,
        head_in_repository=found.head.repo is not None and found.head.repo.id == repository.forge_repository_id,
        base_branch=found.base.ref,
        author=(found.user or GHOST).login,
        association=found.author_association,
        labels=tuple(label.name for label in found.labels),
    )


def pull(found: structs.PullRequest, repository: Repository) -> ForgePull:
    """Return what a link follows of a pull request."""
    shown = pull_request(found, repository)
    return ForgePull(
        number=shown.number,
        open=shown.state == "open",
        merged=shown.merged,
        head_sha=shown.head_sha,
        in_repository=shown.head_in_repository,
        labels=shown.labels,
        updated_at=found.updated_at or UNKNOWN_TIME,
        branch=shown.head_branch,
        base_branch=shown.base_branch,
        url=shown.url,
        closes=closing_references(shown.body, repository.full_name),
        merged_at=found.merged_at,
    )


def closing_references(text: str, repository: str) -> tuple[int, ...]:
    """Return the Issues of ``repository`` that a pull request's text says it closes, as GitHub reads it
    (docs.github.com: "Linking a pull request to an issue"): a keyword before ``#n``, ``owner/name#n`` or an address."""
    named = (
        int(number)
        for place, address, number in CLOSING.findall(text)
        if not (place or address) or (place or address).casefold() == repository.casefold()
    )
    return tuple(dict.fromkeys(named))


def review(found: structs.Review) -> ForgeReview:
    """Return a review. Its state is spelled in capitals in answers and in small letters in webhooks."""
    author = found.user
    return ForgeReview(
        state=found.state.lower(),
        at=found.submitted_at or UNKNOWN_TIME,
        author_type=author.type if author else None,
        author_login=author.login if author else None,
        author_id=author.id if author else None,
    )


def thread_act(found: structs.Event) -> ThreadAct | None:
    """Return an act on a label or the closing of a thread, or None for another event."""
    about_label = found.event in ("labeled", "unlabeled") and found.label is not None
    if not (about_label or found.event == "closed") or found.created_at is None:
        return None
    actor = found.actor
    return ThreadAct(
        action=found.event,
        label=found.label.name if about_label and found.label is not None else None,
        at=found.created_at,
        actor_type=actor.type if actor else None,
        actor_login=actor.login if actor else None,
        actor_id=actor.id if actor else None,
    )


def role(found: structs.Permission) -> str:
    """Return the role; an organisation's own role counts as the permission it is built on."""
    if found.role_name in ROLES:
        return str(found.role_name)
    return found.permission if found.permission in ROLES else "none"


def account(found: structs.User) -> ForgeAccount:
    """Return an account. Raises ``Invalid`` for one without a number."""
    if found.id is None:
        raise Invalid(f"the forge does not say which number account {found.login} has")
    return ForgeAccount(found.id, found.login, found.type, found.name, found.email)


def repository(found: structs.Repository, api_url: str) -> ForgeRepository:
    """Return what the forge says of a repository. Raises ``Invalid`` when its addresses belong to another forge."""
    for url in (found.html_url, found.clone_url):
        if not belongs_to(url, api_url):
            raise Invalid(
                f"the forge says that {found.full_name} is at another address than its own: check its API URL",
                code="forge.address_foreign",
                problems=(FieldProblem("/api_url", "foreign", "the repository's addresses are on another host"),),
            )
    return ForgeRepository(
        found.id, found.full_name, found.default_branch, found.html_url, found.clone_url, found.private
    )


def belongs_to(url: str, api_url: str) -> bool:
    """Say whether ``url`` is on the forge with this API: what it is told there, a credential among it, stays there.

    GitHub's own API is on ``api.``, before the name where people and git go; a server of one's own has one name.
    """
    try:
        given, api = urlsplit(url), urlsplit(api_url)
        place, own = (given.hostname, given.port), (api.hostname or "", api.port)
    except ValueError:
        return False
    names = {own[0], own[0].removeprefix("api.")} if own[0].endswith(GITHUBS) else {own[0]}
    plain = given.username is None and given.password is None
    return plain and given.scheme == api.scheme and place[0] in names and place[1] == own[1]


def checked_body(text: str) -> str:
    """Return ``text`` if the forge takes that much."""
    if len(text) > LONGEST_BODY:
        raise TooLarge(
            f"the text has {len(text)} characters; the forge takes at most {LONGEST_BODY}: shorten it",
            problems=(FieldProblem("/body", "too_large", f"at most {LONGEST_BODY} characters"),),
        )
    return text


def checked_name(name: str, what: str) -> str:
    """Return ``name`` if it can stand in an address: an empty one or dots would name something else."""
    if name.strip() in ("", ".", ".."):
        raise Invalid(f"{name!r} is no {what}", problems=(FieldProblem("/name", "invalid", f"give a {what}"),))
    return name

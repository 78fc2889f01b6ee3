"""The fields of GitHub's answers that we use. All but identities have defaults: real answers leave fields out."""

from datetime import datetime

from msgspec import Struct, field


class User(Struct):
    """An account; a deleted one is absent and counts as ``ghost``."""

    login: str = "ghost"
    id: int | None = None
    type: str = "User"
    name: str | None = None
    email: str | None = None


class Label(Struct):
    """A label of a repository or thread."""

    name: str
    color: str = ""
    description: str | None = None


class PullRequestMark(Struct):
    """Says that an issue is a pull request."""

    url: str | None = None


class Issue(Struct):
    """An issue or pull request, seen as a thread. Very old answers name labels as plain texts."""

    number: int
    title: str = ""
    body: str | None = None
    user: User | None = None
    author_association: str = "NONE"
    html_url: str = ""
    state: str = "open"
    labels: list[Label | str] = []
    pull_request: PullRequestMark | None = None
    updated_at: datetime | None = None


class Comment(Struct):
    """A comment of a thread."""

    id: int
    created_at: datetime
    html_url: str = ""
    body: str | None = None
    user: User | None = None
    author_association: str = "NONE"


class Reaction(Struct):
    """One account's reaction."""

    content: str
    user: User | None = None


class Event(Struct):
    """Something that happened to a thread."""

    event: str = ""
    created_at: datetime | None = None
    actor: User | None = None
    label: Label | None = None


class Repository(Struct):
    """A repository."""

    id: int
    full_name: str = ""
    default_branch: str = "main"
    html_url: str = ""
    clone_url: str = ""
    private: bool = False


class Branch(Struct):
    """One side of a pull request; ``repo`` is absent when its fork was deleted."""

    ref: str = ""
    sha: str = ""
    repo: Repository | None = None


class PullRequest(Struct):
    """A pull request. Lists have no ``merged``; ``merged_at`` says the same."""

    number: int
    html_url: str = ""
    state: str = "open"
    merged_at: datetime | None = None
    draft: bool = False
    title: str = ""
    body: str | None = None
    head: Branch = field(default_factory=Branch)
    base: Branch = field(default_factory=Branch)
    labels: list[Label] = []
    updated_at: datetime | None = None
    user: User | None = None
    author_association: str = "NONE"


class Review(Struct):
    """A review of a pull request; a deleted account is absent."""

    state: str = ""
    user: User | None = None
    submitted_at: datetime | None = None
    id: int = 0
    html_url: str = ""
    body: str | None = None
    author_association: str = "NONE"


class ReviewComment(Struct):
    """A comment in the diff of a pull request. Without ``position`` the line it was made at is gone."""

    id: int
    created_at: datetime
    path: str = ""
    line: int | None = None
    position: int | None = None
    subject_type: str = "line"
    in_reply_to_id: int | None = None
    html_url: str = ""
    body: str | None = None
    user: User | None = None
    author_association: str = "NONE"


class Permission(Struct):
    """What an account may do. ``role_name`` may be an organisation's own word; ``permission`` never is."""

    permission: str = "none"
    role_name: str | None = None


class App(Struct):
    """The App a signed request comes from."""

    slug: str
    name: str = ""


class Installation(Struct):
    """Where an App is installed."""

    id: int


class InstallationToken(Struct):
    """A minted token, opaque and of any length."""

    token: str
    expires_at: datetime


class Problem(Struct):
    """An answer other than success."""

    message: str = ""
    errors: list["ProblemDetail | str"] | str | None = None


class ProblemDetail(Struct):
    """One wrong field."""

    field: str | None = None
    code: str | None = None
    message: str | None = None

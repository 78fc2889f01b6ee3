"""A forge in memory that satisfies ``Forge``, ``ForgeThreads`` and ``ForgeDirectory``, with faults on request."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stagewright.contexts.intake.ports import (
    ForgePull,
    ForgeRemark,
    ForgeReview,
    ForgeThread,
    ThreadAct,
    UpdatedThreads,
)
from stagewright.contexts.projects.model import ForgeAccount, ForgeRepository, Repository
from stagewright.contexts.runs.ports import (
    BotIdentity,
    ForgeComment,
    ForgeFeedback,
    ForgeIssue,
    ForgeLabel,
    ForgePullRequest,
    NewRemark,
    Quota,
    RateReading,
)
from stagewright.kit.clock import Clock
from stagewright.kit.errors import (
    Invalid,
    LimitReached,
    NotFound,
    StagewrightError,
    Unauthenticated,
)
from tests.fakes.forge_people import BOT, CLOSES, FakePull, FakeRepository, FakeThread, ForgePeople, checked, thread_of

LIMIT = 5000
CONTENT = ("create_comment", "update_comment", "delete_comment", "open_pull_request", "update_pull_request")
MANAGED = ("labels_of", "add_label", "remove_label", "repository_labels", "create_label", "update_label", "permission")


@dataclass
class Fault:
    """An error for the next ``times`` calls of an act; ``after``: the act happens and its answer is lost."""

    act: str
    error: StagewrightError
    times: int
    after: bool


class FakeForge(ForgePeople):
    """Answers at once from what it remembers. ``calls`` are (act, number or name) in their order."""

    def __init__(self, clock: Clock, *, bot: ForgeAccount = BOT) -> None:
        super().__init__(clock, bot)
        self._faults: list[Fault] = []
        self.tokens: dict[str, ForgeAccount] = {"bot-token": bot}
        self.calls: list[tuple[str, object]] = []
        self.remaining = LIMIT

    def fail(self, act: str, error: StagewrightError, *, times: int = 1, after: bool = False) -> None:
        """Let the next calls of the method ``act`` fail: instead of acting, or after it (the answer is lost)."""
        self._faults.append(Fault(act, error, times, after))

    def heal(self) -> None:
        """Let no call fail any more."""
        self._faults.clear()

    # Forge

    async def bot(self, repository: Repository) -> BotIdentity:
        """Return who the platform is there."""
        with self._doing("bot", None, repository):
            me = self.bot_account
            return BotIdentity(me.login, me.id, f"{me.id}+{me.login}@users.noreply.forge.test")

    async def issue(self, repository: Repository, number: int) -> ForgeIssue:
        """Return an Issue with its text."""
        with self._doing("issue", number, repository):
            thread = thread_of(self._of(repository), number)
            return ForgeIssue(
                number=number,
                title=thread.title,
                body=thread.body,
                author=thread.author.login,
                association=self._association(repository, thread.author),
                url=self._url(repository, thread),
                open=thread.open,
                is_pull_request=thread.pull is not None,
                labels=tuple(thread.labels),
            )

    async def comments(self, repository: Repository, number: int) -> Sequence[ForgeComment]:
        """Return all comments of a thread, oldest first."""
        with self._doing("comments", number, repository):
            return list(thread_of(self._of(repository), number).comments)

    async def feedback(self, repository: Repository, number: int) -> ForgeFeedback:
        """Return what reviews say."""
        with self._doing("feedback", number, repository):
            half = thread_of(self._of(repository), number).pull
            return ForgeFeedback(tuple(half.texts), tuple(half.remarks)) if half is not None else ForgeFeedback()

    async def create_comment(self, repository: Repository, number: int, body: str) -> ForgeComment:
        """Write a comment."""
        with self._doing("create_comment", number, repository):
            return self._comment(self._of(repository), thread_of(self._of(repository), number), body, self.bot_account)

    async def update_comment(self, repository: Repository, comment_id: int, body: str) -> ForgeComment:
        """Replace the text of a comment."""
        with self._doing("update_comment", comment_id, repository):
            thread, index = _comment(self._of(repository), comment_id)
            thread.comments[index] = replace(thread.comments[index], body=checked(body))
            thread.updated_at = self._clock.now()
            return thread.comments[index]

    async def delete_comment(self, repository: Repository, comment_id: int) -> None:
        """Delete a comment."""
        with self._doing("delete_comment", comment_id, repository):
            thread, index = _comment(self._of(repository), comment_id)
            del thread.comments[index]

    async def labels_of(self, repository: Repository, number: int) -> Sequence[str]:
        """Return the labels of a thread."""
        with self._doing("labels_of", number, repository):
            return list(thread_of(self._of(repository), number).labels)

    async def add_label(self, repository: Repository, number: int, label: str) -> None:
        """Put a label on a thread; one that is there already is success."""
        with self._doing("add_label", number, repository):
            found = self._of(repository)
            self._add_label(found, thread_of(found, number), _name(label), self.bot_account)

    async def remove_label(self, repository: Repository, number: int, label: str) -> None:
        """Take a label off a thread; one that is not there is success."""
        with self._doing("remove_label", number, repository):
            self._remove_label(thread_of(self._of(repository), number), _name(label), self.bot_account)

    async def repository_labels(self, repository: Repository) -> Sequence[ForgeLabel]:
        """Return the repository's labels."""
        with self._doing("repository_labels", None, repository):
            return [label for _, label in sorted(self._of(repository).labels.items())]

    async def create_label(self, repository: Repository, label: ForgeLabel) -> None:
        """Define a label; one that is there gets this look."""
        with self._doing("create_label", label.name, repository):
            self._of(repository).labels[_name(label.name).lower()] = label

    async def update_label(self, repository: Repository, name: str, label: ForgeLabel) -> None:
        """Rename a label everywhere, or change its look."""
        with self._doing("update_label", name, repository):
            found = self._of(repository)
            if found.labels.pop(_name(name).lower(), None) is None:
                raise NotFound(f"no label {name}", code="forge.not_found")
            found.labels[label.name.lower()] = label
            for thread in found.threads.values():
                thread.labels = [label.name if one.lower() == name.lower() else one for one in thread.labels]

    async def own_reactions(self, repository: Repository, number: int) -> Sequence[str]:
        """Return what the bot reacted with."""
        with self._doing("own_reactions", number, repository):
            found = thread_of(self._of(repository), number).reactions
            return [reaction for login, reaction in found if login == self.bot_account.login]

    async def add_reaction(self, repository: Repository, number: int, reaction: str) -> None:
        """React to a thread; the same reaction again is success."""
        with self._doing("add_reaction", number, repository):
            found = thread_of(self._of(repository), number).reactions
            if (self.bot_account.login, reaction) not in found:
                found.append((self.bot_account.login, reaction))

    async def own_comment_reactions(self, repository: Repository, comment_id: int) -> Sequence[str]:
        """Return what the bot reacted with on a comment."""
        with self._doing("own_comment_reactions", comment_id, repository):
            thread, _ = _comment(self._of(repository), comment_id)
            return thread.reactions_on(comment_id, self.bot_account.login)

    async def add_comment_reaction(self, repository: Repository, comment_id: int, reaction: str) -> None:
        """React to a comment; the same reaction again is success."""
        with self._doing("add_comment_reaction", comment_id, repository):
            thread, _ = _comment(self._of(repository), comment_id)
            if reaction not in thread.reactions_on(comment_id, self.bot_account.login):
                thread.comment_reactions.append((comment_id, self.bot_account.login, reaction))

    async def default_branch(self, repository: Repository) -> str:
        """Return the name of the default branch now."""
        with self._doing("default_branch", None, repository):
            return self._of(repository).info.default_branch

    async def pull_request(self, repository: Repository, number: int) -> ForgePullRequest:
        """Return a pull request as it is now."""
        with self._doing("pull_request", number, repository):
            return self._pull(repository, thread_of(self._of(repository), number))

    async def pull_requests_by_head(self, repository: Repository, branch: str) -> Sequence[ForgePullRequest]:
        """Return open and closed pull requests of a branch, newest first."""
        with self._doing("pull_requests_by_head", branch, repository):
            threads = self._of(repository).threads.values()
            found = [one for one in threads if one.pull and one.pull.head == branch and one.pull.in_repository]
            return [self._pull(repository, one) for one in reversed(found)]

    async def open_pull_request(
        self, repository: Repository, *, title: str, body: str, head: str, base: str, draft: bool
    ) -> ForgePullRequest:
        """Open a pull request of a branch that has none open."""
        with self._doing("open_pull_request", head, repository):
            found = self._of(repository)
            if any(one.open and one.pull and one.pull.head == head for one in found.threads.values()):
                raise Invalid(f"a pull request of {head} is open", code="forge.already_exists")
            if not {head, base} <= found.branches.keys():
                raise Invalid("head or base is no branch", code="forge.invalid")
            number, now = next(found.numbers), self._clock.now()
            made = FakeThread(number, title, checked(body), self.bot_account, now)
            made.pull = FakePull(head, base, found.branches[head], draft)
            found.threads[number] = made
            return self._pull(repository, made)

    async def update_pull_request(
        self, repository: Repository, number: int, *, title: str | None, body: str
    ) -> ForgePullRequest:
        """Replace the text of a pull request, and its title unless None."""
        with self._doing("update_pull_request", number, repository):
            thread = thread_of(self._of(repository), number)
            self._pull(repository, thread)
            thread.title, thread.body = title if title is not None else thread.title, checked(body)
            thread.updated_at = self._clock.now()
            return self._pull(repository, thread)

    async def post_review(
        self, repository: Repository, number: int, *, commit_sha: str, body: str, remarks: Sequence[NewRemark]
    ) -> ForgeComment:
        """Post one review of type comment. Of a pull request whose diff is known, a remark outside it is refused."""
        with self._doing("post_review", number, repository):
            thread = thread_of(self._of(repository), number)
            if thread.pull is None:
                raise NotFound(f"#{number} is no pull request", code="forge.not_found")
            shown = thread.pull.shown
            if shown is not None and any(one.line not in shown.get(one.path, ()) for one in remarks):
                raise Invalid("a line must be part of the diff")
            return self._reviewed(self._of(repository), thread, thread.pull, body, remarks)

    async def rate(self, repository: Repository) -> Sequence[Quota]:
        """Return what is left of the limits of each purpose; no request is made for it."""
        self._meet("rate", repository, after=False)
        reset = self._clock.now() + timedelta(hours=1)
        number = repository.forge_repository_id
        whose = {purpose: self.installation_of(number, purpose) for purpose in ("bot", "management")}
        reading = (RateReading("core", self.remaining, LIMIT, reset),)
        return [Quota(purpose, installation, reading) for purpose, installation in whose.items()]

    # ForgeThreads

    async def thread(self, repository: Repository, number: int) -> ForgeThread | None:
        """Return the thread as it is now, or None when it is gone."""
        with self._doing("thread", number, repository):
            found = self._of(repository).threads.get(number)
            return None if found is None else _as_thread(found)

    async def pull(self, repository: Repository, number: int) -> ForgePull | None:
        """Return the pull request as it is now, or None when it is gone."""
        with self._doing("pull", number, repository):
            thread = self._of(repository).threads.get(number)
            if thread is None or thread.pull is None:
                return None
            half, labels = thread.pull, tuple(thread.labels)
            return ForgePull(
                number=number,
                open=thread.open,
                merged=half.merged,
                merged_at=half.merged_at,
                head_sha=half.head_sha,
                in_repository=half.in_repository,
                labels=labels,
                updated_at=thread.updated_at,
                branch=half.head,
                base_branch=half.base,
                url=self._url(repository, thread),
                closes=tuple(int(number) for number in CLOSES.findall(thread.body)),
            )

    async def reviews(self, repository: Repository, number: int) -> Sequence[ForgeReview]:
        """Return the submitted reviews, oldest first."""
        with self._doing("reviews", number, repository):
            half = thread_of(self._of(repository), number).pull
            return list(half.reviews) if half is not None else []

    async def remarks(self, repository: Repository, number: int, since: datetime) -> Sequence[ForgeRemark]:
        """Return the comments written at or after ``since``, oldest first."""
        with self._doing("remarks", number, repository):
            said = thread_of(self._of(repository), number).comments
            return [
                ForgeRemark(one.id, one.body, one.created_at, one.author_type, one.author, one.author_id)
                for one in said
                if one.created_at >= since
            ]

    async def permission(self, repository: Repository, login: str) -> str:
        """Return the account's role."""
        with self._doing("permission", login, repository):
            known = {name.lower(): role for name, role in self._of(repository).roles.items()}
            return known.get(login.lower(), "none")

    async def acts(self, repository: Repository, number: int) -> Sequence[ThreadAct]:
        """Return the thread's label events, oldest first."""
        with self._doing("acts", number, repository):
            return list(thread_of(self._of(repository), number).acts)

    async def updated_threads(self, repository: Repository, since: datetime | None, etag: str | None) -> UpdatedThreads:
        """Return threads updated at or after ``since`` (None: all open ones), least lately updated first."""
        with self._doing("updated_threads", since, repository):
            every = self._of(repository).threads.values()
            found = [one for one in every if one.open or since is not None]
            found = [one for one in found if since is None or one.updated_at >= since]
            threads = tuple(sorted(map(_as_thread, found), key=lambda one: (one.updated_at, one.number)))
            tag = None if since is None else f'W/"{hash(threads):x}"'
            return UpdatedThreads((), etag, True) if tag and tag == etag else UpdatedThreads(threads, tag, False)

    # ForgeDirectory

    async def repository(self, api_url: str, token: str, full_name: str) -> ForgeRepository:
        """Return the repository a token may see."""
        with self._doing("repository", full_name):
            self._authenticated(token)
            if full_name.count("/") != 1 or not all(full_name.split("/")):
                raise Invalid(f"{full_name!r} is no repository; write it as owner/name")
            for one in self.repositories.values():
                if one.info.full_name.lower() == full_name.lower():
                    return one.info
            raise NotFound(f"no repository {full_name}", code="forge.not_found")

    async def account(self, api_url: str, token: str) -> ForgeAccount:
        """Return whose token this is."""
        with self._doing("account", None):
            return self._authenticated(token)

    async def user(self, api_url: str, token: str, login: str) -> ForgeAccount:
        """Return the account of ``login``."""
        with self._doing("user", login):
            self._authenticated(token)
            if login not in self.accounts:
                raise NotFound(f"no account {login}", code="forge.not_found")
            return self.accounts[login]

    async def installation_token(self, api_url: str, app_id: int, private_key: str, installation_id: int) -> str:
        """Mint a token that counts as the bot's."""
        with self._doing("installation_token", installation_id):
            token = f"minted-{next(self._ids)}"
            self.tokens[token] = self.bot_account
            return token

    # Insides

    @contextmanager
    def _doing(self, act: str, what: object, repository: Repository | None = None) -> Iterator[None]:
        self.calls.append((act, what))
        self._meet(act, repository, after=False)
        yield
        self._meet(act, repository, after=True)

    def _meet(self, act: str, repository: Repository | None, *, after: bool) -> None:
        for fault in self._faults:
            if (fault.act, fault.after) == (act, after):
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
                raise self._named(fault.error, act, repository)

    def _named(self, error: StagewrightError, act: str, repository: Repository | None) -> StagewrightError:
        """Say in a limit's and a credential's failure whose they are, as the adapter does."""
        if repository is not None and isinstance(error, LimitReached | Unauthenticated):
            purpose = "management" if act in MANAGED else "bot"
            whose = {"installation": self.installation_of(repository.forge_repository_id, purpose), "purpose": purpose}
            bucket = {"bucket": "content" if act in CONTENT else "core"} if isinstance(error, LimitReached) else {}
            error = copy(error)  # one fault may be met by several repositories
            error.params = whose | bucket | error.params
        return error

    def _of(self, repository: Repository) -> FakeRepository:
        found = self.repositories.get(repository.forge_repository_id)
        if found is None:
            raise NotFound(f"no repository {repository.full_name}", code="forge.not_found")
        return found

    def _authenticated(self, token: str) -> ForgeAccount:
        if token not in self.tokens:
            raise Unauthenticated("the token does not count", code="forge.unauthenticated")
        return self.tokens[token]

    def _association(self, repository: Repository, account: ForgeAccount) -> str:
        role = self._of(repository).roles.get(account.login, "none")
        return "NONE" if role == "none" else "COLLABORATOR"

    def _url(self, repository: Repository, thread: FakeThread) -> str:
        kind = "issues" if thread.pull is None else "pull"
        return f"{self._of(repository).info.web_url}/{kind}/{thread.number}"

    def _pull(self, repository: Repository, thread: FakeThread) -> ForgePullRequest:
        pull = thread.pull
        if pull is None:
            raise NotFound(f"#{thread.number} is no pull request", code="forge.not_found")
        return ForgePullRequest(
            number=thread.number,
            url=self._url(repository, thread),
            state="open" if thread.open else "closed",
            merged=pull.merged,
            draft=pull.draft,
            title=thread.title,
            body=thread.body,
            head_branch=pull.head,
            head_sha=pull.head_sha,
            head_in_repository=pull.in_repository,
            base_branch=pull.base,
            labels=tuple(thread.labels),
            author=thread.author.login,
            association=self._association(repository, thread.author),
        )


def _comment(repository: FakeRepository, comment_id: int) -> tuple[FakeThread, int]:
    for thread in repository.threads.values():
        for index, one in enumerate(thread.comments):
            if one.id == comment_id:
                return thread, index
    raise NotFound(f"no comment {comment_id}", code="forge.not_found")


def _as_thread(found: FakeThread) -> ForgeThread:
    return ForgeThread(found.number, found.pull is not None, found.open, tuple(found.labels), found.updated_at)


def _name(label: str) -> str:
    if label.strip() in ("", ".", ".."):
        raise Invalid(f"{label!r} is no label")
    return label

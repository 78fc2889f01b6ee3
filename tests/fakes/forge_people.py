"""What the forge in memory remembers, and what people do on it."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from stagewright.contexts.intake.ports import ForgeReview, ThreadAct
from stagewright.contexts.projects.model import ForgeAccount, ForgeRepository
from stagewright.contexts.runs.ports import (
    ForgeComment,
    ForgeLabel,
    ForgeRemarks,
    NewRemark,
)
from stagewright.kit.clock import Clock
from stagewright.kit.errors import (
    FieldProblem,
    NotFound,
    TooLarge,
)

PERSON = ForgeAccount(1, "ann", "User")
BOT = ForgeAccount(2, "stagewright-bot", "User")
LONGEST_BODY = 65_536
CLOSES = re.compile(r"(?i)\bcloses #(\d+)")


@dataclass
class FakePull:
    """The half of a pull request that an issue does not have."""

    head: str
    base: str
    head_sha: str
    draft: bool = False
    merged: bool = False
    merged_at: datetime | None = None
    in_repository: bool = True
    reviews: list[ForgeReview] = field(default_factory=list)
    texts: list[ForgeComment] = field(default_factory=list)
    remarks: list[ForgeRemarks] = field(default_factory=list)
    shown: dict[str, set[int]] | None = None


@dataclass
class FakeThread:
    """An issue, or a pull request when ``pull`` is set."""

    number: int
    title: str
    body: str
    author: ForgeAccount
    updated_at: datetime
    open: bool = True
    labels: list[str] = field(default_factory=list)
    comments: list[ForgeComment] = field(default_factory=list)
    acts: list[ThreadAct] = field(default_factory=list)
    reactions: list[tuple[str, str]] = field(default_factory=list)
    comment_reactions: list[tuple[int, str, str]] = field(default_factory=list)
    pull: FakePull | None = None

    def reactions_on(self, comment_id: int, login: str) -> list[str]:
        """Return the reactions of ``login`` on a comment."""
        return [one for where, who, one in self.comment_reactions if (where, who) == (comment_id, login)]


@dataclass
class FakeRepository:
    """A repository: labels by lower-case name, roles by login, branches by name."""

    info: ForgeRepository
    labels: dict[str, ForgeLabel] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    threads: dict[int, FakeThread] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))


class ForgePeople:
    """Repositories, accounts and threads; every act of a person changes them as the forge would."""

    def __init__(self, clock: Clock, bot: ForgeAccount) -> None:
        self._clock = clock
        self._ids = itertools.count(1000)
        self.bot_account = bot
        self.accounts: dict[str, ForgeAccount] = {one.login: one for one in (PERSON, bot)}
        self.repositories: dict[int, FakeRepository] = {}
        self.installations: dict[int, str] = {}

    def add_repository(self, full_name: str = "acme/shop", *, default_branch: str = "main") -> ForgeRepository:
        """Make a repository with a default branch; the bot may write to it."""
        number, web = next(self._ids), f"http://forge.test/{full_name}"
        info = ForgeRepository(number, full_name, default_branch, web, f"{web}.git", private=False)
        made = FakeRepository(info, roles={self.bot_account.login: "write"}, branches={default_branch: "0" * 40})
        self.repositories[number] = made
        return info

    def install(self, repository_id: int, installation: str) -> None:
        """Let the repository draw on the limits of an App's installation, for both purposes."""
        self.installations[repository_id] = installation

    def installation_of(self, repository_id: int, purpose: str) -> str:
        """Return whose limits requests draw on: the installation's, else those of one token per purpose."""
        return self.installations.get(repository_id) or f"token:{purpose}:{repository_id}"

    def add_account(self, login: str, *, type: str = "User") -> ForgeAccount:  # noqa: A002 - the field's name
        """Make an account."""
        return self.accounts.setdefault(login, ForgeAccount(next(self._ids), login, type))

    def set_role(self, repository_id: int, login: str, role: str) -> None:
        """Give an account a role."""
        self.add_account(login)
        self.repositories[repository_id].roles[login] = role

    def open_issue(
        self, repository_id: int, title: str = "A task", body: str = "", *, labels: Sequence[str] = (), by: str = "ann"
    ) -> int:
        """Open an issue as a person."""
        repository = self.repositories[repository_id]
        made = FakeThread(next(repository.numbers), title, body, self.add_account(by), self._clock.now())
        repository.threads[made.number] = made
        for label in labels:
            self._add_label(repository, made, label, made.author)
        return made.number

    def person_opens(self, repository_id: int, *, head: str, base: str = "main", by: str = "ann") -> int:
        """Open a pull request as a person."""
        repository = self.repositories[repository_id]
        made = FakeThread(next(repository.numbers), f"Work on {head}", "", self.add_account(by), self._clock.now())
        made.pull = FakePull(head, base, repository.branches[head])
        repository.threads[made.number] = made
        return made.number

    def person_comments(self, repository_id: int, number: int, body: str, *, by: str = "ann") -> ForgeComment:
        """Write a comment as a person."""
        repository = self.repositories[repository_id]
        return self._comment(repository, thread_of(repository, number), body, self.add_account(by))

    def person_labels(self, repository_id: int, number: int, label: str, *, by: str = "ann") -> None:
        """Put a label on a thread as a person."""
        repository = self.repositories[repository_id]
        self._add_label(repository, thread_of(repository, number), label, self.add_account(by))

    def person_unlabels(self, repository_id: int, number: int, label: str, *, by: str = "ann") -> None:
        """Take a label off a thread as a person."""
        self._remove_label(thread_of(self.repositories[repository_id], number), label, self.add_account(by))

    def close(self, repository_id: int, number: int, *, merged: bool = False, by: str = "ann") -> None:
        """Close or merge a thread as a person."""
        thread = thread_of(self.repositories[repository_id], number)
        thread.open = False
        self._act(thread, "closed", None, self.add_account(by))
        if thread.pull is not None:
            thread.pull.merged = merged
            thread.pull.merged_at = thread.updated_at if merged else None

    def reopen(self, repository_id: int, number: int) -> None:
        """Reopen a thread as a person."""
        thread = thread_of(self.repositories[repository_id], number)
        thread.open = True
        thread.updated_at = self._clock.now()

    def review(
        self,
        repository_id: int,
        number: int,
        state: str = "approved",
        *,
        by: str = "ann",
        body: str = "",
        at_line: tuple[str, int, str] | None = None,
    ) -> None:
        """Review a pull request as a person, or (``dismissed``) take that person's reviews back.

        ``at_line``: a path, a line of it, and what is said there.
        """
        thread, author = thread_of(self.repositories[repository_id], number), self.accounts[by]
        assert thread.pull is not None
        made = ForgeReview(state, self._clock.now(), author.type, author.login, author.id)
        repository = self.repositories[repository_id]
        if body:
            thread.pull.texts.append(self._said(repository, thread, body, author))
        if at_line is not None:
            path, line, remark = at_line
            said = self._said(repository, thread, remark, author)
            thread.pull.remarks.append(ForgeRemarks(path, line, (said,)))
        if state == "dismissed":
            thread.pull.reviews = [made if one.author_login == by else one for one in thread.pull.reviews]
        else:
            thread.pull.reviews.append(made)
        thread.updated_at = self._clock.now()

    def forget_thread(self, repository_id: int, number: int) -> None:
        """Make a thread disappear, as a deletion or a move does."""
        del self.repositories[repository_id].threads[number]

    def _comment(self, repository: FakeRepository, thread: FakeThread, body: str, by: ForgeAccount) -> ForgeComment:
        made = self._said(repository, thread, body, by)
        thread.comments.append(made)
        thread.updated_at = made.created_at
        return made

    def _reviewed(
        self, repository: FakeRepository, thread: FakeThread, pull: FakePull, body: str, remarks: Sequence[NewRemark]
    ) -> ForgeComment:
        """Keep a review of type comment by the bot."""
        bot, said = self.bot_account, self._said(repository, thread, body, self.bot_account)
        pull.texts.append(said)
        pull.reviews.append(ForgeReview("commented", said.created_at, bot.type, bot.login, bot.id))
        for one in remarks:
            there = self._said(repository, thread, one.body, bot)
            pull.remarks.append(ForgeRemarks(one.path, one.line, (there,)))
        thread.updated_at = said.created_at
        return said

    def _said(self, repository: FakeRepository, thread: FakeThread, body: str, by: ForgeAccount) -> ForgeComment:
        number = next(self._ids)
        return ForgeComment(
            id=number,
            url=f"{repository.info.web_url}/issues/{thread.number}#issuecomment-{number}",
            body=checked(body),
            author=by.login,
            author_id=by.id,
            author_type=by.type,
            association="NONE" if repository.roles.get(by.login, "none") == "none" else "COLLABORATOR",
            created_at=self._clock.now(),
        )

    def _add_label(self, repository: FakeRepository, thread: FakeThread, label: str, by: ForgeAccount) -> None:
        known = repository.labels.setdefault(label.lower(), ForgeLabel(label, "ededed", "")).name
        if known not in thread.labels:
            thread.labels.append(known)
            self._act(thread, "labeled", known, by)

    def _remove_label(self, thread: FakeThread, label: str, by: ForgeAccount) -> None:
        for known in [one for one in thread.labels if one.lower() == label.lower()]:
            thread.labels.remove(known)
            self._act(thread, "unlabeled", known, by)

    def _act(self, thread: FakeThread, action: str, label: str | None, by: ForgeAccount) -> None:
        now = self._clock.now()
        thread.acts.append(ThreadAct(action, label, now, by.type, by.login, by.id))
        thread.updated_at = now


def thread_of(repository: FakeRepository, number: int) -> FakeThread:
    """Return a thread. Raises ``NotFound``."""
    found = repository.threads.get(number)
    if found is None:
        raise NotFound(f"no thread {number}", code="forge.not_found")
    return found


def checked(body: str) -> str:
    """Return a text that is short enough. Raises ``TooLarge``."""
    if len(body) > LONGEST_BODY:
        raise TooLarge("the text is too long", problems=(FieldProblem("/body", "too_large", "shorten it"),))
    return body

"""The port ``Forge``: acts and reads on a bound repository. Labels go as management, all the rest as bot."""

from collections.abc import Sequence

from stagewright.adapters.github import structs, words
from stagewright.adapters.github.access import LABELS, THREADS, Need
from stagewright.adapters.github.bots import Bots
from stagewright.adapters.github.client import PAGE, Client, Place, at
from stagewright.adapters.github.rates import CONTENT
from stagewright.adapters.github.wire import Wire, decoded
from stagewright.contexts.projects.model import Repository
from stagewright.contexts.runs.ports import (
    BotIdentity,
    ForgeComment,
    ForgeFeedback,
    ForgeIssue,
    ForgeLabel,
    ForgePullRequest,
    NewRemark,
    Quota,
)
from stagewright.kit.errors import Invalid, NotFound

NO_SUCH_LABEL = "label does not exist"


class GitHubForge:
    """GitHub as the runs use it. Errors are those of the port."""

    def __init__(self, wire: Wire, client: Client) -> None:
        self._wire = wire
        self._client = client
        self._bots = Bots(wire, client.access)

    async def bot(self, repository: Repository) -> BotIdentity:
        """Return who the platform is there."""
        return await self._bots.of(repository)

    async def issue(self, repository: Repository, number: int) -> ForgeIssue:
        """Return an Issue or pull request with its text."""
        found = await self._client.get(repository, THREADS, at("/issues/{number}", number=number), structs.Issue)
        return words.issue(found)

    async def comments(self, repository: Repository, number: int) -> Sequence[ForgeComment]:
        """Return all comments of a thread, oldest first."""
        place = at("/issues/{number}/comments", PAGE, number=number)
        return [words.comment(one) for one in await self._client.pages(repository, THREADS, place, structs.Comment)]

    async def feedback(self, repository: Repository, number: int) -> ForgeFeedback:
        """Return what people said in reviews, oldest first; a pending review is nobody's word yet."""
        reviews = await self._client.pages(
            repository, THREADS, at("/pulls/{number}/reviews", PAGE, number=number), structs.Review
        )
        comments = await self._client.pages(
            repository, THREADS, at("/pulls/{number}/comments", PAGE, number=number), structs.ReviewComment
        )
        return words.feedback(reviews, comments)

    async def create_comment(self, repository: Repository, number: int, body: str) -> ForgeComment:
        """Write a comment."""
        place = at("/issues/{number}/comments", number=number)
        data = {"body": words.checked_body(body)}
        answer = await self._client.write("POST", repository, THREADS, place, data, bucket=CONTENT)
        return words.comment(decoded(answer, structs.Comment, write=True))

    async def update_comment(self, repository: Repository, comment_id: int, body: str) -> ForgeComment:
        """Replace the text of a comment."""
        place = at("/issues/comments/{id}", id=comment_id)
        data = {"body": words.checked_body(body)}
        answer = await self._client.write("PATCH", repository, THREADS, place, data, bucket=CONTENT)
        return words.comment(decoded(answer, structs.Comment, write=True))

    async def delete_comment(self, repository: Repository, comment_id: int) -> None:
        """Delete a comment; ``NotFound`` when it is gone."""
        place = at("/issues/comments/{id}", id=comment_id)
        await self._client.write("DELETE", repository, THREADS, place, bucket=CONTENT)

    async def labels_of(self, repository: Repository, number: int) -> Sequence[str]:
        """Return the labels of a thread."""
        place = at("/issues/{number}/labels", PAGE, number=number)
        return [label.name for label in await self._client.pages(repository, LABELS, place, structs.Label)]

    async def add_label(self, repository: Repository, number: int, label: str) -> None:
        """Put a label on a thread; one that is there already is success."""
        place = at("/issues/{number}/labels", number=number)
        await self._client.write("POST", repository, LABELS, place, {"labels": [words.checked_name(label, "label")]})

    async def remove_label(self, repository: Repository, number: int, label: str) -> None:
        """Take a label off a thread; one that is not there is success, a thread that is gone is ``NotFound``."""
        place = at("/issues/{number}/labels/{label}", number=number, label=words.checked_name(label, "label"))
        try:
            await self._client.write("DELETE", repository, LABELS, place)
        except NotFound as error:
            if NO_SUCH_LABEL in str(error).lower():
                return
            if label.lower() in {name.lower() for name in await self.labels_of(repository, number)}:
                raise

    async def repository_labels(self, repository: Repository) -> Sequence[ForgeLabel]:
        """Return the repository's labels."""
        found = await self._client.pages(repository, LABELS, at("/labels", PAGE), structs.Label)
        return [words.label(one) for one in found]

    async def create_label(self, repository: Repository, label: ForgeLabel) -> None:
        """Define a label; one that was defined meanwhile gets this look."""
        data = {"name": words.checked_name(label.name, "label"), "color": label.color, "description": label.description}
        try:
            await self._client.write("POST", repository, LABELS, at("/labels"), data)
        except Invalid as error:
            if error.stable_code != "forge.already_exists":
                raise
            await self.update_label(repository, label.name, label)

    async def update_label(self, repository: Repository, name: str, label: ForgeLabel) -> None:
        """Rename a label or change its look."""
        place = at("/labels/{name}", name=words.checked_name(name, "label"))
        look = {"color": label.color, "description": label.description}
        await self._client.write("PATCH", repository, LABELS, place, {"new_name": label.name} | look)

    async def own_reactions(self, repository: Repository, number: int) -> Sequence[str]:
        """Return what the bot reacted with to a thread."""
        return await self._own_reactions(repository, at("/issues/{number}/reactions", PAGE, number=number))

    async def _own_reactions(self, repository: Repository, place: Place) -> Sequence[str]:
        me = (await self.bot(repository)).login.lower()
        found = await self._client.pages(repository, THREADS, place, structs.Reaction)
        return [one.content for one in found if one.user is not None and one.user.login.lower() == me]

    async def own_comment_reactions(self, repository: Repository, comment_id: int) -> Sequence[str]:
        """Return what the bot reacted with on a comment."""
        return await self._own_reactions(repository, at("/issues/comments/{id}/reactions", PAGE, id=comment_id))

    async def add_comment_reaction(self, repository: Repository, comment_id: int, reaction: str) -> None:
        """React to a comment; the same reaction again is success."""
        place = at("/issues/comments/{id}/reactions", id=comment_id)
        await self._client.write("POST", repository, THREADS, place, {"content": reaction})

    async def add_reaction(self, repository: Repository, number: int, reaction: str) -> None:
        """React to a thread; the same reaction again is success."""
        place = at("/issues/{number}/reactions", number=number)
        await self._client.write("POST", repository, THREADS, place, {"content": reaction})

    async def default_branch(self, repository: Repository) -> str:
        """Return the name of the default branch now."""
        return (await self._client.get(repository, THREADS, at(""), structs.Repository)).default_branch

    async def pull_request(self, repository: Repository, number: int) -> ForgePullRequest:
        """Return a pull request as it is now."""
        place = at("/pulls/{number}", number=number)
        return words.pull_request(await self._client.get(repository, THREADS, place, structs.PullRequest), repository)

    async def pull_requests_by_head(self, repository: Repository, branch: str) -> Sequence[ForgePullRequest]:
        """Return open and closed pull requests of a branch of the repository itself, newest first."""
        owner = repository.full_name.partition("/")[0]
        query = {"head": f"{owner}:{words.checked_name(branch, 'branch')}", "state": "all", **PAGE}
        found = await self._client.pages(repository, THREADS, at("/pulls", query), structs.PullRequest)
        pulls = [words.pull_request(one, repository) for one in found]
        return [one for one in pulls if one.head_branch == branch and one.head_in_repository]

    async def open_pull_request(
        self, repository: Repository, *, title: str, body: str, head: str, base: str, draft: bool
    ) -> ForgePullRequest:
        """Open a pull request; ``Invalid`` with code ``forge.already_exists`` when the branch has an open one."""
        data = {"title": title, "body": words.checked_body(body), "head": head, "base": base, "draft": draft}
        answer = await self._client.write("POST", repository, THREADS, at("/pulls"), data, bucket=CONTENT)
        return words.pull_request(decoded(answer, structs.PullRequest, write=True), repository)

    async def update_pull_request(
        self, repository: Repository, number: int, *, title: str | None, body: str
    ) -> ForgePullRequest:
        """Replace the text of a pull request, and its title unless None."""
        data = {"body": words.checked_body(body)} | ({} if title is None else {"title": title})
        place = at("/pulls/{number}", number=number)
        answer = await self._client.write("PATCH", repository, THREADS, place, data, bucket=CONTENT)
        return words.pull_request(decoded(answer, structs.PullRequest, write=True), repository)

    async def post_review(
        self, repository: Repository, number: int, *, commit_sha: str, body: str, remarks: Sequence[NewRemark]
    ) -> ForgeComment:
        """Post one review of type comment, which approves nothing and refuses nothing."""
        comments = [
            {"path": remark.path, "line": remark.line, "side": "RIGHT", "body": words.checked_body(remark.body)}
            for remark in remarks
        ]
        data = {"commit_id": commit_sha, "event": "COMMENT", "body": words.checked_body(body), "comments": comments}
        place = at("/pulls/{number}/reviews", number=number)
        answer = await self._client.write("POST", repository, THREADS, place, data, bucket=CONTENT)
        return words.posted_review(decoded(answer, structs.Review, write=True))

    async def rate(self, repository: Repository) -> Sequence[Quota]:
        """Return whose limits the bot's and the management credential draw on, and what their last answers said."""
        return [await self._quota(repository, need) for need in (THREADS, LABELS)]

    async def _quota(self, repository: Repository, need: Need) -> Quota:
        installation = await self._client.installation(repository, need)
        return Quota(need.purpose, installation, tuple(self._wire.rates.of(installation)))

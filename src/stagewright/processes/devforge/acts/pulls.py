"""Pull requests: opening, editing, merging, asking for reviews."""

from collections.abc import Sequence

from stagewright.processes.devforge.acts.announce import announce_thread
from stagewright.processes.devforge.acts.pushes import Moved, refs_moved
from stagewright.processes.devforge.acts.threads import close_thread, new_thread, record, reopen_thread, touch
from stagewright.processes.devforge.git import changes as diffs
from stagewright.processes.devforge.git import objects, writing
from stagewright.processes.devforge.model import Issue, Pull, Repo, User
from stagewright.processes.devforge.problems import ApiProblem, invalid
from stagewright.processes.devforge.shapes.gitobjects import noreply
from stagewright.processes.devforge.shapes.people import simple_user
from stagewright.processes.devforge.state import Actor, Forge


async def open_pull(
    forge: Forge, repo: Repo, actor: Actor, *, title: str, body: str | None, head: str, base: str, draft: bool
) -> Issue:
    """Open a pull request from ``head`` (a branch of this repository) into ``base``."""
    heads = await objects.branches(repo.path)
    for field, name in (("head", head), ("base", base)):
        if name not in heads:
            raise invalid("PullRequest", field)
    if find_open_pull(repo, head, base):
        told = f"A pull request already exists for {repo.owner.login}:{head}."
        raise _custom(told)
    ahead, _ = await objects.ahead_behind(repo.path, heads[base], heads[head])
    if ahead == 0:
        raise _custom(f"No commits between {base} and {head}")
    thread = new_thread(forge, repo, actor, title=title, body=body)
    thread.pull = Pull(
        id=forge.next_id(), base_ref=base, base_sha=heads[base], head_ref=head, head_sha=heads[head], draft=draft
    )
    await writing.point_ref(repo.path, f"refs/pull/{thread.number}/head", heads[head])
    await announce_thread(forge, repo, thread, actor, "opened")
    return thread


def find_open_pull(repo: Repo, head: str, base: str) -> Issue | None:
    """Return the open pull request between two branches."""
    for thread in repo.issues.values():
        pull = thread.pull
        if pull and thread.state == "open" and (pull.head_ref, pull.base_ref) == (head, base):
            return thread
    return None


async def change_base(forge: Forge, repo: Repo, thread: Issue, actor: Actor, base: str) -> None:
    """Point a pull request at another base branch."""
    pull = pull_half(thread)
    heads = await objects.branches(repo.path)
    if base not in heads:
        raise invalid("PullRequest", "base")
    if base == pull.base_ref:
        return
    changes = {"base": {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}}
    pull.base_ref, pull.base_sha = base, heads[base]
    touch(forge, thread)
    await announce_thread(forge, repo, thread, actor, "edited", changes=changes)


async def reopen_pull(forge: Forge, repo: Repo, thread: Issue, actor: Actor) -> None:
    """Open a closed pull request again, unless it was merged or its branch is gone."""
    pull = pull_half(thread)
    heads = await objects.branches(repo.path)
    if thread.state == "closed" and (pull.merged_at is not None or pull.head_ref not in heads):
        raise invalid("PullRequest", "state")
    if thread.state == "closed":
        pull.head_sha, pull.base_sha = heads[pull.head_ref], heads.get(pull.base_ref, pull.base_sha)
    await reopen_thread(forge, repo, thread, actor)


async def merge_pull(
    forge: Forge, repo: Repo, thread: Issue, actor: Actor, *, squash: bool, title: str | None, message: str | None
) -> str:
    """Merge a pull request into its base and return the new commit; closing keywords close their issues."""
    pull = pull_half(thread)
    base = (await objects.branches(repo.path)).get(pull.base_ref)
    tree = None if base is None else await writing.merged_tree(repo.path, base, pull.head_sha)
    if thread.state == "closed" or base is None or tree is None:
        raise ApiProblem(405, "Pull Request is not mergeable")
    person = writing.Person(actor.user.name or actor.user.login, actor.user.email or noreply(actor.user))
    headline = title or (
        f"{thread.title} (#{thread.number})"
        if squash
        else f"Merge pull request #{thread.number} from {repo.owner.login}/{pull.head_ref}"
    )
    text = f"{headline}\n\n{message if message is not None else thread.title}\n"
    parents = (base,) if squash else (base, pull.head_sha)
    made = await writing.commit_tree(repo.path, tree, parents, text, author=person, committer=person, at=forge.now())
    if not await writing.move_ref(repo.path, f"refs/heads/{pull.base_ref}", made, base):
        raise ApiProblem(409, "Base branch was modified. Review and try the merge again.")
    pull.merged_at, pull.merged_by, pull.merge_commit_sha = forge.now(), actor.user, made
    record(forge, thread, actor, "merged", commit_id=made)
    await close_thread(forge, repo, thread, actor)
    await refs_moved(forge, repo, actor, [Moved(f"refs/heads/{pull.base_ref}", base, made)], also=thread)
    return made


async def request_reviewers(forge: Forge, repo: Repo, thread: Issue, actor: Actor, users: Sequence[User]) -> None:
    """Ask people for a review; the author cannot be asked."""
    pull = pull_half(thread)
    if thread.user in users:
        raise ApiProblem(422, "Review cannot be requested from pull request author.")
    for user in users:
        if user not in pull.reviewers:
            pull.reviewers.append(user)
            record(forge, thread, actor, "review_requested", review_requester=actor.user, requested_reviewer=user)
            touch(forge, thread)
            await announce_thread(
                forge, repo, thread, actor, "review_requested", requested_reviewer=simple_user(forge, user)
            )


async def withdraw_reviewers(forge: Forge, repo: Repo, thread: Issue, actor: Actor, users: Sequence[User]) -> None:
    """Take back requests for a review."""
    pull = pull_half(thread)
    for user in [user for user in users if user in pull.reviewers]:
        pull.reviewers.remove(user)
        record(forge, thread, actor, "review_request_removed", review_requester=actor.user, requested_reviewer=user)
        touch(forge, thread)
        await announce_thread(
            forge, repo, thread, actor, "review_request_removed", requested_reviewer=simple_user(forge, user)
        )


async def pull_files(repo: Repo, pull: Pull) -> list[diffs.Change]:
    """Return what a pull request changes, from where it left its base."""
    return await diffs.changes(repo.path, await pull_start(repo, pull), pull.head_sha)


async def pull_start(repo: Repo, pull: Pull) -> str:
    """Return the commit a pull request is compared with."""
    return await objects.merge_base(repo.path, pull.base_sha, pull.head_sha) or pull.base_sha


def pull_half(thread: Issue) -> Pull:
    """Return the pull request's half of a thread that has one."""
    assert thread.pull is not None, "the caller has looked the pull request up"
    return thread.pull


def _custom(message: str) -> ApiProblem:
    error = {"resource": "PullRequest", "code": "custom", "message": message}
    return ApiProblem(422, "Validation Failed", errors=[error])

"""The git database: refs, commits, trees, blobs, comparisons."""

from typing import Any

from stagewright.processes.devforge.acts.pushes import Moved, refs_moved
from stagewright.processes.devforge.git import changes, objects, writing
from stagewright.processes.devforge.git.command import EMPTY_TREE, ZERO
from stagewright.processes.devforge.model import Repo
from stagewright.processes.devforge.problems import ApiProblem, not_found
from stagewright.processes.devforge.rest.call import READ_CONTENTS, WRITE_CONTENTS, Answer, Call, Route
from stagewright.processes.devforge.shapes import gitobjects
from stagewright.processes.devforge.state import Forge

MOST_COMMITS = 250


async def get_ref(call: Call) -> Answer:
    """Return one ref, named without ``refs/``."""
    name = f"refs/{call.path['ref']}"
    return Answer(await _shown_ref(call, name, await _sha_of(call, name)))


async def list_matching_refs(call: Call) -> Answer:
    """List the refs whose names start with what is given."""
    start = f"refs/{call.path.get('ref', '')}"
    found = await objects.refs(call.repo.path)
    return Answer([await _shown_ref(call, name, sha) for name, sha in found.items() if name.startswith(start)])


async def create_ref(call: Call) -> Answer:
    """Make a branch or a tag at a commit."""
    name, sha = call.required("ref", "Reference"), call.required("sha", "Reference")
    if not name.startswith(("refs/heads/", "refs/tags/")) or not objects.valid_branch(name):
        raise ApiProblem(422, "Reference name must start with 'refs/' and be a valid branch or tag name")
    if await objects.object_type(call.repo.path, sha) is None:
        raise ApiProblem(422, "Object does not exist")
    if not await writing.move_ref(call.repo.path, name, sha, ZERO):
        raise ApiProblem(422, "Reference already exists")
    await refs_moved(call.forge, call.repo, call.actor, [Moved(name, ZERO, sha)])
    return Answer(await _shown_ref(call, name, sha), status=201)


async def update_ref(call: Call) -> Answer:
    """Move a ref; backwards or sideways only with ``force``."""
    name, sha = f"refs/{call.path['ref']}", call.required("sha", "Reference")
    old = await _sha_of(call, name)
    if await objects.object_type(call.repo.path, sha) is None:
        raise ApiProblem(422, "Object does not exist")
    if not call.flag("force") and await objects.merge_base(call.repo.path, old, sha) != old:
        raise ApiProblem(422, "Update is not a fast forward")
    await writing.move_ref(call.repo.path, name, sha, old)
    await refs_moved(call.forge, call.repo, call.actor, [Moved(name, old, sha)] if old != sha else [])
    return Answer(await _shown_ref(call, name, sha))


async def delete_ref(call: Call) -> Answer:
    """Delete a branch or a tag."""
    name = f"refs/{call.path['ref']}"
    old = (await objects.refs(call.repo.path)).get(name)
    if old is None or name.startswith("refs/pull/"):
        raise ApiProblem(422, "Reference does not exist")
    await writing.remove_ref(call.repo.path, name)
    await refs_moved(call.forge, call.repo, call.actor, [Moved(name, old, ZERO)])
    return Answer(status=204)


async def get_git_commit(call: Call) -> Answer:
    """Return a commit object."""
    sha = call.path["commit_sha"]
    if await objects.object_type(call.repo.path, sha) != "commit":
        raise not_found()
    return Answer(gitobjects.git_commit(call.forge, call.repo, await objects.commit(call.repo.path, sha)))


async def get_tree(call: Call) -> Answer:
    """Return a tree by its SHA or by a commit, branch or tag."""
    wanted = call.path["tree_sha"]
    direct = await objects.object_type(call.repo.path, wanted) == "tree"
    treeish = wanted if direct else await objects.resolve(call.repo.path, wanted)
    if treeish is None:
        raise not_found()
    sha = treeish if direct else (await objects.commit(call.repo.path, treeish)).tree
    recursive = call.query.get("recursive", "") not in ("", "0", "false")
    rows = await objects.tree(call.repo.path, sha, recursive=recursive)
    shown = [gitobjects.tree_entry(call.forge, call.repo, row) for row in rows]
    url = f"{call.url.rpartition('/')[0]}/{sha}"
    return Answer({"sha": sha, "url": url, "tree": shown, "truncated": False})


async def get_blob(call: Call) -> Answer:
    """Return a file by its SHA."""
    sha = call.path["file_sha"]
    if await objects.object_type(call.repo.path, sha) != "blob":
        raise not_found()
    data = await objects.blob(call.repo.path, sha)
    facts = {"sha": sha, "node_id": gitobjects.sha_node("Blob", sha), "size": len(data), "url": call.url}
    return Answer(facts | gitobjects.encoded(data))


async def list_commits(call: Call) -> Answer:
    """List commits reachable from a branch or SHA, newest first."""
    start = await _commit_of(call, call.query.get("sha") or call.repo.default_branch)
    paths = (call.query["path"],) if "path" in call.query else ()
    found = await objects.commits(call.repo.path, start, limit=1000, paths=paths)
    return call.page(found, lambda one: gitobjects.commit(call.forge, call.repo, one))


async def get_commit(call: Call) -> Answer:
    """Return a commit with its changes; as text when a diff is accepted."""
    sha = await _commit_of(call, call.path["ref"])
    commit = await objects.commit(call.repo.path, sha)
    before = commit.parents[0] if commit.parents else EMPTY_TREE
    if "diff" in call.accept:
        text = await changes.diff_text(call.repo.path, before, sha)
        return Answer(text=text, media="application/vnd.github.diff; charset=utf-8")
    files = await changes.changes(call.repo.path, before, sha)
    return Answer(gitobjects.commit(call.forge, call.repo, commit) | _files(call.forge, call.repo, files, sha))


def _files(forge: Forge, repo: Repo, files: list[changes.Change], sha: str) -> dict[str, Any]:
    added, removed = sum(one.additions for one in files), sum(one.deletions for one in files)
    return {
        "stats": {"additions": added, "deletions": removed, "total": added + removed},
        "files": [gitobjects.changed_file(forge, repo, one, sha) for one in files],
    }


async def compare(call: Call) -> Answer:
    """Compare two commits given as ``base...head``, from where they parted."""
    base_name, dots, head_name = call.path["basehead"].partition("...")
    if not dots:
        raise not_found()
    base, head = await _commit_of(call, base_name), await _commit_of(call, head_name)
    start = await objects.merge_base(call.repo.path, base, head)
    if start is None:
        raise ApiProblem(404, f"No common ancestor between {base_name} and {head_name}.")
    if "diff" in call.accept:
        text = await changes.diff_text(call.repo.path, start, head)
        return Answer(text=text, media="application/vnd.github.diff; charset=utf-8")
    ahead, behind = await objects.ahead_behind(call.repo.path, base, head)
    found = await objects.commits(call.repo.path, head, f"^{base}", limit=MOST_COMMITS)
    files = await changes.changes(call.repo.path, start, head)
    page = f"{call.forge.web_url}/{call.repo.full_name}/compare/{base}...{head}"
    both = {"base_commit": base, "merge_base_commit": start}
    commits = {
        name: gitobjects.commit(call.forge, call.repo, await objects.commit(call.repo.path, sha))
        for name, sha in both.items()
    }
    return Answer(
        commits
        | {
            "url": call.url,
            "html_url": page,
            "permalink_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "status": _status(ahead, behind),
            "ahead_by": ahead,
            "behind_by": behind,
            "total_commits": ahead,
            "commits": [gitobjects.commit(call.forge, call.repo, one) for one in found[::-1]],
            "files": _files(call.forge, call.repo, files, head)["files"],
        }
    )


def _status(ahead: int, behind: int) -> str:
    if ahead and behind:
        return "diverged"
    return "ahead" if ahead else "behind" if behind else "identical"


async def _commit_of(call: Call, name: str) -> str:
    owner, colon, branch = name.partition(":")
    if colon and owner.lower() == call.repo.owner.login.lower():
        name = branch
    sha = await objects.resolve(call.repo.path, name)
    if sha is None:
        raise ApiProblem(404, f"No commit found for SHA: {name}")
    return sha


async def _sha_of(call: Call, name: str) -> str:
    sha = (await objects.refs(call.repo.path)).get(name)
    if sha is None:
        raise not_found()
    return sha


async def _shown_ref(call: Call, name: str, sha: str) -> dict[str, Any]:
    kind = await objects.object_type(call.repo.path, sha) or "commit"
    return gitobjects.ref(call.forge, call.repo, name, sha, kind)


REPO = "/repos/{owner}/{repo}"
ROUTES = (
    Route("GET", f"{REPO}/git/ref/{{ref}}", get_ref, READ_CONTENTS),
    Route("GET", f"{REPO}/git/matching-refs/{{ref}}", list_matching_refs, READ_CONTENTS),
    Route("POST", f"{REPO}/git/refs", create_ref, WRITE_CONTENTS, success=201),
    Route("PATCH", f"{REPO}/git/refs/{{ref}}", update_ref, WRITE_CONTENTS),
    Route("DELETE", f"{REPO}/git/refs/{{ref}}", delete_ref, WRITE_CONTENTS, success=204),
    Route("GET", f"{REPO}/git/commits/{{commit_sha}}", get_git_commit, READ_CONTENTS),
    Route("GET", f"{REPO}/git/trees/{{tree_sha}}", get_tree, READ_CONTENTS),
    Route("GET", f"{REPO}/git/blobs/{{file_sha}}", get_blob, READ_CONTENTS),
    Route("GET", f"{REPO}/commits", list_commits, READ_CONTENTS),
    Route("GET", f"{REPO}/commits/{{ref}}", get_commit, READ_CONTENTS),
    Route("GET", f"{REPO}/compare/{{basehead}}", compare, READ_CONTENTS),
)

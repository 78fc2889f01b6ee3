"""Files by path: read a file or a folder, write or delete one file as a commit."""

import base64
import binascii
from typing import Any

from stagewright.processes.devforge.acts.pushes import Moved, refs_moved
from stagewright.processes.devforge.git import objects, writing
from stagewright.processes.devforge.problems import ApiProblem, not_found
from stagewright.processes.devforge.rest.call import READ_CONTENTS, WRITE_CONTENTS, Answer, Call, Route
from stagewright.processes.devforge.shapes import gitobjects
from stagewright.processes.devforge.shapes.gitobjects import noreply

RAW = "application/vnd.github.raw; charset=utf-8"


async def get_content(call: Call) -> Answer:
    """Return a file with its contents, or the rows of a folder."""
    at = call.query.get("ref") or call.repo.default_branch
    sha = await objects.resolve(call.repo.path, at)
    if sha is None:
        raise ApiProblem(404, f"No commit found for the ref {at}")
    path = call.path.get("path", "").strip("/")
    entry = await _entry(call, sha, path) if path else None
    if path and entry is None:
        raise not_found()
    if entry is None or entry.type == "tree":
        rows = await objects.tree(call.repo.path, sha, below=f"{path}/" if path else "")
        return Answer([gitobjects.content(call.forge, call.repo, row, at) for row in rows])
    if entry.type == "commit":
        raise ApiProblem(422, "Submodules are not served by the practice forge")
    data = await objects.blob(call.repo.path, entry.sha)
    if "raw" in call.accept:
        return Answer(text=data.decode(errors="replace"), media=RAW)
    shown = gitobjects.content(call.forge, call.repo, entry, at)
    extra = {"target": data.decode(errors="replace")} if shown["type"] == "symlink" else gitobjects.encoded(data)
    return Answer(shown | extra)


async def put_content(call: Call) -> Answer:
    """Write one file: a new one, or over the version whose blob SHA the caller names."""
    message = call.required("message", "Content")
    encoded = call.text("content", "Content")
    if encoded is None:
        raise ApiProblem(422, 'Invalid request.\n\n"content" wasn\'t supplied.')
    try:
        data = base64.b64decode(encoded)
    except (binascii.Error, ValueError) as error:
        raise ApiProblem(422, "content is not valid Base64") from error
    return await _commit(call, message, data)


async def delete_content(call: Call) -> Answer:
    """Delete one file, the version whose blob SHA the caller names."""
    return await _commit(call, call.required("message", "Content"), None)


async def _commit(call: Call, message: str, data: bytes | None) -> Answer:
    branch = call.text("branch", "Content") or call.repo.default_branch
    path = call.path["path"].strip("/")
    before = (await objects.branches(call.repo.path)).get(branch)
    if before is None:
        raise ApiProblem(404, f"Branch {branch} not found")
    _check_path(path)
    entry = await _entry(call, before, path)
    _check_version(path, entry, call.text("sha", "Content"), writes=data is not None)
    tree = await writing.tree_with(call.repo.path, before, {path: data})
    author, committer = _person(call, "author"), _person(call, "committer")
    made = await writing.commit_tree(
        call.repo.path, tree, (before,), message, author=author, committer=committer, at=call.forge.now()
    )
    ref = f"refs/heads/{branch}"
    if not await writing.move_ref(call.repo.path, ref, made, before):
        raise ApiProblem(409, f"{path} does not match {before}")
    await refs_moved(call.forge, call.repo, call.actor, [Moved(ref, before, made)])
    after = await _entry(call, made, path)
    shown = None if after is None else gitobjects.content(call.forge, call.repo, after, branch)
    commit = gitobjects.git_commit(call.forge, call.repo, await objects.commit(call.repo.path, made))
    return Answer({"content": shown, "commit": commit}, status=201 if entry is None else 200)


def _check_path(path: str) -> None:
    if not path or any(part in ("", ".", "..") or part.lower() == ".git" for part in path.split("/")):
        raise ApiProblem(422, "path contains a malformed path component")


def _check_version(path: str, entry: objects.Entry | None, sha: str | None, *, writes: bool) -> None:
    if entry is None and not writes:
        raise not_found()
    if entry is None:
        return
    if entry.type != "blob":
        raise ApiProblem(422, "path names a folder")
    if sha is None:
        raise ApiProblem(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if sha != entry.sha:
        raise ApiProblem(409, f"{path} does not match {sha}")


def _person(call: Call, field: str) -> writing.Person:
    user = call.actor.user
    told: Any = call.body.get(field) or call.body.get("committer") or {}
    name, email = (told.get("name"), told.get("email")) if isinstance(told, dict) else (None, None)
    return writing.Person(str(name or user.name or user.login), str(email or user.email or noreply(user)))


async def _entry(call: Call, commit: str, path: str) -> objects.Entry | None:
    rows = await objects.tree(call.repo.path, commit, below=path)
    return next((row for row in rows if row.path == path), None)


CONTENT = "/repos/{owner}/{repo}/contents/{path}"
ROUTES = (
    Route("GET", CONTENT, get_content, READ_CONTENTS),
    Route("PUT", CONTENT, put_content, WRITE_CONTENTS, success=201),
    Route("DELETE", CONTENT, delete_content, WRITE_CONTENTS),
)

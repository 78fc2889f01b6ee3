"""One act and one probe per kind of effect: how it is done, and how reading the forge tells whether it was."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from stagewright.contexts.projects.api import Repository
from stagewright.contexts.runs.model import Effect
from stagewright.contexts.runs.ports import ForgeComment, ForgeLabel, ForgePullRequest, NewRemark
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.rules import diagnostics, pull_request, replies, review, status_comment
from stagewright.contexts.runs.store import comments as comment_rows
from stagewright.contexts.runs.store.comments import DiagnosticComment
from stagewright.kit.errors import Conflict, Denied, Invalid, NotFound

Result = Mapping[str, Any]


QUARANTINE_MISSING = "git.quarantine_missing"


class Moved(Conflict):
    """The remote branch is not where it was: publishing decides what follows."""

    code = "branch_moved"


async def perform(outside: Outside, repository: Repository, effect: Effect) -> Result:
    """Do the act; return what is worth keeping. Acts that find it done already return the same."""
    if effect.kind in COMMENTS:
        return await COMMENTS[effect.kind](outside, repository, effect)
    match effect.kind:
        case "label.add":
            await outside.forge.add_label(repository, _thread(effect), str(effect.payload["label"]))
        case "label.remove":
            await outside.forge.remove_label(repository, _thread(effect), str(effect.payload["label"]))
        case "label.define":
            return await _define_label(outside, repository, effect)
        case "reaction.add":
            await _react(outside, repository, effect)
        case "git.push":
            return await _push(outside, repository, effect)
        case "pull_request.open":
            return await _open_pull_request(outside, repository, effect)
        case "pull_request.update":
            return await _update_pull_request(outside, repository, effect)
        case "review.post":
            return await _post_review(outside, repository, effect)
        case _:
            raise ValueError(f"no act for effect kind {effect.kind!r}")
    return {}


async def probe(outside: Outside, repository: Repository, effect: Effect) -> Result | None:
    """Read the forge: the act's result when it happened, None when it is not there."""
    forge = outside.forge
    match effect.kind:
        case "comment.status":
            found = await _own_comments(outside, repository, effect, status_comment.marker(str(effect.run_id)))
            return _comment_result(found[0]) if found and _same(found[0].body, str(effect.payload["body"])) else None
        case "comment.diagnostic":
            return await _probe_diagnostic(outside, repository, effect)
        case "comment.reply":
            found = await _own_comments(outside, repository, effect, _reply_marker(effect))
            return _comment_result(found[0]) if found else None
        case "label.add":
            return _present(str(effect.payload["label"]), await forge.labels_of(repository, _thread(effect)))
        case "label.remove":
            present = _present(str(effect.payload["label"]), await forge.labels_of(repository, _thread(effect)))
            return None if present is not None else {}
        case "label.define":
            wanted = _label(effect)
            return {} if wanted in await forge.repository_labels(repository) else None
        case "reaction.add":
            own = await _own_reactions(outside, repository, effect)
            return {} if effect.payload["reaction"] in own else None
        case "git.push":
            heads = await outside.git.heads(repository)
            return {} if heads.get(str(effect.payload["branch"])) == effect.payload["commit"] else None
        case "pull_request.open":
            found_pull = await _find_pull_request(outside, repository, effect)
            mark = pull_request.delivery_marker(str(effect.run_id))
            return _pull_result(found_pull) if found_pull is not None and mark in found_pull.body else None
        case "pull_request.update":
            pull = await forge.pull_request(repository, int(effect.payload["number"]))
            mark = pull_request.delivery_marker(str(effect.run_id))
            return _pull_result(pull) if mark in pull.body else None
        case "review.post":
            return await _probe_review(outside, repository, effect)
        case _:
            return await _probe_deleted(outside, repository, effect)


def _thread(effect: Effect) -> int:
    return int(effect.target.partition(":")[2])


def _present(label: str, labels: Sequence[str]) -> Result | None:
    return {} if label.casefold() in {item.casefold() for item in labels} else None


async def _own_comments(outside: Outside, repository: Repository, effect: Effect, mark: str) -> list[ForgeComment]:
    bot = await outside.forge.bot(repository)
    found = await outside.forge.comments(repository, _thread(effect))
    own = [item for item in found if mark in item.body and bot.login.casefold() == item.author.casefold()]
    return sorted(own, key=lambda item: item.id)


def _comment_result(comment: ForgeComment) -> Result:
    return {"comment_id": comment.id, "url": comment.url}


async def _status_comment(outside: Outside, repository: Repository, effect: Effect) -> Result:
    body = str(effect.payload["body"])
    assert effect.run_id is not None
    async with outside.db.reading() as reader:
        row = await comment_rows.find_status(reader, effect.run_id)
    if row is None or row.suppressed:
        return {}
    if row.comment_id is None:
        own = await _own_comments(outside, repository, effect, status_comment.marker(str(effect.run_id)))
        if not own:
            return _comment_result(await outside.forge.create_comment(repository, _thread(effect), body))
        comment_id, duplicates = own[0].id, [item.id for item in own[1:]]
    else:
        comment_id, duplicates = row.comment_id, []
    try:
        placed = _comment_result(await outside.forge.update_comment(repository, comment_id, body))
    except NotFound:
        return await _recreate(outside, repository, effect, comment_id, body)
    return {**placed, "duplicates": duplicates}


async def _recreate(outside: Outside, repository: Repository, effect: Effect, comment_id: int, body: str) -> Result:
    assert effect.run_id is not None
    async with outside.db.transaction() as tx:
        row = await comment_rows.set_gone(tx, effect.run_id, comment_id=comment_id)
    if row is None or row.suppressed:
        return {}
    return _comment_result(await outside.forge.create_comment(repository, _thread(effect), body))


def _reply_marker(effect: Effect) -> str:
    return replies.marker(str(effect.payload["attempt_id"]))


async def _reply(outside: Outside, repository: Repository, effect: Effect) -> Result:
    """Post a reply once: one that is there by its marker counts."""
    own = await _own_comments(outside, repository, effect, _reply_marker(effect))
    if own:
        return _comment_result(own[0])
    body = str(effect.payload["body"])
    return _comment_result(await outside.forge.create_comment(repository, _thread(effect), body))


async def _react(outside: Outside, repository: Repository, effect: Effect) -> None:
    """React to the thread, or to a comment of it; one that a person deleted needs none."""
    reaction, comment = str(effect.payload["reaction"]), effect.payload.get("comment_id")
    if comment is None:
        await outside.forge.add_reaction(repository, _thread(effect), reaction)
        return
    try:
        await outside.forge.add_comment_reaction(repository, int(comment), reaction)
    except NotFound:
        return


async def _own_reactions(outside: Outside, repository: Repository, effect: Effect) -> Sequence[str]:
    comment = effect.payload.get("comment_id")
    if comment is None:
        return await outside.forge.own_reactions(repository, _thread(effect))
    try:
        return await outside.forge.own_comment_reactions(repository, int(comment))
    except NotFound:
        return [str(effect.payload["reaction"])]


async def _delete_comment(outside: Outside, repository: Repository, effect: Effect) -> Result:
    try:
        await outside.forge.delete_comment(repository, int(effect.payload["comment_id"]))
    except NotFound:
        return {"gone": True}
    return {}


async def _probe_deleted(outside: Outside, repository: Repository, effect: Effect) -> Result | None:
    wanted = int(effect.payload["comment_id"])
    found = await outside.forge.comments(repository, _thread(effect))
    return None if any(item.id == wanted for item in found) else {}


def _same(shown: str, wanted: str) -> bool:
    """Compare texts of comments; a forge may change line ends."""
    return shown.replace("\r\n", "\n").strip() == wanted.strip()


async def _probe_diagnostic(outside: Outside, repository: Repository, effect: Effect) -> Result | None:
    key = str(effect.payload["key"])
    async with outside.db.reading() as reader:
        row = await comment_rows.find_diagnostic(reader, key)
    found = await _own_comments(outside, repository, effect, diagnostics.marker(key))
    if row is None or not found or not _same(found[0].body, _diagnostic_body(row, effect)):
        return None
    return _comment_result(found[0])


async def _diagnostic_comment(outside: Outside, repository: Repository, effect: Effect) -> Result:
    key = str(effect.payload["key"])
    async with outside.db.reading() as reader:
        row = await comment_rows.find_diagnostic(reader, key)
    if row is None:
        return {}
    body = _diagnostic_body(row, effect)
    comment_id = row.comment_id
    if comment_id is None:
        own = await _own_comments(outside, repository, effect, diagnostics.marker(key))
        comment_id = own[0].id if own else None
    if comment_id is None:
        if effect.payload.get("resolved_by"):
            return {}
        return _comment_result(await outside.forge.create_comment(repository, _thread(effect), body))
    try:
        return _comment_result(await outside.forge.update_comment(repository, comment_id, body))
    except NotFound:
        if effect.payload.get("resolved_by"):
            return {}  # a person deleted what is resolved anyway
        return _comment_result(await outside.forge.create_comment(repository, _thread(effect), body))


def _diagnostic_body(row: DiagnosticComment, effect: Effect) -> str:
    resolved_by = effect.payload.get("resolved_by")
    if resolved_by:
        return diagnostics.resolved(row.body, row.key, str(resolved_by))
    return diagnostics.with_count(row.body, row.key, row.count, row.last_at)


def _label(effect: Effect) -> ForgeLabel:
    payload = effect.payload
    return ForgeLabel(str(payload["text"]), str(payload["color"]), str(payload["description"]))


async def _define_label(outside: Outside, repository: Repository, effect: Effect) -> Result:
    """Create, mend or rename the label; where the new text exists already, the old label stays as an alias."""
    wanted = _label(effect)
    existing = {item.name.casefold(): item for item in await outside.forge.repository_labels(repository)}
    found, old = existing.get(wanted.name.casefold()), existing.get(str(effect.payload.get("was") or "").casefold())
    present = found or old
    if present is None:
        await outside.forge.create_label(repository, wanted)
    elif present != wanted:
        await outside.forge.update_label(repository, present.name, wanted)
    return {"alias": old.name} if found is not None and old is not None and old.name != found.name else {}


async def _push(outside: Outside, repository: Repository, effect: Effect) -> Result:
    payload = effect.payload
    try:
        answer = await outside.git.push(
            repository,
            attempt_id=UUID(str(payload["attempt_id"])),
            commit=str(payload["commit"]),
            branch=str(payload["branch"]),
            expected_old=payload["expected_old"],
            direct=bool(payload.get("direct")),
        )
    except NotFound as missing:
        if missing.stable_code != QUARANTINE_MISSING:
            raise
        raise Moved("the commit is not on this machine: publishing writes it again") from missing
    match answer.outcome:
        case "done":
            return {"commit": payload["commit"]}
        case "moved":
            raise Moved(f"the branch {payload['branch']} is at {answer.remote_sha or '-'}: {answer.detail}")
        case _ if payload.get("direct"):  # a protected branch takes pull requests: publishing opens one
            raise Moved(f"the forge refused the push to {payload['branch']}: {answer.detail}")
        case _:
            raise Denied(f"the forge refused the push to {payload['branch']}: {answer.detail}", code="push_refused")


async def _open_pull_request(outside: Outside, repository: Repository, effect: Effect) -> Result:
    """Open the branch's pull request; one that is open gets our text, a branch whose last one is closed is refused."""
    payload = effect.payload
    known = await outside.forge.pull_requests_by_head(repository, str(payload["head"]))
    present = next((pull for pull in known if pull.state == "open"), None)
    if present is not None:
        if pull_request.delivery_marker(str(effect.run_id)) in present.body:
            return _pull_result(present)
        body = pull_request.joined(present.body, str(payload["body"]))
        return _pull_result(await outside.forge.update_pull_request(repository, present.number, title=None, body=body))
    if known:
        text = f"pull request #{known[0].number} of the branch {payload['head']} is closed; reopen it or start anew"
        raise NotFound(text, code="pr_not_found")
    pull = await outside.forge.open_pull_request(
        repository,
        title=str(payload["title"]),
        body=str(payload["body"]),
        head=str(payload["head"]),
        base=str(payload["base"]),
        draft=bool(payload["draft"]),
    )
    return _pull_result(pull)


async def _find_pull_request(outside: Outside, repository: Repository, effect: Effect) -> ForgePullRequest | None:
    found = await outside.forge.pull_requests_by_head(repository, str(effect.payload["head"]))
    return next((pull for pull in found if pull.state == "open"), None)


async def _update_pull_request(outside: Outside, repository: Repository, effect: Effect) -> Result:
    payload = effect.payload
    pull = await outside.forge.update_pull_request(
        repository, int(payload["number"]), title=payload["title"], body=str(payload["body"])
    )
    return _pull_result(pull)


async def _post_review(outside: Outside, repository: Repository, effect: Effect) -> Result:
    """Post the review. Where the forge does not find a line in its diff, all of it goes into the text."""
    payload, sha = effect.payload, str(effect.payload["commit"])
    remarks = [NewRemark(str(one["path"]), int(one["line"]), str(one["body"])) for one in payload["remarks"]]
    post, thread = outside.forge.post_review, _thread(effect)
    try:
        posted = await post(repository, thread, commit_sha=sha, body=str(payload["body"]), remarks=remarks)
    except Invalid:
        if not remarks:
            raise
        posted = await post(repository, thread, commit_sha=sha, body=str(payload["whole"]), remarks=())
    return {"review_id": posted.id, "url": posted.url}


async def _probe_review(outside: Outside, repository: Repository, effect: Effect) -> Result | None:
    bot, mark = await outside.forge.bot(repository), review.marker(str(effect.run_id))
    for found in (await outside.forge.feedback(repository, _thread(effect))).reviews:
        if mark in found.body and bot.login.casefold() == found.author.casefold():
            return {"review_id": found.id, "url": found.url}
    return None


def _pull_result(pull: ForgePullRequest) -> Result:
    return {"number": pull.number, "url": pull.url, "state": pull.state}


COMMENTS: Mapping[str, Callable[[Outside, Repository, Effect], Awaitable[Result]]] = {
    "comment.status": _status_comment,
    "comment.diagnostic": _diagnostic_comment,
    "comment.reply": _reply,
    "comment.delete": _delete_comment,
}
"""How each kind of comment is written, or deleted."""

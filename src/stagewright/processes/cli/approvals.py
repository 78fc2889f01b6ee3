"""What the command `approval` does: show what is asked, and decide exactly that."""

from functools import cache
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.confirm import Answered, acted, agreed, named, reason_of, show_preview
from stagewright.processes.cli.exits import NOT_FOUND, USAGE, Failure
from stagewright.processes.cli.ids import PREFIX, project_id
from stagewright.processes.cli.present.table import Column

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

NEWEST = 200
HASH_SHOWN = len("sha256:") + 12


def _asks(item: Answered) -> str:
    who = item["requester"]
    return " ".join(str(part) for part in (item["action"], who["kind"], who.get("run_number")) if part)


COLUMNS = (
    Column("id", kind="id"),
    Column("state"),
    Column("asks", of=_asks),
    Column("target_name", title="target", drop=1),
    Column("level", drop=2),
    Column("expires_at", kind="time", title="expires", drop=3),
    Column("opened_at", kind="time", title="opened", wide=True),
    Column("row", wide=True),
    Column("run_id", kind="whole", wide=True),
)
VIEW = (
    Column("id"),
    Column("state"),
    Column("asks", of=_asks),
    Column("target_name", title="target"),
    Column("env"),
    Column("project"),
    Column("row"),
    Column("level"),
    Column("who_can_act", title="who decides"),
    Column("hash", of=lambda item: str(item["action_hash"])[:HASH_SHOWN]),
    Column("opened_at", kind="time", title="opened"),
    Column("expires_at", kind="time", title="expires"),
    Column("decided_at", kind="time", title="decided"),
    Column("approver_name", title="decided by"),
    Column("reason_code", title="because"),
    Column("reason"),
)


def list_approvals(call: "Call", *, state: str | None, mine: bool, all_projects: bool) -> None:
    """List requests of the chosen project, or of all."""
    found = call.client().items(
        "/approvals",
        limit=call.wanted["limit"],
        cursor=call.wanted.get("cursor"),
        state=None if state == "all" else state,
        mine=mine or None,
        project=None if all_projects else project_id(call),
    )
    call.output().items(found.found, COLUMNS, empty="no requests")


def view(call: "Call", name: str) -> None:
    """Show a request and all that its approver is shown."""
    found = call.client().get(f"/approvals/{_find(call, name)}")
    call.output().one(found, VIEW)
    _show(found)


def approve(call: "Call", name: str, *, reason: str | None, confirm: str | None, yes: bool, dry_run: bool) -> None:
    """Approve the action as it is now; where its name has to be typed, after that."""
    found = call.client().get(f"/approvals/{_find(call, name)}")
    path, what = f"/approvals/{found['id']}:decide", call.said("approving {name}:", name=_asks(found))
    body = {"decision": "approve", "action_hash": found["action_hash"], "reason": reason}
    _show(found)
    _warn_sole(call, found)

    def preview() -> Any:
        return call.client().post(path, body, preview=1)

    @cache
    def words() -> dict[str, Any]:
        if found["own"] == "sole":
            body["acknowledge_sole"] = True
        if found["typed_confirm"]:
            return {"confirm_name": named(call, str(found["target_name"]), confirm)}
        agreed(call, yes=yes or confirm is not None, reason=None)
        return {}

    def act(token: str) -> Any:
        return call.client().post(path, {**body, "confirm_token": token, **words()})

    if dry_run:
        show_preview(call, what, preview())
        tell(call.said("nothing was applied"))
        return
    call.output().one(acted(call, what, preview, words, act), VIEW)


def deny(call: "Call", name: str, *, reason: str | None, more: bool, dry_run: bool) -> None:
    """Refuse the action, or ask for more; both say why."""
    found = call.client().get(f"/approvals/{_find(call, name)}")
    _show(found)
    said = reason_of(call, reason, yes=False)
    if not said:
        raise Failure(USAGE, "a refusal says why", hint="--reason TEXT")
    if dry_run:
        tell(call.said("nothing was applied"))
        return
    body = {
        "decision": "deny",
        "action_hash": found["action_hash"],
        "reason": said,
        "reason_code": "needs_information" if more else "refused",
        "acknowledge_sole": found["own"] == "sole",
    }
    call.output().one(call.client().post(f"/approvals/{found['id']}:decide", body), VIEW)


def renew(call: "Call", name: str) -> None:
    """Ask again for what nobody decided in time."""
    call.output().one(call.client().post(f"/approvals/{_find(call, name)}:renew"), VIEW)


def cancel(call: "Call", name: str, *, reason: str | None, yes: bool) -> None:
    """Give up a request; what waits for it goes on without it."""
    found = _find(call, name)
    agreed(call, yes=yes, reason=reason)
    call.output().one(call.client().post(f"/approvals/{found}:cancel", {"reason": reason}), VIEW)


def _show(found: Answered) -> None:
    """Say on stderr what is asked; what an agent wrote is marked."""
    for line in found["display"]:
        mark = " (agent)" if line["untrusted"] else ""
        tell(f"  {line['section']}.{line['label']}{mark}: {line['value']}")


def _warn_sole(call: "Call", found: Answered) -> None:
    if found["own"] == "sole":
        tell(call.said("nobody else may decide this: you decide on your own run, and the journal keeps that"))


def _find(call: "Call", name: str) -> str:
    """Return the id of the request that ``name`` is, or begins."""
    wanted = name.lower()
    if len(wanted) == 36:
        return wanted
    if not PREFIX.fullmatch(wanted):
        raise Failure(USAGE, f"{name!r} names no request; write its id or at least 6 of its first characters")
    listed = call.client().items("/approvals", limit=NEWEST).found
    found = [one for one in (str(item["id"]) for item in listed) if one.startswith(wanted) or one.endswith(wanted)]
    if len(found) > 1:
        raise Failure(USAGE, f"{name!r} is in several ids: {', '.join(found)}", hint="write more of it")
    if not found:
        raise Failure(NOT_FOUND, f"none of the newest {NEWEST} requests is {name}", hint="stagewright approval list")
    return found[0]

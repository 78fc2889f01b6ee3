"""What the commands `wait` and `inbox` do: show what is stuck and what needs me, and act on it."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.confirm import confirmed
from stagewright.processes.cli.exits import CONFLICT, NOT_FOUND, USAGE, Failure
from stagewright.processes.cli.ids import PREFIX, project_id
from stagewright.processes.cli.present.table import Column

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

NEWEST = 200
TAIL = 12
TEXT, CHOICES = "answer", frozenset({"extend_25", "extend_100", "finish", "stop"})
ELSEWHERE = {
    "approval": "stagewright approval list",
    "owner_review": "stagewright approval list",
    "rate_limit": "stagewright wait retry {id}",
}
"""By kind of wait: what answers it, where that is neither a text nor a choice."""


def _about(item: Mapping[str, Any]) -> str:
    number = item.get("issue_number") or item.get("pr_number")
    return f"{item.get('repository') or item.get('project') or ''}{f'#{number}' if number else ''}"


def _tail(item: Mapping[str, Any]) -> str:
    """Return enough of an item's id to name it: its end, for ids of one hour begin alike."""
    return str(item["id"]).partition(":")[2][-TAIL:]


def _answers(item: Mapping[str, Any]) -> list[str]:
    return [f"{number} {answer['answer']}" for number, answer in enumerate(item["answers"], 1)]


def _question(item: Mapping[str, Any]) -> Any:
    return item["question"] if "question" in item else (item.get("params") or {}).get("question")


WAITS = (
    Column("id", kind="id"),
    Column("kind"),
    Column("run_number", title="run"),
    Column("about", of=_about, drop=1),
    Column("who_can_act", title="who", drop=2),
    Column("opened_at", kind="time", title="since"),
    Column("until", kind="time", of=lambda item: item["resume_at"] or item["deadline_at"], drop=3),
    Column("answers", of=_answers, wide=True),
    Column("question", of=_question, wide=True),
)
WAIT = (
    Column("id"),
    Column("kind"),
    Column("run_number", title="run"),
    Column("status"),
    Column("resolution"),
    Column("resolved_by", title="by"),
)
INBOX = (
    Column("item", kind="whole", title="id", of=_tail),
    Column("kind"),
    Column("about", of=_about),
    Column("run_number", title="run", drop=2),
    Column("asks", drop=1),
    Column("since", kind="time"),
    Column("expires_at", kind="time", title="expires", drop=3),
    Column("answers", of=_answers, wide=True),
    Column("question", of=_question, wide=True),
)


def list_waits(call: "Call", *, reasons: Sequence[str], all_projects: bool) -> None:
    """List open waits of the chosen project, or of all."""
    found = call.client().items(
        "/waits",
        limit=call.wanted["limit"],
        cursor=call.wanted.get("cursor"),
        reason=list(reasons) or None,
        project=None if all_projects else project_id(call),
    )
    call.output().items(found.found, WAITS, empty="nothing waits")


def retry(call: "Call", name: str, *, yes: bool) -> None:
    """Try a limited wait again now."""
    found = _find(call, name, "/waits", "stagewright wait list")
    confirmed(call, call.said("Try again now?"), yes=yes)
    call.output().one(call.client().post(f"/waits/{found['id']}:retry"), WAIT)


def resolve(call: "Call", name: str, *, choice: str) -> None:
    """Choose what becomes of a run that waits for budget."""
    found = _find(call, name, "/waits", "stagewright wait list")
    call.output().one(call.client().post(f"/waits/{found['id']}:resolve", {"choice": choice}), WAIT)


def list_inbox(call: "Call", *, snoozed: bool) -> None:
    """List what needs me, the newest first."""
    found = call.client().items(
        "/inbox", limit=call.wanted["limit"], cursor=call.wanted.get("cursor"), snoozed=snoozed or None
    )
    call.output().items(found.found, INBOX, empty="nothing needs you")


def answer(call: "Call", name: str, *, option: int | None, text: str | None) -> None:
    """Answer what an item of the inbox asks, with a text or with one of its answers by number."""
    found = _find(call, name, "/inbox", "stagewright inbox list")
    offered = [str(item["answer"]) for item in found["answers"]]
    chosen = _chosen(found, offered, option)
    if TEXT in offered and chosen in (None, TEXT):
        call.output().one(call.client().post(f"/waits/{found['wait_id']}:answer", {"text": _said(text)}), WAIT)
    elif chosen in CHOICES:
        call.output().one(call.client().post(f"/waits/{found['wait_id']}:resolve", {"choice": chosen}), WAIT)
    else:
        raise _elsewhere(found, offered)


def snooze(call: "Call", name: str, *, time: timedelta) -> None:
    """Put an item of my inbox aside for a time."""
    found = _find(call, name, "/inbox", "stagewright inbox list")
    until = (datetime.now(UTC) + time).isoformat()
    call.output().one(call.client().post(f"/inbox/{found['id']}:snooze", {"until": until}), INBOX)


def _chosen(found: Mapping[str, Any], offered: Sequence[str], option: int | None) -> str | None:
    if option is None:
        return None
    if not 1 <= option <= len(offered):
        listed = ", ".join(_answers(found)) or "none"
        raise Failure(USAGE, f"--option: there is no answer {option} to this; offered: {listed}")
    return offered[option - 1]


def _said(text: str | None) -> str:
    """Return the person's words: the option, or stdin for ``-``."""
    said = sys.stdin.read() if text == "-" else text
    if said is None or not said.strip():
        raise Failure(USAGE, "an answer has words", hint="--text TEXT, or --text - for stdin")
    return said.strip()


def _elsewhere(found: Mapping[str, Any], offered: Sequence[str]) -> Failure:
    if CHOICES & set(offered):
        return Failure(USAGE, "this asks for a choice", hint=f"--option NUMBER of: {', '.join(_answers(found))}")
    hint = ELSEWHERE.get(str(found["kind"]), found.get("url") or "stagewright open inbox")
    return Failure(CONFLICT, f"this {found['kind']} is not answered here", hint=hint.format(id=found.get("wait_id")))


def _find(call: "Call", name: str, path: str, listing: str) -> Mapping[str, Any]:
    """Return the row that ``name`` names: by its id, or by how that begins or ends. An item's kind may be left out."""
    wanted = name.lower().rpartition(":")[2] if "://" not in name else name
    if not PREFIX.fullmatch(wanted):
        raise Failure(USAGE, f"{name!r} names none; write its id or at least 6 of its first characters", hint=listing)
    rows = call.client().items(path, limit=NEWEST).found
    found = [row for row in rows if _is(str(row["id"]), wanted)]
    if len(found) > 1:
        ids = ", ".join(str(row["id"]) for row in found)
        raise Failure(USAGE, f"{name!r} is in several ids: {ids}", hint="write more of it")
    if not found:
        raise Failure(NOT_FOUND, f"none of the newest {NEWEST} is {name}", hint=listing)
    return found[0]


def _is(known: str, wanted: str) -> bool:
    return any(part.startswith(wanted) or part.endswith(wanted) for part in known.split(":")[-2:])

"""Next steps of an issue or pull request: the list, and one step as its preview shows it (workflow, section 11.3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.confirm import TURNS, confirmed
from stagewright.processes.cli.exits import CONFLICT, USAGE, Failure, Problem
from stagewright.processes.cli.ids import Thread, find_thread
from stagewright.processes.cli.present.table import Column

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

Item = Mapping[str, Any]
ON_ISSUE, ON_PULL = "issue_stage_transition", "pull_request_label_add"
REVIEWER = "need:reviewer"
CHANGED = "labels_changed"
COLUMNS = (
    Column("target_label", title="label", kind="whole", of=lambda item: item["target_label"]["text"]),
    Column("variant", drop=2),
    Column("title", title="what it does"),
    Column("recommended", drop=1),
    Column("group", wide=True),
    Column("action_kind", title="action", wide=True),
    Column("path", wide=True),
)
DONE = (
    Column("run_id", title="run", kind="whole"),
    Column("title", title="step"),
    Column("added_labels", title="added"),
    Column("removed_labels", title="removed"),
    Column("final_labels", title="labels"),
    Column("profile_after", title="profile", of=lambda item: _profile(item.get("profile_after"))),
    Column("accepts_pull_request", title="accepts"),
)
SHOWN = (Column("verdict"), Column("reason"), *DONE[1:])


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step as a link names it."""

    repository: str
    issue: int
    target: str
    variant: str
    action_kind: str = ON_ISSUE
    pull_request: int | None = None
    source_run: str | None = None

    def body(self) -> dict[str, Any]:
        """Return the parameters of the link."""
        return {
            "repository_full_name": self.repository,
            "issue_number": self.issue,
            "pull_request_number": self.pull_request,
            "action_kind": self.action_kind,
            "target_label": self.target,
            "display_variant": self.variant,
            "source_run_id": self.source_run,
        }


def next_steps(call: "Call", name: str, *, label: str | None, variant: str | None, yes: bool, dry_run: bool) -> None:
    """List the next steps, or take the one that ``label`` names."""
    thread = find_thread(call, name)
    found = _listed(call, thread)
    if label is None:
        _tell_where(call, found)
        call.output().items(found["items"], COLUMNS, empty=call.said("no run has ended here yet"))
        return
    take(call, _wanted(thread, found, label, variant), yes=yes, dry_run=dry_run)


def start(call: "Call", name: str, *, stage: str, variant: str | None, yes: bool, dry_run: bool) -> None:
    """Start a stage on an issue."""
    thread = find_thread(call, name)
    found = _listed(call, thread)
    wanted = _plain(thread, found, f"run:{stage}")
    take(call, replace(wanted, variant=variant or ""), yes=yes, dry_run=dry_run)


def revise(call: "Call", name: str, *, stage: str | None, yes: bool, dry_run: bool) -> None:
    """Start the revision of a stage's result; without ``stage``, of the newest."""
    thread = find_thread(call, name)
    found = _listed(call, thread)
    target = f"run:{stage}:revise" if stage is not None else _newest_revise(thread, found)
    take(call, replace(_plain(thread, found, target), variant="revise"), yes=yes, dry_run=dry_run)


def take(call: "Call", wanted: Wanted, *, yes: bool, dry_run: bool) -> None:
    """Show what the step does, have it agreed, and take it; look again when labels change in between."""
    client = call.client()
    for turn in range(1, TURNS + 1):
        shown = client.post("/next-steps/preview", wanted.body())
        for line in _preview(call, wanted, shown):
            tell(line)
        if dry_run:
            call.output().one(shown, SHOWN)
            tell(call.said("nothing was applied"))
            return
        _check(shown)
        confirmed(call, call.said("Go on?"), yes=yes)
        body = wanted.body() | {"expected_labels_hash": shown["expected_labels_hash"]}
        try:
            done = client.post("/next-steps/execute", body)
        except Problem as problem:
            if problem.problem_code != CHANGED or turn == TURNS:
                raise
            tell(call.said("this changed since the preview; now it is:"))
            continue
        call.output().one(done, DONE)
        tell(f"stagewright run watch {done['run_id']}")
        return


def _listed(call: "Call", thread: Thread) -> Item:
    path = f"/issues/{thread.repository}/{thread.number}/next-steps"
    found: Item = call.client().get(path, pull_request=1 if thread.is_pull_request else None)
    return found


def _tell_where(call: "Call", found: Item) -> None:
    source, active = found.get("source_run"), found.get("active_run")
    if source is not None:
        tell(call.said("after {number} ({kind}, {status})", **_run(call, source)))
    if active is not None:
        tell(call.said("active now: {number} ({kind}, {status})", **_run(call, active)))


def _run(call: "Call", run: Item) -> dict[str, Any]:
    return {"number": run["number"], "kind": run["kind"], "status": call.said(str(run["status"]))}


def _wanted(thread: Thread, found: Item, label: str, variant: str | None) -> Wanted:
    named = [item for item in found["items"] if label in (item["target_label"]["key"], item["target_label"]["text"])]
    fitting = [item for item in named if variant is None or item["variant"] == variant]
    if not fitting:
        return replace(_plain(thread, found, label), variant=variant or "")
    chosen = next((item for item in fitting if item["recommended"]), fitting[0])
    plain = _plain(thread, found, str(chosen["target_label"]["key"]))
    return replace(plain, variant=str(chosen["variant"]), action_kind=str(chosen["action_kind"]))


def _plain(thread: Thread, found: Item, label: str) -> Wanted:
    issue = found.get("issue_number")
    if issue is None:
        raise Failure(USAGE, f"no issue is known of {thread.repository}#{thread.number}", hint="name the issue")
    source = found.get("source_run") or {}
    return Wanted(
        repository=str(found["repository_full_name"]),
        issue=int(issue),
        target=label,
        variant="",
        action_kind=ON_PULL if label == REVIEWER else ON_ISSUE,
        pull_request=found.get("pull_request_number"),
        source_run=source.get("id"),
    )


def _newest_revise(thread: Thread, found: Item) -> str:
    for item in found["items"]:
        if item["group"] == "revise" or str(item["target_label"]["key"]).endswith(":revise"):
            return str(item["target_label"]["key"])
    raise Failure(USAGE, f"{thread.repository}#{thread.number} has no result to revise", hint="--stage STAGE names one")


def _check(shown: Item) -> None:
    if shown["verdict"] == "start":
        return
    suggested = ", ".join(shown["suggested_labels"])
    hint = " ".join(str(part) for part in (shown["remedy_text"], f"({suggested})" if suggested else None) if part)
    raise Failure(CONFLICT, f"{shown['reason_text']} ({shown['reason']})", hint=hint)


def _preview(call: "Call", wanted: Wanted, shown: Item) -> Iterable[str]:
    yield f"{wanted.repository}#{shown['thread_number']} · {shown['title']}"
    for sign, labels in (("-", shown["removed_labels"]), ("+", shown["added_labels"])):
        yield from (f"  {sign} {label}" for label in labels)
    yield f"  = {', '.join(shown['final_labels'])}"
    run = shown.get("run")
    if run is not None:
        yield f"  {call.said('starts')}: {run['kind']} · {run['role']} · {run['mode']} · {run['env']}"
    if run is not None and run["skipped_stages"]:
        yield f"  {call.said('skips')}: {', '.join(run['skipped_stages'])}"
    if shown["profile_before"] != shown["profile_after"]:
        before, after = _profile(shown["profile_before"]), _profile(shown["profile_after"])
        yield f"  {call.said('path')}: {before or '-'} → {after}"
    if shown["accepts_pull_request"] is not None:
        yield f"  {call.said('accepts')}: #{shown['accepts_pull_request']}"


def _profile(profile: Item | None) -> str | None:
    return f"{profile['profile']} ({profile['source']})" if profile else None

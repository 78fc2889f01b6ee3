"""How runs look in tables, and what a person does next."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from stagewright.processes.cli.present.table import Column
from stagewright.processes.cli.present.text import brief, moment, safe

Item = Mapping[str, Any]


def thread_of(run: Item) -> str:
    """Return where the run works: ``owner/repo#12``."""
    number = run.get("issue_number") or run.get("pr_number")
    return f"{run.get('repository') or ''}#{number}" if number else str(run.get("repository") or "")


def why(run: Item) -> str | None:
    """Return why a run is where it is: what it waits for, or how it failed."""
    wait = run.get("wait")
    if run.get("status") == "waiting" and wait:
        return f"{wait['kind']}: {wait['who_can_act']}"
    if run.get("failure_class"):
        return f"{run['failure_class']}: {run.get('code') or ''}".rstrip(": ")
    return run.get("admission_reason") if run.get("status") == "queued" else run.get("code")


def pull_request(run: Item) -> str | None:
    """Return the address of the run's pull request."""
    link = run.get("pull_request")
    return str(link["url"]) if link else None


def spent(run: Item, now: datetime) -> str | None:
    """Return how long the run has been at work, or took."""
    begun, ended = moment(run.get("created_at")), moment(run.get("finished_at"))
    return None if begun is None else brief((ended or now) - begun)


LIST = (
    Column("id", kind="id"),
    Column("number", kind="whole", drop=3),
    Column("status", kind="status"),
    Column("stage", of=lambda run: run.get("stage") or run.get("kind")),
    Column("thread", title="issue", of=thread_of),
    Column("why", of=why, drop=2),
    Column("created_at", kind="time", title="created", drop=1),
    Column("model", wide=True),
    Column("requester_name", title="by", wide=True),
    Column("branch", wide=True),
    Column("pull_request", title="pull request", wide=True, of=pull_request),
)
VIEW = (
    Column("number"),
    Column("id"),
    Column("status", kind="status"),
    Column("why", of=why),
    Column("detail"),
    Column("stage", of=lambda run: run.get("stage") or run.get("kind")),
    Column("role"),
    Column("mode"),
    Column("project"),
    Column("issue", of=thread_of),
    Column("requester_name", title="requested by"),
    Column("model", of=lambda run: " ".join(str(run[key]) for key in ("engine", "model", "reasoning") if run.get(key))),
    Column("branch"),
    Column("pull_request", title="pull request", of=pull_request),
    Column("status_comment_url", title="comment"),
    Column("tokens", of=lambda run: tokens(run)),
    Column("created_at", kind="time", title="created"),
    Column("started_at", kind="time", title="started"),
    Column("finished_at", kind="time", title="finished"),
)
EVENTS = (
    Column("seq", kind="whole", drop=3),
    Column("at", kind="time"),
    Column("kind", kind="whole"),
    Column("actor", of=lambda event: (event.get("actor") or {}).get("id"), drop=2),
    Column("what", of=lambda event: gist(event.get("data") or {}), drop=1),
)
RESULT = (
    Column("verdict"),
    Column("attempt"),
    Column("proposal_no", title="proposal"),
    Column("summary", of=lambda result: (result.get("report") or {}).get("summary")),
    Column("commit_sha", title="commit"),
    Column("proposed_at", kind="time", title="proposed"),
    Column("checked_at", kind="time", title="checked"),
)
GIST = ("status", "status_text", "code", "outcome", "reason", "pr_url", "detail", "kind", "workload")


def tokens(run: Item) -> str | None:
    """Return the run's tokens in and out."""
    if not run.get("tokens_in") and not run.get("tokens_out"):
        return None
    return f"{run['tokens_in']} in ({run.get('tokens_cached', 0)} cached), {run['tokens_out']} out"


def gist(data: Item) -> str:
    """Return what matters of an event's body in a few words."""
    return ", ".join(f"{key} {safe(data[key])}" for key in GIST if data.get(key) not in (None, "", []))


def waiting_lines(run: Item, now: datetime) -> list[str]:
    """Say what a waiting run waits for, who can act, until when, and how."""
    wait = run.get("wait")
    if run.get("status") != "waiting" or not wait:
        return []
    until = moment(wait.get("deadline_at") or wait.get("resume_at"))
    when = f", until {brief(max(timedelta(0), until - now))} from now" if until else ""
    lines = [f"waits for {wait['kind'].replace('_', ' ')}: {safe(wait['who_can_act'])}{when}"]
    if wait["kind"] == "rate_limit":
        lines.append(f"try now: stagewright wait retry {wait['id']}")
    if (wait.get("target") or {}).get("kind") == "report":
        lines.append(f"answer: stagewright inbox answer {wait['id']} --text '...'")
    if wait["kind"] == "budget":
        lines.append(f"grant: stagewright wait resolve {wait['id']} --choice extend_25")
    return lines


def next_lines(run: Item) -> list[str]:
    """Say what a person may want to do next."""
    number = run.get("number") or run["id"]
    status = run.get("status")
    if status == "failed":
        label = (run.get("trigger") or {}).get("label") or "the label"
        return [
            f"next: stagewright run logs {number} --tail 50",
            f"      mend the cause and set {label} on {thread_of(run)} again",
        ]
    if status == "succeeded":
        return [f"next: stagewright run result {number}"]
    if status == "cancelled":
        return []
    return [f"next: stagewright run watch {number} --logs", f"      stagewright run cancel {number}"]

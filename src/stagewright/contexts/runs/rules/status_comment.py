"""The one service comment of a run, rendered from rows (specification: runs, section 11.2)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stagewright.contexts.runs.model import Attempt, FailureClass, Run, RunStatus, Wait
from stagewright.contexts.runs.rules.texts import CATALOGUE, locale_of, run_name, text
from stagewright.contexts.runs.rules.waiting import CREDENTIAL, what_answers_do

MARKER = "<!-- stagewright:run-status {} -->"
LIMIT = 60_000
ICONS = {
    RunStatus.SUCCEEDED: "✅",
    RunStatus.FAILED: "❌",
    RunStatus.CANCELLED: "⏹️",
    RunStatus.WAITING: "⏸️",
}
TIMELINE = (RunStatus.QUEUED, RunStatus.PREPARING, RunStatus.RUNNING, RunStatus.FINISHING)


@dataclass(frozen=True, slots=True)
class CommentStep:
    """A next step: what it does in the project's language, and its deep link if there is a public address."""

    text: str
    url: str | None


@dataclass(frozen=True, slots=True)
class CommentFacts:
    """Everything the comment shows beside the run's own row."""

    attempts: Sequence[Attempt]
    waits: Sequence[Wait]
    phase: str
    run_url: str | None
    stage_name: str
    pr_number: int | None
    pr_url: str | None
    trigger: str | None
    requester: str
    violations: Sequence[Mapping[str, Any]]
    warnings: Sequence[str]
    follow_ups: Sequence[str]
    next_steps: Sequence[CommentStep]
    dev_label: str
    blocked_label: str
    input_label: str


def marker(run_id: str) -> str:
    """Return the last line, which serves only to find our comment again."""
    return MARKER.format(json.dumps({"run_id": run_id}))


def phase_of(run: Run, attempts: Sequence[Attempt], waits: Sequence[Wait] = (), *, ready: bool) -> str:
    """Return the phase; it never goes back within an attempt. ``waits`` are all of the run, open or closed."""
    if run.status.terminal:
        return "finished"
    if auth := _auth_phase(attempts, waits):
        return auth
    if ready and run.status in (RunStatus.RUNNING, RunStatus.FINISHING, RunStatus.WAITING):
        return "ready"
    if attempts and attempts[-1].launched_at is not None:
        return "started"
    return "created"


def _auth_phase(attempts: Sequence[Attempt], waits: Sequence[Wait]) -> str | None:
    """Say whether the engine's credential is awaited, or works again and no attempt has used it yet."""
    asked = [wait for wait in waits if wait.target_kind == CREDENTIAL]
    if any(wait.status == "open" for wait in asked):
        return "auth_required"
    solved = [wait.resolved_at for wait in asked if wait.status == "resolved" and wait.resolved_at is not None]
    if not solved or not attempts or attempts[-1].reserved_at > max(solved):
        return None
    return "auth_resolved"


def render(run: Run, facts: CommentFacts) -> str:
    """Return the comment's markdown, its marker last."""
    parts = [_title(run, facts), _headline(run, facts), _fields(run, facts), _timeline(run)]
    parts += [_violations(run, facts), _notes(run, facts), _next(run, facts)]
    body = "\n\n".join(part for part in parts if part)
    return f"{body[: LIMIT - 200]}\n\n{marker(str(run.id))}\n"


def _title(run: Run, facts: CommentFacts) -> str:
    number = run.issue_number or run.pr_number
    subject_key = "subject.issue" if run.issue_number else "subject.pr"
    return text(
        "title",
        run.locale,
        icon=ICONS.get(run.status, "⏳"),
        stage=facts.stage_name,
        subject=text(subject_key, run.locale, number=number),
        status=text(f"status.{run.status.value}", run.locale),
    )


def _headline(run: Run, facts: CommentFacts) -> str:
    lines: list[str] = []
    if run.status is RunStatus.FAILED:
        lines.append(_failure(run, facts))
    elif run.status is RunStatus.WAITING and facts.waits:
        lines.append(_wait(run, facts.waits[0], facts.input_label))
    elif run.status is RunStatus.SUCCEEDED and f"ended.{run.code}" in CATALOGUE[locale_of(run.locale)]:
        lines.append(text(f"ended.{run.code}", run.locale))
    elif run.status is RunStatus.QUEUED and run.admission_reason:
        lines.append(_admission(run, run.admission_reason))
    elif not run.status.terminal and run.status is not RunStatus.CANCELLING:
        lines.append(text(f"phase.{_shown_phase(run, facts)}", run.locale))
    if facts.run_url:
        lines.append(facts.run_url)
    return "  \n".join(lines)


def _admission(run: Run, reason: str) -> str:
    """Return why the run is not admitted yet, in words; a reason without words is shown as it is."""
    name, _, detail = reason.partition(":")
    if f"admission.{name}" not in CATALOGUE[locale_of(run.locale)]:
        return f"`{_one_line(reason)}`"
    role, mode, used, *_ = [*detail.split(":"), "", "", ""]
    return text(f"admission.{name}", run.locale, role=_one_line(role), mode=_one_line(mode), used=_one_line(used))


def _shown_phase(run: Run, facts: CommentFacts) -> str:
    """Return the phase's words: between attempts it is the run's status that says what happens now."""
    if facts.phase.startswith("auth_"):
        return facts.phase
    launched = bool(facts.attempts) and facts.attempts[-1].launched_at is not None
    if run.status is RunStatus.PREPARING and not launched:
        return "preparing"
    return "created" if run.status is RunStatus.QUEUED else facts.phase


def _failure(run: Run, facts: CommentFacts) -> str:
    catalogue = CATALOGUE[locale_of(run.locale)]
    # A launch that is refused says in its detail what to do.
    fallback = "" if run.failure_class is FailureClass.PRECONDITION and run.detail else catalogue["remedy.default"]
    remedy = catalogue.get(f"remedy.{run.code}", fallback)
    class_name = text(f"class.{run.failure_class.value}", run.locale) if run.failure_class else ""
    line = text(
        "failure",
        run.locale,
        class_name=class_name,
        code=run.code or "-",
        remedy=remedy.format_map({"dev": facts.dev_label, "blocked": facts.blocked_label}),
    )
    line = line.rstrip()
    return f"{line}\n\n> {_one_line(run.detail)}" if run.detail else line


def _wait(run: Run, wait: Wait, input_label: str) -> str:
    until = wait.resume_at or wait.deadline_at
    is_credential = wait.target_kind == CREDENTIAL
    own = "wait.credential" if is_credential else f"wait.{wait.kind.value}.{wait.target_kind}"
    line = text(
        own if own in CATALOGUE[locale_of(run.locale)] else f"wait.{wait.kind.value}",
        run.locale,
        who=_who(run, wait.who_can_act),
        target=_one_line(wait.target_id.partition(":")[2] if is_credential else wait.target_id),
        until=_minute(wait.resume_at or wait.deadline_at),
        label=_one_line(input_label),
    )
    if until is not None and wait.resume_at is None:
        line += text("until", run.locale, until=_minute(until))
    if not what_answers_do(wait.kind, wait.target_kind):
        line += "  \n" + text("wait.no_door", run.locale, run=run_name(run.number))
    return line


def _who(run: Run, permission: str) -> str:
    """Return who has ``permission``, in words; one without words is named."""
    catalogue = CATALOGUE[locale_of(run.locale)]
    known = catalogue.get(f"who.{permission}")
    return known if known is not None else text("who.other", run.locale, permission=_one_line(permission))


def _fields(run: Run, facts: CommentFacts) -> str:
    pull_request = f"[#{facts.pr_number}]({facts.pr_url})" if facts.pr_number else None
    trigger = f"`{facts.trigger}`" if facts.trigger else run.trigger_source
    workload = facts.attempts[-1].workload_name if facts.attempts else None
    catalogue = CATALOGUE[locale_of(run.locale)]
    tokens = None
    if run.tokens_in or run.tokens_out:
        tokens = text(
            "tokens", run.locale, tokens_in=run.tokens_in, cached=run.tokens_cached, tokens_out=run.tokens_out
        )
    model = f"{run.model} ({run.model_source})" if run.model else None
    reasoning = f"{run.reasoning} ({run.reasoning_source})" if run.reasoning else None
    rows = (
        ("run", run_name(run.number)),
        ("trigger", f"{trigger} · {facts.requester}"),
        ("kind", run.kind),
        ("role", run.role),
        ("mode", text("mode.source", run.locale, mode=run.mode, source=run.runtime_source)),
        ("env", catalogue.get(f"env.{run.env}", run.env)),
        ("base", f"`{run.base_sha[:12]}`" if run.base_sha else None),
        ("candidate", f"`{run.build_sha[:12]}` (#{run.world.candidate_pr})" if run.build_sha else None),
        ("access", catalogue.get(f"access.{run.access_profile}", run.access_profile)),
        ("workload", workload),
        ("issue", f"#{run.issue_number}" if run.issue_number else None),
        ("pr", pull_request),
        ("model", model),
        ("reasoning", reasoning),
        ("profile", run.launch_profile),
        ("attempts", str(len(facts.attempts)) if facts.attempts else None),
        ("tokens", tokens),
        ("cost", _cost(run) if tokens or run.status.terminal else None),
    )
    lines = ["| | |", "|---|---|"]
    lines += [f"| {text(f'field.{key}', run.locale)} | {_cell(value)} |" for key, value in rows if value]
    return "\n".join(lines)


def _cost(run: Run) -> str:
    if run.cost_micros is None:
        return text("cost.unknown", run.locale)
    return text("cost.known", run.locale, amount=f"{run.cost_micros / 1_000_000:.2f}")


def _timeline(run: Run) -> str:
    steps: list[str] = []
    current = run.status if run.status in TIMELINE else None
    passed = True
    for status in TIMELINE:
        name = text(f"timeline.{status.value}", run.locale)
        if status is current:
            steps.append(f"**{name}**")
            passed = False
        else:
            steps.append(f"{name} ✓" if passed and _reached(run, status) else name)
    if run.status is RunStatus.SUCCEEDED:
        steps.append(f"{text('timeline.done', run.locale)} ✓")
    return f"{text('timeline.heading', run.locale)}: {' → '.join(steps)}"


def _reached(run: Run, status: RunStatus) -> bool:
    match status:
        case RunStatus.QUEUED:
            return run.admitted_at is not None or run.status is not RunStatus.QUEUED
        case RunStatus.PREPARING:
            return run.started_at is not None
        case RunStatus.RUNNING:
            return run.status is RunStatus.SUCCEEDED or run.finish_step is not None
        case _:
            return run.status is RunStatus.SUCCEEDED


def _violations(run: Run, facts: CommentFacts) -> str:
    if run.status is not RunStatus.FAILED or not facts.violations:
        return ""
    lines = [f"**{text('violations.heading', run.locale)}**"]
    for item in facts.violations:
        line = text("violation.line", run.locale, code=item["code"], message=item["message"])
        paths = [str(path) for path in item.get("paths", ())]
        shown = ", ".join(f"`{_one_line(path)}`" for path in paths[:20])
        more = f", {text('paths.more', run.locale, count=len(paths) - 20)}" if len(paths) > 20 else ""
        lines.append(f"- {line}" + (f" — {shown}{more}" if shown else ""))
    return "\n".join(lines)


def _notes(run: Run, facts: CommentFacts) -> str:
    catalogue = CATALOGUE[locale_of(run.locale)]
    lines: list[str] = []
    for note in run.notes:
        key, _, argument = note.partition(":")
        template = catalogue.get(f"note.{key}")
        lines.append(template.format_map({"stages": argument, "text": argument}) if template else note)
    lines += [text("note.warning", run.locale, text=_one_line(warning)) for warning in facts.warnings]
    lines += [text("note.follow_up", run.locale, title=_one_line(title)) for title in facts.follow_ups]
    if not lines:
        return ""
    return "\n".join([f"**{text('notes.heading', run.locale)}**", *(f"- {line}" for line in lines)])


def _next(run: Run, facts: CommentFacts) -> str:
    if not run.status.terminal or not facts.next_steps:
        return ""
    lines = [f"**{text('next.heading', run.locale)}**"]
    lines += [f"- [{step.text}]({step.url})" if step.url else f"- {step.text}" for step in facts.next_steps]
    return "\n".join(lines)


def _minute(value: datetime | None) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if value else "-"


def _one_line(value: str | None) -> str:
    return " ".join((value or "").split()).replace("`", "'")


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")

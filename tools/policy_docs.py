"""Write ``docs/policy-tables.md`` from the built-in policy, so that guide and program say the same."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from stagewright.contexts.workflow.api import (
    FinishedRun,
    KindClass,
    LabelChange,
    Moment,
    Policy,
    builtin_policy,
    gate_table,
    label_transitions,
    next_steps,
    refusal_text,
)

ROOT = Path(__file__).resolve().parents[1]
TARGET = Path("docs/policy-tables.md")
HEAD = """# The built-in policy in tables

Generated from the built-in policy by `python -m tools.policy_docs`; do not edit. What the columns mean is in
[policy.md](policy.md).
"""


def text(policy: Policy | None = None) -> str:
    """Return the page."""
    known = policy or builtin_policy()
    sections = (
        *(_stages, _special, _roles, _labels, _profiles, _steps),
        *(_gates, _moves, _scopes, _protected, _models, _approvals),
    )
    return "\n".join([HEAD, *(section(known) for section in sections)])


def problems(root: Path) -> list[str]:
    """Return what is wrong with the page below ``root``: nothing, or that it has to be written anew."""
    page = root / TARGET
    if page.is_file() and page.read_text(encoding="utf-8") == text():
        return []
    return [f"{TARGET}: it differs from the built-in policy; run python -m tools.policy_docs"]


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"## {title}", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    return "\n".join([*lines, ""])


def _cell(value: object) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(str(item) for item in value) or "–"
    return str(value).replace("|", "\\|")


def _stages(policy: Policy) -> str:
    rows = [
        (
            f"`run:{stage.key}`",
            stage.role,
            stage.mode.value,
            stage.env.value,
            stage.scope,
            stage.limit_minutes,
            stage.needs_candidate,
            stage.closes_issue,
            [item.replace("_", " ") for item in stage.artifacts],
        )
        for stage in policy.stages.values()
    ]
    head = ("label", "role", "mode", "env", "scope", "minutes", "needs candidate", "closes issue", "artifacts")
    return _table("Stages", head, rows)


def _special(policy: Policy) -> str:
    rows = [
        (
            f"`{kind.key}`",
            f"`{kind.label}`" if kind.label else None,
            kind.role,
            kind.mode.value,
            kind.scope,
            kind.limit_minutes,
            kind.publish,
        )
        for kind in policy.special.values()
    ]
    return _table("Special kinds", ("kind", "label", "role", "mode", "scope", "minutes", "publication"), rows)


def _roles(policy: Policy) -> str:
    rows = [
        (f"`{role.key}`", role.name.en, role.limits.full_env, role.limits.code_only) for role in policy.roles.values()
    ]
    totals = policy.limits
    table = _table("Roles and parallel runs per project", ("role", "name", "full-env", "code-only"), rows)
    return table + (
        f"\nPer project in total {totals.project.total} (full-env {totals.project.full_env}, code-only "
        f"{totals.project.code_only}); the platform in total {totals.platform_total}.\n"
    )


def _labels(policy: Policy) -> str:
    rows = [
        (
            f"`{item.key}`",
            item.label_class.value,
            [thread.replace("_", " ") for thread in item.threads],
            item.description,
        )
        for item in policy.catalogue.values()
    ]
    return _table("Labels", ("label", "class", "on", "description"), rows)


def _profiles(policy: Policy) -> str:
    rows = [
        (f"`{key}`", f"`{policy.profiles.variants[key]}`", " → ".join(path), policy.profiles.choose_when.get(key))
        for key, path in policy.profiles.paths.items()
    ]
    return _table("Launch profiles, smallest first", ("profile", "variant", "path", "choose when"), rows)


def _steps(policy: Policy) -> str:
    rows = []
    for stage in policy.stages:
        run = FinishedRun(kind=stage.replace("-", "_"), has_open_link=True)
        steps = next_steps(run, policy)
        rows.append((stage, [f"`{step.target}` [{step.variant}]" for step in steps]))
    return _table("Next steps after a stage that succeeded, its pull request open", ("stage", "steps"), rows)


CLASSES = {
    KindClass.FORWARD: "stages",
    KindClass.REVISE: "revises",
    KindClass.RETHINK: "rethink",
    KindClass.SIDE: "side stages",
    KindClass.REPAIR: "repair",
    KindClass.REVIEW: "review",
    KindClass.DISCUSSION: "discussion",
}
NAMES = {
    "label": "the label",
    "stages": "the missing stages",
    "pull_request": "#n",
    "roles_en": "its name",
    "run": "the run",
}


def _gates(policy: Policy) -> str:
    rows = []
    for reason, classes in gate_table():
        said = refusal_text(reason.value, "en", NAMES)
        held = [CLASSES[item] for item in CLASSES if item in classes]
        rows.append((f"`{reason.value}`", held, said.reason.replace("`", ""), said.remedy.replace("`", "")))
    knobs = policy.gates
    table = _table("Gates: what holds a start back", ("reason", "holds back", "because", "opened by"), rows)
    return table + (
        f"\nKnobs: `gates.blocked` {knobs.blocked}, `gates.in_review` {knobs.in_review}, `gates.need` {knobs.need}, "
        f"`gates.stage_order` {knobs.stage_order}.\n"
    )


def _moves(policy: Policy) -> str:
    rows = []
    for moment in Moment:
        moved = label_transitions(moment, trigger="the trigger", platform_needs_input=(True, True))
        sides = (moved.issue, moved.pull_request, moved.other_links)
        rows.append((moment.value.replace("_", " "), *map(_signs, sides)))
    head = ("when", "issue", "pull request", "other open pull requests of the issue")
    return _table("Labels that the platform moves", head, rows)


def _signs(change: LabelChange) -> list[str]:
    return [*(f"− {_label(key)}" for key in change.remove), *(f"+ {_label(key)}" for key in change.add)]


def _label(key: str) -> str:
    return f"`{key}`" if ":" in key else key


def _scopes(policy: Policy) -> str:
    rows = [(f"`{key}`", [f"`{item}`" for item in scope.patterns]) for key, scope in policy.scopes.items()]
    return _table("File scopes", ("scope", "allows"), rows)


def _protected(policy: Policy) -> str:
    rows = [(f"`{item.path}`", item.rule.value.replace("_", " ")) for item in policy.protected_paths]
    return _table("Protected paths, on top of every scope", ("path", "rule"), rows)


def _models(policy: Policy) -> str:
    rows = [
        (f"`{key}`", entry.engine, f"`{entry.id}`", f"`{entry.label}`" if entry.label else None)
        for key, entry in policy.models.items()
    ]
    return _table("Models", ("model", "engine", "the provider's id", "label"), rows)


def _approvals(policy: Policy) -> str:
    rows = [
        (f"`{row.id}`", [f"`{item}`" for item in row.action], row.kinds, row.roles, row.env, row.approval)
        for row in policy.approvals
    ]
    return _table("Approval matrix, first match wins", ("row", "actions", "kinds", "roles", "env", "approval"), rows)


if __name__ == "__main__":
    (ROOT / TARGET).write_text(text(), encoding="utf-8")

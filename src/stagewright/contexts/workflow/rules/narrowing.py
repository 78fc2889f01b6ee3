"""What a project's own file may not do: loosen what is narrow-only, pass a ceiling, or speak for the platform."""

from collections.abc import Iterator
from typing import Any

from stagewright.contexts.workflow.errors import PolicyProblem
from stagewright.contexts.workflow.model.policy import ApprovalRow, Mode, Source
from stagewright.contexts.workflow.rules.actions import ACTIONS, ENVIRONMENTS, match_row
from stagewright.contexts.workflow.rules.building import approval_rows
from stagewright.contexts.workflow.rules.catalogue import stage_kind
from stagewright.contexts.workflow.rules.places import Merged, Path
from stagewright.contexts.workflow.rules.yaml_text import Parsed

Problems = Iterator[PolicyProblem]
_APPROVAL_RANK = {"none": 0, "delegated": 1, "owner": 2, "deny": 3}
_RULE_RANK = {"owner_review": 0, "deny": 1}
_PUBLISH_RANK = {"pull_request": 0, "default_branch": 1}


def check_owners(merged: Merged, source: Source, parsed: Parsed) -> list[PolicyProblem]:
    """Refuse parts that the file of ``source`` may not hold at all."""
    file = Merged(parsed.data, merged.places)
    found = []
    if "ceilings" in parsed.data:
        found.append(
            merged.problem(("ceilings",), "not_here", "ceilings stand in the built-in policy only; remove this")
        )
    if source is Source.PROJECT:
        for engine in file.table("engines"):
            if file.value("engines", engine, "argv") is not None:
                message = "the command line is set by the platform's policy only; remove it from the project's file"
                found.append(merged.problem(("engines", engine, "argv"), "not_here", message))
        if "platform" in file.table("limits"):
            message = "limits of the whole platform are set by the platform's policy only; remove them here"
            found.append(merged.problem(("limits", "platform"), "not_here", message))
    return found


def check_narrowing(merged: Merged, outer: Merged, *, approvals_sound: bool) -> list[PolicyProblem]:
    """Compare the effective document with ``outer``, what would hold without the project's file."""
    found = [
        *_protected(merged, outer),
        *_locked(merged, outer),
        *_senders(merged, outer),
        *_limits(merged, outer),
        *_budgets(merged, outer),
        *_publish(merged, outer),
    ]
    if approvals_sound and merged.value("approvals") != outer.value("approvals"):
        found += _approvals(merged, outer)
    return found


def _protected(merged: Merged, outer: Merged) -> Problems:
    now = {row.get("path"): row.get("rule") for row in merged.items("protected_paths") if isinstance(row, dict)}
    for row in outer.items("protected_paths"):
        rule = now.get(row["path"])
        if rule is None or _RULE_RANK.get(rule, 1) < _RULE_RANK[row["rule"]]:
            message = f"the project may only add to it: keep {{path: {row['path']}, rule: {row['rule']}}}"
            yield merged.problem(("protected_paths",), "loosened", message)


def _locked(merged: Merged, outer: Merged) -> Problems:
    now = merged.items("self_improve", "locked")
    for pattern in outer.items("self_improve", "locked"):
        if pattern not in now:
            message = f"the project may only add to it: keep {pattern!r}"
            yield merged.problem(("self_improve", "locked"), "loosened", message)


def _senders(merged: Merged, outer: Merged) -> Problems:
    allowed = outer.items("senders", "automation_allow")
    for index, login in enumerate(merged.items("senders", "automation_allow")):
        if login not in allowed:
            message = f"the project may only take logins away; ask the operator to allow {login!r}"
            yield merged.problem(("senders", "automation_allow", index), "loosened", message)


def _limits(merged: Merged, outer: Merged) -> Problems:
    project = merged.table("ceilings", "project")
    for key, value in merged.table("limits", "project").items():
        yield from _capped(merged, outer, ("limits", "project", key), value, project.get(key))
    roles = merged.table("ceilings", "roles")
    for role in merged.table("roles"):
        for mode, value in merged.table("roles", role, "limits").items():
            yield from _capped(merged, outer, ("roles", role, "limits", mode), value, roles.get(mode))


def _budgets(merged: Merged, outer: Merged) -> Problems:
    now, caps = merged.table("budgets"), merged.table("ceilings", "budgets")
    for key in outer.table("budgets"):
        if key not in now:
            yield merged.problem(("budgets", key), "loosened", "the project may not take a budget away; set a number")
    for key, value in now.items():
        yield from _capped(merged, outer, ("budgets", key), value, caps.get(key))


def _capped(merged: Merged, outer: Merged, path: Path, value: Any, ceiling: Any) -> Problems:
    before = outer.value(*path)
    if not isinstance(value, int | float) or not isinstance(ceiling, int | float) or value == before:
        return
    highest = max(ceiling, before) if isinstance(before, int | float) else ceiling
    if value > highest:
        yield merged.problem(path, "ceiling", f"{value} is more than the ceiling {highest}; lower it")


def _publish(merged: Merged, outer: Merged) -> Problems:
    path: Path = ("special", "ai_repair", "publish")
    value, ceiling = merged.text(*path) or "", merged.text("ceilings", "ai_repair", "publish") or ""
    if value != outer.text(*path) and _PUBLISH_RANK.get(value, 0) > _PUBLISH_RANK.get(ceiling, 1):
        yield merged.problem(path, "ceiling", f"{value} is more than the ceiling {ceiling}")


def _approvals(merged: Merged, outer: Merged) -> Problems:
    """Compare every cell of the matrix: each row of the project must be at least as strict as what it replaces."""
    before, now = approval_rows(outer.items("approvals")), approval_rows(merged.items("approvals"))
    index_of = {row.id: index for index, row in enumerate(now)}
    complained: set[str] = set()
    for action, kind, role, mode, env in _cells(merged):
        row = match_row(now, action, kind=kind, role=role, mode=mode, env=env)
        if row is None or row.id in complained:
            continue
        old = match_row(before, action, kind=kind, role=role, mode=mode, env=env)
        if difference := _looser(row, old, action=action, env=env):
            complained.add(row.id)
            cell = f"{action} for kind {kind}, role {role}, {mode.value}, {env}"
            message = f"row {row.id!r} is looser than the platform's policy ({cell}: {difference}); make it stricter"
            yield merged.problem(("approvals", index_of[row.id]), "loosened", message)


def _cells(merged: Merged) -> Iterator[tuple[str, str, str, Mode, str]]:
    stages = merged.table("stages")
    kinds = [*merged.table("special"), *(stage_kind(stage, revise=flag) for stage in stages for flag in (False, True))]
    for action in ACTIONS:
        for kind in kinds:
            for role in merged.table("roles"):
                for mode in Mode:
                    for env in ENVIRONMENTS:
                        yield action, kind, role, mode, env


def _looser(row: ApprovalRow, old: ApprovalRow | None, *, action: str, env: str) -> str | None:
    """Say how ``row`` is looser than ``old`` (None = deny), or return None."""
    was = old.approval if old is not None else "deny"
    if _APPROVAL_RANK[row.approval] < _APPROVAL_RANK[was]:
        return f"approval {row.approval} instead of {was}"
    if old is None or row.approval in ("none", "deny"):
        return None
    checks = (
        (row.self_approval and not old.self_approval, "self_approval"),
        (row.grantable and not old.grantable, "grantable"),
        (confirms(old, action, env) and not confirms(row, action, env), "typed_confirm"),
        (row.expires_in > old.expires_in, "expires_in"),
        (row.execute_within > old.execute_within, "execute_within"),
        (row.on_expiry != old.on_expiry and row.on_expiry == "resume", "on_expiry"),
    )
    return next((word for looser, word in checks if looser), None)


def confirms(row: ApprovalRow, action: str, env: str) -> bool:
    """Say whether deciding by ``row`` needs the target's name typed: by default for deletes and for production."""
    if row.typed_confirm is not None:
        return row.typed_confirm
    return env == "production" or action.endswith((":delete", ".delete"))

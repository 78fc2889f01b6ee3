"""From the checked document to the typed policy."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from stagewright.contexts.workflow.model.policy import (
    ApprovalRow,
    Budgets,
    CatalogueEntry,
    Clocks,
    Defaults,
    Engine,
    Gates,
    Kind,
    KindClass,
    LabelClass,
    LabelSettings,
    Limits,
    LocalText,
    ModelEntry,
    Policy,
    Profiles,
    ProjectLimits,
    ProtectedPath,
    PullRequestSettings,
    ReasoningLevel,
    Role,
    RoleLimits,
    Scope,
    Source,
    SpecialKind,
    Stage,
    StageSteps,
    ToolSettings,
)
from stagewright.contexts.workflow.rules import catalogue
from stagewright.contexts.workflow.rules.canonical import canonical_hash
from stagewright.contexts.workflow.rules.places import Merged, pointer

T = TypeVar("T")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPECIAL_CLASSES = {
    "ai_repair": KindClass.REPAIR,
    "rethink": KindClass.RETHINK,
    "reviewer": KindClass.REVIEW,
    "discussion": KindClass.DISCUSSION,
    "deploy": KindClass.DEPLOY,
}


def build(merged: Merged) -> Policy:
    """Build the policy of a document without problems."""
    data = merged.data
    roles = {key: _role(key, row) for key, row in data["roles"].items()}
    stages = {key: _named(Stage, key, row) for key, row in data["stages"].items()}
    special = {key: _named(SpecialKind, key, row) for key, row in data["special"].items()}
    return Policy(
        hash=canonical_hash(data),
        defaults=_make(Defaults, data["defaults"]),
        labels=_label_settings(data["labels"]),
        roles=roles,
        limits=_limits(data["limits"], roles),
        stages=stages,
        special=special,
        kinds=_kinds(stages, special),
        profiles=_profiles(data["profiles"]),
        scopes=_scopes(data["scopes"]),
        protected_paths=tuple(_make(ProtectedPath, row) for row in data["protected_paths"]),
        self_improve_locked=tuple(data["self_improve"]["locked"]),
        gates=_make(Gates, data["gates"]),
        next_steps={key: _make(StageSteps, row) for key, row in data["next_steps"].items()},
        engines={key: _make(Engine, {"key": key, **row}) for key, row in data["engines"].items()},
        models={key: _make(ModelEntry, {"key": key, **row}) for key, row in data["models"].items()},
        reasoning={key: _make(ReasoningLevel, {"key": key, **row}) for key, row in data["reasoning"].items()},
        approvals=approval_rows(data["approvals"]),
        budgets=_make(Budgets, data["budgets"]),
        branch_prefix=data["branches"]["prefix"],
        pull_request=_make(PullRequestSettings, data["pull_request"]),
        tools=ToolSettings(data["tools"]["read_scope"], data["tools"]["labels"]["unlisted"]),
        automation_allow=tuple(data["senders"]["automation_allow"]),
        clocks=_make(Clocks, data["clocks"]),
        catalogue=catalogue.definitions(merged),
        labels_by_text=catalogue.texts_to_keys(merged),
        triggers=catalogue.triggers(merged),
        document=data,
        sources=sources_of(merged),
    )


def approval_rows(rows: list[dict[str, Any]]) -> tuple[ApprovalRow, ...]:
    """Build the approval matrix: lists for single words, ``*`` for ``all``, seconds for durations."""
    return tuple(_approval(row) for row in rows)


def sources_of(merged: Merged) -> dict[str, Source]:
    """Map the JSON pointer of every value that is no map to the file it comes from."""
    result: dict[str, Source] = {}
    for path, place in merged.places.items():
        value = merged.value(*path)
        if value is not None and not isinstance(value, dict):
            result[pointer(path)] = place.source
    return result


def _make(cls: type[T], row: Mapping[str, Any]) -> T:
    return msgspec.convert(row, cls)


def _text(name: Any) -> LocalText:
    return LocalText(name["en"], name["ru"]) if isinstance(name, dict) else LocalText(name, name)


def _named(cls: type[T], key: str, row: Mapping[str, Any]) -> T:
    name = _text(row.get("name", key))
    return _make(cls, {**row, "key": key, "name": {"en": name.en, "ru": name.ru}})


def _role(key: str, row: Mapping[str, Any]) -> Role:
    limits = RoleLimits(row["limits"]["full-env"], row["limits"]["code-only"])
    return Role(key, _text(row["name"]), limits, row.get("model"), row.get("reasoning"), row.get("prompt"))


def _limits(row: Mapping[str, Any], roles: Mapping[str, Role]) -> Limits:
    project = row["project"]
    return Limits(
        platform_total=row["platform"]["total"],
        deploy_reserve=row["platform"]["deploy_reserve"],
        project=ProjectLimits(project["total"], project["full-env"], project["code-only"]),
        roles={key: role.limits for key, role in roles.items()},
    )


def _label_settings(row: Mapping[str, Any]) -> LabelSettings:
    entries = {
        key: CatalogueEntry(LabelClass(entry["class"]), entry["description"], tuple(entry["threads"]))
        for key, entry in row["catalogue"].items()
    }
    plain = {key: value for key, value in row.items() if key != "catalogue"}
    plain["aliases"] = {key: tuple(texts) for key, texts in row["aliases"].items()}
    plain["reserved"] = tuple(row["reserved"])
    return LabelSettings(**plain, catalogue=entries)


def _profiles(row: Mapping[str, Any]) -> Profiles:
    variants = row.get("variants", {})
    return Profiles(
        default=row["default"],
        variants={key: variants.get(key, f"{key.replace('-', '_')}_flow") for key in row["paths"]},
        choose_when=dict(row.get("choose_when", {})),
        paths={key: tuple(path) for key, path in row["paths"].items()},
    )


def _scopes(rows: Mapping[str, Any]) -> dict[str, Scope]:
    return {
        "none": Scope(()),
        "any": Scope(("**",)),
        **{key: Scope(tuple(row["allow"]), tuple(row.get("toolchain", ()))) for key, row in rows.items()},
    }


def _approval(row: Mapping[str, Any]) -> ApprovalRow:
    fixed: dict[str, Any] = {"action": [row["action"]] if isinstance(row["action"], str) else row["action"]}
    for key in ("kinds", "roles"):
        fixed[key] = ["*"] if row[key] == "all" else row[key]
    for key in ("expires_in", "execute_within"):
        if key in row:
            fixed[key] = int(row[key][:-1]) * _SECONDS[row[key][-1]]
    return _make(ApprovalRow, {**row, **fixed})


def _kinds(stages: Mapping[str, Stage], special: Mapping[str, SpecialKind]) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for stage in stages.values():
        kinds[catalogue.stage_kind(stage.key)] = _stage_kind(stage, revise=False)
        if stage.revise:
            kinds[catalogue.stage_kind(stage.key, revise=True)] = _stage_kind(stage, revise=True)
    for row in special.values():
        kinds[row.key] = _special_kind(row)
    return kinds


def _stage_kind(stage: Stage, *, revise: bool) -> Kind:
    own = KindClass.SIDE if stage.side else KindClass.FORWARD
    return Kind(
        key=catalogue.stage_kind(stage.key, revise=revise),
        kind_class=KindClass.REVISE if revise else own,
        stage=stage.key,
        revise=revise,
        role=stage.role,
        name=stage.name,
        mode=stage.mode,
        modes=stage.modes,
        env=stage.env,
        scope=stage.scope,
        limit_minutes=stage.limit_minutes,
        label=catalogue.stage_label(stage.key, revise=revise),
        enabled=stage.enabled,
        result_required=stage.result_required and not revise,
        environment_required=stage.environment_required,
        needs_candidate=stage.needs_candidate,
        closes_issue=stage.closes_issue,
        on_closed_issue=stage.on_closed_issue,
        report=stage.report,
        publish=stage.publish,
        size=stage.size,
        artifacts=stage.artifacts,
        involved=stage.involved,
        model=stage.model,
        reasoning=stage.reasoning,
    )


def _special_kind(row: SpecialKind) -> Kind:
    reports = {"reviewer": "review", "discussion": "discussion", "deploy": "none"}
    return Kind(
        key=row.key,
        kind_class=_SPECIAL_CLASSES[row.key],
        stage=None,
        revise=False,
        role=row.role,
        name=row.name,
        mode=row.mode,
        modes=row.modes,
        env=row.env,
        scope=row.scope,
        limit_minutes=row.limit_minutes,
        label=row.label,
        enabled=row.enabled,
        result_required=row.result_required,
        environment_required=row.environment_required,
        needs_candidate=False,
        closes_issue=False,
        on_closed_issue=row.on_closed_issue,
        report=reports.get(row.key, "work"),
        publish="held" if row.key == "ai_repair" else "auto",
        size=row.size,
        model=row.model,
        reasoning=row.reasoning,
    )

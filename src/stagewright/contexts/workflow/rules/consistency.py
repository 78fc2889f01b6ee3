"""What a policy must keep beyond its shape: everything named exists, labels are told apart, paths are in order.

Every check tolerates a document whose shape is wrong elsewhere, so that all mistakes are reported at once.
"""

from collections.abc import Iterator

from stagewright.contexts.workflow.errors import PolicyProblem
from stagewright.contexts.workflow.model.policy import EnvironmentNeed, Source
from stagewright.contexts.workflow.rules import catalogue
from stagewright.contexts.workflow.rules.actions import is_known_action
from stagewright.contexts.workflow.rules.matching import normalise
from stagewright.contexts.workflow.rules.places import Merged, Path
from stagewright.kit.globs import is_pattern

FIXED_SCOPES = ("none", "any")
NEEDED_LABELS = (
    *("mode:discussion", "need:reviewer", "need:input"),
    *("state:blocked", "state:in-review", "state:approved", "state:superseded", "state:abandoned"),
)
NEVER_A_TARGET = ("run:ai-repair", "mode:discussion", "run:debug")
Problems = Iterator[PolicyProblem]


def check_consistency(merged: Merged) -> list[PolicyProblem]:
    """Return every contradiction of the effective document."""
    checks = (_rows, _kind_keys, _defaults, _labels, _profiles, _candidates, _next_steps, _models, _scopes, _approvals)
    return [problem for check in checks for problem in check(merged)]


def _names_one(merged: Merged, path: Path, known: dict[str, object], what: str) -> Problems:
    value = merged.text(*path)
    if value is not None and value not in known:
        yield merged.problem(path, "unknown_name", f"there is no {what} {value!r}; known: {', '.join(known) or 'none'}")


def _rows(merged: Merged) -> Problems:
    for part in ("stages", "special"):
        for key in merged.table(part):
            yield from _row(merged, (part, key))


def _row(merged: Merged, path: Path) -> Problems:
    roles, models = merged.table("roles"), merged.table("models")
    scopes: dict[str, object] = {**dict.fromkeys(FIXED_SCOPES), **merged.table("scopes")}
    yield from _names_one(merged, (*path, "role"), roles, "role")
    yield from _names_one(merged, (*path, "default_role"), roles, "role")
    yield from _names_one(merged, (*path, "scope"), scopes, "scope")
    yield from _names_one(merged, (*path, "model"), models, "model")
    yield from _names_one(merged, (*path, "reasoning"), merged.table("reasoning"), "reasoning level")
    for index in range(len(merged.items(*path, "involved"))):
        yield from _names_one(merged, (*path, "involved", index), roles, "role")
    mode, modes = merged.text(*path, "mode"), merged.items(*path, "modes")
    if modes and mode is not None and mode not in modes:
        yield merged.problem((*path, "mode"), "mode", f"mode {mode!r} is not among the modes of this row; add it there")
    if merged.value(*path, "needs_candidate") is True and merged.text(*path, "env") != EnvironmentNeed.CANDIDATE:
        yield merged.problem(
            (*path, "needs_candidate"), "candidate", "a stage that needs a candidate has env: candidate"
        )


def _kind_keys(merged: Merged) -> Problems:
    taken: dict[str, str] = {key: f"special.{key}" for key in merged.table("special")}
    for stage in merged.table("stages"):
        for kind in (catalogue.stage_kind(stage), catalogue.stage_kind(stage, revise=True)):
            if kind in taken:
                message = f"stage {stage!r} would be the kind {kind!r}, as {taken[kind]} is; choose another key"
                yield merged.problem(("stages", stage), "kind_taken", message)
            taken[kind] = f"stages.{stage}"


def _defaults(merged: Merged) -> Problems:
    yield from _names_one(merged, ("defaults", "model"), merged.table("models"), "model")
    yield from _names_one(merged, ("defaults", "reasoning"), merged.table("reasoning"), "reasoning level")
    for role in merged.table("roles"):
        yield from _names_one(merged, ("roles", role, "model"), merged.table("models"), "model")
        yield from _names_one(merged, ("roles", role, "reasoning"), merged.table("reasoning"), "reasoning level")


def _labels(merged: Merged) -> Problems:
    keys: dict[str, object] = {draft.key: None for draft in catalogue.drafts(merged)}
    for part in ("names", "aliases"):
        for key in merged.table("labels", part):
            if key not in keys:
                message = f"there is no label with the key {key!r} to give a text to; keys look like run:dev"
                yield merged.problem(("labels", part, key), "unknown_label", message)
    for key in NEEDED_LABELS:
        if key not in merged.table("labels", "catalogue"):
            message = f"the rules use the label {key!r}; keep it (its text is free: labels.names)"
            yield merged.problem(("labels", "catalogue", key), "label_needed", message)
    yield from _spellings(merged)


def _spellings(merged: Merged) -> Problems:
    seen: dict[str, tuple[str, Path]] = {}
    rank = list(Source)
    for text, key, path in catalogue.spellings(merged):
        normal = normalise(text)
        if not normal:
            yield merged.problem(path, "label_empty", f"the text of {key!r} is empty once brackets are dropped")
        elif normal in seen:
            other, first = seen[normal]
            nearer = first if rank.index(merged.place(first).source) > rank.index(merged.place(path).source) else path
            whose = f"of {key!r} and {other!r}" if other != key else f"twice of {key!r}"
            yield merged.problem(nearer, "label_taken", f"{text!r} would be the text {whose}; choose another")
        seen.setdefault(normal, (key, path))


def _profiles(merged: Merged) -> Problems:
    paths = merged.table("profiles", "paths")
    yield from _names_one(merged, ("profiles", "default"), paths, "profile")
    for part in ("variants", "choose_when"):
        for key in merged.table("profiles", part):
            if key not in paths:
                yield merged.problem(("profiles", part, key), "unknown_name", f"there is no profile {key!r} in paths")
    seen: set[str] = set()
    for key, variant in merged.table("profiles", "variants").items():
        if variant in seen or (isinstance(variant, str) and ("_or_" in variant or variant == "all_flows")):
            message = f"the variant {variant!r} cannot be told apart from another; choose another word without _or_"
            yield merged.problem(("profiles", "variants", key), "variant", message)
        seen.add(str(variant))
    longest = max((path for path in paths.values() if isinstance(path, list)), key=len, default=[])
    for key in paths:
        path: Path = ("profiles", "paths", key)
        stages = merged.items(*path)
        for index in range(len(stages)):
            yield from _names_one(merged, (*path, index), merged.table("stages"), "stage")
        rest = iter(longest)
        if not all(stage in rest for stage in stages):
            message = "a profile is an ordered part of the longest path: " + ", ".join(map(str, longest))
            yield merged.problem(path, "profile_order", message)


def _candidates(merged: Merged) -> Problems:
    for key in merged.table("profiles", "paths"):
        path: Path = ("profiles", "paths", key)
        has_candidate = False
        for index, stage in enumerate(merged.items(*path)):
            if merged.value("stages", stage, "needs_candidate") is True and not has_candidate:
                message = f"stage {stage!r} needs a candidate, so a stage of scope any has to stand before it"
                yield merged.problem((*path, index), "candidate_order", message)
            has_candidate = has_candidate or merged.value("stages", stage, "scope") == "any"


def _next_steps(merged: Merged) -> Problems:
    rows = {**merged.table("stages"), "rethink": None}
    targets = [key for key in catalogue.triggers(merged) if key not in NEVER_A_TARGET]
    for row in merged.table("next_steps"):
        path: Path = ("next_steps", row)
        if row not in rows:
            yield merged.problem(path, "unknown_name", f"there is no stage {row!r}; known: {', '.join(rows)}")
        for index in range(len(merged.items(*path, "jumps"))):
            here = (*path, "jumps", index)
            yield from _target(merged, (*here, "target"), targets)
            yield from _names_one(merged, (*here, "profile"), merged.table("profiles", "paths"), "profile")
        for index in range(len(merged.items(*path, "side"))):
            yield from _target(merged, (*path, "side", index), targets)


def _target(merged: Merged, path: Path, targets: list[str]) -> Problems:
    value = merged.text(*path)
    if value is not None and value not in targets:
        reason = "starts no next step" if value in NEVER_A_TARGET else "is no key of a trigger label"
        yield merged.problem(path, "target", f"{value!r} {reason}; use the key of a stage, such as run:dev")


def _models(merged: Merged) -> Problems:
    engines = merged.table("engines")
    for key in merged.table("models"):
        yield from _names_one(merged, ("models", key, "engine"), engines, "engine")
    for level in merged.table("reasoning"):
        for engine in merged.table("reasoning", level, "effort"):
            if engine not in engines:
                path = ("reasoning", level, "effort", engine)
                yield merged.problem(
                    path, "unknown_name", f"there is no engine {engine!r}; known: {', '.join(engines)}"
                )


def _scopes(merged: Merged) -> Problems:
    for key in FIXED_SCOPES:
        if key in merged.table("scopes"):
            meaning = "no path" if key == "none" else "every path"
            message = f"scope {key!r} always means {meaning} and cannot be written; choose another key"
            yield merged.problem(("scopes", key), "scope_fixed", message)
    globs = [("scopes", key, part) for key in merged.table("scopes") for part in ("allow", "toolchain")]
    for path in [*globs, ("self_improve", "locked")]:
        for index in range(len(merged.items(*path))):
            yield from _glob(merged, (*path, index))
    for index in range(len(merged.items("protected_paths"))):
        yield from _glob(merged, ("protected_paths", index, "path"))


def _glob(merged: Merged, path: Path) -> Problems:
    pattern = merged.text(*path)
    if pattern is not None and any("**" in part and part != "**" for part in pattern.split("/")):
        message = f"in {pattern!r} `**` stands beside other characters; it is a whole part, as in docs/**/*.md"
        yield merged.problem(path, "pattern", message)
    elif pattern is not None and not is_pattern(pattern):
        message = f"in {pattern!r} a range in brackets runs backwards; write it as in [a-z]"
        yield merged.problem(path, "pattern", message)


def _approvals(merged: Merged) -> Problems:
    kinds: set[str] = set(merged.table("special"))
    for stage in merged.table("stages"):
        kinds |= {catalogue.stage_kind(stage), catalogue.stage_kind(stage, revise=True)}
    ids: set[str] = set()
    for index, row in enumerate(merged.items("approvals")):
        path: Path = ("approvals", index)
        if not isinstance(row, dict):
            continue
        row_id = merged.text(*path, "id")
        if row_id is not None and row_id in ids:
            yield merged.problem((*path, "id"), "duplicate", f"another row is called {row_id!r}; ids are unique")
        ids.add(row_id or "")
        yield from _actions(merged, (*path, "action"))
        for number, kind in enumerate(merged.items(*path, "kinds")):
            if isinstance(kind, str) and kind != "*" and kind.removeprefix("!") not in kinds:
                yield merged.problem((*path, "kinds", number), "unknown_name", f"there is no kind {kind!r}")
        for number in range(len(merged.items(*path, "roles"))):
            yield from _names_one(merged, (*path, "roles", number), merged.table("roles"), "role")


def _actions(merged: Merged, path: Path) -> Problems:
    one = merged.text(*path)
    named = [(path, one)] if one is not None else [((*path, i), a) for i, a in enumerate(merged.items(*path))]
    for place, action in named:
        if isinstance(action, str) and not is_known_action(action):
            yield merged.problem(
                place, "unknown_action", f"there is no action {action!r}; see `stagewright policy show`"
            )

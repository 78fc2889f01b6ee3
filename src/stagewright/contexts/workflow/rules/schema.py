"""The shape of a policy as one JSON Schema: it checks files here and completes them in editors.

Each sub-schema that a person may get wrong carries ``description``; the checker quotes it as what was expected.
"""

from collections.abc import Mapping
from typing import Any

from stagewright.contexts.workflow.model.policy import EnvironmentNeed, LabelClass, Mode, PathRule

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Python's `$` would let a line feed follow; in an editor's dialect this says the same as `$` alone.
END = r"$(?!\n)"
STAGE_KEY = f"^[a-z][a-z0-9]*(-[a-z0-9]+)*{END}"
WORD_KEY = f"^[a-z][a-z0-9_]*{END}"
# Every action is compared for every role and kind when a project changes approvals, so their number is bounded.
MOST_ROLES, MOST_STAGES, MOST_APPROVALS = 50, 60, 100
ENVIRONMENTS = ("ai", "persistent", "production", "any")
APPROVALS = ("none", "delegated", "owner", "deny")


def policy_schema() -> Schema:
    """Return the schema of a complete (effective) policy."""
    parts = _parts()
    return {"$schema": DIALECT, **_object(parts, required=tuple(parts))}


def json_schema() -> Schema:
    """Return the schema of a policy file: everything optional, and null deletes."""
    schema = _relaxed(policy_schema(), top=True)
    return {
        **schema,
        "title": "Stagewright policy",
        "description": "Merged over the built-in policy: maps merge, lists replace, null deletes.",
    }


def _relaxed(schema: Schema, *, top: bool = False) -> Schema:
    """Drop ``required`` of maps that merge and let their members be null. Items of lists stay complete."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [*(_relaxed(item) for item in schema["anyOf"]), {"type": "null"}]}
    if schema.get("type") != "object":
        return schema
    loose = {key: value for key, value in schema.items() if key != "required"}
    if "properties" in schema:
        loose["properties"] = {key: _deletable(value) for key, value in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), dict):
        loose["additionalProperties"] = _deletable(schema["additionalProperties"])
    return loose if top else {**loose, "type": ["object", "null"]}


def _deletable(schema: Schema) -> Schema:
    relaxed = _relaxed(schema)
    return relaxed if relaxed is not schema else {"anyOf": [schema, {"type": "null"}]}


def _object(properties: Mapping[str, Schema], *, required: tuple[str, ...] = (), says: str = "") -> Schema:
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    return {**schema, "description": says} if says else schema


def _map(values: Schema, *, keys: str | None = None, says: str = "", most: int = 0) -> Schema:
    schema: Schema = {"type": "object", "additionalProperties": values}
    if most:
        schema["maxProperties"] = most
    if keys is not None:
        schema["propertyNames"] = {"pattern": keys}
    return {**schema, "description": says} if says else schema


def _list(items: Schema, *, unique: bool = True, least: int = 0, most: int = 0) -> Schema:
    schema: Schema = {"type": "array", "items": items}
    if most:
        schema["maxItems"] = most
    if unique:
        schema["uniqueItems"] = True
    return {**schema, "minItems": least} if least else schema


def _whole(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, "description": f"a whole number from {low} to {high}"}


def _one_of(*words: str) -> Schema:
    return {"type": "string", "enum": list(words), "description": "one of " + ", ".join(words)}


def _pattern(pattern: str, says: str) -> Schema:
    return {"type": "string", "pattern": pattern, "description": says}


TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 200, "description": "a text of 1 to 200 characters"}
LABEL: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 50,
    "pattern": r"\S",
    "description": "a label text of 1 to 50 characters",
}
FLAG: Schema = {"type": "boolean", "description": "true or false"}
STAGE = _pattern(STAGE_KEY, "the key of a stage, such as dev or doc-audit")
WORD = _pattern(WORD_KEY, "a lower-case word, such as dev")
MONEY: Schema = {"type": "number", "minimum": 0, "maximum": 1_000_000, "description": "US dollars, 0 or more"}
GLOB = _pattern(
    rf"^(?!/)(?!.*//)(?!(.*/)?\.\.?(/|$))[^\\\x00-\x1f]+(?<!/){END}",
    "a path pattern relative to the repository, such as docs/**/*.md",
)
MODE = _one_of(*(mode.value for mode in Mode))
NAME: Schema = {
    "anyOf": [TEXT, _object({"en": TEXT, "ru": TEXT}, required=("en", "ru"))],
    "description": "a text, or {en: …, ru: …}",
}
DURATION = _pattern(rf"^[1-9][0-9]{{0,4}}[smhd]{END}", "a duration such as 30m, 4h or 7d")
LIMIT = _whole(0, 1000)


def _parts() -> dict[str, Schema]:
    return {
        "version": {"const": 1, "description": "1"},
        "defaults": _object(
            {
                "model": TEXT,
                "reasoning": TEXT,
                "locale": _pattern(rf"^[A-Za-z]{{2}}([-_].*)?{END}", "a locale such as en or ru"),
            },
            required=("model", "reasoning", "locale"),
        ),
        "labels": _labels(),
        "roles": _map(_role(), keys=WORD_KEY, says="a map of roles", most=MOST_ROLES),
        "limits": _object(
            {
                "project": _totals(),
                "platform": _object({"total": LIMIT, "deploy_reserve": LIMIT}, required=("total", "deploy_reserve")),
            },
            required=("project", "platform"),
        ),
        "ceilings": _ceilings(),
        "stages": _map(_stage(), keys=STAGE_KEY, says="a map of stages", most=MOST_STAGES),
        "special": _special(),
        "profiles": _profiles(),
        "scopes": _map(_object({"allow": _list(GLOB), "toolchain": _list(GLOB)}, required=("allow",)), keys=WORD_KEY),
        "protected_paths": _list(
            _object({"path": GLOB, "rule": _one_of(*(rule.value for rule in PathRule))}, required=("path", "rule"))
        ),
        "self_improve": _object({"locked": _list(GLOB)}, required=("locked",)),
        "gates": _gates(),
        "next_steps": _map(_steps(), keys=STAGE_KEY),
        "engines": _map(_engine(), keys=WORD_KEY, says="a map of engines"),
        "models": _map(_model(), says="a map of models"),
        "reasoning": _map(_object({"label": LABEL, "effort": _map(TEXT)}, required=("label", "effort"))),
        "approvals": _list(_approval(), unique=False, most=MOST_APPROVALS),
        "budgets": _object({"run_usd": MONEY, "issue_usd": MONEY, "project_day_usd": MONEY}),
        "branches": _object(
            {"prefix": _pattern(rf"^[A-Za-z0-9][A-Za-z0-9_-]{{0,39}}{END}", "letters, digits, - and _, at most 40")},
            required=("prefix",),
        ),
        "pull_request": _object(
            {"draft": _one_of("auto", "always"), "follow_ups": _one_of("suggest", "create")},
            required=("draft", "follow_ups"),
        ),
        "tools": _object(
            {
                "read_scope": _one_of("repository", "thread"),
                "labels": _object({"unlisted": _one_of("existing", "deny")}, required=("unlisted",)),
            },
            required=("read_scope", "labels"),
        ),
        "senders": _object({"automation_allow": _list(TEXT)}, required=("automation_allow",)),
        "clocks": _clocks(),
    }


def _labels() -> Schema:
    threads = _list(_one_of("issue", "pull_request"), least=1)
    free = [LabelClass.MODE, LabelClass.REVIEW, LabelClass.STATE, LabelClass.NEED]
    entry = _object(
        {"class": _one_of(*free), "threads": threads, "description": {**TEXT, "maxLength": 100}},
        required=("class", "threads", "description"),
    )
    color = _pattern(rf"^[0-9a-f]{{6}}{END}", "six lower-case hex digits, such as 1f6feb")
    parts = {
        "trigger_prefix": LABEL,
        "model_prefix": LABEL,
        "reasoning_prefix": LABEL,
        "names": _map(LABEL, says="a map of label key to text"),
        "aliases": _map(_list(LABEL), says="a map of label key to a list of texts"),
        "reserved": _list(LABEL),
        "colors": _object(
            {item.value: color for item in LabelClass}, required=tuple(item.value for item in LabelClass)
        ),
        "catalogue": _map(entry),
    }
    return _object(parts, required=tuple(parts))


def _role() -> Schema:
    limits = _object({mode.value: LIMIT for mode in Mode}, required=tuple(mode.value for mode in Mode))
    parts = {"name": NAME, "limits": limits, "model": TEXT, "reasoning": TEXT, "prompt": TEXT}
    return _object(parts, required=("name", "limits"), says="a role: {name, limits, …}")


def _totals() -> Schema:
    parts = {"total": LIMIT, **{mode.value: LIMIT for mode in Mode}}
    return _object(parts, required=tuple(parts))


def _ceilings() -> Schema:
    return _object(
        {
            "roles": _object({mode.value: LIMIT for mode in Mode}, required=tuple(mode.value for mode in Mode)),
            "project": _totals(),
            "budgets": _object({"run_usd": MONEY, "issue_usd": MONEY, "project_day_usd": MONEY}),
            "ai_repair": _object({"publish": _one_of("pull_request", "default_branch")}, required=("publish",)),
        },
        required=("roles", "project", "budgets", "ai_repair"),
    )


def _common_row() -> dict[str, Schema]:
    return {
        "name": NAME,
        "description": {**TEXT, "maxLength": 90, "description": "a text of 1 to 90 characters"},
        "role": WORD,
        "mode": MODE,
        "modes": _list(MODE, least=1),
        "env": _one_of(*(need.value for need in EnvironmentNeed)),
        "scope": WORD,
        "limit_minutes": _whole(1, 1440),
        "enabled": FLAG,
        "result_required": FLAG,
        "environment_required": FLAG,
        "on_closed_issue": FLAG,
        "size": _one_of("small", "medium", "large"),
        "model": TEXT,
        "reasoning": TEXT,
    }


def _stage() -> Schema:
    parts = {
        **_common_row(),
        "involved": _list(WORD),
        "artifacts": _list(TEXT),
        "revise": FLAG,
        "needs_candidate": FLAG,
        "closes_issue": FLAG,
        "side": FLAG,
        "report": _one_of("work", "self_improve"),
        "publish": _one_of("auto", "held"),
    }
    return _object(parts, required=("role", "mode", "env", "scope", "limit_minutes"), says="a stage: {role, mode, …}")


def _special() -> Schema:
    common = _common_row()
    needed = ("name", "mode", "env", "scope", "limit_minutes")
    plain = {key: value for key, value in common.items() if key != "role"}
    repair = {**common, **_fixed_label("run:ai-repair"), "publish": _one_of("pull_request", "default_branch")}
    rethink, review = {**common, **_fixed_label("run:rethink")}, {**common, **_fixed_label("need:reviewer")}
    talk = {
        **plain,
        **_fixed_label("mode:discussion"),
        "default_role": WORD,
        "idle_days": _whole(1, 365),
        "max_attempts": _whole(1, 1000),
    }
    parts = {
        "ai_repair": _object(repair, required=(*needed, "role", "label", "publish")),
        "rethink": _object(rethink, required=(*needed, "role", "label")),
        "reviewer": _object(review, required=(*needed, "role", "label")),
        "discussion": _object(talk, required=(*needed, "label", "default_role", "idle_days", "max_attempts")),
        "deploy": _object(plain, required=needed),
    }
    return _object(parts, required=tuple(parts))


def _fixed_label(key: str) -> dict[str, Schema]:
    return {"label": {"const": key, "description": f"{key} (a key is fixed; its text is set in labels.names)"}}


def _profiles() -> Schema:
    parts = {
        "default": STAGE,
        "variants": _map(WORD, keys=STAGE_KEY),
        "choose_when": _map(TEXT, keys=STAGE_KEY),
        "paths": {**_map(_list(STAGE, least=1), keys=STAGE_KEY), "minProperties": 1},
    }
    return _object(parts, required=("default", "paths"))


def _gates() -> Schema:
    switch = _one_of("enforce", "off")
    parts = {"blocked": switch, "in_review": switch, "need": switch, "stage_order": _one_of("advise", "enforce", "off")}
    return _object(parts, required=tuple(parts))


def _steps() -> Schema:
    jump = _object({"target": LABEL, "variant": WORD, "profile": STAGE}, required=("target", "variant"))
    return _object({"reviewer": FLAG, "jumps": _list(jump), "side": _list(LABEL)})


def _engine() -> Schema:
    argv = {"type": "array", "items": {"type": "string"}, "description": "a list of words"}
    return _object({"enabled": FLAG, "credential": FLAG, "argv": argv}, required=("enabled",))


def _model() -> Schema:
    price = _object({"input": MONEY, "cached": MONEY, "output": MONEY}, required=("input", "cached", "output"))
    parts = {"engine": WORD, "id": TEXT, "label": LABEL, "usd_per_mtok": price}
    return _object(parts, required=("engine", "id"), says="a model: {engine, id, label?}")


def _approval() -> Schema:
    action = _pattern(
        rf"^[a-z][a-z0-9_.]*\*?(:[a-z]+)?{END}", "an action such as secret_sync_k8s or database_lifecycle:create"
    )
    kind = _pattern(rf"^(\*|!?[a-z][a-z0-9_]*){END}", "a kind such as dev_revise, * or !reviewer")
    everything = {"const": "all"}
    parts = {
        "id": _pattern(STAGE_KEY, "a key such as gov-production"),
        "action": {"anyOf": [action, _list(action, least=1)], "description": "an action or a list of actions"},
        "kinds": {"anyOf": [everything, _list(kind)], "description": "all, or a list of kinds"},
        "roles": {"anyOf": [everything, _list(WORD)], "description": "all, or a list of roles"},
        "modes": _list(MODE, least=1),
        "env": _one_of(*ENVIRONMENTS),
        "approval": _one_of(*APPROVALS),
        "self_approval": FLAG,
        "typed_confirm": FLAG,
        "expires_in": DURATION,
        "execute_within": DURATION,
        "on_expiry": _one_of("park", "resume"),
        "grantable": FLAG,
    }
    return _object(parts, required=("id", "action", "kinds", "roles", "env", "approval"))


def _clocks() -> Schema:
    parts = {
        "prepare_minutes": _whole(1, 240),
        "finish_minutes": _whole(1, 240),
        "stall_minutes": _whole(1, 240),
        "stop_grace_seconds": _whole(1, 600),
        "warn_percent": _whole(1, 100),
        "queue_stalled_minutes": _whole(1, 1440),
        "wait_abandoned_days": _whole(1, 365),
        "trigger_max_age_hours": _whole(1, 720),
    }
    return _object(parts, required=tuple(parts))

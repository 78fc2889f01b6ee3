"""Which model and reasoning level a run gets (``workflow.md`` section 9). Resolved once, at the first launch."""

from dataclasses import dataclass

from stagewright.contexts.workflow.model.outcomes import LaunchRefusal, ModelChoice, ModelQuestion
from stagewright.contexts.workflow.model.policy import Kind, KindClass, LabelClass, ModelEntry, Policy
from stagewright.contexts.workflow.model.reasons import LaunchReason, RefuseReason
from stagewright.contexts.workflow.rules.matching import group_labels, label_text

PULL_REQUEST_CLASSES = (KindClass.REVISE, KindClass.REVIEW)


@dataclass(slots=True)
class _Picked:
    key: str
    source: str


def resolve_model(question: ModelQuestion, policy: Policy) -> ModelChoice | LaunchRefusal:
    """Choose model and reasoning by labels, the sticky profile, the policy's rows and its defaults, in this order."""
    kind = policy.kinds[question.kind]
    model = _pick(question, kind, LabelClass.MODEL, policy)
    if isinstance(model, LaunchRefusal):
        return model
    level = _pick(question, kind, LabelClass.REASONING, policy)
    if isinstance(level, LaunchRefusal):
        return level
    entry = policy.models[model.key]
    if refusal := _unready(entry, question, policy):
        return refusal
    reasoning, effort = express(level.key, entry.engine, policy)
    sticky = policy.models.get(question.sticky.model) if question.sticky is not None else None
    return ModelChoice(
        engine=entry.engine,
        model=entry.key,
        model_id=entry.id,
        model_source=model.source,
        reasoning=reasoning,
        reasoning_source=level.source,
        reasoning_asked=level.key,
        effort=effort,
        session_compatible=question.sticky is None or (sticky is not None and sticky.engine == entry.engine),
    )


def missing_engine(question: ModelQuestion, policy: Policy) -> LaunchRefusal | None:
    """Return why the engine of the run's model cannot work, or None. Wrong labels are the launch's to report."""
    model = _pick(question, policy.kinds[question.kind], LabelClass.MODEL, policy)
    return None if isinstance(model, LaunchRefusal) else _unready(policy.models[model.key], question, policy)


def engine_ready(engine: str, available: frozenset[str], policy: Policy) -> bool:
    """Say whether ``engine`` can work now: enabled, and with the credential or command line it needs."""
    row = policy.engines[engine]
    if not row.enabled:
        return False
    if engine == "command":
        return bool(row.argv) or engine in available
    return not row.credential or engine in available


def express(level: str, engine: str, policy: Policy) -> tuple[str, str | None]:
    """Return the level in force and the engine's word for it: the nearest lower one the engine has a word for.

    An engine with higher words only takes its lowest; one without any keeps the level and gets no word.
    """
    if (word := policy.reasoning[level].effort.get(engine)) is not None:
        return level, word
    order = list(policy.reasoning)
    spoken = [key for key, entry in policy.reasoning.items() if engine in entry.effort]
    if not spoken:
        return level, None
    below = [key for key in spoken if order.index(key) <= order.index(level)]
    key = below[-1] if below else spoken[0]
    return key, policy.reasoning[key].effort[engine]


def _pick(question: ModelQuestion, kind: Kind, group: LabelClass, policy: Policy) -> _Picked | LaunchRefusal:
    return _by_labels(question, kind, group, policy) or _by_policy(question, kind, group, policy)


def _unready(entry: ModelEntry, question: ModelQuestion, policy: Policy) -> LaunchRefusal | None:
    if engine_ready(entry.engine, question.engines_available, policy):
        return None
    return LaunchRefusal(RefuseReason.AGENT_NOT_CONFIGURED.value, params={"engine": entry.engine, "model": entry.key})


def _by_labels(
    question: ModelQuestion, kind: Kind, group: LabelClass, policy: Policy
) -> _Picked | LaunchRefusal | None:
    scopes = [("issue_label", "issue", question.issue_labels)]
    if kind.kind_class in PULL_REQUEST_CLASSES:
        scopes.insert(0, ("pull_request_label", "pull_request", question.pr_labels))
    entries = policy.models if group is LabelClass.MODEL else policy.reasoning
    for source, scope, texts in scopes:
        known, unknown = group_labels(texts, group, policy)
        if unknown:
            labels = [entry.label for entry in entries.values() if entry.label is not None]
            offered = ", ".join(label_text(label, policy) for label in labels)
            return LaunchRefusal(LaunchReason.MODEL_UNKNOWN.value, tuple(unknown), scope, {"known": offered})
        if len(known) > 1:
            return LaunchRefusal(LaunchReason.MODEL_LABEL_CONFLICT.value, tuple(known.values()), scope)
        if known:
            (label,) = known
            return _Picked(next(key for key, entry in entries.items() if entry.label == label), source)
    return None


def _by_policy(question: ModelQuestion, kind: Kind, group: LabelClass, policy: Policy) -> _Picked:
    is_model = group is LabelClass.MODEL
    entries = policy.models if is_model else policy.reasoning
    role = policy.roles.get(question.role or kind.role or "")
    sticky = question.sticky if kind.kind_class is KindClass.REVISE else None
    default = policy.defaults.model if is_model else policy.defaults.reasoning
    for source, row in (("last_run_context", sticky), ("stage_default", kind), ("agent_default", role)):
        if row is None:
            continue
        key = row.model if is_model else row.reasoning
        if key is not None and key in entries:
            return _Picked(key, source)
    return _Picked(default, "policy_default")

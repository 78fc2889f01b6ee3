"""The gates: which labels on a thread hold which class of run back (``workflow.md`` section 8).

Evaluated at the decision, and again at admission on live labels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stagewright.contexts.workflow.model.decisions import Link
from stagewright.contexts.workflow.model.keys import ABANDONED, APPROVED, BLOCKED, IN_REVIEW, NEED_INPUT, SUPERSEDED
from stagewright.contexts.workflow.model.policy import Gates, Kind, KindClass, LabelClass, Policy
from stagewright.contexts.workflow.model.reasons import RefuseReason
from stagewright.contexts.workflow.rules.matching import label_keys, label_text

F, R, A = KindClass.FORWARD, KindClass.REVISE, KindClass.SIDE
P, V, D = KindClass.REPAIR, KindClass.REVIEW, KindClass.DISCUSSION
UNDER_REVIEW = "in_review"


@dataclass(frozen=True, slots=True)
class GateView:
    """What the gates look at. Labels are texts: of the issue (for a reviewer: of the pull request), and of the pull
    request to revise. ``accepted``: the last result on the path was accepted, or a person acts in the console."""

    labels: tuple[str, ...]
    target_labels: tuple[str, ...] = ()
    platform_needs_input: bool = False
    accepted: bool = False
    missing_stages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateHit:
    """The gate that is shut: its reason, the keys of the labels that shut it, and the stages that are missing."""

    reason: RefuseReason
    labels: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()


@dataclass(slots=True)
class _Look:
    kind: Kind
    view: GateView
    keys: frozenset[str]
    target_keys: frozenset[str]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Gate:
    reason: RefuseReason
    classes: tuple[KindClass, ...]
    knob: Callable[[Gates], str]
    shut_by: Callable[[_Look], tuple[str, ...]]


def check_gates(kind: Kind, view: GateView, policy: Policy) -> GateHit | None:
    """Return the first gate that is shut for ``kind``, or None."""
    return next(shut_gates(kind, view, policy), None)


def shut_gates(kind: Kind, view: GateView, policy: Policy) -> Iterator[GateHit]:
    """Yield every gate that is shut for ``kind``, in the order of the table."""
    look = _look(kind, view, policy)
    for gate in GATES:
        if kind.kind_class in gate.classes and (shut := gate.shut_by(look)) and gate.knob(policy.gates) == "enforce":
            if gate.reason is RefuseReason.STAGE_PREREQUISITE_MISSING:
                yield GateHit(gate.reason, stages=shut)
            else:
                yield GateHit(gate.reason, labels=shut)


def result_accepted(finished: Sequence[str], profile: str | None, links: Sequence[Link], policy: Policy) -> bool:
    """Say whether the last result on the profile's path was accepted, so that ``state:in-review`` holds nothing back.

    ``finished`` are the stages of the Issue's succeeded runs and ``links`` its pull requests, both newest first. A
    stage that produced no pull request has nothing to accept, and a closed one holds nothing back either: closing it
    takes the label off (11.4). Where nothing on the path has finished, nothing was accepted.
    """
    path = policy.profiles.paths.get(profile or policy.profiles.default, ())
    stage = next((stage for stage in finished if stage in path), None)
    if stage is None:
        return False
    link = next((link for link in links if link.stage == stage), None)
    return link is None or link.state != UNDER_REVIEW or APPROVED in label_keys(link.labels, policy)


def gate_params(hit: GateHit, policy: Policy, pull_request: int | None = None) -> dict[str, str]:
    """Return the parameters of the texts about a gate that is shut; ``pull_request`` is the one still in review."""
    roles = [policy.roles.get(key.removeprefix("need:")) for key in hit.labels]
    params = {
        "label": ", ".join(label_text(key, policy) for key in hit.labels),
        "stages": ", ".join(hit.stages),
        "roles_en": ", ".join(role.name.en for role in roles if role is not None),
        "roles_ru": ", ".join(role.name.ru for role in roles if role is not None),
        "pull_request": f"#{pull_request}" if pull_request is not None else "",
    }
    return {key: value for key, value in params.items() if value}


def _look(kind: Kind, view: GateView, policy: Policy) -> _Look:
    keys = label_keys(view.labels, policy)
    asked = [key for key in keys if key != NEED_INPUT and _is_need(key, policy)]
    needs = tuple(key for key in policy.labels.catalogue if key in asked) if asked else ()
    return _Look(kind, view, keys, label_keys(view.target_labels, policy), needs)


def _is_need(key: str, policy: Policy) -> bool:
    entry = policy.labels.catalogue.get(key)
    return entry is not None and entry.label_class is LabelClass.NEED


def _always(_: Gates) -> str:
    return "enforce"


def _on_thread(key: str) -> Callable[[_Look], tuple[str, ...]]:
    return lambda look: (key,) if key in look.keys else ()


def _superseded(look: _Look) -> tuple[str, ...]:
    on_target = look.kind.kind_class is R and SUPERSEDED in look.target_keys
    return (SUPERSEDED,) if SUPERSEDED in look.keys or on_target else ()


def _in_review(look: _Look) -> tuple[str, ...]:
    free = look.kind.needs_candidate or look.view.accepted or APPROVED in look.keys
    return (IN_REVIEW,) if IN_REVIEW in look.keys and not free else ()


def _needs_input(look: _Look) -> tuple[str, ...]:
    return (NEED_INPUT,) if NEED_INPUT in look.keys and not look.view.platform_needs_input else ()


def _needs_role(look: _Look) -> tuple[str, ...]:
    return tuple(key for key in look.needs if key != f"need:{look.kind.role}")


GATES: tuple[_Gate, ...] = (
    _Gate(RefuseReason.ISSUE_BLOCKED, (F, R, A, V), lambda gates: gates.blocked, _on_thread(BLOCKED)),
    _Gate(RefuseReason.ISSUE_ABANDONED, (F, R, A, P, V, D), _always, _on_thread(ABANDONED)),
    _Gate(RefuseReason.ISSUE_SUPERSEDED, (F, R, A, P, V), _always, _superseded),
    _Gate(RefuseReason.PREVIOUS_STAGE_IN_REVIEW, (F,), lambda gates: gates.in_review, _in_review),
    _Gate(RefuseReason.ISSUE_NEEDS_INPUT, (F, A), lambda gates: gates.need, _needs_input),
    _Gate(RefuseReason.ROLE_INPUT_REQUIRED, (F, A), lambda gates: gates.need, _needs_role),
    _Gate(
        RefuseReason.STAGE_PREREQUISITE_MISSING,
        (F,),
        lambda gates: gates.stage_order,
        lambda look: look.view.missing_stages,
    ),
)


def gate_table() -> tuple[tuple[RefuseReason, tuple[KindClass, ...]], ...]:
    """Return every gate's reason and the classes of runs it holds back, in the order in which they are looked at."""
    return tuple((gate.reason, gate.classes) for gate in GATES)

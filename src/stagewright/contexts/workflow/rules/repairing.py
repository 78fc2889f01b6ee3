"""Where a thread's labels and our rows differ, and what the next scan will do about it (``workflow.md`` section 16)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stagewright.contexts.workflow.model.keys import IN_REVIEW, NEED_REVIEWER
from stagewright.contexts.workflow.model.policy import Policy
from stagewright.contexts.workflow.rules.matching import label_key, label_text


class NextScan(StrEnum):
    """What the next scan does about a difference: decide about the label as if its webhook came, cancel the run when
    the forge says that a person did it, or nothing."""

    DECIDES = "decides"
    CANCELS_RUN = "cancels_run"
    NOTHING = "nothing"


BY_LABEL = frozenset({"webhook", "scan", "console"})
"""Sources of runs whose label stands on the thread while they work."""


@dataclass(frozen=True, slots=True)
class ActiveOnThread:
    """A run that is not over and whose subject is the thread. ``label`` is the key of its trigger."""

    id: str
    kind: str
    lane: str
    label: str | None
    source: str


@dataclass(frozen=True, slots=True)
class ThreadNow:
    """A thread as the rows know it. ``labels`` are texts, ``handled`` the keys that the ledger has for it,
    ``in_review``: one of its pull requests waits for review, ``linked``: it has or is one of ours."""

    number: int
    is_pull_request: bool
    open: bool
    labels: tuple[str, ...]
    active: tuple[ActiveOnThread, ...] = ()
    handled: frozenset[str] = frozenset()
    in_review: bool = False
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: its code, the label's text, the run, and what the next scan will do."""

    thread: int
    is_pull_request: bool
    code: str
    label: str | None
    run_id: str | None
    next_scan: NextScan


def differences(threads: Sequence[ThreadNow], policy: Policy) -> tuple[Difference, ...]:
    """Return what does not agree, thread by thread."""
    return tuple(found for thread in threads for found in _of_thread(thread, policy))


def _of_thread(thread: ThreadNow, policy: Policy) -> Iterator[Difference]:
    keys = {label_key(text, policy): text for text in thread.labels}
    asking = {key: text for key, text in keys.items() if key is not None and _asks(key, thread, policy)}
    lanes = {run.lane for run in thread.active}
    lane = "review" if thread.is_pull_request else "work"
    if thread.open and lane not in lanes:
        for key, text in asking.items():
            handled = key in thread.handled
            code = "trigger_stayed" if handled else "trigger_without_run"
            yield _found(thread, code, text, None, NextScan.NOTHING if handled else NextScan.DECIDES)
    for run in thread.active:
        kind = policy.kinds.get(run.kind)
        if not thread.open and not (kind is not None and kind.on_closed_issue):
            yield _found(thread, "run_on_closed_thread", None, run.id, NextScan.CANCELS_RUN)
        elif run.label is not None and run.source in BY_LABEL and run.label not in keys:
            yield _found(thread, "run_without_trigger", label_text(run.label, policy), run.id, NextScan.CANCELS_RUN)
    if thread.linked and thread.open and not thread.active and thread.in_review is not (IN_REVIEW in keys):
        code = "in_review_label_missing" if thread.in_review else "in_review_label_left"
        yield _found(thread, code, label_text(IN_REVIEW, policy), None, NextScan.NOTHING)


def _asks(key: str, thread: ThreadNow, policy: Policy) -> bool:
    return key == NEED_REVIEWER if thread.is_pull_request else key in policy.triggers and key != NEED_REVIEWER


def _found(thread: ThreadNow, code: str, label: str | None, run_id: str | None, next_scan: NextScan) -> Difference:
    return Difference(thread.number, thread.is_pull_request, code, label, run_id, next_scan)

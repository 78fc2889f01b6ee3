"""Everything that keeps a stage from starting now: where a decision names the first cause, a screen shows them all."""

from dataclasses import replace

from stagewright.contexts.workflow.model.decisions import LabelEvent, Refuse, Sender, World
from stagewright.contexts.workflow.model.policy import Policy
from stagewright.contexts.workflow.model.reasons import RefuseReason
from stagewright.contexts.workflow.rules import cases
from stagewright.contexts.workflow.rules.catalogue import stage_label
from stagewright.contexts.workflow.rules.matching import label_key, label_text
from stagewright.contexts.workflow.rules.triggers import THREAD_CHECKS, target_of


def what_blocks(stage: str, world: World, policy: Policy) -> tuple[Refuse, ...]:
    """Return why a label for ``stage`` would be refused on the Issue of ``world`` as the rows know it: each cause.

    Who sets the label and whether the agent has its credential is not looked at: that is known when it is set.
    """
    key = stage_label(stage)
    kind = policy.kinds.get(policy.triggers.get(key, ""))
    thread = world.thread
    if kind is None or thread is None:
        return ()
    text = label_text(key, policy)
    present = any(label_key(label, policy) == key for label in thread.labels)
    live = thread if present else replace(thread, labels=(*thread.labels, text))
    fact = LabelEvent(
        event="issues",
        action="labeled",
        thread=thread.number,
        is_pull_request=False,
        sender=Sender(None, None, None),
        occurred_at=world.now,
        label=text,
    )
    case = cases.Case(fact, world, policy, key, kind, live, target=target_of(kind, world))
    found = [hit for check in THREAD_CHECKS if isinstance(hit := check(case), Refuse)]
    if any(hit.reason == RefuseReason.RUN_ALREADY_ACTIVE for hit in found):  # its own label is no conflict
        found = [hit for hit in found if hit.reason != RefuseReason.ISSUE_TRIGGER_LABEL_CONFLICT]
    return (*found, *cases.every_gate(case))

"""Strategies: a fact and the world it met, in texts of the built-in policy; and the same with all labels renamed."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from tests.unit.workflow.words import (
    NOW,
    a_comment,
    a_label,
    a_link,
    a_policy,
    a_question,
    a_review,
    a_review_world,
    a_thread,
    a_work_run,
    a_world,
    an_end,
)

from stagewright.contexts.workflow.api import (
    ActiveRun,
    CommentEvent,
    Decision,
    EndEvent,
    Fact,
    LabelEvent,
    Link,
    LiveThread,
    Refuse,
    ReviewEvent,
    Start,
    ThreadFact,
    World,
    label_catalogue,
)

POLICY = a_policy()
KEYS = [label.key for label in label_catalogue(POLICY)]
NAMES = {key: f"Имя {index}" for index, key in enumerate(KEYS)}
RENAMED = a_policy("labels: {names: {" + ", ".join(f'"{key}": "{name}"' for key, name in NAMES.items()) + "}}")
AT_WORK = [
    None,
    a_work_run(),
    a_work_run(kind="dev", label="run:dev"),
    a_work_run(kind="dev_revise", label="run:dev:revise", pr_number=40),
]
REVIEWING = [None, ActiveRun("v1", 9, "reviewer", "need:reviewer")]
TALKING = [None, ActiveRun("t1", 8, "discussion", "mode:discussion")]
LINKS: list[tuple[Link, ...]] = [
    (),
    (a_link("dev"),),
    (a_link("plan"), a_link("dev", labels=("run:dev", "state:in-review"))),
    (a_link("dev", in_this_repository=False),),
    (a_link("dev", state="merged", merged_at=NOW),),
    (a_link("plan", state="superseded", labels=("state:superseded",)), a_link("qa", pr_number=41)),
]

some_labels = st.lists(st.sampled_from(KEYS), max_size=4, unique=True).map(tuple)
few_labels = st.one_of(st.just(()), st.lists(st.sampled_from(KEYS), max_size=2, unique=True).map(tuple), some_labels)
a_key = st.one_of(st.sampled_from(sorted(POLICY.triggers)), st.sampled_from(KEYS))


@st.composite
def labellings(draw: st.DrawFn) -> tuple[LabelEvent, World]:
    """A label put on a thread or taken off it."""
    label = draw(a_key)
    live = dict.fromkeys(draw(few_labels))
    if draw(st.integers(0, 9)):
        live = dict.fromkeys([label, *live])
    world = replace(draw(worlds()), thread=a_thread(*live, is_open=draw(st.integers(0, 3)) > 0))
    old = timedelta(seconds=draw(st.sampled_from([5, 5, 5, 3600, 90000])))
    on_pull = draw(st.sampled_from([False, False, False, True]))
    fact = a_label(
        label,
        event="pull_request" if on_pull else "issues",
        action=draw(st.sampled_from(["labeled", "labeled", "labeled", "unlabeled"])),
        is_pull_request=on_pull,
        occurred_at=NOW - old,
    )
    return fact, world


@st.composite
def askings(draw: st.DrawFn) -> tuple[LabelEvent, World]:
    """need:reviewer put on a pull request, or taken off it."""
    label, action = "need:reviewer", draw(st.sampled_from(["labeled", "labeled", "labeled", "unlabeled"]))
    fact = a_label(label, event="pull_request", action=action, is_pull_request=True, thread=40)
    seen = a_review_world(
        *draw(few_labels),
        *draw(st.sampled_from([(label,), (label,), ()])),
        link=draw(st.sampled_from([None, a_link("dev")])),
        open=draw(st.sampled_from([True, True, False])),
        in_this_repository=draw(st.sampled_from([True, True, False])),
        issue=draw(st.sampled_from([None, a_thread()])),
        closes=draw(st.sampled_from([(), (12,), (12, 13)])),
    )
    return fact, replace(draw(worlds()), thread=seen.thread, reviewed=seen.reviewed)


@st.composite
def endings(draw: st.DrawFn) -> tuple[EndEvent, World]:
    """An issue or a pull request that came to its end."""
    on_pull = draw(st.booleans())
    fact = an_end(
        "closed" if on_pull else draw(st.sampled_from(["closed", "deleted", "transferred"])),
        event="pull_request" if on_pull else "issues",
        is_pull_request=on_pull,
        thread=40 if on_pull else 12,
    )
    return fact, replace(draw(worlds()), thread=a_thread(*draw(some_labels), is_open=False))


@st.composite
def reviews(draw: st.DrawFn) -> tuple[ReviewEvent, World]:
    """A review of a pull request: linked, adopted or of nobody."""
    state = draw(st.sampled_from(["changes_requested", "changes_requested", "approved", "commented", "dismissed"]))
    action = "dismissed" if state == "dismissed" else draw(st.sampled_from(["submitted", "submitted", "edited"]))
    link = draw(st.sampled_from([None, a_link("dev"), a_link("plan", labels=("state:superseded",))]))
    issues = draw(st.sampled_from([(), (12,), (12, 13)]))
    seen = a_review_world(
        *draw(few_labels),
        link=link,
        open=draw(st.sampled_from([True, True, False])),
        in_this_repository=draw(st.sampled_from([True, True, False])),
        issues=issues,
        managed=draw(st.booleans()),
        issue=a_thread(*draw(few_labels)) if issues == (12,) or link is not None else None,
        last_stage=draw(st.sampled_from([None, "prd", "dev"])),
    )
    return a_review(state, action=action), replace(draw(worlds()), thread=seen.thread, reviewed=seen.reviewed)


@st.composite
def comments(draw: st.DrawFn) -> tuple[CommentEvent, World]:
    """A comment on a thread that is discussed, or not."""
    on_pull = draw(st.sampled_from([False, False, False, True]))
    labels = dict.fromkeys([*draw(st.sampled_from([("mode:discussion",), ()])), *draw(few_labels)])
    action = draw(st.sampled_from(["created", "created", "edited"]))
    thread = a_thread(*labels, is_open=draw(st.integers(0, 3)) > 0)
    return a_comment(action, is_pull_request=on_pull), replace(draw(worlds()), thread=thread)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """What surrounds an act, half of the time nothing that hinders it; its thread is the act's to set."""
    if draw(st.booleans()):
        return a_world(links=draw(st.sampled_from(LINKS)), platform_needs_input=draw(st.booleans()))
    return a_world(
        bound=draw(st.sampled_from([True, True, True, False])),
        own_effect=draw(st.sampled_from([False, False, False, True])),
        active_work_run=draw(st.sampled_from([None, *AT_WORK])),
        review_run=draw(st.sampled_from(REVIEWING)),
        talk_run=draw(st.sampled_from(TALKING)),
        links=draw(st.sampled_from(LINKS)),
        accepted_result=draw(st.booleans()),
        platform_needs_input=draw(st.booleans()),
        question=draw(st.sampled_from([None, None, a_question()])),
        last_stage=draw(st.sampled_from([None, "prd"])),
        engines_available=draw(st.sampled_from([frozenset(), frozenset({"codex"}), frozenset({"codex"})])),
    )


def situations() -> st.SearchStrategy[tuple[ThreadFact, World]]:
    """Any act on a thread, in some state of the world."""
    return st.one_of(labellings(), askings(), endings(), reviews(), comments())


def renamed(fact: ThreadFact, world: World) -> tuple[Fact, World]:
    """Return the same act in the project that calls every label otherwise."""
    other = replace(fact, label=NAMES[fact.label]) if isinstance(fact, LabelEvent) else fact
    pull = world.reviewed
    if pull is not None:
        pull = replace(pull, issue=_thread(pull.issue), link=_link(pull.link))
    links = tuple(_relabelled(link) for link in world.links)
    return other, replace(world, thread=_thread(world.thread), reviewed=pull, links=links)


def comparable(decision: Decision, *, rename: bool = False) -> Decision:
    """Return ``decision`` without what a rename may change: the order of texts, and label texts in a remedy. With
    ``rename`` the texts are replaced by those of the renamed project."""
    names = NAMES if rename else {}
    if isinstance(decision, Start) and rename:
        request = decision.request
        return Start(replace(request, target=_link(request.target), candidate=_link(request.candidate)))
    if not isinstance(decision, Refuse):
        return decision
    params = {key: value for key, value in decision.remedy.params.items() if key != "label"}
    return replace(
        decision,
        conflicting=tuple(sorted(names.get(text, text) for text in decision.conflicting)),
        suggested=tuple(names.get(text, text) for text in decision.suggested),
        remedy=replace(decision.remedy, params=params),
    )


def _thread(thread: LiveThread | None) -> LiveThread | None:
    return None if thread is None else replace(thread, labels=tuple(NAMES[text] for text in thread.labels))


def _link(link: Link | None) -> Link | None:
    return None if link is None else _relabelled(link)


def _relabelled(link: Link) -> Link:
    return replace(link, labels=tuple(NAMES[text] for text in link.labels))

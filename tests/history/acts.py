"""What people do, and which of it may follow which: the attainable histories of WF7.

The page: histories in which acts on one thread that would cancel each other out lie at least two scans apart. Here a
*family* is an Issue with its pull requests, and an *interval* ends with two scans. Within an interval a family sees

* any number of *light* acts, which say nothing to the platform or are of people it does not listen to;
* at most one *weighty* act: a trigger, a verdict, an end, a beginning, a gate's label put on, a remark in a discussion
  (who opens one may go on talking);
* beside it, ``need:reviewer`` put on or taken off a pull request that neither ends nor begins;
* before it, acts that only open what was shut (a gate's label taken off, an approval, a reopened Issue).

So an act and its opposite, two triggers, a verdict and the closing that voids it, a discussion that a stranger opens
and what a person says in it, or a trigger and what ends or refuses its run never share an interval: nobody who did not
see the moment between them could tell what was meant. Everything else may come in any order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.fakes.forge_people import FakeThread
from tests.history.places import Place

TRIGGERS = (
    *("run:intake", "run:vision", "run:prd", "run:design", "run:plan", "run:dev", "run:dev", "run:qa", "run:release"),
    *("run:vision:revise", "run:dev:revise", "run:plan:revise", "run:doc-audit", "run:rethink"),
    *("run:debug", "run:nonsense"),
)
GATES = ("state:blocked", "need:input", "need:qa", "need:pm", "state:superseded", "state:abandoned", "state:in-review")
NOISE = ("bug", "help wanted", "priority:high")
TALK, REVIEWER = "mode:discussion", "need:reviewer"


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a person: ``what`` is a method of :class:`Doing`."""

    what: str
    thread: int
    by: str
    word: str = ""

    def __str__(self) -> str:
        return f"{self.by} {self.what} #{self.thread} {self.word}".rstrip()


def do(place: Place, act: Act) -> None:
    """Let the act happen on the forge, which tells of it."""
    forge, repository, number, by = place.forge, place.repository.forge_repository_id, act.thread, act.by
    thread = place.thread(number)
    match act.what:
        case "labels" if act.word not in thread.labels:
            forge.person_labels(repository, number, act.word, by=by)
            place.tell(number, "labeled", by, label=act.word)
        case "unlabels" if act.word in thread.labels:
            forge.person_unlabels(repository, number, act.word, by=by)
            place.tell(number, "unlabeled", by, label=act.word)
        case "closes" | "merges" if thread.open:
            forge.close(repository, number, merged=act.what == "merges", by=by)
            place.tell(number, "closed", by)
        case "reopens" if not thread.open:
            forge.reopen(repository, number)
            place.tell(number, "reopened", by)
        case "comments":
            remark = forge.person_comments(repository, number, act.word, by=by)
            body = {"id": remark.id, "body": remark.body, "created_at": remark.created_at.isoformat()}
            place.tell(number, "created", by, event="issue_comment", comment=body)
        case "reviews" if thread.open and thread.pull is not None:
            forge.review(repository, number, act.word, by=by)
            said = {"state": act.word, "submitted_at": place.clock.now().isoformat()}
            action = "dismissed" if act.word == "dismissed" else "submitted"
            place.tell(number, action, by, event="pull_request_review", review=said)


def plan_interval(place: Place, families: dict[int, list[int]], rng: Random) -> list[Act]:
    """Return what people do in one interval, in order. ``families``: the pull requests of each Issue."""
    planned: list[Act] = []
    for issue, pulls in families.items():
        threads = [place.thread(issue), *(place.thread(number) for number in pulls)]
        acts: list[Act] = []
        if rng.random() < 0.4:
            acts += rng.sample(openers := list(_openers(threads)), min(len(openers), rng.randint(0, 2)))
        if rng.random() < 0.75:
            acts += _pick(list(_weighty(threads, acts)), rng)
            acts += _remarks(acts, rng)
        acts += _reviewing(threads[1:], acts, rng)
        opened_by_eve = any((act.by, act.word) == ("eve", TALK) for act in acts)
        for act in _light(threads, rng):
            if (act.what, act.by) == ("comments", "ann") and opened_by_eve:
                continue
            acts.insert(rng.randint(0, len(acts)), act)
        planned = _interleaved(planned, acts, rng)
    return planned


def _pick(weighed: list[tuple[int, Act]], rng: Random) -> list[Act]:
    return [rng.choices([act for _, act in weighed], [weight for weight, _ in weighed])[0]] if weighed else []


def _openers(threads: list[FakeThread]) -> Iterator[Act]:
    issue, *pulls = threads
    if not issue.open:
        yield Act("reopens", issue.number, "ann")
    for label in issue.labels:
        if label in GATES:
            yield Act("unlabels", issue.number, "ann", label)
    for pull in pulls:
        if pull.open and not _of_side_stage(pull):
            yield Act("reviews", pull.number, "ann", "approved")


def _of_side_stage(pull: FakeThread) -> bool:
    """Say whether no profile's path has the stage: its approval counts when its labels were moved, not at once."""
    return pull.pull is not None and "/doc-audit-" in pull.pull.head


def _weighty(threads: list[FakeThread], before: list[Act]) -> Iterator[tuple[int, Act]]:
    issue, *pulls = threads
    triggers = [label for label in issue.labels if label.startswith("run:")]
    reopened = any(act.what == "reopens" for act in before)
    for label in TRIGGERS:
        if label not in issue.labels:
            yield 6, Act("labels", issue.number, "ann", label)
            yield 1, Act("labels", issue.number, "eve", label)
    for label in triggers:
        yield 12, Act("unlabels", issue.number, "ann", label)
        yield 3, Act("unlabels", issue.number, "eve", label)
    touched = {act.word for act in before}
    for label in GATES:
        if label not in issue.labels and label not in touched:
            yield 2, Act("labels", issue.number, "ann", label)
    if TALK not in issue.labels:
        yield 8, Act("labels", issue.number, "ann", TALK)
        yield 2, Act("labels", issue.number, "eve", TALK)
    else:
        yield 12, Act("comments", issue.number, "ann", "What about the colours?")
        yield 6, Act("unlabels", issue.number, "ann", TALK)
        yield 2, Act("unlabels", issue.number, "eve", TALK)
    if issue.open and not reopened:
        yield 8, Act("closes", issue.number, "ann")
        yield 3, Act("closes", issue.number, "eve")
    for pull in pulls:
        yield from _weighty_on_pull(pull, {act.thread for act in before})


def _remarks(before: list[Act], rng: Random) -> list[Act]:
    """Return what the person who opens a discussion says at once."""
    opens = [act for act in before if (act.what, act.word, act.by) == ("labels", TALK, "ann")]
    return [
        Act("comments", act.thread, "ann", f"Thought {number}") for act in opens for number in range(rng.randint(0, 2))
    ]


def _reviewing(pulls: list[FakeThread], before: list[Act], rng: Random) -> list[Act]:
    """Return what people do about the reviewer, whose lane the others do not touch, where the pull request stays."""
    ends = {act.thread for act in before if act.what in ("closes", "merges", "reopens")}
    free = [pull for pull in pulls if pull.number not in ends]
    if not free or rng.random() < 0.6:
        return []
    pull = rng.choice(free)
    if REVIEWER in pull.labels:
        return [Act("unlabels", pull.number, rng.choice(("ann", "ann", "eve")), REVIEWER)]
    return [Act("labels", pull.number, rng.choice(("ann", "ann", "ann", "eve")), REVIEWER)]


def _weighty_on_pull(pull: FakeThread, touched: set[int]) -> Iterator[tuple[int, Act]]:
    number = pull.number
    half = pull.pull
    assert half is not None
    if not pull.open:
        if not half.merged:
            yield 4, Act("reopens", number, "ann")
        return
    yield 4, Act("labels", number, "ann", "run:dev")
    yield 10, Act("merges", number, "ann")
    yield 3, Act("merges", number, "eve")
    if number not in touched:
        yield 5, Act("closes", number, "ann")
        yield 2, Act("closes", number, "eve")
        yield 25, Act("reviews", number, "ann", "changes_requested")
        if half.reviews:
            yield 6, Act("reviews", number, "ann", "dismissed")


def _light(threads: list[FakeThread], rng: Random) -> Iterator[Act]:
    """Yield acts that no decision hangs on: other labels, comments by review, and what a stranger says."""
    for thread in threads:
        if rng.random() < 0.10:
            label = rng.choice(NOISE)
            what = "unlabels" if label in thread.labels else "labels"
            yield Act(what, thread.number, rng.choice(("ann", "eve")), label)
        if thread.pull is None and rng.random() < 0.10:
            by = "eve" if TALK in thread.labels else rng.choice(("ann", "eve"))
            yield Act("comments", thread.number, by, "By the way")
        if thread.pull is not None and thread.open and rng.random() < 0.15:
            yield Act("reviews", thread.number, "eve", rng.choice(("changes_requested", "approved", "commented")))


def _interleaved(first: list[Act], second: list[Act], rng: Random) -> list[Act]:
    """Mix two lists, each keeping its order."""
    mixed, left, right = [], list(first), list(second)
    while left or right:
        source = left if left and (not right or rng.random() < len(left) / (len(left) + len(right))) else right
        mixed.append(source.pop(0))
    return mixed

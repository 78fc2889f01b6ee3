"""What a change of the policy means for what is going on: runs at work, open pull requests, labels on threads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stagewright.contexts.workflow.model.policy import Policy
from stagewright.contexts.workflow.rules.matching import label_key, label_text

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class GoingOn:
    """What is going on in a repository.

    ``runs``: number and kind of those that are not over; ``profiles``: open Issues and their stored profile;
    ``links``: open pull requests and their stage; ``labels``: open threads and theirs.
    """

    runs: Sequence[tuple[int, str]] = ()
    profiles: Sequence[tuple[int, str]] = ()
    links: Sequence[tuple[int, str]] = ()
    labels: Sequence[tuple[int, tuple[str, ...]]] = ()


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One consequence: its code, what it is about, and the runs, Issues or pull requests it meets (some of them)."""

    code: str
    subject: str
    met: tuple[int, ...]
    count: int


def foresee(before: Policy, after: Policy, going_on: GoingOn) -> tuple[Foreseen, ...]:
    """Return what ``after`` would mean for what is going on.

    ``run_kind_gone``: its next attempt cannot start. ``run_stage_off``: it ends, no other starts. ``profile_gone``:
    the Issue goes by the default one. ``path_changed``: the Issue's path has other stages. ``link_stage_gone``: nothing
    can revise the pull request. ``label_renamed``: its threads keep it, the bootstrap renames it in place.
    ``label_means_nothing``: it stays on its threads and is no trigger any more.
    """
    return tuple(_foreseen(before, after, going_on))


def _foreseen(before: Policy, after: Policy, going_on: GoingOn) -> Iterator[Foreseen]:
    kinds = {kind: [number for number, of in going_on.runs if of == kind] for _, kind in going_on.runs}
    for kind, numbers in kinds.items():
        row = after.kinds.get(kind)
        if row is None:
            yield _met("run_kind_gone", kind, numbers)
        elif not row.enabled and kind in before.kinds and before.kinds[kind].enabled:
            yield _met("run_stage_off", kind, numbers)
    for profile in dict.fromkeys(of for _, of in going_on.profiles):
        numbers = [number for number, of in going_on.profiles if of == profile]
        path = after.profiles.paths.get(profile)
        if path is None and profile in before.profiles.paths:
            yield _met("profile_gone", profile, numbers)
        elif path is not None and path != before.profiles.paths.get(profile):
            yield _met("path_changed", profile, numbers)
    for stage in dict.fromkeys(of for _, of in going_on.links):
        if stage in before.stages and stage not in after.stages:
            yield _met("link_stage_gone", stage, [number for number, of in going_on.links if of == stage])
    yield from _labels(before, after, going_on)


def _labels(before: Policy, after: Policy, going_on: GoingOn) -> Iterator[Foreseen]:
    threads: dict[str, list[int]] = {}
    for number, labels in going_on.labels:
        for text in labels:
            threads.setdefault(text, []).append(number)
    for text, numbers in threads.items():
        key = label_key(text, before)
        if key is None:
            continue
        if label_key(text, after) != key and key not in after.catalogue:
            yield _met("label_means_nothing", text, numbers)
        elif label_text(key, before) != label_text(key, after):
            yield _met("label_renamed", f"{label_text(key, before)} -> {label_text(key, after)}", numbers)


def _met(code: str, subject: str, numbers: Sequence[int]) -> Foreseen:
    return Foreseen(code, subject, tuple(sorted(numbers)[:MOST_NAMED]), len(numbers))

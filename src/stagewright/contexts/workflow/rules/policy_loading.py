"""Load a policy: the platform's and the project's file over the built-in one; all mistakes at once, or a policy."""

from stagewright.contexts.workflow.errors import PolicyInvalid, PolicyProblem
from stagewright.contexts.workflow.model.policy import Policy, Source
from stagewright.contexts.workflow.rules.building import build
from stagewright.contexts.workflow.rules.consistency import check_consistency
from stagewright.contexts.workflow.rules.merging import merge
from stagewright.contexts.workflow.rules.narrowing import check_narrowing, check_owners
from stagewright.contexts.workflow.rules.places import Merged
from stagewright.contexts.workflow.rules.shape import check_shape
from stagewright.contexts.workflow.rules.yaml_text import Parsed, parse

Layers = list[tuple[Source, Parsed]]


def load_policy(builtin_text: str, project_text: str | None = None, *, platform_text: str | None = None) -> Policy:
    """Return the effective policy. Raises PolicyInvalid with every mistake, its path and its line."""
    texts = ((Source.BUILTIN, builtin_text), (Source.PLATFORM, platform_text), (Source.PROJECT, project_text))
    layers = [(source, parse(text, source)) for source, text in texts if text is not None]
    problems = [problem for _, parsed in layers for problem in parsed.problems]
    merged = merge(layers)
    if not problems:
        problems = _check(merged, layers)
    if problems:
        raise _invalid(problems)
    return build(merged)


def _check(merged: Merged, layers: Layers) -> list[PolicyProblem]:
    shape = check_shape(merged)
    problems = [*shape, *check_consistency(merged)]
    for source, parsed in layers:
        if source is not Source.BUILTIN:
            problems += check_owners(merged, source, parsed)
    if layers[-1][0] is Source.PROJECT:
        # A second merge of the outer files: lists are shared with the first, nothing is written into them.
        outer = merge(layers[:-1])
        sound = not any(problem.pointer.startswith(("/approvals", "/roles", "/stages")) for problem in problems)
        problems += check_narrowing(merged, outer, approvals_sound=sound)
    return problems


def _invalid(problems: list[PolicyProblem]) -> PolicyInvalid:
    order = list(Source)
    listed = sorted(problems, key=lambda problem: (order.index(Source(problem.source)), problem.line, problem.pointer))
    count = "1 mistake" if len(listed) == 1 else f"{len(listed)} mistakes"
    message = f"The policy has {count}; the first: {listed[0].pointer or '/'}: {listed[0].message}."
    return PolicyInvalid(message, problems=tuple(listed))

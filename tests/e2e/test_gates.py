"""Each gate refuses and opens, over the real processes: the comment says which and how, the person does it, it works.

| requirement | test |
|---|---|
| CD.3 | all |
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
WITHIN = 40.0
APART = timedelta(seconds=3.5)
QUICK = "stages: {dev: {model: rehearsal}}\nprofiles: {default: quick-fix}\ngates: {stage_order: enforce}\n"


@dataclass(frozen=True)
class Gate:
    """A label that holds ``run:vision`` back, the reason, and what the comment asks for."""

    label: str
    reason: str
    remedy: str


GATES = (
    Gate("state:blocked", "issue_blocked", "clears the way and removes it"),
    Gate("state:abandoned", "issue_abandoned", "Remove that label"),
    Gate("state:superseded", "issue_superseded", "Remove that label"),
    Gate("need:input", "issue_needs_input", "Give the answer in the issue, remove `need:input`"),
    Gate("need:sre", "role_input_required", "answers and removes `need:sre`"),
)


def set_again(repository: Repository, issue: int, label: str) -> None:
    """Set the label when the forge's clock can tell it from the last time: acts within two seconds count as one."""
    last = "select max(occurred_at) from trigger_ledger where repository_id = %(r)s and thread = %(n)s"
    at = repository.platform.value(last, r=repository.bound.repository_id, n=issue)
    apart = f"{label} can be set on #{issue} again"
    wait_until(lambda: at is None or datetime.now(UTC) - at > APART, apart, WITHIN)
    repository.label(issue, label)


def refused(repository: Repository, issue: int, label: str, *said: str) -> None:
    """Set the label; wait until it is refused by a comment that says all this, and taken off."""
    before = len(repository.runs(issue))
    set_again(repository, issue, label)

    def look() -> bool:
        comments = repository.diagnostics(issue)
        return any(all(text in comment for text in said) for comment in comments) and not (
            {label} & repository.labels(issue)
        )

    def tell() -> str:
        return "\n".join([*repository.diagnostics(issue), repository.platform.describe(repository.bound.repository_id)])

    wait_until(look, f"{label} on #{issue} is refused: {said}", WITHIN, tell=tell)
    assert len(repository.runs(issue)) == before


def starts(repository: Repository, issue: int, label: str) -> None:
    """Set the label; wait until its run has begun, and until no comment says any more that something holds it back."""
    before = len(repository.runs(issue))
    set_again(repository, issue, label)
    tell = repository.platform.describe
    wait_until(lambda: len(repository.runs(issue)) > before, f"{label} on #{issue} starts", WITHIN, tell=tell)
    name = f"run-{repository.run(issue)['number']:04d}"
    resolved = f"the comments on #{issue} are resolved by {name}"
    wait_until(lambda: all("run-" in one for one in repository.diagnostics(issue)), resolved, WITHIN, tell=tell)


def succeeded(repository: Repository, issue: int) -> int:
    """Wait until the newest run of the issue has succeeded; return the number of its pull request."""
    run = repository.wait_for_run(issue)
    assert run["status"] == "succeeded", repository.platform.describe(repository.bound.repository_id)
    repository.wait_for_quiet(issue=issue)
    return int(run["pr_number"] or 0)


def test_every_gate_refuses_and_lets_through_when_a_person_opens_it(platform: Platform) -> None:
    walks = (walk_labels, walk_results_in_review, walk_missing_ground)
    with ThreadPoolExecutor(len(walks)) as pool:  # each mostly waits: a forge takes one comment a second
        for walked in [pool.submit(walk, platform) for walk in walks]:
            walked.result()


def walk_labels(platform: Platform) -> None:
    """Each label that holds a stage back refuses it, and lets it through when it is taken off."""
    repository = platform.repository()
    issues = {gate: repository.open_issue() for gate in GATES}
    for gate, issue in issues.items():
        repository.label(issue, gate.label)
    for gate, issue in issues.items():
        refused(repository, issue, "run:vision", gate.reason, gate.remedy)
    for gate, issue in issues.items():
        repository.unlabel(issue, gate.label)
        starts(repository, issue, "run:vision")
    for issue in issues.values():
        succeeded(repository, issue)


def walk_results_in_review(platform: Platform) -> None:
    """A result in review and a superseded pull request hold back until a person says otherwise."""
    repository = platform.repository(locale="ru", policy=platform.policy(locale="ru"))
    issue = repository.start("run:vision")
    pull = succeeded(repository, issue)
    refused(repository, issue, "run:prd", "previous_stage_in_review", f"Одобрите, слейте или закройте запрос #{pull}")
    repository.label(pull, "state:superseded")
    refused(repository, issue, "run:vision:revise", "issue_superseded", "Снимите эту метку")
    repository.unlabel(pull, "state:superseded")
    starts(repository, issue, "run:vision:revise")
    assert succeeded(repository, issue) == pull
    repository.review(pull, event="APPROVE")
    repository.wait_for_labels({"state:approved"}, issue, pull)
    starts(repository, issue, "run:prd")
    succeeded(repository, issue)


def walk_missing_ground(platform: Platform) -> None:
    """Earlier stages where their order is enforced; a candidate for the stages that examine one."""
    policy = platform.policy().replace("stages: {dev: {model: rehearsal}}\n", QUICK)
    repository = platform.repository(policy=policy)
    issue = repository.open_issue()
    refused(repository, issue, "run:plan", "stage_prerequisite_missing", "`intake`", "Run the missing stages first")
    starts(repository, issue, "run:intake")
    repository.review(succeeded(repository, issue), event="APPROVE")
    repository.wait_for_labels({"state:approved"}, issue)
    starts(repository, issue, "run:plan")
    repository.review(succeeded(repository, issue), event="APPROVE")
    repository.wait_for_labels({"state:approved"}, issue)

    free = platform.repository()
    other = free.open_issue()
    refused(free, other, "run:qa", "issue_trigger_candidate_not_found", "`run:dev`")
    wait_until(
        lambda: "need:input" in free.labels(other), "the platform asks for input", WITHIN, tell=platform.describe
    )
    starts(free, other, "run:dev")
    succeeded(free, other)
    assert "need:input" not in free.labels(other), "the platform's own question is over when a run starts"
    starts(free, other, "run:qa")
    succeeded(free, other)

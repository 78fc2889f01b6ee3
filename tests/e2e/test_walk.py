"""The whole way of an issue, from intake to operations, by labels and reviews on the practice forge, in both languages.

| requirement | test |
|---|---|
| RN45, CD.2, C5.1, C6.1 | test_an_issue_goes_from_intake_to_operations |
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository
from tests.e2e.waiting import wait_until
from tests.fakes.devforge import git

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]
WITHIN = 60.0
IN_REVIEW, APPROVED = {"state:in-review"}, {"state:approved"}
SUCCEEDED = {"en": "succeeded", "ru": "успешно"}
LINKS = "select stage, pr_number, state, last_run, head_sha from pull_request_links where repository_id = %(r)s"
PROFILE = "select profile, source, last_stage from issue_workflows where repository_id = %(r)s and issue_number = %(i)s"


@dataclass
class Walk:
    """One issue on its way. ``pulls`` maps each stage to its pull request."""

    repository: Repository
    locale: str
    issue: int
    pulls: dict[str, int] = field(default_factory=dict)
    runs: int = 0
    merged: bool = False

    def stage(self, stage: str) -> None:
        """Set the stage's label and see what it leaves: one pull request with its artifact, labels, one comment."""
        self.repository.label(self.issue, f"run:{stage}")
        run = self._finished(stage, thread=self.issue)
        self.pulls[stage] = int(run["pr_number"])
        assert list(self.pulls.values()).count(self.pulls[stage]) == 1, "a stage has a pull request of its own"
        self._shows(stage, run)

    def revise(self, stage: str, *, by_review: bool) -> None:
        """Ask for changes, by a review or by the label; they are made in the same pull request."""
        pull, before = self.pulls[stage], self.repository.heads()
        if by_review:
            self.repository.review(pull, event="REQUEST_CHANGES", body="Say more.")
        else:
            self.repository.label(self.issue, f"run:{stage}:revise")
        run = self._finished(stage, thread=pull if by_review else self.issue, kind=f"{stage}_revise")
        assert int(run["pr_number"]) == pull
        assert self.repository.heads()[run["branch"]] != before[run["branch"]]
        assert self._artifact(stage, run).count("(revision 2)") == 1
        self._shows(stage, run)

    def approve(self, stage: str) -> None:
        """Approve the stage's pull request by a review."""
        self.repository.review(self.pulls[stage], event="APPROVE")
        self.repository.wait_for_labels(APPROVED, self.issue, self.pulls[stage])

    def merge(self, stage: str) -> None:
        """Merge the stage's pull request as a person does."""
        self.repository.ask("PUT", f"/pulls/{self.pulls[stage]}/merge", {})
        self.repository.wait_for_labels(APPROVED, self.issue, self.pulls[stage])
        self.merged = self.merged or stage == "dev"

    def _finished(self, stage: str, *, thread: int, kind: str | None = None) -> dict[str, Any]:
        repository, platform = self.repository, self.repository.platform
        self.runs += 1
        arrived = lambda: len(repository.runs(self.issue)) == self.runs  # noqa: E731  said in place
        wait_until(arrived, f"{kind or stage} begins", WITHIN, tell=platform.describe)
        run = repository.wait_for_run(self.issue, within=WITHIN)
        assert (run["kind"], run["status"]) == (kind or stage.replace("-", "_"), "succeeded"), platform.describe()
        repository.wait_for_quiet()
        mine = [text for text in repository.status_comments(thread) if str(run["id"]) in text]
        assert len(mine) == 1, "one comment for each run"
        assert SUCCEEDED[self.locale] in mine[0].casefold()
        return run

    def _shows(self, stage: str, run: dict[str, Any]) -> None:
        pull = self.pulls[stage]
        assert self.repository.labels(self.issue) == IN_REVIEW, "the trigger is gone, the result waits for its review"
        assert self.repository.labels(pull) >= IN_REVIEW
        link = self.links()[stage]
        assert (link["pr_number"], link["state"], link["last_run"]) == (pull, "in_review", run["id"])
        assert link["head_sha"] == self.repository.heads()[run["branch"]]
        assert self._artifact(stage, run)
        self._is_traced(stage, run)

    def _is_traced(self, stage: str, run: dict[str, Any]) -> None:
        """The lineage names the stage's run, its pull request and the document, and what the late stages examine."""
        shown = self.lineage()
        [entry] = [entry for entry in shown["track"] if entry["stage"] == stage]
        assert entry["on_path"]
        assert str(run["id"]) in [one["id"] for one in entry["runs"]]
        assert [one["pr_number"] for one in entry["pulls"]] == [self.pulls[stage]]
        documents = {one["path"]: one for one in entry["documents"]}
        assert documents[_path_of(stage)]["run_id"] == str(run["id"])
        assert documents[_path_of(stage)]["commit_sha"] == self.repository.heads()[run["branch"]]
        candidate = self.pulls.get("dev") if not self.merged else None
        assert (shown["candidate"] or {}).get("pr_number") == candidate

    def lineage(self) -> dict[str, Any]:
        """Return what the platform shows of the issue's way."""
        answer = self.repository.platform.ask("GET", f"/issues/{self.repository.full_name}/{self.issue}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def _artifact(self, stage: str, run: dict[str, Any]) -> str:
        return git(self.repository.clone(), "show", f"{run['branch']}:{_path_of(stage)}").stdout

    def links(self) -> dict[str, dict[str, Any]]:
        """Return the links of the issue's pull requests by stage."""
        rows = self.repository.platform.rows(LINKS, r=self.repository.bound.repository_id)
        return {str(row["stage"]): row for row in rows}

    def profile(self) -> tuple[str, str, str]:
        """Return profile, source and last stage as the issue's row has them."""
        [row] = self.repository.platform.rows(PROFILE, r=self.repository.bound.repository_id, i=self.issue)
        return row["profile"], row["source"], row["last_stage"]


def _path_of(stage: str) -> str:
    """Return what the built-in rehearsal of the stage writes."""
    return "hello.py" if stage == "dev" else f"docs/{stage}.md"


def test_an_issue_goes_from_intake_to_operations(platform: Platform) -> None:
    with ThreadPoolExecutor(2) as pool:  # each mostly waits: a forge takes one comment a second
        walked = [pool.submit(walk_to_operations, platform, locale) for locale in ("en", "ru")]
        for walk in walked:
            walk.result()


def walk_to_operations(platform: Platform, locale: str) -> None:
    """Walk every stage of the full path in a project of this language."""
    repository = platform.repository(policy=platform.policy(locale=locale), locale=locale)
    walk = Walk(repository, locale, repository.open_issue("A greeting for everybody"))

    walk.stage("intake")
    assert walk.profile() == ("feature", "default", "intake")
    walk.approve("intake")
    walk.stage("vision")
    assert walk.profile() == ("new-service", "escalated", "vision"), "no shorter path contains the stage"
    walk.revise("vision", by_review=True)
    walk.merge("vision")
    for stage in ("prd", "arch", "design", "plan"):
        walk.stage(stage)
        walk.approve(stage)
    walk.stage("dev")
    walk.revise("dev", by_review=False)
    walk.stage("qa")
    walk.stage("release")
    for stage in ("qa", "release", "dev"):
        walk.merge(stage)
    assert repository.ask("GET", f"/issues/{walk.issue}")["state"] == "closed", "the change closes the issue"
    walk.stage("postdeploy")
    walk.approve("postdeploy")
    walk.stage("ops")

    assert walk.profile() == ("new-service", "escalated", "ops")
    path = [entry["stage"] for entry in walk.lineage()["track"] if entry["on_path"]]
    assert path == list(walk.pulls), "the track shows the path in its order"
    states = {stage: str(link["state"]) for stage, link in walk.links().items()}
    merged, approved = ("vision", "qa", "release", "dev"), ("intake", "prd", "arch", "design", "plan", "postdeploy")
    expected = dict.fromkeys(merged, "merged") | dict.fromkeys(approved, "approved") | {"ops": "in_review"}
    assert states == expected
    assert len(repository.runs(walk.issue)) == walk.runs == 13
    assert repository.diagnostics(walk.issue) == []

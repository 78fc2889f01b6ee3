"""Deliveries that come twice, late or not at all.

| requirement | test |
|---|---|
| AD3.2, RN1 | test_a_delivery_that_comes_three_times_makes_one_run, test_a_redelivered_delivery_makes_no_second_run |
| RN1 | test_a_refused_delivery_that_comes_again_leaves_one_comment |
| AD3.7, A5.3 | test_a_lost_delivery_is_repaired_by_the_scan_and_starts_nothing_more_when_it_comes |
"""

import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e
SCANNED_WITHIN = 40.0


def deliveries(repository: Repository) -> list[dict[str, object]]:
    """Return what the forge tried to deliver, newest first."""
    found: list[dict[str, object]] = repository.ask("GET", f"/hooks/{repository.hook_id}/deliveries?per_page=100")
    return found


def redeliver(repository: Repository, action: str, *, dropped: bool = False) -> None:
    """Press "redeliver" on the newest ``issues`` delivery with ``action``, or on the newest that was lost."""
    newest = next(
        item
        for item in deliveries(repository)
        if (item["event"], item["action"]) == ("issues", action) and (not dropped or item["status"] == "dropped")
    )
    repository.ask("POST", f"/hooks/{repository.hook_id}/deliveries/{newest['id']}/attempts")


def test_a_delivery_that_comes_three_times_makes_one_run(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    assert platform.forge.control.idle()
    platform.forge.control.webhooks(duplicate=3)  # the label, its definition, the event of the issue
    repository.label(issue, "run:dev")
    assert repository.wait_for_run(issue)["status"] == "succeeded", platform.describe()
    assert platform.forge.control.idle()
    repository.wait_for_quiet()
    guids = [
        item["guid"] for item in deliveries(repository) if (item["event"], item["action"]) == ("issues", "labeled")
    ]
    assert len(guids) > len(set(guids)), "nothing was delivered twice"
    assert len(repository.runs()) == 1
    assert len(repository.pulls()) == 1
    assert len(repository.status_comments(issue)) == 1


def test_a_redelivered_delivery_makes_no_second_run(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.start()
    repository.wait_for_run(issue)
    repository.wait_for_quiet()
    before = repository.comments(issue)
    repository.platform.forge.control.ask("DELETE", "/effects")
    redeliver(repository, "labeled")
    assert platform.forge.control.idle()
    repository.wait_for_quiet()
    assert len(repository.runs()) == 1
    assert repository.comments(issue) == before
    mine = [effect for effect in platform.forge.control.effects() if effect["repository"] == repository.full_name]
    assert mine == []


def test_a_refused_delivery_that_comes_again_leaves_one_comment(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    assert platform.forge.control.idle()
    platform.forge.control.webhooks(duplicate=3)
    repository.label(issue, "run:dev", by=platform.stranger)
    wait_until(lambda: repository.diagnostics(issue), "a diagnostic comment", 20, tell=platform.describe)
    redeliver(repository, "labeled")
    assert platform.forge.control.idle()
    repository.wait_for_quiet()
    assert len(repository.diagnostics(issue)) == 1
    assert repository.runs() == []


def test_a_lost_delivery_is_repaired_by_the_scan_and_starts_nothing_more_when_it_comes(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    assert platform.forge.control.idle()
    platform.forge.control.webhooks(drop=2)  # the label's definition and the label
    repository.label(issue, "run:dev")
    assert platform.forge.control.idle()
    assert repository.runs() == []
    repository.let_five_minutes_pass_for_the_scan()
    run = repository.wait_for_run(issue, within=SCANNED_WITHIN)
    assert (run["status"], run["trigger_source"]) == ("succeeded", "scan"), platform.describe()
    redeliver(repository, "labeled", dropped=True)
    assert platform.forge.control.idle()
    repository.wait_for_quiet()
    assert len(repository.runs()) == 1
    assert len(repository.pulls()) == 1
    assert repository.labels(issue) == {"state:in-review"}
    assert repository.diagnostics(issue) == []

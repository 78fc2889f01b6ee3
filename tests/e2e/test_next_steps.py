"""A person takes the step that a status comment links to, over the real processes: one run, and our own label is known.

| requirement | test |
|---|---|
| C3.1, C3.3, C3.5, RN38 | test_the_step_that_a_comment_links_to_is_taken_once_and_its_own_webhook_starts_nothing |
"""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.e2e.platform import Platform
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e
WITHIN = 30.0
VISION = "- run: mkdir -p docs && echo A shop > docs/vision.md\n- result: {title: A vision of the shop}\n"
PRD = "- run: mkdir -p docs && echo A list > docs/prd.md\n- result: {title: What the shop must do}\n"
LINK = re.compile(r"\]\((\S+/next-step\?\S*target_label=run%3Aprd&\S+)\)")
IGNORED = """
select count(*) from journal where kind = 'webhook.ignored' and body ->> 'reason' = 'own_label_change'
  and body ->> 'label' = 'run:prd' and (body ->> 'thread')::int = %(issue)s
  and body ->> 'repository' = %(repository)s
"""


def test_the_step_that_a_comment_links_to_is_taken_once_and_its_own_webhook_starts_nothing(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"vision": VISION, "prd": PRD})
    issue = repository.start("run:vision")
    assert repository.wait_for_run(issue)["status"] == "succeeded", platform.describe()
    repository.wait_for_quiet()
    [comment] = repository.status_comments(issue)
    found = LINK.search(comment)
    assert found is not None, comment
    link = {key: value for key, (value,) in parse_qs(urlsplit(found[1]).query).items()}
    form = link | {"issue_number": int(link["issue_number"])}

    shown = platform.ask("POST", "/next-steps/preview", form)
    assert shown.status_code == 200, shown.text
    body = form | {"expected_labels_hash": shown.json()["expected_labels_hash"]}
    taken = platform.ask("POST", "/next-steps/execute", body)
    assert taken.status_code == 202, taken.text

    def ignored() -> bool:
        return bool(platform.value(IGNORED, issue=issue, repository=repository.full_name) == 1)

    wait_until(ignored, "the own label is known", WITHIN, tell=platform.describe)

    second = repository.wait_for_run(issue)
    assert (second["kind"], second["status"]) == ("prd", "succeeded"), platform.describe()
    assert (str(second["id"]), second["requested_by_kind"]) == (taken.json()["run_id"], "user")
    repository.wait_for_quiet()
    assert len(repository.runs(issue)) == 2
    assert repository.diagnostics(issue) == []
    again = platform.ask("POST", "/next-steps/execute", body)
    assert (again.status_code, again.json()["code"]) == (409, "labels_changed")

"""Modes of runs and lives of candidates (``stack.md`` section 5)."""

from datetime import timedelta

import pytest
from tests.unit.deploys.preparing import mistakes, ready

from stagewright.contexts.deploys.model.document.environments import WebhookRuntime
from stagewright.contexts.deploys.rules.durations import canonical_duration, parse_duration
from stagewright.contexts.deploys.rules.runtime import lifetime_of, mode_of

HEAD = "spec:\n  environments: {preview: {kind: candidate}}\n  webhookRuntime:\n"


def runtime(text: str) -> WebhookRuntime:
    """Return what a stack says of runs; nothing is wrong with it."""
    return ready(HEAD + "    " + text).stack.spec.webhook_runtime


@pytest.mark.parametrize(
    ("text", "kind", "mode"),
    [
        ("{}", "dev", None),
        ("{defaultMode: code-only, triggerModes: {intake: code-only}}", "dev", "code-only"),
        ("{triggerModes: {dev: full-env}}", "dev", "full-env"),
        ("{triggerModes: {dev: full-env}}", "dev_revise", "full-env"),
        ("{triggerModes: {dev: full-env, dev_revise: code-only}}", "dev_revise", "code-only"),
        ("{triggerModes: {dev_revise: code-only}}", "dev", None),
        ("{defaultMode: code-only, triggerModes: {dev_revise: full-env}}", "dev", "code-only"),
        ("{defaultMode: code-only, triggerModes: {dev: full-env}}", "dev_revise", "full-env"),
        ("{defaultMode: code-only, triggerModes: {dev: full-env}}", "doc_audit", "code-only"),
        ("{triggerModes: {doc_audit: code-only}}", "doc_audit_revise", "code-only"),
    ],
)
def test_the_mode_of_a_kind_is_its_entry_its_stages_or_the_default(text: str, kind: str, mode: str | None) -> None:
    assert mode_of(runtime(text), kind) == mode


@pytest.mark.parametrize(
    ("text", "role", "sleep", "delete"),
    [
        ("{}", None, "1h", "1d"),
        ("{}", "dev", "1h", "1d"),
        ("{defaultTTL: 12h}", None, "1h", "12h"),
        ("{defaultTTL: {sleep: 45m}}", "dev", "45m", "1d"),
        ("{defaultTTL: {sleep: 45m, delete: 24h}, ttlByRole: {reviewer: 12h}}", "reviewer", "45m", "12h"),
        ("{defaultTTL: {sleep: 45m, delete: 24h}, ttlByRole: {reviewer: 12h}}", "qa", "45m", "1d"),
        ("{ttlByRole: {qa: {sleep: 3h, delete: 48h}}}", "qa", "3h", "2d"),
        ("{ttlByRole: {qa: {delete: 48h}}}", "qa", "1h", "2d"),
        ("{defaultTTL: 3d, ttlByRole: {qa: {sleep: 2d}}}", "qa", "2d", "3d"),
        ("{defaultTTL: {sleep: 5m, delete: 5m}}", None, "5m", "5m"),
        ("{defaultTTL: {sleep: 14d, delete: 14d}}", None, "14d", "14d"),
    ],
)
def test_a_life_inherits_the_parts_that_are_not_set(text: str, role: str | None, sleep: str, delete: str) -> None:
    life = lifetime_of(runtime(text), role)
    assert (canonical_duration(life.sleep), canonical_duration(life.delete)) == (sleep, delete)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "{triggerModes: {deb: full-env}}",
            (
                "unknown_kind services.yaml:7: the policy has no kind of run 'deb'; kinds: deploy, dev, dev_revise, "
                "doc_audit, intake, qa, qa_revise, reviewer"
            ),
        ),
        (
            "{triggerModes: {intake: full-env}}",
            "mode_not_allowed services.yaml:7: the policy does not allow full-env for intake; allowed: code-only",
        ),
        (
            "{defaultMode: full-env}",
            (
                "mode_not_allowed services.yaml:7: the policy does not allow full-env for intake: give them an entry "
                "in triggerModes"
            ),
        ),
        (
            "{ttlByRole: {qaa: 12h}}",
            "unknown_role services.yaml:7: the policy has no role 'qaa'; roles: dev, qa, reviewer",
        ),
        (
            "{defaultTTL: {sleep: 4m, delete: 24h}}",
            "ttl_range services.yaml:7: sleep of defaultTTL is 4m; it must lie between 5m and 14d",
        ),
        (
            "{defaultTTL: 337h}",
            "ttl_range services.yaml:7: delete of defaultTTL is 14d1h; it must lie between 5m and 14d",
        ),
        (
            "{ttlByRole: {qa: {sleep: 2m}}}",
            "ttl_range services.yaml:7: sleep of ttlByRole.qa is 2m; it must lie between 5m and 14d",
        ),
        (
            "{defaultTTL: {sleep: 2h, delete: 1h}}",
            (
                "ttl_order services.yaml:7: defaultTTL would delete after 1h, before it sleeps after 2h: make "
                "sleep shorter or delete longer"
            ),
        ),
        (
            "{ttlByRole: {dev: 30m}}",
            (
                "ttl_order services.yaml:7: ttlByRole.dev would delete after 30m, before it sleeps after 1h: make "
                "sleep shorter or delete longer"
            ),
        ),
    ],
)
def test_a_mistake_in_the_runtime_is_said_at_its_line(text: str, said: str) -> None:
    assert mistakes(HEAD + "    " + text) == [said]


def test_entries_for_the_kinds_that_refuse_the_default_mend_it() -> None:
    assert mistakes(HEAD + "    {defaultMode: full-env, triggerModes: {intake: code-only}}") == []


def test_an_entry_of_a_stage_answers_for_its_revise_as_well() -> None:
    text = HEAD + "    {triggerModes: {dev: full-env}}"
    assert mistakes(text) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("90s", 90), ("1h30m", 5400), ("2d", 172_800), ("1d2h3m4s", 93_784), ("010m", 600)],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0s", "1", "h", "1m1h", "1.5h", "-1h", "1H", "1h ", "٣h", "9999999999d", "1h1h"])
def test_what_is_no_duration_is_not_read(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(("text", "canonical"), [("60m", "1h"), ("90s", "1m30s"), ("48h", "2d"), ("25h", "1d1h")])
def test_a_duration_is_written_in_one_way(text: str, canonical: str) -> None:
    duration = parse_duration(text)
    assert duration is not None
    assert canonical_duration(duration) == canonical

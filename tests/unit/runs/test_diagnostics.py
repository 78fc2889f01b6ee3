"""The comment that says why a label started nothing."""

from datetime import timedelta

from tests.unit.runs.words import NOW

from stagewright.contexts.runs.rules import diagnostics

KEY = "r:7:sender_not_allowed:abc"
MARK = diagnostics.marker(KEY)


def rendered(locale: str = "en") -> str:
    return diagnostics.render(
        reason="issue_trigger_label_conflict",
        remedy="Remove all trigger labels but one.",
        conflicting=("run:dev", "run:`qa`"),
        suggested=("run:dev",),
        locale=locale,
    )


def test_it_has_reason_remedy_labels_and_a_marker() -> None:
    body = diagnostics.with_count(rendered(), KEY, 1, NOW)
    assert body == (
        "⚠️ **Stagewright started nothing**\n\nRemove all trigger labels but one.\n\n"
        "Conflicting labels: `run:dev`, `run:'qa'`\n\nSuggested labels: `run:dev`\n\n"
        f"Reason code: `issue_trigger_label_conflict`\n\n{MARK}\n"
    )


def test_repetition_is_counted_in_the_same_comment() -> None:
    body = diagnostics.with_count(rendered("ru"), KEY, 3, NOW + timedelta(hours=1))
    assert "_Замечено раз: 3, последний 2026-01-05 13:00 UTC._" in body
    assert body.endswith(f"{MARK}\n")


def test_a_run_that_started_leaves_one_line_in_the_same_language() -> None:
    assert diagnostics.resolved(rendered(), KEY, "run-0042") == f"✅ Resolved by run-0042.\n\n{MARK}\n"
    assert diagnostics.resolved(rendered("ru"), KEY, "run-0042") == f"✅ Решено запуском run-0042.\n\n{MARK}\n"


def test_equal_keys_have_equal_markers_and_others_do_not() -> None:
    assert diagnostics.marker(KEY) == MARK
    assert diagnostics.marker(f"{KEY}x") != MARK
    assert KEY not in MARK, "the key holds a login; the marker does not"


def test_a_reason_without_labels_lists_none() -> None:
    body = diagnostics.render(reason="issue_closed", remedy="Reopen it.", conflicting=(), suggested=(), locale="en")
    shown = diagnostics.with_count(body, KEY, 1, NOW)
    assert "labels:" not in shown
    assert "Reason code: `issue_closed`" in shown

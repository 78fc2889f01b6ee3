"""AX16: every problem code that an answer to a page may carry has words in both languages (console.md §7.10)."""

import json

import pytest
from tests.unit.house.trees import ROOT
from tools.problem_docs import rows

WORDS = ROOT / "console/src/shared/api/i18n"
GENERIC = ROOT / "console/src/app/i18n"
NEVER_AT_A_PAGE = {
    "a runner's call": ("attempt.no_assignment", "attempt_ended", "generation_stale", "sequence_gap"),
    "the model relay, to an engine": (
        *("agent_not_configured", "credential_rejected", "engine_not_allowed", "model_not_allowed", "rate_limited"),
        *("provider_answer_cut", "provider_answer_too_large", "provider_unreachable", "relay_busy"),
    ),
    "a worker: it ends as the code of a run": (
        *("branch_moved", "pr_not_found", "push_refused", "source_unavailable", "launch_failed"),
        *("git.busy", "git.failed", "git.quarantine_missing", "workload_conflict", "workload_invalid"),
        *("report.invalid", "report.schema_unknown", "session.damaged", "session.invalid", "session.too_large"),
        *("prompt.catalogue_broken", "prompt.input_invalid", "prompt.override_invalid", "prompt.part_missing"),
    ),
    "the start of a process": (
        *("crypto.bad_keys", "db.migration_busy", "db.migration_changed", "db.roles_missing"),
        *("db.schema_behind", "db.schema_newer", "listen.taken", "rpc.not_loopback"),
        *("postgres.failed", "postgres.unreachable", "postgres.wrong_major"),
        *("settings.data_dir_unusable", "settings.invalid", "identity.owner_exists", "identity.owner_missing"),
    ),
    "the forge's webhook": ("webhook.busy", "webhook.invalid", "webhook.not_kept", "webhook.signature"),
}


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_every_code_a_page_may_get_has_words_and_no_other(locale: str) -> None:
    words = json.loads((WORDS / f"{locale}.json").read_text())["problem"]
    known = rows().keys()
    elsewhere = {code for group in NEVER_AT_A_PAGE.values() for code in group}
    assert elsewhere <= known
    assert words.keys() == {code.replace(".", "_") for code in known - elsewhere}


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_code_without_words_is_told_by_its_status(locale: str) -> None:
    words = json.loads((GENERIC / f"{locale}.json").read_text())["problem"]
    assert {"network", "server", "other", "http_403", "http_404", "http_409"} <= words.keys()

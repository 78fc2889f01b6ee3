"""The status comment as people read it, in both languages; and every sentence of the catalogue in both."""

from datetime import timedelta
from string import Formatter
from typing import Any

import pytest
from tests.unit.runs.words import NOW, RUN_ID, a_run, a_wait, an_attempt

from stagewright.contexts.runs.model import FailureClass, RunStatus, WaitKind
from stagewright.contexts.runs.rules import status_comment, texts, transitions
from stagewright.contexts.runs.rules.status_comment import CommentFacts, CommentStep

MARKER = f'<!-- stagewright:run-status {{"run_id": "{RUN_ID}"}} -->'
SUCCEEDED_EN = f"""\
✅ **dev** for Issue #7: succeeded

https://s/r/42

| | |
|---|---|
| Run | run-0042 |
| Trigger | `run:dev` · ann |
| Kind | dev |
| Role | dev |
| Mode | code-only (policy_stage) |
| Environment | none: the run works on code only |
| Access | `code-only`: no cluster, no environment, no secrets |
| Workload | sw-605442127836-g1 |
| Issue | #7 |
| Pull request | [#8](https://f/8) |
| Model | gpt-5.4 (policy_stage) |
| Reasoning | high (default) |
| Launch profile | feature |
| Attempts | 1 |
| Tokens | 1200 in (200 cached), 80 out |
| Cost | not known |

Timeline: queued ✓ → preparing ✓ → agent at work ✓ → publishing ✓ → done ✓

**Notes**
- No cluster is configured: the run worked on code only, without an environment.
- Skipped stages of the profile: design.
- Follow-up: Tidy up

**Next steps**
- [Go on: `run:qa` (every path, recommended)](https://s/n)
- Revise this result: `run:dev:revise`

{MARKER}
"""
ANSWER = (
    "Waits for an answer; everybody who may start runs in this project can give it: in the console, or here as a"
    " comment, and then take the label `need:input` off. The clock is paused, the wait costs nothing. Until 2026-01-12"
    " 12:00 UTC."
)
REJECTED = a_wait(target_kind="credential", target_id="credential:codex", who_can_act="credentials.manage")
CREDENTIAL = (
    "The credential of the engine `codex` was rejected; an admin of the project can store a new one"
    " (`stagewright credential set model:codex`). The clock is paused, the wait costs nothing."
)
LAUNCHED = {"phase": "started", "attempts": (an_attempt(launched_at=NOW),)}
FAILED_RU = f"""\
❌ **vision** для задачи #7: не удалось

Политика не пропускает результат; ничего не отправлено, код `scope_violation`. Поручите это этапу, которому можно \
менять код (`run:dev`), или сузьте задачу и поставьте метку снова.

> these paths are outside: a.py

| | |
|---|---|
| Запуск | run-0042 |
| Причина | `run:vision` · ann |
| Вид | vision |
| Роль | dev |
| Режим | code-only (policy_stage) |
| Окружение | нет: запуск работает только с кодом |
| Доступ | `code-only`: без кластера, без окружения, без секретов |
| Задача | #7 |
| Профиль запуска | feature |
| Стоимость | неизвестна |

Ход работы: очередь ✓ → подготовка ✓ → работа агента → публикация

**Что отклонено**
- `scope_violation`: these paths are outside — `a.py`

{MARKER}
"""


def facts(**changes: Any) -> CommentFacts:
    values: dict[str, Any] = {
        "attempts": (),
        "waits": (),
        "phase": "created",
        "run_url": None,
        "stage_name": "dev",
        "pr_number": None,
        "pr_url": None,
        "trigger": "run:dev",
        "requester": "ann",
        "violations": (),
        "warnings": (),
        "follow_ups": (),
        "next_steps": (),
        "dev_label": "run:dev",
        "blocked_label": "state:blocked",
        "input_label": "need:input",
    }
    return CommentFacts(**(values | changes))


def test_a_succeeded_run_in_english() -> None:
    run = a_run(
        status=RunStatus.SUCCEEDED,
        admitted_at=NOW,
        started_at=NOW,
        finish_step="done",
        model="gpt-5.4",
        model_source="policy_stage",
        reasoning="high",
        reasoning_source="default",
        tokens_in=1200,
        tokens_cached=200,
        tokens_out=80,
        notes=("no_cluster", "skipped:design"),
    )
    shown = facts(
        attempts=(an_attempt(),),
        run_url="https://s/r/42",
        pr_number=8,
        pr_url="https://f/8",
        follow_ups=("Tidy up",),
        next_steps=(
            CommentStep("Go on: `run:qa` (every path, recommended)", "https://s/n"),
            CommentStep("Revise this result: `run:dev:revise`", None),
        ),
    )
    assert status_comment.render(run, shown) == SUCCEEDED_EN


def test_a_failed_run_in_russian() -> None:
    run = a_run(
        kind="vision",
        trigger_label="run:vision",
        locale="ru-RU",
        status=RunStatus.FAILED,
        failure_class=FailureClass.POLICY,
        code="scope_violation",
        detail="these paths are outside:\na.py",
        admitted_at=NOW,
        started_at=NOW,
    )
    violations = ({"code": "scope_violation", "message": "these paths are outside", "paths": ["a.py"]},)
    assert (
        status_comment.render(run, facts(stage_name="vision", trigger="run:vision", violations=violations)) == FAILED_RU
    )


@pytest.mark.parametrize(
    ("changes", "shown", "line"),
    [
        ({"admission_reason": "project_limit"}, {}, "Queued: the project's limit of runs at once is reached."),
        (
            {"admission_reason": "role_limit:dev:full-env:2/2"},
            {},
            "Queued: the project's limit for the role `dev` in the mode `full-env` is reached (2/2).",
        ),
        ({"admission_reason": "another_reason:x"}, {}, "`another_reason:x`"),
        ({}, {}, "queued"),
        ({}, {"phase": "started"}, "queued"),
        ({"status": RunStatus.PREPARING}, {}, "a workload is being prepared"),
        ({"status": RunStatus.PREPARING}, LAUNCHED, "the workload was created"),
        ({}, {"phase": "auth_resolved"}, "the engine's credential works again"),
        ({"status": RunStatus.WAITING}, {"waits": (REJECTED,), "phase": "auth_required"}, CREDENTIAL),
        ({"status": RunStatus.RUNNING}, {"phase": "ready"}, "the agent is working"),
        (
            {"status": RunStatus.WAITING},
            {"waits": (a_wait(kind=WaitKind.RATE_LIMIT, target_id="content", resume_at=NOW),)},
            "Waits for the limit of content until 2026-01-05 12:00 UTC and goes on by itself. The clock is paused.",
        ),
        (
            {"status": RunStatus.WAITING},
            {"waits": (a_wait(deadline_at=NOW + timedelta(days=7)),)},
            ANSWER,
        ),
    ],
)
def test_the_headline_says_why_nothing_moves(changes: dict[str, Any], shown: dict[str, Any], line: str) -> None:
    body = status_comment.render(a_run(**changes), facts(**shown))
    assert body.split("\n\n")[1] == line


def test_a_run_that_is_being_cancelled_shows_no_phase() -> None:
    body = status_comment.render(a_run(status=RunStatus.CANCELLING), facts(phase="ready"))
    assert body.startswith("⏳ **dev** for Issue #7: being cancelled\n\n| | |")


@pytest.mark.parametrize("status", list(RunStatus))
@pytest.mark.parametrize("locale", ["en", "ru"])
def test_every_status_can_be_shown_in_every_language(status: RunStatus, locale: str) -> None:
    failed = {"failure_class": FailureClass.AGENT, "code": "engine_error"} if status is RunStatus.FAILED else {}
    for kind in WaitKind:
        body = status_comment.render(a_run(status=status, locale=locale, **failed), facts(waits=(a_wait(kind=kind),)))
        assert texts.text(f"status.{status.value}", locale) in body
        assert body.endswith(f"{MARKER}\n")


def test_what_others_wrote_cannot_break_the_table_or_the_marker() -> None:
    run = a_run(trigger_label="run:dev", detail="x")
    body = status_comment.render(run, facts(requester="ann | bob\n"))
    assert "ann \\| bob " in body
    long = a_run(notes=tuple("n" * 500 for _ in range(200)))
    body = status_comment.render(long, facts())
    assert len(body) <= 60_000
    assert body.endswith(f"{MARKER}\n")


def test_a_phase_follows_from_rows() -> None:
    launched = (an_attempt(launched_at=NOW),)
    assert status_comment.phase_of(a_run(), (), ready=False) == "created"
    assert status_comment.phase_of(a_run(status=RunStatus.PREPARING), launched, ready=False) == "started"
    assert status_comment.phase_of(a_run(status=RunStatus.RUNNING), launched, ready=True) == "ready"
    assert status_comment.phase_of(a_run(status=RunStatus.SUCCEEDED), launched, ready=True) == "finished"


def test_a_rejected_credential_has_phases_of_its_own() -> None:
    attempts = (an_attempt(launched_at=NOW),)
    solved = a_wait(target_kind="credential", status="resolved", resolved_at=NOW + timedelta(minutes=1))
    waiting, queued = a_run(status=RunStatus.WAITING), a_run(status=RunStatus.QUEUED)
    later = (*attempts, an_attempt(reserved_at=NOW + timedelta(minutes=2), launched_at=NOW + timedelta(minutes=2)))
    assert status_comment.phase_of(waiting, attempts, (REJECTED,), ready=True) == "auth_required"
    assert status_comment.phase_of(queued, attempts, (solved,), ready=True) == "auth_resolved"
    assert status_comment.phase_of(a_run(status=RunStatus.RUNNING), later, (solved,), ready=False) == "started"
    assert status_comment.phase_of(a_run(status=RunStatus.FAILED), attempts, (REJECTED,), ready=True) == "finished"


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize(("kind", "target"), [(WaitKind.QUESTION, "request"), (WaitKind.BUDGET, "run")])
def test_a_wait_that_no_door_answers_yet_says_how_to_go_on(kind: WaitKind, target: str, locale: str) -> None:
    wait = a_wait(kind=kind, target_kind=target)
    body = status_comment.render(a_run(status=RunStatus.WAITING, locale=locale), facts(waits=(wait,)))
    assert texts.text("wait.no_door", locale, run="run-0042") in body
    assert "`stagewright run cancel run-0042`" in body


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_discussion_that_used_all_its_attempts_says_where_more_are_granted(locale: str) -> None:
    wait = a_wait(kind=WaitKind.BUDGET, target_kind="attempts", who_can_act="budget.manage")
    body = status_comment.render(a_run(status=RunStatus.WAITING, locale=locale), facts(waits=(wait,)))
    assert "`stagewright wait resolve`" in body
    assert texts.text("wait.no_door", locale, run="run-0042") not in body


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("permission", ["run.start", "approval.decide_owner", "credentials.manage", "budget.manage"])
def test_who_can_act_is_said_in_words(permission: str, locale: str) -> None:
    wait = a_wait(who_can_act=permission)
    body = status_comment.render(a_run(status=RunStatus.WAITING, locale=locale), facts(waits=(wait,)))
    assert permission not in body
    assert texts.text(f"who.{permission}", locale) in body


def test_a_permission_without_words_is_named() -> None:
    body = status_comment.render(a_run(status=RunStatus.WAITING), facts(waits=(a_wait(who_can_act="new.one"),)))
    assert "whoever has the permission `new.one`" in body


@pytest.mark.parametrize("profile", ["code-only", "candidate", "production-readonly", "repair"])
def test_every_access_profile_says_what_it_forbids(profile: str) -> None:
    body = status_comment.render(a_run(access_profile=profile, env="ai", base_sha="ab" * 20), facts())
    assert f"| Access | `{profile}`: " in body
    assert "no secrets" in body
    assert "| Environment | the Issue's own environment |" in body
    assert "| Source commit | `abababababab` |" in body


def test_a_known_cost_is_shown() -> None:
    body = status_comment.render(a_run(cost_micros=1_234_000, tokens_in=1), facts())
    assert "| Cost | 1.23 USD |" in body


def test_both_languages_have_the_same_keys_and_parameters() -> None:
    english, russian = texts.CATALOGUE["en"], texts.CATALOGUE["ru"]
    assert english.keys() == russian.keys()
    for key, sentence in english.items():
        assert parameters(sentence) == parameters(russian[key]), key


def parameters(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_every_status_wait_and_class_has_its_words() -> None:
    keys = texts.CATALOGUE["en"].keys()
    assert {f"status.{status.value}" for status in RunStatus} <= keys
    assert {f"wait.{kind.value}" for kind in WaitKind} <= keys
    assert {f"class.{item.value}" for item in FailureClass} <= keys
    assert {f"timeline.{status.value}" for status in status_comment.TIMELINE} <= keys


def test_every_remedy_belongs_to_a_code() -> None:
    codes = {key.removeprefix("remedy.") for key in texts.CATALOGUE["en"] if key.startswith("remedy.")}
    assert codes - {"default"} <= transitions.CLASS_OF.keys()


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_question_of_a_report_says_in_the_projects_words_how_to_answer_it(locale: str) -> None:
    run = a_run(status=RunStatus.WAITING, locale=locale)
    body = status_comment.render(run, facts(waits=(a_wait(),), input_label="нужен ответ"))
    assert "`нужен ответ`" in body
    assert texts.text("wait.no_door", locale, run="run-0042") not in body


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize(
    "code",
    ["discussion_label_removed", "issue_closed", "run_label_detected", "discussion_idle", "discussion_finished"],
)
def test_a_discussion_says_why_it_ended(code: str, locale: str) -> None:
    body = status_comment.render(a_run(status=RunStatus.SUCCEEDED, code=code, locale=locale), facts())
    assert texts.text(f"ended.{code}", locale) in body

"""WF1: one case per row of 7.4 and of what is built of 7.3."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.workflow import test_discussing, test_pushes, test_reviewers, test_revising
from tests.unit.workflow.words import (
    NOW,
    a_label,
    a_link,
    a_policy,
    a_push,
    a_sender,
    a_standing,
    a_thread,
    a_work_run,
    a_world,
    an_end,
)
from tests.unit.workflow.words import an_event as other

from stagewright.contexts.workflow.api import (
    NOBODY,
    ActiveRun,
    DeclaredRuntime,
    Fact,
    Ignore,
    IgnoreReason,
    KindClass,
    ProfileSource,
    Refuse,
    RefuseReason,
    Start,
    StartRequest,
    StoredProfile,
    World,
    decide,
    reason_family,
)
from stagewright.contexts.workflow.model.reasons import SENDER_ROLE_FAMILY, SENDER_TYPE_FAMILY

POLICY = a_policy()


def start(fact: Fact, world: World, policy_text: str | None = None) -> StartRequest:
    decision = decide(fact, world, a_policy(policy_text))
    assert isinstance(decision, Start), decision
    return decision.request


def refuse(fact: Fact, world: World, policy_text: str | None = None) -> Refuse:
    decision = decide(fact, world, a_policy(policy_text))
    assert isinstance(decision, Refuse), decision
    return decision


def ignored(fact: Fact, world: World, policy_text: str | None = None) -> str:
    decision = decide(fact, world, a_policy(policy_text))
    assert isinstance(decision, Ignore), decision
    return decision.reason.value


def test_row_17_a_trigger_label_by_a_permitted_person_starts_its_stage() -> None:
    request = start(a_label("run:dev"), a_world("run:dev", "bug"))

    assert (request.kind, request.kind_class, request.stage, request.role) == ("dev", KindClass.FORWARD, "dev", "dev")
    assert (request.label_key, request.revise, request.scope, request.lane) == ("run:dev", False, "any", "work")
    assert (request.mode.value, request.limit_minutes) == ("full-env", 180)
    assert request.profile == StoredProfile("feature", ProfileSource.DEFAULT)
    assert request.skipped == ("intake", "prd", "design", "plan")
    assert request.ends_talk_run is None


@pytest.mark.parametrize("key", sorted(POLICY.triggers))
def test_every_trigger_label_starts_its_kind(key: str) -> None:
    kind = POLICY.kinds[POLICY.triggers[key]]
    builder = a_link("dev", pr_number=39)
    own = (a_link(kind.stage),) if kind.revise and kind.stage and kind.stage != "dev" else ()
    links = (*own, builder) if kind.needs_candidate or kind.revise else ()

    request = start(a_label(key), a_world(key, links=links))

    assert (request.kind, request.role) == (kind.key, kind.role)
    assert request.candidate == (builder if kind.needs_candidate else None)
    assert (request.target is not None) is kind.revise


def test_row_17_an_active_talk_run_is_ended_first() -> None:
    talk = ActiveRun("t1", 7, "discussion", "mode:discussion")
    assert start(a_label(), a_world("run:dev", talk_run=talk)).ends_talk_run == "t1"


def test_row_1_an_unbound_repository_tells_only_platform_users() -> None:
    known = refuse(a_label(), a_world("run:dev", bound=False, bound_at=None))
    stranger = refuse(a_label(), a_world("run:dev", bound=False, standing=NOBODY))

    assert known.reason == stranger.reason == "repository_not_bound_for_issue_label"
    assert (known.comment, known.remove_label) == (True, False)
    assert (stranger.comment, stranger.remove_label) == (False, False)


def test_row_2_an_own_label_change_is_ignored() -> None:
    assert ignored(a_label(), a_world("run:dev", own_effect=True)) == "own_label_change"
    assert ignored(a_label("state:in-review"), a_world(own_effect=True)) == "own_label_change"


@pytest.mark.parametrize(("after", "handled"), [(-3, False), (-2, True), (0, True), (60, True)])
def test_row_3_a_handled_act_is_handled_once(after: int, handled: bool) -> None:
    fact = a_label()
    world = a_world("run:dev", handled_at=fact.occurred_at + timedelta(seconds=after))
    if handled:
        assert ignored(fact, world) == "trigger_already_handled"
    else:
        assert start(fact, world).kind == "dev"


def test_row_4_a_label_older_than_a_day_or_than_the_binding_is_too_old() -> None:
    assert ignored(a_label(occurred_at=NOW - timedelta(hours=24, seconds=1)), a_world("run:dev")) == "trigger_too_old"
    assert ignored(a_label(), a_world("run:dev", bound_at=NOW)) == "trigger_too_old"


def test_a_label_of_the_second_of_the_binding_is_not_too_old() -> None:
    label = a_label(occurred_at=(NOW - timedelta(minutes=1)).replace(microsecond=0))
    start(label, a_world("run:dev", bound_at=label.occurred_at + timedelta(microseconds=999_999)))
    assert start(a_label(occurred_at=NOW - timedelta(hours=24)), a_world("run:dev"))


def test_row_5_a_label_that_is_gone_again_starts_nothing() -> None:
    assert ignored(a_label(), a_world("bug")) == "trigger_label_removed"
    assert ignored(a_label(), a_world(thread=None)) == "trigger_label_removed"
    assert start(a_label("[RUN:dev ]"), a_world("run:dev")).kind == "dev"


def test_row_6_a_refused_sender_costs_one_comment_and_the_label() -> None:
    refused = refuse(a_label(sender=a_sender(type="Bot")), a_world("run:dev"))

    assert refused.reason == "sender_type_bot_not_permitted"
    assert (refused.comment, refused.remove_label, refused.add_need_input) == (True, True, False)


def test_row_6_comes_before_what_the_label_is() -> None:
    nobody = a_world("run:nonsense", standing=NOBODY)
    assert refuse(a_label("run:nonsense"), nobody).reason == "sender_not_allowed"


def test_row_7_an_unknown_trigger_names_the_three_nearest_labels() -> None:
    refused = refuse(a_label("run:develop"), a_world("run:develop"))

    assert refused.reason == "trigger_label_unknown"
    assert refused.suggested[0] == "run:dev"
    assert len(refused.suggested) == 3
    assert refused.remedy.params["label"] == "run:develop"


def test_row_7_the_suggestions_are_the_texts_of_the_project() -> None:
    text = 'labels: {names: {"run:dev": "ai: develop"}}'
    assert "ai: develop" in refuse(a_label("run:develop"), a_world("run:develop"), text).suggested


def test_row_7_a_reserved_label_is_ignored_and_conflicts_with_nothing() -> None:
    assert ignored(a_label("run:debug"), a_world("run:debug")) == "reserved_label"
    assert start(a_label("run:dev"), a_world("run:dev", "run:debug")).kind == "dev"


def test_row_8_a_disabled_stage_names_the_enabled_ones() -> None:
    refused = refuse(a_label("run:dev"), a_world("run:dev"), "stages: {dev: {enabled: false}}")

    assert refused.reason == "stage_disabled"
    assert "run:plan" in refused.suggested
    assert "run:dev" not in refused.suggested


def test_row_9_an_active_run_of_the_same_kind_is_no_news_and_of_another_is_named() -> None:
    same = a_work_run(kind="dev", label="run:dev")
    refused = refuse(a_label(), a_world("run:dev", "run:qa", active_work_run=a_work_run()))

    assert ignored(a_label(), a_world("run:dev", active_work_run=same)) == "run_already_active_same_label"
    assert refused.reason == "run_already_active"
    assert refused.remedy.params == {"run": "run-0042", "kind": "qa", "label": "run:qa"}
    assert refuse(a_label(), a_world("run:dev", active_work_run=a_work_run(label=None))).reason == "run_already_active"


def test_row_10_two_trigger_labels_are_a_conflict_and_stay() -> None:
    refused = refuse(a_label(), a_world("bug", "run:qa", "run:dev", "run:unknown", "state:blocked"))

    assert refused.reason == "issue_trigger_label_conflict"
    assert refused.conflicting == ("run:dev", "run:qa")
    assert refused.remove_label is False


def test_row_10_two_spellings_of_one_label_are_no_conflict() -> None:
    text = 'labels: {aliases: {"run:dev": ["run:develop"]}}'
    assert start(a_label("run:develop"), a_world("run:dev", "run:develop"), text).kind == "dev"


def test_row_11_a_closed_issue_starts_only_what_may() -> None:
    refused = refuse(a_label(), a_world(thread=a_thread("run:dev", is_open=False)))

    assert (refused.reason, refused.suggested) == ("issue_closed", ("run:rethink",))
    for key in ("run:postdeploy", "run:ops", "run:doc-audit", "run:self-improve", "run:rethink"):
        assert start(a_label(key), a_world(thread=a_thread(key, is_open=False)))


def _refused(**standing: object) -> tuple[Fact, World]:
    return a_label(), a_world("run:dev", standing=a_standing(**standing))


def _revising(**link: object) -> tuple[Fact, World]:
    return a_label("run:dev:revise"), a_world("run:dev:revise", links=(a_link("dev", **link),))


GATED = [
    ("run:dev", ("state:blocked",), {}, "issue_blocked", ()),
    ("run:dev", ("state:abandoned",), {}, "issue_abandoned", ("run:rethink",)),
    ("run:dev", ("state:superseded",), {}, "issue_superseded", ("run:rethink",)),
    ("run:dev", ("state:in-review",), {"links": (a_link("plan"),)}, "previous_stage_in_review", ()),
    ("run:dev", ("need:input",), {}, "issue_needs_input", ()),
    ("run:dev", ("need:sa",), {}, "role_input_required", ()),
]


@pytest.mark.parametrize(("key", "labels", "changes", "reason", "suggested"), GATED)
def test_row_12_a_shut_gate_refuses_with_its_reason(
    key: str, labels: tuple[str, ...], changes: dict[str, object], reason: str, suggested: tuple[str, ...]
) -> None:
    refused = refuse(a_label(key), a_world(key, *labels, **changes))

    assert (refused.reason, refused.suggested) == (reason, suggested)
    assert refused.remedy.params["label"] == labels[0]


def test_row_12_the_remedies_name_the_pull_request_the_roles_and_the_stages() -> None:
    in_review = refuse(a_label(), a_world("run:dev", "state:in-review", links=(a_link("plan"),)))
    unknown = refuse(a_label(), a_world("run:dev", "state:in-review"))
    role = refuse(a_label(), a_world("run:dev", "need:sa", "need:qa"))
    text = "gates: {stage_order: enforce}"
    order = refuse(a_label(), a_world("run:dev", succeeded_stages=frozenset({"intake", "prd"})), text)

    assert in_review.remedy.params["pull_request"] == "#40"
    assert "pull_request" not in unknown.remedy.params
    assert role.remedy.params["roles_en"] == "Solution architect, Quality engineer"
    assert role.remedy.params["roles_ru"] == "Архитектор решений, Инженер по качеству"
    assert (order.reason, order.remedy.params["stages"]) == ("stage_prerequisite_missing", "design, plan")
    assert order.suggested == ("run:design", "run:plan")


def test_row_12_the_platforms_own_question_and_an_accepted_result_hold_nothing_back() -> None:
    assert start(a_label(), a_world("run:dev", "need:input", platform_needs_input=True))
    assert start(a_label(), a_world("run:dev", "state:in-review", accepted_result=True))
    assert start(a_label(), a_world("run:dev", "state:in-review", "state:approved"))
    assert start(a_label(source="console"), a_world("run:dev", "state:in-review"))


@pytest.mark.parametrize("key", ["run:dev", "run:doc-audit"])
def test_row_13_an_open_result_of_the_stage_is_revised_or_closed_first(key: str) -> None:
    stage = key.removeprefix("run:")
    refused = refuse(a_label(key), a_world(key, links=(a_link(stage),)))

    assert (refused.reason, refused.suggested) == ("stage_pull_request_open", (f"{key}:revise",))
    assert refused.remedy.params == {"pull_request": "#40"}
    for state in ("merged", "closed", "superseded"):
        assert start(a_label(key), a_world(key, links=(a_link(stage, state=state),)))


def test_row_13_a_stage_without_a_revise_form_suggests_none() -> None:
    text = "stages: {plan: {revise: false}}"
    assert refuse(a_label("run:plan"), a_world("run:plan", links=(a_link("plan"),)), text).suggested == ()


def test_row_14_a_revise_needs_an_open_link_with_its_branch_here() -> None:
    key = "run:dev:revise"
    missing = refuse(a_label(key), a_world(key, links=(a_link("plan"), a_link("dev", state="closed"))))
    fork = refuse(a_label(key), a_world(key, links=(a_link("dev", in_this_repository=False),)))

    assert (missing.reason, missing.suggested) == ("revise_target_not_found", ("run:dev",))
    assert (fork.reason, fork.remedy.params["pull_request"]) == ("pull_request_from_fork", "#40")
    assert start(a_label(key), a_world(key, links=(a_link("dev", state="approved"),))).target == a_link(
        "dev", state="approved"
    )


def test_row_14_a_superseded_mark_on_the_pull_request_stops_its_revise() -> None:
    key = "run:dev:revise"
    marked = a_link("dev", labels=("state:superseded",))
    assert refuse(a_label(key), a_world(key, links=(marked,))).reason == "issue_superseded"


@pytest.mark.parametrize("key", ["run:qa", "run:release"])
def test_row_15_a_late_stage_without_a_candidate_names_how_to_make_one(key: str) -> None:
    text = 'labels: {names: {"run:dev": "ai: implement"}}'
    useless = (a_link("plan"), a_link("dev", state="merged"), a_link("dev", head_sha=""))
    refused = refuse(a_label(key), a_world(key, links=useless), text)

    assert refused.reason == "issue_trigger_candidate_not_found"
    assert refused.suggested == ("ai: implement", "run:dev:revise")
    assert refused.add_need_input is True


def test_row_15_the_candidate_is_the_newest_open_link_of_a_stage_that_may_change_all() -> None:
    newest, older = a_link("dev", pr_number=50), a_link("dev", pr_number=40)
    adopted = a_link("gone-stage", pr_number=60, scope_any=True)

    assert start(a_label("run:qa"), a_world("run:qa", links=(a_link("plan"), newest, older))).candidate == newest
    assert start(a_label("run:qa"), a_world("run:qa", links=(adopted, newest))).candidate == adopted


def test_row_15_an_environment_is_asked_for_where_it_is_required() -> None:
    text = "stages: {dev: {environment_required: true}}"
    refused = refuse(a_label(), a_world("run:dev"), text)

    assert (refused.reason, refused.remedy.params) == ("environment_not_declared", {"env": "slot"})
    assert start(a_label(), a_world("run:dev", declared=DeclaredRuntime(environments=frozenset({"candidate"}))), text)


def test_row_16_an_engine_without_its_credential_starts_nothing() -> None:
    bare = a_world("run:dev", engines_available=frozenset())
    refused = refuse(a_label(), bare)

    assert refused.reason == "agent_not_configured"
    assert refused.remedy.params == {"engine": "codex", "model": "gpt-5.3-codex"}
    assert start(a_label(), bare, "stages: {dev: {model: rehearsal}}")


def test_row_16_contradicting_model_labels_are_left_to_the_launch() -> None:
    labels = ("run:dev", "[ai-model-gpt-5.4]", "[ai-model-gpt-5.2]")
    assert start(a_label(), a_world(*labels, engines_available=frozenset()))


def test_a_trigger_outside_the_stored_path_raises_the_profile() -> None:
    stored = StoredProfile("quick-fix", ProfileSource.CHOSEN)
    request = start(a_label("run:arch"), a_world("run:arch", profile=stored))

    assert request.profile == StoredProfile("new-service", ProfileSource.ESCALATED)
    assert request.escalated_from == "quick-fix"
    assert start(a_label("run:plan"), a_world("run:plan", profile=stored)).escalated_from is None


def test_skipped_stages_are_listed_only_where_the_order_is_advice() -> None:
    assert start(a_label(), a_world("run:dev"), "gates: {stage_order: off}").skipped == ()
    assert start(a_label("run:doc-audit"), a_world("run:doc-audit")).skipped == ()


def on_pull(label: str, **changes: object) -> Fact:
    return a_label(label, event="pull_request", is_pull_request=True, **changes)


REVIEWED_BY_NOBODY = a_world(standing=NOBODY, review_run=ActiveRun("v1", 9, "reviewer", "need:reviewer"))
AT_WORK_BY_NOBODY = a_world(standing=NOBODY, active_work_run=a_work_run())
MATRIX: list[tuple[Fact, World, str]] = [
    (other("issues", "opened"), a_world(bound=False), "repository_not_bound"),
    (other("issue_comment", "edited"), a_world(), "comment_event_not_used"),
    (other("issue_comment", "deleted"), a_world(), "comment_event_not_used"),
    (a_push(), a_world(bound=False), "repository_not_bound_for_push_main"),
    (a_label("bug"), a_world(bound=False), "repository_not_bound"),
    (a_label(), a_world("run:dev", enabled=False), "repository_disabled"),
    (a_push(), a_world(enabled=False), "repository_disabled"),
    (a_label(repository_named_ok=False), a_world("run:dev"), "repository_mismatch"),
    (a_push(repository_named_ok=False), a_world(), "repository_mismatch"),
    (other("ping"), a_world(), "ping"),
    (other("ping", names_repository=False), a_world(bound=False), "ping"),
    (other("installation", "created", names_repository=False), a_world(bound=False), "binding_recorded"),
    (other("installation_repositories", "added"), a_world(), "binding_recorded"),
    (other("repository", "renamed"), a_world(), "binding_recorded"),
    (other("label", "edited"), a_world(), "binding_recorded"),
    (other("issues", "opened"), a_world(), "issue_event_not_trigger_label"),
    (other("issues", "edited"), a_world(), "issue_event_not_trigger_label"),
    (other("issues", "reopened"), a_world(), "issue_event_not_trigger_label"),
    (other("issues", "never_heard_of"), a_world(), "issue_event_not_trigger_label"),
    (a_label("bug"), a_world("bug"), "issue_event_not_trigger_label"),
    (a_label("state:blocked"), a_world(), "issue_event_not_trigger_label"),
    (a_label("[ai-model-gpt-5.4]"), a_world(), "issue_event_not_trigger_label"),
    (a_label("need:reviewer"), a_world(), "issue_event_not_trigger_label"),
    (a_label("bug", action="unlabeled"), a_world(), "issue_event_not_trigger_label"),
    (a_label("run:dev", action="unlabeled"), a_world(), "issue_event_not_trigger_label"),
    (other("pull_request", "opened"), a_world(), "pull_request_event_recorded"),
    (other("pull_request", "synchronize"), a_world(), "pull_request_event_recorded"),
    (other("pull_request", "reopened"), a_world(), "pull_request_event_recorded"),
    (other("pull_request", "edited"), a_world(), "pull_request_event_recorded"),
    (on_pull("run:dev"), a_world("run:dev"), "stage_label_on_pull_request"),
    (on_pull("run:dev:revise"), a_world(), "stage_label_on_pull_request"),
    (on_pull("bug"), a_world(), "pull_request_event_recorded"),
    (on_pull("need:reviewer", action="unlabeled"), a_world(), "pull_request_event_recorded"),
    (other("issues", "closed"), a_world(bound=False), "repository_not_bound"),
    (an_end(), a_world(bound=False), "repository_not_bound"),
    (an_end(), a_world(enabled=False), "repository_disabled"),
    (an_end(), a_world(standing=NOBODY), "cleanup_sender_not_permitted"),
    (on_pull("need:reviewer", action="unlabeled"), REVIEWED_BY_NOBODY, "cleanup_sender_not_permitted"),
    (a_label("run:qa", action="unlabeled"), AT_WORK_BY_NOBODY, "cleanup_sender_not_permitted"),
    (a_label("state:abandoned"), a_world(standing=NOBODY), "cleanup_sender_not_permitted"),
    # Rows whose rule is not built yet.
    (other("pull_request_review", "submitted"), a_world(), "event_not_used"),
    (other("pull_request_review_comment", "created"), a_world(), "event_not_used"),
    (other("star", "created"), a_world(), "event_not_used"),
]


@pytest.mark.parametrize(("fact", "world", "reason"), MATRIX)
def test_each_row_of_the_event_matrix(fact: Fact, world: World, reason: str) -> None:
    assert ignored(fact, world) == reason


ORDER = "gates: {stage_order: enforce}"
ROWS: list[tuple[int, Fact, World, str | None, str]] = [
    (1, a_label(), a_world("run:dev", bound=False), None, "repository_not_bound_for_issue_label"),
    (2, a_label(), a_world("run:dev", own_effect=True), None, "own_label_change"),
    (3, a_label(), a_world("run:dev", handled_at=NOW), None, "trigger_already_handled"),
    (4, a_label(), a_world("run:dev", bound_at=NOW), None, "trigger_too_old"),
    (5, a_label(), a_world("bug"), None, "trigger_label_removed"),
    (6, a_label(sender=a_sender(type="Bot")), a_world("run:dev"), None, "sender_type_bot_not_permitted"),
    (6, a_label(sender=a_sender(type=None)), a_world("run:dev"), None, "sender_type_unknown_not_permitted"),
    (6, a_label(sender=a_sender(login=None)), a_world("run:dev"), None, "sender_login_missing"),
    (6, a_label(), a_world("run:dev", standing=NOBODY), None, "sender_not_allowed"),
    (6, *_refused(member=False, project_role=None), None, "sender_not_project_member"),
    (6, *_refused(may_start=False, project_role="read_only"), None, "sender_role_read_only_not_permitted"),
    (6, *_refused(may_start=False, project_role=None), None, "sender_role_not_permitted"),
    (6, *_refused(forge_permission="read"), None, "sender_forge_permission_missing"),
    (7, a_label("run:nonsense"), a_world("run:nonsense"), None, "trigger_label_unknown"),
    (7, a_label("run:debug"), a_world("run:debug"), None, "reserved_label"),
    (8, a_label(), a_world("run:dev"), "stages: {dev: {enabled: false}}", "stage_disabled"),
    (9, a_label(), a_world("run:dev", active_work_run=a_work_run()), None, "run_already_active"),
    (9, a_label("run:qa"), a_world("run:qa", active_work_run=a_work_run()), None, "run_already_active_same_label"),
    (10, a_label(), a_world("run:dev", "run:qa"), None, "issue_trigger_label_conflict"),
    (11, a_label(), a_world(thread=a_thread("run:dev", is_open=False)), None, "issue_closed"),
    *((12, a_label(key), a_world(key, *labels, **more), None, reason) for key, labels, more, reason, _ in GATED),
    (12, a_label(), a_world("run:dev"), ORDER, "stage_prerequisite_missing"),
    (13, a_label(), a_world("run:dev", links=(a_link("dev"),)), None, "stage_pull_request_open"),
    (14, a_label("run:dev:revise"), a_world("run:dev:revise"), None, "revise_target_not_found"),
    (14, *_revising(in_this_repository=False), None, "pull_request_from_fork"),
    (15, a_label("run:qa"), a_world("run:qa"), None, "issue_trigger_candidate_not_found"),
    (15, a_label(), a_world("run:dev"), "stages: {dev: {environment_required: true}}", "environment_not_declared"),
    (16, a_label(), a_world("run:dev", engines_available=frozenset()), None, "agent_not_configured"),
]
"""One case per reason of 7.4: row, fact, world, the project's policy, reason. The guard (7.1) and the gates (8) too."""

ONLY_OF_REVIEWS = {reason for *_, reason in test_revising.REFUSED if reason.startswith("pull_request_review_")}
ONLY_OF_REVIEWERS = {"reviewer_target_not_found"} & {reason for *_, reason in test_reviewers.CASES}
ONLY_OF_DISCUSSIONS = {reason for *_, reason in test_discussing.IGNORED if re.search("comment|discussion", reason)}
ELSEWHERE = {*ONLY_OF_REVIEWS, *ONLY_OF_REVIEWERS, test_discussing.CONFLICT}
EVERY = {*IgnoreReason, *RefuseReason, SENDER_TYPE_FAMILY, SENDER_ROLE_FAMILY}


def reasons_of_the_matrix() -> set[str]:
    """The reasons of all rows but those of the trigger table."""
    pushes = {reason for *_, reason in test_pushes.IGNORED}
    return {reason for *_, reason in (*MATRIX, *test_revising.IGNORED)} | pushes | ONLY_OF_DISCUSSIONS


@pytest.mark.parametrize(("row", "fact", "world", "text", "reason"), ROWS)
def test_each_row_of_the_trigger_table_gives_its_reason(
    row: int, fact: Fact, world: World, text: str | None, reason: str
) -> None:
    decision = decide(fact, world, a_policy(text))
    assert isinstance(decision, Ignore | Refuse), f"row {row}"
    assert str(decision.reason) == reason


def test_the_cases_of_the_trigger_table_reach_every_row_and_every_reason_of_it() -> None:
    reached = {reason_family(reason) for *_, reason in ROWS}
    assert {row for row, *_ in ROWS} == set(range(1, 17)), "row 17 is the start"
    assert reached == {str(reason) for reason in EVERY} - reasons_of_the_matrix() - ELSEWHERE


def test_the_tables_together_reach_every_reason_and_no_other() -> None:
    reached = {reason_family(reason) for *_, reason in ROWS} | reasons_of_the_matrix() | ELSEWHERE
    assert reached == {str(reason) for reason in EVERY}


def test_a_decision_depends_on_nothing_but_its_arguments() -> None:
    fact, world = a_label(), a_world("run:dev")
    assert decide(fact, world, POLICY) == decide(replace(fact), replace(world), POLICY)


def test_a_standing_without_forge_permission_is_refused_before_any_gate() -> None:
    world = a_world("run:dev", "state:blocked", standing=a_standing(forge_permission="read"))
    assert refuse(a_label(), world).reason == "sender_forge_permission_missing"

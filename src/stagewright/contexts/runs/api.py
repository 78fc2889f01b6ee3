"""What other contexts may use of runs."""

from stagewright.contexts.runs.errors import RunAlreadyActive, RunNotFound, RunPublishing
from stagewright.contexts.runs.model import Attempt, Link, Run, RunStatus, RunWorld, Wait, WaitKind
from stagewright.contexts.runs.rules.frames import shown_number
from stagewright.contexts.runs.rules.links import PullRequestFacts
from stagewright.contexts.runs.rules.waiting import what_answers_do, what_nothing_does
from stagewright.contexts.runs.store.documents import RunDocument
from stagewright.contexts.runs.store.documents import list_of_runs as list_documents
from stagewright.contexts.runs.store.links import find as find_link
from stagewright.contexts.runs.store.links import list_numbers as list_link_numbers
from stagewright.contexts.runs.store.links import list_of_issue as list_links
from stagewright.contexts.runs.store.runs import find as find_run
from stagewright.contexts.runs.store.runs import (
    find_active,
    find_active_repair,
    find_by_correlation,
    find_newest_ended,
    find_newest_success,
    finished_stages,
    have_runs,
    issues_of_pull_request,
    list_active,
    succeeded_stages,
)
from stagewright.contexts.runs.usecases.answering import answer_question, find_report_question
from stagewright.contexts.runs.usecases.binding import LabelState, label_states
from stagewright.contexts.runs.usecases.cancel import cancel_run
from stagewright.contexts.runs.usecases.effects import (
    change_labels,
    count_label_acts,
    define_label,
    is_own_label_act,
    is_platform_label,
)
from stagewright.contexts.runs.usecases.limits import blocked as blocked_bucket
from stagewright.contexts.runs.usecases.limits import note_refusal as note_forge_refusal
from stagewright.contexts.runs.usecases.linking import adopt_pull_request, follow_pull_request, seen_link
from stagewright.contexts.runs.usecases.refusals import bot_login, post_diagnostic
from stagewright.contexts.runs.usecases.request import RunRequest, request_run
from stagewright.contexts.runs.usecases.steps import finished_run, proposed_path
from stagewright.contexts.runs.usecases.talk import end_talk, join_talk

__all__ = [
    "Attempt",
    "LabelState",
    "Link",
    "PullRequestFacts",
    "Run",
    "RunAlreadyActive",
    "RunDocument",
    "RunNotFound",
    "RunPublishing",
    "RunRequest",
    "RunStatus",
    "RunWorld",
    "Wait",
    "WaitKind",
    "adopt_pull_request",
    "answer_question",
    "blocked_bucket",
    "bot_login",
    "cancel_run",
    "change_labels",
    "count_label_acts",
    "define_label",
    "end_talk",
    "find_active",
    "find_active_repair",
    "find_by_correlation",
    "find_link",
    "find_newest_ended",
    "find_newest_success",
    "find_report_question",
    "find_run",
    "finished_run",
    "finished_stages",
    "follow_pull_request",
    "have_runs",
    "is_own_label_act",
    "is_platform_label",
    "issues_of_pull_request",
    "join_talk",
    "label_states",
    "list_active",
    "list_documents",
    "list_link_numbers",
    "list_links",
    "note_forge_refusal",
    "post_diagnostic",
    "proposed_path",
    "request_run",
    "seen_link",
    "shown_number",
    "succeeded_stages",
    "what_answers_do",
    "what_nothing_does",
]

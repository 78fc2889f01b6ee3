"""The schema for editors agrees with the loader."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.unit.workflow.test_policy_errors import MISTAKES
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import Source, builtin_text, json_schema
from stagewright.contexts.workflow.rules.yaml_text import parse


def data(text: str) -> dict[str, Any]:
    """Read YAML as an editor of YAML 1.2 does."""
    return parse(text, Source.PROJECT).data


FILE = Draft202012Validator(json_schema())
SHAPE = {"unknown_key", "key", "value", "empty"}


def test_the_schema_is_a_valid_one_and_takes_the_built_in_file() -> None:
    Draft202012Validator.check_schema(json_schema())
    assert not list(FILE.iter_errors(data(builtin_text())))
    assert json.loads(json.dumps(json_schema())) == json_schema()


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "stages: {dev: {limit_minutes: 5}}",
        "stages: {dev: null}",
        "models: null",
        "models: {x: {engine: codex, id: x, label: null}}",
        'labels: {names: {"run:dev": null}}',
        "approvals: []",
        "roles: {dev: {name: {en: A}}}",
    ],
)
def test_a_file_may_leave_out_and_delete(text: str) -> None:
    assert not list(FILE.iter_errors(data(text)))


@pytest.mark.parametrize(
    "text", [text for text, (_, code, _) in MISTAKES if code in SHAPE and "null" not in text and text[0] != "?"]
)
def test_what_the_loader_finds_wrong_in_shape_the_schema_finds_too(text: str) -> None:
    assert list(FILE.iter_errors(data(text)))


def test_items_of_lists_stay_complete() -> None:
    assert list(FILE.iter_errors({"protected_paths": [{"path": "x"}]}))
    assert list(FILE.iter_errors({"approvals": [{"id": "x"}]}))


EXCERPT = """
version: 1
defaults: {model: gpt-5.4, reasoning: high, locale: en}
labels:
  trigger_prefix: "run:"
  names: {"run:dev": "ai: implement", "state:in-review": "ai: in review"}
  aliases: {"run:dev": ["run:develop"]}
roles:
  dev: {name: Developer, limits: {full-env: 2, code-only: 2}}
limits: {project: {total: 4, full-env: 2, code-only: 3}}
stages:
  qa: {role: qa, mode: full-env, env: candidate, scope: docs, needs_candidate: true, environment_required: false, limit_minutes: 120}
special: {ai_repair: {publish: pull_request, limit_minutes: 60}, discussion: {default_role: dev, idle_days: 7, max_attempts: 30}}
next_steps:
  doc-audit: {jumps: [{target: "run:plan", variant: prepare_plan}], side: []}
approvals: [{id: gov-production, action: secret_sync_k8s, env: production, kinds: [ops, ops_revise, ai_repair], roles: [sre], modes: [full-env], approval: owner, self_approval: false, expires_in: 72h, execute_within: 4h}]
pull_request: {draft: auto, follow_ups: suggest}
tools: {read_scope: repository, labels: {unlisted: existing}}
senders: {automation_allow: ["github-merge-queue[bot]"]}
"""  # noqa: E501


def test_a_file_written_as_the_specification_shows_is_taken_whole() -> None:
    policy = a_policy(EXCERPT)
    assert policy.catalogue["run:dev"].text == "ai: implement"
    assert not list(FILE.iter_errors(data(EXCERPT)))

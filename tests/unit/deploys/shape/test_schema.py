"""The published schema and the loader agree; a written stack reads as itself (``stack.md`` sections 15 and 19.7)."""

import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from tests.fakes.stack_files import MemoryFiles
from tests.unit.deploys.shape.generated import Plain, stacks
from tests.unit.deploys.shape.test_shape import PLAIN
from tests.unit.deploys.stacks import fragment, in_envelope, told

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.document.stack import Stack
from stagewright.contexts.deploys.model.sources import Repositories
from stagewright.contexts.deploys.rules.dumping import dump, dump_document
from stagewright.contexts.deploys.rules.json_schema import stack_schema
from stagewright.contexts.deploys.rules.loading import load
from stagewright.contexts.deploys.rules.shape import check_shape, typed

SCHEMA = stack_schema()
FILES = Draft7Validator(SCHEMA)
FRAGMENTS = Draft7Validator(stack_schema(fragment=True))
quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def problems(document: Plain) -> list[str]:
    """Return what is wrong with the form of a file that stands alone."""
    loaded = load(_alone(json.dumps(document, ensure_ascii=False)), Findings())
    assert loaded is not None
    found = Findings()
    check_shape(loaded.tree, found)
    return told(found)


def _alone(text: str) -> Repositories:
    return Repositories(root="main", sources={"main": MemoryFiles({"services.yaml": text})})


def refused(document: Plain) -> list[str]:
    return [error.message for error in FILES.iter_errors(document)]


@quick
@given(stacks(templated=True))
def test_every_accepted_file_validates_against_the_published_schema(document: Plain) -> None:
    assert problems(document) == []
    assert refused(document) == []


@quick
@given(stacks(templated=False), st.data())
def test_every_file_with_a_mistake_of_form_is_refused_by_the_schema_too(document: Plain, data: st.DataObject) -> None:
    spoiled = copy.deepcopy(document)
    spoil(spoiled, data)
    if problems(spoiled):
        assert refused(spoiled)
    else:
        assert not refused(spoiled)


def spoil(document: Plain, data: st.DataObject) -> None:
    """Remove, add or exchange one thing at one place."""
    maps = [node for node in _walk(document) if isinstance(node, dict)]
    node = data.draw(st.sampled_from(maps))
    change = data.draw(st.sampled_from(["remove", "add", "exchange"]))
    if change == "add" or not node:
        node["Unknown"] = data.draw(st.sampled_from(["text", 1, {}, []]))
        return
    key = data.draw(st.sampled_from(sorted(node)))
    if change == "remove":
        del node[key]
    elif node[key] != "[a-z]+":
        node[key] = data.draw(st.sampled_from([[], {}, 7, -1, True, 1.5, "", "A b", ["x", "x y"], {"a": "b"}]))


def _walk(node: Any) -> list[Any]:
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [node, *(inner for item in below for inner in _walk(item))]


@quick
@given(stacks(templated=False))
def test_a_written_stack_reads_as_itself(document: Plain) -> None:
    stack = read(dump_document(document))
    assert read(dump(stack)) == stack


def test_a_text_with_braces_that_is_no_template_is_written_as_one() -> None:
    lines = "spec:\n  environments: {live: {kind: production}}\n  vars: {a: {default: !raw '{{ b }}'}}\n"
    stack = read(in_envelope(lines))
    assert 'default: !raw "{{ b }}"' in dump(stack)
    assert read(dump(stack)) == stack


def read(text: str) -> Stack:
    found = Findings()
    loaded = load(_alone(text), Findings())
    assert loaded is not None
    stack = typed(loaded.tree, found)
    assert told(found) == []
    assert stack is not None
    return stack


@pytest.mark.parametrize("text", [text for text, *_ in PLAIN.values()], ids=list(PLAIN))
def test_the_schema_refuses_each_mistake_of_form(text: str) -> None:
    assert refused(yaml.safe_load(in_envelope(text)))


def test_a_file_that_changes_others_needs_keys_alone_and_may_remove_values() -> None:
    lines = """
    spec:
      services: [{$replace: true}, {name: api, when: false}, {name: old, $delete: true}]
      images: {api: {args: {MODE: {$delete: true}, A: b}}, old: {$delete: true}}
      vars: {$replace: true, a: {default: {$delete: true}}}
    """
    document = yaml.safe_load(fragment(lines))
    assert refused(document) == []
    assert list(FRAGMENTS.iter_errors(document)) == []
    root = yaml.safe_load(in_envelope(lines))
    assert len(refused(root)) > 0
    root["spec"]["imports"] = ["parts/*.yaml"]
    assert refused(root) == []
    assert len(list(FRAGMENTS.iter_errors(root))) == 1
    del document["spec"]["services"][1]["name"]
    assert len(refused(document)) == 1


def test_the_schema_is_draft_07_and_says_something_about_every_field() -> None:
    Draft7Validator.check_schema(SCHEMA)
    later = {"$defs", "prefixItems", "unevaluatedProperties", "dependentRequired", "minContains", "$anchor"}
    assert not [node for node in _walk(SCHEMA) if isinstance(node, dict) and later & set(node)]
    assert not [node for node in _walk(SCHEMA) if isinstance(node, dict) and "$ref" in node and len(node) > 1]
    for name, definition in SCHEMA["definitions"].items():
        assert definition["description"], name
        assert definition["additionalProperties"] is False
        for field, schema in definition["properties"].items():
            if not field.startswith("$"):
                assert schema["title"], (name, field)
                assert schema["description"].endswith((".", "`")), (name, field, schema["description"])


def test_every_example_of_the_schema_is_valid() -> None:
    for name, definition in SCHEMA["definitions"].items():
        for field, schema in definition["properties"].items():
            validator = Draft7Validator({**schema, "definitions": SCHEMA["definitions"]})
            for example in schema.get("examples", ()):
                assert validator.is_valid(example), (name, field, example)

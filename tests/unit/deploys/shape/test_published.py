"""What is published of the format is what the engine does: schemas, fields, codes."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator
from tools import stack_docs

from stagewright.contexts.deploys.model.codes import CODES
from stagewright.contexts.deploys.rules.json_schema import stack_schema


def test_the_reference_has_a_table_with_every_field_of_every_type() -> None:
    page = stack_docs.reference()
    for name, definition in stack_schema()["definitions"].items():
        if not name.endswith("Part") and name != "Removed":
            table = page.split(f"### {name}\n")[1].split("### ")[0]
            for field in definition["properties"]:
                assert field.startswith("$") or f"| `{field}`" in table, (name, field)
    targets = set(re.findall(r"\]\(#([a-z]+)\)", page))
    assert targets <= {line[4:].lower() for line in page.splitlines() if line.startswith("### ")}


def test_the_page_of_the_codes_says_of_every_code_what_it_means_and_what_to_do() -> None:
    page = stack_docs.codes_page({"kind": "services.yaml:2: kind must be …"})
    for name, code in CODES.items():
        section = page.split(f"### `stack.{name}`")[1].split("### ")[0]
        assert code.says in section
        assert code.warning == section.startswith(" (warning)")
        assert code.says.endswith(".")
    assert stack_docs.written_examples(page) == {"kind": "services.yaml:2: kind must be …"}


def test_the_example_messages_are_those_that_tests_show() -> None:
    assert stack_docs.shown_examples()["kind"].startswith("services.yaml:2: kind must be ServiceStack or ")


def test_the_committed_files_are_current() -> None:
    assert stack_docs.problems(stack_docs.ROOT) == []
    for fragment in (False, True):
        Draft7Validator.check_schema(stack_schema(fragment=fragment))


def test_a_stale_file_is_named_with_its_remedy(tmp_path: Path) -> None:
    assert stack_docs.problems(tmp_path) == [
        f"{name}: it differs from the stack engine; run python -m tools.stack_docs"
        for name in (
            "docs/schema/service-stack.json",
            "docs/schema/service-stack-fragment.json",
            "docs/stack-codes.md",
            "docs/services-yaml.md",
        )
    ]


FILES = ["services.yaml", "examples/shop/services.yaml", "examples/shop/deploy/images.yaml"]


@pytest.mark.parametrize("name", FILES)
def test_the_examples_keep_to_the_published_schema(name: str) -> None:
    schema = json.loads((stack_docs.ROOT / "docs/schema/service-stack.json").read_text(encoding="utf-8"))
    document = yaml.safe_load((stack_docs.ROOT / name).read_text(encoding="utf-8"))
    assert [error.message for error in Draft7Validator(schema).iter_errors(document)] == []

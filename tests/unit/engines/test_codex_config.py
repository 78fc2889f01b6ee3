"""The Codex home: valid TOML for any path, only the relay inside, and no place for a credential."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stagewright.adapters.engines.codex.config import catalogue, config, to_toml
from stagewright.adapters.engines.contract import EngineJob

JOB = EngineJob(
    repo=Path('/workspace/a b/ré"po'),
    home=Path("/home/x"),
    prompt_file=Path("/p"),
    result_file=Path("/r"),
    session_dir=Path("/s"),
    model="gpt-5.4",
    reasoning="xhigh",
    report_schema={},
    model_url="http://127.0.0.1:1/model/codex",
    tools_url="http://127.0.0.1:1/mcp",
    tool_names=("issue_get",),
)
VALUES = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**40), 2**40) | st.booleans(),
    lambda inner: st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), VALUES, max_size=5))
def test_any_table_survives_the_way_through_toml(table: dict[str, Any]) -> None:
    assert _without_empty(tomllib.loads(to_toml(table))) == _without_empty(table)


def test_the_relay_is_the_only_provider_and_the_only_server() -> None:
    settings = tomllib.loads(config(JOB))
    assert settings["model_provider"] == "platform"
    assert list(settings["model_providers"]) == ["platform"]
    assert settings["model_providers"]["platform"]["base_url"] == JOB.model_url
    assert settings["mcp_servers"]["governed"] == {
        "url": JOB.tools_url,
        "required": True,
        "startup_timeout_sec": 10,
        "tool_timeout_sec": 60,
        "default_tools_approval_mode": "approve",
        "enabled_tools": ["issue_get"],
    }
    assert settings["projects"] == {str(JOB.repo): {"trust_level": "untrusted"}}
    assert settings["model_reasoning_effort"] == "xhigh"


def test_the_configuration_has_no_key_that_could_hold_a_credential() -> None:
    names = set(_keys(tomllib.loads(config(JOB))))
    assert not {name for name in names if "key" in name or "token_env" in name or "auth" in name or "header" in name}


def test_without_tools_no_server_is_configured_and_without_reasoning_no_level() -> None:
    settings = tomllib.loads(config(replace(JOB, tools_url="", reasoning="")))
    assert "mcp_servers" not in settings
    assert "model_reasoning_effort" not in settings


def test_the_model_keeps_its_patch_tool_by_a_catalogue_entry() -> None:
    (entry,) = json.loads(catalogue("any-model"))["models"]
    assert (entry["slug"], entry["apply_patch_tool_type"], entry["shell_type"]) == (
        "any-model",
        "freeform",
        "unified_exec",
    )


def _keys(table: dict[str, Any]) -> list[str]:
    return [name for key, value in table.items() for name in (key, *(_keys(value) if isinstance(value, dict) else ()))]


def _without_empty(value: Any) -> Any:
    """An empty table below the root is not written; it means the same as no table."""
    if not isinstance(value, dict):
        return value
    return {key: inner for key, below in value.items() if (inner := _without_empty(below)) != {}}

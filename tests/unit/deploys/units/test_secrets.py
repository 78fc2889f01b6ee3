"""Planned secrets: descriptors with versions and never a value, and every mistake with its line."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.deploys.preparing import LIVE, Entries
from tests.unit.deploys.stacks import told
from tests.unit.deploys.units.building import secrets
from tests.unit.deploys.units.texts import FROM, OFFLINE, SECRETS, an_entry

from stagewright.contexts.deploys.model.plan import PlannedSecret
from stagewright.contexts.deploys.model.sources import Scope


def planned(text: str, *args: object, **changes: object) -> dict[str, tuple[object, str | None]]:
    """Return the descriptors by ``secret/key`` of a stack in which nothing is wrong."""
    result, found = secrets(text, *args, **changes)  # type: ignore[arg-type]
    assert not told(found)
    return {f"{item.secret}/{item.key}": (item.source, item.version) for item in result}


def test_a_generated_key_is_described_and_never_made() -> None:
    text = """\
  secrets:
    - name: database
      keys:
        PASSWORD: {generate: {kind: password, length: 24, alphabet: abcdefghjk}}
        SIGNING: {generate: {kind: rsa, rotate: manual}}
        ID: {generate: {kind: uuid}}
"""
    password = {"kind": "password", "rotate": "never", "length": 24, "alphabet": "abcdefghjk"}
    assert planned(text) == {
        "database/ID": ({"generate": {"kind": "uuid", "rotate": "never"}}, None),
        "database/PASSWORD": ({"generate": password}, None),
        "database/SIGNING": ({"generate": {"kind": "rsa", "rotate": "manual", "length": 2048}}, None),
    }


def test_an_entry_is_named_with_its_version_place_and_rule() -> None:
    rules = "  secretResolution: {keyOverrides: [{sourceKey: PAY_KEY, overrideKeys: {preview: PAY_TEST}}]}\n"
    entries = Entries(an_entry("PAY_KEY", version=4), an_entry("PAY_TEST", version=7, scope=Scope.PLATFORM))
    assert planned(FROM + rules, config=entries) == {
        "pay/API": (
            {"from": {"config": "PAY_KEY", "key": "PAY_TEST", "scope": "platform", "environment": "*",
                      "rule": "keyOverrides/PAY_KEY"}},
            "7",
        )
    }  # fmt: skip
    ((source, version),) = planned(FROM + rules, LIVE, config=entries).values()
    assert (source["from"]["rule"], version) == ("direct", "4")  # type: ignore[index]


def test_a_default_counts_outside_of_production_only_and_shows_as_a_fingerprint() -> None:
    text = "  secrets: [{name: pay, keys: {API: {from: {config: PAY_KEY, default: sandbox-value}}}}]\n"
    ((source, version),) = planned(text).values()
    assert source == {"from": {"config": "PAY_KEY", "default": True}}
    assert version is not None
    assert version.startswith("default:")
    assert "sandbox-value" not in repr(planned(text))
    assert [line[:18] for line in told(secrets(text, LIVE)[1])] == ["secret_unresolved "]


def test_an_optional_key_without_a_value_is_left_out() -> None:
    assert planned("  secrets: [{name: pay, keys: {API: {from: {config: PAY_KEY, required: false}}}}]\n") == {}


def test_secrets_of_other_environments_are_left_out() -> None:
    text = """\
  secrets:
    - {name: one, environments: [live], keys: {A: {generate: {kind: hex}}}}
    - {name: two, when: false, keys: {A: {generate: {kind: hex}}}}
    - {name: three, environments: [preview], keys: {A: {generate: {kind: hex}}}}
"""
    assert list(planned(text)) == ["three/A"]
    assert list(planned(text, LIVE)) == ["one/A"]


def test_a_composed_text_holds_public_values_and_only_names_of_keys() -> None:
    text = """\
  secrets:
    - name: database
      keys:
        PASS: {generate: {kind: password}}
        tls.crt: {generate: {kind: hex}}
        URL: {compose: "postgresql://app:{{ keys.PASS }}@db.{{ namespace }}/app?c={{ keys['tls.crt'] }}"}
"""
    assert planned(text)["database/URL"] == (
        {"compose": ["postgresql://app:", {"key": "PASS"}, "@db.shop-i7/app?c=", {"key": "tls.crt"}]},
        None,
    )


def test_a_copy_names_its_source_by_the_environments_own_name() -> None:
    text = """\
  secretResolution: {environmentAliases: {live: [main]}}
  secrets:
    - {name: one, environments: [main], keys: {A: {generate: {kind: hex}, shareable: true}}}
    - {name: two, environments: [preview], keys: {B: {copy: {environment: main, secret: one, key: A}}}}
"""
    assert planned(text) == {"two/B": ({"copy": {"environment": "live", "secret": "one", "key": "A"}}, None)}


@pytest.mark.parametrize(("text", "selection", "changes", "expected"), SECRETS.values(), ids=SECRETS.keys())
def test_a_mistake_in_a_secret_is_told_with_its_line(text, selection, changes, expected) -> None:  # type: ignore[no-untyped-def]
    assert told(secrets(text, selection, **changes)[1]) == expected


def test_what_is_unresolved_is_a_warning_in_a_preview_and_an_error_otherwise() -> None:
    for entries in (OFFLINE, Entries()):
        for preview in (True, False):
            assert secrets(FROM, config=entries, preview=preview)[1].failed is not preview


@settings(max_examples=40, deadline=None)
@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=12, max_size=40), st.booleans(), st.booleans())
def test_no_value_appears_in_descriptors_or_diagnostics(value: str, allowed: bool, readable: bool) -> None:
    audience = frozenset({"candidate"} if allowed else {"production"})
    planted = an_entry("PAY_KEY", value=value, audience=audience, readable=readable)
    text = f"""\
  secrets:
    - name: pay
      keys:
        API: {{from: {{config: PAY_KEY}}}}
        OTHER: {{from: {{config: NO_KEY, default: "{value}"}}}}
        URL: {{compose: "https://{{{{ keys.API }}}}:{{{{ keys.OTHER }}}}@pay.example.org"}}
"""
    result, found = secrets(text, config=Entries(planted))
    assert [item.key for item in result] == ["API", "OTHER", "URL"]
    assert value not in msgspec.json.encode(list[PlannedSecret](result)).decode()
    assert value not in repr(found.sorted())

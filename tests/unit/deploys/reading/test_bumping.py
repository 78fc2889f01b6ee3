"""The version bump: what goes up, and that nothing else of a file changes."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.deploys.stacks import ROOT, STACK, a_stack, fragment, told

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.rules.bumping import bump, next_version, plan_bumps
from stagewright.contexts.deploys.rules.loading import load


def bumped(text: str, *changed: str) -> tuple[str | None, list[str]]:
    """Bump the versions of a root file for a push that changed paths; return the new text and the findings."""
    found = Findings()
    result = load(a_stack(text), found)
    assert result is not None
    bumps = plan_bumps(result.tree, ROOT, changed, found)
    data = bump(text.encode(), bumps, found)
    return data.decode() if data is not None else None, told(found)


@pytest.mark.parametrize(
    ("value", "after"),
    [
        ("2.4.07", "2.4.08"),
        ("2.4.09", "2.4.10"),
        ("2.4.99", "2.4.100"),
        ("1", "2"),
        ("009", "010"),
        ("v1.2-rc3b", "v1.2-rc4b"),
        ("0", "1"),
        ("9" * 5_000, "1" + "0" * 5_000),
        ("1" * 400_000 + "x1", "1" * 400_000 + "x2"),
        ("none", None),
        ("", None),
        ("²", None),
    ],
)
def test_the_last_number_goes_up_and_keeps_its_zeros(value: str, after: str | None) -> None:
    assert next_version(value) == after


VALUES = {
    "plain": ("v2.4.07", "v2.4.08"),
    "single": ("'2.4.09'", "'2.4.10'"),
    "double": ('"2.4.99"', '"2.4.100"'),
    "anchored": ('&v1 "1.2"', '&v1 "1.3"'),
    "tagged": ('!raw "7"', '!raw "8"'),
    "folded": (">-\n        1.\n        2", ">-\n        1.\n        3"),
    "literal": ("|-\n        1.2", "|-\n        1.3"),
}


@pytest.mark.parametrize("kind", VALUES)
def test_only_the_characters_of_the_scalar_change(kind: str) -> None:
    before, after = VALUES[kind]
    text = (
        STACK
        + "# a comment: 1.2.3\n"
        + "x-größe: 'é 9'   # and one more 4\n"
        + "spec:\n  versions:\n"
        + f"    api:   # 5\n      bumpOn: [ services/api ]\n      value: {before}  # 2.4.07\n"
        + "    other: {value: '2.4.07', bumpOn: [web]}\n\n\n"
    )
    if kind in ("folded", "literal"):
        text = text.replace("  # 2.4.07\n", "\n")
    result, problems = bumped(text, "services/api/main.py")
    assert problems == []
    assert result == text.replace(before, after)


def test_letters_and_line_ends_before_the_value_do_not_move_it() -> None:
    text = (STACK + "spec: {x-ö: 'ßßß \U0001f600', versions: {api: {value: '1', bumpOn: [a]}}}\n").replace("\n", "\r\n")
    assert bumped(text, "a") == (text.replace("'1'", "'2'"), [])


def test_a_path_is_a_file_or_a_folder_and_never_a_beginning_of_a_name() -> None:
    text = STACK + "spec: {versions: {api: {value: '1', bumpOn: [services/api/, ./Makefile]}}}\n"
    raised = text.replace("'1'", "'2'")
    for changed, expected in {
        "services/api/x": raised,
        "services/api": raised,
        "Makefile": raised,
        "services/api2/x": text,
        "services": text,
        "x/Makefile": text,
    }.items():
        assert bumped(text, changed) == (expected, [])
    outside = text.replace("services/api/, ./Makefile", "../x")
    assert bumped(outside, "x") == (
        outside,
        ["bad_value services.yaml:4: the path '../x' leads out of its repository; name a file or folder inside"],
    )


def test_a_version_without_a_number_is_told() -> None:
    text = STACK + "spec: {versions: {api: {value: next, bumpOn: [a]}}}\n"
    message = (
        "version_not_bumpable services.yaml:4: the version 'next' cannot be raised: it holds no number; "
        "mend it, or remove bumpOn"
    )
    assert bumped(text, "a") == (text, [message])
    assert bumped(text.replace("next", "next1"), "b")[1] == []


def test_a_value_behind_escapes_is_refused_rather_than_spoilt() -> None:
    text = STACK + 'spec: {versions: {api: {value: "1.2\\x41", bumpOn: [a]}}}\n'
    assert bumped(text, "a") == (
        None,
        [
            (
                "version_not_bumpable services.yaml:4: the version api cannot be raised in place; "
                "write its value on one line, without escapes"
            )
        ],
    )


@pytest.mark.parametrize("value", ['"1\\U0010FFFF"', '"9\\x39"', '"\\x39"'])
def test_an_escape_that_would_turn_into_something_else_is_refused(value: str) -> None:
    result, problems = bumped(STACK + f"spec: {{versions: {{api: {{value: {value}, bumpOn: [a]}}}}}}\n", "a")
    assert result is None
    assert len(problems) == 1


def test_a_place_that_is_not_in_the_text_is_refused() -> None:
    found = Findings()
    text = STACK + "spec: {versions: {api: {value: '1', bumpOn: [a]}}}\n"
    result = load(a_stack(text), found)
    assert result is not None
    assert bump(STACK.encode(), plan_bumps(result.tree, ROOT, ["a"], found), found) is None
    assert [item.code for item in found.items] == ["stack.version_not_bumpable"]


def test_what_is_malformed_is_left_to_the_check_of_its_shape() -> None:
    text = "spec: {versions: {a: '1', b: {value: 1, bumpOn: [a]}, c: {value: x, bumpOn: [1]}, d: {bumpOn: a}}}"
    assert bumped(STACK + text + "\n", "a", "1") == (STACK + text + "\n", [])


def test_the_file_that_holds_the_value_is_named() -> None:
    files = {"v.yaml": fragment("spec: {versions: {api: {value: '1', bumpOn: [a]}}}")}
    found = Findings()
    result = load(a_stack("spec: {imports: [v.yaml]}", files), found)
    assert result is not None
    (only,) = plan_bumps(result.tree, ROOT, ["a"], found)
    assert (only.key, str(only.at), only.before, only.after) == ("api", "v.yaml:3", "1", "2")
    assert plan_bumps(result.tree, "other", ["a"], found) == ()
    assert bump(files["v.yaml"].encode(), [only], found) == files["v.yaml"].replace("'1'", "'2'").encode()


def test_a_value_in_another_repository_is_not_raised() -> None:
    found = Findings()
    others = {"ui": {"v.yaml": fragment("spec: {versions: {web: {value: '1'}}}")}}
    text = (
        "spec: {repositories: [{alias: ui}], imports: [{repository: ui, path: v.yaml}], versions: {web: {bumpOn: [a]}}}"
    )
    result = load(a_stack(text, None, others), found)
    assert result is not None
    assert plan_bumps(result.tree, ROOT, ["a"], found) == ()
    assert told(found) == [
        (
            "version_not_bumpable v.yaml:3: the version '1' cannot be raised: it stands in the repository 'ui'; "
            "mend it, or remove bumpOn"
        )
    ]


WORDS = st.text(st.sampled_from("abé1290.-ß \U0001f600"), max_size=8)


@given(
    st.dictionaries(
        st.from_regex(r"\A[a-z]{1,5}\Z"), st.tuples(WORDS, st.booleans(), st.sampled_from("'\"")), max_size=5
    ),
    WORDS,
    st.sampled_from(("\n", "\r\n")),
)
@settings(max_examples=60, deadline=None)
def test_a_bump_changes_the_digits_of_matching_keys_alone(
    versions: dict[str, tuple[str, bool, str]], noise: str, end: str
) -> None:
    lines = [*STACK.splitlines(), f"# {noise}", f"x-n: '{noise}'", "spec:", "  versions:", "    zzzzzz: '0'"]
    after = list(lines)
    for key, (value, wanted, quote) in versions.items():
        raised = next_version(value) if wanted else None
        start, rest = f"    {key}: {{x-é: '{noise}', value: ", f", bumpOn: [{'a' if wanted else 'b'}]}} # {noise}"
        lines.append(f"{start}{quote}{value}{quote}{rest}")
        after.append(f"{start}{quote}{raised or value}{quote}{rest}")
    text = end.join(lines) + end
    result, problems = bumped(text, "a/b")
    assert result == end.join(after) + end
    bare = [key for key, (value, _, _) in versions.items() if not re.search("[0-9]", value)]
    assert len(problems) == len(bare)

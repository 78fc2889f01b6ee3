"""The platform's own policy file: none is fine, and what cannot be used says where and how to mend it."""

from pathlib import Path

import pytest

from stagewright.processes.platform_policy import PlatformPolicyInvalid, read_platform_policy


def test_without_a_file_the_builtin_policy_holds(tmp_path: Path) -> None:
    assert read_platform_policy(tmp_path / "policy.yaml") is None


def test_a_sound_file_is_returned_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("limits: {platform: {total: 7}}\n")
    assert read_platform_policy(path) == "limits: {platform: {total: 7}}\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"version: 1\nstages:\n  dev: {role: nobody}\n", ["platform policy, line 3: ", "(/stages/dev/role)"]),
        (b"version: 1\nengines: {command: {argv: sh}}\n", ["platform policy, line 2: ", "(/engines/command/argv)"]),
        (b"version: 1\nnonsense: 1\n", ["platform policy, line 2: ", "(/nonsense)"]),
        (b"limits: [\n", ["not valid YAML"]),
        (b"a: \xff\n", ["byte 4 is not UTF-8"]),
        (b"#" * 262145, ["the file is larger than 256 KiB"]),
    ],
)
def test_every_mistake_is_named_with_its_line(tmp_path: Path, content: bytes, told: list[str]) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(content)
    with pytest.raises(PlatformPolicyInvalid) as caught:
        read_platform_policy(path)
    assert caught.value.message.startswith(f"{path} cannot be used: mend it, or remove it")
    for words in told:
        assert words in caught.value.message


def test_a_file_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.mkdir()
    with pytest.raises(PlatformPolicyInvalid, match="it cannot be read"):
        read_platform_policy(path)

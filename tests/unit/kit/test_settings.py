"""Settings: types, files, unknown names, all problems at once."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.kit import settings as kit
from stagewright.kit.settings import Listen, Setting, SettingsInvalid, parse_duration, read

CATALOGUE = {
    "PORT": Setting(kit.whole_number(1, 65535), 80),
    "PASSWORD": Setting(kit.text, secret=True),
    "NAMES": Setting(kit.words, ()),
    "MODE": Setting(kit.choice("poll", "webhook"), "poll"),
}


def values(**environ: str) -> dict[str, object]:
    return read(environ, CATALOGUE, prefix="SW_", ignored=("SW_CLI_",))


def problems(required: frozenset[str] = frozenset(), **environ: str) -> list[tuple[str, str]]:
    with pytest.raises(SettingsInvalid) as caught:
        read(environ, CATALOGUE, prefix="SW_", ignored=("SW_CLI_",), required=required)
    return [(problem.pointer, problem.code) for problem in caught.value.problems]


def test_unset_and_empty_variables_give_defaults() -> None:
    assert values(SW_MODE="  ", OTHER="x") == {"PORT": 80, "PASSWORD": None, "NAMES": (), "MODE": "poll"}


def test_values_are_typed() -> None:
    assert values(SW_PORT="81", SW_NAMES="a, b,,c ")["PORT"] == 81
    assert values(SW_NAMES="a, b,,c ")["NAMES"] == ("a", "b", "c")


def test_a_secret_comes_from_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter22\n")
    assert values(SW_PASSWORD_FILE=str(tmp_path / "secret"))["PASSWORD"] == "hunter22"


def test_a_setting_that_is_no_secret_has_no_file() -> None:
    assert problems(SW_PORT_FILE="/x") == [("/SW_PORT_FILE", "settings.unknown")]


def test_an_unknown_name_stops_with_the_nearest_known_one() -> None:
    with pytest.raises(SettingsInvalid, match="SW_PASWORD: unknown setting; did you mean SW_PASSWORD"):
        values(SW_PASWORD="x")
    with pytest.raises(SettingsInvalid, match="SW_QQQ: unknown setting; did you mean SW_"):
        values(SW_QQQ="x")


def test_names_of_another_program_are_ignored() -> None:
    assert values(SW_CLI_TOKEN="x", SW_CLI_ANYTHING="y")["PORT"] == 80


def test_all_problems_are_reported_at_once() -> None:
    found = problems(frozenset({"PASSWORD"}), SW_PORT="0", SW_MODE="push", SW_TYPO="1")
    assert found == [
        ("/SW_TYPO", "settings.unknown"),
        ("/SW_PORT", "settings.malformed"),
        ("/SW_PASSWORD", "settings.required"),
        ("/SW_MODE", "settings.malformed"),
    ]


def test_a_secret_given_twice_or_in_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("missing", "empty", "binary", "."):
        assert problems(SW_PASSWORD_FILE=str(tmp_path / name)) == [("/SW_PASSWORD", "settings.malformed")]
    assert problems(SW_PASSWORD="hunter22", SW_PASSWORD_FILE="/x") == [("/SW_PASSWORD", "settings.malformed")]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("14d", 1209600), ("1h30m", 5400), ("1d2h3m4s", 93784)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0s", "0d0h", "5", "5 m", "5w", "-5m", "1.5h", "30m1h", "9" * 19 + "d", "1m\n"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.text(max_size=12))
def test_no_text_breaks_a_parser(text: str) -> None:
    parsers = [kit.listen, kit.url, kit.origin, kit.flag, parse_duration, kit.postgres_url, kit.whole_number(0, 9)]
    for parse in parsers:
        for candidate in (text, f"https://{text}", f"[{text}]:1", f"h:{text}"):
            with suppress(ValueError):
                parse(candidate)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8080", Listen("127.0.0.1", 8080)),
        ("[::1]:0", Listen("::1", 0)),
        ("host.name:1", Listen("host.name", 1)),
    ],
)
def test_listeners_are_read_and_written(text: str, expected: Listen) -> None:
    assert kit.listen(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize("text", ["8080", ":8080", "host:", "host:99999", "[::1:80", "::1:80", "ho st:1", "[x]:1"])
def test_other_listeners_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        kit.listen(text)


def test_loopback_is_known() -> None:
    assert [kit.listen(text).loopback for text in ("127.0.0.1:1", "[::1]:1", "localhost:1", "127.3.2.1:1")] == [
        True
    ] * 4
    assert [kit.listen(text).loopback for text in ("0.0.0.0:1", "[::]:1", "example.org:1")] == [False] * 3


@pytest.mark.parametrize(
    "text", ["https://sw.example.org", "https://sw.example.org:8443/", "http://127.0.0.1:8080", "http://localhost"]
)
def test_a_public_address_is_an_origin(text: str) -> None:
    assert kit.origin(text) == text.rstrip("/")


@pytest.mark.parametrize(
    "text",
    [
        *("http://sw.example.org", "https://sw.example.org/path", "https://u:p@x", "ftp://x", "https://"),
        *("sw.example.org", "https://x?q", "https://x:bad"),
    ],
)
def test_any_other_public_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        kit.origin(text)

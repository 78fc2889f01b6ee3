"""Words on a terminal: nothing of the server's acts on it, times and durations read well."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.processes.cli.present.text import ago, brief, reduced, safe, shorten, stamp, status, width
from stagewright.processes.cli.times import Moment, parse_duration

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@given(st.text())
def test_no_control_character_of_the_server_survives(text: str) -> None:
    assert not any(ord(character) < 32 and character not in "\t\n" for character in safe(text))
    assert "\x1b" not in reduced(text, colours=False)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\x1b[31mb", r"a\x1b[31mb"), ("bell\x07", r"bell\x07"), ("right\u202eleft", r"right\u202eleft"), ("ö\n", "ö\n")],
)
def test_control_characters_are_shown_not_acted_on(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_a_log_keeps_colours_on_a_terminal_and_nothing_elsewhere() -> None:
    text = "\x1b[31mred\x1b[0m \x1b[2J\x1b]0;title\x07done\r\n"

    assert reduced(text, colours=True) == "\x1b[31mred\x1b[0m done\n"
    assert reduced(text, colours=False) == "red done\n"


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=59), "59s"),
        (timedelta(seconds=61), "1m"),
        (timedelta(hours=1, minutes=5), "1h 5m"),
        (timedelta(days=2, hours=3, minutes=9), "2d 3h"),
        (timedelta(days=400), "400d"),
    ],
)
def test_durations_are_brief(length: timedelta, shown: str) -> None:
    assert brief(length) == shown


def test_times_are_relative_for_people_and_utc_for_programs() -> None:
    assert ago("2026-05-04T11:58:00Z", NOW) == "2m ago"
    assert ago("2026-05-04T14:00:00+01:00", NOW) == "in 1h"
    assert ago(None, NOW) == stamp(None) == "-"
    assert ago("nonsense", NOW) == "-"
    assert stamp("2026-05-04T14:00:00.123+02:00") == "2026-05-04T12:00:00Z"


def test_a_status_has_a_symbol_and_its_word_with_and_without_colour() -> None:
    assert status("failed", colours=False) == "✗ failed"
    assert status("failed", colours=True) == "\x1b[31m✗ failed\x1b[0m"
    assert status("of_a_newer_server", colours=False) == "• of_a_newer_server"


@given(st.text(alphabet="aя漢é", max_size=30), st.integers(1, 20))
def test_a_shortened_text_fits(text: str, most: int) -> None:
    assert width(shorten(text, most)) <= max(most, 1)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86400), ("1h30m", 5400)]
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "1w", "0s", "-1h", "99999999999d", "1.5h"])
def test_other_durations_are_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|range"):
        parse_duration(text)


def test_a_moment_is_a_time_or_a_duration_ago() -> None:
    assert Moment().convert("2026-01-31T12:00:00Z", None, None) == "2026-01-31T12:00:00+00:00"
    assert Moment().convert("2026-01-31T12:00:00", None, None) == "2026-01-31T12:00:00+00:00"
    hour_ago = datetime.fromisoformat(Moment().convert("1h", None, None))
    assert timedelta(minutes=59) < datetime.now(UTC) - hour_ago < timedelta(minutes=61)

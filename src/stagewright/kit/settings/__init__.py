"""Settings from the environment: a typed catalogue, read in one place, all mistakes reported at once."""

from stagewright.kit.settings.catalogue import Setting, SettingsInvalid, read
from stagewright.kit.settings.folders import data_dir_default, make_data_dir
from stagewright.kit.settings.values import (
    Listen,
    absolute_path,
    choice,
    duration,
    flag,
    listen,
    origin,
    parse_duration,
    postgres_url,
    text,
    url,
    whole_number,
    words,
)

__all__ = [
    "Listen",
    "Setting",
    "SettingsInvalid",
    "absolute_path",
    "choice",
    "data_dir_default",
    "duration",
    "flag",
    "listen",
    "make_data_dir",
    "origin",
    "parse_duration",
    "postgres_url",
    "read",
    "text",
    "url",
    "whole_number",
    "words",
]

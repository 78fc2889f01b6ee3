"""The agent CLIs and the one version of each that this program was tested with: the only place that says so.

A run asks its workload for this version, `doctor` compares it with what is installed, `make test-engines` installs it.
A change here needs recordings of the new version (tests/contract/engines).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pin:
    """One CLI: its program's name, the npm package it comes in, and the version."""

    name: str
    package: str
    version: str

    def install(self, version: str = "") -> str:
        """Return the command that installs it: the pinned version, or the one asked for."""
        return f"npm install -g {self.package}@{version or self.version}"


PINS: Mapping[str, Pin] = {
    pin.name: pin
    for pin in (Pin("codex", "@openai/codex", "0.169.0"), Pin("claude", "@anthropic-ai/claude-code", "2.1.330"))
}
VERSIONS: Mapping[str, str] = {pin.name: pin.version for pin in PINS.values()}

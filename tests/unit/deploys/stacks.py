"""Stacks for tests: YAML texts in memory."""

import textwrap
from collections.abc import Mapping

from tests.fakes.stack_files import Content, MemoryFiles

from stagewright.contexts.deploys.model.diagnostics import Diagnostic, Findings
from stagewright.contexts.deploys.model.sources import Repositories
from stagewright.contexts.deploys.model.stages import Loaded
from stagewright.contexts.deploys.rules.loading import load

ROOT = "main"
STACK = "apiVersion: stagewright.dev/v1alpha1\nkind: ServiceStack\nmetadata: {name: shop}\n"
FRAGMENT = "apiVersion: stagewright.dev/v1alpha1\nkind: ServiceStackFragment\n"


def a_stack(
    text: str,
    files: Mapping[str, Content] | None = None,
    others: Mapping[str, Mapping[str, Content]] | None = None,
    unavailable: Mapping[str, str] | None = None,
) -> Repositories:
    """A root file, further files of its repository, and the files of other repositories by alias.

    A text that does not say ``apiVersion`` is taken for what follows the envelope (``spec: …``).
    """
    root = MemoryFiles({"services.yaml": in_envelope(text), **(files or {})})
    sources = {ROOT: root, **{alias: MemoryFiles(content) for alias, content in (others or {}).items()}}
    return Repositories(root=ROOT, sources=sources, unavailable=unavailable or {})


def in_envelope(text: str, envelope: str = STACK) -> str:
    """Return ``text`` with the envelope of a root file in front, unless it has one.
    The first line of ``text`` is line 4 of the file then."""
    plain = textwrap.dedent(text).lstrip("\n")
    return plain if "apiVersion:" in plain else envelope + plain


def fragment(text: str) -> str:
    """Return ``text`` as a fragment; its first line is line 3 of the file."""
    return in_envelope(text, FRAGMENT)


def loaded(
    text: str,
    files: Mapping[str, Content] | None = None,
    others: Mapping[str, Mapping[str, Content]] | None = None,
) -> Loaded:
    """Return stages 1 to 3 of a stack in which nothing is wrong."""
    found = Findings()
    result = load(a_stack(text, files, others), found)
    assert result is not None
    assert not found.items, told(found)
    return result


def told(found: Findings) -> list[str]:
    """Return the findings as a person reads them: ``code file:line: message``."""
    return [line_of(item) for item in found.sorted()]


def line_of(item: Diagnostic) -> str:
    """Return one finding as a person reads it."""
    return f"{item.code.removeprefix('stack.')} {item.where}: {item.message}"

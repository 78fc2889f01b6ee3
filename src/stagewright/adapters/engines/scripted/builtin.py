"""The built-in scenarios, by the stage's file scope: a small program with its test, a page of text, or nothing."""

import re
from pathlib import Path

from stagewright.adapters.engines.contract import EngineJob
from stagewright.adapters.engines.files import inside
from stagewright.adapters.engines.scripted.scenario import Step

LARGEST_LOOK = 64 * 1024

PROGRAM = '''"""Greet people by name (revision {revision})."""


def hello(name: str = "world") -> str:
    """Return a greeting for ``name``; without a name the world is greeted."""
    return f"Hello, {{name.strip() or 'world'}}!"


if __name__ == "__main__":
    print(hello())
'''
TEST = '''"""What ``hello`` promises (revision {revision})."""

from hello import hello


def test_the_world_is_greeted_without_a_name():
    assert hello() == "Hello, world!"


def test_a_person_is_greeted_by_name():
    assert hello("Ada") == "Hello, Ada!"


def test_a_blank_name_counts_as_none():
    assert hello("  ") == "Hello, world!"
'''
PAGE = """# {title}

Written by a rehearsal (revision {revision}): no model was asked.

## What a real agent puts here

The outcome of the stage `{stage}`: what was asked, what was decided and why, and what is left open.
"""


def builtin_steps(job: EngineJob) -> tuple[Step, ...]:
    """Return the built-in scenario: scope any writes a program, a path scope writes a page, scope none writes nothing.

    When the file is there already, a higher revision number makes sure that a revise stage changes something.
    """
    if job.scope_any:
        revision = _next_revision(job.repo, "hello.py")
        return (
            Step("say", "Writing a small program and its test."),
            _write("hello.py", PROGRAM.format(revision=revision)),
            _write("test_hello.py", TEST.format(revision=revision)),
        )
    if job.scope_allow:
        stage = re.sub(r"[^A-Za-z0-9_.-]", "-", job.stage) or "stage"
        path = f"docs/{stage}.md"
        title = stage.replace("-", " ").replace("_", " ").capitalize()
        page = PAGE.format(title=title, stage=stage, revision=_next_revision(job.repo, path))
        return (Step("say", "Writing a page of documentation."), _write(path, page))
    return (Step("say", "Nothing to write in this stage."),)


def _write(path: str, content: str) -> Step:
    return Step("write", {"path": path, "content": content})


def _next_revision(repo: Path, relative: str) -> int:
    path = inside(repo, relative)
    if path is None or path.is_symlink() or not path.is_file():
        return 1
    with path.open(encoding="utf-8", errors="replace") as file:
        found = re.search(r"\(revision (\d{1,6})\)", file.read(LARGEST_LOOK))
    return int(found[1]) + 1 if found else 1

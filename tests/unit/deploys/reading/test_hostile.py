"""Hostile files: arbitrary bytes, bombs and giants end in findings, quickly and with bounded memory."""

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.fakes.stack_files import MemoryFiles
from tests.unit.deploys.stacks import FRAGMENT, STACK

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.places import Source
from stagewright.contexts.deploys.model.sources import Blob, Repositories
from stagewright.contexts.deploys.model.tree import Mapping
from stagewright.contexts.deploys.rules.loading import load
from stagewright.contexts.deploys.rules.reading import read_manifests, read_stack_file
from stagewright.contexts.deploys.rules.reading.limits import MOST_LEVELS, MOST_NODES

MOST_MEMORY = 40 << 20
MIB = 1 << 20
TOKENS = (
    *(
        "a",
        "b: ",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        " ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "? ",
        "&x ",
        "*x",
        "!raw ",
        "!!str ",
    ),
    *(
        "'",
        '"',
        "|\n",
        ">-\n",
        "#",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "%TAG ! tag:x,2:\n",
        "<<",
        "~",
        "yes",
        "0644",
        "1e999",
    ),
    *(
        "{{ x }}",
        "$delete: true",
        "$replace: true",
        "spec:",
        "services:",
        "imports:",
        "name: ",
        "\t",
        "\r",
        "\\",
        "@",
        "`",
    ),
    *("é", "\x85", "\u2028", "\ufeff", "\0", "\ud7ff", "\U0001f600", '"\\ud800"', "!<%ff> "),
)
SOUP = st.lists(st.sampled_from(TOKENS), max_size=40).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass"))


@given(st.one_of(st.binary(max_size=200), SOUP))
@example(b"!<%ff> a")
@example(b'a: "\\ud800"')
@example(b"\xff\xfe\x00")
@example(b"&a [*a]")
@example(b"? {{ a")
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_end_in_findings(data: bytes) -> None:
    source = Source("main", "s.yaml", "")
    found = Findings()
    tree = read_stack_file(Blob(data, ""), source, found)
    assert tree is not None or found.failed
    read_manifests(Blob(data, ""), source, Findings())
    found.sorted()


@given(SOUP, SOUP, st.sampled_from((STACK, "")), st.sampled_from((FRAGMENT, "")))
@settings(max_examples=100, deadline=None)
def test_arbitrary_stacks_end_in_findings(root: bytes, other: bytes, envelope: str, fragment: str) -> None:
    files = MemoryFiles(
        {
            "services.yaml": envelope.encode() + b"x-soup: " + root,
            "a.yaml": fragment.encode() + b"spec: {}\nx-y: " + other,
            "b.yaml": STACK + "spec: {imports: ['*.yaml', 'a.yaml']}",
        }
    )
    for path in ("services.yaml", "b.yaml"):
        found = Findings()
        result = load(Repositories(root="main", sources={"main": files}, stack_path=path), found)
        assert result is not None or found.failed
        found.sorted()


def laughs() -> bytes:
    """Nine aliases of nine aliases, ten levels deep."""
    lines = [b"a0: &a0 [" + b"x," * 9 + b"]"]
    lines += [b"a%d: &a%d [%s]" % (level, level, b"*a%d," % (level - 1) * 9) for level in range(1, 11)]
    return b"\n".join(lines)


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "billion laughs": (laughs, "yaml_alias_limit"),
    "long text by aliases": (
        lambda: b"a: &a '" + b"x" * 900_000 + b"'\nb: [" + b"*a," * 90 + b"]",
        "yaml_alias_limit",
    ),
    "100 MB": (lambda: b"a: " + b"x" * 100_000_000, "file_too_large"),
    "open lists": (lambda: b"[" * (MIB - 1), "yaml_depth"),
    "open maps": (lambda: b"{" * (MIB - 1), "yaml_depth"),
    "maps in maps": (lambda: b"{a: " * (MIB // 4 - 1), "yaml_depth"),
    "dashes": (lambda: b"- " * (MIB // 2 - 1), "yaml_depth"),
    "complex keys": (lambda: b"? " * (MIB // 2 - 1), "yaml_depth"),
    "many items": (lambda: b"a: [" + b"1," * (MIB // 2 - 10) + b"]", "yaml_alias_limit"),
    "many doubts": (lambda: b"a: [" + b"y," * 10_000 + b"]\nb:", "ambiguous_scalar"),
    "many twins": (lambda: b"k: 1\n" * 5_000, "yaml_duplicate_key"),
    "many documents": (lambda: b"---\n" * (MIB // 4), "multi_document"),
    "long number": (lambda: b"a: " + b"9" * (MIB - 10), "bad_value"),
    "long tag": (lambda: b"a: !" + b"x" * (MIB - 10) + b" y", "yaml_tag"),
    "colons": (lambda: b"a: " + b":" * (MIB - 10), "yaml_syntax"),
    "questions in a list": (lambda: b"[" + b"? " * (MIB // 2 - 10), "yaml_syntax"),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.timeout(30)
def test_a_bomb_is_refused_with_bounded_memory(name: str) -> None:
    make, code = BOMBS[name]
    data = make()
    found = Findings()
    tracemalloc.start()
    try:
        read_stack_file(Blob(data, ""), Source("main", "s.yaml", ""), found)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert f"stack.{code}" in {item.code for item in found.items}
    assert len(found.items) <= 403
    assert peak < MOST_MEMORY


def test_a_bomb_of_files_ends_at_the_size_of_a_stack() -> None:
    filler = "# " + "x" * (MIB - 200) + "\n"
    files = {f"f{number}.yaml": FRAGMENT + filler for number in range(40)}
    source = MemoryFiles({"services.yaml": STACK + "spec: {imports: ['f*.yaml']}", **files})
    found = Findings()
    load(Repositories(root="main", sources={"main": source}), found)
    assert [item.message for item in found.sorted()] == [
        "the files of the stack have more than 16,777,216 bytes in all; make it smaller"
    ]
    assert len(source.reads) == 18


def test_what_is_shared_by_aliases_counts_each_time_but_is_built_once() -> None:
    data = b"a: &a [" + b"1," * 499 + b"1]\nb: [" + b"*a," * 95 + b"]"
    found = Findings()
    tree = read_stack_file(Blob(data, ""), Source("main", "s.yaml", ""), found)
    assert not found.items
    assert isinstance(tree, Mapping)
    more = data.replace(b"*a,]", b"*a,*a,*a,*a,*a,*a]")
    read_stack_file(Blob(more, ""), Source("main", "s.yaml", ""), found)
    assert [item.code for item in found.items] == ["stack.yaml_alias_limit"]
    assert MOST_NODES == 50_000


def test_no_tree_is_deeper_than_the_limit_even_by_aliases() -> None:
    lines = [b"a0: &a0 x"] + [b"a%d: &a%d [*a%d]" % (level, level, level - 1) for level in range(1, 90)]
    found = Findings()
    tree = read_stack_file(Blob(b"\n".join(lines), ""), Source("main", "s.yaml", ""), found)
    assert tree is None
    assert [(item.code, item.where) for item in found.items] == [("stack.yaml_depth", f"s.yaml:{MOST_LEVELS + 1}")]

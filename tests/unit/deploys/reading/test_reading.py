"""One file: what it means, each problem at its line with its exact message, and what is no problem."""

import pytest
from tests.fakes.stack_files import blob_id
from tests.unit.deploys.stacks import told

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.places import Source
from stagewright.contexts.deploys.model.sources import Blob
from stagewright.contexts.deploys.model.tree import Mapping, Scalar, Sequence, plain
from stagewright.contexts.deploys.rules.reading import ParseCache, read_manifests, read_stack_file


def read(data: bytes | str) -> tuple[Mapping | None, Findings]:
    """Read a stack file."""
    raw = data.encode() if isinstance(data, str) else data
    found = Findings()
    return read_stack_file(Blob(raw, blob_id(raw)), Source("main", "s.yaml", blob_id(raw)), found), found


def manifests(data: str) -> tuple[list[object], list[str]]:
    """Read a manifest file."""
    raw = data.encode()
    found = Findings()
    documents = read_manifests(Blob(raw, blob_id(raw)), Source("main", "m.yaml", blob_id(raw)), found)
    return [plain(item) for item in documents], told(found)


def problems(data: bytes | str) -> list[str]:
    """Return what is wrong with a stack file."""
    return told(read(data)[1])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("0", 0),
        ("-12", -12),
        ("+3", 3),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("9223372036854775807", 9223372036854775807),
        ("'1'", "1"),
        ('"true"', "true"),
        ("1.2.3", "1.2.3"),
        ("2026-11-22", "2026-11-22"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("tRUE", "tRUE"),
        ("-", None),
        ("=", "="),
        ("!raw '{{ x }}'", "{{ x }}"),
        ("|\n  a\n  b\n", "a\nb\n"),
        (">-\n  a\n  b\n", "a b"),
        ("'null'", "null"),
        ("nullable", "nullable"),
    ],
)
def test_scalars_are_those_of_yaml_1_2_with_decimal_numbers(text: str, value: object) -> None:
    if value is None:
        return
    tree, found = read(f"a: {text}")
    assert told(found) == []
    assert tree is not None
    node = tree.items["a"]
    assert isinstance(node, Scalar)
    assert (type(node.value), node.value) == (type(value), value)


def test_a_tree_knows_where_everything_stands_and_how_it_was_written() -> None:
    tree, found = read("é: [1, 'x']\n\nb:\n  - c: !raw '{{ d }}'\n    e: &a f\n  - *a\n")
    assert tree is not None
    assert not found.items
    listed, b = tree.items["é"], tree.items["b"]
    assert isinstance(listed, Sequence)
    assert isinstance(b, Sequence)
    first, second = b.items
    assert isinstance(first, Mapping)
    places = [
        *(tree.keys["é"], listed.at, *(item.at for item in listed.items), tree.keys["b"], b.at),
        *(first.at, first.keys["c"], first.items["c"].at, second.at),
    ]
    assert [(at.line, at.column) for at in places] == [
        (1, 1),
        (1, 4),
        (1, 5),
        (1, 8),
        (3, 1),
        (4, 3),
        (4, 5),
        (4, 5),
        (4, 8),
        (5, 8),
    ]
    c = first.items["c"]
    assert isinstance(c, Scalar)
    assert isinstance(second, Scalar)
    assert (c.raw, c.plain) == (True, False)
    assert (second.raw, second.plain) == (False, True)
    assert second is first.items["e"]


AMBIGUOUS = "is text here and true or false elsewhere; quote it, or write true or false"
CASES: dict[str, tuple[bytes | str, str, int]] = {
    "file_too_large": (b"a: " + b"x" * (1 << 20), "the file has more than 1,048,576 bytes; split it with imports", 1),
    "bom": (b"\xef\xbb\xbfa: 1", "the file starts with a byte order mark; save it as UTF-8 without one", 1),
    "utf-16": ("a: 1".encode("utf-16"), "the file starts with a byte order mark; save it as UTF-8 without one", 1),
    "latin": (b"a: 1\nb: \xe4", "the byte 0xe4 is not UTF-8; save the file as UTF-8", 2),
    "control": ("a: 1\nb: 'x\0'", "the character U+0000 must not stand in YAML as it is", 2),
    "separator": ("a: 1\nb: 'x\u2028y'", "the character U+2028 must not stand in YAML as it is", 2),
    "syntax": (
        "a: [1\nb: 2",
        "this is no YAML: did not find expected ',' or ']' while parsing a flow sequence",
        2,
    ),
    "alias": ("a: 1\nb: *c", "the alias *c names no anchor; write &c before the value", 2),
    "key": ("a: 1\n[b]: 1", "a key must be a text, not a list or a map", 2),
    "twice": ("a: 1\nb: 2\na: 3", "the key 'a' stands here and in line 1; remove one", 3),
    "aliases": (
        "a: &a 1\nb: [" + "*a, " * 101 + "]",
        "more than 100 aliases in one file; write values out",
        2,
    ),
    "itself": ("a: 1\nb: &b [*b]", "the alias *b stands inside the value that it names", 2),
    "nodes": (
        "a: [" + "1," * 50_000 + "]",
        "the file has more than 50,000 values or 8,388,608 letters once its aliases are expanded; make it smaller",
        1,
    ),
    "merge": ("a: 1\nb: {<<: {c: 1}}", "the merge key << is not supported; write the values out", 2),
    "tag": ("a: 1\nb: !!str 2", "the tag 'tag:yaml.org,2002:str' is not supported; only !raw is", 2),
    "tag of a map": ("a: 1\nb: !raw {c: 1}", "the tag !raw belongs to a scalar, not to a list or a map", 2),
    "tag of a key": ("a: 1\n!raw b: 1", "the key 'b' has a tag; remove it", 2),
    "depth": ("a: " + "[" * 64 + "1" + "]" * 64, "more than 64 levels of nesting; flatten the file", 1),
    "depth by alias": (
        "a: &a " + "[" * 40 + "1" + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40,
        "the alias *a nests more than 64 levels; flatten the file",
        2,
    ),
    "documents": ("a: 1\n---\nb: 1", "a stack file holds one document; move the second one to a file of its own", 3),
    "null": ("a: 1\nb: ~", "null is not a value here; give a value, or leave the key out", 2),
    "nothing": ("a: 1\nb:", "null is not a value here; give a value, or leave the key out", 2),
    "yes": ("a: 1\nb: yes", f"'yes' {AMBIGUOUS}", 2),
    "Off": ("a: 1\nb: Off", f"'Off' {AMBIGUOUS}", 2),
    "octal": (
        "a: 1\nb: 0644",
        "0644 is the decimal number 644 here and octal elsewhere; quote it, or write the number meant",
        2,
    ),
    "hex": ("a: 0x1F", "'0x1F' is text here and a number elsewhere; quote it, or write the decimal number", 1),
    "whole": ("a: 1" + "0" * 19, "the number '10000000000000000000' is too large; quote it if it is a text", 1),
    "float": ("a: 1e999", "the number '1e999' is too large; quote it if it is a text", 1),
    "empty": ("# nothing\n", "the file is empty; a stack starts with apiVersion, kind and spec", 1),
    "list": ("\n- a", "a stack file is a map, not a list or a single value", 2),
    "template": ("a: 1\nb: {{ c }}", "the template '{{ c }}' has no quotes", 2),
    "template and text": ("a: 1\nb: {{ c }}-d", "the template '{{ c }}' has no quotes", 2),
    "template with texts": (
        "a:\n  - {{ c | default('%') }}",
        "the template \"{{ c | default('%') }}\" has no quotes",
        2,
    ),
    "template with a list": ("a:\n  - {{ c[0] in [1, 2 }}", "a text that starts with {{ has no quotes", 2),
    "template of one": ("a: [{{ c }}]", "the template '{{ c }}' has no quotes", 1),
}
CODES = {
    "file_too_large": "file_too_large",
    "encoding": "bom utf-16 latin",
    "yaml_syntax": "control separator syntax alias key",
    "yaml_duplicate_key": "twice",
    "yaml_alias_limit": "aliases itself nodes",
    "yaml_merge_key": "merge",
    "yaml_tag": "tag|tag of a map|tag of a key",
    "yaml_depth": "depth|depth by alias",
    "multi_document": "documents",
    "null_value": "null nothing",
    "ambiguous_scalar": "yes Off octal hex",
    "bad_value": "whole float",
    "wrong_type": "empty list",
    "template_unquoted": "template|template and text|template with texts|template with a list|template of one",
}
CODE_OF = {case: code for code, cases in CODES.items() for case in cases.split("|" if "|" in cases else " ")}


@pytest.mark.parametrize("case", CASES)
def test_a_problem_is_told_with_file_line_and_remedy(case: str) -> None:
    data, message, line = CASES[case]
    assert problems(data) == [f"{CODE_OF[case]} s.yaml:{line}: {message}"]


@pytest.mark.parametrize(
    "data",
    [
        "a: " + "x" * ((1 << 20) - 3),
        "a: ä \U0001f600 \\u2028",
        'a: "\\u2028\\0"',
        "a: &a 1\nb: [" + "*a, " * 100 + "]",
        "a: [" + "1," * 49_997 + "]",
        "a: " + "[" * 63 + "1" + "]" * 63,
        "'<<': {a: 1}",
        "'{{ a }}': 'x'\nb: 'x {{ y }}'\nc: x {{ y }}\nd: {e: {f: 1}}",
        "---\na: 1\n...\n",
        "%YAML 1.2\n---\na: 'yes'\nb: \"no\"\nyes: x\non: x",
        "a: 0\nb: -0.5\nc: 0.10\nd: '0644'",
        "a: {b: 1}\nc: {b: 1}",
    ],
)
def test_what_is_within_the_rules_is_not_told(data: str) -> None:
    assert problems(data) == []


def test_all_problems_of_a_file_are_told_with_their_paths() -> None:
    _, found = read(
        "spec:\n  services:\n    - name: web\n      hooks:\n        - {name: h, run: on}\n"
        "    - name: api\n      when:\n  vars: {a: !x 1, a: 2}\n"
    )
    assert [(item.code, item.path, item.at.line if item.at else 0) for item in found.sorted()] == [
        ("stack.ambiguous_scalar", "/spec/services/web/hooks/h/run", 5),
        ("stack.null_value", "/spec/services/api/when", 7),
        ("stack.yaml_tag", "/spec/vars/a", 8),
        ("stack.yaml_duplicate_key", "/spec/vars/a", 8),
    ]
    assert [str(other.at) for item in found.items for other in item.related] == ["s.yaml:8"]


def test_the_path_of_a_value_that_is_dropped_ends_where_the_tree_ends() -> None:
    _, found = read("a: {[x]: {c: ~}, <<: {d: [~]}}")
    assert [(item.code, item.path) for item in found.items] == [
        ("stack.yaml_syntax", "/a"),
        ("stack.null_value", "/a//c"),
        ("stack.yaml_merge_key", "/a/<<"),
        ("stack.null_value", "/a/<</d/0"),
    ]


def test_a_key_may_be_an_anchor_and_an_alias_is_a_value() -> None:
    tree, found = read("&k a: 1\nb: *k\n")
    assert tree is not None
    assert (plain(tree), found.items) == ({"a": 1, "b": "a"}, [])
    assert problems("&k a: 1\n*k : 2") == ["yaml_syntax s.yaml:2: a key must be a text, not an alias"]


def test_a_template_without_quotes_is_told_with_the_remedy() -> None:
    _, found = read("a: {{ b }}")
    assert [item.hint for item in found.items] == ['put the whole text in quotes: "{{ … }}"']


def test_many_doubts_do_not_hide_a_mistake() -> None:
    _, found = read("a: [" + "yes, " * 1000 + "~]")
    assert found.failed
    assert len(found.items) == 202


def test_a_manifest_file_holds_many_documents_and_may_hold_null() -> None:
    assert manifests("---\na: 1\n---\n# nothing\n---\nb: ~\nc:\n---\n") == ([{"a": 1}, {"b": None, "c": None}], [])
    assert manifests("") == ([], [])


def test_a_broken_manifest_is_told_as_a_manifest() -> None:
    assert manifests("a: [") == (
        [],
        ["manifest_syntax m.yaml:1: this is no YAML: did not find expected node content while parsing a flow node"],
    )
    assert manifests("- a") == (
        [],
        ["manifest_syntax m.yaml:1: a manifest is a map with apiVersion and kind, not a list or a single value"],
    )
    assert manifests("a: {{ b }}")[1] == ["template_unquoted m.yaml:1: the template '{{ b }}' has no quotes"]
    assert manifests("a: 1\na: 2")[1] == [
        "yaml_duplicate_key m.yaml:2: the key 'a' stands here and in line 1; remove one"
    ]


def test_a_file_is_parsed_once_and_its_problems_are_told_every_time() -> None:
    cache = ParseCache(most=10)
    blob = Blob(b"a: yes", blob_id(b"a: yes"))
    source = Source("main", "s.yaml", blob.blob_id)
    first, second = Findings(), Findings()
    tree = read_stack_file(blob, source, first, cache)
    assert read_stack_file(blob, source, second, cache) is tree
    assert first.items == second.items != []
    assert read_manifests(blob, source, Findings(), cache)[0] is not tree
    assert read_stack_file(blob, source, Findings(), cache) is not tree, "the cache is bounded"

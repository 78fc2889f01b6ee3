"""What is read of Dockerfiles and of ``.dockerignore``."""

import contextlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stagewright.contexts.deploys.rules.images.dockerfile import MOST_BYTES, Unreadable, read_dockerfile
from stagewright.contexts.deploys.rules.images.ignoring import BadPattern, read_ignore_file

BASES = {
    "a tag": ("FROM python:3.12\n", ["python:3.12"]),
    "small letters and a platform": ("from --platform=$BUILDPLATFORM python:3.12 as Base\n", ["python:3.12"]),
    "a stage": ("FROM a AS one\nFROM ONE AS two\nFROM b\nFROM two", ["a", "b"]),
    "scratch": ("FROM scratch\nCOPY a /\n", []),
    "a default": ("ARG V=3.12\nFROM python:${V}\n", ["python:3.12"]),
    "a default in quotes": ('ARG V="3.12" W=slim\nFROM python:$V-${W}\n', ["python:3.12-slim"]),
    "a default of a default": ("ARG A=1\nARG B=$A.2\nFROM x:$B\n", ["x:1.2"]),
    "a fallback": ("ARG V\nFROM python:${V:-3.11}\n", ["python:3.11"]),
    "an alternative": ("ARG V=1\nFROM python:${V:+3.10}\n", ["python:3.10"]),
    "an argument without value": ("ARG V\nFROM python:$V\n", [None]),
    "an argument of a stage": ("FROM a\nARG V=1\nFROM b:$V\n", ["a", None]),
    "an argument that the builder sets": ("FROM a:$TARGETARCH\n", [None]),
    "copied from an image": ("FROM a\nCOPY --from=b:1 --chown=1 /x /y\nCOPY --from=0 /x /y\n", ["a", "b:1"]),
    "mounted from an image": ("FROM a AS s\nRUN --mount=type=bind,from=c:2,target=/c --mount=from=s x\n", ["a", "c:2"]),
    "continued": ("FROM \\\n  # why\n\n  python:3.12 \\  \n AS x\n", ["python:3.12"]),
    "another escape": ("# syntax=docker/dockerfile:1\n# escape=`\nFROM `\n a\nRUN dir c:\\\nFROM b\n", ["a", "b"]),
    "a directive too late": ("# hello\n# escape=`\nFROM \\\n a\n", ["a"]),
    "a text in a text": ("FROM a\nRUN <<E\nFROM b\nE\nCOPY <<-'X Y' <<Z /a\n\tX Y\nFROM d\nZ\nFROM e\n", ["a", "e"]),
    "no text in quotes": ("FROM a\nRUN echo '<<EOF' <<<word 1<<2\n2\nFROM b\n", ["a", "b"]),
    "windows lines and a mark": ("\ufeffFROM a\r\nRUN x \\\r\n y\r\nFROM b\r\n", ["a", "b"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BASES.values(), ids=BASES.keys())
def test_bases_are_read(text: str, expected: list[str | None]) -> None:
    assert [base.reference for base in read_dockerfile(text.encode(), {}).bases] == expected


def test_arguments_of_the_build_count_before_defaults() -> None:
    read = read_dockerfile(b"ARG V=1\nARG W\nFROM a:$V-$W\n", {"V": "2", "W": "3", "X": "4"})
    assert [base.reference for base in read.bases] == ["a:2-3"]


WRONG = {
    "empty": (b"", "it has no FROM; a build starts from an image, or from scratch", 1),
    "no text": (b"FROM a\nRUN \xff\n", "it is no UTF-8 text; save it as UTF-8", 2),
    "no instruction": (b"FROM a\n\n???\n", "'???' is no instruction", 3),
    "a strange FROM": (b"FROM a b c\n", "FROM takes an image, and AS with a name if you like", 1),
    "too large": (b"#" * (MOST_BYTES + 1), "it is larger than 1 MiB; split it", 1),
}


@pytest.mark.parametrize(("data", "message", "line"), WRONG.values(), ids=WRONG.keys())
def test_what_is_no_dockerfile_is_told(data: bytes, message: str, line: int) -> None:
    with pytest.raises(Unreadable) as caught:
        read_dockerfile(data, {})
    assert (caught.value.message, caught.value.line) == (message, line)


PIECES = st.sampled_from(
    ["FROM ", "ARG A=", "${A:-", "}", "<<E", "\nE\n", "\\\n", "\n", '"', "# escape=`\n", "COPY --from=", "x"]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=40).map(lambda parts: "".join(parts).encode())))
@example(b"FROM ${")
@example(b"RUN <<" * 500)
def test_arbitrary_bytes_raise_nothing_but_our_own_errors(data: bytes) -> None:
    with contextlib.suppress(Unreadable):
        read_dockerfile(data, {})
    with contextlib.suppress(BadPattern):
        read_ignore_file(data).ignores("a/b.c")


IGNORED = {
    "a name at the top only": ("node_modules", ["node_modules/a/b"], ["a/node_modules/b"]),
    "a slash at the start": ("/build/", ["build/x"], ["a/build/x"]),
    "a star stays in its folder": ("*.md", ["a.md"], ["docs/a.md"]),
    "two stars": ("**/*.md", ["a.md", "docs/x/a.md"], ["a.mdx"]),
    "two stars at the end": ("docs/**", ["docs/a", "docs/a/b"], ["docs"]),
    "two stars in the middle": ("a/**/b", ["a/b", "a/x/b", "a/x/y/b/c"], ["a/bb"]),
    "everything but": ("*\n!src\n!*.txt", ["a", "docs/a.txt"], ["src/a/b", "a.txt"]),
    "out again": ("*\n!src\nsrc/tmp", ["src/tmp/a"], ["src/a"]),
    "the last one decides": ("*.md\n!README*.md\nREADME-secret.md", ["README-secret.md", "a.md"], ["README.md"]),
    "comments and blanks": ("# a\n\n  b  \n #c\n", ["b", "#c"], ["a", "c"]),
    "classes": ("[a-c][^x].t?t", ["ab.txt"], ["ax.txt", "dd.txt"]),
    "escapes": ("\\*.md\n\\#x", ["*.md", "#x"], ["a.md"]),
    "dots": ("./a/../b/", ["b/c"], ["a/c"]),
    "stars without a slash": ("**.log\na**z", ["x/.log", ".log", "az", "ab/z", "a/b/z"], ["x.log", "abz"]),
    "stars at the end of a name": ("tmp**", ["tmp1", "tmp1/a/b"], ["a/tmp1"]),
    "letters in their case": ("Readme", ["Readme"], ["README"]),
    "a mark and windows lines": ("\ufeffa\r\nb\r\n", ["a", "b"], ["c"]),
}


@pytest.mark.parametrize(("text", "ignored", "seen"), IGNORED.values(), ids=IGNORED.keys())
def test_patterns_leave_out_what_docker_leaves_out(text: str, ignored: list[str], seen: list[str]) -> None:
    rules = read_ignore_file(text.encode())
    assert [path for path in ignored + seen if rules.ignores(path)] == ignored


WRONG_PATTERNS = {
    "alone": ("!", "! alone is no pattern; name what is taken back in"),
    "open": ("[", "a [ is not closed; write \\[ for the character"),
    "backwards": ("[z-a]", "'[z-a]' is no pattern: its range of letters runs backwards"),
    "a backslash": ("a\\", "a pattern cannot end with a backslash"),
    "long": ("a" * 2000, "a pattern has at most 1024 characters"),
    "many stars": ("a**b**c**d**e", "a pattern may have at most 3 times ** beside other letters"),
    "many": ("a\n" * 1001, "there are more than 1000 patterns; use folders and **"),
}


@pytest.mark.parametrize(("text", "message"), WRONG_PATTERNS.values(), ids=WRONG_PATTERNS.keys())
def test_what_is_no_pattern_is_told(text: str, message: str) -> None:
    with pytest.raises(BadPattern) as caught:
        read_ignore_file(text.encode())
    assert caught.value.message == message


def test_no_pattern_takes_long() -> None:
    rules = read_ignore_file("\n".join(["**/*a*a*a*a*a*a*b", "**/**/**/**/x", "a***b"]).encode())
    assert not rules.ignores("/".join(["a" * 200] * 15))

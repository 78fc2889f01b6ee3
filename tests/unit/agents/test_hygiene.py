"""Cleaning of foreign texts and of texts we publish."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.contexts.agents.api import cut_utf8, inert, sanitise

HIDDEN = re.compile(
    r"[\U000e0000-\U000e0fff\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\u00ad\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
TRICKS = st.sampled_from(
    ["<!--", "-->", "--!>", "<!-", "- x", "<!", "--", "`", "\n", "<div>", "\u200b", "\u202e", "\U000e0041", "\u0338",
     "\u1fef", "\r\n", "\u2028", "\u00ad", "e\u0301", "\ud800", "\x00", "\ufe0f", "\ufe01", "@ann", "@", "closes",
     " #1", "Fixes: ", "acme/shop#2", "```", "~~~", "&#35;", "&commat;", "https://x.example/1", "text"]
)  # fmt: skip
TRICKY = st.lists(TRICKS | st.text(max_size=4), max_size=24).map("".join)
CLOSING = re.compile(
    r"(?i)(?<![a-z0-9])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:[\w.-]+/[\w.-]+)?(?:#|gh-)\d", re.ASCII
)
MENTION = re.compile(r"(?<![A-Za-z0-9])@[A-Za-z0-9]")


@pytest.mark.parametrize(
    ("text", "clean", "count"),
    [
        ("plain\n\ttext", "plain\n\ttext", {}),
        ("a<!-- hidden -->b", "ab", {"html_comments": 1}),
        ("a<!-->b<!--->c", "abc", {"html_comments": 2}),
        ("a<!-- x --!>b", "ab", {"html_comments": 1}),
        ("seen\n<!-- never closed\nrest", "seen\n", {"html_comments": 1}),
        ("<div>\n`<!-- x`\nhidden", "<div>\n`", {"html_comments": 1}),
        ("write `<!-- x` to open", "write `<!-- x` to open", {}),
        ("<!-<!-- x -->- y -->", "<!- - y -->", {"html_comments": 1}),
        ("<\u200b!--x-->y", "y", {"html_comments": 1, "zero_width": 1}),
        ("a\U000e0041\U000e007fb", "ab", {"tag_characters": 2}),
        ("a\u202eb\u2066c\u200fd", "abcd", {"bidi_controls": 3}),
        ("a\u200b\u00ad\u2060\ufeffb", "ab", {"zero_width": 4}),
        ("a\U000e0100b\ufe01\U0001f600\ufe0f", "ab\U0001f600\ufe0f", {"variation_selectors": 2}),
        ("a\x00\x1b[2J\x7f\x9bb", "a[2Jb", {"control_characters": 4}),
        ("a\ud800b", "ab", {"control_characters": 1}),
        ("a\r\nb\rc\u2028d\u0085e", "a\nb\nc\nd\ne", {}),
        ("e\u0301 \u212b", "\u00e9 \u00c5", {}),
        ("e\u200b\u0301", "\u00e9", {"zero_width": 1}),
    ],
)
def test_what_a_reader_would_not_see_is_removed_and_counted(text: str, clean: str, count: dict[str, int]) -> None:
    result = sanitise(text)
    assert result.text == clean
    assert {name: amount for name, amount in result.counts.as_json().items() if amount} == count
    assert result.counts.hidden_removed == sum(count.values())


@given(TRICKY)
def test_a_clean_text_holds_nothing_hidden_and_cleaning_it_again_changes_nothing(text: str) -> None:
    clean = sanitise(text).text
    assert not HIDDEN.search(clean)
    assert not re.search(r"<!--[\s\S]*?-->", clean)
    assert unicodedata.is_normalized("NFC", clean)
    assert sanitise(clean).text == clean
    assert sanitise(clean).counts.hidden_removed == 0
    clean.encode()


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.integers(0, 100))
def test_a_cut_keeps_whole_characters_and_counts_the_rest(text: str, limit: int) -> None:
    kept, cut = cut_utf8(text, limit)
    assert text.startswith(kept)
    assert len(kept.encode()) <= limit or cut == 0
    assert len(kept.encode()) + cut == len(text.encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Closes #1 and fixes acme/shop#2", "Closes — #1 and fixes — acme/shop#2"),
        ("resolved: GH-3", "resolved: — GH-3"),
        ("**Fixes** #4", "**Fixes** — #4"),
        ("closes\n#5", "closes\n— #5"),
        ("fixes https://github.com/a/b/issues/6", "fixes — https://github.com/a/b/issues/6"),
        ("close <b>#7</b>", "close <b>— #7</b>"),
        ("closes [#8](x)", "closes [— #8](x)"),
        ("encloses #9, prefix #10", "encloses #9, prefix #10"),
        ("see #11", "see #11"),
        ("thanks @ann, mail a@b.example", "thanks \uff20ann, mail a@b.example"),
        ("closes &#35;12 &commat;ann", "closes &amp;#35;12 &amp;commat;ann"),
        ("seen<!-- stagewright:run --> \u200btext", "seen text"),
    ],
)
def test_published_text_closes_nothing_and_mentions_nobody(text: str, expected: str) -> None:
    assert inert(text) == expected


@given(TRICKY)
def test_inert_text_stays_inert_whatever_it_is_made_of(text: str) -> None:
    once = inert(text)
    assert not CLOSING.search(once)
    assert not MENTION.search(once)
    assert not HIDDEN.search(once)
    assert inert(once) == once


def test_published_text_is_cut_and_its_open_code_block_is_closed() -> None:
    text = inert("```python\n" + "x" * 70_000)
    assert len(text) <= 60_000
    assert text.endswith("…\n```")
    assert inert("~~~~\n``` \n~~~\nopen").endswith("\n~~~~")
    assert inert("```\nclosed\n```") == "```\nclosed\n```"
    assert inert("``` not `a fence\ntext") == "``` not `a fence\ntext"

"""Markdown for reading: a handful of forms, everything else text, nothing that runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.processes.devforge.pages.markdown import render


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("# Head", "<h3>Head</h3>"),
        ("- one\n- two", "<ul><li>one</li><li>two</li></ul>"),
        ("one\ntwo", "<p>one<br>two</p>"),
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
        ("**bold** `a**b**`", "<p><strong>bold</strong> <code>a**b**</code></p>"),
        ("```py\n<b>\n```\nafter", "<pre><code>&lt;b&gt;</code></pre>\n<p>after</p>"),
        ("```\nopen end", "<pre><code>open end</code></pre>"),
        ("[t](http://a/b)", '<p><a href="http://a/b" rel="noreferrer">t</a></p>'),
        ("see http://a/b now", '<p>see <a href="http://a/b" rel="noreferrer">http://a/b</a> now</p>'),
        ("[t](javascript:x)", "<p>[t](javascript:x)</p>"),
        ("text\n- item", "<p>text</p>\n<ul><li>item</li></ul>"),
        ("seen <!-- marker --> still", "<p>seen  still</p>"),
        ("", "<p class=quiet>No description.</p>"),
        (None, "<p class=quiet>No description.</p>"),
    ],
)
def test_known_forms_are_rendered(text: str | None, wanted: str) -> None:
    assert str(render(text)) == wanted


@given(st.text(alphabet="<>\"'&`*[]()#-! \nabhtps:/=onerror", max_size=200))
def test_no_text_becomes_markup_of_its_own(text: str) -> None:
    shown = str(render(text))
    tags = ("p", "br", "h3", "h4", "h5", "h6", "ul", "li", "pre", "code", "strong", "a ", "a>")
    for piece in shown.split("<")[1:]:
        assert piece.lstrip("/").startswith(tags), shown
    for piece in shown.split("<a ")[1:]:
        assert piece.startswith('href="http'), shown
        assert piece.count('"', 0, piece.index(">")) == 4, shown

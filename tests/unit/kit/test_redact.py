"""No secret leaves: in any encoding, at any place, cut anywhere."""

import base64
import itertools
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.kit.crypto import make_api_token
from stagewright.kit.redact import MARK, Redactor, StreamRedactor

SECRET = "s3cr3t/Va+lue?with=odd&chars"
KEY_LINES = ["MIIEow" + "Ab9/" * 14] * 25
KEY = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *KEY_LINES, "-----END RSA PRIVATE KEY-----"])
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhdHRlbXB0OjEifQ.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw"
TOKENS = {
    "github_token": "ghp_" + "aB3" * 12,
    "github_pat": "github_pat_11ABCDEFG0" + "x_Y1" * 18,
    "stagewright_token": make_api_token(),
    "api_key": "sk-proj-" + "Zz_9-" * 8,
    "aws_access_key": "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_key": "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "private_key": KEY,
    "jwt": JWT,
}
secret_values = st.one_of(
    st.binary(min_size=6, max_size=40), st.text(min_size=6, max_size=20).map(lambda text: text.encode())
)
encodings = st.sampled_from(
    [
        lambda value: value,
        base64.b64encode,
        base64.urlsafe_b64encode,
        lambda value: value.hex().encode(),
        lambda value: value.hex().upper().encode(),
        lambda value: quote(value, safe="").encode(),
        lambda value: quote_plus(value).encode(),
    ]
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def streamed(redactor: Redactor, chunks: list[bytes]) -> bytes:
    stream = StreamRedactor(redactor)
    return b"".join([*(stream.feed(chunk) for chunk in chunks), stream.flush()])


class TestText:
    @pytest.mark.parametrize("prefix", ["", "a", "ab", "abc", "пре"])
    @pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
    def test_base64_is_found_at_every_alignment(self, prefix: str, encode: object) -> None:
        encoded = encode(f"{prefix}{SECRET}tail".encode()).decode()  # type: ignore[operator]
        left = Redactor([SECRET])(f"data:{encoded}")
        assert MARK in left
        for start in range(len(encoded) - 12):
            if len(prefix.encode()) * 8 // 6 + 2 <= start <= (len(prefix.encode()) + len(SECRET)) * 8 // 6 - 13:
                assert encoded[start : start + 12] not in left

    @pytest.mark.parametrize(
        "form",
        [
            SECRET,
            SECRET.encode().hex(),
            SECRET.encode().hex().upper(),
            quote(SECRET, safe=""),
            re.sub("%..", lambda escape: escape[0].lower(), quote(SECRET, safe="")),
            quote_plus(SECRET),
        ],
    )
    def test_every_usual_form_is_replaced(self, form: str) -> None:
        assert Redactor([SECRET])(f"<{form}>") == f"<{MARK}>"

    def test_an_escaped_value_in_json_is_replaced(self) -> None:
        value = 'quote" and\nnew line ключ'
        for ascii_only in (True, False):
            text = json.dumps({"k": value}, ensure_ascii=ascii_only)
            assert Redactor([value])(text) == f'{{"k": "{MARK}"}}'

    def test_every_line_of_a_block_is_secret_by_itself(self) -> None:
        block = "first line of the block 1\nsecond line of the block 2\n"
        assert Redactor([block])("x second line of the block 2 y") == f"x {MARK} y"

    @pytest.mark.parametrize("kind", TOKENS)
    def test_known_formats_are_replaced_whoever_made_them(self, kind: str) -> None:
        redactor = Redactor()
        assert redactor(f"before {TOKENS[kind]} after") in (f"before {MARK} after", f"before {MARK}")
        assert redactor.find(f"before {TOKENS[kind]}".encode())[0].kind == kind
        assert redactor.find(f"before {TOKENS[kind]}".encode())[0].offset == len("before ")

    def test_a_key_cut_before_its_end_is_replaced_too(self) -> None:
        assert "Ab9/" not in Redactor()(KEY[: len(KEY) // 2])

    @pytest.mark.parametrize(
        "text", ["", "ordinary words", "risk-assessment-of-the-whole-project", "ghp_short", "eyJ.eyJ.x", "«привет» 🎭"]
    )
    def test_ordinary_text_stays(self, text: str) -> None:
        assert Redactor([SECRET])(text) == text

    def test_overlapping_secrets_leave_nothing_of_each(self) -> None:
        redactor = Redactor(["abcdef123456", "123456uvwxyz", "abcdef"])
        assert redactor("_abcdef123456uvwxyz_abcdef_") == f"_{MARK}_{MARK}_"

    def test_a_removed_value_is_ordinary_again(self) -> None:
        redactor = Redactor([SECRET])
        redactor.add(SECRET)
        redactor.remove(SECRET)
        assert redactor(SECRET) == MARK
        redactor.remove(SECRET)
        assert redactor(SECRET) == SECRET
        redactor.remove("never added")

    def test_too_short_values_are_not_looked_for(self) -> None:
        assert Redactor(["on", "", "12345"])("based on 12345") == "based on 12345"

    def test_what_was_kept_back_is_counted_for_its_sink(self) -> None:
        told: list[tuple[str, int]] = []
        redactor = Redactor([SECRET], on_redacted=lambda sink, count: told.append((sink, count)))
        redactor.to("journal")(f"{SECRET} {SECRET}")
        redactor("nothing", "journal")
        redactor(SECRET, "logs")
        streamed(redactor, [SECRET.encode()])
        assert told == [("journal", 2), ("logs", 1), ("stream", 1)]
        assert redactor.counts == {"journal": 2, "logs": 1, "stream": 1}

    def test_findings_never_show_the_value(self) -> None:
        redactor = Redactor([SECRET])
        found = redactor.find(b"at 5: " + SECRET.encode() + b" " + SECRET.encode().hex().encode())
        assert [(finding.kind, finding.offset) for finding in found] == [("value", 6), ("hex", 7 + 6 + len(SECRET) - 6)]
        assert SECRET not in repr(found)

    @given(st.lists(secret_values, min_size=1, max_size=5), st.data())
    def test_no_known_value_survives_in_any_encoding(self, values: list[bytes], data: st.DataObject) -> None:
        encode = data.draw(encodings)
        pieces = [b"<" + encode(value) + b">" for value in values]
        text = b" ".join(pieces)
        left = Redactor(values).redact_bytes(text)
        for value, piece in zip(values, pieces, strict=True):
            if value.strip():
                assert piece not in left

    @given(st.text())
    def test_any_text_is_taken(self, text: str) -> None:
        assert Redactor([SECRET])(text + SECRET).endswith(MARK)


class TestStream:
    @given(st.lists(st.integers(0, 10_000), max_size=12), st.sampled_from([SECRET, *TOKENS.values()]))
    def test_a_secret_cut_anywhere_never_appears(self, places: list[int], secret: str) -> None:
        data = f"{{before}} {secret}|{{after}} {secret}".encode()
        left = streamed(Redactor([SECRET]), cut(data, places))
        assert secret.encode() not in left
        assert left == Redactor([SECRET]).redact_bytes(data)
        assert left.startswith(b"{before} ")

    @given(
        st.lists(st.text("ab", min_size=6, max_size=14), max_size=4),
        st.text("ab", max_size=120),
        st.lists(st.integers(0, 10_000), max_size=20),
    )
    def test_cutting_makes_no_difference_however_secrets_overlap(
        self, values: list[str], text: str, places: list[int]
    ) -> None:
        redactor = Redactor(values)
        assert streamed(redactor, cut(text.encode(), places)) == redactor.redact_bytes(text.encode())

    @given(
        st.lists(
            st.sampled_from(
                [
                    "sk-",
                    "ghp_",
                    "a" * 20,
                    "A1" * 18,
                    "AKIA",
                    "eyJ",
                    ".eyJ",
                    ".",
                    "-----BEGIN ",
                    "PRIVATE KEY-----",
                    "\n",
                    "-----END ",
                    SECRET,
                    "x",
                ]
            ),
            max_size=25,
        ),
        st.lists(st.integers(0, 10_000), max_size=20),
    )
    def test_cutting_makes_no_difference_for_formats(self, pieces: list[str], places: list[int]) -> None:
        redactor = Redactor([SECRET])
        data = "".join(pieces).encode()
        assert streamed(redactor, cut(data, places)) == redactor.redact_bytes(data)

    def test_ordinary_lines_are_not_held_back(self) -> None:
        stream = StreamRedactor(Redactor([SECRET]))
        assert stream.feed(b"compiling 12 of 80\n") == b"compiling 12 of 80\n"

    def test_the_hold_is_bounded_under_a_value_that_repeats_itself(self) -> None:
        stream = StreamRedactor(Redactor(["aaaaaaaa"]))
        passed = b"".join(stream.feed(b"a" * 100) for _ in range(50))
        assert len(stream._held) < 10
        assert passed + stream.flush() == MARK.encode()

    def test_a_value_that_becomes_known_later_is_kept_back_from_then_on(self) -> None:
        redactor = Redactor()
        stream = StreamRedactor(redactor)
        assert stream.feed(f"{SECRET}\n".encode()) == f"{SECRET}\n".encode()
        redactor.add(SECRET)
        assert stream.feed(SECRET.encode()) + stream.flush() == MARK.encode()

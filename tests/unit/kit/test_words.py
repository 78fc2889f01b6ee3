"""Small parts: ids, clocks, canonical JSON, event kinds, error words."""

import asyncio
import hashlib
import time
from datetime import UTC, timedelta
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.clock import START, FakeClock, settle

from stagewright.kit.clock import Clock, SystemClock
from stagewright.kit.errors import Conflict, FieldProblem, Invalid, Refused, Unavailable
from stagewright.kit.ids import short_id, uuid7
from stagewright.kit.journal import Event, canonical, chain_hash

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


class TestIds:
    def test_ids_carry_their_time_and_sort_by_it(self) -> None:
        before = time.time_ns() // 1_000_000
        made = uuid7()
        after = time.time_ns() // 1_000_000
        assert (made.version, made.variant) == (7, UUID(int=0x8 << 60).variant)
        assert before <= made.int >> 80 <= after
        assert UUID(int=0x0199_0000_0000 << 80) < made

    def test_a_thousand_ids_differ_and_so_do_their_short_forms(self) -> None:
        made = [uuid7() for _ in range(1000)]
        assert len(set(made)) == len({short_id(item) for item in made}) == 1000
        assert all(len(short_id(item)) == 12 for item in made)


class TestClocks:
    @pytest.mark.parametrize("clock", [SystemClock(), FakeClock()])
    async def test_times_are_utc_and_a_past_sleep_returns_at_once(self, clock: Clock) -> None:
        assert clock.now().tzinfo is UTC
        async with asyncio.timeout(1):
            await clock.sleep(timedelta(seconds=-5))

    async def test_the_fake_clock_wakes_sleepers_in_order(self) -> None:
        clock, woken = FakeClock(), list[str]()

        async def sleeper(name: str, seconds: int) -> None:
            await clock.sleep(timedelta(seconds=seconds))
            woken.append(f"{name}@{(clock.now() - START).seconds}")

        async with asyncio.TaskGroup() as group:
            for name, seconds in (("b", 2), ("a", 1), ("c", 2)):
                group.create_task(sleeper(name, seconds))
            await clock.wait_for_sleepers(3)
            assert clock.sleeping == 3
            await clock.run(timedelta(seconds=1))
            assert woken == ["a@1"]
            clock.advance(timedelta(seconds=10))
            await settle()
        assert woken == ["a@1", "b@11", "c@11"]


class TestCanonical:
    def test_it_has_one_form(self) -> None:
        assert canonical({"б": 1, "a": [None, True, 'ж\n"']}) == '{"a":[null,true,"ж\\n\\""],"б":1}'.encode()

    @given(plain)
    def test_equal_values_have_equal_hashes(self, value: object) -> None:
        again = dict(reversed(list(value.items()))) if isinstance(value, dict) else value
        assert chain_hash(b"p", {"body": value}) == chain_hash(b"p", {"body": again})

    def test_the_hash_covers_what_went_before(self) -> None:
        assert chain_hash(b"p", {"a": 1}) == hashlib.sha256(b'p{"a":1}').digest()
        assert chain_hash(b"p", {"a": 1}) != chain_hash(b"q", {"a": 1})

    @pytest.mark.parametrize("value", [0.5, [1.0], {"a": ({"b": float("nan")},)}])
    def test_floats_are_refused(self, value: object) -> None:
        with pytest.raises(TypeError, match="no floats"):
            canonical(value)


class TestEventKinds:
    @pytest.mark.parametrize("kind", ["noted", "Run.queued", "run.", "run queued", "1.a"])
    def test_a_kind_is_lower_case_words_joined_by_dots(self, kind: str) -> None:
        with pytest.raises(TypeError, match="no event kind"):
            type("Wrong", (Event,), {"kind": kind})

    def test_a_kind_belongs_to_one_class(self) -> None:
        class One(Event):
            kind: ClassVar[str] = "wordstest.one"

        assert Event.registry["wordstest.one"] is One
        with pytest.raises(TypeError, match="belongs to"):
            type("Two", (Event,), {"kind": "wordstest.one"})

    def test_an_event_says_its_own_stream_and_body(self) -> None:
        with pytest.raises(NotImplementedError):
            _ = Event().stream
        with pytest.raises(NotImplementedError):
            Event().body()


class TestErrors:
    def test_a_code_can_be_given_where_it_is_raised(self) -> None:
        assert Conflict("x").stable_code == "conflict"
        assert Refused("x", code="role_limit", limit=2).stable_code == "role_limit"
        assert Refused("x", limit=2).params == {"limit": 2}
        assert str(Unavailable("later", retry_after=timedelta(seconds=1))) == "later"

    def test_problems_are_plain(self) -> None:
        error = Invalid("x", problems=(FieldProblem("/a", "missing", "give a"),))
        assert [item.as_json() for item in error.problems] == [
            {"pointer": "/a", "code": "missing", "message": "give a"}
        ]

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import RowError
from core.queue.payloads import (
    BYTES_MAX,
    DEPTH_MAX,
    depth,
    encode,
    has_escaped_nul,
    not_finite,
    not_json,
    screen,
    to_text,
    unstorable,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab[{"\\', max_size=4), inner, max_size=3),
    max_leaves=20,
)


def nesting(value: object) -> int:
    """The slow twin of `depth`."""
    if isinstance(value, list | dict):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max((nesting(one) for one in inner), default=0)
    return 0


@given(JSON)
def test_depth_is_how_deep_it_nests(value: object) -> None:
    assert depth(json.dumps(value)) == nesting(value)
    assert depth(encode(value)) == nesting(value)


@given(JSON)
def test_encode_gives_back_what_went_in(value: object) -> None:
    assert json.loads(encode(value)) == value


@given(st.text("\\u0a", max_size=12))
def test_escaped_nul_is_seen_where_a_parser_sees_it(middle: str) -> None:
    text = f'"{middle}"'
    try:
        parsed = json.loads(text)
    except ValueError:
        return
    assert has_escaped_nul(text) == ("\0" in parsed)


def test_screen_names_line_and_reason_but_no_content() -> None:
    at_limit = '"' + "x" * (BYTES_MAX - 2) + '"'
    texts = ["{}", at_limit, at_limit + " ", '"\\u0000"', '"\\\\u0000"', "[" * 129, "[]" * 200, None]
    found = screen(pl.Series(texts, dtype=pl.String))
    assert [(one.line, one.reason) for one in found] == [
        (2, f"{BYTES_MAX + 1} bytes, the limit is {BYTES_MAX}"),
        (3, "it holds the character NUL"),
        (5, f"nested deeper than {DEPTH_MAX}"),
        (7, "no payload"),
    ]


def test_not_json_finds_each() -> None:
    texts = ["1", "", "{", "NaN", "[Infinity]", '"ok"', "[" * 100_000]
    assert [one.line for one in not_json(pl.Series(texts))] == [1, 2, 3, 4, 6]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("inf"), "a number JSON cannot hold"),
        ({1, 2}, "Object of type set"),
        ("\ud800", "not valid Unicode"),
        (b"x", "Object of type bytes"),
    ],
)
def test_encode_refuses_what_has_no_json_form(value: object, reason: str) -> None:
    with pytest.raises(RowError, match=f"payload 4: .*{reason}"):
        encode({"v": value}, 4)


def test_encode_refuses_a_circle() -> None:
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(RowError, match="circular"):
        encode(circle)


def test_to_text_of_a_frame() -> None:
    assert to_text(pl.DataFrame({"payload": ["{}"]})).to_list() == ["{}"]
    assert [json.loads(one) for one in to_text(pl.DataFrame({"payload": [1], "b": [None]}))] == [
        {"payload": 1, "b": None}
    ]
    assert to_text(pl.DataFrame()).len() == 0
    with pytest.raises(RowError, match="payload 1"):
        to_text(["{}", "\ud800"])


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ([1.5, NAN, None, INF, -INF], [1, 3, 4]),
        ([[1.0], [1.0, NAN], None, []], [1]),
        ([{"a": {"b": [INF]}}, {"a": {"b": [1.0]}}, {"a": None}], [0]),
        ([1, 2], []),
        (["NaN"], []),
    ],
)
def test_not_finite_finds_rows_however_deep(values: list[object], lines: list[int]) -> None:
    found = not_finite(pl.DataFrame({"v": values, "w": [0] * len(values)}))
    assert [one.line for one in found] == lines


def test_what_json_text_can_say_and_nobody_can_read_is_refused() -> None:
    fine = [r'"\ud83d\ude00 \\ud800"', '"' + "9" * 5_000 + '"', r'"\\u0000"']
    texts = pl.Series([*fine, r'"\ud800"', r'"\ude00\ud83d"', "9" * 4_301, r'{"a":"\u0000"}'])
    assert [(one.line, one.reason) for one in screen(texts)] == [
        (3, "text that is not valid Unicode"),
        (4, "text that is not valid Unicode"),
        (5, "an integer of more than 4300 digits"),
        (6, "it holds the character NUL"),
    ]
    assert sorted(one.line for one in unstorable(texts)) == [3, 4, 6]
    for value, reason in ((10**4_300, "more than 4300 digits"), ({"a": "\0"}, "the character NUL")):
        with pytest.raises(RowError, match=reason):
            encode(value)

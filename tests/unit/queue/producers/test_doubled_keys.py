from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queue.producers.doubled_keys import doubled


def lines(*texts: str | None) -> list[int]:
    return [one.line for one in doubled(pl.Series(texts, dtype=pl.String))]


@pytest.mark.parametrize(
    "text",
    [
        '{"amount":1,"amount":2}',
        '{"amount" : 1,\n"amount"\t: 1}',
        '{"amount":1, "amount" :2}',
        '{"a":{"b":1,"b":2}}',
        '[{"a":1},{"b":[{"c":1,"c":null}]}]',
        '{"a":1,"\\u0061":2}',
        '{"":1,"":2}',
        '{"a\\"":1,"a\\"":2}',
        '{"a":"x",":k":1,":k":2}',
        '{"ä":1,"\\u00e4":2}',
    ],
)
def test_doubled_finds_a_key_that_stands_twice_in_an_object(text: str) -> None:
    assert lines("{}", text, '{"amount":1}') == [1]
    # First or behind others of a form, whatever that form is.
    assert lines(text, '{"amount":1}', text) == [0, 2]
    assert lines('{"amount":1,"a":"x"}', '{"amount":2,"a":"y"}', text) == [2]


def test_doubled_reads_no_second_key_into_the_form_of_the_first() -> None:
    form = '{"amount":1,"note":"x"}'
    assert lines(form, '{"amount":1,"amount":"x"}', ' { "amount" : -1.5e3 , "note" : null } ') == [1]
    assert lines(form, '{"amount":"1,\\"amount\\":2","note":"x"}', '{"amount":{"note":1,"note":2},"note":1}') == [2]
    assert lines('{"a":1,"a" :2}', '{"a":3,"a" :4}') == [0, 1]


@pytest.mark.parametrize(
    "text",
    [
        '{"a":{"id":1},"b":{"id":2}}',
        '[{"id":1},{"id":2}]',
        '{"a":"\\"a\\":","b":"a\\":"}',
        '{"a":1,"A":2}',
        '"a"',
        "not JSON",
        '{"a":1,"a"',
        "[" * 100_000,
        None,
    ],
)
def test_doubled_passes_what_is_not_doubled_or_no_json(text: str | None) -> None:
    assert lines(text) == []


pairs = st.lists(st.tuples(st.text(alphabet='ab":\\, ', max_size=3), st.integers() | st.text(alphabet='":,\\a{')))


@given(st.lists(pairs, max_size=3), st.booleans())
def test_doubled_agrees_with_a_parser(objects: list[list[tuple[str, Any]]], escaped: bool) -> None:
    def text(pairs: list[tuple[str, Any]]) -> str:
        return "{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in pairs) + "}"

    whole = "[" + ",".join(map(text, objects)) + "]"
    if escaped:
        whole = whole.replace("a", "\\u0061")
        objects = json.loads(whole, object_pairs_hook=list)
    twice = any(len({key for key, _ in each}) < len(each) for each in objects)
    assert lines(whole) == ([0] if twice else [])

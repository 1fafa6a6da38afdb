"""Levels of marks against their twin, and names that are compared without them."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.matching import reference
from core.matching.blocking.block_keys import pass_keys
from core.matching.blocking.shared_passes import shared_passes
from core.matching.compare.patterns import compare_pairs
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import pack
from core.matching.specs.levels import MISSING
from core.matching.specs.spec import MatchSpec
from core.matching.text.marks import bare_of, mark_texts, with_marks

NAMES = ("first", "last")
READ_FROM = {
    "suffix": ["last", "first"],
    "birth_order": ["first", "last"],
    "middle": ["first"],
    "sex": ["first", "last"],
}
FIELDS = [
    {"name": "first", "kind": "given_name", "swap_with": "last"},
    {"name": "last", "kind": "surname", "swap_with": "first"},
    *({"name": mark, "kind": "mark", "mark": mark, "read_from": read} for mark, read in READ_FROM.items()),
]
PASSES = ["nick(first)", "sound(last)", "initial(first)", "unordered(first, last)", "last"]
LAYOUT = Layout.of(
    MatchSpec.model_validate(
        {"name": "t", "fields": FIELDS, "passes": [{"name": f"p{at}", "keys": [key]} for at, key in enumerate(PASSES)]}
    )
)
MARKS = st.fixed_dictionaries(
    {},
    optional={
        "s": st.sampled_from(["1", "2"]), "o": st.sampled_from(["1", "2"]), "x": st.sampled_from(["1", "2"]),
        "m": st.sampled_from(["r", "t", "rt"]),
    },
)  # fmt: skip
VALUE = st.none() | st.builds(with_marks, st.sampled_from(["", "james", "haddad"]), MARKS).map(
    lambda text: text or None
)
RECORDS = st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, VALUE)), min_size=2, max_size=6)


def values(record: dict[str, str | None], mark: str) -> set[str]:
    texts = [mark_texts(record[name] or "").get(mark, "") for name in READ_FROM[mark]]
    return set("".join(texts)) if mark == "middle" else {text for text in texts if text}


@given(RECORDS)
def test_marks_agree_with_their_twin_and_names_are_compared_bare(records):
    words, vocabulary = pack(pl.DataFrame(records, schema=dict.fromkeys(NAMES, pl.String)), LAYOUT)
    left, right = np.triu_indices(len(records), 1)
    levels = compare_pairs(words, vocabulary, LAYOUT, left.astype(np.uint32), right.astype(np.uint32))
    for pair, (a, b) in enumerate(zip(left, right, strict=True)):
        for mark in READ_FROM:
            level = reference.mark_level(values(records[a], mark), values(records[b], mark))
            assert levels[pair, LAYOUT.names.index(mark)] == level
        for at, name in enumerate(NAMES):
            one, two = (bare_of(records[row][name] or "") for row in (a, b))
            assert (levels[pair, at] == MISSING) == (not one or not two)
            assert (levels[pair, at] == LAYOUT.n_levels[at] - 1) == (one == two != "")


@given(RECORDS)
def test_keys_are_those_of_the_names_without_marks(records):
    schema = dict.fromkeys(NAMES, pl.String)
    bare = [{name: bare_of(text or "") or None for name, text in record.items()} for record in records]
    words, vocabulary = pack(pl.DataFrame(records, schema=schema), LAYOUT)
    plain_words, plain_vocabulary = pack(pl.DataFrame(bare, schema=schema), LAYOUT)
    keys = pass_keys(words, vocabulary, LAYOUT)
    assert np.array_equal(keys, pass_keys(plain_words, plain_vocabulary, LAYOUT))
    ends = tuple(side.astype(np.uint32) for side in np.triu_indices(len(records), 1))
    assert np.array_equal(
        shared_passes(words, ends, vocabulary, LAYOUT), shared_passes(plain_words, ends, plain_vocabulary, LAYOUT)
    )


def test_initials_that_both_names_imply_say_nothing_more():
    names = [
        with_marks("james robert", {"n": "r"}),
        with_marks("james", {"m": "r"}),
        with_marks("jane tess", {"n": "t"}),
    ]
    frame = pl.DataFrame({"first": names, "last": ["haddad"] * 3})
    words, vocabulary = pack(frame, LAYOUT)
    ends = (np.array([0, 0, 1], dtype=np.uint32), np.array([1, 2, 2], dtype=np.uint32))
    levels = compare_pairs(words, vocabulary, LAYOUT, *ends)[:, LAYOUT.names.index("middle")]
    assert levels.tolist() == [1, MISSING, 0]
    assert reference.mark_level({"r"}, {"t"}, counted=False) == MISSING

"""Which level two texts reach, among texts of a data set."""

import numpy as np
import polars as pl
import pytest

from core.errors import SpecError
from core.matching.compare.patterns import compare_pairs
from core.matching.compare.words.neighbours import near_words
from core.matching.records.layout import Layout
from core.matching.records.pack_text import pack_text
from core.matching.records.words.token_table import WordRules
from core.matching.specs.levels import MISSING
from core.matching.specs.spec import MatchSpec

FIELDS = [
    {"name": "codes", "kind": "mark", "mark": "codes", "read_from": ["title"]},
    {"name": "title", "kind": "words"},
    {"name": "numbers", "kind": "mark", "mark": "numbers", "read_from": ["title"]},
]
PASSES = [{"name": "title", "keys": ["title"]}]
SPEC = MatchSpec.model_validate({"name": "t", "fields": FIELDS, "passes": PASSES})
LAYOUT = Layout.of(SPEC)
# What makes some words common and others rare.
OTHERS = [
    f"{maker} {thing} {at} black" for at, maker in enumerate(("sony", "acme", "brandt")) for thing in ("player", "disc")
]


def levels(a: str | None, b: str | None) -> dict[str, str]:
    frame = pl.DataFrame({"title": [a, b, *OTHERS]}, schema={"title": pl.String})
    words, vocabulary = pack_text(frame, LAYOUT, rules=WordRules(near_words))
    ends = (np.array([0, 1], dtype=np.uint32), np.array([1, 0], dtype=np.uint32))
    found = compare_pairs(words, vocabulary, LAYOUT, *ends)
    assert np.array_equal(found[0], found[1])
    labels = [("differ", *(level.label for level in reversed(field.levels))) for field in SPEC.fields]
    return {
        field.name: "missing" if level == MISSING else label[level]
        for field, level, label in zip(SPEC.fields, found[0], labels, strict=True)
    }


@pytest.mark.parametrize(
    ("a", "b", "title", "codes", "numbers"),
    [
        ("Sony CDP-CE375 player", "player, Sony CDPCE375", "exact", "exact", "missing"),
        ("Sony CDP-CE375 player", "Sony CDPCE375/B player", "words >= 0.9", "exact", "missing"),
        ("Sony CDP-CE375 player", "Sony CDP-CE376 player", "words >= 0.58", "differ", "missing"),
        ("Brandt 16GB stick", "Brandt 16 GB stick", "words >= 0.97", "missing", "missing"),
        ("Face Book", "Facebook", "words >= 0.97", "missing", "missing"),
        ("Regional Management", "Regional MGMT", "words >= 0.74", "missing", "missing"),
        ("Office Suite 2010", "Office Suite 2013", "words >= 0.5", "missing", "differ"),
        ("Office Suite 2010", "Office Suite", "words >= 0.82", "missing", "missing"),
        ("Office Suite 2010", None, "missing", "missing", "missing"),
        ("Office", "n/a", "missing", "missing", "missing"),
        ("Office", "...", "missing", "missing", "missing"),
        ("Office", "Garden", "differ", "missing", "missing"),
        ("7", "8", "differ", "missing", "differ"),
    ],
)
def test_texts_reach_the_level_of_what_they_share(a, b, title, codes, numbers):
    assert levels(a, b) == {"title": title, "codes": codes, "numbers": numbers}


def test_long_texts_are_compared_by_their_rarest_words():
    long = " ".join(f"word{at}" for at in range(10_000))
    assert levels(long, long + " more")["title"] == "words >= 0.9"
    assert levels(long, long)["title"] == "exact"
    assert levels(long, "sony player")["title"] == "differ"


def test_one_text_in_every_row_is_equal_to_itself():
    words, vocabulary = pack_text(pl.DataFrame({"title": ["Oak and Sons"] * 9}), LAYOUT, rules=WordRules(near_words))
    left, right = np.arange(8, dtype=np.uint32), np.arange(1, 9, dtype=np.uint32)
    assert set(compare_pairs(words, vocabulary, LAYOUT, left, right)[:, 1].tolist()) == {10}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mark": "codes", "kind": "mark", "read_from": []}, "is read from one words"),
        ({"mark": "codes", "kind": "mark", "read_from": ["maker"]}, "names no words: maker"),
        ({"mark": "numbers", "kind": "mark", "read_from": ["title"], "values": 1}, "and from no column of its own"),
        ({"kind": "words", "term_frequency": True}, "weigh by their frequency anyway"),
        ({"kind": "text", "levels": ["exact", "words >= 0.5"]}, "cannot test kind 'text'"),
        ({"kind": "words", "levels": ["exact", "damerau <= 1"]}, "cannot test kind 'words'"),
        ({"mark": "sex", "kind": "mark", "read_from": ["title"]}, "names no given_name or surname: title"),
    ],
)
def test_a_spec_that_asks_texts_for_what_they_have_not_is_refused(change, said):
    fields = [{"name": "title", "kind": "words"}, {"name": "maker", "kind": "text"}, {"name": "asked"} | change]
    with pytest.raises((ValueError, SpecError), match=said):
        MatchSpec.model_validate({"name": "t", "fields": fields, "passes": PASSES})


def test_a_spec_with_texts_is_read_back_as_it_was_kept():
    assert MatchSpec.model_validate_json(SPEC.model_dump_json()) == SPEC
    smaller, _ = MatchSpec.model_validate(
        {"name": "t", "fields": FIELDS, "passes": [{"name": f"p{at}", "keys": ["title"]} for at in range(3)]}
    ).restrict(["title"])
    assert [field.values for field in smaller.fields] == [0, 1, 0]


def test_a_record_of_a_text_has_eighty_bytes_and_others_none():
    assert LAYOUT.stride == 20
    assert LAYOUT.words_of("codes") == slice(0, 0)
    without = MatchSpec.model_validate(
        {"name": "t", "fields": [{"name": "maker", "kind": "text"}], "passes": [{"name": "p", "keys": ["maker"]}]}
    )
    assert Layout.of(without).stride == 4

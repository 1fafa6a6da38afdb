"""What each test of each kind accepts, level by level."""

import numpy as np
import polars as pl
import pytest

from core.matching.compare.patterns import compare_pairs
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import pack
from core.matching.specs.levels import MISSING, TESTS
from core.matching.specs.spec import MatchSpec

KINDS = {
    "first": {"kind": "given_name", "swap_with": "last"},
    "last": {"kind": "surname", "swap_with": "first"},
    "city": {"kind": "city"},
    "state": {"kind": "category"},
    "zip": {"kind": "code"},
    "dob": {"kind": "date"},
    "ssn": {"kind": "digits", "levels": ["exact", "digits <= 1", "digits <= 2", "same_suffix >= 4"]},
    "street": {"kind": "street"},
    "mail": {"kind": "email"},
    "sum": {"kind": "number"},
    "title": {"kind": "words"},
}
FIELDS = [{"name": name} | rest for name, rest in KINDS.items()]
SPEC = MatchSpec.model_validate({"name": "t", "fields": FIELDS, "passes": [{"name": "p", "keys": ["ssn"]}]})
LAYOUT = Layout.of(SPEC)
DTYPES = {"date": pl.Int32, "number": pl.Float32}


def level(field: str, a, b) -> str:
    """Label of the level two values reach; a dict gives several fields of one record."""
    sides = [each if isinstance(each, dict) else {field: each} for each in (a, b)]
    schema = {each.name: DTYPES.get(each.kind, pl.String) for each in SPEC.fields}
    words, vocabulary = pack(pl.DataFrame([dict.fromkeys(KINDS) | side for side in sides], schema=schema), LAYOUT)
    left, right = np.array([0], dtype=np.uint32), np.array([1], dtype=np.uint32)
    column = LAYOUT.names.index(field)
    found = compare_pairs(words, vocabulary, LAYOUT, left, right)[0, column]
    assert found == compare_pairs(words, vocabulary, LAYOUT, right, left)[0, column]
    if found == MISSING:
        return "missing"
    return ("differ", *(each.label for each in reversed(SPEC.fields[column].levels)))[found]


REACHED = [
    ("first", "ann", "ann", "exact"),
    ("first", "ann", None, "missing"),
    ("first", None, "ann", "missing"),
    ("first", "bob", "robert", "nickname"),
    ("first", "robert", "robert james", "nickname"),
    ("first", "robert james", "james", "same_name"),
    ("first", "mary ann", "maryann", "same_name"),
    ("first", "alexander", "alex", "nickname"),
    ("first", "alexandra", "alex", "nickname"),
    ("first", "alexander", "alexandra", "jaro_winkler >= 0.85"),
    ("first", "ekaterina", "catherine", "nickname"),
    ("first", "jorje", "jojre", "damerau <= 1"),
    ("first", "andrea", "andreas", "jaro_winkler >= 0.85"),
    ("first", "maria", "mario", "jaro_winkler >= 0.85"),
    ("first", "daniel", "daniela", "jaro_winkler >= 0.85"),
    ("first", "christian", "christina", "jaro_winkler >= 0.85"),
    ("first", "jo", "bo", "differ"),
    ("first", "kim", "kin", "differ"),
    ("first", "ruth", "rut", "damerau <= 1"),
    ("first", "娜", "伟", "differ"),
    ("first", "李娜", "李伟", "differ"),
    ("first", "娜", "娜娜", "differ"),
    ("first", "伟", "薇", "nickname"),
    ("first", "伟", "wei", "nickname"),
    ("first", "伟", "john", "missing"),
    ("first", "a", "ann", "initial"),
    ("first", "a", "bob", "differ"),
    ("first", "philippa", "philipina", "jaro_winkler >= 0.85"),
    ("first", "ann", "bob", "differ"),
    ("first", {"first": "lee", "last": "ann"}, {"first": "ann", "last": "lee"}, "swapped"),
    ("last", {"first": "lee", "last": "ann"}, {"first": "ann", "last": "lee"}, "swapped"),
    ("last", {"first": "lee", "last": "lee"}, {"first": "ann", "last": "oak"}, "differ"),
    ("last", {"first": "lee", "last": "ann"}, {"first": "ann", "last": "oak"}, "differ"),
    ("last", "smith", "smiht", "damerau <= 1"),
    ("last", "li", "lu", "differ"),
    ("last", "lin", "lim", "same_name"),
    ("last", "papadakis", "zielinski papadakis", "same_name"),
    ("last", "farkas mendoza", "mendoza", "same_name"),
    ("last", "garcia lopez", "lopez garcia", "same_name"),
    ("last", "garcia lopez", "garcia marquez", "jaro_winkler >= 0.8"),
    ("last", "garcia lopez", "fernandez ruiz", "differ"),
    ("last", "le", "le duc", "differ"),
    ("last", "zhang", "cheung", "same_name"),
    ("last", "陈", "chan", "same_name"),
    ("last", "陈", "smith", "missing"),
    ("last", "陈", "王", "differ"),
    ("last", "johnson", "jonsten", "jaro_winkler >= 0.8"),
    ("city", "boston", "bostn", "damerau <= 1"),
    ("state", "ny", "nj", "differ"),
    ("zip", "12345", "12354", "damerau <= 1"),
    ("zip", "12345", "12399", "prefix >= 3"),
    ("zip", "12345", "12", "differ"),
    ("zip", "12345", "99345", "differ"),
    ("dob", 19800512, 19801205, "date_swapped"),
    ("dob", 19800512, 19800513, "date_digits <= 1"),
    ("dob", 19800512, 19890512, "date_digits <= 1"),
    ("dob", 19800512, 19800529, "date_parts"),
    ("dob", 19800512, 19800000, "same_year"),
    ("dob", 19800512, 19800512, "exact"),
    ("dob", 19800000, 19800000, "date_parts"),
    ("dob", 19800500, 19800500, "date_digits <= 1"),
    ("dob", 19800500, 19800000, "same_year"),
    ("dob", 19800512, 19801129, "same_year"),
    ("dob", 19800512, 19771129, "differ"),
    ("dob", 19800512, 19770512, "date_parts"),
    ("dob", 19800512, 19770519, "differ"),
    ("ssn", "123456789", "123456798", "digits <= 1"),
    ("ssn", "123456789", "12345678", "digits <= 1"),
    ("ssn", "123456789", "103456709", "digits <= 2"),
    ("ssn", "123456789", "987006789", "same_suffix >= 4"),
    ("ssn", "123456789", "789", "differ"),
    ("ssn", "0123", "123", "digits <= 1"),
    ("street", "12 main st", "12 main ave", "same_street"),
    ("street", "12 main st", "12 main st apt 4", "exact"),
    ("street", "12 jefferson st", "12 jeffersen st", "street_similar >= 0.6"),
    ("street", "12 jefferson st", "14 jefferson st", "same_street_name >= 0.6"),
    ("street", "12 jefferson st", "jefferson st", "street_similar >= 0.6"),
    ("street", "12 jefferson st", "12 oak st", "differ"),
    ("mail", "ann@x.org", "ann@y.org", "same_local_part"),
    ("mail", "ann@x.org", "bob@x.org", "differ"),
    ("sum", 0.0, 0.0, "exact"),
    ("sum", 0.0, None, "missing"),
    ("sum", 100.0, 100.9, "within_percent <= 1"),
    ("sum", 100.0, -100.0, "differ"),
    ("sum", 100.0, 109.0, "within_percent <= 10"),
    ("sum", 1000.0, 1110.0, "within_percent <= 10"),
    ("sum", 1000.0, 1112.0, "differ"),
    ("title", "oak paper mill", "oak paper", "words >= 0.74"),
]


@pytest.mark.parametrize(("field", "a", "b", "expected"), REACHED)
def test_a_pair_reaches_its_level(field, a, b, expected):
    assert level(field, a, b) == expected


def test_every_test_is_reached_by_a_pair():
    """One that `run_test` has no branch for is reached by none."""
    assert {expected.split()[0] for *_, expected in REACHED} == {*TESTS, "differ", "missing"}

import numpy as np
import polars as pl
import pytest

from core.matching.blocking.block_keys import pass_keys
from core.matching.blocking.shared_passes import shared_passes
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import code_columns, pack, remap
from core.matching.specs.key_expressions import KEY_FUNCTIONS
from core.matching.specs.levels import KINDS
from core.matching.specs.spec import MatchSpec

FIELDS = [
    {"name": "first", "kind": "given_name"},
    {"name": "last", "kind": "surname"},
    {"name": "dob", "kind": "date"},
    {"name": "ssn", "kind": "digits"},
    {"name": "street", "kind": "street"},
    {"name": "mail", "kind": "email"},
]
ANN = {
    "first": "ann",
    "last": "smith",
    "dob": 19800512,
    "ssn": "123450678",
    "street": "12 main st",
    "mail": "ann@x.org",
}

VALUE_OF_KIND = {
    "given_name": "ann",
    "surname": "smith",
    "text": "acme",
    "city": "boston",
    "category": "ny",
    "identifier": "ab12c",
    "code": "12345",
    "date": 19800512,
    "digits": "123450678",
    "street": "12 main st",
    "email": "ann@x.org",
    "number": 7.5,
    "words": "oak paper mill",
}
ARGUMENT = {"none": "", "count": ", 2", "field": ", given_name"}


def keys(expressions: list[str], *changes: dict) -> list[int]:
    """Keys of Ann with each change, in one pass."""
    spec = MatchSpec.model_validate({"name": "t", "fields": FIELDS, "passes": [{"name": "p", "keys": expressions}]})
    layout = Layout.of(spec)
    schema = {each["name"]: pl.Int32 if each["kind"] == "date" else pl.String for each in FIELDS}
    words, vocabulary = pack(pl.DataFrame([ANN | change for change in changes], schema=schema), layout)
    return pass_keys(words, vocabulary, layout)[:, 0].tolist()


@pytest.mark.parametrize(
    ("expression", "alike", "different"),
    [
        ("first", {"last": "lee"}, {"first": "anne"}),
        ("sound(last)", {"last": "smyth"}, {"last": "baker"}),
        ("nick(first)", {"first": "annie"}, {"first": "bob"}),
        ("initial(first)", {"first": "alice"}, {"first": "bob"}),
        ("prefix(last, 3)", {"last": "smiley"}, {"last": "smyth"}),
        ("prefix(last, 9)", {"first": "bob"}, {"last": "smithson"}),
        ("year(dob)", {"dob": 19800000}, {"dob": 19810512}),
        ("month_day(dob)", {"dob": 19700512}, {"dob": 19801205}),
        ("parts(dob)", {"dob": 19801205}, {"dob": 19800513}),
        ("dob", {"first": "bob"}, {"dob": 19801205}),
        ("ssn", {"first": "bob"}, {"ssn": "123450679"}),
        ("first(ssn, 5)", {"ssn": "123459999"}, {"ssn": "223450678"}),
        ("last(ssn, 4)", {"ssn": "999990678"}, {"ssn": "123450677"}),
        ("house(street)", {"street": "12 main street apt 4"}, {"street": "14 main st"}),
        ("number(street)", {"street": "12 oak ave"}, {"street": "14 main st"}),
        ("street(street)", {"street": "14 main road"}, {"street": "12 oak st"}),
        ("street", {"street": "12 main street"}, {"street": "12 main ave"}),
        ("unordered(first, last)", {"first": "smith", "last": "ann"}, {"first": "smith"}),
        ("local(mail)", {"mail": "ann@y.org"}, {"mail": "anne@x.org"}),
        ("mail", {"first": "bob"}, {"mail": "ann@y.org"}),
    ],
)
def test_a_key_is_equal_for_what_it_keeps_and_differs_for_what_it_tells_apart(expression, alike, different):
    ann, same, other = keys([expression], {}, alike, different)
    assert ann != 0
    assert ann == same
    assert ann != other


@pytest.mark.parametrize(
    ("expression", "gap"),
    [
        ("first", {"first": None}),
        ("unordered(first, last)", {"last": None}),
        ("parts(dob)", {"dob": 19800500}),
        ("month_day(dob)", {"dob": 19800000}),
        ("dob", {"dob": 19800000}),
        ("first(ssn, 5)", {"ssn": "1234"}),
        ("last(ssn, 4)", {"ssn": "123"}),
        ("house(street)", {"street": "main st"}),
        ("number(street)", {"street": "main st"}),
        ("mail", {"mail": None}),
    ],
)
def test_a_record_without_a_part_has_no_key(expression, gap):
    assert keys([expression], gap) == [0]
    assert keys(["last(ssn, 2)", expression], {})[0] != 0


def test_a_key_of_some_digits_takes_a_number_of_just_as_many():
    short, same = keys(["last(ssn, 4)"], {"ssn": "0678"}, {})
    assert short == same != 0
    assert keys(["first(ssn, 5)"], {"ssn": "12345"}) == keys(["first(ssn, 5)"], {})


def test_a_compound_key_needs_all_its_parts_in_order():
    one, two = keys(["first", "last"], {"first": "a", "last": "b"}, {"first": "b", "last": "a"})
    assert one != two


def test_keys_do_not_depend_on_the_vocabulary():
    spec = MatchSpec.model_validate(
        {"name": "t", "fields": FIELDS, "passes": [{"name": "p", "keys": ["nick(first)", "last"]}]}
    )
    layout = Layout.of(spec)
    schema = {each["name"]: pl.Int32 if each["kind"] == "date" else pl.String for each in FIELDS}
    words, local = pack(pl.DataFrame([ANN], schema=schema), layout)
    _, other = pack(pl.DataFrame([ANN | {"first": "aaron", "last": "abel"}], schema=schema), layout)
    before = pass_keys(words, local, layout)
    whole, tables = code_columns([other.strings, local.strings])
    remap(words, layout, tables[1])
    assert words[0, 0] != 1
    assert np.array_equal(pass_keys(words, whole, layout), before)


@pytest.mark.parametrize("function", KEY_FUNCTIONS)
def test_every_function_has_a_branch_in_both_kernels_for_all_its_kinds(function):
    """One without makes no key, and no pair is said to share it."""
    _, kinds, argument = KEY_FUNCTIONS[function]
    keyed = [kind for kind in KINDS if kind != "mark"]
    fields = [{"name": kind, "kind": kind} for kind in keyed]
    passes = [{"name": kind, "keys": [f"{function}({kind}{ARGUMENT[argument]})"]} for kind in sorted(kinds)]
    layout = Layout.of(MatchSpec.model_validate({"name": "t", "fields": fields, "passes": passes}))
    schema = {kind: {"date": pl.Int32, "number": pl.Float32}.get(kind, pl.String) for kind in keyed}
    # The third has words of theirs, for a word of a single text makes no key.
    records = [VALUE_OF_KIND, VALUE_OF_KIND, VALUE_OF_KIND | {"words": "oak paper"}]
    words, vocabulary = pack(pl.DataFrame(records, schema=schema), layout)
    keys = pass_keys(words, vocabulary, layout)
    one, two = ([row[layout.key_passes == number].max() for number in range(len(passes))] for row in keys[:2])
    one, two = np.array(one), np.array(two)
    assert one.tolist() == two.tolist()
    assert [each["name"] for each, key in zip(passes, one, strict=True) if key == 0] == []
    ends = (np.array([0], dtype=np.uint32), np.array([1], dtype=np.uint32))
    assert shared_passes(words, ends, vocabulary, layout).tolist() == [2 ** len(passes) - 1]

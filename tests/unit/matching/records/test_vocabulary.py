import numpy as np
import polars as pl
import pytest

from core.errors import SpecError
from core.matching.records.layout import Layout
from core.matching.records.placeholders import null_values, suspects_of
from core.matching.records.value_places import field_values
from core.matching.records.vocabulary import Vocabulary, code_columns, frequencies, pack
from core.matching.specs.spec import MatchSpec, load_spec

SPEC = load_spec("persons").restrict(["first_name", "last_name", "dob", "ssn", "street", "zip"])[0]
LAYOUT = Layout.of(SPEC)
SCHEMA = {field.name: pl.Int32 if field.kind == "date" else pl.String for field in SPEC.fields if field.values}


def people(n: int, **columns) -> pl.DataFrame:
    base = {
        "first_name": ["ann"] * n,
        "last_name": [f"name{at}" for at in range(n)],
        "dob": [19500101 + at % 28 + 10000 * (at % 60) for at in range(n)],
        "ssn": [f"{100_000_000 + at * 7}" for at in range(n)],
        "street": [f"{at + 1} main st" for at in range(n)],
        "zip": ["12345"] * n,
    }
    return pl.DataFrame(base | columns, schema=SCHEMA)


def test_layout_of_persons_is_one_cache_line():
    layout = Layout.of(load_spec("persons"))
    assert layout.stride == 16
    assert sorted(layout.offset.values())[:10] == [0, 1, 2, 3, 5, 7, 11, 12, 13, 14]
    assert [layout.words_of(name) for name in ("suffix", "birth_order", "middle", "sex")] == [slice(0, 0)] * 4


def test_a_mark_has_a_word_where_it_has_a_column():
    spec = load_spec("persons")
    every = spec.restrict([field.name for field in spec.fields if field.mark != "unit"])[0]
    assert Layout.of(every).stride == 20
    assert Layout.of(every).words_of("middle") == slice(18, 19)
    assert every.fingerprint == spec.fingerprint


def test_layout_refuses_records_beyond_256_bytes():
    fields = [{"name": f"s{at}", "kind": "street"} for at in range(17)]
    spec = MatchSpec.model_validate(
        {"name": "wide", "fields": fields, "passes": [{"name": "p", "keys": ["house(s0)"]}]}
    )
    with pytest.raises(SpecError, match="needs 272 bytes a record; at most 256"):
        Layout.of(spec)


def test_layout_refuses_more_patterns_than_64_bits():
    fields = [{"name": f"d{at}", "kind": "date"} for at in range(24)]
    spec = MatchSpec.model_validate({"name": "deep", "fields": fields, "passes": [{"name": "p", "keys": ["d0"]}]})
    with pytest.raises(SpecError, match="level patterns"):
        Layout.of(spec)


def test_a_vocabulary_survives_its_frame():
    vocabulary = Vocabulary.build(pl.Series(["bob", "ann", None, "", "ann", "Иванов"]))
    again = Vocabulary.from_frame(vocabulary.to_frame())
    assert again.strings.to_list() == ["", "ann", "bob", "Иванов"]
    for mine, theirs in zip(_leaves(vocabulary), _leaves(again), strict=True):
        assert np.array_equal(mine, theirs)


def test_nicknames_share_a_class_and_first_words_count():
    vocabulary = Vocabulary.build(pl.Series(["bob", "robert", "robert james", "r james", "r lee", "ann"]))
    of = dict(zip(vocabulary.strings, vocabulary.class_hash.tolist(), strict=True))
    assert of["bob"] == of["robert"] == of["robert james"]
    assert len({of["bob"], of["ann"], of["r james"], of["r lee"]}) == 4


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [
        ("geoff", "jeff", True), ("knight", "night", True), ("wright", "rite", True), ("stephen", "steven", True),
        ("catherine", "katherine", True), ("mcdonald", "macdonald", True), ("smith", "smyth", True),
        ("schmidt", "smith", False), ("lee", "leigh", True), ("anna", "hannah", False), ("jones", "james", True),
        ("baker", "taylor", False), ("иванов", "иваноф", False),
    ],
)  # fmt: skip
def test_names_sound_alike_or_not(a, b, alike):
    vocabulary = Vocabulary.build(pl.Series([a, b]))
    sounds = dict(zip(vocabulary.strings, vocabulary.sound.tolist(), strict=True))
    assert (sounds[a] == sounds[b]) == alike


def spec_of(key: str, levels: list[str], refine: list[str]) -> MatchSpec:
    fields = [
        {"name": "a", "kind": "given_name", "levels": levels},
        {"name": "b", "kind": "surname", "levels": ["exact"]},
    ]
    return MatchSpec.model_validate(
        {"name": "s", "fields": fields, "passes": [{"name": "p", "keys": [key], "refine": refine}]}
    )


@pytest.mark.parametrize(
    ("key", "levels", "refine", "sounds", "classes"),
    [
        ("a", ["exact"], [], False, False),
        ("sound(b)", ["exact"], [], True, False),
        ("a", ["exact"], ["sound(b)"], True, False),
        ("nick(a)", ["exact"], [], False, True),
        ("a", ["exact", "nickname"], [], False, True),
        ("a", ["exact", "same_name"], [], False, True),
        ("a", ["exact", "damerau <= 1"], [], False, True),
    ],
)
def test_a_vocabulary_knows_the_sounds_and_classes_that_its_layout_reads(key, levels, refine, sounds, classes):
    column = pl.Series(["bob", "ann", "robert", None])
    found = code_columns([column], layout=Layout.of(spec_of(key, levels, refine)))[0].arrays._asdict()
    expected = Vocabulary.build(column).arrays._asdict()
    for mine, theirs in zip(found.pop("tokens"), expected.pop("tokens"), strict=True):
        assert np.array_equal(mine, theirs)
    assert np.array_equal(found.pop("sound"), expected.pop("sound") if sounds else np.zeros(4))
    for name in ("class_hash", "traits"):
        assert np.array_equal(found.pop(name), expected.pop(name) if classes else np.zeros(4)), name
    for name, array in found.items():
        assert np.array_equal(array, expected[name]), name


def test_frequencies_count_each_code_of_names_and_the_missing():
    words, vocabulary = pack(people(3, first_name=["ann", "bob", None]), LAYOUT)
    counts = frequencies(words, LAYOUT, len(vocabulary))
    assert set(counts) == {"first_name", "last_name"}
    found = dict(zip(vocabulary.strings, counts["first_name"].tolist(), strict=True))
    assert (found[""], found["ann"], found["bob"], found["name1"]) == (1, 1, 1, 0)


def suspicious(words: np.ndarray, name: str) -> np.ndarray:
    """Suspicious values of a field, its records in two ranges."""
    parts = (field_values(part, LAYOUT, name) for part in np.array_split(words, 2))
    return suspects_of(parts, next(field for field in SPEC.fields if field.name == name))


def test_placeholders_are_values_far_above_the_bulk():
    n = 2000
    ssn = ["777001234" if at % 50 == 0 else f"{100_000_000 + at * 7}" for at in range(n)]
    words, _ = pack(people(n, ssn=ssn), LAYOUT)
    found = suspicious(words, "ssn")
    assert len(found) == 1
    assert len(suspicious(words, "dob")) == 0
    assert null_values(words, LAYOUT, "ssn", found) == 40
    assert (field_values(words, LAYOUT, "ssn") == 0).sum() == 40


def test_placeholders_leave_honest_duplicates_alone():
    words, _ = pack(people(600, ssn=[f"{100_000_000 + at // 6}" for at in range(600)]), LAYOUT)
    assert len(suspicious(words, "ssn")) == 0


def test_placeholders_need_more_than_a_handful_of_records():
    ssn = ["777001234" if at < 14 else f"{100_000_000 + at * 7}" for at in range(600)]
    words, _ = pack(people(600, ssn=ssn), LAYOUT)
    assert len(suspicious(words, "ssn")) == 0


def test_a_vocabulary_can_be_put_together_from_mapped_arrays(tmp_path):
    vocabulary = Vocabulary.build(pl.Series(["bob", "ann", "Иванов"]))
    for name, array in vocabulary.to_arrays().items():
        np.save(tmp_path / f"{name}.npy", array)
    mapped = {name: np.load(tmp_path / f"{name}.npy", mmap_mode="c") for name in vocabulary.to_arrays()}
    again = Vocabulary.from_arrays(vocabulary.strings, mapped)
    for mine, theirs in zip(_leaves(vocabulary), _leaves(again), strict=True):
        assert np.array_equal(mine, theirs)


def _leaves(vocabulary: Vocabulary) -> tuple[object, ...]:
    """Every array, those of the tokens too."""
    return (*vocabulary.arrays[:-1], *vocabulary.arrays.tokens)

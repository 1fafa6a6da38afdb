"""Hashes, sounds and packed words agree with their slow twins."""

import numpy as np
import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from core.matching import reference
from core.matching.records.packing import pack_digits, pack_emails, pack_streets
from core.matching.records.vocabulary import Vocabulary
from core.matching.standardise.names.phonetic import LETTERS_MAX, sound_of
from core.matching.standardise.streets import street_tables
from core.matching.text.hashing import combine, flat_bytes, flat_points, hash_text, look_up, lookup, splitmix
from core.matching.text.marks import bare_of

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
SYLLABLES = st.sampled_from(
    ["mac", "kn", "gh", "ce", "gi", "gy", "ph", "sch", "dg", "wr", "ps", "a", "e", "t", "l", "r", "w", "h"]
)
NAMES = st.one_of(st.text(alphabet="abcdeghikmnpqrstwxyz é", max_size=12), st.lists(SYLLABLES, max_size=6).map("".join))
SOUNDS = ("vowel", "w", "h", "p", "f", "k", "j", "s", "t", "l", "n", "r")
U64 = st.integers(0, 2**64 - 1)
STREETS = st.lists(
    st.sampled_from(["12", "7a", "main", "north", "st", "street", "apt", "4", "oak", "po", "box"]), max_size=6
)


def sound(text: str) -> int:
    points, starts = flat_points(pl.Series([text]))
    return int(sound_of(points, starts[0], starts[1], np.empty(LETTERS_MAX, dtype=np.uint8)))


def street(text: str) -> list[int]:
    units, starts = flat_bytes(pl.Series([text]))
    out = np.zeros((1, 4), dtype=np.uint32)
    pack_streets(units, starts, street_tables(), out)
    return out[0].tolist()


@given(U64)
def test_splitmix_agrees_with_twin(value):
    assert int(splitmix(np.uint64(value))) == reference.splitmix(value)


@given(U64, U64)
def test_combine_is_ordered_and_never_0(a, b):
    assert int(combine(np.uint64(a), np.uint64(b))) == (reference.splitmix(a ^ reference.splitmix(b)) or 1)


@given(TEXT)
def test_hash_text_agrees_with_twin(text):
    assert hash_text(text) == reference.hash_units(map(ord, text))


@given(st.lists(st.one_of(st.none(), TEXT), max_size=8))
def test_flat_tables_hold_every_string_in_turn(texts):
    series = pl.Series(texts, dtype=pl.String)
    points, starts = flat_points(series)
    units, unit_starts = flat_bytes(series)
    for row, text in enumerate(texts):
        assert points[starts[row] : starts[row + 1]].tolist() == [ord(letter) for letter in text or ""]
        assert bytes(units[unit_starts[row] : unit_starts[row + 1]]) == (text or "").encode()


@given(NAMES)
@example("mack")
def test_sounds_number_those_of_the_twin(name):
    heard = reference.sound_classes(name)
    key = 0
    for each in heard:
        key = key * 16 + SOUNDS.index(each) + 1
    expected = reference.splitmix(key) if any("a" <= letter <= "z" for letter in name) else hash_text(name)
    assert sound(name) == expected


@given(st.lists(TEXT, max_size=10))
def test_vocabulary_ascends_and_hashes_each_string(texts):
    vocabulary = Vocabulary.build(pl.Series(texts, dtype=pl.String))
    strings = vocabulary.strings.to_list()
    assert strings == ["", *sorted(set(texts) - {""})]
    assert vocabulary.hash.tolist() == [reference.hash_units(map(ord, bare_of(text))) for text in strings]


@given(st.text(alphabet="0123456789 -", max_size=20))
def test_pack_digits_keeps_the_last_sixteen(text):
    units, starts = flat_bytes(pl.Series([text]))
    out = np.zeros((1, 2), dtype=np.uint32)
    pack_digits(units, starts, out)
    digits = [int(letter) for letter in text if letter.isdigit()][-16:]
    assert int(out[0, 0]) | int(out[0, 1]) << 32 == sum((digit + 1) << (4 * at) for at, digit in enumerate(digits))


@given(st.from_regex(r"[a-z]{1,5}(@[a-z]{1,5}\.com)?", fullmatch=True))
def test_pack_emails_hashes_whole_and_local_part(mail):
    units, starts = flat_bytes(pl.Series([mail]))
    out = np.zeros((1, 2), dtype=np.uint32)
    pack_emails(units, starts, out)
    for word, text in zip(out[0].tolist(), (mail, mail.split("@")[0]), strict=True):
        assert word == (reference.hash_units(text.encode()) & 0xFFFFFFFF or 1)


@given(STREETS)
def test_streets_are_missing_only_when_empty(tokens):
    assert (street(" ".join(tokens)) == [0, 0, 0, 0]) == (not tokens)


@given(STREETS, st.sampled_from(["", "  "]))
def test_streets_do_not_care_for_blanks(tokens, blank):
    assert street(" ".join(tokens)) == street(blank + f" {blank}".join(tokens) + blank)


@given(st.dictionaries(U64.filter(bool), U64.filter(bool), max_size=40), U64)
def test_look_up_finds_what_is_there_and_0_else(values, other):
    table = lookup(values)
    for key, value in {other: 0, **values}.items():
        assert int(look_up(table.keys, table.values, np.uint64(key))) == value

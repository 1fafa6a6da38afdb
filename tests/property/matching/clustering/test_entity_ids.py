"""Entity ids, the records they are named after, and the texts of record ids."""

from __future__ import annotations

import uuid
from hashlib import blake2b

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.matching import reference
from core.matching.clustering import entity_ids
from core.matching.clustering.cluster import name_rows
from core.matching.clustering.siphash import siphash
from core.matching.records.sources import boundaries_of
from core.matching.text.hashing import flat_bytes

KEY = bytes(range(16))
# The first of the 64 vectors of the authors' reference code, for inputs 00, 00 01, 00 01 02, ... under this key.
VECTORS = [
    "a3817f04ba25a8e66df67214c7550293",
    "da87c1d86b99af44347659119b22fc45",
]
UUID = "a3817f04-ba25-88e6-adf6-7214c7550293"
ID = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12),
    st.sampled_from(["a", "aa", "ab", "b", "é", "z", "😀", "10", "9"]),
)
BOUNDARIES = st.lists(st.integers(1, 24), max_size=3).map(sorted)
Flat = tuple[NDArray[np.uint8], NDArray[np.int64]]


def flat(texts: list[str]) -> Flat:
    return flat_bytes(pl.Series(texts, dtype=pl.String))


def hashed(text: bytes, key: bytes = KEY) -> bytes:
    units = np.frombuffer(text, dtype=np.uint8).copy()
    halves = siphash(units, 0, len(text), np.frombuffer(key, dtype=np.uint64).copy())
    return b"".join(int(half).to_bytes(8, "little") for half in halves)


@pytest.mark.parametrize(("length", "digest"), list(enumerate(VECTORS)))
def test_siphash_and_its_twin_give_the_published_hashes(length: int, digest: str) -> None:
    text = bytes(range(length))
    assert hashed(text).hex() == digest
    assert reference.siphash(text, KEY).hex() == digest


@given(st.binary(max_size=300), st.binary(min_size=16, max_size=16))
def test_siphash_agrees_with_twin(text: bytes, key: bytes) -> None:
    assert hashed(text, key) == reference.siphash(text, key)


def test_siphash_hashes_a_span_as_it_hashes_the_text_alone() -> None:
    units = np.frombuffer(b"before|middle|after", dtype=np.uint8).copy()
    key = np.frombuffer(KEY, dtype=np.uint64).copy()
    low, _ = siphash(units, 7, 13, key)
    assert int(low).to_bytes(8, "little") == reference.siphash(b"middle", KEY)[:8]


def uuid_of(text: str, namespace: str, source: int) -> str:
    """Twin of `entity_ids.entity_ids` for one id."""
    key = blake2b(f"{source}:{namespace}".encode(), digest_size=16).digest()
    digest = reference.siphash(text.encode(), key)
    number = int.from_bytes(digest[:8], "little") << 64 | int.from_bytes(digest[8:], "little")
    version, variant = 0xF << 76, 0x3 << 62
    return str(uuid.UUID(int=number & ~version & ~variant | 8 << 76 | 2 << 62))


@given(st.lists(ID, min_size=1, max_size=12), BOUNDARIES, st.randoms(use_true_random=False))
def test_entity_ids_are_uuids_of_source_and_record_id(texts: list[str], boundaries: list[int], draw: object) -> None:
    rows = np.random.default_rng(draw.randrange(2**32)).permutation(len(texts)).astype(np.uint32)  # type: ignore[attr-defined]
    found = entity_ids.entity_ids(rows, flat(texts), "persons", np.array(boundaries, dtype=np.int64)).to_list()
    expected = [uuid_of(texts[row], "persons", sum(first <= row for first in boundaries)) for row in rows.tolist()]
    assert found == expected
    assert {(uuid.UUID(each).version, uuid.UUID(each).variant) for each in found} == {(8, uuid.RFC_4122)}


@given(st.lists(st.uuids(), max_size=12))
def test_uuids_as_keys_ascend_as_their_texts_and_come_back(numbers: list[uuid.UUID]) -> None:
    texts = pl.Series("entity_id", [str(number) for number in numbers], dtype=pl.String)
    keys = entity_ids.uuid_keys(texts)
    assert keys.shape == (len(numbers), 2)
    assert [int(high) << 64 | int(low) for high, low in keys] == [number.int for number in numbers]
    assert entity_ids.uuid_texts(keys).equals(texts)
    assert np.lexsort((keys[:, 1], keys[:, 0])).tolist() == texts.arg_sort().to_list()


@pytest.mark.parametrize(
    "strange",
    ["", "x", UUID[:-1], UUID + "0", UUID.upper(), UUID.replace("-", "0"), UUID.replace("3", "g"), None],
)
def test_what_is_no_uuid_is_refused_by_its_place(strange: str | None) -> None:
    with pytest.raises(ValueError, match="no entity id at 1$"):
        entity_ids.uuid_keys(pl.Series([UUID, strange, UUID]))


def test_entity_ids_of_two_namespaces_or_sources_never_meet() -> None:
    texts = ["1", "1", "2"]
    rows = np.arange(3, dtype=np.uint32)
    one, other = (
        entity_ids.entity_ids(rows, flat(texts), "persons", boundaries_of([1, 2])),
        entity_ids.entity_ids(rows, flat(texts), "homes", boundaries_of([1, 2])),
    )
    assert len({*one, *other}) == 6
    alone = entity_ids.entity_ids(rows, flat(texts), "persons")
    assert alone[0] == alone[1] == one[0]
    assert len(entity_ids.entity_ids(rows[:0], flat(texts), "persons")) == 0


@given(st.lists(st.one_of(ID, ID.map(lambda text: text * 90)), min_size=1, max_size=12), st.lists(st.integers(0, 99)))
def test_texts_at_gives_back_what_was_flattened(texts: list[str], places: list[int]) -> None:
    rows = np.array([place % len(texts) for place in places], dtype=np.uint32)
    found = entity_ids.texts_at("id", rows, flat(texts))
    assert found.to_list() == [texts[row] for row in rows]
    assert (found.name, found.dtype) == ("id", pl.String)


@given(st.lists(st.tuples(ID, st.integers(0, 5)), min_size=1, max_size=24), BOUNDARIES)
def test_name_rows_finds_the_smallest_id_of_the_first_source_that_has_one(
    records: list[tuple[str, int]], boundaries: list[int]
) -> None:
    texts = [text for text, _ in records]
    members: dict[int, list[int]] = {}
    for row, (_, group) in enumerate(records):
        members.setdefault(group, []).append(row)
    labels = np.array([members[group][0] for _, group in records], dtype=np.uint32)
    named = name_rows(labels, *flat(texts), np.array(boundaries, dtype=np.int64))
    for rows in members.values():
        # Of equal ids within one source the first row: they are refused before a job gets this far.
        smallest = min(rows, key=lambda row: (sum(row >= first for first in boundaries), texts[row].encode()))
        assert named[rows[0]] == smallest
    assert named.dtype == np.uint32

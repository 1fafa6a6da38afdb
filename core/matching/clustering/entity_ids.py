"""Entity ids: a function of the namespace and the smallest record id, never of row numbers."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.clustering.siphash import siphash
from core.matching.jit import kernel
from core.matching.records.sources import WITHIN_ONE, Boundaries
from core.matching.text.flat_strings import flat_strings
from core.matching.text.hashing import flat_bytes

RecordIds = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Bytes of all record ids behind each other, and where each begins."""

KEY_BYTES = 16
UUID_CHARACTERS = 36
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_ALL, _TOP, _DASH = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(1 << 63), np.uint8(45)


@kernel
def hash_ids(
    rows: NDArray[np.uint32],
    ids: tuple[NDArray[np.uint8], NDArray[np.int64]],
    boundaries: Boundaries,
    key: NDArray[np.uint64],
    out: NDArray[np.uint64],
) -> None:
    """UUIDv8 of each row's source-qualified id as two numbers, out (n, 2); `key` has two words for each source."""
    text, starts = ids
    for at in range(len(rows)):
        row = np.int64(rows[at])
        # Each source's ids are hashed under a key of their own, so that equal ids of two sources differ.
        source = 0
        while source < len(boundaries) and row >= boundaries[source]:
            source += 1
        mine = key[2 * source : 2 * source + 2]
        high, low = siphash(text, starts[row], starts[row + 1], mine)
        # RFC 9562: version 8, variant 10.
        out[at, 0] = (high & ~np.uint64(0xF000)) | np.uint64(0x8000)
        out[at, 1] = (low & (_ALL >> np.uint64(2))) | _TOP


@kernel
def write_uuids(keys: NDArray[np.uint64], out: NDArray[np.uint8]) -> None:
    """Write each key as text, out (n, 36)."""
    for at in range(len(keys)):
        place = 0
        for digit in range(32):
            if place in (8, 13, 18, 23):
                out[at, place] = _DASH
                place += 1
            half = keys[at, digit // 16]
            out[at, place] = _HEX[(half >> np.uint64(60 - 4 * (digit % 16))) & np.uint64(15)]
            place += 1


@kernel
def read_uuids(text: NDArray[np.uint8], out: NDArray[np.uint64]) -> int:
    """Read texts as `write_uuids` writes them, text (n, 36), out (n, 2); returns the first that is none, or -1."""
    out[:] = 0
    for at in range(len(text)):
        digit = 0
        for place in range(UUID_CHARACTERS):
            dash, value = place in (8, 13, 18, 23), hex_value(text[at, place])
            if dash != (text[at, place] == _DASH) or (not dash and value < 0):
                return at
            if not dash:
                out[at, digit // 16] = (out[at, digit // 16] << np.uint64(4)) | np.uint64(value)
                digit += 1
    return -1


@kernel
def hex_value(unit: int) -> int:
    """Value of a hexadecimal digit in lower case; -1 for anything else."""
    if 48 <= unit <= 57:
        return unit - 48
    return unit - 87 if 97 <= unit <= 102 else -1


def entity_keys(
    rows: NDArray[np.uint32],
    ids: tuple[NDArray[np.uint8], NDArray[np.int64]],
    namespace: str,
    boundaries: Boundaries = WITHIN_ONE,
) -> NDArray[np.uint64]:
    """`entity_ids` as numbers: (n, 2), which ascend as the texts do."""
    sources = range(len(boundaries) + 1)
    keys = b"".join(blake2b(f"{source}:{namespace}".encode(), digest_size=KEY_BYTES).digest() for source in sources)
    out = np.empty((len(rows), 2), dtype=np.uint64)
    hash_ids(rows, ids, boundaries, np.frombuffer(keys, dtype=np.uint64).copy(), out)
    return out


def entity_ids(
    rows: NDArray[np.uint32],
    ids: tuple[NDArray[np.uint8], NDArray[np.int64]],
    namespace: str,
    boundaries: Boundaries = WITHIN_ONE,
) -> pl.Series:
    """Name entities by their smallest source-qualified record id.

    Args:
        rows: per entity the row that names it.
        ids: bytes of all record ids, and where each begins.
        namespace: ids of two namespaces never meet.
        boundaries: of several sources; empty when there is one.
    Returns:
        String, UUIDv8 (RFC 9562) of a keyed 128-bit hash.
    Cost: about 0.1 us an id.
    """
    return uuid_texts(entity_keys(rows, ids, namespace, boundaries))


def uuid_texts(keys: NDArray[np.uint64]) -> pl.Series:
    """Keys (n, 2) as entity ids."""
    out = np.empty((len(keys), UUID_CHARACTERS), dtype=np.uint8)
    write_uuids(keys, out)
    return flat_strings("entity_id", out.ravel(), np.arange(len(keys) + 1, dtype=np.int64) * UUID_CHARACTERS)


def uuid_keys(texts: pl.Series) -> NDArray[np.uint64]:
    """Entity ids as keys (n, 2).

    Raises:
        ValueError: a text is no UUID in lower case; says where it stands, from 0.
    """
    lengths = texts.str.len_bytes().fill_null(0)
    strange = (lengths != UUID_CHARACTERS).arg_max() if len(texts) else None
    if strange is not None and lengths[strange] != UUID_CHARACTERS:
        raise ValueError(f"no entity id at {strange}")
    keys = np.empty((len(texts), 2), dtype=np.uint64)
    units, _ = flat_bytes(texts)
    strange = read_uuids(units.reshape(-1, UUID_CHARACTERS), keys)
    if strange >= 0:
        raise ValueError(f"no entity id at {strange}")
    return keys


def texts_at(name: str, rows: NDArray[np.uint32], flat: tuple[NDArray[np.uint8], NDArray[np.int64]]) -> pl.Series:
    """Strings of some rows out of flat UTF-8 bytes and starts."""
    text, starts = flat
    places = rows.astype(np.int64)
    ends = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(starts[places + 1] - starts[places], out=ends[1:])
    units = np.empty(ends[-1], dtype=np.uint8)
    copy_spans(text, starts, rows, units)
    return flat_strings(name, units, ends)


@kernel
def copy_spans(
    text: NDArray[np.uint8], starts: NDArray[np.int64], rows: NDArray[np.uint32], out: NDArray[np.uint8]
) -> None:
    """Write the spans of some rows one behind the other."""
    end = 0
    for row in rows:
        for at in range(starts[np.int64(row)], starts[np.int64(row) + 1]):
            out[end] = text[at]
            end += 1

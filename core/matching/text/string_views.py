"""Strings of polars as kernels read them: where they lie, without a copy and without the GIL.

polars keeps a column as Arrow string views of 16 bytes: the length, then either up to 12 bytes of the string itself, or
its first four, the number of a buffer and the place in it. They come here through the Arrow PyCapsule interface
(https://arrow.apache.org/docs/format/CDataInterface.html); a null counts as an empty string.

The two loads below are the only places where a kernel reads by address; every address lies in a buffer that the series
at hand keeps alive.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_void_p
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import numpy as np
import polars as pl
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from core.matching.jit import kernel

INLINE_MAX = 12
T = TypeVar("T")
R = TypeVar("R")


class Spread(Protocol):
    """`map`, or the `map` of a pool of threads: calls a function on parts of the work; the results keep their order."""

    def __call__(self, function: Callable[[T], R], parts: Iterable[T], /) -> Iterable[R]:
        """Call it on every part."""


class TextChunk(NamedTuple):
    """Some consecutive strings of a column, n of them."""

    views: NDArray[np.uint32]  # (n, 4)
    valid: NDArray[np.uint8]  # one bit a string from the lowest on; empty when none is null
    first_bit: int  # where in `valid` the first string's bit is
    buffers: NDArray[np.int64]  # address of each buffer that holds longer strings


class ArrowSchema(ctypes.Structure):
    """Type of an array, as C has it."""


class ArrowArray(ctypes.Structure):
    """Buffers of an array, as C has them."""


class _Stream(ctypes.Structure):
    pass


ArrowSchema._fields_ = [
    ("format", c_char_p),
    ("name", c_char_p),
    ("metadata", c_char_p),
    ("flags", c_int64),
    ("n_children", c_int64),
    ("children", c_void_p),
    ("dictionary", c_void_p),
    ("release", ctypes.CFUNCTYPE(None, POINTER(ArrowSchema))),
    ("private_data", c_void_p),
]
ArrowArray._fields_ = [
    ("length", c_int64),
    ("null_count", c_int64),
    ("offset", c_int64),
    ("n_buffers", c_int64),
    ("n_children", c_int64),
    ("buffers", POINTER(c_void_p)),
    ("children", c_void_p),
    ("dictionary", c_void_p),
    ("release", ctypes.CFUNCTYPE(None, POINTER(ArrowArray))),
    ("private_data", c_void_p),
]
_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(c_int, POINTER(_Stream), POINTER(ArrowSchema))),
    ("get_next", ctypes.CFUNCTYPE(c_int, POINTER(_Stream), POINTER(ArrowArray))),
    ("get_last_error", c_void_p),
    ("release", ctypes.CFUNCTYPE(None, POINTER(_Stream))),
    ("private_data", c_void_p),
]
_VIEW_FORMAT = b"vu"

_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype = c_void_p
_pointer_of.argtypes = [ctypes.py_object, c_char_p]


@contextmanager
def text_chunks(column: pl.Series) -> Iterator[list[tuple[int, TextChunk]]]:
    """The chunks of a String column, each with the number of its first row; valid inside the `with` only.

    Cost: 0.1 ms, whatever the length.
    """
    # The capsule owns the stream and releases it when it is collected.
    capsule = column.cast(pl.String).__arrow_c_stream__()
    stream = ctypes.cast(_pointer_of(capsule, b"arrow_array_stream"), POINTER(_Stream))
    _check_format(stream)
    arrays: list[ArrowArray] = []
    chunks: list[tuple[int, TextChunk]] = []
    first_row = 0
    try:
        while True:
            array = ArrowArray()
            if stream.contents.get_next(stream, byref(array)) or not array.release:
                break
            arrays.append(array)
            if array.length:
                chunks.append((first_row, _chunk(array)))
            first_row += array.length
        assert first_row == len(column), "polars ended its stream of strings early"
        yield chunks
    finally:
        for array in arrays:
            array.release(byref(array))


def one_text(text: str) -> TextChunk:
    """A chunk of one string, laid out as polars does; it lives by itself. Cost: 3 us."""
    data = text.encode()
    inline = len(data) <= INLINE_MAX
    # A long string stands right behind its view, whose array keeps both alive.
    head = len(data).to_bytes(4, "little") + (data.ljust(INLINE_MAX, b"\0") if inline else data[:4] + bytes(8))
    tail = b"" if inline else data + bytes(-len(data) % 16)
    memory = np.frombuffer(bytearray(head + tail), dtype=np.uint32).reshape(-1, 4)
    buffers = np.zeros(0, dtype=np.int64) if inline else np.array([memory.ctypes.data + 16], dtype=np.int64)
    return TextChunk(memory[:1], np.zeros(0, dtype=np.uint8), 0, buffers)


def _check_format(stream: Any) -> None:
    schema = ArrowSchema()
    failed = stream.contents.get_schema(stream, byref(schema))
    found = None if failed else schema.format
    if not failed and schema.release:
        schema.release(byref(schema))
    assert found == _VIEW_FORMAT, f"polars hands out strings as {found!r}, not as views"


def _chunk(array: ArrowArray) -> TextChunk:
    offset, length = int(array.offset), int(array.length)
    # Validity, views, then the buffers of longer strings, and last the sizes of these.
    n_buffers = int(array.n_buffers) - 3
    addresses = [array.buffers[at] or 0 for at in range(2 + n_buffers)]
    views = _memory(addresses[1], (offset + length) * 16).view(np.uint32).reshape(-1, 4)[offset:]
    valid = _memory(addresses[0], (offset + length + 7) // 8) if addresses[0] and array.null_count else _memory(0, 0)
    return TextChunk(views, valid, offset, np.array(addresses[2:], dtype=np.int64))


def _memory(address: int, size: int) -> NDArray[np.uint8]:
    if not size:
        return np.zeros(0, dtype=np.uint8)
    return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))


def _byte_at(typing_context: Any, address: Any) -> Any:

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        return builder.load(pointer)

    return types.uint8(types.int64), generate


def _eight_bytes_at(typing_context: Any, address: Any) -> Any:

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(types.int64), generate


# The byte at an address, and the eight bytes from it on as one little-endian number; for kernels only.
byte_at = cast("Callable[[int], np.uint8]", intrinsic(_byte_at))
eight_bytes_at = cast("Callable[[int], np.uint64]", intrinsic(_eight_bytes_at))


@kernel
def is_null(chunk: TextChunk, row: int) -> bool:
    """Whether there is no string at all."""
    if len(chunk.valid) == 0:
        return False
    bit = chunk.first_bit + row
    return bool((chunk.valid[bit >> 3] >> np.uint8(bit & 7)) & np.uint8(1) == 0)


@kernel
def text_length(chunk: TextChunk, row: int) -> int:
    """Bytes of a string; 0 for null."""
    return 0 if is_null(chunk, row) else int(chunk.views[row, 0])


@kernel
def text_address(chunk: TextChunk, row: int) -> int:
    """Where the bytes of a string lie; not of an empty one."""
    view = chunk.views[row]
    if view[0] <= INLINE_MAX:
        return int(chunk.views.ctypes.data) + row * 16 + 4
    return int(chunk.buffers[view[2]]) + int(view[3])


@kernel
def copy_text(chunk: TextChunk, row: int, length: int, out: NDArray[np.uint8]) -> None:
    """Copy the first `length` bytes of a string."""
    address = text_address(chunk, row)
    for at in range(length):
        out[at] = byte_at(address + at)


@kernel
def may_be_untidy(chunk: TextChunk) -> bool:
    """Whether a string is empty, or begins or ends with a byte that white space may begin or end with."""
    for row in range(len(chunk.views)):
        if is_null(chunk, row):
            continue
        length = int(chunk.views[row, 0])
        if length == 0:
            return True
        address = text_address(chunk, row)
        first, last = byte_at(address), byte_at(address + length - 1)
        # White space beyond ASCII has two bytes after 0xC2, or three after 0xE1 to 0xE3.
        if first <= 32 or last <= 32 or first in (0xC2, 0xE1, 0xE2, 0xE3):
            return True
        if last > 127 and byte_at(address + length - 2) == 0xC2:
            return True
        if last > 127 and length > 2 and 0xE1 <= byte_at(address + length - 3) <= 0xE3:
            return True
    return False


def is_tidy(column: pl.Series) -> bool:
    """Whether no string of a column is empty or has white space at an end; False also when that is merely likely.

    Cost: 5 ns a row.
    """
    with text_chunks(column) as chunks:
        return not any(may_be_untidy(chunk) for _, chunk in chunks)


@kernel
def mark_bytes(chunk: TextChunk, present: NDArray[np.bool_]) -> None:
    """Mark which of the 256 bytes occur."""
    for row in range(len(chunk.views)):
        length = text_length(chunk, row)
        if length == 0:
            continue
        address = text_address(chunk, row)
        for at in range(length):
            present[byte_at(address + at)] = True


def bytes_in(column: pl.Series) -> NDArray[np.bool_]:
    """(256,) which bytes the strings of a column hold: what a pattern needs and a column lacks need not be looked for.

    Cost: 1 ns a byte.
    """
    present = np.zeros(256, dtype=np.bool_)
    with text_chunks(column) as chunks:
        for _, chunk in chunks:
            mark_bytes(chunk, present)
    return present

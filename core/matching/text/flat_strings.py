"""Strings of polars out of flat bytes: the way back of `string_views`, without a copy or an object for each string.

They are handed over through the Arrow PyCapsule interface (https://arrow.apache.org/docs/format/CDataInterface.html) as
one array of large UTF-8 strings. The receiver moves the structs out of the capsules while it imports them, and calls
their `release` when it lets go of the bytes.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_void_p
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.text.string_views import ArrowArray, ArrowSchema

_FORMAT = b"U"
_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype = ctypes.py_object
_capsule.argtypes = [c_void_p, c_char_p, c_void_p]

# What polars reads, for as long as it does, by address of the list of buffers.
_lent: dict[int, tuple[Any, ...]] = {}


def _mark_released(struct: Any) -> None:
    struct.contents.release = type(struct.contents.release)()


def _take_back(array: Any) -> None:
    _lent.pop(array.contents.private_data, None)
    _mark_released(array)


_release_schema = ctypes.CFUNCTYPE(None, POINTER(ArrowSchema))(_mark_released)
_release_array = ctypes.CFUNCTYPE(None, POINTER(ArrowArray))(_take_back)


def flat_strings(name: str, units: NDArray[np.uint8], starts: NDArray[np.int64]) -> pl.Series:
    """Strings out of flat bytes.

    Args:
        units: well-formed UTF-8; belongs to the strings from now on and must not be changed.
        starts: (n + 1,) where each string begins; the last is where they end.
    Cost: 8 ns a string.
    """
    flat = _Flat(np.ascontiguousarray(units), np.ascontiguousarray(starts))
    # Without any string polars would leave the name out.
    return pl.Series(flat).alias(name)


class _Flat:
    """What polars asks for an Arrow array."""

    def __init__(self, units: NDArray[np.uint8], starts: NDArray[np.int64]) -> None:
        self._units, self._starts = units, starts

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        buffers = (c_void_p * 3)(None, self._starts.ctypes.data, self._units.ctypes.data)
        number = ctypes.addressof(buffers)
        _lent[number] = (buffers, self._units, self._starts)
        self._schema = ArrowSchema(format=_FORMAT, name=b"", release=_release_schema)
        self._array = ArrowArray(
            length=len(self._starts) - 1,
            n_buffers=3,
            buffers=ctypes.cast(buffers, POINTER(c_void_p)),
            release=_release_array,
            private_data=number,
        )
        schema = _capsule(ctypes.addressof(self._schema), b"arrow_schema", None)
        return schema, _capsule(ctypes.addressof(self._array), b"arrow_array", None)

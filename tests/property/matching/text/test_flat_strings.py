"""Strings handed to polars as flat bytes are those that were written, and nothing is kept once they are gone."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.matching.text import flat_strings as module
from core.matching.text.flat_strings import flat_strings
from core.matching.text.hashing import flat_bytes

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=24)


@given(st.lists(TEXT))
def test_flat_strings_gives_back_what_was_flattened(texts: list[str]) -> None:
    found = flat_strings("id", *flat_bytes(pl.Series(texts, dtype=pl.String)))
    assert (found.name, found.dtype) == ("id", pl.String)
    assert found.to_list() == texts


def test_flat_strings_begin_anywhere() -> None:
    units = np.frombuffer(b"annbobcarolineanddavid", dtype=np.uint8)
    assert flat_strings("", units, np.array([3, 6, 6, 17], dtype=np.int64)).to_list() == ["bob", "", "carolineand"]


def test_bytes_are_kept_as_long_as_their_strings() -> None:
    before = len(module._lent)
    units = np.full(40_000, 97, dtype=np.uint8)
    found = flat_strings("", units, np.arange(0, 40_001, 20, dtype=np.int64))
    del units
    # Memory that had been given back would be written over here.
    others = [np.zeros(40_000, dtype=np.uint8) for _ in range(50)]
    assert found.to_list() == ["a" * 20] * 2_000
    del found, others
    assert len(module._lent) == before


def test_a_process_ends_in_peace_while_strings_live() -> None:
    made = "flat_strings('', np.full(400, 97, dtype=np.uint8), np.arange(0, 401, 20, dtype=np.int64))"
    code = f"import numpy as np; from core.matching.text.flat_strings import flat_strings; kept = {made}"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")

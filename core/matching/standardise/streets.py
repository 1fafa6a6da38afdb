"""Words of street addresses: types, directions and unit markers, each with the form it is known by."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.text.hashing import Lookup, hash_text, lookup, splitmix

_TYPES = """
st street str strt
ave avenue av aven avn
rd road
dr drive drv
ln lane
ct court crt
pl place plc
cres crescent cr cresent
cct circuit circ
cir circle circl
way wy
blvd boulevard boul bvd
ter terrace tce terr
cl close
pde parade
sq square
hwy highway
pkwy parkway pky
trl trail
loop lp
gr grove gve
gdns gardens gdn garden
mews mws
row
walk wlk
rise
view vw
aly alley
plz plaza
pt point
xing crossing
cv cove
"""
_DIRECTIONS = """
n north
s south
e east
w west
ne northeast
nw northwest
se southeast
sw southwest
"""
_UNITS = "apt apartment unit suite ste floor fl room rm lot flat bldg building shop"

TYPE, DIRECTION, UNIT = 1, 2, 3


class StreetTables(NamedTuple):
    """What the packing of streets looks up."""

    words: Lookup  # hash of a known word: class * 256 + number of the form within its class
    pair_bits: NDArray[np.uint64]  # (65536,) by two neighbouring bytes: the bit of a name's signature they set


@cache
def street_tables() -> StreetTables:
    """Known words and letter pairs as kernels read them."""
    codes: dict[int, int] = {}
    for class_, table in ((TYPE, _TYPES), (DIRECTION, _DIRECTIONS)):
        for number, line in enumerate(table.split("\n")):
            for word in line.split():
                codes.setdefault(hash_text(word), class_ * 256 + number)
    for word in _UNITS.split():
        codes.setdefault(hash_text(word), UNIT * 256)
    pairs = np.zeros(1 << 16, dtype=np.uint64)
    fill_pair_bits(pairs)
    return StreetTables(lookup(codes), pairs)


@kernel
def fill_pair_bits(out: NDArray[np.uint64]) -> None:
    """The highest six bits of each pair's hash choose its bit."""
    for pair in range(len(out)):
        out[pair] = np.uint64(1) << (splitmix(np.uint64(pair)) >> np.uint64(58))

"""Words of street addresses: types, directions and unit markers, each with the form it is known by."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.matching.hashing import hash_text

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


@cache
def street_words() -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Known words as kernels read them.

    Returns:
        hashes ascending uint64, and their codes int64 = class * 256 + number of the form within its class.
    """
    codes: dict[int, int] = {}
    for class_, table in ((TYPE, _TYPES), (DIRECTION, _DIRECTIONS)):
        for number, line in enumerate(table.split("\n")):
            for word in line.split():
                codes.setdefault(hash_text(word), class_ * 256 + number)
    for word in _UNITS.split():
        codes.setdefault(hash_text(word), UNIT * 256)
    ordered = sorted(codes)
    return np.array(ordered, dtype=np.uint64), np.array([codes[key] for key in ordered], dtype=np.int64)

"""Words of street addresses: types, directions and unit markers, each with the form it is known by."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.text.hashing import Lookup, hash_text, lookup, splitmix

TYPES = """
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
DIRECTIONS = """
n north
s south
e east
w west
ne northeast
nw northwest
se southeast
sw southwest
"""
# What stands before the number of a flat, whatever that is; before it if it is a number or one letter; behind a number.
# Of several the flat counts, not its floor or building: these are vague.
ANY, NUMBERED, BEHIND, VAGUE = 1, 2, 4, 8
UNITS = {
    ANY: "apt apartment unit suite ste room rm lot flat shop",
    ANY | VAGUE: "bldg building",
    ANY | BEHIND | VAGUE: "floor fl",
    NUMBERED: "app apto appartement apartamento appart wohnung whg zimmer zi top tur porte puerta pta int interno",
    NUMBERED | BEHIND | VAGUE: "piso etage",
    BEHIND | VAGUE: "og stock stockwerk obergeschoss",
}
# Behind a unit: which of the doors it is.
SIDES = """
li links lks left izq izquierda gauche
re rechts rts right der derecha droite
mi mitte middle
"""

TYPE, DIRECTION, UNIT, SIDE = 1, 2, 3, 4


class StreetTables(NamedTuple):
    """What the packing of streets looks up, and whether it keeps the unit of a house."""

    words: Lookup  # hash of a known word: class * 256 + number of the form within its class
    pair_bits: NDArray[np.uint64]  # (65536,) by two neighbouring bytes: the bit of a name's signature they set
    with_unit: bool


@cache
def street_tables(with_unit: bool = False) -> StreetTables:
    """Known words and letter pairs as kernels read them. UNIT: the flags of `UNITS`; else the line within the table."""
    codes: dict[int, int] = {}
    for class_, table in ((TYPE, TYPES), (DIRECTION, DIRECTIONS), (SIDE, SIDES)):
        for number, line in enumerate(table.split("\n")):
            for word in line.split():
                codes.setdefault(hash_text(word), class_ * 256 + number)
    for flags, words in UNITS.items():
        for word in words.split():
            codes.setdefault(hash_text(word), UNIT * 256 + flags)
    pairs = np.zeros(1 << 16, dtype=np.uint64)
    fill_pair_bits(pairs)
    return StreetTables(lookup(codes), pairs, with_unit)


@kernel
def fill_pair_bits(out: NDArray[np.uint64]) -> None:
    """The highest six bits of each pair's hash choose its bit."""
    for pair in range(len(out)):
        out[pair] = np.uint64(1) << (splitmix(np.uint64(pair)) >> np.uint64(58))

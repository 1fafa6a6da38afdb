"""How common each difficulty is in each kind: two bounds, between which every seed draws a number.

This table is the one place where they stand; `docs/reference/made-records.md` shows them and is checked against it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from core.made_records.draws import Draws

# kind: rate lowest-highest, in percent
_TABLE = """
suppliers: listed again 20-40, branches 15-35, branch named 20-60, namesakes 10-30, trading as 3-10,
  main street 20-50, switchboard 10-40,
  other word 5-15, other legal form 20-50, no legal form 10-35, part left out 3-10, part left out too 5-15,
  and 30-70, together 0-3,
  capitals 3-15, acronym 0-2, head alone 1-4, dropped 0-2, shortened 1-5, slip 1-4, swapped 0-1, reordered 0-2,
  street written out 10-40,
  suite 3-12, no street 2-8, no city 1-4, no zip 2-8, no country 5-30, other country form 20-60, phone wrong 1-4,
  no phone 10-35,
  no email 30-60, no vat_id 30-70
sites: listed again 25-50, chains 20-45, namesakes 10-30, arcades 5-20, main street 30-60, switchboard 3-12,
  other word 5-15,
  other legal form 20-60, no legal form 30-70, part left out 5-15, part left out too 10-25, and 30-70,
  together 1-5, capitals 3-15,
  acronym 0-2, head alone 3-10, legal kept 10-30, dropped 1-4, shortened 2-8, slip 2-6, swapped 0-2,
  reordered 0-3, street written out 15-50,
  suite 3-12, no street 3-10, no city 2-8, no zip 5-20, phone wrong 1-5, no phone 10-30
catalogues-electronics: overlap 60-100, variants 15-35, no brand 2-8, no line 10-30, other word 10-30,
  no size 20-50, no colour 20-50,
  extra words 10-35, stock number 5-15, together 3-15, code apart 1-5, no letter behind 2-8, no code 4-10,
  dropped 2-7, shortened 0-3, slip 1-3,
  swapped 1-5, cut 3-12, no brand column 20-60, no price 30-60, price apart 5-20
catalogues-software: first 25-45, overlap 60-95, variants 15-35, no brand 10-30, no thing 5-25, other word 8-20,
  no version 5-15, no system 20-50,
  media 15-40, stock number 5-20, dropped 2-6, shortened 1-4, slip 1-3, swapped 2-8, cut 2-10,
  no brand column 60-95, no price 5-20, price apart 10-30
catalogues-shop: small 12-20, overlap 40-65, variants 25-50, no brand 5-15, no line 10-40, other word 10-30,
  no size 20-50, no colour 20-50,
  extra words 10-35, stock number 5-15, together 15-45, code apart 3-12, no letter behind 2-8, no code 5-15,
  dropped 2-7, shortened 1-5, slip 1-3,
  swapped 2-8, cut 3-12, no brand column 10-40, no price 10-30, price apart 5-20
papers-clean: overlap 50-100, journal version 2-6, series 5-15, venue short 40-90, year wrong 0-2, glued 0-1,
  no authors 0-2, no venue 0-3, no year 0-1,
  dropped 0-1, shortened 0-1, slip 0-1, swapped 0-1, noise 0-2, cut 0-1, initials 20-80, surname first 0-20,
  et al 0-10, author slip 0-2, author lost 0-3
papers-scraped: first 12-25, overlap 60-95, copies 15-35, journal version 5-15, series 15-35, venue short 40-90,
  year wrong 2-8, glued 2-8,
  no authors 2-8, no venue 15-40, no year 20-50, dropped 2-6, shortened 1-4, slip 1-4, swapped 1-4, noise 5-15,
  cut 4-12, initials 50-90,
  surname first 10-40, et al 5-25, author slip 2-6, author lost 5-15
songs: in each source 20-40, versions 15-35, artist in title 20-60, number in title 20-60, album in title 10-40,
  no artist 10-25, no album 15-35, no year 20-40,
  no number 10-30, no length 10-25, dropped 2-8, shortened 2-8, slip 5-12, swapped 1-4
master: first 25-45, overlap 40-65, copies 10-25, namesakes 60-95, other form 40-80, region 5-20, dropped 5-12,
  shortened 10-20, slip 5-12, swapped 2-8
names-people: overlap 50-90, other spelling 15-35, own script 3-8, middle 30-60, no middle 30-70,
  middle initial 30-60, initial 3-12, swapped 5-25,
  slip 3-10, capitals 5-25
companies: overlap 50-90, namesakes 20-45, other word 15-40, other legal form 30-60, no legal form 20-50,
  part left out 10-25, part left out too 10-30, and 30-70,
  together 2-8, capitals 5-20, acronym 1-5, head alone 3-10, legal kept 30-60, dropped 1-5, shortened 4-12,
  slip 3-8, swapped 1-4, reordered 3-10
spellings: namesakes 40-70, other word 12-25, other legal form 40-80, no legal form 20-50, part left out 8-25,
  part left out too 15-35, and 30-70, together 3-10,
  capitals 10-30, acronym 2-4, head alone 4-12, legal kept 30-60, dropped 1-4, shortened 5-10, slip 5-10,
  swapped 2-6, reordered 3-10,
  department 8-20, town 8-25, number 2-8
ledgers: overlap 70-98, days apart 2-6, usual amount 15-40, round 10-30, fee 1-6, other form 30-60, cut 3-10,
  no reference 20-50, slip 1-4, shortened 3-12,
  other word 5-15, other legal form 20-50, no legal form 20-50, part left out 5-20, part left out too 5-20,
  and 30-70, capitals 20-60, head alone 5-15
"""


def _ranges() -> dict[str, dict[str, tuple[float, float]]]:
    """kind -> rate -> (lowest, highest), from 0 to 1; an indented line continues the one above."""
    ranges: dict[str, dict[str, tuple[float, float]]] = {}
    for line in _TABLE.strip().replace(",\n  ", ", ").splitlines():
        kind, _, rates = line.partition(": ")
        ranges[kind] = {}
        for entry in rates.split(", "):
            name, _, bounds = entry.rpartition(" ")
            low, high = map(float, bounds.split("-"))
            ranges[kind][name] = (low / 100, high / 100)
    return ranges


RANGES: Mapping[str, Mapping[str, tuple[float, float]]] = _ranges()


def draws_of(kind: str, seed: int) -> Draws:
    """The draws of one set; kinds of one seed have nothing in common."""
    return Draws(int.from_bytes(hashlib.blake2b(f"{kind}:{seed}".encode(), digest_size=7).digest(), "little"))


def drawn_rates(kind: str, seed: int) -> dict[str, float]:
    """Every rate of the kind as this seed has it: uniform between its bounds, from 0 to 1."""
    draws, nobody = draws_of(kind, seed), np.zeros(1, dtype=np.int64)
    return {
        name: low + float(draws.unit(f"rate of {name}", nobody)[0]) * (high - low)
        for name, (low, high) in RANGES[kind].items()
    }

"""Which names are forms of one name: short forms, spellings of other languages, surnames in several romanisations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from core.matching.standardise.names.continental import CONTINENTAL
from core.matching.standardise.names.english import ALONE, ENGLISH
from core.matching.standardise.names.families import FAMILIES
from core.matching.standardise.names.traits import FAMILY, FORM_SHIFT, WELL_KNOWN
from core.matching.text.hashing import Lookup, hash_text, lookup


class ListedName(NamedTuple):
    """A listed name: the full form of its class, and flags of `names.traits`."""

    full: str
    traits: int


class NameTables(NamedTuple):
    """What is known of names, by the hash of each."""

    classes: Lookup  # hash of the full form
    traits: Lookup  # flags of `names.traits`


@cache
def listed_names() -> Mapping[str, ListedName]:
    """Every listed name; one that is listed twice is what it was first.

    A spelling of a surname that is a given name too brings the others into the class of that.
    """
    found: dict[str, ListedName] = {}
    for line in _lines(ENGLISH + CONTINENTAL):
        own, _, shared = line.partition(":")
        forms = [form.split() for form in own.split("|")]
        # Names of one line without bars are one name and its short forms: nothing is to be kept apart.
        several = len(forms) > 1
        for number, names in enumerate([shared.split(), *forms]):
            traits = int(WELL_KNOWN) | (number << int(FORM_SHIFT) if several else 0)
            for name in names:
                found.setdefault(name, ListedName(forms[0][0], traits))
    for name in ALONE.split():
        found.setdefault(name, ListedName(name, int(WELL_KNOWN)))
    for line in _lines(FAMILIES):
        names = line.split()
        full = next((found[name].full for name in names if name in found), names[0])
        for name in names:
            listed = found.get(name, ListedName(full, int(WELL_KNOWN)))
            found[name] = listed._replace(traits=listed.traits | int(FAMILY))
    return found


@cache
def given_names() -> tuple[str, ...]:
    """The listed names that are given names, ascending."""
    return tuple(sorted(name for name, listed in listed_names().items() if not listed.traits & int(FAMILY)))


def _lines(text: str) -> list[str]:
    """The lines of a table; one that begins with a blank goes on with the one before."""
    return [line for line in text.replace("\n  ", " ").split("\n") if line]


@cache
def name_tables() -> NameTables:
    """The listed names as kernels read them."""
    names = {hash_text(name): listed for name, listed in listed_names().items()}
    return NameTables(
        lookup({hashed: hash_text(listed.full) for hashed, listed in names.items()}),
        lookup({hashed: listed.traits for hashed, listed in names.items()}),
    )

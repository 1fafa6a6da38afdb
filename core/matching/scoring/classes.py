"""What two records can be to each other, and how each field behaves in each case.

    same      one person, both records at one home
    moved     one person, the records at two homes
    kin       two people of one home, such as twins: what a home or a family shares agrees, the rest as by chance
    junior    two people of one home and one name, such as father and son
    lodger    two people of one home and of two families
    namesake  two strangers of one name; a value made of names, such as an e-mail address, may agree with it
    relative  two people of one family at two homes, who may have one telephone number
    chance    two strangers

Without the classes between the first two and the last, names and addresses that relatives share, and addresses made of
names, would count as independent evidence for one person, which they are not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.records.layout import Layout
from core.matching.specs.spec import FieldSpec

CLASSES = ("same", "moved", "kin", "junior", "lodger", "namesake", "relative", "chance")
SAME, MOVED, KIN, JUNIOR, LODGER, NAMESAKE, RELATIVE, CHANCE = range(len(CLASSES))
# The first two are one person; the next three two people of one home, and the last two people of two homes.
N_ONE_PERSON = 2
FIRST_APART = 5

# Names are given so as to tell the people of a home apart. Father and son aside, who are a class of their own, two of
# one home are called exactly the same so many times more seldom than two strangers are.
KIN_NAMED_ALIKE = 2.0**-4

# Tables of level shares that are learnt; a class borrows one per field.
TABLES = ("same", "moved", "kin", "namesake", "chance")
T_SAME, T_MOVED, T_KIN, T_NAMESAKE, T_CHANCE = range(len(TABLES))


def name_fields(layout: Layout) -> frozenset[str]:
    """Fields that make up a person's name: given names and surnames, and whatever other fields are made of."""
    fields = layout.spec.fields
    names = {field.name for field in fields if field.kind in ("given_name", "surname")}
    return frozenset(names.union(*(field.made_of for field in fields)))


def class_tables(layout: Layout) -> NDArray[np.int64]:
    """(classes, fields): the table from which each class takes its level shares of each field."""
    names = name_fields(layout)
    columns = [_column(field, field.name in names) for field in layout.spec.fields]
    return np.array(columns, dtype=np.int64).T.copy()


def _column(field: FieldSpec, is_name: bool) -> tuple[int, ...]:
    if field.belongs_to == "home":
        # Relatives call each other, and one number is kept for both homes; an address is of one.
        relative = T_KIN if field.kind == "digits" else T_CHANCE
        return T_SAME, T_MOVED, T_KIN, T_KIN, T_KIN, T_CHANCE, relative, T_CHANCE
    if field.belongs_to == "family":
        namesake = T_SAME if is_name else T_CHANCE
        return T_SAME, T_SAME, T_KIN, T_KIN, T_CHANCE, namesake, T_KIN, T_CHANCE
    if field.made_of:
        # A mailbox made of a name may be that of the whole home: how often, the data say.
        return T_SAME, T_SAME, T_KIN, T_KIN, T_CHANCE, T_NAMESAKE, T_CHANCE, T_CHANCE
    if is_name:
        return T_SAME, T_SAME, T_CHANCE, T_SAME, T_CHANCE, T_SAME, T_CHANCE, T_CHANCE
    if field.mark == "unit":
        # Families live in one flat; neighbours in a house of flats, which an address alone takes for lodgers, do not.
        return T_SAME, T_SAME, T_KIN, T_KIN, T_CHANCE, T_CHANCE, T_CHANCE, T_CHANCE
    if field.mark == "sex":
        # Who is called the same is of one sex.
        return T_SAME, T_SAME, T_CHANCE, T_SAME, T_CHANCE, T_SAME, T_CHANCE, T_CHANCE
    # Twins are born on one day.
    kin = T_KIN if field.kind == "date" else T_CHANCE
    return T_SAME, T_SAME, kin, T_CHANCE, T_CHANCE, T_CHANCE, T_CHANCE, T_CHANCE


def named_alike(layout: Layout) -> NDArray[np.float64]:
    """(classes, fields): how many times as often as its table says a class agrees exactly."""
    times = np.ones((len(CLASSES), layout.n_fields))
    times[KIN, [field.kind == "given_name" for field in layout.spec.fields]] = KIN_NAMED_ALIKE
    return times


def exact_levels(layout: Layout) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each field, and the number of its best level, (fields,) each."""
    return np.arange(layout.n_fields), np.array(layout.n_levels) - 1


def rarity_counts(layout: Layout) -> NDArray[np.float64]:
    """(classes, fields): 1 where a class agrees on a rare value the more seldom, 0 where all values are alike.

    Two strangers, namesakes included, meet on a value as often as it is frequent, squared; one person, or people who
    share the value, as often as it is frequent.
    """
    tables = class_tables(layout)
    counts = (tables == T_CHANCE).astype(np.float64)
    counts[NAMESAKE] = 1.0
    counts[:N_ONE_PERSON] = 0.0
    return np.asarray(counts)


def possible(layout: Layout) -> NDArray[np.bool_]:
    """(classes,): which classes the fields at hand can tell apart."""
    fields = layout.spec.fields
    home = any(field.belongs_to == "home" for field in fields)
    family = any(field.belongs_to == "family" for field in fields)
    own = any(field.belongs_to == "person" for field in fields)
    kin = home and own
    given = any(field.kind == "given_name" for field in fields)
    called = any(field.belongs_to == "home" and field.kind == "digits" for field in fields)
    made = any(field.made_of for field in fields)
    moved, called = home and layout.spec.moves, kin and family and called
    return np.array([True, moved, kin, kin and given, kin and family, made or given, called, True])

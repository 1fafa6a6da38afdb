"""What two records can be to each other, and how each field behaves in each case.

    same      one person, both records at one home
    moved     one person, the records at two homes
    kin       two people of one home, such as twins: what a home or a family shares agrees, the rest as by chance
    junior    two people of one home and one name, such as father and son
    namesake  two strangers of one name; a value made of names, such as an e-mail address, may agree with it
    chance    two strangers

Without the last classes but one, names and addresses that relatives share, and addresses made of names, would count
as independent evidence for one person, which they are not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.records.layout import Layout
from core.matching.specs.spec import FieldSpec

CLASSES = ("same", "moved", "kin", "junior", "namesake", "chance")
SAME, MOVED, KIN, JUNIOR, NAMESAKE, CHANCE = range(len(CLASSES))
# The first two are one person; the others two.
N_ONE_PERSON = 2

# Tables of level shares that are learnt; a class borrows one per field.
TABLES = ("same", "moved", "kin", "namesake", "chance")
T_SAME, T_MOVED, T_KIN, T_NAMESAKE, T_CHANCE = range(len(TABLES))


def name_fields(layout: Layout) -> frozenset[str]:
    """Fields that make up a person's name: given names, and whatever other fields are made of."""
    fields = layout.spec.fields
    given = {field.name for field in fields if field.kind == "given_name"}
    return frozenset(given.union(*(field.made_of for field in fields)))


def class_tables(layout: Layout) -> NDArray[np.int64]:
    """(classes, fields): the table from which each class takes its level shares of each field."""
    names = name_fields(layout)
    columns = [_column(field, field.name in names) for field in layout.spec.fields]
    return np.array(columns, dtype=np.int64).T.copy()


def _column(field: FieldSpec, is_name: bool) -> tuple[int, ...]:
    moved = T_MOVED if field.belongs_to == "home" else T_SAME
    kin = T_KIN if field.shared or field.kind == "date" else T_CHANCE
    junior, namesake = T_CHANCE, T_CHANCE
    if field.shared:
        junior = T_KIN
    elif is_name:
        junior = T_SAME
    if is_name:
        namesake = T_SAME
    if field.mark == "sex":
        # Who is called the same is of one sex.
        junior = namesake = T_SAME
    if field.made_of:
        junior = namesake = T_NAMESAKE
    return T_SAME, moved, kin, junior, namesake, T_CHANCE


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
    own = any(field.belongs_to == "person" for field in fields)
    kin = home and own
    given = any(field.kind == "given_name" for field in fields)
    made = any(field.made_of for field in fields)
    return np.array([True, home, kin, kin and given, made, True])

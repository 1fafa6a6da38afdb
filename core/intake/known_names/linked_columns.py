"""Which column of a linked file serves which field: two systems seldom give their columns the same names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.errors import SchemaError
from core.intake.columns import ColumnPlan, FieldHint, find_column, find_columns, find_field, plain, plan_columns

# What a column of ids is called where nobody says; of a linked file only, and with a notice.
ID_NAMES = frozenset(
    plain(f"{whose} {what}")
    for whose in ("", "record", "rec", "row", "member", "customer", "client", "person", "patient", "user", "account",
                  "contact", "supplier", "vendor", "employee", "kunden", "mitglieds", "personen", "klant", "lid")
    for what in ("id", "ids", "no", "number", "nr", "num", "nummer", "key", "code")
) | {
    plain(name)
    for name in ("uid", "uuid", "guid", "identifier", "identifiant", "identificador", "identificativo", "id client",
                 "numero client", "num client", "id cliente", "numero cliente", "codigo cliente", "codice cliente",
                 "numer klienta", "id klienta", "numero", "número", "numer")
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LinkedColumns:
    """What the columns of a file are said to be called: the id's (None: nothing is said), and those of fields."""

    id_column: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)


def plan_linked(
    columns: Sequence[str], path: Path, first: LinkedColumns, own: LinkedColumns, fields: Sequence[FieldHint]
) -> ColumnPlan:
    """Serve fields by what is said of this file, then as in the first file, then by known names.

    What was said of the first file and names a column that is not here leaves the field to the names known for it, and
    the id to the one column that is called as ids are; a notice says so.

    Args:
        first: what is said of the first file. own: of this one; holds before the other, and must be here.
    Raises:
        SchemaError: a column is not here, and none is known in its place.
    """
    mapping = _own_mapping(columns, path, own, fields)
    lacking: dict[str, str] = {}
    for wanted, target in first.mapping.items():
        name = find_field(wanted, fields, path).name
        if name not in mapping:
            (mapping if _has(columns, target) else lacking)[name] = target
    id_column, guessed = _id_column(columns, path, first, own, fields, mapping)
    plan = plan_columns(columns, path, id_column, mapping, fields)
    notices = []
    if guessed:
        notices.append(f"{path.name}: no column {first.id_column!r}; records are named by {id_column!r}")
    for name, target in lacking.items():
        if name not in plan.mapping:
            raise SchemaError(
                f"{path}: no column {target!r} (`mapping` {name}), nor one by a name known for {name}; name it with "
                f"`link_mapping` {name}=COLUMN, or leave the field out with `link_mapping` {name}=; there are: "
                f"{', '.join(columns)}",
                path=str(path),
                column=target,
                expected=target,
                got=list(columns),
                fields=("mapping", "link_mapping"),
            )
        notices.append(f"{path.name}: no column {target!r}; {name} is read from {'+'.join(plan.mapping[name])!r}")
    return replace(plan, notices=(*plan.notices, *notices), id_guessed=guessed)


def _own_mapping(columns: Sequence[str], path: Path, own: LinkedColumns, fields: Sequence[FieldHint]) -> dict[str, str]:
    found: dict[str, str] = {}
    for wanted, target in own.mapping.items():
        name = find_field(wanted, fields, path, "link_mapping").name
        find_columns(target, columns, path, "link_mapping", wanted)
        found[name] = target
    return found


def _has(columns: Sequence[str], target: str) -> bool:
    """Whether all columns of a target are here."""
    try:
        find_columns(target, columns, Path(), "mapping", "")
    except SchemaError:
        return False
    return True


def _id_column(
    columns: Sequence[str], path: Path, first: LinkedColumns, own: LinkedColumns, fields: Sequence[FieldHint],
    mapping: Mapping[str, str],
) -> tuple[str, bool]:  # fmt: skip
    """The id's column, and whether it was taken for its name only."""
    if own.id_column is not None:
        return find_column(own.id_column, columns, path, "link_id"), False
    wanted = str(first.id_column)
    if _has(columns, wanted):
        return wanted, False
    served = {plain(name) for each in fields for name in (each.name, *each.aliases)}
    served |= {plain(part) for target in mapping.values() for part in (target, *target.split("+"))}
    known = [column for column in columns if plain(column) in ID_NAMES and plain(column) not in served]
    if len(known) == 1:
        return known[0], True
    seen = f"; {' and '.join(known)} could be it" if known else ", nor one that is called as ids are"
    raise SchemaError(
        f"{path}: no column {wanted!r} (`id_column`){seen}; name the column that names its records with `link_id`; "
        f"there are: {', '.join(columns)}",
        path=str(path),
        column=wanted,
        expected=wanted,
        got=list(columns),
        fields=("id_column", "link_id"),
    )

"""Which column of a file serves which field of a spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

import polars as pl

from core.errors import SchemaError
from core.matching.standardise.several_values import SEPARATOR


@dataclass(frozen=True, slots=True)
class FieldHint:
    """A field of a spec: its name, its kind (`date` is checked) and other names its column may have.

    Where `slips_kept`, a date that does not exist is never refused. beside: another field, and names that the
    column may have only where that field has one. digits_count: levels compare a date digit by digit.
    keep_last: of a number that is kept by its last digits, as telephone numbers are. A field that `gathers` takes all
    columns that go by its names, each for values of its own: telephones, mail addresses. parts: fields that are taken
    out of this one where none of them has a column; it is no field of the spec itself. alone: names that a column may
    have where no field of `parts` but the one that they are known for has one.
    """

    name: str
    kind: str
    aliases: tuple[str, ...] = ()
    slips_kept: bool = False
    beside: tuple[str, tuple[str, ...]] = ("", ())
    gathers: bool = False
    digits_count: bool = True
    keep_last: int | None = None
    parts: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()

    @property
    def names(self) -> set[str]:
        """What a column that serves it may be called, plain."""
        return {plain(self.name), *map(plain, self.aliases)}


EVERY = "*"
KEPT = "kept:"
"""Before the name of a column that is given back, in a file of ours: fields have names without colons."""


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """The id's column, the columns of each mapped field, and fields without any.

    Several columns of a field are joined with a space; those `apart` hold values of their own, and stay told apart.
    notices: what is left aside though its name is known, and the like. id_guessed: nobody named the id's column, so an
    id that repeats speaks against the column, not the row.
    kept: columns that are given back beside the answer, in the file's order. whole: fields that are taken out of
    the columns they share.
    """

    id_column: str
    mapping: dict[str, tuple[str, ...]]
    unmapped: tuple[str, ...]
    notices: tuple[str, ...] = ()
    id_guessed: bool = False
    kept: tuple[str, ...] = ()
    apart: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()

    @property
    def needed(self) -> set[str]:
        """Every column that is read."""
        return {self.id_column, *self.kept, *(column for columns in self.mapping.values() for column in columns)}


def check_header(names: Sequence[str], path: Path) -> list[str]:
    """Trimmed column names; a nameless one becomes column_<number>.

    Raises:
        SchemaError: two columns have one name.
    """
    trimmed = [name.strip() or f"column_{number}" for number, name in enumerate(names, 1)]
    for number, name in enumerate(trimmed):
        if name in trimmed[:number]:
            first = trimmed.index(name)
            raise SchemaError(
                f"{path}, line 1: columns {first + 1} and {number + 1} are both named {name!r}",
                path=str(path),
                line=1,
                column=name,
                expected="one column of each name",
                got=[first + 1, number + 1],
            )
    return trimmed


def plan_columns(
    columns: Sequence[str], path: Path, id_column: str, mapping: Mapping[str, str] | None, fields: Sequence[FieldHint]
) -> ColumnPlan:
    """Serve fields by the user's mapping first, then by name, then by alias (without case, accents, punctuation).

    A field that gathers gets all columns that go by its names and serve no other field, in the file's order.

    Args:
        mapping: field (or alias) -> column, "" to leave the field out, or "colA+colB" for several columns.
    Raises:
        SchemaError: a named field or column does not exist; says which there are.
    """
    id_column = find_column(id_column, columns, path, "id_column")
    chosen: dict[str, tuple[str, ...]] = {}
    for wanted, target in (mapping or {}).items():
        field = find_field(wanted, fields, path)
        if field.name in chosen:
            raise SchemaError(
                f"`mapping` {wanted}: the field {field.name} is mapped twice; say once which column it has",
                fields=("mapping",),
                path=str(path),
                column=wanted,
                expected="one column",
                got=wanted,
            )
        chosen[field.name] = find_columns(target, columns, path, "mapping", wanted)
    whole = _settle_whole(chosen, fields)
    taken = {id_column, *(column for served in chosen.values() for column in served)}
    by_plain = {plain(column): column for column in reversed(columns)}

    def beside_another(field: FieldHint) -> list[str]:
        other, names = field.beside
        return [plain(name) for name in names] if chosen.get(other) else []

    for names_of in (_own_name, _aliases, beside_another):
        for field in fields:
            if field.name in chosen or field.parts:
                continue
            found = [by_plain[name] for name in names_of(field) if name in by_plain and by_plain[name] not in taken]
            if found:
                chosen[field.name] = (found[0],)
                taken.add(found[0])
    whole |= _take_whole(chosen, fields, {name: column for name, column in by_plain.items() if column not in taken})
    asked = {find_field(wanted, fields, path).name for wanted in mapping or {}}
    for field in fields:
        if field.gathers and field.name in chosen and field.name not in asked:
            more = {column for column in columns if plain(column) in field.names and column not in taken}
            chosen[field.name] = tuple(column for column in columns if column in more | {*chosen[field.name]})
            taken |= more
    fields = [field for field in fields if not field.parts]
    served = {field.name: chosen[field.name] for field in fields if chosen.get(field.name)}
    left_aside = [
        (column, field.name)
        for column in columns
        for field in fields
        if column not in taken and field.name in served.keys() - asked and plain(column) in field.names
    ]
    return ColumnPlan(
        id_column,
        served,
        tuple(field.name for field in fields if field.name not in served),
        notices=tuple(
            f"{path.name}: column {column!r} is known for {name}, which {'+'.join(served[name])} serves; left aside "
            f"(`mapping` {name}={column} takes it instead)"
            for column, name in left_aside
        ),
        apart=frozenset(field.name for field in fields if field.gathers and len(served.get(field.name, ())) > 1),
        whole=frozenset(whole),
    )


def _settle_whole(chosen: dict[str, tuple[str, ...]], fields: Sequence[FieldHint]) -> set[str]:
    """Let columns that were said to be whole serve the parts of which nothing is said; returns these parts.

    What is whole stays in `chosen`, so that it is not looked for again.
    """
    found: set[str] = set()
    for field in fields:
        if field.parts and chosen.get(field.name):
            found |= {part for part in field.parts if part not in chosen}
            chosen.update(dict.fromkeys(found, chosen[field.name]))
    return found


def _take_whole(chosen: dict[str, tuple[str, ...]], fields: Sequence[FieldHint], free: Mapping[str, str]) -> set[str]:
    """Look for a column that is whole where none of its parts has one, but a name that may mean either.

    Args:
        chosen: changed in place. free: by plain name, the columns that serve nothing yet.
    Returns:
        the parts that are taken out of it.
    """
    found: set[str] = set()
    for field in fields:
        if not field.parts or field.name in chosen:
            continue
        there = [part for part in field.parts if part in chosen]
        column = next((free[name] for name in (*_own_name(field), *_aliases(field)) if name in free), None)
        if len(there) == 1 and [plain(name) for name in chosen[there[0]]][:1] in [
            [plain(name)] for name in field.alone
        ]:
            (column,) = chosen[there[0]]
        elif there:
            continue
        if column is not None:
            found |= {*field.parts}
            chosen.update(dict.fromkeys(field.parts, (column,)))
    return found


def kept_of(columns: Sequence[str], id_column: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """The columns of a file that are given back: those wanted (EVERY: all), as far as it has them, but the id's."""
    return tuple(name for name in columns if name != id_column and (name in wanted or EVERY in wanted))


def joined(texts: dict[str, pl.Expr], plan: ColumnPlan) -> dict[str, pl.Expr]:
    """`id`, each mapped field and `kept:<column>` from the texts of the columns; trimmed, and null when empty."""
    fields = {
        name: texts[columns[0]]
        if len(columns) == 1
        else known(
            pl.concat_str(
                [texts[column] for column in columns],
                separator=SEPARATOR if name in plan.apart else " ",
                ignore_nulls=True,
            )
        )
        for name, columns in plan.mapping.items()
    }
    return {"id": texts[plan.id_column], **fields, **{KEPT + name: texts[name] for name in plan.kept}}


def known(text: pl.Expr) -> pl.Expr:
    """Empty text as null."""
    return pl.when(text != "").then(text)


def plain(name: str) -> str:
    """A name's letters and digits without case and accents: `Date-de-naissance`, `prénom`, `lastName`, `e.mail`."""
    return "".join(letter for letter in normalize("NFKD", name.casefold()) if letter.isalnum())


def _own_name(field: FieldHint) -> list[str]:
    return [plain(field.name)]


def _aliases(field: FieldHint) -> list[str]:
    return [plain(alias) for alias in field.aliases]


def find_field(wanted: str, fields: Sequence[FieldHint], path: Path, asked: str = "mapping") -> FieldHint:
    """The field of that name, or else of that alias.

    Raises:
        SchemaError: there is none; `asked` is the request's field that named it.
    """
    for names_of in (_own_name, _aliases):
        for field in fields:
            if plain(wanted) in names_of(field):
                return field
    raise SchemaError(
        f"`{asked}` {wanted}: the spec has no such field; it has: {', '.join(field.name for field in fields)}",
        fields=(asked,),
        path=str(path),
        column=wanted,
        expected=[field.name for field in fields],
        got=wanted,
    )


def find_columns(target: str, columns: Sequence[str], path: Path, asked: str, field: str) -> tuple[str, ...]:
    """The columns of a mapping's target, none where it is empty. Raises as `find_column`."""
    target = target.strip()
    if not target:
        return ()
    if target in columns:
        return (target,)
    return tuple(find_column(part, columns, path, asked, f" {field}") for part in target.split("+"))


def find_column(wanted: str, columns: Sequence[str], path: Path, asked: str, field: str = "") -> str:
    """The column of that name, or the only one whose letters and digits are those.

    Raises:
        SchemaError: there is none; `asked` is the request's field that named it.
    """
    wanted = wanted.strip()
    if wanted in columns:
        return wanted
    alike = [column for column in columns if plain(column) == plain(wanted)]
    if len(alike) == 1:
        return alike[0]
    raise SchemaError(
        f"{path}: no column {wanted!r} (`{asked}`{field}); there are: {', '.join(columns)}",
        path=str(path),
        column=wanted,
        expected=wanted,
        got=list(columns),
        fields=(asked,),
    )

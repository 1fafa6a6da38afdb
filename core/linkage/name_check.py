"""Whether a file has the names that its records are told apart by: a match without them must not pass for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import InputError
from core.intake.columns import ColumnPlan, plain
from core.intake.known_names import known_names
from core.linkage.description import hints_of
from core.linkage.request import MatchRequest
from core.matching.specs.spec import MatchSpec, built_in_specs
from core.matching.standardise.full_names import PERSON_PARTS, WHOLE

QUESTION = "without_names"
# Texts that say what a record is of.
_TEXTS = frozenset({("name", "words"), ("title", "words")})
# What often stands above a whole name: it is told, so that nobody wonders why a name was not found.
_WHOLE_NAMES = frozenset(map(plain, (WHOLE, *known_names(WHOLE))))


def refuse_nameless(
    request: MatchRequest, spec: MatchSpec, path: Path, columns: Sequence[str], plan: ColumnPlan
) -> None:
    """Ask for a name of a built-in spec that no column serves, unless the request says that there is none.

    Raises:
        InputError: with `without_names` among its fields: who is asked may answer by setting that.
    """
    if request.without_names or spec.name not in built_in_specs():
        return
    told = {plain(field) for field in request.mapping}
    lacking = [
        hint.name
        for hint in hints_of(spec)
        if hint.name in _name_columns(spec)
        and hint.name not in plan.mapping
        and told.isdisjoint(plain(name) for name in (hint.name, *hint.aliases))
    ]
    if not lacking:
        return
    said = " and ".join(lacking)
    raise InputError(
        f"{path.name}: no column is known as {said}; there are: {', '.join(columns)}. "
        + _advice(spec, lacking, columns),
        path=str(path),
        column=lacking[0],
        expected=lacking,
        got=list(columns),
        fields=("mapping", "spec", QUESTION),
    )


def _name_columns(spec: MatchSpec) -> tuple[str, ...]:
    """The columns that hold names, of persons or of organisations, or parts of them, or titles."""
    named = (
        field.column
        for field in spec.fields
        if field.kind in {"given_name", "surname"} or field.part == "head" or (field.name, field.kind) in _TEXTS
    )
    return tuple(dict.fromkeys(named))


def _advice(spec: MatchSpec, lacking: Sequence[str], columns: Sequence[str]) -> str:
    whole = next((column for column in columns if plain(column) in _WHOLE_NAMES), None)
    hint = ""
    if whole is not None and set(lacking) < set(PERSON_PARTS):
        hint = f"If column {whole!r} holds whole names, take both names out of it with `mapping` {WHOLE}={whole}. "
    return (
        f"{hint}Without names strangers may become one: name the column with `mapping` {lacking[0]}=COLUMN, or say "
        f"that there is none with `mapping` {lacking[0]}=, or go on with `{QUESTION}`"
    )

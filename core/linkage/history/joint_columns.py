"""What the columns of all files of a job say together: leading zeros that one has lost, and letters in identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from core.intake.source import Source
from core.matching.scoring.model import Model
from core.matching.specs.levels import DEFAULT_LEVELS
from core.matching.specs.spec import MatchSpec
from core.matching.standardise.readings import AS_WRITTEN

LETTERED_SHARE_MIN: Final = 0.05
_ROWS: Final = 50_000
_SHARE_OF_WIDTH: Final = 0.98
_ROWS_MIN: Final = 10
_ZEROS_MIN: Final = 2


def restore_zeros(sources: Sequence[Source], spec: MatchSpec) -> tuple[list[Source], list[str]]:
    """Read codes and identifiers of a file with the leading zeros that it has lost.

    A file says the width where nearly all its numbers have one and some begin with 0; another has lost zeros where none
    of its numbers begins with 0, none is wider, and some are shorter by a digit or two.

    Returns:
        The sources, some with another reading, and a notice for each column.
    Cost: the first 50,000 rows of each file are read; nothing for one file alone.
    """
    found, notices = list(sources), list[str]()
    if len(found) < 2:
        return found, notices
    names = [
        field.column for field in spec.fields if field.kind == "code" or _is_identifier(field.kind, field.keep_last)
    ]
    shapes = [_shapes(source, names) for source in found]
    for name in dict.fromkeys(names):
        width = next((known for known in (_width(each.get(name)) for each in shapes) if known is not None), None)
        for number, source in enumerate(found):
            if width is None or not _has_lost(shapes[number].get(name), width):
                continue
            readings = dict(source.readings or {})
            readings[name] = replace(readings.get(name, AS_WRITTEN), width=width)
            found[number] = replace(source, readings=readings)
            notices.append(
                f"{source.path.name}: {name}: numbers have lost leading zeros; read with {width} digits, as the other "
                "file has them"
            )
    return found, notices


def _is_identifier(kind: str, keep_last: int | None) -> bool:
    return kind in ("digits", "identifier") and keep_last is None


def _shapes(source: Source, names: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Per column how many numbers there are of each width, and how many of them begin with 0."""
    frame = source.read(0, min(source.rows, _ROWS))
    found = {}
    for name in names:
        if name in frame.columns:
            digits = frame[name].str.replace_all(r"[\s.-]", "").drop_nulls()
            shape = digits.to_frame("text").filter(pl.col("text").str.contains(r"^\d+$"))
            found[name] = shape.group_by(width=pl.col("text").str.len_bytes().cast(pl.Int64)).agg(
                n=pl.len().cast(pl.Int64), zeros=pl.col("text").str.starts_with("0").sum().cast(pl.Int64)
            )
    return found


def _width(shape: pl.DataFrame | None) -> int | None:
    if shape is None or int(shape["n"].sum()) < _ROWS_MIN:
        return None
    width, n, zeros = shape.sort("n").row(-1)
    return int(width) if n >= _SHARE_OF_WIDTH * int(shape["n"].sum()) and zeros >= _ZEROS_MIN else None


def _has_lost(shape: pl.DataFrame | None, width: int) -> bool:
    if shape is None or not len(shape) or int(shape["zeros"].sum()):
        return False
    short = int(shape.filter(pl.col("width").is_between(width - 2, width - 1))["n"].sum())
    return shape["width"].max() == width and short > 0


def keep_letters(spec: MatchSpec, sources: Sequence[Source], model: Model | None) -> tuple[MatchSpec, list[str]]:
    """Compare fields of identifiers with their letters where more than 5 % of all sources' values have some.

    Args:
        model: that is to be used instead of a new one; what it was trained with decides.
    Returns:
        The spec, some fields of kind `digits` now `identifier`, and a notice for each.
    """
    numbers = [field for field in spec.fields if field.kind == "digits" and field.keep_last is None]
    if model is None:
        lettered = [field.name for field in numbers if _share(sources, field.column) > LETTERED_SHARE_MIN]
    else:
        letters = [level.label for level in DEFAULT_LEVELS["identifier"]]
        trained = {field.name for field in model.fields if set(letters) <= set(field.levels)}
        lettered = [field.name for field in numbers if field.name in trained]
    changed = tuple(
        field.model_copy(update={"kind": "identifier", "levels": DEFAULT_LEVELS["identifier"], "tells_apart": True})
        if field.name in lettered
        else field
        for field in spec.fields
    )
    notices = [f"field {name}: its values have letters, which count as part of the number" for name in lettered]
    return (spec.model_copy(update={"fields": changed}) if lettered else spec), notices


def _share(sources: Sequence[Source], column: str) -> float:
    counts = [source.lettered.get(column, (0, 0)) for source in sources]
    n_filled = sum(filled for _, filled in counts)
    return sum(lettered for lettered, _ in counts) / n_filled if n_filled else 0.0

"""What a file is, by its first bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from core.errors import InputError
from core.intake.tables.kinds import HEAD_BYTES, TableKind, table_kind
from core.intake.tables.part_files import PartFile

Kind = Literal["parquet", "text"] | TableKind

_PARQUET_MARK = b"PAR1"
_COLUMNAR = ("parquet", "arrow")
_WORDS: dict[Kind, str] = {
    "parquet": "Parquet",
    "arrow": "Arrow",
    "json": "JSON",
    "sheet": "a workbook",
    "text": "text of fields",
}


def kind_of(path: Path) -> Kind:
    """Look at the first bytes; the name decides only whether something else may be a CSV. What is packed is text here.

    Raises:
        InputError: there is no such file, or it cannot be read, or it is named .parquet and is none.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", path=str(path)) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", path=str(path)) from None
    if not head:
        raise InputError(f"{path} is empty", path=str(path), line=1)
    kind = table_kind(path, head)
    if kind is not None:
        return kind
    is_parquet = head.startswith(_PARQUET_MARK)
    if path.suffix.lower() in {".parquet", ".pq"} and not is_parquet:
        raise InputError(f"{path}: named Parquet, but it is no Parquet file", path=str(path))
    return "parquet" if is_parquet else "text"


def one_kind(parts: Sequence[PartFile]) -> Kind:
    """The kind of all parts of a table.

    Raises:
        InputError: as `kind_of`, or one is of another kind than the first.
    """
    first = kind_of(parts[0].path)
    for part in parts[1:]:
        kind = kind_of(part.path)
        if kind != first:
            raise InputError(
                f"{part.path} is {_WORDS[kind]}, but {parts[0].path} is {_WORDS[first]}; the parts of one table are of "
                "one kind",
                path=str(part.path),
            )
    return first


def is_columnar(kind: Kind) -> bool:
    """Whether columns can be read each by itself."""
    return kind in _COLUMNAR

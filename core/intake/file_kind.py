"""What a file is, by its first bytes."""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError
from core.intake.decoding.compression import workbook_of

_PARQUET_MARK = b"PAR1"


def is_parquet(path: Path) -> bool:
    """Look at the first bytes; the name decides only whether something else may be a CSV.

    Raises:
        InputError: there is no such file, or it cannot be read, or it is named .parquet and is none.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", path=str(path)) from None
    except IsADirectoryError:
        raise InputError(f"{path} is a directory; a CSV or Parquet file is needed", path=str(path)) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", path=str(path)) from None
    if not head:
        raise InputError(f"{path} is empty", path=str(path), line=1)
    if head == b"PK\x03\x04" and workbook_of(path) is not None:
        raise InputError(f"{path} is a spreadsheet; save its sheet as CSV (UTF-8)", path=str(path))
    if path.suffix.lower() in {".parquet", ".pq"} and head != _PARQUET_MARK:
        raise InputError(f"{path}: named Parquet, but it is no Parquet file", path=str(path))
    return head == _PARQUET_MARK

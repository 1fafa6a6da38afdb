"""What kind of table a file is, by its first bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from core.intake.tables.workbook_sheets import is_workbook

TableKind = Literal["arrow", "json", "sheet"]
HEAD_BYTES = 4_096

_ARROW_FILE = b"ARROW1"
# A stream of Arrow begins with a message of its schema: four bytes that count no rows, then the length.
_ARROW_STREAM = b"\xff\xff\xff\xff"
# An object or an array of objects; a cell of a CSV may begin with a bracket, but not with a key behind it.
_JSON = re.compile(rb'^(?:\xef\xbb\xbf)?\s*(?:\{\s*["}]|\[\s*[\]{])')


def table_kind(path: Path, head: bytes) -> TableKind | None:
    """The kind of a table that is neither text of fields nor Parquet; None for these and for what is no table.

    Args:
        head: the first 4,096 bytes, unpacked.
    Raises:
        InputError: a document of an office program that has no sheets.
    """
    if head.startswith((_ARROW_FILE, _ARROW_STREAM)):
        return "arrow"
    if _JSON.match(head):
        return "json"
    return "sheet" if is_workbook(path, head) else None

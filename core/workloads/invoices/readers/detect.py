"""Which format a file is in, by its first letters, and that it is not larger than what is read."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final, Literal

from core.errors import InputError

Format = Literal["camt", "mt", "bai2", "lockbox", "ofx", "x12", "ach", "table"]

BYTES_MAX: Final = 1 << 30
TEXT_BYTES_MAX: Final = 256 << 20
"""What is read whole; camt and tables are read piece by piece."""

_HEAD_BYTES: Final = 4_096
_MT: Final = re.compile(r"\s*(?:\{1:|:20:)|[^,;]{0,80}\n:20:")
_FORMATS: Final[tuple[tuple[re.Pattern[str], Format], ...]] = (
    (re.compile(r"\s*(?:OFXHEADER|<\?OFX|<OFX>)|\s*<\?xml[^>]*>\s*<\?OFX"), "ofx"),
    (re.compile(r"\s*<"), "camt"),
    (_MT, "mt"),
    (re.compile(r"\s*01,[^,\n]*,[^,\n]*,\d{6},"), "bai2"),
    (re.compile(r"\s*ISA[^A-Za-z0-9]"), "x12"),
    (re.compile(r"101[ \d].{90}\r?\n[59]"), "ach"),
    (re.compile(r"1(?=[^,;\t|\n]{9,103}\r?\n[25][^,;\t|\n]*\r?\n)"), "lockbox"),
)


def format_of(path: Path, where: Path) -> Format:
    """The format of a file with its unpacked bytes at `where`; what is no bank's is a table.

    Raises:
        InputError: it is empty, or larger than what is read.
    """
    with where.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    text = _text(head)
    if not text.strip("\0 \r\n\t"):
        raise InputError(f"{path} is empty", path=str(path), line=1)
    found: Format = next((form for pattern, form in _FORMATS if pattern.match(text)), "table")
    limit = BYTES_MAX if found in ("camt", "table") else TEXT_BYTES_MAX
    n_bytes = where.stat().st_size
    if n_bytes > limit:
        raise InputError(
            f"{path}: {n_bytes / 1e6:,.0f} MB; at most {limit >> 20:,} MiB of this format are read: ask the bank for a "
            "file a day",
            path=str(path),
            n_bytes=n_bytes,
        )
    return found


def _text(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", errors="replace")
    return head.removeprefix(codecs.BOM_UTF8).decode("latin-1")

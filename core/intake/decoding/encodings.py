"""Encodings by the names people give them, and the marks by which files say their own."""

from __future__ import annotations

import codecs
from typing import Final

from core.errors import ConfigError

# What is offered where a name is unknown; Python knows more of them.
OFFERED: Final = (
    "utf-8, utf-16, utf-32, cp1252 (Windows, western), iso8859-1, iso8859-15, cp1250, iso8859-2, cp1251, koi8-r, "
    "cp1253, cp1254, cp1257, mac-roman, cp850, cp437, shift_jis, euc_jp, gb18030, big5, cp949"
)
# The longer ones first: a mark of UTF-32 begins like one of UTF-16.
MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NUL_SHARE = 0.3
# What the names of the web mean: nobody writes control characters of Latin-1.
_MEANT: Final = {
    "iso8859-1": "cp1252",
    "ascii": "utf-8",
    "utf-8-sig": "utf-8",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
}


def named_encoding(name: str) -> str:
    """Python's name of a text encoding.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        found = codecs.lookup(name.strip()).name
        "".encode(found)
    except (LookupError, ValueError):
        raise ConfigError(
            f"`encoding` {name}: there is no such encoding; known are {OFFERED}", fields=("encoding",)
        ) from None
    return _MEANT.get(found, found)


def marked_encoding(head: bytes) -> str | None:
    """The encoding that the first bytes say, by a mark or by zeros where UTF-16 and UTF-32 have them."""
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    head = head[: len(head) // 4 * 4][:4096]
    zeros = [head[at::4].count(0) / max(len(head) // 4, 1) > _NUL_SHARE for at in range(4)]
    return {
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
    }.get((zeros[0], zeros[1], zeros[2], zeros[3]))

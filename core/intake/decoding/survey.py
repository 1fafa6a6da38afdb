"""One look over a text before it is read: whether it is UTF-8, and if not, what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from core.errors import InputError
from core.intake.decoding.encodings import OFFERED, marked_encoding, named_encoding
from core.intake.decoding.guess import guess_encoding

BLOCK_BYTES = 4 << 20
SAMPLE_LINES = 20_000
LINE_BYTES_MAX = 64 << 20
# Lines of other scripts are UTF-8 by chance now and then.
CHANCE_SHARE = 0.05
_WITH_HIGH_BYTES = re.compile(rb"[^\n]*[\x80-\xff][^\n]*")


@dataclass(frozen=True, slots=True)
class Written:
    """How a text is written: encoding by Python's name, why it is thought so, and whether lines end in CR alone."""

    encoding: str = "utf-8"
    why: str = ""
    is_clear: bool = True
    ends_in_cr: bool = False


@dataclass(slots=True)
class _Lines:
    """Lines with bytes beyond ASCII: how many are UTF-8 and how many are not, and the first line of each."""

    n_utf8: int = 0
    n_other: int = 0
    first_utf8: int = 0
    first_other: int = 0
    sample: list[bytes] = field(default_factory=list)


def survey(path: Path, where: Path, encoding: str | None = None) -> Written:
    """Look at a text from end to end, unless its encoding is said or marked.

    Args:
        path: as messages name the file. where: its bytes. encoding: as the user says.
    Raises:
        InputError: it is text in no encoding that is known, or in two of them. ConfigError: as `named_encoding`.
    Cost: 1.7 ns a byte of UTF-8.
    """
    with where.open("rb") as file:
        head = file.read(BLOCK_BYTES)
        marked = marked_encoding(head)
        if marked is not None and marked != "utf-8":
            return Written(marked, "as its first bytes say", ends_in_cr=_ends_in_cr(head.replace(b"\0", b"")))
        ends_in_cr = _ends_in_cr(head)
        if encoding is not None and marked is None:
            return Written(named_encoding(encoding), "as you say", ends_in_cr=ends_in_cr)
        lines = _count(file, head)
    if not lines.n_other or lines.n_utf8 >= lines.n_other:
        return Written(ends_in_cr=ends_in_cr)
    guess = guess_encoding(lines.sample)
    if guess is None:
        raise InputError(
            f"{path}, line {lines.first_other}: is not UTF-8, nor text in an encoding that is known; if it is text, "
            f"name its `encoding` ({OFFERED})",
            path=str(path),
            line=lines.first_other,
            fields=("encoding",),
        )
    if lines.n_utf8 > CHANCE_SHARE * lines.n_other or (lines.n_utf8 and guess.encoding in _LATIN):
        raise InputError(
            f"{path}: two encodings in one file: line {lines.first_utf8} is UTF-8, line {lines.first_other} is not "
            f"(but perhaps {guess.encoding}); write the file in one, or name the `encoding` of all lines",
            path=str(path),
            line=lines.first_utf8,
            fields=("encoding",),
        )
    return Written(guess.encoding, "by its letters", guess.is_clear, ends_in_cr)


_LATIN = frozenset(
    {"cp1252", "iso8859-15", "cp1250", "iso8859-2", "cp1254", "cp1257", "mac-roman", "mac-latin2", "cp850", "cp852"}
)


def _ends_in_cr(head: bytes) -> bool:
    return b"\n" not in head and b"\r" in head.rstrip(b"\r")


def _count(file: BinaryIO, head: bytes) -> _Lines:
    """Go through all whole lines, block by block."""
    found, rest, line, data = _Lines(), b"", 1, head
    while data:
        block = rest + data
        end = block.rfind(b"\n") + 1
        data = file.read(BLOCK_BYTES)
        if not data or (not end and len(block) > LINE_BYTES_MAX):
            end = len(block)
        whole, rest = block[:end], block[end:]
        if not whole.isascii():
            _judge(whole, line, found)
        line += whole.count(b"\n")
    return found


def _judge(block: bytes, line: int, found: _Lines) -> None:
    if _is_utf8(block):
        # Not each is looked at, in a text that is all UTF-8: such a block is evidence enough.
        first = _WITH_HIGH_BYTES.search(block)
        assert first is not None, "it is no ASCII"
        found.first_utf8 = found.first_utf8 or line + block.count(b"\n", 0, first.start())
        found.n_utf8 += block.count(b"\n", first.start()) or 1
        return
    for match in _WITH_HIGH_BYTES.finditer(block):
        text = match[0]
        if _is_utf8(text):
            found.n_utf8 += 1
            found.first_utf8 = found.first_utf8 or line + block.count(b"\n", 0, match.start())
        else:
            found.n_other += 1
            found.first_other = found.first_other or line + block.count(b"\n", 0, match.start())
            if len(found.sample) < SAMPLE_LINES:
                found.sample.append(text[:1_000])


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

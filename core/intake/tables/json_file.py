"""A JSON file as a stream of checked blocks: one object a line, objects behind each other, or an array of objects.

The keys of all objects are the columns: a key that an object lacks is missing there. Numbers keep their digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import orjson
import polars as pl

from core.errors import InputError, SchemaError
from core.intake.bad_rows import Fault
from core.intake.columns import check_header, known
from core.intake.tables.block import Block, read_spans
from core.intake.tables.json_records import (
    CLOSED,
    CUT_SHORT,
    KEYS_MAX,
    LISTS,
    NESTED_LISTS,
    OBJECT_OR_END,
    OBJECTS,
    SOUND,
    Bytes,
    Keys,
    Longs,
    no_keys,
    scan_lines,
    scan_objects,
    write_lines,
)
from core.intake.tables.lists import joined_list
from core.matching.text.string_views import is_tidy

BLOCK_BYTES = 24 << 20
RECORDS_MAX = 250_000
# One object may be that long before the file is given up as not being a table.
OBJECT_BYTES_MAX = 64 << 20
Form = Literal["lines", "objects", "array"]
_MARK = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n"


class JsonFile:
    """An opened JSON file: keys of all objects known.

    Raises:
        InputError: no object in it, or an object of an array is broken. SchemaError: two keys are alike but for blanks.
    Cost: the file is read once, at about 3 ns a byte.
    """

    proposal: str | None = None

    def __init__(self, path: Path, open_bytes: Callable[[], BinaryIO]) -> None:
        self.path = path
        self._open = open_bytes
        keys = no_keys()
        names: list[str] = []
        self._form, self._start = _form(path, open_bytes)
        for data, _, _ in self._scans(keys):
            fresh = keys.fresh[len(names) : int(keys.n_seen[0])]
            for first, end in fresh.tolist():
                names.append(_key(data[first:end].tobytes(), path))
        if len(names) == KEYS_MAX:
            raise InputError(
                f"{path}: more than {KEYS_MAX:,} different keys; is this a table of records?", path=str(path)
            )
        if not names:
            raise InputError(f"{path} has no record: no object with a key in it", path=str(path), line=1)
        # The same key may be written in two ways, with escapes and without.
        self.stored = list(dict.fromkeys(names))
        self._shapes: dict[str, int] = {}
        for name, shape in zip(names, keys.shapes.tolist(), strict=False):
            self._shapes[name] = self._shapes.get(name, 0) | shape
        self.columns = check_header(self.stored, path)
        self.lists = {
            column for column, name in zip(self.columns, self.stored, strict=True) if self._shapes[name] & LISTS
        }

    @property
    def _in_lines(self) -> bool:
        return self._form == "lines"

    def refuse_nested(self, wanted: set[str]) -> None:
        """Refuse columns whose values are no single values nor lists of them. Raises SchemaError."""
        for column, name in zip(self.columns, self.stored, strict=True):
            shape = self._shapes[name]
            if column in wanted and shape & (OBJECTS | NESTED_LISTS):
                holds = "objects" if shape & OBJECTS else "lists of lists or of objects"
                raise SchemaError(
                    f"{self.path}: column {column!r} holds {holds}; text, numbers, true, false and lists of these can "
                    "be read: write what is inside as columns of their own",
                    path=str(self.path),
                    column=column,
                    expected="text",
                    got=holds,
                )

    def blocks(self, wanted: set[str]) -> Iterator[Block]:
        """Every object, once. Raises as `refuse_nested`. Cost: about 4 ns a byte."""
        self.refuse_nested(wanted)
        offset = self._start
        for data, consumed, table in self._scans(no_keys()):
            if len(table):
                block = self._block(data[:consumed], table, wanted)
                block.offsets[:] += offset
                yield block
            offset += consumed

    def detected(self) -> dict[str, str]:
        """How it is written, in words for a person."""
        return {"format": "JSON lines" if self._in_lines else "JSON"}

    def notices(self) -> list[str]:
        """None: nothing is left out."""
        return []

    def raws(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        """Bytes of objects, read again from the file, which is opened once."""
        with self._open() as file:
            return read_spans(file, offsets, sizes)

    def _scans(self, keys: Keys) -> Iterator[tuple[Bytes, int, Longs]]:
        """The file in pieces: their bytes, how many of these are whole objects, and the table of those."""
        line = 1
        place = np.array([OBJECT_OR_END, self._form == "array"], dtype=np.int64)
        table = np.empty((RECORDS_MAX, 4), dtype=np.int64)
        with self._open() as file:
            line += file.read(self._start).count(b"\n")
            rest, consumed, ended = b"", 0, False
            while rest or not ended:
                if not ended and (consumed == 0 or len(rest) < BLOCK_BYTES // 2):
                    read = file.read(BLOCK_BYTES)
                    ended = not read
                    rest += read
                data = np.frombuffer(rest, dtype=np.uint8)
                if self._in_lines:
                    found, consumed, line = scan_lines(data, line, ended, keys, table)
                else:
                    found, consumed, line = scan_objects(data, line, place, keys, table)
                    self._refuse_broken(table[:found])
                yield data, consumed, table[:found]
                rest = rest[consumed:]
                if rest and not consumed and (ended or len(rest) > OBJECT_BYTES_MAX):
                    raise self._unended(line)
        if self._form == "array" and place[0] != CLOSED:
            raise InputError(f"{self.path} ends before its array does: is it whole?", path=str(self.path), line=line)

    def _unended(self, line: int) -> InputError:
        return InputError(
            f"{self.path}, line {line}: the object that begins here has no end; is the file whole?",
            path=str(self.path),
            line=line,
        )

    def _refuse_broken(self, table: Longs) -> None:
        """Behind what is wrong in an array nothing can be told apart."""
        if len(table) and table[-1, 3] != SOUND:
            line = int(table[-1, 2])
            what = "an object is not well formed" if table[-1, 3] == CUT_SHORT else "an object or the end should stand"
            raise InputError(
                f"{self.path}, line {line}: {what} here; records are objects with a comma between them",
                path=str(self.path),
                line=line,
            )

    def _block(self, data: Bytes, table: Longs, wanted: set[str]) -> Block:
        sound = table[:, 3] == SOUND
        stored = {column: name for column, name in zip(self.columns, self.stored, strict=True) if column in wanted}
        frame = self._read(data, table[sound], stored, whole=bool(sound.all()))
        if frame is None:
            # Which lines polars cannot read, only a reader of single lines can tell.
            readable = [bool(ok) and _is_object(data[row[0] : row[1]]) for ok, row in zip(sound, table, strict=True)]
            sound = np.array(readable, dtype=bool)
            frame = self._read(data, table[sound], stored, whole=False)
        if frame is None or not (self._in_lines or sound.all()):
            row = table[np.argmin(sound)]
            raise InputError(
                f"{self.path}, line {row[2]}: the object that begins here is not well formed JSON",
                path=str(self.path),
                line=int(row[2]),
            )
        faults = [(Fault("broken_json", int(row[2])), data[row[0] : row[1]].tobytes()) for row in table[~sound]]
        good = table[sound]
        texts = frame.select(self._text(frame, column, name) for column, name in stored.items())
        return Block(texts, good[:, 2], good[:, 0].copy(), good[:, 1] - good[:, 0], faults, bool(data.max() < 128))

    def _text(self, frame: pl.DataFrame, column: str, stored: str) -> pl.Expr:
        text = pl.col(stored).alias(column)
        if not is_tidy(frame[stored]):
            text = known(text.str.strip_chars()).alias(column)
        return joined_list(text).alias(column) if column in self.lists else text

    def _read(self, data: Bytes, table: Longs, stored: dict[str, str], *, whole: bool) -> pl.DataFrame | None:
        """The objects of a table as text; None where one is not well formed after all."""
        schema = pl.Schema(dict.fromkeys(stored.values(), pl.String))
        if not len(table):
            return pl.DataFrame(schema=schema)
        if whole and self._in_lines:
            text = data.tobytes()
        else:
            out = np.empty(int((table[:, 1] - table[:, 0]).sum()) + len(table), dtype=np.uint8)
            text = out[: write_lines(data, table, out)].tobytes()
        with suppress(pl.exceptions.PolarsError):
            frame = pl.scan_ndjson(text, schema=schema).collect()
            if len(frame) == len(table):
                return frame
        return None


def _form(path: Path, open_bytes: Callable[[], BinaryIO]) -> tuple[Form, int]:
    """How the objects stand behind each other, and where the first one may begin."""
    with open_bytes() as file:
        head = file.read(OBJECT_BYTES_MAX)
    marked = len(_MARK) if head.startswith(_MARK) else 0
    body = head[marked:].lstrip(_BLANKS)
    start = len(head) - len(body)
    if body.startswith(b"["):
        return "array", start + 1
    first, _, more = body.partition(b"\n")
    # A first line that is no object is the beginning of one over several lines, or a broken one before others.
    in_lines = _is_object(first) or more.lstrip(_BLANKS).startswith(b"{")
    return ("lines", marked) if in_lines else ("objects", start)


def _is_object(text: Bytes | bytes) -> bool:
    with suppress(orjson.JSONDecodeError):
        return isinstance(orjson.loads(bytes(text)), dict)
    return False


def _key(quoted: bytes, path: Path) -> str:
    try:
        return str(orjson.loads(b'"' + quoted + b'"'))
    except orjson.JSONDecodeError:
        raise InputError(f"{path}: a key is no text of UTF-8 with the escapes of JSON", path=str(path)) from None

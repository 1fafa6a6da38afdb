"""A file of text as UTF-8 with line feeds: itself, or a private copy for as long as it is read."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import InputError
from core.intake.decoding.compression import compression_of, unpack
from core.intake.decoding.survey import BLOCK_BYTES, Written, survey
from core.intake.reading import Reading


@dataclass(frozen=True, slots=True)
class PlainText:
    """Where the text is, whether those are the file's own bytes, what was found of its form, and what is to be said."""

    where: Path
    is_file: bool
    detected: dict[str, str]
    notices: tuple[str, ...]


@contextmanager
def unpacked(path: Path, folder: Path | None) -> Iterator[tuple[Path, dict[str, str]]]:
    """Where the unpacked bytes of a file are, and how it was compressed, if it was.

    Args:
        folder: below it a private copy is made, if need be; None: below the folder for temporary files.
    Raises:
        InputError: as `unpack`.
    """
    compression = compression_of(path)
    if compression is None:
        yield path, {}
        return
    with _private(folder) as scratch:
        unpack(path, compression, scratch / "unpacked")
        yield scratch / "unpacked", {"compression": compression}


@contextmanager
def plain_text(path: Path, where: Path, reading: Reading, folder: Path | None) -> Iterator[PlainText]:
    """The text of a file with its unpacked bytes at `where`. Raises as `survey`; InputError: bytes do not decode."""
    written = survey(path, where, reading.encoding)
    if written.encoding == "utf-8" and not written.ends_in_cr:
        yield PlainText(where, where == path, {"encoding": "utf-8"}, ())
        return
    with _private(folder) as scratch:
        _transcode(path, where, written, scratch / "text")
        yield PlainText(scratch / "text", False, {"encoding": written.encoding}, tuple(_notices(path, written)))


def _notices(path: Path, written: Written) -> Iterator[str]:
    if written.encoding != "utf-8":
        doubt = "" if written.is_clear else "; others are possible, so look at a name with accents"
        yield f"{path.name}: read as {written.encoding}, {written.why}{doubt}"


@contextmanager
def _private(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    # Its mode is 0700.
    with TemporaryDirectory(dir=folder, prefix=".text-") as scratch:
        yield Path(scratch)


def _transcode(path: Path, where: Path, written: Written, target: Path) -> None:
    """Write UTF-8, block by block."""
    decoder, line = codecs.getincrementaldecoder(written.encoding)(), 1
    end = "\r" if written.ends_in_cr else "\n"
    with where.open("rb") as source, target.open("xb") as out:
        is_first = True
        while True:
            block = source.read(BLOCK_BYTES)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                sound = error.object[: error.start].decode(error.encoding, "replace")
                raise _not_decoded(path, written, line + sound.count(end)) from None
            line += text.count(end)
            text = text.removeprefix("\ufeff") if is_first else text
            is_first = is_first and not text
            out.write((text.replace("\r", "\n") if written.ends_in_cr else text).encode("utf-8", "replace"))
            if not block:
                return


def _not_decoded(path: Path, written: Written, line: int) -> InputError:
    return InputError(
        f"{path}, line {line}: has bytes that are no {written.encoding}; name the right `encoding`, or mend the file",
        path=str(path),
        line=line,
        fields=("encoding",),
    )

"""Which files an input is: one, all below a folder, those that a pattern fits, or several that were named.

Several files are the parts of one table, in the natural order of their names: part-2 stands before part-10. What is
hidden or is no part by the customs of clusters (`.crc`, `_SUCCESS`, `_metadata`) and what is empty is left out.
"""

from __future__ import annotations

import glob
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from core.errors import InputError, SchemaError
from core.intake.file_digest import file_digest

_DIGITS = re.compile(r"(\d+)")
_KEY_VALUE = re.compile(r"^([^=/]+)=(.*)$")
# What Hive and Spark call a folder of rows without a value.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class PartFile:
    """A file of an input. values: what folders named `column=value` say of all its rows."""

    path: Path
    values: Mapping[str, str | None] = field(default_factory=dict)


def part_files(named: Sequence[Path]) -> tuple[PartFile, ...]:
    """The files of an input, in the order in which their rows follow each other: as named, by name in each folder.

    Raises:
        InputError: there is no such file, a folder or pattern has no file, or a file is named twice.
    """
    files = [file for path in named for file in _below(path)]
    seen: set[Path] = set()
    for file in files if named[1:] else ():
        if file.path in seen:
            raise InputError(f"{file.path} is named twice; name each file once", path=str(file.path))
        seen.add(file.path)
    filled = [file for file in files if len(files) == 1 or file.path.stat().st_size]
    return tuple(filled or files[:1])


def is_pattern(path: Path) -> bool:
    """Whether a name is a pattern: it has `*`, `?` or `[` in it, and there is no file of that very name."""
    return glob.has_magic(str(path)) and not path.exists()


def name_of(path: Path) -> str:
    """What a person calls an input: the name of a file or folder, a pattern with its folder."""
    return str(path.relative_to(_fixed(path).parent)) if is_pattern(path) else path.name


def beside(path: Path, ending: str) -> Path:
    """A file beside an input, and outside of it: `people.bad.csv` for people.csv, for people/ and for people/*.csv."""
    fixed = _fixed(path) if is_pattern(path) else path
    return fixed.with_name(f"{fixed.stem}{ending}")


def input_digest(files: Sequence[PartFile]) -> str:
    """SHA-256 of a file's bytes; of several: of the digests of each, with the values that its folders give.

    Raises:
        InputError: a file cannot be read.
    """
    if len(files) == 1 and not files[0].values:
        return file_digest(files[0].path)
    parts = (f"{file_digest(file.path)} {sorted(file.values.items())}" for file in files)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def refuse_others(path: Path, columns: set[str], first: Path, expected: set[str]) -> None:
    """Refuse a part whose columns are not those of the first one, whatever their order. Raises SchemaError."""
    lacks, more = sorted(expected - columns), sorted(columns - expected)
    if not lacks and not more:
        return
    said = [f"lacks {', '.join(map(repr, lacks))}"] if lacks else []
    said += [f"has {', '.join(map(repr, more))} besides"] if more else []
    raise SchemaError(
        f"{path} {' and '.join(said)}; {first} has other columns, and the parts of one table have the same ones",
        path=str(path),
        expected=sorted(expected),
        got=sorted(columns),
    )


def _below(path: Path) -> Iterator[PartFile]:
    if path.is_dir():
        found, folder = [file for file in path.rglob("*") if _is_part(file, path)], path
    elif is_pattern(path):
        folder = _fixed(path)
        found = [file for file in map(Path, glob.glob(str(path), recursive=True)) if _is_part(file, folder)]
    elif path.exists():
        yield PartFile(path)
        return
    else:
        raise InputError(f"{path}: no such file", path=str(path))
    if not found:
        what = "no file in this folder" if path.is_dir() else "no file has a name of this pattern"
        raise InputError(f"{path}: {what}; names that begin with . or _ do not count", path=str(path))
    yield from (PartFile(file, _folder_values(file.relative_to(folder))) for file in sorted(found, key=_natural))


def _folder_values(inside: Path) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for folder in inside.parts[:-1]:
        match = _KEY_VALUE.match(folder)
        if match:
            value = unquote(match.group(2))
            found[unquote(match.group(1))] = None if value in {_NO_VALUE, ""} else value
    return found


def _is_part(file: Path, folder: Path) -> bool:
    return file.is_file() and not any(name.startswith((".", "_")) for name in file.relative_to(folder).parts)


def _natural(file: Path) -> list[tuple[int, int, str]]:
    pieces = _DIGITS.split(str(file))
    return [(0, int(piece), "") if number % 2 else (1, 0, piece) for number, piece in enumerate(pieces)]


def _fixed(path: Path) -> Path:
    """The folder of a pattern: what stands before its first part that is none."""
    for number, part in enumerate(path.parts):
        if glob.has_magic(part):
            return Path(*path.parts[:number])
    return path

"""Which files of a folder a source reads: below its root alone, all of them or those that are new."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import InputError
from core.intake.file_digest import FileState
from core.workloads.pipelines.state.marks import SeenFile


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to be read. path: where it is. seen: what is kept of it once its rows are published."""

    path: Path
    seen: SeenFile
    state: FileState


def files_of(root: Path, pattern: str, at: str) -> list[FoundFile]:
    """The files that a path or pattern below a root fits, by name; hidden and empty ones are left out.

    Args:
        root: resolved. at: what a sentence calls it.
    Raises InputError: a link leads out of the root.
    """
    names = sorted(glob.glob(pattern, root_dir=root, recursive=True))
    found = []
    for name in names:
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise InputError(f"{at}: {name} is a link that leaves it; put the file itself there", path=name)
        if path.is_file() and path.stat().st_size:
            state = FileState.of(path)
            found.append(FoundFile(path, SeenFile(name, state.n_bytes, state.written_ns), state))
    return found


def new_files(
    found: list[FoundFile], known: Mapping[str, SeenFile], which: Literal["new", "changed"] | None
) -> list[FoundFile]:
    """Those that were not read before; of `changed` also those of another size or time; None: all."""
    if which is None:
        return found
    if which == "new":
        return [one for one in found if one.seen.path not in known]
    return [one for one in found if known.get(one.seen.path) != one.seen]

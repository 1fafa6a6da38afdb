"""Where compiled kernels are kept: numba refuses to import any when it finds no place, which is no reason to stop."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import MutableMapping
from pathlib import Path

NAMED = "NUMBA_CACHE_DIR"


def place_kernels(environment: MutableMapping[str, str], home: Path, sources: Path) -> None:
    """Name a folder of this user's below the temporary ones where numba's own places cannot be written.

    Args:
        home: where numba would look last, in `.cache/numba`.
        sources: a package of kernels; their cache lies beside them.
    Raises:
        ConfigError: that folder cannot be had either.
    Cost: some microseconds where a place is found.
    """
    named = environment.get(NAMED)
    places = [Path(named)] if named else [sources / "__pycache__", _user_cache(environment, home) / "numba"]
    if any(_can_be_written(place) for place in places):
        return
    # Imported where it is needed: every command comes by here.
    import tempfile

    folder = Path(tempfile.gettempdir()) / f"headrace-kernels-{os.getuid()}"
    _make(folder, places)
    environment[NAMED] = str(folder)
    if named:
        sys.stderr.write(f"headrace: {NAMED}={named} cannot be written; compiled kernels are kept in {folder}\n")


def _user_cache(environment: MutableMapping[str, str], home: Path) -> Path:
    return Path(environment.get("XDG_CACHE_HOME") or home / ".cache")


def _can_be_written(place: Path) -> bool:
    existing = next(path for path in (place, *place.absolute().parents) if path.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _make(folder: Path, places: list[Path]) -> None:
    """Compiled code is loaded from there: nobody else may write it."""
    from core.errors import ConfigError

    tried = ", ".join(str(place) for place in places)
    advice = f"set {NAMED} to a folder that can be written (tried {tried})"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise ConfigError(f"compiled kernels cannot be kept in {folder} ({error.strerror}): {advice}") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o022:
        raise ConfigError(f"compiled kernels cannot be kept in {folder}, which others can write: {advice}")

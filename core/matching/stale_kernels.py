"""Compiled kernels that no longer fit their sources, and their end.

numba keeps compiled kernels beside the sources and drops one when its own file has changed. But a kernel contains the
ones it calls, wherever they stand; so a change to any source that may be compiled into them drops a package's kernels.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

MATCHING = Path(__file__).parent


def keep_fresh(folder: Path) -> bool:
    """Delete the compiled kernels of a package if its sources, or those of `core.matching`, are not what they were.

    Called by the `__init__` of each package that has kernels, before any of them is imported.

    Args:
        folder: the package; the folders below it belong to it.
    Returns:
        Whether any source had changed. A folder that cannot be written is left alone.
    Cost: 3 ms for `core.matching`.
    """
    digest = sha256((_digest(folder) + _digest(MATCHING)).encode()).hexdigest()
    marker = folder / "__pycache__" / "kernels.sha256"
    # As bytes: a damaged marker is no text, and no reason to stop.
    if marker.is_file() and marker.read_bytes() == digest.encode():
        return False
    with suppress(OSError):
        marker.parent.mkdir(exist_ok=True)
        for stale in folder.rglob("__pycache__/*.nb[ci]"):
            stale.unlink(missing_ok=True)
        marker.write_text(digest)
    return True


def _digest(folder: Path) -> str:
    return _digest_of_matching() if folder == MATCHING else _digest_of(folder)


@cache
def _digest_of_matching() -> str:
    return _digest_of(MATCHING)


def _digest_of(folder: Path) -> str:
    """Of names and contents: a source that moved is another one."""
    found = sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        found.update(f"{path.relative_to(folder)} {len(content)}\n".encode() + content)
    return found.hexdigest()

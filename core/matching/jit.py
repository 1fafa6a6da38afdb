"""How kernels are compiled: without the GIL, cached on disk, never parallel and never with relaxed arithmetic.

numba's own threads would make sums depend on their number and cannot be started twice at once; the callers run kernels
on their own threads instead.

The cache lies beside the sources. numba drops a cached kernel when its own file has changed, but a kernel contains the
ones it calls, wherever they stand; so a change to any source here drops them all.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TypeVar, cast

from numba import njit

R = TypeVar("R")


def kernel(function: Callable[..., R]) -> Callable[..., R]:
    """Compile a function over arrays and scalars. `__wrapped__` and `py_func` are the plain one."""
    return cast("Callable[..., R]", njit(nogil=True, cache=True)(function))


def drop_stale_kernels(folder: Path) -> bool:
    """Delete the compiled kernels of a folder unless they were made from its sources as they are.

    Returns:
        Whether any source had changed. A folder that cannot be written is left alone.
    Cost: 2 ms for this package.
    """
    digest = sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))).hexdigest()
    cache = folder / "__pycache__"
    marker = cache / "kernels.sha256"
    if marker.is_file() and marker.read_text() == digest:
        return False
    with suppress(OSError):
        cache.mkdir(exist_ok=True)
        for stale in cache.glob("*.nb[ci]"):
            stale.unlink(missing_ok=True)
        marker.write_text(digest)
    return True


drop_stale_kernels(Path(__file__).parent)

"""How kernels are compiled: without the GIL, cached on disk, never parallel and never with relaxed arithmetic.

numba's own threads would make sums depend on their number and cannot be started twice at once; the callers run kernels
on their own threads instead.

The cache lies beside the sources. numba drops a cached kernel when its own file has changed, but a kernel contains the
ones it calls, wherever they stand; so a change to any source here drops them all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TypeVar, cast

from numba import njit
from numba.core.registry import cpu_target

R = TypeVar("R")

_OPTIONAL = ("scipy.linalg", "cffi")


def load_numba_types() -> None:
    """Let numba load its types now, without two optional modules that no kernel needs.

    Otherwise it does so at the first kernel, and imports scipy's linear algebra for `numpy.dot`, and cffi, if they are
    installed: half of the time that this takes (0.26 s instead of 0.13 s). Neither is hidden from anyone afterwards.
    """
    hidden = [name for name in _OPTIONAL if name not in sys.modules]
    # None makes an import fail as if the module were not installed, which numba allows for.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        cpu_target.typing_context.refresh()
        cpu_target.target_context.refresh()
    finally:
        for name in hidden:
            del sys.modules[name]


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


load_numba_types()
drop_stale_kernels(Path(__file__).parent)

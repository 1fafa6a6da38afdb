"""How kernels are compiled: without the GIL, cached on disk, never parallel and never with relaxed arithmetic.

numba's own threads would make sums depend on their number and cannot be started twice at once; the callers run kernels
on their own threads instead. What is cached is kept fresh by `core.matching.stale_kernels`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
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


load_numba_types()

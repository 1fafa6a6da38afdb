"""How kernels are compiled: without the GIL, cached on disk, never parallel and never with relaxed arithmetic.

numba's own threads would make sums depend on their number and cannot be started twice at once; the callers run kernels
on their own threads instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

R = TypeVar("R")


def kernel(function: Callable[..., R]) -> Callable[..., R]:
    """Compile a function over arrays and scalars. `__wrapped__` and `py_func` are the plain one."""
    return cast("Callable[..., R]", njit(nogil=True, cache=True)(function))

"""How kernels are compiled: without the GIL, cached on disk, never parallel and never with relaxed arithmetic.

numba's own threads would make sums depend on their number and cannot be started twice at once; the callers run kernels
on their own threads instead. What is cached is kept fresh by `core.matching.stale_kernels`.

They are compiled for x86-64-v3 (Haswell, Zen and newer) where the processor is at least that, so that a wheel can bring
them; numba looks up what it has compiled by that name, and compiles for the processor it meets where it is less.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast
from zlib import crc32

import numba
from llvmlite.binding import get_host_cpu_features
from numba import njit, types
from numba.core.caching import UserProvidedCacheLocator
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

R = TypeVar("R")

_OPTIONAL = ("scipy.linalg", "cffi")
_unliteral: Callable[[Any], Any] = types.unliteral
_subfolder: Callable[[str], str] = UserProvidedCacheLocator.get_suitable_cache_subpath
# Not typed: what numba is told by NUMBA_* variables.
config: Any = numba.config


PORTABLE = "x86-64-v3"
_PORTABLE_NEEDS = frozenset(
    "avx avx2 bmi bmi2 cx16 f16c fma lzcnt movbe popcnt sahf sse3 sse4.1 sse4.2 ssse3 xsave".split()
)


def choose_processor(features: Mapping[str, bool]) -> str | None:
    """Let numba compile for `PORTABLE` if the processor has what that needs and nobody has chosen another.

    Returns:
        The processor that kernels are compiled for; None: the one at hand, as numba does by itself.
    """
    if config.CPU_NAME is None and config.CPU_FEATURES is None:
        if not all(features.get(name) for name in _PORTABLE_NEEDS):
            return None
        config.CPU_NAME, config.CPU_FEATURES = PORTABLE, ""
    return cast("str | None", config.CPU_NAME)


def keep_in_order(package: Path, home: Path) -> None:
    """Let numba find the kernels of an installation that it may not write to: in a copy below the user's cache.

    numba only loads from where it could store. A copy that cannot be made is left out; kernels are compiled then.

    Args:
        package: `core`. home: the user's; `XDG_CACHE_HOME` counts before it.
    Cost: some microseconds, and half a second the first time.
    """
    marker = package / "matching" / "__pycache__" / "kernels.sha256"
    if config.CACHE_DIR or os.access(marker.parent, os.W_OK) or not marker.is_file():
        return
    caches = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    target = caches / "headrace" / f"kernels-{marker.read_text()[:16]}"
    if not target.is_dir():
        with suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(prefix=".kernels-", dir=target.parent))
            for found in sorted(package.rglob("__pycache__/*.nb[ci]")):
                inside = scratch / _subfolder(str(found.parents[1] / "x.py"))
                inside.mkdir(exist_ok=True)
                shutil.copyfile(found, inside / found.name)
            # Another process may have been first.
            with suppress(OSError):
                scratch.rename(target)
            shutil.rmtree(scratch, ignore_errors=True)
    if target.is_dir():
        config.CACHE_DIR = str(target)


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
    """Compile a function over arrays and scalars. `__wrapped__` and `py_func` are the plain one.

    A kernel is compiled once for its types, whoever needs it first: numbers written out in a call to it count as any
    number of their type, and of processes that need it at once one compiles it while the others wait.
    """
    dispatcher: Any = njit(nogil=True, cache=True)(function)
    template, compiled = dispatcher.get_call_template, dispatcher.compile

    def template_of(arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return template(tuple(map(_unliteral, arguments)), {name: _unliteral(value) for name, value in named.items()})

    def compile_alone(signature: Any) -> Any:
        # numba's own lock comes first: a thread that has it would wait for a file of ours that waits for it.
        with global_compiler_lock, _claimed(Path(dispatcher.stats.cache_path), function):
            return compiled(signature)

    dispatcher.get_call_template, dispatcher.compile = template_of, compile_alone
    return cast("Callable[..., R]", dispatcher)


@contextmanager
def _claimed(folder: Path, function: Callable[..., Any]) -> Iterator[None]:
    """Hold one byte of a file beside the compiled kernels, against other processes; no claim where that cannot be.

    Kernels claim those that they call, never in a circle. Claims end with the process.
    """
    place = crc32(f"{function.__module__}.{function.__qualname__}".encode())
    file = None
    # The system refuses what would be a deadlock, a full table of locks, and file systems without locks.
    with suppress(OSError):
        file = _claims(folder)
        fcntl.lockf(file, fcntl.LOCK_EX, 1, place)
    try:
        yield
    finally:
        if file is not None:
            with suppress(OSError):
                fcntl.lockf(file, fcntl.LOCK_UN, 1, place)


@cache
def _claims(folder: Path) -> int:
    """A descriptor, opened once: to close any other of the file would end all claims of this process.

    Open to the end of the process, and so no file object: of one, Python would say then that nobody closed it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / "kernels.lock", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)


choose_processor(get_host_cpu_features())
keep_in_order(Path(__file__).parents[1], Path(os.path.expanduser("~")))
load_numba_types()

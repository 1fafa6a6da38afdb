"""How kernels are compiled: without the GIL, cached on disk, never parallel and never with relaxed arithmetic.

numba's own threads would make sums depend on their number and cannot be started twice at once; the callers run kernels
on their own threads instead. What is cached is kept fresh by `core.matching.stale_kernels`.

They are compiled for x86-64-v3 (Haswell, Zen and newer) where the processor is at least that, so that a wheel can bring
them; numba looks up what it has compiled by that name, and compiles for the processor it meets where it is less.
"""

from __future__ import annotations

import fcntl
import io
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast
from zlib import crc32

import numba
from llvmlite.binding import get_host_cpu_features
from numba import njit, types
from numba.core.caching import IndexDataCacheFile, UserProvidedCacheLocator
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

R = TypeVar("R")
log = logging.getLogger(__name__)

SEAL_BYTES = sha256().digest_size
# Not typed.
_Files: Any = IndexDataCacheFile

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
    target = caches / "headrace" / f"kernels-{marker.read_text(errors='replace')[:16]}"
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
    # Without the entry for callers in C, which nobody has: a sixth of the time that compiling takes.
    dispatcher: Any = cast(Any, njit)(nogil=True, cache=True, no_cfunc_wrapper=True)(function)
    template, compiled = dispatcher.get_call_template, dispatcher.compile
    kept = dispatcher._cache
    kept._cache_file = SealedFiles(kept.cache_path, kept._impl.filename_base, kept._impl.locator.get_source_stamp())

    def template_of(arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return template(tuple(map(_unliteral, arguments)), {name: _unliteral(value) for name, value in named.items()})

    def compile_alone(signature: Any) -> Any:
        # numba's own lock comes first: a thread that has it would wait for a file of ours that waits for it.
        with global_compiler_lock, _claimed(Path(dispatcher.stats.cache_path), function):
            return compiled(signature)

    dispatcher.get_call_template, dispatcher.compile = template_of, compile_alone
    return cast("Callable[..., R]", dispatcher)


def sealed(content: bytes) -> bytes:
    """The content with its digest behind it."""
    return content + sha256(content).digest()


def intact(path: Path) -> bool:
    """Whether a file can be read and fits its digest. Cost: one pass over some ten kilobytes."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return sealed(content[:-SEAL_BYTES]) == content


class SealedFiles(_Files):  # type: ignore[misc]
    """Index and data files of one kernel, each with its digest at its end; what is damaged counts as not there.

    A full disk, a power cut or a copy that was killed leaves empty or cut files, and numba would load whatever it
    finds: that ends in an error of pickle at the best and in a crash at the worst. Pickle reads nothing behind its end.
    """

    def save(self, key: Any, data: Any) -> None:
        """Keep a compiled kernel; where that cannot be, it is compiled again by the next process."""
        try:
            super().save(key, data)
        except OSError as error:
            _say_not_kept(self._cache_path, error.strerror or type(error).__name__)

    def _load_index(self) -> Any:
        return super()._load_index() if _usable(Path(self._index_path)) else {}

    def _load_data(self, name: str) -> Any:
        path = Path(self._data_path(name))
        if not _usable(path):
            # numba takes this for a file that was removed, and compiles.
            raise FileNotFoundError(path)
        return super()._load_data(name)

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[io.BytesIO]:
        content = io.BytesIO()
        yield content
        with super()._open_for_write(filepath) as file:
            file.write(sealed(content.getvalue()))


def _usable(path: Path) -> bool:
    """Whether the file is there and intact; one that is damaged is taken away."""
    if not os.path.lexists(path):
        return False
    if intact(path):
        return True
    _say_damaged(path.parent)
    with suppress(OSError):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    return False


@cache
def _say_damaged(folder: Path) -> None:
    log.warning("compiled kernels in %s are damaged: they are thrown away and compiled again", folder)


@cache
def _say_not_kept(folder: str, why: str) -> None:
    log.warning("compiled kernels cannot be kept in %s (%s): each process compiles its own", folder, why)


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

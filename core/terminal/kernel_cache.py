"""Compiled kernels: where they are kept, and the first run, which compiles them.

numba refuses to import any kernel when it finds no place, which is no reason to stop.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path

NAMED = "NUMBA_CACHE_DIR"
# Those that need kernels which no other command does.
WITH_KERNELS_OF_WORKLOADS = frozenset({"reconcile"})
WITH_KERNELS = WITH_KERNELS_OF_WORKLOADS | {
    "match", "lookup", "explain", "evaluate", "model", "bench", "consume", "demo", "up"
}  # fmt: skip
# Benches of the platform alone.
WITHOUT_KERNELS = frozenset({"queue", "headers", "records", "scale", "table"})
READY = f"kernels-{sys.implementation.cache_tag}.ready"
READY_OF_WORKLOADS = f"workloads-{READY}"


def place_kernels(environment: MutableMapping[str, str], home: Path, sources: Path) -> None:
    """Name a folder of this user's below the temporary ones where numba's own places cannot be written.

    Args:
        home: where numba would look last, in `.cache/numba`.
        sources: a package of kernels; their cache lies beside them.
    Raises:
        ConfigError: that folder cannot be had either.
    Cost: some microseconds where a place is found.
    """
    named, looked_at = environment.get(NAMED), places(environment, home, sources)
    if any(_can_be_written(place) for place in looked_at):
        return
    # Imported where it is needed: every command comes by here.
    import tempfile

    folder = Path(tempfile.gettempdir()) / f"headrace-kernels-{os.getuid()}"
    _make(folder, looked_at)
    environment[NAMED] = str(folder)
    if named:
        sys.stderr.write(f"headrace: {NAMED}={named} cannot be written; compiled kernels are kept in {folder}\n")


def compile_first(arguments: Sequence[str], environment: MutableMapping[str, str], home: Path, sources: Path) -> None:
    """Compile all kernels before a command that needs some, if none were compiled for this processor: with one line.

    Args:
        arguments: of the command line. The others as for `place_kernels`, which comes first.
    Cost: where there is something to look at, the import of the kernels' compiler, which the command needs anyway.
    """
    if not _needs_kernels(arguments):
        return
    found, engine_alone = places(environment, home, sources), arguments[0] not in WITH_KERNELS_OF_WORKLOADS
    if _is_ready(found, READY if engine_alone else READY_OF_WORKLOADS):
        return
    sys.stderr.write("headrace: compiling the kernels for this processor, once; it takes about a minute\n")
    compile_kernels(found, sources.parent, engine_alone=engine_alone)


def _needs_kernels(arguments: Sequence[str]) -> bool:
    if not arguments or arguments[0] not in WITH_KERNELS or "--help" in arguments:
        return False
    match arguments[0]:
        case "bench":
            return not WITHOUT_KERNELS.intersection(arguments[1:2])
        case "consume":
            return not any(word.partition("=")[0] == "--handler" for word in arguments)
    return True


def compile_kernels(looked_at: Sequence[Path], core: Path, *, engine_alone: bool = False) -> bool:
    """Compile in processes of their own, with a bar on a terminal; returns whether that went well.

    Args:
        looked_at: places for the mark. core: the package. engine_alone: leave out what workloads have of their own.

    What is missing then is compiled when it is needed.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    total = sum(path.read_text(encoding="utf-8").count("\n@kernel") for path in core.rglob("*.py"))
    console = Console(stderr=True)
    columns = (TextColumn("kernels"), BarColumn(), TextColumn("{task.completed} of {task.total}"), TimeElapsedColumn())
    command = [sys.executable, "-c", f"from core.workloads.__main__ import warm; warm({'[]' if engine_alone else ''})"]
    environment = {**os.environ, "KERNEL_DOTS": "1"}
    with (
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
        subprocess.Popen(command, cwd=core.parent, env=environment, stdout=subprocess.PIPE) as compiler,  # noqa: S603
    ):
        bar = progress.add_task("", total=total)
        while compiler.stdout is not None and compiler.stdout.read(1):
            progress.advance(bar)
    if compiler.returncode == 0:
        _mark(looked_at, (READY,) if engine_alone else (READY, READY_OF_WORKLOADS))
    return compiler.returncode == 0


def _mark(looked_at: Sequence[Path], marks: Sequence[str]) -> None:
    for place in filter(_can_be_written, looked_at):
        with suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            for mark in marks:
                (place / mark).write_text(_compiled_for())
            break


def _is_ready(looked_at: Sequence[Path], mark: str) -> bool:
    marks = [place / mark for place in looked_at]
    return any(mark.is_file() and mark.read_text(errors="replace") == _compiled_for() for mark in marks)


def _compiled_for() -> str:
    """The processor, as kernels are compiled for it, and what else makes those of before useless."""
    from importlib.metadata import version

    from llvmlite.binding import get_host_cpu_name

    from core.matching.jit import config

    return f"{config.CPU_NAME or get_host_cpu_name()} numba-{version('numba')} headrace-{version('headrace')}"


def places(environment: MutableMapping[str, str], home: Path, sources: Path) -> list[Path]:
    """Where numba would keep kernels, in its order."""
    named = environment.get(NAMED)
    if named:
        return [Path(named)]
    # A home that nobody knows stays a "~", which numba would make a folder of where somebody stands.
    known = home.is_absolute() or bool(environment.get("XDG_CACHE_HOME"))
    return [sources / "__pycache__", *([_user_cache(environment, home) / "numba"] if known else [])]


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

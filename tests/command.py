"""The command line in the test's own process: what a process of its own would say, without the seconds of its imports.

For tests of what a command does. Where the process is what is tested (its start, signals, its end, what it leaves
behind), it is started.
"""

from __future__ import annotations

import io
import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from core.cli.app import build
from core.terminal.guard import guarded


def headrace(
    *arguments: object, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> CompletedProcess[str]:
    """`headrace ARGUMENTS`, with `env` beside the environment; its exit code and what it printed."""
    words = [str(each) for each in arguments]
    return in_process(lambda: build()(words, prog_name="headrace"), words, env=env, cwd=cwd)


def in_process(
    run: Callable[[], object], words: list[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> CompletedProcess[str]:
    """Run what a module runs as the main one; errors of ours become a sentence and an exit code as they do there."""
    out, err = io.StringIO(), io.StringIO()
    code: int | str | None = 0
    with _as_it_was(), _environment(env or {}), chdir(cwd or Path.cwd()), redirect_stdout(out), redirect_stderr(err):
        try:
            guarded(run)
        except SystemExit as end:
            code = end.code
    assert code is None or isinstance(code, int), code
    return CompletedProcess(words, code or 0, out.getvalue(), err.getvalue())


@contextmanager
def _environment(env: Mapping[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        yield


@contextmanager
def _as_it_was() -> Iterator[None]:
    """What a command changes in its process: the loggers' root, and who hears a signal."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in signals.items():
            signal.signal(number, handler)
        root.handlers[:], root.level = handlers, level

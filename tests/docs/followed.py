"""A page of the docs, followed: its `sh` blocks run from the first line to the last, in one folder.

A block that stands right below a line ending in "`NAME`:" is the content of that file. Commands of ours and scripts run
in the test's own process, everything else in a shell.
"""

from __future__ import annotations

import io
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.architecture.tree import ROOT
from tests.command import headrace, in_process

FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
FILE_ABOVE = re.compile(r"`([\w./-]+)`:\s*\Z")
# What a user does once and this checkout has behind it.
INSTALLING = ("make setup", ". .venv/bin/activate", "python3 -m venv", "headrace-env/", "headrace --version")
# Lines that are passed over, and why.
NOT_RUN = {
    "s3://": "a bucket: tests/integration/intake and tests/integration/storage have one",
    "headrace bench": "a measurement takes minutes",
}
WRITES = {"--out", "--entities"}
# Pages begin with the same file, and many with the same match of it.
SHARED_STEPS = 2

Headrace = Callable[..., "CompletedProcess[str]"]


@dataclass(frozen=True)
class Step:
    """A file to be written, or a line to be run."""

    line: str
    file: str | None = None


def page_text(page: str) -> str:
    """The text of a page; `README.md#Your own file` is one section of it."""
    path, _, heading = page.partition("#")
    text = (ROOT / path).read_text(encoding="utf-8")
    return text if not heading else text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def steps(text: str) -> Iterator[Step]:
    """What a reader of the page does, in order."""
    for block in FENCE.finditer(text):
        language, content = block.groups()
        named = FILE_ABOVE.search(text, 0, block.start())
        if language == "sh":
            yield from (Step(line) for line in content.replace("\\\n", " ").splitlines() if line.strip())
        elif named is not None and language != "text":
            yield Step(content, named[1])


@dataclass
class Reader:
    """Somebody who follows pages, each in an empty folder. What pages begin with in the same words is done once."""

    home: Path
    env: Mapping[str, str] = field(default_factory=dict)
    run: Headrace = headrace

    def follow(self, page: str, *, up_to: str | None = None) -> Path:
        """Do all that the page says, unless that was done; fails with the line that does not work.

        up_to: stop before a line with these words.
        """
        text = page_text(page)
        folder = self.home / re.sub(r"\W+", "-", page)
        if folder.is_dir():
            return folder
        folder.mkdir()
        begun: list[str] = []
        for step in steps(text):
            if up_to is not None and step.file is None and up_to in step.line:
                break
            if step.line.startswith(INSTALLING):
                continue
            begun.append(f"{step.file or ''} {step.line.removeprefix('.venv/bin/')}")
            self._do(page, step, folder, "\n".join(begun))
        lost = sorted(name for name in files_spoken_of(text) if not (folder / name).is_file())
        assert not lost, f"{page} speaks of files that its commands do not write: {lost}"
        return folder

    def _do(self, page: str, step: Step, folder: Path, begun: str) -> None:
        if step.file is not None:
            (folder / step.file).parent.mkdir(exist_ok=True, parents=True)
            (folder / step.file).write_text(step.line, encoding="utf-8")
            return
        kept = self.home / "kept" / str(abs(hash(begun)))
        if kept.is_dir():
            shutil.copytree(kept, folder, dirs_exist_ok=True)
            return
        done = self._ran(step.line, folder)
        assert done.returncode == 0, f"{page}: `{step.line}` ended with {done.returncode}\n{done.stdout}{done.stderr}"
        for name in written_by(step.line):
            assert (folder / name).exists(), f"{page}: `{step.line}` wrote no {name}"
        if begun.count("\n") < SHARED_STEPS and "--via" not in step.line:
            shutil.copytree(folder, kept)

    def _ran(self, line: str, folder: Path) -> CompletedProcess[str]:
        if any(part in line for part in NOT_RUN):
            return CompletedProcess(line, 0, "", "")
        before, pipe, command = line.rpartition(" | ")
        if pipe and command.startswith("headrace "):
            with given(self._shell(before, folder).stdout):
                return self._ran(command, folder)
        words = shlex.split(line, comments=True)
        program, inside = words[0].removeprefix(".venv/bin/"), not {"|", ">", "<", "&&"} & set(words)
        if program == "headrace" and inside:
            assert self.run is not headrace or "prefect" not in words, f"`{line}` wants the servers of the run"
            with importable(folder):
                return self.run(*words[1:], env=self.env, cwd=folder)
        if program == "python" and inside:
            return script(folder / words[1], self.env)
        assert "headrace" not in words, f"`{line}`: give a command of ours a line to itself"
        return self._shell(line, folder)

    def _shell(self, line: str, folder: Path) -> CompletedProcess[str]:
        return subprocess.run(["sh", "-ec", line], cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def script(path: Path, env: Mapping[str, str]) -> CompletedProcess[str]:
    """`python PATH` in its folder."""
    with importable(path.parent):
        return in_process(lambda: runpy.run_path(str(path), run_name="__main__"), [], env=env, cwd=path.parent)


@contextmanager
def given(text: str) -> Iterator[None]:
    """What a pipe gives, on standard input."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        yield


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Modules of a folder can be imported, also by processes started meanwhile; none of them stays."""
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setenv("PYTHONPATH", str(folder), prepend=":")
        yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


def written_by(line: str) -> list[str]:
    """Files that a command is told to write."""
    words = shlex.split(line.rpartition(" | ")[2], comments=True)
    if "--plan" in words or any(part in line for part in NOT_RUN) or not words[0].endswith("headrace"):
        return []
    return [file for option, file in pairwise(words) if option in WRITES]


def files_spoken_of(text: str) -> set[str]:
    """Files in backticks whose stem is that of an output: `june.changes.parquet` where some `--out june.parquet`."""
    outputs = {Path(name).name for step in steps(text) if step.file is None for name in written_by(step.line)}
    stems = {name.split(".")[0] for name in outputs}
    prose = FENCE.sub("", text)
    return {name for name in re.findall(r"`(\w+(?:\.\w+)+)`", prose) if name.split(".")[0] in stems}

from __future__ import annotations

import importlib
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.caching import UserProvidedCacheLocator

from core.matching import jit
from core.matching.jit import (
    _PORTABLE_NEEDS,
    PORTABLE,
    SEAL_BYTES,
    _claimed,
    choose_processor,
    config,
    intact,
    keep_in_order,
    sealed,
)


def test_importing_the_engine_leaves_out_what_it_does_not_need():
    code = (
        "import sys, core.linkage.resolve, core.matching.text.hashing as h\n"
        "h.hash_text('ann')\n"
        "print([name for name in ('scipy.linalg', 'scipy.optimize', 'cffi') if name in sys.modules])\n"
        "import scipy.linalg\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert run.stdout.strip() == "[]"


WRITTEN_OUT = """
from core.matching.jit import kernel

@kernel
def plus(left, right):
    return left + right

@kernel
def plus_three_times(left):
    return plus(left, 1) + plus(2, left) + plus(left, left)
"""


def test_numbers_written_out_make_no_second_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A module of its own: what an earlier run had compiled would be loaded instead.
    (tmp_path / "written_out.py").write_text(WRITTEN_OUT)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("written_out")
    assert module.plus_three_times(np.int64(5)) == 6 + 7 + 10
    assert [tuple(map(str, signature)) for signature in signatures(module.plus)] == [("int64", "int64")]


def signatures(compiled: Any) -> list[Any]:
    return list(compiled.signatures)


NEEDED = """
from core.matching.jit import kernel

@kernel
def doubled(x):
    return x + x

def main():
    print("needs it", flush=True)
    print(doubled(21), sum(doubled.stats.cache_misses.values()))
"""


def test_a_kernel_that_two_processes_need_is_compiled_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needed.py").write_text(NEEDED)
    monkeypatch.syspath_prepend(tmp_path)
    needed = importlib.import_module("needed")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}"}
    with _claimed(Path(needed.doubled.stats.cache_path), needed.doubled.py_func):
        other = subprocess.Popen(
            [sys.executable, "-c", "import needed; needed.main()"], stdout=subprocess.PIPE, env=environment, text=True
        )
        assert other.stdout is not None
        assert other.stdout.readline() == "needs it\n"
        assert needed.doubled(4) == 8
    assert other.communicate(timeout=120)[0] == "42 0\n", "the other one waits, and loads what this one has made"


def test_what_holds_claims_is_let_go_without_a_complaint(tmp_path: Path) -> None:
    # Warnings are errors here: of a file object Python would say that nobody closed it.
    held = jit._claims.__wrapped__(tmp_path)
    assert not os.get_inheritable(held)
    os.close(held)


def test_kernels_are_compiled_where_nothing_can_be_claimed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with _claimed(tmp_path / "file" / "below", signatures):
        pass


def test_every_kernel_is_made_here() -> None:
    """One made by numba's own decorator would be compiled once more for each number written out in a call."""
    core = Path(jit.__file__).parents[1]
    own = [path.name for path in core.rglob("*.py") if re.search(r"\bnjit\b", path.read_text(encoding="utf-8"))]
    assert own == ["jit.py"]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What numba is told, as if nobody had chosen anything."""
    for name, value in {"CPU_NAME": None, "CPU_FEATURES": None, "CACHE_DIR": ""}.items():
        monkeypatch.setattr(config, name, value)
    return config


def test_kernels_are_compiled_for_one_processor_where_it_is_at_least_that(settings: Any) -> None:
    able = dict.fromkeys(_PORTABLE_NEEDS, True)
    assert choose_processor({**able, "avx2": False}) is None
    assert choose_processor({}) is None
    assert settings.CPU_NAME is None
    assert choose_processor({**able, "avx512f": False}) == PORTABLE
    assert (settings.CPU_NAME, settings.CPU_FEATURES) == (PORTABLE, "")
    settings.CPU_NAME = "generic"
    assert choose_processor(able) == "generic", "who has chosen one gets it"


def test_kernels_of_an_installation_that_cannot_be_written_are_copied_once(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    compiled = tmp_path / "core/matching/text/__pycache__"
    compiled.mkdir(parents=True)
    (compiled / "a.f-1.py311.nbi").write_text("index")
    (tmp_path / "core/matching/__pycache__").mkdir()
    keep_in_order(tmp_path / "core", tmp_path)
    (tmp_path / "core/matching/__pycache__/kernels.sha256").write_text("0123456789abcdefgh")
    keep_in_order(tmp_path / "core", tmp_path)
    assert settings.CACHE_DIR == "", "what can be written is used where it lies"
    monkeypatch.setattr("os.access", lambda *_: False)
    for _ in range(2):
        keep_in_order(tmp_path / "core", tmp_path)
        settings.CACHE_DIR, found = "", Path(settings.CACHE_DIR)
        assert found == tmp_path / ".cache/headrace/kernels-0123456789abcdef"
        locator = UserProvidedCacheLocator(signatures, str(compiled.parent / "a.py"))
        assert (found / Path(locator.get_cache_path()).name / "a.f-1.py311.nbi").read_text() == "index"
    assert [path.name for path in found.parent.iterdir()] == ["kernels-0123456789abcdef"]
    (tmp_path / "file").touch()
    keep_in_order(tmp_path / "core", tmp_path / "file")
    assert settings.CACHE_DIR == "", "no place for a copy: kernels are compiled"


DAMAGED = """
from core.matching.jit import kernel

@kernel
def thrice(x):
    return 3 * x
"""

Load = Callable[[], Any]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """The kernel of a module of its own, as a fresh process would load it."""
    (tmp_path / "damaged.py").write_text(DAMAGED)
    monkeypatch.syspath_prepend(tmp_path)
    jit._say_damaged.cache_clear()
    jit._say_not_kept.cache_clear()

    def fresh() -> Any:
        sys.modules.pop("damaged", None)
        return importlib.import_module("damaged").thrice

    return fresh


def misses(compiled: Any) -> int:
    return sum(compiled.stats.cache_misses.values())


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def turned(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "nothing")


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "turned": turned,
    "garbage": lambda path: path.write_bytes(b"garbage" * 99),
    "a folder": a_folder,
    "a dangling link": a_dangling_link,
}


@pytest.mark.parametrize("kind", ["*.nbi", "*.nbc"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_kernels_are_compiled_again(
    load: Load, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, damage: str
) -> None:
    assert load()(2) == 6
    sound = load()
    assert (sound(2), misses(sound)) == (6, 0)
    found = list(tmp_path.rglob(kind))
    assert found
    for path in found:
        DAMAGES[damage](path)
    with caplog.at_level(logging.WARNING):
        mended = load()
        assert (mended(2), misses(mended)) == (6, 1)
    (said,) = caplog.messages
    assert said == f"compiled kernels in {found[0].parent} are damaged: they are thrown away and compiled again"
    again = load()
    assert (again(2), misses(again)) == (6, 0)


def test_kernels_that_cannot_be_kept_still_run(
    load: Load, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What an index that cannot be replaced does: a folder that is not empty stands in its place.
    assert load()(2) == 6
    (index,) = tmp_path.rglob("*.nbi")
    shutil.rmtree(index, ignore_errors=True)
    index.unlink(missing_ok=True)
    (index / "in the way").mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        assert load()(2) == 6
    assert any("cannot be kept" in line and "compiles its own" in line for line in caplog.messages)


def test_intact_asks_for_the_digest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert not intact(path)
    for content, answer in ((sealed(b"x"), True), (b"", False), (b"x" * SEAL_BYTES, False), (sealed(b""), True)):
        path.write_bytes(content)
        assert intact(path) is answer

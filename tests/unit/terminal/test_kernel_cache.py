from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.terminal.kernel_cache import NAMED, compile_first, compile_kernels, place_kernels, places

ROOT = Path(__file__).parents[3]


@pytest.fixture
def blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A path below a file: nothing can be made there, not even by root. Temporary folders are in `tmp`."""
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return tmp_path / "file" / "x"


def test_kernels_stay_where_numba_can_write(tmp_path: Path, blocked: Path) -> None:
    for home, sources in ((blocked, tmp_path), (tmp_path, blocked)):
        environment: dict[str, str] = {}
        place_kernels(environment, home, sources)
        assert environment == {}
    environment = {NAMED: str(tmp_path)}
    place_kernels(environment, blocked, blocked)
    assert environment == {NAMED: str(tmp_path)}


def test_kernels_go_to_a_private_folder_otherwise(
    blocked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tmp" / f"headrace-kernels-{os.getuid()}"
    environment: dict[str, str] = {}
    place_kernels(environment, blocked, blocked)
    assert (environment, folder.stat().st_mode & 0o777) == ({NAMED: str(folder)}, 0o700)
    assert capsys.readouterr().err == ""
    environment = {NAMED: str(blocked)}
    place_kernels(environment, blocked, blocked)
    assert environment == {NAMED: str(folder)}
    assert capsys.readouterr().err.startswith(f"headrace: {NAMED}={blocked} cannot be written; compiled kernels are")


def test_kernels_are_not_loaded_from_a_folder_of_others(blocked: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tmp" / f"headrace-kernels-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(ConfigError, match="which others can write: set NUMBA_CACHE_DIR"):
        place_kernels({}, blocked, blocked)
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="which others can write"):
        place_kernels({}, blocked, blocked)


def test_commands_place_kernels_first(blocked: Path, tmp_path: Path) -> None:
    environment = os.environ | {NAMED: str(blocked), "TMPDIR": str(tmp_path / "tmp"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "core.cli", "generate", "--help"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr.count(f"{NAMED}={blocked} cannot be written") == 1


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A package of kernels that were never compiled, and a compiler that needs no time: it makes one of two."""
    (tmp_path / "core/workloads").mkdir(parents=True)
    (tmp_path / "core/matching").mkdir()
    for package in ("core", "core/workloads"):
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "core/matching/kernels.py").write_text("\n@kernel\n\n@kernel\n")
    (tmp_path / "core/workloads/__main__.py").write_text(
        "import os\ndef warm(found='all'):\n    os.write(1, os.environ['KERNEL_DOTS'].encode())\n"
        "    open('compiled', 'a').write(f'{found} ')\n"
    )
    return tmp_path / "core/matching"


def test_the_first_command_with_kernels_says_that_it_compiles_them(
    fresh: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_handler = ["consume", "--flow", "survey", "--handler=jobs.survey:score"]
    for arguments in ([], ["queue", "status"], ["match", "--help"], ["bench", "queue"], with_handler):
        compile_first(arguments, {}, tmp_path, fresh)
    assert capsys.readouterr().err == ""
    compile_first(["match", "a.csv"], {}, tmp_path, fresh)
    assert capsys.readouterr().err.splitlines() == [
        "headrace: compiling the kernels for this processor, once; it takes about a minute"
    ]
    compile_first(["match", "a.csv"], {}, tmp_path, fresh)
    assert capsys.readouterr().err == ""
    assert (tmp_path / "compiled").read_text() == "[] "
    (mark,) = (fresh / "__pycache__").iterdir()
    mark.write_text("another processor")
    compile_first(["consume", "--queue", "default"], {}, tmp_path, fresh)
    assert (tmp_path / "compiled").read_text() == "[] [] "
    for _ in "twice":
        compile_first(["reconcile", "--help"], {}, tmp_path, fresh)
        compile_first(["reconcile", "--out", "r"], {}, tmp_path, fresh)
        compile_first(["match", "a.csv"], {}, tmp_path, fresh)
    assert (tmp_path / "compiled").read_text() == "[] [] all "


def test_a_command_goes_on_where_kernels_cannot_be_compiled_ahead(fresh: Path, tmp_path: Path) -> None:
    (tmp_path / "core/workloads/__main__.py").write_text("raise SystemExit(1)")
    assert not compile_kernels([fresh / "__pycache__"], fresh.parent)
    assert not (fresh / "__pycache__").exists()


def test_places_leaves_out_the_cache_of_a_home_that_nobody_knows(tmp_path: Path) -> None:
    assert places({}, Path("~"), tmp_path) == [tmp_path / "__pycache__"]
    assert places({"XDG_CACHE_HOME": "/c"}, Path("~"), tmp_path)[1:] == [Path("/c/numba")]

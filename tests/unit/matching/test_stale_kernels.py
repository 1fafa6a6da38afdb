from __future__ import annotations

from pathlib import Path

from core.matching.stale_kernels import keep_fresh


def package(folder: Path) -> list[Path]:
    """A package with a room in it; returns where its compiled kernels lie."""
    (folder / "room").mkdir()
    (folder / "a.py").write_text("x = 1")
    (folder / "room" / "b.py").write_text("y = 1")
    return [folder / "__pycache__" / "a.f-1.nbi", folder / "room" / "__pycache__" / "b.f-1.1.nbc"]


def compile_into(paths: list[Path]) -> None:
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"code")


def test_compiled_kernels_go_when_any_source_changes_and_stay_otherwise(tmp_path: Path) -> None:
    compiled = package(tmp_path)
    assert keep_fresh(tmp_path)
    compile_into(compiled)
    assert not keep_fresh(tmp_path)
    assert all(path.exists() for path in compiled)
    (tmp_path / "room" / "b.py").write_text("y = 2")
    assert keep_fresh(tmp_path)
    assert not any(path.exists() for path in compiled)


def test_compiled_kernels_go_when_a_source_moves(tmp_path: Path) -> None:
    compiled = package(tmp_path)
    keep_fresh(tmp_path)
    compile_into(compiled)
    (tmp_path / "a.py").rename(tmp_path / "room" / "a.py")
    assert keep_fresh(tmp_path)
    assert not any(path.exists() for path in compiled)


def test_compiled_kernels_of_the_flat_layout_go(tmp_path: Path) -> None:
    """The marker of the version before held the digest of the flat sources."""
    package(tmp_path)
    left = tmp_path / "__pycache__" / "a.f-1.nbi"
    compile_into([left])
    (tmp_path / "__pycache__" / "kernels.sha256").write_text("0" * 64)
    assert keep_fresh(tmp_path)
    assert not left.exists()

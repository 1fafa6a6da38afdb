"""Which files an input is, in which order, and by what it is known."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from core.errors import InputError
from core.intake.file_digest import file_digest
from core.intake.tables.part_files import beside, input_digest, name_of, part_files


def _make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def _names(*named: Path, under: Path) -> list[str]:
    return [str(part.path.relative_to(under)) for part in part_files(named)]


def test_part_files_are_all_below_a_folder_in_natural_order(tmp_path: Path) -> None:
    _make(tmp_path, "part-10.csv", "part-2.csv", "_SUCCESS", ".part-2.csv.crc", "_temporary/x.csv", "sub/a.csv")
    (tmp_path / "part-3.csv").touch()
    assert _names(tmp_path, under=tmp_path) == ["part-2.csv", "part-10.csv", "sub/a.csv"]
    assert _names(tmp_path / "*.csv", under=tmp_path) == ["part-2.csv", "part-10.csv"]
    assert _names(tmp_path / "**" / "a*.csv", under=tmp_path) == ["sub/a.csv"]
    assert _names(tmp_path / "part-10.csv", tmp_path / "sub", under=tmp_path) == ["part-10.csv", "sub/a.csv"]


def test_part_files_take_a_name_with_brackets_for_the_file_it_is(tmp_path: Path) -> None:
    _make(tmp_path, "a[1].csv", "a1.csv")
    assert _names(tmp_path / "a[1].csv", under=tmp_path) == ["a[1].csv"]
    assert _names(tmp_path / "a[1-2].csv", under=tmp_path) == ["a1.csv"]


def test_part_files_folders_say_values_of_columns(tmp_path: Path) -> None:
    _make(tmp_path, "year=2024/state=N%20Y/a.csv", "year=__HIVE_DEFAULT_PARTITION__/state=/b.csv")
    values = {part.path.name: dict(part.values) for part in part_files([tmp_path])}
    assert values == {"a.csv": {"year": "2024", "state": "N Y"}, "b.csv": {"year": None, "state": None}}
    (plain,) = part_files([tmp_path / "year=2024" / "state=N%20Y" / "a.csv"])
    assert plain.values == {}, "a file that is named by itself is what it was"


@pytest.mark.parametrize(
    ("names", "said"),
    [(["none.csv"], "no such file"), (["*.tsv"], "no file has a name of this pattern"), (["a.csv", "a.csv"], "twice")],
)
def test_part_files_refuse(names: list[str], said: str, tmp_path: Path) -> None:
    _make(tmp_path, "a.csv", "empty/_SUCCESS")
    with pytest.raises(InputError, match=said):
        part_files([tmp_path / name for name in names])
    with pytest.raises(InputError, match="no file in this folder; names that begin with . or _ do not count"):
        part_files([tmp_path / "empty"])


def test_input_digest_is_of_the_bytes_of_one_file_and_of_the_digests_of_several(tmp_path: Path) -> None:
    _make(tmp_path, "a.csv", "b.csv")
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "a.csv").write_text("a.csv")
    assert input_digest(part_files([tmp_path / "a.csv"])) == file_digest(tmp_path / "a.csv")
    both = input_digest(part_files([tmp_path / "*.csv"]))
    assert both == input_digest(part_files([tmp_path / "a.csv", tmp_path / "b.csv"])), "however they are named"
    said = "\n".join(f"{file_digest(tmp_path / name)} []" for name in ("a.csv", "b.csv"))
    assert both == hashlib.sha256(said.encode()).hexdigest()
    (tmp_path / "b.csv").write_text("other")
    assert both != input_digest(part_files([tmp_path / "*.csv"]))


def test_names_of_an_input_are_those_a_person_uses(tmp_path: Path) -> None:
    _make(tmp_path, "people/a.csv", "b.csv")
    named = [
        tmp_path / "b.csv",
        tmp_path / "people",
        tmp_path / "people" / "*.csv",
        tmp_path / "people" / "**" / "*.csv",
    ]
    assert [name_of(path) for path in named] == ["b.csv", "people", "people/*.csv", "people/**/*.csv"]
    assert [beside(path, ".bad.csv").relative_to(tmp_path) for path in named] == [
        Path("b.bad.csv"),
        *[Path("people.bad.csv")] * 3,
    ]

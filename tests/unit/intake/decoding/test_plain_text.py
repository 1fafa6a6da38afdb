"""Files of text in any encoding, with any line end, and compressed: one and the same rows; damage is one sentence."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest

from core.errors import ConfigError, InputError
from core.intake.columns import FieldHint
from core.intake.decoding import compression
from core.intake.decoding.compression import zstd
from core.intake.opening import Opening
from core.intake.reading import Reading
from core.intake.source import Source, open_source
from core.intake.whole_columns import columns_of, read_table

TEXT = "id,last_name,city\n1,Müller,Köln\n2,Lefèvre,Besançon\n3,Peña,Málaga\n"
NAMES = ["Müller", "Lefèvre", "Peña"]
FIELDS = (FieldHint("last_name", "surname"), FieldHint("city", "city"))


def _open(path: Path, tmp_path: Path, **reading: object) -> Source:
    said = Reading(**reading)  # type: ignore[arg-type]
    return open_source(Opening(path, id_column="id", fields=FIELDS, staging_dir=tmp_path / "staging", reading=said))


def _zipped(content: bytes, *names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-be",
        "cp1252",
        "iso8859-15",
        "mac-roman",
    ],
)
def test_open_source_reads_any_encoding(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(TEXT.encode(encoding))
    source = _open(path, tmp_path)
    assert source.read(0, 3)["last_name"].to_list() == NAMES
    assert read_table(path)["last_name"].to_list() == NAMES
    assert columns_of(path) == ["id", "last_name", "city"]
    is_utf8 = encoding.startswith("utf-8")
    assert (source.detected["encoding"] == "utf-8") is is_utf8
    assert any("read as" in notice for notice in source.notices) is not is_utf8
    assert [found.name for found in (tmp_path / "staging").iterdir()] == ["rows"]


def test_open_source_reads_lines_that_end_in_cr_alone(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    for encoding in ("utf-8", "mac-roman", "utf-16"):
        path.write_bytes(TEXT.replace("\n", "\r").encode(encoding))
        assert _open(path, tmp_path).read(0, 3)["last_name"].to_list() == NAMES


def test_open_source_takes_the_encoding_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes("id,last_name\n1,Žižka\n".encode("iso8859-2"))
    source = _open(path, tmp_path, encoding="latin2")
    assert source.read(0, 1)["last_name"].to_list() == ["Žižka"]
    assert "read as iso8859-2, as you say" in source.notices[0]
    path.write_bytes(b"id,last_name\n1,a\n2,\x81\xff\n")
    with pytest.raises(InputError, match="line 3: has bytes that are no cp932"):
        _open(path, tmp_path, encoding="shift-jis")
    with pytest.raises(ConfigError, match="there is no such encoding; known are utf-8"):
        _open(path, tmp_path, encoding="klingon")


def test_open_source_counts_physical_lines_in_any_encoding(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes('id,last_name\n1,"Mül\nler"\n2,Köhl,x\n'.encode("utf-16"))
    with pytest.raises(InputError, match="line 4: expected 2 fields, got 3"):
        _open(path, tmp_path)


def test_open_source_turns_back_what_was_decoded_wrongly(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    wrong = [name.encode().decode("cp1252") for name in ("Müller", "Šimůnek", "O’Hara")]
    twice = "é".encode().decode("cp1252").encode().decode("cp1252")
    right = ["Ångström", "Straße", "Spaß“", "NÃO", "Â"]
    path.write_text("id,last_name\n" + "".join(f"{n},{name}\n" for n, name in enumerate([*wrong, twice, *right])))
    source = _open(path, tmp_path)
    assert source.read(0, 9)["last_name"].to_list() == ["Müller", "Šimůnek", "O’Hara", "é", *right]
    assert any("4 cells were decoded wrongly before" in notice for notice in source.notices)


PACKED = {
    "gzip": gzip.compress(TEXT.encode()),
    "gzip in two members": gzip.compress(TEXT[:30].encode()) + gzip.compress(TEXT[30:].encode()),
    "zstd": zstd.compress(TEXT.encode()),
    "bzip2": bz2.compress(TEXT.encode()),
    "xz": lzma.compress(TEXT.encode()),
    "zip": _zipped(TEXT.encode(), "people.csv", "__MACOSX/._people.csv"),
    "gzip of cp1252": gzip.compress(TEXT.encode("cp1252")),
}


@pytest.mark.parametrize("kind", PACKED)
def test_open_source_unpacks_by_content(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(PACKED[kind])
    source = _open(path, tmp_path)
    assert source.read(0, 3)["last_name"].to_list() == NAMES
    assert source.detected["compression"] == kind.split(maxsplit=1)[0]
    assert read_table(path)["last_name"].to_list() == NAMES


@pytest.mark.parametrize("kind", ["gzip", "zstd", "bzip2", "xz", "zip"])
def test_open_source_says_that_a_compressed_file_is_cut(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(PACKED[kind][:-12])
    with pytest.raises(InputError, match=f"the {kind} file is cut short or damaged"):
        _open(path, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_zipped(b"a", "a.csv", "b.csv"), "the zip file holds 2 files, and one can be read"),
        (_zipped(b"a"), "the zip file holds 0 files"),
        (_zipped(b"a", "../../a.csv"), "leads out of the folder"),
        (_zipped(b"a", "/etc/a.csv"), "leads out of the folder"),
        (gzip.compress(b"PAR1\0"), "within the gzip file is a Parquet file"),
        (gzip.compress(gzip.compress(b"a")), "within the gzip file is another compressed file"),
        (gzip.compress(b"\0" * 257 + b"ustar"), r"within the gzip file is an archive of files \(tar\)"),
        (gzip.compress(b""), "is empty within"),
        (_zipped(b"x", "[Content_Types].xml", "xl/workbook.xml"), "the workbook is damaged"),
        (bytes(range(256)) * 9, "line 2: is not UTF-8, nor text in an encoding that is known"),
        (bytes(range(128, 256)) * 9, "line 1: is not UTF-8, nor text in an encoding that is known"),
    ],
    ids=range(11),
)
def test_open_source_refuses_what_is_no_compressed_text(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        _open(path, tmp_path)
    assert list(tmp_path.rglob("unpacked")) == []


def test_open_source_refuses_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "RATIO_HOLDS_FROM", 1 << 20)
    path = tmp_path / "in.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode() + b"\n" * (8 << 20)))
    with pytest.raises(InputError, match="more than 200 times its size"):
        _open(path, tmp_path)

"""JSON lines, objects behind each other and arrays: the same table in any dress, and what is wrong with it in words."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from core.errors import HeadraceError, InputError, SchemaError
from core.intake.tables import json_file
from core.intake.tables.json_file import JsonFile

PATH = Path("people.json")
ROWS = [
    {"id": "1", "name": "Ann", "zip": "02840", "n": "62704", "tel": "555; 556", "ok": "true"},
    {"id": "12345678901234567890123", "name": None, "zip": None, "n": "0.5", "tel": None, "ok": None},
]
FIRST = '{"id": 1, "name": " Ann ", "zip": "02840", "n": 62704.0, "tel": ["555", null, 556], "ok": true}'
SECOND = '{"id": 12345678901234567890123, "n": 0.5, "name": "", "\\u007aip": null, "tel": []}'


def _open(text: str | bytes) -> JsonFile:
    content = text.encode() if isinstance(text, str) else text
    return JsonFile(PATH, lambda: io.BytesIO(content))


def _rows(file: JsonFile) -> list[dict[str, str | None]]:
    return [row for block in file.blocks(set(file.columns)) for row in block.frame.to_dicts()]


@pytest.mark.parametrize(
    "text",
    [
        f"{FIRST}\n{SECOND}\n",
        f"\n  {FIRST}  \r\n\r\n{SECOND}",
        f"\ufeff{FIRST}\n{SECOND}",
        f"[{FIRST},{SECOND}]",
        f"\ufeff [\n{FIRST}\n,\n{SECOND}\n]\n",
        f"[{FIRST},{SECOND}]".replace(", ", ",\r\n  "),
        f"{FIRST}\n{SECOND}\n".replace(", ", ",\n  "),
    ],
    ids=["lines", "blank-lines", "bom", "array", "spaced-array", "pretty-array", "objects-over-lines"],
)
def test_json_file_reads_the_same_table_in_any_dress(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _rows(_open(text)) == ROWS
    monkeypatch.setattr(json_file, "BLOCK_BYTES", 7)
    assert _rows(_open(text)) == ROWS


def test_json_file_tells_where_each_record_stands() -> None:
    for text, lines in ((f"\n{FIRST}\n\n{SECOND}\n", [2, 4]), (f"[{FIRST},\n\n{SECOND}]", [1, 3])):
        file = _open(text)
        (block,) = file.blocks({"id"})
        assert block.lines.tolist() == lines
        raw = file.raws(block.offsets.tolist(), block.sizes.tolist())
        assert [record.decode().strip() for record in raw] == [FIRST, SECOND]


def test_json_file_broken_line_is_one_bad_row() -> None:
    lines = ['{"id": 1}', '{"id": 2, "name": ', '{"id": 3}', "[4]", '{"id": 5} x', '{"id": 6,}', '{"id": 7, "a": "\n"}']
    blocks = list(_open("\n".join([*lines, '{"id": "8'])).blocks({"id"}))
    faults = [fault for block in blocks for fault in block.faults]
    assert [row for block in blocks for row in block.frame["id"]] == ["1", "3"]
    assert [line for block in blocks for line in block.lines] == [1, 3]
    assert [fault.line for fault, _ in faults] == [2, 4, 5, 6, 7, 8, 9]
    assert {fault.reason for fault, _ in faults} == {"is no whole JSON object"}
    assert faults[0][1] == b'{"id": 2, "name": '


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"id": 1}\n {"id": 2}]', "line 2: an object or the end should stand here"),
        ('[{"id": 1},\n]', "line 2: an object or the end should stand here"),
        ('[{"id": 1}, 2]', "line 1: an object or the end should stand here"),
        ('[{"id": 1}', "ends before its array does: is it whole?"),
        ('[{"id": 1}, {"id"', "line 1: the object that begins here has no end"),
        ('[\n{"id": 1,}]', "line 2: the object that begins here is not well formed JSON"),
        ('[{"id": "a\nb"}]', "line 1: an object is not well formed here"),
        ("[]", "has no record"),
        ("{}\n{}", "has no record"),
        (b'{"id": 1, "n\xff": 2}', "a key is no text of UTF-8"),
    ],
)
def test_json_file_refuses_what_is_no_table(text: str | bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        _rows(_open(text))


def test_json_file_refuses_nested_values_by_their_column_where_they_are_wanted() -> None:
    file = _open('{"id": 1, "a": {"b": "[1]"}}\n{"id": 2, "c": [{"d": 1}], "tags": ["x"]}\n')
    assert file.lists == {"c", "tags"}
    for column, holds in (("a", "objects"), ("c", "lists of lists or of objects")):
        with pytest.raises(SchemaError, match=f"column '{column}' holds {holds}"):
            list(file.blocks({"id", column}))
    (block,) = file.blocks({"id", "tags"})
    assert block.frame.rows() == [("1", None), ("2", "x")]


def test_json_file_text_that_looks_like_a_list_stays_text() -> None:
    assert _rows(_open('{"id": "[1]", "a": "{x}"}')) == [{"id": "[1]", "a": "{x}"}]


def test_json_file_gives_up_where_keys_or_objects_have_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    many = "{" + ",".join(f'"k{number}": 1' for number in range(5_000)) + "}"
    with pytest.raises(InputError, match="more than 4,096 different keys"):
        _open(many)
    monkeypatch.setattr(json_file, "BLOCK_BYTES", 100)
    monkeypatch.setattr(json_file, "OBJECT_BYTES_MAX", 150)
    with pytest.raises(HeadraceError, match="the object that begins here has no end"):
        _open('[{"id": 1}, {"a": "' + "x" * 1_000)

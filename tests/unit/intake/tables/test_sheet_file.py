"""Sheets of workbooks, read the way a person sees them."""

from __future__ import annotations

import base64
import zipfile
import zlib
from pathlib import Path

import pytest

from core.errors import InputError
from core.intake.tables import sheet_xml, workbook_sheets
from core.intake.tables.kinds import table_kind
from core.intake.tables.sheet_file import SheetFile
from tests.workbooks import Rows, dated, padded, write_ods, write_xlsx

PEOPLE: Rows = [["id", "name"], [1, "Ann"], [2, "Bo"]]


def _read(path: Path, sheet: str | None = None, skip_lines: int = 0) -> dict[int, tuple[str | None, ...]]:
    file = SheetFile(path, sheet, skip_lines)
    return {
        int(line): row
        for block in file.blocks(set(file.columns))
        for line, row in zip(block.lines, block.frame.rows(), strict=True)
    }


def test_sheet_cells_are_what_a_person_sees(tmp_path: Path) -> None:
    formula = b'<c r="{at}"><f>A2*2</f><v>84</v></c>'
    empty_text = b'<c r="{at}" t="str"><f>IF(1,"","")</f><v></v></c>'
    wrong = b'<c r="{at}" t="e"><v>#N/A</v></c>'
    true = b'<c r="{at}" t="b"><v>1</v></c>'
    rows: Rows = [
        ["id", "born", "zip", "code", "sum", "none", "odd", "yes", "half"],
        [],
        [42.0, dated(31171), padded(123), "00042", formula, empty_text, wrong, true, 12.5],
        [43, dated(1), padded(99501), " x ", 7, "y", "z", "true", 1e15],
    ]
    found = _read(write_xlsx(tmp_path / "a.xlsx", {"People": rows}))
    assert found[3] == ("42", "1985-05-04", "00123", "00042", "84", None, None, "true", "12.5")
    assert found[4][2:5] == ("99501", "x", "7")
    assert found[4][8] == "1000000000000000"
    assert list(found) == [3, 4], "rows have the numbers of the sheet"


def test_sheet_without_its_formulas_results_is_refused_where_it_matters(tmp_path: Path) -> None:
    for formula in (
        b'<c r="{at}"><f>A2</f></c>',
        b'<c r="{at}" s="1"><f>A2</f><v></v></c>',
        b'<c r="{at}"><f/><v/></c>',
    ):
        path = write_xlsx(tmp_path / "a.xlsx", {"People": [["id", "name"], [1, formula], [2, "Bo"]]})
        file = SheetFile(path)
        with pytest.raises(InputError, match=r"sheet 'People', row 2, column 'name': a formula without its result"):
            list(file.blocks({"id", "name"}))
        assert [block.frame.rows() for block in file.blocks({"id"})] == [[("1",), ("2",)]]


def test_sheet_merged_cell_counts_in_each_of_its_rows_but_not_above_the_data(tmp_path: Path) -> None:
    rows: Rows = [["List", None], ["id", "street"], [1, "Elm"], [2, None], [3, "Oak"]]
    path = write_xlsx(tmp_path / "a.xlsx", {"P": rows}, merged=("A1:B1", "B3:B4"))
    assert list(_read(path, skip_lines=1).values()) == [("1", "Elm"), ("2", "Elm"), ("3", "Oak")]


def test_sheet_is_asked_for_where_several_have_cells(tmp_path: Path) -> None:
    sheets: dict[str, Rows] = {"A": PEOPLE, "B & C": [["id"], [9]], "Empty": [], "Old": [["id"], [8]]}
    path = write_xlsx(tmp_path / "a.xlsx", sheets, hidden=("Old",))
    with pytest.raises(
        InputError, match=r"has several sheets: 1 'A', 2 'B & C'; say which one with `sheet`"
    ) as refused:
        SheetFile(path)
    assert refused.value.facts["fields"] == ("sheet",)
    assert _read(path, "B & C") == _read(path, "2") == {2: ("9",)}
    assert _read(path, "Old") == {2: ("8",)}
    with pytest.raises(InputError, match=r"no sheet '7' \(`sheet`\); there are: 1 'A', 2 'B & C', 3 'Empty', 4 'Old'"):
        SheetFile(path, "7")
    only = write_xlsx(tmp_path / "b.xlsx", {"Empty": [], "A": PEOPLE, "Old": [["id"], [8]]}, hidden=("Old",))
    assert _read(only) == {2: ("1", "Ann"), 3: ("2", "Bo")}
    with pytest.raises(InputError, match="sheet 'Empty' has no cells"):
        SheetFile(only, "Empty")


def test_sheet_title_is_told_from_a_header(tmp_path: Path) -> None:
    rows: Rows = [["Customer export"], [], ["id", "name", "city"], [1, "Ann", "Ulm"], [2, None, "Ulm"]]
    path = write_xlsx(tmp_path / "a.xlsx", {"P": rows})
    file = SheetFile(path)
    assert file.proposal == "row 1 has one field, row 3 has three: is that the header? `skip_lines` 2"
    below = SheetFile(path, skip_lines=2)
    assert (below.columns, below.proposal) == (["id", "name", "city"], None)
    assert below.detected() == {"format": "workbook", "sheet": "P", "header_line": "3"}
    assert _read(path, skip_lines=2) == {4: ("1", "Ann", "Ulm"), 5: ("2", None, "Ulm")}
    assert below.raws([5, 4], [0, 0])[0] == b'{"id": "2", "name": null, "city": "Ulm"}'


def test_sheet_of_other_programs_is_read_alike(tmp_path: Path) -> None:
    ods = write_ods(tmp_path / "a.ods", "Leute", [[None, None], ["id", "name"], [1, "Ann"], [2.5, "B<o"]])
    assert _read(ods) == {3: ("1", "Ann"), 4: ("2.5", "B<o")}
    old = tmp_path / "a.xls"
    old.write_bytes(zlib.decompress(base64.b85decode(OLD)))
    assert _read(old) == {3: ("1", "Ann", "1985-05-04", "00123", None)}
    for path in (ods, old):
        assert table_kind(path, path.read_bytes()[:4096]) == "sheet"
    misnamed = ods.rename(tmp_path / "a.xlsx")
    assert _read(misnamed)[3] == ("1", "Ann")


def test_workbook_refuses_what_it_cannot_read_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = write_xlsx(tmp_path / "a.xlsx", {"P": PEOPLE}).read_bytes()
    path = tmp_path / "b.xlsx"
    path.write_bytes(whole[: len(whole) // 2])
    assert table_kind(path, path.read_bytes()[:4096]) == "sheet"
    with pytest.raises(InputError, match="damaged, cut short or of an unknown kind"):
        SheetFile(path)
    path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(InputError, match="protected by a password"):
        SheetFile(path)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("word/document.xml", "")
    with pytest.raises(InputError, match="is a text document; export the table"):
        table_kind(path, path.read_bytes())
    path.write_bytes(whole)
    monkeypatch.setattr(workbook_sheets, "XML_BYTES_MAX", 500)
    with pytest.raises(InputError, match=r"unpacks to 0 MB; at most 0 MB are read: save the sheet as CSV"):
        SheetFile(path)


def test_sheet_with_a_cell_far_away_is_refused_before_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = b'<c r="XFD3"><v>1</v></c>'
    path = write_xlsx(tmp_path / "a.xlsx", {"P": [["id"], [1], [far]]})
    assert sheet_xml.sheet_facts(path, "P") == sheet_xml.SheetFacts()
    monkeypatch.setattr(sheet_xml, "CELLS_MAX", 40_000)
    with pytest.raises(InputError, match=r"cells reach to row 3 and column 16,384"):
        sheet_xml.sheet_facts(path, "P")


# A BIFF8 workbook, sheets P and Q: id, name, dob (a date), zip and a formula without result, below an empty row.
OLD = (
    "c-rk)O=uHA6#izjNt4j#r=~(H#1LrJ+CqOWUfQ)1?I|Vo;txViOoUL~l;Fi4v|4i%1W$^WLOpn?dhrK6)SCyPq6a|`5<PhEBq(@jv%Yz|sY$HR"
    "KrKf0TjuS1Z{Ezjo%d#DcVDjriwh6CN~psq94H$exT<u5il-t3K=p<p*~;Bb#jw#-@VF_EE+?L~y=sv$l<_V>!2|ULQQ#w$Q<%X-PR~TP5r^1^"
    "q>w(02$gbA!5u0-bh2OVOwTag!Sp`cK4*H6HP@MrkZn<%#ELf2d%()$<4Tn4d_)BvbDQ_98AJzO$~?Y&LzuQsjODY*b4^weR$H+M3h8)8&*Y`-"
    "$6a`V6NLVFygwEzB1GX{#CIbCe5<VM<%q4{UcCV6f7I$*{-AeL5bO0f6&09+aazb^F3=X;t(v)zkV4dD3X`iCk_o|uQazg{D?NEW;{ejR6w%r2"
    "3?<Q7;>L8{2@DJj4h?(drq7#1pk|Y3<E7I|Gz~xVL0&)s@^SUv*EjK0LYrdE93Kqk@zE`Pg@G%w1vU1u*1`2OB6_*Sex_Hs*ImqaF%6Lo-Fp%p"
    "7IS2tZLV=`4~;X-c&qKH;`b6?_%it<T==BzBYtVTG#grar!62#)03w5@|s7V=o7bZNj%jmcVTTbADDLjw&}Q)06&2fhIK~zu|~^G>Vm8=B{@4{"
    "T~e&MG9?E|j&(^TNws=b>UzGUcv%<Z2uOQ#-sQ}hbqe|G`z)+Fhh^!)Zjw}M9C=8aU3w6s?v}&k!>H1ZN3w6)JAYy8f{zV@UyEi7KF=98nll?V"
    "Y}l}2!-kE27sC7);1@&HdI@(~9|`im&Ki}n{hQ>!#Zlzwx<H?lhoRFwkBbfE&rUc+r7y9`HkJQ{631xtJf@LiKc*YbUwT6q)z7o(hJmeHLXD1J"
    "Zp6>OJpNBoeE_H"
)

"""What each form of a file costs: the same persons in every form that is read, each matched in a fresh process."""

from __future__ import annotations

import bz2
import lzma
import os
import statistics
import subprocess
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl

from core.processes import python

# A sheet has 1,048,576 rows, the header's among them.
SHEET_ROWS = 1_048_575
PARTS = 16
# One day in a thousand that does not exist.
BAD_EVERY, BAD_DAY = 1_000, "1985-02-31"

Moved = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Form:
    """A way to hand in the same records: how the file is written, and whether it comes by standard input.

    rows: how many are written, where the form has a limit.
    """

    name: str
    write: Callable[[pl.DataFrame, Path], Path]
    piped: bool = False
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """Medians over the rounds. percent_of_csv: its rows a second, as a share of those of the CSV in the same rounds."""

    form: str
    rows: int
    file_mb: float
    seconds: float
    cpu_s: float
    rows_per_s: float
    percent_of_csv: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class BadValues:
    """CPU seconds of the same match without and with bad values, medians; percent: median of what each round found."""

    rows: int
    bad: int
    clean_cpu_s: float
    bad_cpu_s: float
    percent: float


def measure_forms(frame: pl.DataFrame, folder: Path, forms: Sequence[Form], rounds: int, moved: Moved) -> list[Taken]:
    """Match each form `rounds` times in turn, beginning with the CSV, which need not be among `forms`.

    A form that is refused has no figures, and the sentence as its note.
    """
    files = {form.name: form.write(frame.head(form.rows or len(frame)), folder) for form in (CSV, *forms)}
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in files}
    notes: dict[str, str] = {}
    todo = list(dict.fromkeys((CSV, *forms)))
    for number in range(rounds):
        for at, form in enumerate(todo):
            moved("matches", number * len(todo) + at, rounds * len(todo))
            if form.name not in notes:
                seconds, cpu_s, refusal = _run(files[form.name], folder, piped=form.piped)
                runs[form.name].append((seconds, cpu_s))
                notes |= {form.name: refusal} if refusal else {}
    moved("matches", rounds * len(todo), rounds * len(todo))
    csv_rate = len(frame) / statistics.median(seconds for seconds, _ in runs[CSV.name])
    return [_taken(form, min(form.rows or len(frame), len(frame)), files, runs, notes, csv_rate) for form in todo]


def measure_bad_values(frame: pl.DataFrame, folder: Path, rounds: int, moved: Moved) -> BadValues:
    """Match clean and bad values in turn, A B B A."""
    clean = CSV.write(frame, folder)
    bad = folder / "bad.csv"
    number = pl.int_range(pl.len())
    frame.with_columns(dob=pl.when(number % BAD_EVERY == 1).then(pl.lit(BAD_DAY)).otherwise("dob")).write_csv(bad)
    taken: dict[Path, list[float]] = {clean: [], bad: []}
    for turn in range(rounds):
        for at, path in enumerate((clean, bad) if turn % 2 else (bad, clean)):
            moved("bad values", 2 * turn + at, 2 * rounds)
            taken[path].append(_run(path, folder, piped=False)[1])
    moved("bad values", 2 * rounds, 2 * rounds)
    pairs = zip(taken[clean], taken[bad], strict=True)
    return BadValues(
        rows=len(frame),
        bad=len(frame) // BAD_EVERY,
        clean_cpu_s=round(statistics.median(taken[clean]), 2),
        bad_cpu_s=round(statistics.median(taken[bad]), 2),
        percent=round(statistics.median(100 * (with_bad / without - 1) for without, with_bad in pairs), 2),
    )


def _taken(
    form: Form,
    rows: int,
    files: Mapping[str, Path],
    runs: Mapping[str, list[tuple[float, float]]],
    notes: Mapping[str, str],
    csv_rate: float,
) -> Taken:
    path = files[form.name]
    sizes = [file.stat().st_size for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()]
    note = notes.get(form.name, f"the first {rows:,} rows: a sheet has no more" if form.rows == rows else "")
    if form.name in notes:
        return Taken(form.name, rows, sum(sizes) / 1e6, 0.0, 0.0, 0.0, 0.0, note)
    seconds = statistics.median(wall for wall, _ in runs[form.name])
    return Taken(
        form=form.name,
        rows=rows,
        file_mb=round(sum(sizes) / 1e6, 1),
        seconds=round(seconds, 2),
        cpu_s=round(statistics.median(cpu for _, cpu in runs[form.name]), 2),
        rows_per_s=round(rows / seconds),
        percent_of_csv=round(100 * rows / seconds / csv_rate, 1),
        note=note,
    )


def _run(path: Path, folder: Path, *, piped: bool) -> tuple[float, float, str | None]:
    """Wall and CPU seconds of one match in a fresh process, and the sentence that refused it."""
    command = python("core.cli", "match", "-" if piped else str(path), "--id", "id", "--json")
    environment = {**os.environ, "HEADRACE_STATE_DIR": str(folder / "state")}
    began = time.perf_counter()
    with path.open("rb") if piped else open(os.devnull, "rb") as given, (folder / "said").open("w+b") as said:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, env=environment, stdin=given, stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        said.seek(0)
        lines = said.read().decode(errors="replace").strip().splitlines()
    refusal = (lines[-1] if lines else "it said nothing").removeprefix("headrace: ") if process.returncode else None
    return seconds, used.ru_utime + used.ru_stime, refusal


def _csv(frame: pl.DataFrame, folder: Path) -> Path:
    path = folder / "people.csv"
    if not path.exists():
        frame.write_csv(path)
    return path


def _tsv(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_csv(folder / "people.tsv", separator="\t")
    return folder / "people.tsv"


def _gzip(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_csv(folder / "people.csv.gz", compression="gzip", compression_level=6)
    return folder / "people.csv.gz"


def _zstd(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_csv(folder / "people.csv.zst", compression="zstd")
    return folder / "people.csv.zst"


def _bzip2(frame: pl.DataFrame, folder: Path) -> Path:
    path = folder / "people.csv.bz2"
    path.write_bytes(bz2.compress(_csv(frame, folder).read_bytes()))
    return path


def _xz(frame: pl.DataFrame, folder: Path) -> Path:
    path = folder / "people.csv.xz"
    path.write_bytes(lzma.compress(_csv(frame, folder).read_bytes(), preset=1))
    return path


def _zip(frame: pl.DataFrame, folder: Path) -> Path:
    path = folder / "people.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(_csv(frame, folder), "people.csv")
    return path


def _json_lines(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_ndjson(folder / "people.jsonl")
    return folder / "people.jsonl"


def _json(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_json(folder / "people.json")
    return folder / "people.json"


def _parquet(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_parquet(folder / "people.parquet")
    return folder / "people.parquet"


def _arrow(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_ipc(folder / "people.arrow")
    return folder / "people.arrow"


def _parts(frame: pl.DataFrame, folder: Path) -> Path:
    (folder / "people").mkdir(exist_ok=True)
    size = -(-len(frame) // PARTS)
    for number in range(PARTS):
        frame[number * size : (number + 1) * size].write_parquet(folder / "people" / f"part-{number:05d}.parquet")
    return folder / "people"


def _sheet(frame: pl.DataFrame, folder: Path) -> Path:
    """A workbook of one sheet of texts, by hand: a writer of single cells takes minutes for a million rows."""
    path = folder / "people.xlsx"
    texts = frame.select(
        pl.col(column).cast(pl.String).fill_null("").str.replace_many(["&", "<", ">"], ["&amp;", "&lt;", "&gt;"])
        for column in frame.columns
    )
    cells = [pl.format('<c t="inlineStr"><is><t>{}</t></is></c>', pl.col(column)) for column in texts.columns]
    numbered = pl.int_range(2, pl.len() + 2)
    rows = texts.select(pl.concat_str(pl.format('<row r="{}">', numbered), *cells, pl.lit("</row>"))).to_series()
    header = "".join(f'<c t="inlineStr"><is><t>{escape(name)}</t></is></c>' for name in frame.columns)
    main, package = (
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://schemas.openxmlformats.org/package/2006",
    )
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    content = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        with packed.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as file:
            file.write(f'<worksheet xmlns="{main}"><sheetData><row r="1">{header}</row>'.encode())
            for lo in range(0, len(rows), 100_000):
                file.write("".join(rows[lo : lo + 100_000]).encode())
            file.write(b"</sheetData></worksheet>")
        packed.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{kinds}"><sheets>'
            '<sheet name="people" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        for name, kind, target in (
            ("xl/_rels/workbook.xml.rels", "worksheet", "worksheets/sheet1.xml"),
            ("_rels/.rels", "officeDocument", "xl/workbook.xml"),
        ):
            packed.writestr(
                name,
                f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{kinds}/{kind}" '
                f'Target="{target}"/></Relationships>',
            )
        packed.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{content}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{content}.worksheet+xml"/></Types>',
        )
    return path


CSV = Form("csv", _csv)
FORMS = (
    CSV,
    Form("tsv", _tsv),
    Form("gz", _gzip),
    Form("zst", _zstd),
    Form("bz2", _bzip2),
    Form("xz", _xz),
    Form("zip", _zip),
    Form("jsonl", _json_lines),
    Form("json", _json),
    Form("parquet", _parquet),
    Form("arrow", _arrow),
    Form("parts", _parts),
    Form("stdin", _csv, piped=True),
    Form("xlsx", _sheet, rows=SHEET_ROWS),
)

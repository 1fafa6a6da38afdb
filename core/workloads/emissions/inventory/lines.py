"""Purchase and activity lines of a file, under our names of columns: texts, trimmed, a blank as null."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from core.errors import ConfigError, SchemaError
from core.intake.whole_columns import columns_of, read_table

COLUMNS: Final = (
    *("line_id", "document", "document_line", "document_type", "document_ref", "date"),
    *("supplier", "supplier_id", "supplier_country", "supplier_vat", "supplier_lei"),
    *("buyer_code", "code_scheme", "code", "text"),
    *("amount", "currency", "tax", "amount_basis", "valuation", "capex"),
    *("quantity", "unit", "country", "product_key", "covers_amount"),
    *("supplier_factor", "supplier_factor_unit", "supplier_factor_boundary"),
)


def read_lines(path: Path, mapping: Mapping[str, str]) -> pl.DataFrame:
    """CSV (UTF-8, with or without a mark) or Parquet; absent columns are all null.

    A column that is named as ours but for capitals, blanks and hyphens is ours.

    Args:
        mapping: our column -> the file's.
    Raises:
        ConfigError: the mapping names a column of ours that is none. SchemaError: one of the file's that it has not, or
        no column serves line_id. InputError: the file cannot be read.
    """
    if unknown := sorted(set(mapping) - set(COLUMNS)):
        raise ConfigError(f"--map {unknown[0]}: lines have no such column; they have {', '.join(COLUMNS)}")
    spelt = _spelt(columns_of(path))
    served = {name: mapping.get(name, spelt.get(name, name)) for name in COLUMNS}
    table = read_table(path, set(served.values()))
    for name, theirs in served.items():
        if theirs not in table.columns and (name in mapping or name == "line_id"):
            raise SchemaError(
                f"{path} has no column {theirs!r} for {name}; `--map {name}=COLUMN` names another", column=theirs
            )
    return lines_of(
        table.select(pl.col(theirs).alias(name) for name, theirs in served.items() if theirs in table.columns)
    )


def _spelt(theirs: Sequence[str]) -> dict[str, str]:
    """Our columns -> the file's: the very name, else the only one that differs in capitals, blanks and hyphens."""
    alike: dict[str, list[str]] = {}
    for name in theirs:
        alike.setdefault(re.sub(r"[\s-]+", "_", name.strip()).casefold(), []).append(name)
    return {
        ours: ours if ours in names else names[0]
        for ours, names in alike.items()
        if ours in COLUMNS and (ours in names or len(names) == 1)
    }


def lines_of(table: pl.DataFrame) -> pl.DataFrame:
    """A table with some of `COLUMNS`, and the others as nulls; a text of blanks is null, too."""
    texts = {name: pl.col(name).cast(pl.String).str.strip_chars() for name in COLUMNS if name in table.columns}
    present = [pl.when(text != "").then(text).alias(name) for name, text in texts.items()]
    absent = [pl.lit(None, pl.String).alias(name) for name in COLUMNS if name not in table.columns]
    return table.select(*present, *absent).select(COLUMNS)


def mapping_of(words: Sequence[str]) -> dict[str, str]:
    """`ours=theirs`, or a file of the same, one a line. Raises ConfigError: neither."""
    found: dict[str, str] = {}
    for word in words:
        said = [word] if "=" in word else _file_lines(word)
        for line in said:
            ours, equals, theirs = line.partition("=")
            if not equals or not ours.strip() or not theirs.strip():
                raise ConfigError(f"--map {line}: say ours=theirs, such as amount=net_value")
            found[ours.strip()] = theirs.strip()
    return found


def _file_lines(word: str) -> list[str]:
    try:
        text = Path(word).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"--map {word}: is neither ours=theirs nor a file that can be read") from None
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]

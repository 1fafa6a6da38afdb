"""Tables that are no text of fields: JSON, sheets of a workbook, Arrow, tables of the database; and tables in parts."""

from pathlib import Path

from core.matching.stale_kernels import keep_fresh

keep_fresh(Path(__file__).parent)

"""Publishers whose files can be loaded, and where a user finds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Source:
    """file: as its publisher calls it. seen: whether the loader was written against a file of theirs."""

    loader: str
    publisher: str
    editions: str
    file: str
    licence: str
    seen: bool = True

    def facts(self) -> dict[str, str]:
        """As a table takes it."""
        return {
            "loader": self.loader,
            "publisher": self.publisher,
            "editions": self.editions,
            "file": self.file,
            "licence": self.licence,
            "loader_written_against": "files" if self.seen else "documented columns only",
        }


SOURCES: Final = (
    Source(
        "epa-supply-chain",
        "US EPA, Supply Chain GHG Emission Factors",
        "v1.2, v1.3.0 (no more to come)",
        "NAICS_CO2e or NAICS_byGHG, CSV, from catalog.data.gov",
        "public domain",
    ),
    Source("epa-hub", "US EPA, GHG Emission Factors Hub", "2025", "its tables as JSON of figures", "public domain"),
    Source(
        "desnz",
        "UK DESNZ, greenhouse gas conversion factors",
        "2024 v1.1, 2025",
        "flat file as CSV, or the full set as workbook, from gov.uk",
        "Open Government Licence v3.0",
    ),
    Source(
        "cornerstone",
        "Cornerstone Sustainability Data Initiative",
        "first",
        "supply-chain factors by NAICS, CSV",
        "attribution",
        seen=False,
    ),
    Source(
        "ecoinvent", "ecoinvent", "3.x", "your licensed export of results, CSV", "your own; values stay", seen=False
    ),
    Source("csv", "yourself", "any", "columns scheme, code, unit, value, and more", "yours"),
    Source("naics", "US EPA, flowsa", "2002 to 2022", "NAICS_Crosswalk_TimeSeries.csv", "MIT; codes public domain"),
)

"""What a notebook shows inline: one pair explained, and the report as a page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from core.matching.quality.explain import Explanation
from core.storage.private_file import write_private


@dataclass(frozen=True)
class Explained:
    """Why two records are one entity, or are not: `evidence` in numbers, printed in words.

    in_the_way: what kept them apart although their pair was accepted by its score.
    """

    evidence: Explanation
    same_entity: bool
    in_the_way: str | None = None

    def __str__(self) -> str:
        ended = "one entity" if self.same_entity else "two entities"
        way = [] if self.in_the_way is None else [f"kept apart: {self.in_the_way}"]
        return "\n".join([*self.evidence.to_lines(), f"in the result the records are {ended}", *way])

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


@dataclass(frozen=True, repr=False)
class Page:
    """A page of HTML without scripts, shown inline in a notebook."""

    html: str

    def save(self, path: str | Path) -> Path:
        """Write the page, whole or not at all, for its owner's eyes (mode 0600)."""
        place = Path(path)
        write_private(place, lambda part: part.write_text(self.html, encoding="utf-8"))
        return place

    def __repr__(self) -> str:
        return f"Page({len(self.html):,} characters; .save(path) writes it)"

    def _repr_html_(self) -> str:
        # In a frame of its own, so that neither page changes the looks of the other.
        inside = escape(self.html, quote=True)
        return f'<iframe srcdoc="{inside}" style="width:100%;height:40em;border:0" sandbox></iframe>'

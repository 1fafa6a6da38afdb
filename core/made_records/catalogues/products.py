"""Products and their variants: what is the same of one product in every shop, before a shop writes it down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from core.made_records.clerks import between, coined, falling, joined, where
from core.made_records.draws import Draws
from core.made_records.shapes import Ints, families

LETTERS = pl.Series("letter", list("ABCDEFGHKLMNPRSTVWXZ"))


@dataclass(frozen=True, slots=True)
class Products:
    """Products of as many records: (n,) each. `family` is shared by variants, `product` by none.

    kind: number of the thing that it is. brand, line: invented names. front, digits, back: the parts of a model code,
    of which variants differ in the last digit or in what stands behind. size: a measure. price: in cents.
    """

    family: Ints
    product: Ints
    variant: Ints
    kind: Ints
    brand: pl.Series
    line: pl.Series
    front: pl.Series
    digits: pl.Series
    back: pl.Series
    size: Ints
    colour: Ints
    price: Ints


def products_of(entities: Ints, n_entities: int, sizes: tuple[int, int], alone: float, draws: Draws) -> Products:
    """The products with these numbers, of a catalogue of `n_entities`.

    sizes: how many kinds of things there are, and how many colours. alone: share without variants.
    """
    n_kinds, n_colours = sizes
    family, variant = families(entities, 4, alone, draws)
    n_brands = max(20, int(4 * n_entities**0.45))
    brand = falling("brand", family, n_brands, draws)
    # A brand makes a few kinds of things.
    kind = draws.below("kind of brand", brand * 5 + draws.below("kind", family, 5), n_kinds)
    line = falling("line", family, 12, draws) + 12 * brand + n_brands
    # By a number, by a letter behind it, or by the colour alone: fixed for a family.
    way = draws.below("variants by", family, 3)
    base = 10 + draws.below("digits", family, 990) * 10
    number = base + np.where(way == 0, variant * (1 + draws.below("step", family, 2)), 0)
    code = draws.below("behind", family, len(LETTERS))
    behind = where(
        (way == 1) | draws.flag("has letter", family, 0.3), LETTERS.gather((code + variant * (way == 1)) % len(LETTERS))
    )
    size = 4 + draws.below("size", family * 8 + np.where(way == 2, variant, 0), 60)
    return Products(
        family=family,
        product=entities,
        variant=variant,
        kind=kind,
        brand=coined(brand),
        line=coined(line),
        front=_letters_of(brand * 60 + kind, draws),
        digits=pl.Series(number).cast(pl.String),
        back=behind,
        size=size,
        colour=falling("colour", family * 8 + np.where(way != 0, variant, 0), n_colours, draws),
        price=(
            100 * np.exp(2.5 + 4.0 * draws.unit("price", family) + 0.2 * draws.unit("price of one", entities))
        ).astype(np.int64),
    )


def code_of(products: Products, dash: str = "-") -> pl.Series:
    """(n,) model codes such as KX-T7433B; dash: what stands behind the letters."""
    return joined(products.front, dash, products.digits, products.back)


def _letters_of(keys: Ints, draws: Draws) -> pl.Series:
    """(n,) two to four letters that a brand's things of one kind begin their codes with."""
    parts = [LETTERS.gather(draws.below(f"code letter {place}", keys, len(LETTERS))) for place in range(4)]
    size = 2 + draws.below("code letters", keys, 3)
    kept = [where(size > place, part) for place, part in enumerate(parts)]
    return joined(*[part.alias(str(place)) for place, part in enumerate(kept)])


def priced(products: Products, keys: Ints, name: str, apart: float, draws: Draws) -> pl.Series:
    """(n,) prices as text, up to a share `apart` above or below the usual one."""
    change = 1 + apart * (2 * draws.unit(f"{name} price", keys) - 1)
    cents = np.maximum((products.price * change).astype(np.int64), 99)
    whole, rest = np.divmod(cents, 100)
    return joined(pl.Series(whole).cast(pl.String), between(".", pl.Series(rest).cast(pl.String).str.zfill(2)))

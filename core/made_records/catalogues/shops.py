"""How two shops write the same products: electronics, software, and a small shop beside a large one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from core.made_records.catalogues import words
from core.made_records.catalogues.products import Products, code_of, priced, products_of
from core.made_records.clerks import Clerk, Haste, arranged, between, falling, hurried, joined, where
from core.made_records.draws import Draws
from core.made_records.shapes import Flags, Ints, Records, two_files

Made = tuple[Records, pl.DataFrame]

# What the first shop writes, then the second.
_GADGETS = (
    ("brand line size thing colour code", "brand size thing code colour", "brand line colour thing code"),
    (
        "brand code line thing size colour extra own",
        "brand line thing code size extra",
        "thing brand line code colour own",
        "code brand thing size colour",
    ),
)
_PROGRAMS = (
    ("brand line thing version edition licence system media", "line thing edition version system licence"),
    (
        "brand line version edition thing media licence own",
        "own brand thing line version licence edition system",
        "thing line version edition brand licence system media",
    ),
)


def electronics(rows: int, rates: Mapping[str, float], draws: Draws) -> Made:
    """Two shops of about one size, most of whose products both have."""
    return _gadgets(two_files(rows, 0.5, rates["overlap"], 0.0, draws), rates, draws)


def small_shop(rows: int, rates: Mapping[str, float], draws: Draws) -> Made:
    """A shop beside one of many times its size: most products of the large one are not what is looked for."""
    return _gadgets(two_files(rows, rates["small"], rates["overlap"], 0.0, draws), rates, draws)


def software(rows: int, rates: Mapping[str, float], draws: Draws) -> Made:
    """Two shops of software: no model codes; versions, editions and licences are what tells products apart."""
    records = two_files(rows, rates["first"], rates["overlap"], 0.0, draws)
    second, clerk = records.source == 1, Clerk(records.keys, rates, draws)
    sizes = len(words.SOFTWARE), len(words.EDITIONS)
    products = products_of(records.entity, records.n_entities, sizes, 1 - rates["variants"], draws)
    title = _title(_program(products, clerk, second), _PROGRAMS, second, clerk)
    columns = {
        "title": where(second & clerk.does("cut"), title.str.slice(0, 45).str.strip_chars_end(), title),
        "brand": where(~(second & clerk.does("no brand column")), products.brand),
        "price": clerk.keeps("price", priced(products, records.keys, "shop", rates["price apart"], draws)),
    }
    return records, pl.DataFrame(columns).with_columns(pl.col("title", "brand").str.to_lowercase())


def _gadgets(records: Records, rates: Mapping[str, float], draws: Draws) -> Made:
    second, clerk = records.source == 1, Clerk(records.keys, rates, draws)
    sizes = len(words.ELECTRONICS), len(words.COLOURS)
    products = products_of(records.entity, records.n_entities, sizes, 1 - rates["variants"], draws)
    title = _title(_gadget(products, clerk, second), _GADGETS, second, clerk)
    columns = {
        "title": where(second & clerk.does("cut"), title.str.slice(0, 38).str.strip_chars_end(), title),
        "brand": where(~clerk.does("no brand column"), products.brand),
        "price": clerk.keeps("price", priced(products, records.keys, "shop", rates["price apart"], draws)),
    }
    return records, pl.DataFrame(columns)


def _title(
    parts: Mapping[str, pl.Series], orders: tuple[tuple[str, ...], tuple[str, ...]], second: Flags, clerk: Clerk
) -> pl.Series:
    first_way, second_way = (clerk.draws.below("order", clerk.keys, len(some)) for some in orders)
    way = np.where(second, len(orders[0]) + second_way, first_way)
    title = arranged(parts, (*orders[0], *orders[1]), way)
    return hurried(title, clerk.keys, "title", Haste.of(clerk.rates), clerk.draws)


def _gadget(products: Products, clerk: Clerk, second: Flags) -> dict[str, pl.Series]:
    keys, draws = clerk.keys, clerk.draws
    extra = words.EXTRAS.names.gather(falling("which extra", keys, len(words.EXTRAS), draws))
    return {
        "brand": clerk.keeps("brand", products.brand),
        "line": where(draws.flag("has line", products.family, 0.6) & ~clerk.does("no line"), products.line),
        "code": _codes(products, second, clerk),
        "thing": clerk.word(words.ELECTRONICS, products.kind, "thing", clerk.rate("other word")),
        "size": _sizes(products, clerk),
        "colour": clerk.keeps("colour", clerk.word(words.COLOURS, products.colour, "colour", 0.3)),
        "extra": where(clerk.does("extra words"), extra),
        "own": where(second & clerk.does("stock number"), _stock_number(keys, draws)),
    }


def _codes(products: Products, second: Flags, clerk: Clerk) -> pl.Series:
    """Model codes as the shop writes them: with a dash or together, without the letter behind, or not at all."""
    code = where(clerk.does("together"), code_of(products, ""), code_of(products))
    code = where(second & clerk.does("code apart"), code_of(products, " "), code)
    bare = joined(products.front, "-", products.digits)
    code = where(second & clerk.does("no letter behind"), bare, code)
    return where(~(second & clerk.does("no code")), code)


def _sizes(products: Products, clerk: Clerk) -> pl.Series:
    """A measure in one of several spellings of its unit: `42 inch`, `42"`."""
    unit = clerk.word(words.UNITS, products.kind % len(words.UNITS), "unit", 0.5)
    has = clerk.draws.flag("has size", products.family, 0.6) & ~clerk.does("no size")
    return where(has, joined(pl.Series(products.size).cast(pl.String), " ", unit))


def _stock_number(keys: Ints, draws: Draws) -> pl.Series:
    return pl.Series(100_000 + draws.below("stock", keys, 900_000)).cast(pl.String)


def _program(products: Products, clerk: Clerk, second: Flags) -> dict[str, pl.Series]:
    keys, draws, own = clerk.keys, clerk.draws, products.product
    named = draws.flag("has line", products.family, 0.75)
    thing = clerk.word(words.SOFTWARE, products.kind, "thing", clerk.rate("other word"))
    licence, system = (falling(name, own, 100, draws) for name in ("licence", "system"))
    runs_on = clerk.word(words.SYSTEMS, system % len(words.SYSTEMS), "system", 0.5)
    media = clerk.word(words.MEDIA, draws.below("media kind", keys, len(words.MEDIA)), "media", 0.5)
    return {
        "brand": clerk.keeps("brand", products.brand),
        "line": where(named, products.line),
        "thing": where(~(named & clerk.does("no thing")), thing),
        "version": _versions(products, clerk),
        "edition": clerk.word(words.EDITIONS, products.colour, "edition", 0.4),
        "licence": clerk.word(words.LICENCES, licence % len(words.LICENCES), "licence", 0.4),
        "system": clerk.keeps("system", runs_on),
        "media": where(clerk.does("media"), media),
        "own": where(second & clerk.does("stock number"), _stock_number(keys, draws)),
    }


def _versions(products: Products, clerk: Clerk) -> pl.Series:
    """A version's number or year, by the family; now and then with a point and a zero, or a v before it."""
    draws, family = clerk.draws, products.family
    by_year = draws.flag("by year", family, 0.4)
    year = 2000 + draws.below("first year", family, 20) + products.variant
    number = 1 + draws.below("first version", family, 12) + products.variant
    text = pl.Series(np.where(by_year, year, number)).cast(pl.String)
    text = where(~by_year & draws.flag("point zero", clerk.keys, 0.3), between("", text, ".0"), text)
    text = where(~by_year & draws.flag("v", clerk.keys, 0.2), between("v", text), text)
    return where(draws.flag("has version", family, 0.8) & ~clerk.does("no version"), text)

"""Suppliers of a region: branches, namesakes, trading and former names; and sites as directories list them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from core.made_records.clerks import joined, where
from core.made_records.draws import Draws
from core.made_records.organisations import words
from core.made_records.organisations.addresses import phones, sites_of, streets
from core.made_records.organisations.names import Companies, companies_of, names_of, other_names
from core.made_records.organisations.tax_numbers import vat_numbers
from core.made_records.shapes import Flags, Ints, Records, families, one_file

Made = tuple[Records, pl.DataFrame]


def suppliers(rows: int, rates: Mapping[str, float], draws: Draws) -> Made:
    """A list of suppliers grown over years. A branch is another entity than its head office."""
    again = rates["listed again"]
    records = one_file(rows, np.array([1 - again, again * 0.75, again * 0.25]), draws)
    keys, site = records.keys, records.entity
    company, branch = families(site, 4, 1 - rates["branches"], draws)
    companies = companies_of(_numbered(company), records.n_entities, rates["namesakes"], draws)
    name = _trading(companies, names_of(companies, keys, rates, draws), keys, rates, draws)
    places = sites_of(site, max(8, int(records.n_entities**0.5)), 1, rates["main street"], draws)
    central = draws.flag("switchboard", keys, rates["switchboard"])
    phone = np.where(central, sites_of(company & 0xFFFFFFF, 50, 1, 0.0, draws).phone, places.phone)
    labelled = draws.flag("branch named", keys, rates["branch named"]) & (branch > 0)
    country = words.COUNTRIES.pick(companies.legal // 2, draws.unit("country word", keys), rates["other country form"])
    return records, pl.DataFrame(
        {
            "name": where(labelled, joined(name, " ", places.city), name),
            "street": streets(places, keys, rates, draws),
            "city": where(~draws.flag("no city", keys, rates["no city"]), places.city),
            "zip": where(~draws.flag("no zip", keys, rates["no zip"]), places.zip_code),
            "country": where(~draws.flag("no country", keys, rates["no country"]), country),
            "phone": phones(phone, keys, rates, draws),
            "email": _mailboxes(companies, keys, rates, draws),
            "vat_id": _registered(companies, keys, rates, draws),
        }
    )


def sites(rows: int, rates: Mapping[str, float], draws: Draws) -> Made:
    """Shops and offices as directories list them; chains have many with one name, arcades several at one door."""
    again = rates["listed again"]
    records = one_file(rows, np.array([1 - again, again * 0.7, again * 0.3]), draws)
    keys, site = records.keys, records.entity
    chain, _ = families(site, 12, 1 - rates["chains"], draws)
    companies = companies_of(_numbered(chain), records.n_entities, rates["namesakes"], draws)
    name = names_of(companies, keys, rates, draws)
    # Six sites next to each other by number share the door of an arcade.
    door = np.where(draws.flag("arcade", site // 6, rates["arcades"]), -1 - site // 6, site)
    places = sites_of(door, max(8, int(records.n_entities**0.5)), 3, rates["main street"], draws)
    own = sites_of(site, 50, 1, 0.0, draws).phone % 9_000_000 + places.phone // 10_000_000 * 10_000_000
    central = draws.flag("switchboard", keys, rates["switchboard"])
    office = sites_of(chain & 0xFFFFFFF, 50, 1, 0.0, draws).phone
    return records, pl.DataFrame(
        {
            "name": name,
            "street": streets(places, keys, rates, draws),
            "city": where(~draws.flag("no city", keys, rates["no city"]), places.city),
            "zip": where(~draws.flag("no zip", keys, rates["no zip"]), places.zip_code),
            "phone": phones(np.where(central, office, own), keys, rates, draws),
        }
    )


def _numbered(company: Ints) -> Ints:
    """(n,) numbers of at least 0 of companies that are numbered below 0 if they have no branches."""
    return np.where(company < 0, -2 * company, 2 * company + 1)


def _trading(companies: Companies, name: pl.Series, keys: Ints, rates: Mapping[str, float], draws: Draws) -> pl.Series:
    """A share of the companies trades under another name or had one: records have one, the other, or both."""
    has = draws.flag("other name", companies.company, rates["trading as"])
    other = other_names(companies, draws)
    way = draws.below("name shown", keys, 4)
    link = pl.Series([" t/a ", " dba ", " trading as ", ", formerly "]).gather(draws.below("name link", keys, 4))
    both: Flags = has & (way == 2)
    return where(both, joined(name, link.alias("l"), other), where(has & (way == 3), other, name))


def _mailboxes(companies: Companies, keys: Ints, rates: Mapping[str, float], draws: Draws) -> pl.Series:
    domain = companies.head.str.to_lowercase().str.replace_all("[^a-z]", "")
    tail = pl.Series([".com", ".net", ".biz", ".eu"]).gather(draws.below("tail", companies.company, 4))
    box = pl.Series(["info", "sales", "orders", "accounts", "office"]).gather(draws.below("mailbox", keys, 5))
    address = joined(box, "@", domain, pl.Series(companies.company % 97).cast(pl.String), tail)
    return where(~draws.flag("no email", keys, rates["no email"]), address)


def _registered(companies: Companies, keys: Ints, rates: Mapping[str, float], draws: Draws) -> pl.Series:
    """VAT numbers, with a country before them or blanks between; one of the company, not of the site."""
    country = companies.legal // 2
    number = vat_numbers(country, draws.below("tax number", companies.company, 10_000_000))
    apart = joined(number.str.slice(0, 3), " ", number.str.slice(3, 3), " ", number.str.slice(6))
    text = where(draws.flag("tax number apart", keys, 0.2), apart, number)
    letters = pl.Series(words.COUNTRY_LETTERS).gather(country)
    text = where(draws.flag("tax country", keys, 0.4) & (country > 0), joined(letters, text), text)
    return where(~draws.flag("no vat_id", keys, rates["no vat_id"]), text)

"""States, towns, postal codes and telephone areas of the United States, consistent with each other.

Facts are public: census populations (millions), the first three digits of postal codes by state, area codes. Of the
hundred numbers behind three digits the post uses less than half: some 42,000 in all, as here.
Large cities are listed; the other towns of a state are made from morphemes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.made_records.persons.words.names import ENDINGS, ROOTS

# state | population in millions | postal prefixes, first-last | area codes | largest cities first;
# an indented line continues the one above
STATES = """
CA|39.0|900-961|213 310 323 408 415 510 530 559 562 619 626 650 661 707 714 760 805 818 831 858 909 916 925 949 951|
  Los Angeles,San Diego,San Jose,San Francisco,Fresno,Sacramento,Long Beach,Oakland,Bakersfield,Anaheim,
  Stockton,Riverside
TX|30.5|750-799|210 214 254 281 325 361 409 432 469 512 713 806 817 830 903 915 936 940 956 972 979|
  Houston,San Antonio,Dallas,Austin,Fort Worth,El Paso,Arlington,Corpus Christi,Plano,Lubbock,Laredo,
  Irving
FL|22.6|320-349|239 305 321 352 386 407 561 727 754 772 786 813 850 863 904 941 954|
  Jacksonville,Miami,Tampa,Orlando,St Petersburg,Hialeah,Tallahassee,Fort Lauderdale,Cape Coral,Gainesville
NY|19.6|100-149|212 315 347 516 518 585 607 631 646 716 718 845 914 917|
  New York,Brooklyn,Buffalo,Rochester,Yonkers,Syracuse,Albany,New Rochelle,Utica
PA|13.0|150-196|215 267 412 484 570 610 717 724 814|Philadelphia,Pittsburgh,Allentown,Erie,Reading,Scranton,Lancaster
IL|12.5|600-629|217 309 312 618 630 708 773 815 847|Chicago,Aurora,Joliet,Naperville,Rockford,Springfield,Peoria
OH|11.8|430-458|216 330 419 440 513 614 740 937|Columbus,Cleveland,Cincinnati,Toledo,Akron,Dayton,Canton
GA|11.0|300-319|229 404 478 678 706 770 912|Atlanta,Augusta,Columbus,Macon,Savannah,Athens
NC|10.8|270-289|252 336 704 828 910 919|Charlotte,Raleigh,Greensboro,Durham,Winston Salem,Fayetteville,Cary
MI|10.0|480-499|231 248 269 313 517 586 616 734 810 906 989|
  Detroit,Grand Rapids,Warren,Sterling Heights,Ann Arbor,Lansing,Flint
NJ|9.3|070-089|201 609 732 856 908 973|Newark,Jersey City,Paterson,Elizabeth,Trenton,Camden,Clifton
VA|8.7|220-246|276 434 540 571 703 757 804|Virginia Beach,Chesapeake,Norfolk,Richmond,Newport News,Alexandria,Roanoke
WA|7.8|980-994|206 253 360 425 509|Seattle,Spokane,Tacoma,Vancouver,Bellevue,Kent,Everett
AZ|7.4|850-865|480 520 602 623 928|Phoenix,Tucson,Mesa,Chandler,Gilbert,Glendale,Scottsdale
TN|7.1|370-385|423 615 731 865 901 931|Nashville,Memphis,Knoxville,Chattanooga,Clarksville,Murfreesboro
MA|7.0|010-027|413 508 617 781 978|Boston,Worcester,Springfield,Cambridge,Lowell,Brockton,Quincy
IN|6.9|460-479|219 260 317 574 765 812|Indianapolis,Fort Wayne,Evansville,South Bend,Carmel,Gary
MO|6.2|630-658|314 417 573 636 660 816|Kansas City,St Louis,Springfield,Columbia,Independence
MD|6.2|206-219|240 301 410 443|Baltimore,Frederick,Rockville,Gaithersburg,Bowie,Annapolis
WI|5.9|530-549|262 414 608 715 920|Milwaukee,Madison,Green Bay,Kenosha,Racine,Appleton
CO|5.9|800-816|303 719 720 970|Denver,Colorado Springs,Aurora,Fort Collins,Lakewood,Pueblo
MN|5.7|550-567|218 320 507 612 651 763 952|Minneapolis,St Paul,Rochester,Duluth,Bloomington
SC|5.4|290-299|803 843 864|Charleston,Columbia,North Charleston,Greenville,Rock Hill
AL|5.1|350-369|205 251 256 334|Huntsville,Birmingham,Montgomery,Mobile,Tuscaloosa
LA|4.6|700-714|225 318 337 504 985|New Orleans,Baton Rouge,Shreveport,Lafayette,Lake Charles
KY|4.5|400-427|270 502 606 859|Louisville,Lexington,Bowling Green,Owensboro,Covington
OR|4.2|970-979|503 541 971|Portland,Eugene,Salem,Gresham,Hillsboro,Bend
OK|4.1|730-749|405 580 918|Oklahoma City,Tulsa,Norman,Broken Arrow,Edmond,Lawton
CT|3.6|060-069|203 860|Bridgeport,Stamford,New Haven,Hartford,Waterbury
UT|3.4|840-847|435 801|Salt Lake City,West Valley City,Provo,West Jordan,Orem,Ogden
IA|3.2|500-528|319 515 563 641 712|Des Moines,Cedar Rapids,Davenport,Sioux City,Iowa City
NV|3.2|889-898|702 775|Las Vegas,Henderson,Reno,Sparks,Carson City
AR|3.1|716-729|479 501 870|Little Rock,Fayetteville,Fort Smith,Springdale,Jonesboro
KS|2.9|660-679|316 620 785 913|Wichita,Overland Park,Kansas City,Olathe,Topeka
MS|2.9|386-397|228 601 662|Jackson,Gulfport,Southaven,Biloxi,Hattiesburg
NM|2.1|870-884|505 575|Albuquerque,Las Cruces,Rio Rancho,Santa Fe,Roswell
NE|2.0|680-693|308 402|Omaha,Lincoln,Bellevue,Grand Island,Kearney
ID|2.0|832-838|208|Boise,Meridian,Nampa,Idaho Falls,Pocatello
WV|1.8|247-268|304|Charleston,Huntington,Morgantown,Parkersburg,Wheeling
HI|1.4|967-968|808|Honolulu,Hilo,Kailua,Kapolei
NH|1.4|030-038|603|Manchester,Nashua,Concord,Dover
ME|1.4|039-049|207|Portland,Lewiston,Bangor,Auburn
MT|1.1|590-599|406|Billings,Missoula,Great Falls,Bozeman,Helena
RI|1.1|028-029|401|Providence,Cranston,Warwick,Pawtucket
DE|1.0|197-199|302|Wilmington,Dover,Newark,Middletown
SD|0.9|570-577|605|Sioux Falls,Rapid City,Aberdeen,Brookings
ND|0.8|580-588|701|Fargo,Bismarck,Grand Forks,Minot
AK|0.7|995-999|907|Anchorage,Fairbanks,Juneau,Wasilla
DC|0.7|200-205|202|Washington
VT|0.6|050-059|802|Burlington,South Burlington,Rutland,Montpelier
WY|0.6|820-831|307|Cheyenne,Casper,Laramie,Gillette
"""

CODES_A_PREFIX = 47
TOWN_FIRST = ("", "", "", "", "New ", "North ", "South ", "East ", "West ", "Fort ", "Lake ", "Mount ")
TOWN_LAST = (
    "ville",
    "ton",
    "burg",
    "field",
    "wood",
    " Springs",
    " City",
    " Falls",
    " Grove",
    " Park",
    " Heights",
    " Hills",
)


@dataclass(frozen=True, slots=True)
class Places:
    """Towns in state order, most populous first within a state.

    city, state: (n_places,) strings. state_of: (n_places,) index of the state. share: (n_places,) cumulative population
    share, ending at 1. first, last: (n_states,) bounds of a state's towns. zip_low, zip_count: (n_places,) postal codes
    by their numbers from 0 within the state, see `zip_codes`. zip_prefix: (n_states,) first three digits of the first
    code. area_codes, area_count: (n_states, 25) and (n_states,).
    """

    city: pl.Series
    state: pl.Series
    state_of: NDArray[np.int64]
    share: NDArray[np.float64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    zip_low: NDArray[np.int64]
    zip_count: NDArray[np.int64]
    zip_prefix: NDArray[np.int64]
    area_codes: NDArray[np.int64]
    area_count: NDArray[np.int64]

    def zip_codes(self, places: NDArray[np.int64], unit: NDArray[np.float64]) -> NDArray[np.int64]:
        """(n,) a postal code of each place; unit: (n,) in [0, 1), which of them."""
        number = self.zip_low[places] + (unit * self.zip_count[places]).astype(np.int64)
        prefix, last = np.divmod(number, CODES_A_PREFIX)
        return (self.zip_prefix[self.state_of[places]] + prefix) * 100 + last + 1


def build_places(n_places: int) -> Places:
    """Lay out about `n_places` towns (at least eight a state) over the states by population.

    Within a state the k-th town has a share of about 1 / (k + 1); a town has postal codes in proportion to its share.
    """
    rows = _state_rows()
    prefixes = [[int(part) for part in row[2].split("-")] for row in rows]
    populations = np.array([float(row[1]) for row in rows])
    city: list[str] = []
    state_of, shares, zip_low, zip_count = [], [], [], []
    for index, row in enumerate(rows):
        n_codes = (prefixes[index][1] - prefixes[index][0] + 1) * CODES_A_PREFIX
        n_towns = min(max(8, round(n_places * populations[index] / populations.sum())), n_codes)
        towns = row[4].split(",")[:n_towns]
        towns += [_town(index * 7919 + k) for k in range(n_towns - len(towns))]
        weight = 1.0 / np.arange(2.0, n_towns + 2.0)
        weight /= weight.sum()
        spare = n_codes - n_towns
        counts = 1 + np.floor(weight * spare).astype(np.int64)
        city += towns
        state_of.append(np.full(n_towns, index))
        shares.append(weight * populations[index])
        zip_low.append(np.concatenate(([0], np.cumsum(counts)[:-1])))
        zip_count.append(counts)
    sizes = np.array([len(part) for part in state_of])
    cumulative = np.cumsum(np.concatenate(shares))
    areas = [[int(code) for code in row[3].split()] for row in rows]
    widest = max(map(len, areas))
    indices = np.concatenate(state_of)
    return Places(
        city=pl.Series("city", city),
        state=pl.Series("state", [rows[index][0] for index in indices]),
        state_of=indices,
        share=cumulative / cumulative[-1],
        first=np.concatenate(([0], np.cumsum(sizes)[:-1])),
        last=np.cumsum(sizes),
        zip_low=np.concatenate(zip_low),
        zip_count=np.concatenate(zip_count),
        zip_prefix=np.array([low for low, _ in prefixes]),
        area_codes=np.array([codes + [0] * (widest - len(codes)) for codes in areas]),
        area_count=np.array([len(codes) for codes in areas]),
    )


def _state_rows() -> list[list[str]]:
    """Fields of each state; an indented line continues the one above."""
    rows = STATES.strip().replace("|\n  ", "|").replace(",\n  ", ",").replace("\n  ", " ").splitlines()
    return [row.split("|") for row in rows]


def _town(number: int) -> str:
    """A town's name from its number: the same one always, neighbours unlike each other."""
    scrambled = (number * 2654435761 + 12345) % 2**32
    root, scrambled = ROOTS[scrambled % len(ROOTS)], scrambled // len(ROOTS)
    first, scrambled = TOWN_FIRST[scrambled % len(TOWN_FIRST)], scrambled // len(TOWN_FIRST)
    ending = ENDINGS[scrambled % len(ENDINGS)] if scrambled % 2 else TOWN_LAST[scrambled // 2 % len(TOWN_LAST)]
    return f"{first}{root}{ending}"

"""Letters of languages beyond a to z, by which one encoding is told from another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Language -> its letters; the first of languages that fit equally well wins.
LATIN: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(letters)
    for language, letters in {
        "German": "äöüß",
        "French": "àâæçèéêëîïôùûüÿœ",
        "Spanish": "áéíñóúü",
        "Portuguese": "áâãàçéêíóôõúü",
        "Italian": "àèéìíîòóùú",
        "Dutch": "áéèêëïóöü",
        "Scandinavian": "åäöæøéü",
        "Catalan": "àçèéíïòóúü·",
        "Polish": "ąćęłńóśźż",
        "Czech": "áčďéěíňóřšťúůýž",
        "Slovak": "áäčďéíĺľňóôŕšťúýž",
        "Hungarian": "áéíóöőúüű",
        "Croatian": "čćđšž",
        "Romanian": "ăâîşţșț",
        "Turkish": "çğıöşüâîi",
        "Lithuanian": "ąčęėįšųūž",
        "Latvian": "āčēģīķļņšūž",
        "Estonian": "äõöüšž",
        "Icelandic": "áéíóúýþæöð",
    }.items()
}
WESTERN: Final = frozenset().union(*(LATIN[name] for name in list(LATIN)[:8]))
EVERY_LATIN: Final = frozenset().union(*LATIN.values())
# From the most to the least frequent, as texts have them.
CYRILLIC: Final = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъіїєґёўђјљњћџ"
GREEK: Final = "αοιετσνηυρπκμλςωγδχθφβξζψάέήίόύώϊϋΐΰ"
HEBREW: Final = "יוהלאמבתרשנםכעדחקפסגטןצזךףץ"
ARABIC: Final = "اليمنرتبوسعدفهقحكشجصةىطخضذأءئغثزظإآؤ"
# Frequent in names of people and places.
CHINESE: Final = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文华建国红玉梅小大中北京上海广州深圳市省区县路街号南东西山河江"
)
CHINESE_TRADITIONAL: Final = frozenset(
    "王李張劉陳楊趙黃周吳徐孫胡朱高林何郭馬羅梁宋鄭謝韓唐馮許曾彭呂蘇盧蔣蔡葉余潘杜偉芳秀英敏靜麗強軍國紅玉梅台北市區"
    "縣路街號南東西山中正大新竹高雄桃園臺灣淑惠美雅婷志明家豪怡君"
)
JAPANESE: Final = frozenset(
    "田藤山本村川木中小野大井高佐島子美東京市区県町石松林橋上原森谷岡池前長田崎伊加渡辺鈴斎清水和西坂内阿部吉福太郎一"
    "二三花恵真由香奈名古屋阪神奈埼玉千葉横浜札幌道府都北南丁目番"
)
KOREAN: Final = frozenset(
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하민준지서현수영"
    "진성은미경희주동시구로길부산울대인천광"
)

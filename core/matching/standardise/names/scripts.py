"""Names in other scripts than Latin: written in Latin letters, and of two ways to write an ideograph the simpler one.

Letters of an alphabet are written in Latin ones, which loses next to nothing: who is spelt alike in the one is in the
other. Ideographs stay, for dozens of them sound alike; how they are read in Mandarin is a second form beside the first.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

import polars as pl

# The ideographs of all planes; kana and hangul have letters.
_HAN = r"\u2e80-\u2fdf\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_IS_HAN = re.compile(f"[{_HAN}]")
_OTHER_SCRIPT = r"[\p{L}&&[^\p{Latin}]]"
_NO_LETTER = re.compile(r"[^a-z]+")

# Arabic and Hebrew leave short vowels out; the letters that stand for long ones are consonants where a word begins.
_LONG_VOWELS = (
    (re.compile(r"[\u0627\u0622\u0623\u0649\u0639\u05d0\u05e2]"), "a"),
    (re.compile(r"\u0625"), "i"),
    (re.compile(r"\u0629"), "a"),
    (re.compile(r"(?<=\w)[\u064a\u06cc\u05d9]"), "i"),
    (re.compile(r"(?<=\w)[\u0648\u05d5]"), "u"),
    (re.compile(r"(?<=\w)\u05d4\b"), "a"),
)

# Ideographs of surnames and given names, traditional above simplified. Source: Unihan, kSimplifiedVariant.
_TRADITIONAL = (
    "陳張劉黃楊趙吳孫馬蕭葉蔣鄭謝韓馮許鄧賈鄒陸蘇盧鍾範譚龍萬錢湯賴龐齊莊溫顏嚴魯閻關歐陽龔畢顧賀鮑喬饒聶連羅華應榮紀"
    "項閔單賽諸時費倫談駱樓欒鞏竇鈕麥鳳滿邁樂閩齡蘭麗偉強軍國傑輝濤紅飛鵬靜愛雲瓊貞豔艷穎慶義禮賢東興寶銀鐵鋼銘錦鑒錫"
    "鋒鎮鈞鈴錄長門聞開間閣陰陣際隱雙離難電霧靈韻頌頂順須預領頭題風飄養餘駿驊驍鵑鴻鷹鶴黨齒龜億備優傳倉個們來侖儀償兒"
    "內兩冊凱則剛創劍勁勝勵勳區協廠歷厲參叢號員問啟喚嗎嘯團園圓圖聖場塊壇壯聲處復夢夾奮奪婦媽嬌嬋學寧實寵審寫寬對尋導"
    "將爾屆層嶽島嶺幣師帶幫幹廣廬彈歸彥後從徵憶懷態懇懸戀戰戲擁擇擔據揚換揮損搖攝敵數齋斷於晉晝暉暢曉曄曆書會朧極構槍"
    "標樣樹橋機權歡歲殘殼毀氣漢溝測渾濟濱濃潔澤瀟灣滄灩燦燁燈營爍猶獨獅獎環現琺瑩瑪璽瓏產畫異當疊癒發監盤盡眾睜礎確碼"
    "祿禎禪種積稱穩窮競筆節築簡籃糧純約紋納紐級紛紗紙紹終組經結絕絢給統絲綠綺維綱網綿緒緯線緣縱總繡繪繼續纖罰習聯職聰"
    "肅脈腦膚臨舉舊艦莖萊葦蓋蓮蔭薑薩藍藝藥蘊蘆虛蟬蠶術衛衝裝補複見規視親覺覽觀觸計記訊設訪評詞試詩話該詳語誠誤說課誰"
    "調請論諧諾謀謙講證識譜譯議護讀變讓豐貝負財責貴買資賓賜賞質贊贏趕躍軌軒軟輕載輪輯輸轉農邊達遠遙適選遷遼還邏鄉鄰釋"
    "針鈺鉅銳鋪鍵鎖鏡鐘鑽閃閒陝隊階隨險隸雜雞雛霽靚韋響頓頗頻顆額願類飯飲館餅騎騰驗驚體髮鬆魚鮮鯉鳥鳴鴨鷗鹽點瀅瑋瑤嫻"
    "嬡婭嵐巒嶸彙憲昇曇棟楨櫻沖淨淵漣潁瀾煒煥熾璿嫺"
)
_SIMPLIFIED = (
    "陈张刘黄杨赵吴孙马萧叶蒋郑谢韩冯许邓贾邹陆苏卢钟范谭龙万钱汤赖庞齐庄温颜严鲁阎关欧阳龚毕顾贺鲍乔饶聂连罗华应荣纪"
    "项闵单赛诸时费伦谈骆楼栾巩窦钮麦凤满迈乐闽龄兰丽伟强军国杰辉涛红飞鹏静爱云琼贞艳艳颖庆义礼贤东兴宝银铁钢铭锦鉴锡"
    "锋镇钧铃录长门闻开间阁阴阵际隐双离难电雾灵韵颂顶顺须预领头题风飘养余骏骅骁鹃鸿鹰鹤党齿龟亿备优传仓个们来仑仪偿儿"
    "内两册凯则刚创剑劲胜励勋区协厂历厉参丛号员问启唤吗啸团园圆图圣场块坛壮声处复梦夹奋夺妇妈娇婵学宁实宠审写宽对寻导"
    "将尔届层岳岛岭币师带帮干广庐弹归彦后从征忆怀态恳悬恋战戏拥择担据扬换挥损摇摄敌数斋断于晋昼晖畅晓晔历书会胧极构枪"
    "标样树桥机权欢岁残壳毁气汉沟测浑济滨浓洁泽潇湾沧滟灿烨灯营烁犹独狮奖环现珐莹玛玺珑产画异当叠愈发监盘尽众睁础确码"
    "禄祯禅种积称稳穷竞笔节筑简篮粮纯约纹纳纽级纷纱纸绍终组经结绝绚给统丝绿绮维纲网绵绪纬线缘纵总绣绘继续纤罚习联职聪"
    "肃脉脑肤临举旧舰茎莱苇盖莲荫姜萨蓝艺药蕴芦虚蝉蚕术卫冲装补复见规视亲觉览观触计记讯设访评词试诗话该详语诚误说课谁"
    "调请论谐诺谋谦讲证识谱译议护读变让丰贝负财责贵买资宾赐赏质赞赢赶跃轨轩软轻载轮辑输转农边达远遥适选迁辽还逻乡邻释"
    "针钰巨锐铺键锁镜钟钻闪闲陕队阶随险隶杂鸡雏霁靓韦响顿颇频颗额愿类饭饮馆饼骑腾验惊体发松鱼鲜鲤鸟鸣鸭鸥盐点滢玮瑶娴"
    "嫒娅岚峦嵘汇宪升昙栋桢樱冲净渊涟颍澜炜焕炽璇娴"
)
_SIMPLER = str.maketrans(_TRADITIONAL, _SIMPLIFIED)


def latinised(column: pl.Series) -> pl.Series:
    """The values of a column in Latin letters and simplified ideographs; those in Latin letters stay as they are.

    Cost: 5 us a distinct value of another script, and a look at the bytes of the others.
    """
    text = column.cast(pl.String)
    foreign = (text.str.len_bytes() != text.str.len_chars()).fill_null(False)
    if not foreign.any():
        return text
    rows = foreign.arg_true().filter(text.filter(foreign).str.contains(_OTHER_SCRIPT))
    found = text.gather(rows)
    distinct = found.unique()
    written = pl.Series([latin(each) for each in distinct], dtype=pl.String)
    return text.scatter(rows, found.replace_strict(distinct, written, return_dtype=pl.String))


def latin(text: str) -> str:
    """One value in Latin letters; ideographs are simplified and stay."""
    pieces = []
    for is_han, letters in groupby(unicodedata.normalize("NFC", text), lambda each: bool(_IS_HAN.match(each))):
        piece = "".join(letters)
        pieces.append(piece.translate(_SIMPLER) if is_han else _letters(piece))
    return "".join(pieces)


def reading(text: str) -> str:
    """How ideographs are read in Mandarin, in the letters of pinyin; kana and hangul by their sound."""
    return _NO_LETTER.sub("", _ascii(text).lower())


def _letters(piece: str) -> str:
    for vowel, written in _LONG_VOWELS:
        piece = vowel.sub(written, piece)
    return _ascii(piece)


def _ascii(text: str) -> str:
    # Loaded where a file has other scripts, which few have.
    from anyascii import anyascii

    return anyascii(text)

"""Lists of names in encodings of one and more bytes are told apart by their letters."""

from __future__ import annotations

import pytest

from core.intake.decoding.guess import guess_encoding

LISTS = {
    "German": ("Müller;Jürgen;Köln\nSchäfer;Anna;Düsseldorf\nGroß;Käthe;Nürnberg", "cp1252 mac-roman cp850"),
    "French": ("Lefèvre;Hélène;Orléans\nÉtienne;François;Besançon\nBenoît;Zoé;Châlons", "cp1252 mac-roman cp850"),
    "Spanish": ("Muñoz;José;Málaga\nPeña;María;Logroño\nIbáñez;Andrés;Córdoba", "cp1252 mac-roman"),
    "Portuguese": ("João;Conceição;São Paulo\nGonçalves;Antônio;Goiânia", "cp1252"),
    "Danish": ("Sørensen;Åse;Århus\nJørgensen;Bjørn;Tårnby", "cp1252 cp850"),
    "Swiss": ("Müller;François;Zürich\nLefèvre;José;Genève\nRossi;Nicolò;Bern", "cp1252"),
    "capitals": ("MÜLLER;JÜRGEN;KÖLN\nSCHÄFER;ANNA;DÜSSELDORF", "cp1252 mac-roman"),
    "quotes": ("Smith;“The Barn”;Leeds\nO’Brien;5 €;Cork", "cp1252"),
    "Polish": ("Wiśniewski;Łukasz;Łódź\nWójcik;Małgorzata;Kraków\nZając;Grażyna;Częstochowa", "cp1250 iso8859-2 cp852"),
    "Czech": ("Novák;Jiří;Plzeň\nDvořák;Šárka;Děčín\nČerný;Zdeněk;Žďár", "cp1250 iso8859-2"),
    "Hungarian": ("Kovács;Győző;Győr\nSzűcs;Ágnes;Pécs\nTóth;Ödön;Szőny", "cp1250"),
    "Turkish": ("Yıldız;Ayşe;İstanbul\nÖztürk;Çağla;Muğla", "cp1254"),
    "Lithuanian": ("Jonaitis;Rūta;Šiauliai\nŽukauskas;Agnė;Panevėžys", "cp1257"),
    "Russian": ("Иванов;Сергей;Москва\nПетрова;Ольга;Казань\nСмирнов;Алексей;Тула", "cp1251 koi8-r cp866 mac-cyrillic"),
    "Greek": ("Παπαδόπουλος;Γιώργος;Αθήνα\nΝικολάου;Μαρία;Πάτρα", "cp1253"),
    "Japanese": ("佐藤,太郎,東京\n鈴木,花子,大阪\n高橋,さくら,名古屋", "cp932 euc_jp"),
    "Chinese": ("王,伟,北京\n李,娜,上海\n张,秀英,广州", "gb18030"),
    "Taiwanese": ("陳志明;台北\n林美惠;高雄", "big5"),
    "Korean": ("김민준;서울\n이서연;부산\n박지훈;대구", "cp949"),
}


@pytest.mark.parametrize("language", LISTS)
def test_guess_encoding_reads_names(language: str) -> None:
    text, encodings = LISTS[language]
    for encoding in encodings.split():
        content = text.encode(encoding)
        guess = guess_encoding(content.split(b"\n"))
        assert guess is not None, encoding
        assert content.decode(guess.encoding) == text, (encoding, guess)


def test_guess_encoding_says_when_others_come_close() -> None:
    few, many = "Ann;José".encode("cp1252"), LISTS["French"][0].encode("cp1252")
    assert [guess.is_clear for line in (few, many) if (guess := guess_encoding([line]))] == [False, True]


def test_guess_encoding_finds_no_text_in_noise() -> None:
    noise = bytes((number * 97 + number // 7) % 128 + 128 for number in range(3_000))
    assert guess_encoding([noise]) is None
    assert guess_encoding([b"plain"]) is None

"""Surnames that systems of romanisation spell in several ways, one surname a line.

Chinese by pinyin first, then Wade-Giles, and as written in Hong Kong, Taiwan and Malaysia; Korean, Arabic and Indian
ones as passports have them. A spelling that stands for several surnames stands with the most frequent, or nowhere.

Source: common knowledge of the systems (pinyin, Wade-Giles, Jyutping as used by Hong Kong's registry, the Revised
Romanisation of Korean and McCune-Reischauer); no list was copied.
"""

FAMILIES = """
zhang cheung chang cheong
wang wong
li lee lei
chen chan tan chern
liu lau liew low
huang hwang
zhao chao chiu
wu ng goh
zhou chou chow chew
xu hsu tsui
sun suen
zhu chu choo
hu woo
guo kuo kwok quek
he ho
lin lam lim
luo lo law loh
zheng cheng
xie hsieh tse chia
cai tsai chua
feng fung
yu yue
cao tsao
jiang chiang keung
qian chien chin
zeng tsang
deng teng tang
xiao hsiao siu
ye yeh yip
ou au
ouyang auyeung
liang leung leong
song soong sung
xue hsueh sit
yang yeung yeoh
kim gim ghim
park bak pak bark
choe choi
jung jeong chung joung
kang gang
yun yoon youn
im rim yim
shin sin
kwon gwon
mohammad mohammed
hussain hussein
chowdhury choudhury chaudhary chaudhry choudhary chaudhuri
mukherjee mukhopadhyay mukerji
banerjee bandyopadhyay banerji
chatterjee chattopadhyay chatterji
aggarwal agarwal agrawal
iyer aiyar iyyer
nair nayar
verma varma
sheikh shaikh shaykh sheik
qureshi quraishi qoreishi
siddiqui siddiqi siddique
tchaikovsky chaikovsky chaikovskii tschaikowski
yushchenko iushchenko juschtschenko
gorbachev gorbatchev gorbatschow gorbachov
khrushchev chruschtschow khrouchtchev
yeltsin ieltsin jelzin eltsin
"""

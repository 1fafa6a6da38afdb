"""Given names of other languages than English: short forms, diminutives and spellings, in lines as of `english`.

Systems of transliteration differ, so the spellings of several are listed. Arabic and Hebrew are written with few
vowels: their lines hold what `scripts` makes of the letters too (mhmd). Names that have no other form are listed all
the same: what is listed is a name, and a slip away from another name it is no slip (Andrea, Andreas).

Source: common knowledge, as in any dictionary of first names (see `english`); no list was copied.
"""

GERMAN = """
hans hansi hannes
sebastian basti sebastien bastian
wolfgang wolf wolfi
katrina
dieter | dietrich | dietmar
joachim jochen achim
ulrich uli ulli | ulrike ulla
jutta
heinz heiner
rudolf rudi rolf rudolph
guenter gunter gunther guenther
juergen
joerg
sigrid siggi siegrid | siegfried sigfried
monika moni monica
gabriele gabi gaby
angelika angelica
elke
ute
bettina
birgit birgitta brigitte
renate
heike
anja
silke
manfred manni
reinhard reinhardt
eberhard
gottlieb
hildegard hilde
waltraud traudl waltraut
liselotte lilo
ursula uschi ursel
mechthild mechtild
annemarie
heidi
jens
sven swen
torsten thorsten
carsten karsten
steffen
uwe
detlef detlev
matthaeus
lukas lucas luca
jonas
felix
kai
"""

ROMANCE = """
ignacio nacho
jesus chuy chucho | jesusa
guadalupe lupe lupita
rosario charo
concepcion concha conchita
consuelo chelo
mercedes merche
pilar
manuel manolo manny manu emanuel emmanuel emanuele | manuela
rafael rafa raphael raffaele
fernando nando fernand
gonzalo
javier xavier javi
sergio serge sergei sergey serhiy sergiy
alfonso alphonse poncho
salvador salvatore chava
armando
arnaldo
joaquim joaquin
bartolome bartolomeo
beatriz beatrice bea beatrix
graciela chela
gustavo gustav
hector
teodora
adriano adrian | adriana
aurelio | aurelia
domingo domenico dominic dominique
eduarda
ines agnes
leticia lety
maite
mariano
marcelo marcello
montserrat montse
nuria
ramon raimon
raul
renato rene
ruben
salome
silvio
tiago thiago
vasco
xiomara
sebastiana
giacinto
gianni | gianluca
gino
beppe
pasquale pascal
elisa
chiara
ludovica
jeanne | jeannette jeanette | jeanine janine
jacques
thierry
benoit benedetto benedict benedikt
yves
mireille
odile
genevieve
helder
nuno
duarte
bruno
otavio octavio
joaquina
lourdes
"""

SLAVIC = """
alexei alexey aleksei aleksey alexej oleksiy oleksii alyosha lyosha
anastasia anastasiya anastasiia nastya nastia anastazja
anatoly anatoli anatoliy anatolii tolya
arkady arkadiy arkadii
artem artyom artiom
boris borys borya
dmitry dmitri dmitriy dmitrii dmytro dmitrij dima mitya dimitri dimitrios dimitris
galina halina galya halyna
gennady gennadi gennadiy gena
igor ihor
ilya ilia illia ilja
irina iryna irene irena ira
kirill kyrylo cyril kiril
konstantin constantin kostya kostyantyn konstantinos constantine konstantyn
larisa larysa lara
leonid lyonya
lidia lidiya lydia lidiia
ludmila lyudmila liudmila lyuda ludmyla
lev lew
lyubov liubov lubov lyuba
maya maia
nadezhda nadia nadya nadiya nadiia
natalia natalya nataliya nataliia natasha natalie natalija nathalie
nikita mykyta
nina
oksana oxana
oleg oleh
olga olha olya
pavlina
polina
roman
ruslan
semyon semen
svetlana svitlana sveta
taras
tatiana tatyana tetiana tanya tania tatjana tetyana
timur
vadim vadym
vasily vasili vasiliy vasyl vasya vasilios wasyl vasilii
viacheslav vyacheslav slava viacheslaw
vitaly vitali vitaliy vitalii
vladimir volodymyr vova volodya wladimir wlodzimierz vladimer
vladislav vladyslav wladyslaw vlad
vsevolod
yaroslav iaroslav jaroslav jaroslaw | yaroslava
yegor egor yehor
zhanna zhana
zinaida zina
agnieszka aga
boguslaw
czeslaw
ewelina
jadwiga
kazimierz
leszek
lukasz
malgosia gosia
wojciech wojtek
zbigniew zbyszek
stanislawa
miroslav miroslaw
milan
zoran
goran
dragan
nemanja
slobodan
zeljko
branko
vesna
jelena
jovan
milos
tomislav
ivana
marija
"""

ARABIC = """
mohammed muhammad mohamed mohammad muhammed mohamad muhamad mohamet mahomed mehmet mehmed mhmd mohd md
ahmed ahmad ahmet achmed ahmd
mahmoud mahmud mhmud mahmood
hussein hussain husain hussayn hossein hosein huseyin hsin husein
hassan hasan hsn
omar umar omer amr
othman osman uthman athman
khalid khaled chalid khald
abdullah abdallah abdulla abdoullah abdallh
abdulrahman abdurrahman abdelrahman abdalrhmn
abdulaziz abdelaziz abdalaziz
mustafa mostafa moustafa mustapha mstfa
ibraheem brahim ebrahim ibrahim ibrahym abrahim
ismail ismael ismaeel asmaail ismaail
karim kareem krim
rashid rasheed rachid rshid
said saeed saeid sayed seyd
samir sameer smir
salim saleem slim
tariq tarek tarik tarq
walid waleed oualid wlid
yasin yassin yaseen yacine yasyn
zaid zayd zid
jamal gamal djamal jmal
jamil jameel gamil jmil
nasser nasir naser nasr
faisal faysal feisal fisl
fatima fatimah fatma fatema
aisha aysha ayesha aicha ayse aaisha
khadija khadijah hatice chadidscha khdija
zainab zaynab zeinab zeynep zinb
layla leila laila leyla lila
noor nour nur
yasmin yasmine yasmeen jasmin jasmine
amina aminah amneh
mariam meriem mrim
salma
hanan hnan
"""

HEBREW = """
moshe msa | moses
chaim haim hayim hiim
shlomo slma
yitzhak itzhak yitzchak ytskhk
avraham abrhm
"""

INDIAN = """
sanjay sanjai
vijay vijai wijay
lakshmi laxmi lakshmy
krishna krishnan kishna krsna
vishnu vishnoo
shyam sham
deepak dipak
dilip deelip
sunil suneel
anil aneel
ashok asok
rajesh rajes
suresh sures
ganesh ganes
mukesh mukhesh
priya pria
pooja puja
geeta gita geetha githa
seeta sita seetha sitha
meena mina
neelam nilam
jyoti jyothi joti
kavita kavitha
savita savitha
sunita sunitha suneeta
rohit rohith
amit ameet
ajay ajai
manoj manoje
prakash prakas
ramesh rames
satish sathish sateesh
shiva siva
srinivas shrinivas sreenivas srinivasan
subramanian subramaniam subramanyam
venkatesh venkates
jaswinder jasvinder
gurpreet gurprit
harpreet harprit
manpreet manprit
sukhwinder sukhvinder
"""

CONTINENTAL = "\n".join((GERMAN, ROMANCE, SLAVIC, ARABIC, HEBREW, INDIAN))

"""Given names of English with their short forms, one class a line.

A line reads `name, its spellings and forms | another name of the same short forms : the short forms they share`. Names
on the two sides of a bar are two names: Alexander and Alexandra are both called Alex, and neither is the other. A line
that begins with a blank goes on with the one before.

Source: common knowledge, as in any dictionary of first names (P. Hanks, K. Hardcastle and F. Hodges, A Dictionary of
First Names, Oxford, 2006); no list was copied.
"""

ENGLISH = """
abigail abby abbie gail
abraham abe bram
adam ad
albert bert bertie alberto albrecht | alfred alf alfie alfredo | alan allan allen | alvin
  | frederick frederic friedrich fritz federico fredrick frederik : al fred freddy freddie
alexander xander lex alexandre aleksander aleksandr alexandr alejandro alessandro oleksandr aleksandar oleksander
  | alexandra alexa aleksandra alejandra alessandra oleksandra alexandria | sandra | alexis : alex alec sandy sasha
alice | alison allison alisson : ali aly ally allie
amanda mandy manda
amelia millie
amy
andrew drew andrey andrei andrej andriy andrzej andres | andre | andreas antreas | andrea : andy
angela angie angelina | angel
anna ann anne annie ana anya | hannah hanna | anita | nancy : nan
annette
antonia
anthony tony antony antonio anton antoine
arthur art artie arturo artur
barbara barb barbie babs bobbie
benjamin ben benny benji
bernard bernie barney bernhard bernardo
beverly bev beverley
bradley brad
brandon
brian bryan bryant
bridget biddy bridie
calvin cal
cameron cam
carl karl carlo | carlos
carolyn caroline carrie lyn karoline carolina | carol carole caryl | karolina
catherine katherine kathryn katharine kathrine cathryn catharine katharina katarina katerina ekaterina yekaterina
  caterina catalina kateryna katarzyna katrin kathrin katja katya cathy kat cat kitty | kathleen : kate katie katy kathy
caitlin katelyn kaitlyn caitlyn
cecilia cissy celia cece cecile
charles charlie chuck chas chip charley | charlotte lottie charly
cheryl sheryl cherie
christopher kit topher kristopher christoph christophe cristobal krzysztof | christian cristian kristian
  | christine christina cristina kristina kristine tina chrissy christy kristy krystyna hristina
  | kristin kristen kirsten kirstin : chris kris
clara klara | claire clare
clarence
claudia | claude | claudio
clifford | clifton : cliff
clinton clint
constance connie
curtis curt kurt
cynthia cindy
daniel danny danil daniil danilo | daniela daniella danielle dani : dan
daphne daph
david dave davey davy davide dawid
deborah debra debora debby : deb debbie
dennis denny denis
derek derrick
diane dianne | diana : di
dolores lola
donald donny donnie | donovan : don
donna
dorothy dot dottie dolly dorothea dorota
douglas doug
dwayne duane
edmund ned edmond edmundo | edward eduard eduardo edouard eddie teddy | edwin | edgar
  | theodore theo theodor teodoro fyodor fedor : ed ted
eleanor elinor eleanora eleonora nell nellie | ella | ellen | helen helena helene elena olena yelena : ellie nora
elizabeth beth betty lizzie eliza libby betsy bess bessie elisabeth elisabetta elzbieta yelizaveta elizaveta liz
  elisabet isabel | lisa | elise | elsie
emily em emmy emilie emilia | emma
erin
ernest ernie ernst ernesto
ethan
eugene gene evgeny yevgeny evgeni yevgeniy evgeniy eugenio | eugenia
evelyn | eve eva ewa : evie
florence flo flossie
frances fran francie francesca franziska franciszka francoise
  | francis frankie paco francisco francesco franz frantisek francois franciszek | franklin : frank
gabriel gabe gavriil | gabrielle gabriella gabriela : gabby
gary garry
geoffrey jeffrey geoff jeff jeffery gottfried
george georgie georg jorge georges giorgio georgi georgy georgiy jerzy yuri yuriy jurgen jorg
gerald jerald geraldo | gerard gerhard gerardo | jerome | jeremy | jeremiah : jerry gerry
gertrude gert trudy gertrud
gilbert gil
gloria glo
gordon gord
grace gracie
gregory greg gregg gregor grigory grzegorz grigoriy
gwendolyn gwen | wendy
harold hal | henry hank heinrich enrique henri enrico henryk hendrik genrikh | harrison : harry
harriet hattie
heather
herbert herb heribert
howard howie
hugh hughie hugo
isaac ike
isabella bella izzy belle isabelle isabela izabela
jacob jake jakob jacobo yakov jakub giacomo
jacqueline jackie jacquelyn jacqui
james jim jimmy jamie jimmie jem jaime | santiago
jane janie | janet | jennifer jen jenn jennie : jenny
janice
jason jay
jessica jessie | jesse : jess
joan joanie | joanna joann johanna joanne | josephine josie josefine josefa josefina giuseppina : jo
john jack johnny johnnie johann johannes | jonathan jonathon johnathan : jon jonny
sean shaun shawn
ian iain
joseph joey jose josef jozef giuseppe iosif yusuf youssef yosef yousef yusef pepe : joe
joshua josh
joyce
judith judy judi
julia julie juliet jules giulia yulia iuliia yuliya yuliia | julian juliano | julio julius giulio | juliana | juliane
justin
karen karin caren
kenneth ken kenny
kevin kev
kimberly kim kimmy kimberley
kyle
lawrence larry laurence lorenzo lawry lars laurent lorenz
laura laurie | lauren | lori | lorraine
leah
leonard lenny leonardo leonhard | leon leo | leopold : len
leslie les lesley
lewis louis louie luis luigi ludwig ludwik | louise luise luisa louisa : lou
lillian lily lil lilian
linda lindy lynda
lucille | lucy lucie lucia luzia | lucinda
madeline madeleine magdalena madalena | madison : maddie maddy
margaret maggie meg peggy margarete margarethe margarita marguerite margherita malgorzata margareta margot
  | marjorie | greta | rita : marge margie
maria mary marie mariya mariia maryam miriam | mario | molly | marian marion | mariana
marcus markus marcos | mark marc marco marek | marcel
marilyn marylin
martha marta marthe | martin marcin martino | martina : marty
mattie
matilda tilly mathilde
matthew matt mat mathew matthias mateo matteo matthieu mathieu mateusz matteus matvey | matheus
maureen | maurice mauricio maurizio moritz | morris : mo
max maxwell | maximilian maximiliano | maxim maksim maksym
megan meghan
melanie | melissa missy lissa | melvin : mel
michael mike mick mickey micky mikey micheal michel michal miguel mikhail mykhailo mihail mikael
  | michelle michele shelly shelley michaela | mitchell mitch
mildred milly
nathaniel nathanael | nathan : nate nat
nicholas nico nikolas nicolas nikolai nikolay nikolaus nicola nicolo mykola mikolaj nicolau claus klaus
  | nicole nikki : nick nicky
norman norm
oliver ollie olivier oliviero | olivia livvy liv
oscar ozzy oskar
pamela pam
patricia patty patsy tricia trish patti | patrick paddy patrik patricio : pat
paul pauly pablo paulo paolo pavel pawel pavlo | paula paola | pauline paulina
penelope penny
peter pete pedro pierre pietro piotr pyotr petr petro pieter | petra
philip phil phillip pip philipp philippe felipe filippo filip | philippa
phyllis phyl
priscilla cilla
rachel rach rachael raquel rachele rahel
ralph rafe
randall randy randolph randal
raymond ray raimund raimundo
rebecca becky becca beck rebekah
reginald reg reggie
richard dick rich richie ricardo rickey riccardo ryszard | eric erik erich : rick ricky
robert bob bobby rob robbie robby roberto | roberta
roderick rod roddy | rodney
roger rodge rogelio ruggero
ronald ronny | veronica veronika weronika : ronnie ron
rose rosie rosa | rosemary rosemarie
roxanne roxy
russell russ
ruth ruthie
ryan ry
samuel sammy samuele | samantha sammie : sam
sarah sara | sally | sadie
scott scotty
sharon shari | sherry
shirley shirl
sidney sid sydney
simon | simone simona
sophia sophie sofia sofie zofia sofiya sofiia
stanley stan | stanislav stanislaw stanislaus
stephanie steph stefanie stefania
stephen steven steve stefan stephan stefano esteban etienne stepan szczepan
stewart stuart stu
susan sue susie suzanne suzy susanna susannah suzie susanne zuzanna
sylvia silvia sylvie
tamara tammy tami
terence terrance terrence | theresa teresa terri tess tessa therese theresia teresita : terry
thomas tom tommy tomas tomasz tommaso foma
timothy tim timmy timofey timoteo
tobias toby
tracy tracey
travis trav
tyler ty
valerie val valeria valery | valentina | valentin valentino
vanessa nessa
vera wera
victor vic viktor vittorio wiktor | victoria vicky vicki tori vickie viktoria viktoriya viktoriia vittoria wiktoria
vincent vince vinny vincenzo vicente vincente
viola vi violet
virginia ginny ginger
vivian viv vivien
walter walt wally valter
warren
wayne
wesley wes
wilfred wilf wilfried
william bill will billy willie willy wm wilhelm guillermo guillaume willem guglielmo | liam
winifred winnie
zachary zach zack zac zachariah
cassandra cassie
"""

# Names without another form. They are listed for what they are not: a slip of another name.
ALONE = """
aaron april austin blake brenda brett brittany bruce caleb carla carmen chad cody craig crystal dale dawn dean denise
diego doris dustin dylan earl edith edna eileen elaine elmer erica ethel evan georgia giovanni glenn hazel holly
hunter iris ivan ivy jared jean jill joao joel jordan juan karla keith kelly logan loretta luke marcia marcella
marshall mason mona monique noah nolan norma owen paige perry regina robin ross roy ruby seth shane shannon stacey
stacy thelma tiffany todd tonya trevor troy vernon wade wilma yolanda yvonne
"""

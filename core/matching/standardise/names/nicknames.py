"""Short forms of English given names, one class a line, the full form first. A name belongs to one class only."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from core.matching.text.hashing import Lookup, hash_text, lookup

_CLASSES = """
abigail abby abbie gail
abraham abe bram
adam ad
albert al bert bertie
alexander alex alec alexandra alexis sandy sasha lex xander sandra
alfred alf alfie fred freddy freddie
alice ali ally
allan alan allen
allison alison allie
amanda mandy manda
amelia amy millie
andrew andy drew andre
angela angie angel angelina
anna ann anne annie nan nancy hannah hanna anita
anthony tony antony antonio
arthur art artie
barbara barb barbie babs bobbie
benjamin ben benny benji
bernard bernie barney
beverly bev beverley
bradley brad
brandon brand
brian bryan bryant
bridget biddy bridie
calvin cal
cameron cam
carl karl
carolyn caroline carol carrie lyn caryl
catherine katherine kathryn cathy kathy kate katie kat cat kay kitty kathleen katharine kathrine cathryn katelyn caitlin
cecilia cissy celia cece
charles charlie chuck chas chip charley
charlotte lottie charly
cheryl sheryl cherie
christina christine chrissy tina kristina kristine kristin kristen kirsten christy kristy
christopher chris kris kit topher kristopher
clara claire clare
clarence clare
claudia claude
clifford cliff
clinton clint
constance connie
curtis curt kurt
cynthia cindy
daniel dan danny
daphne daph
david dave davey davy
deborah deb debbie debra debora debby
dennis denny denis
diane diana dianne di
dolores lola
donald don donny donnie
dorothy dot dottie dolly dorothea
douglas doug
dwayne duane
edmund ned
edward ed eddie ted teddy edwin edgar
eleanor ellie nell nellie elinor eleanora ella ellen helen
elizabeth liz beth betty lizzie eliza elsie lisa libby betsy bess bessie elisabeth liza elise
emily em emmy emma
eric erik rick
ernest ernie
ethan eth
eugene gene
evelyn eve evie
florence flo flossie
frances fran francie
francis frank frankie franklin
gabriel gabe
gabrielle gabby
gary garry
geoffrey jeffrey geoff jeff jeffery
george georgie
gerald gerry jerry gerard jerald jerome
gertrude gert trudy
gilbert gil
gloria glo
gordon gord
grace gracie
gregory greg gregg
gwendolyn gwen wendy
harold harry hal
harriet hattie
heather heath
henry hank
herbert herb
howard howie
hugh hughie hugo
isaac ike
isabella isabel bella izzy belle isabelle
jacob jake jakob
jacqueline jackie jacquelyn jacqui
james jim jimmy jamie jimmie jem
jane janie janet jan jenny
janice janis
jason jay
jennifer jen jenn jennie
jessica jess jessie
jesse jess
joan joanie
joanna joanne jo joann johanna
john jon johnny jack johnnie jonny
jonathan jonathon nathan nathaniel nate nat
joseph joe joey jo jose
josephine josie jo
joshua josh
joyce joy
judith judy judi
julia julie juliet jules
julian jule
justin just
karen caren karin
kenneth ken kenny
kevin kev
kimberly kim kimmy kimberley
kyle ky
larry lawrence laurence lars lorenzo lawry
laura laurie lauren lori lorraine
leah lea
leonard leo len lenny leon leonardo
leslie les lesley
lewis louis lou louie luis
lillian lily lil lilian
linda lindy lynda
louise lou
lucille lucy lucia lucinda
madeline maddie madeleine maddy madison
margaret maggie meg peggy marge margie greta rita daisy peg marjorie margarita madge
maria mary mae may molly polly mamie marie
marcus mark marc
marilyn marylin
martha marty mattie
martin marty
matilda tilly
matthew matt mat mathew
maureen mo
maxwell max maximilian
megan meg meghan
melanie mel
melissa missy lissa mel
melvin mel
michael mike mick mickey micky mikey micheal
michelle shelly michele shelley
mildred milly
mitchell mitch
morris maurice mo
nicholas nick nicky nicolas nico
nicole nicky nikki nicola
norman norm
oliver ollie
olivia livvy liv
oscar ozzy
pamela pam
patricia pat patty patsy tricia trish patti
patrick pat paddy
paul pauly
pauline paula
penelope penny
peter pete
philip phil phillip pip
phyllis phyl
priscilla cilla
rachel rach rachael
ralph rafe
randall randy randolph randal
raymond ray
rebecca becky becca beck rebekah
reginald reg reggie
richard dick rich richie ricky ricardo rickey
robert bob bobby rob robbie robby bert roberto
roberta bobbie
roderick rod roddy
rodney rod
roger rodge
ronald ron ronnie ronny
rose rosie rosemary rosa
roxanne roxy
russell russ
ruth ruthie
ryan ry
samuel sam sammy
samantha sam sammie
sarah sara sally sadie
scott scotty
sean shaun shawn
sharon shari sherry
shirley shirl
sidney sid sydney
simon si
sophia sophie
stanley stan
stephanie steph stefanie
stephen steven steve stevie stephan stefan
stewart stuart stu
susan sue susie suzanne suzy susanna susannah suzie
sylvia syl
tamara tammy tami
terence terry terrance terrence
teresa theresa terri tess tessa therese
theodore theo
thomas tom tommy tomas
timothy tim timmy
tobias toby
tracy tracey
travis trav
tyler ty
valerie val
vanessa nessa
veronica ronnie vera
victor vic
victoria vicky vicki tori vickie
vincent vince vinny
viola vi violet
virginia ginny ginger
vivian viv vivien
walter walt wally
warren ren
wayne wain
wesley wes
wilfred wilf
william bill will billy willie willy liam wm
winifred winnie
zachary zach zack zac zachariah
"""


def nickname_classes() -> Mapping[str, str]:
    """Every listed name with the full form of its class; a name listed twice belongs to the first."""
    classes: dict[str, str] = {}
    for line in _CLASSES.split("\n"):
        names = line.split()
        for name in names:
            classes.setdefault(name, names[0])
    return classes


@cache
def nickname_table() -> Lookup:
    """From the hash of each listed name to that of the full form of its class."""
    return lookup({hash_text(name): hash_text(full) for name, full in nickname_classes().items()})

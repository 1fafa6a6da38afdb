"""What shops sell and how they call it; brands and lines are invented (see `products.py`)."""

from core.made_records.clerks import forms

# thing / as other shops call it
ELECTRONICS = forms("""
digital camera/camera/compact digital camera, LCD television/LCD HDTV/flat panel TV/LCD TV
plasma television/plasma HDTV/plasma TV
headphones/stereo headphones/headset, earbuds/in-ear headphones/earphones, notebook/laptop/notebook PC
camcorder/HD camcorder/digital camcorder
DVD player/DVD video player, Blu-ray disc player/Blu-ray player/BD player
home theater system/home cinema system/theater in a box
bookshelf speakers/2-way speakers/speaker pair, subwoofer/powered subwoofer/sub
car stereo/CD receiver/in-dash receiver, AV receiver/receiver
cordless telephone/cordless phone/DECT phone, GPS navigator/navigation system/portable GPS
inkjet printer/photo printer/color printer
laser printer/mono laser printer, all-in-one printer/multifunction printer/MFP
LCD monitor/widescreen monitor/flat panel display
external hard drive/portable hard drive/USB hard disk, memory card/SDHC card/flash card
flash drive/USB drive/memory stick
wireless router/Wi-Fi router/router, network switch/Ethernet switch/switch, keyboard/wireless keyboard
optical mouse/mouse/wireless mouse
microwave oven/microwave/countertop microwave, refrigerator/fridge/side-by-side refrigerator
dishwasher/built-in dishwasher
front load washer/washer/washing machine, electric dryer/dryer, range hood/under cabinet hood/hood
gas range/range/freestanding range
air conditioner/room air conditioner/window AC, vacuum cleaner/upright vacuum/vacuum, coffee maker/coffeemaker
blender/countertop blender
shaver/electric shaver/rechargeable shaver, alarm clock radio/clock radio
MP3 player/portable media player/digital audio player
docking station/speaker dock/dock, camera bag/carrying case/camera case, tripod/camera tripod
wall mount/TV wall bracket/flat panel mount
battery/rechargeable battery/battery pack, charger/battery charger/AC charger, toner cartridge/toner
ink cartridge/ink/inkjet cartridge
surge protector/power strip/surge suppressor, projector/multimedia projector
universal remote/remote control/learning remote
""")
COLOURS = forms(
    "black/BLK/blk, silver/SLV, white/WHT/wht, -, stainless steel/SS/stainless, red, blue, pink, gray/grey, titanium"
)
UNITS = forms('inch/in./", GB/gb, MP/megapixel/mega pixel, watt/W/watts, cu. ft./cubic feet/cu ft')
EXTRAS = forms("""
new, retail, refurbished, with remote, with case, energy star, factory sealed, bulk, OEM, free shipping
best price, open box, kit
""")

SOFTWARE = forms("""
photo editor/photo editing suite, video studio/video editing, antivirus/anti-virus
internet security/security suite, tax filing/tax
small business accounting/accounting, payroll/payroll manager, office suite/office, word processor
spreadsheet/worksheet, database/database server
backup/backup and recovery/disk backup, disk imaging/drive image, language course/language learning
typing tutor/typing, music notation
drum machine/beat maker, landscape designer/landscape design, home architect/home design, family tree/genealogy
street atlas/maps and routes
PDF converter/pdf creator, web designer/website builder, screen capture/screen recorder, 3D modeler/3d design
CAD/drafting, flight simulator
train simulator/railroad simulator, chess, crossword puzzles/crosswords, solitaire/card games
encyclopedia/reference library, math tutor/math
reading adventure/reading, spelling/spelling practice, greeting cards/card creator, label maker/labels
project planner/project management
mind mapping, contact manager/contacts, server operating system/server os, firewall, spam filter/anti-spam
parental control
""")
EDITIONS = forms("""
-, standard/std, professional/pro, deluxe, home, premium, ultimate, enterprise/ent, small business/sb
student and teacher/student, platinum, gold
""")
LICENCES = forms(
    "-, upgrade/upg, academic/education/edu, full version/full, 3 user/3-user/3 pc, 5 user/5-user/5 pc,"
    "additional license/add. lic."
)
SYSTEMS = forms("-, windows/win/pc, mac/macintosh/mac os x, windows and mac/win/mac hybrid, linux")
MEDIA = forms("-, cd/cd-rom/[cd], dvd/dvd-rom, jewel case/jc, box/retail box, download, sealed")

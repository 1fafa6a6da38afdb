"""What organisations are called by, beside invented and family names."""

from core.made_records.clerks import forms

# what they do / as others write it
TRADES = forms("""
Logistics/Logistic/Logistik, Foods/Food/Food Products, Steel/Steels/Stahl, Paper/Papers/Papier
Plastics/Plastic/Kunststoffe, Chemicals/Chemical/Chem
Engineering/Eng./Engg/Engineers, Construction/Constr./Builders, Electric/Electrical/Elektro
Electronics/Electronic/Elektronik, Textiles/Textile/Textil
Packaging/Packing/Pkg, Printing/Printers/Druck, Furniture/Furnishings/Moebel, Machinery/Machines/Maschinenbau
Tools/Tooling/Werkzeuge, Transport/Transports/Transporte
Shipping/Shipping Lines/Reederei, Energy/Energie/Energia, Water/Water Treatment, Glass/Glas/Glazing
Timber/Lumber/Holz, Dairy/Dairies/Molkerei, Bakery/Bakeries/Baeckerei
Pharma/Pharmaceuticals/Pharmaceutical/Pharm, Medical/Med/Medizintechnik, Software/Soft, Systems/Sys/Systeme
Consulting/Consultants/Consult, Security/Sec/Sicherheit
Cleaning/Cleaners/Reinigung, Catering/Caterers, Insurance/Ins/Versicherung, Finance/Financial/Fin
Trading/Trade/Handel, Motors/Motor/Auto, Cables/Cable/Kabel
Paints/Paint/Coatings, Garden/Gardens/Garten, Optics/Optical/Optik, Bearings/Bearing/Lager
Valves/Valve/Armaturen, Pumps/Pump/Pumpen, Fasteners/Fixings/Schrauben
""")
GENERIC = forms("""
-, -, -, Group/Grp/Gruppe, Holding/Holdings/Hldg, International/Intl/Int'l/Internat., Services/Service/Svcs
Solutions/Soln, Industries/Ind./Industrie
Manufacturing/Mfg/Mfg., Products/Prod., Supply/Supplies, Technologies/Technology/Tech, Management/Mgmt/Mgt
Partners/Associates, Enterprises/Entp., Works/Werke, Company/Co/Co.
""")
# two of each country in the order of COUNTRIES; a company has one and writes it in several ways
LEGAL = forms("""
Inc/Inc./Incorporated/-, LLC/L.L.C./Llc/-
Ltd/Limited/Ltd./-, plc/PLC/Public Limited Company/-
GmbH/G.m.b.H./GmbH & Co. KG/-, AG/Aktiengesellschaft/-
SARL/S.A.R.L./S a r l/-, SA/S.A./Societe Anonyme/-
S.p.A./SpA/-, S.r.l./Srl/-
S.L./SL/Sociedad Limitada/-, S.A.U./SAU/-
B.V./BV/-, N.V./NV/-
Sp. z o.o./sp z oo/Spolka z o.o./-, S.A./Spolka Akcyjna/-
""")
DEPARTMENTS = forms("""
Accounts Payable/AP, Purchasing/Procurement, Warehouse/Whse, Head Office/HQ, Sales, Division/Div., Plant/Works
Service Centre/Service Center, Branch, Export
""")
COUNTRIES = forms("""
United States/US/USA/U.S.A., United Kingdom/UK/GB, Germany/DE/Deutschland, France/FR
Italy/IT/Italia, Spain/ES/España, Netherlands/NL, Poland/PL/Polska
""")
COUNTRY_LETTERS = ("US", "GB", "DE", "FR", "IT", "ES", "NL", "PL")
# kinds of a master list: what stands around a place or a name; {} is that name. usual/as mentions have it/...
MASTER_KINDS = {
    "universities": """
University of {}/{} University/Univ. of {}/U {}, {} State University/{} State Univ/{} State
{} Institute of Technology/{} Inst. of Tech./{} Tech, {} College/Coll. of {}/College of {}
Technical University of {}/{} Technical University/TU {}
""",
    "hospitals": """
{} General Hospital/{} General/{} Gen. Hosp., {} Medical Center/{} Med Ctr/Medical Centre {}
{} Community Hospital/{} Comm Hosp, {} Childrens Hospital/Children's Hospital of {}/{} Children's
{} Memorial Hospital/{} Memorial/{} Meml Hosp
""",
    "clubs": """
FC {}/{} FC/{}/Football Club {}, {} United/{} Utd/{} Utd FC, {} City/{} City FC, {} Rovers/{} Rvrs
Sporting {}/Sporting Club {}/SC {}, Athletic {}/{} Athletic Club/AC {}
""",
    "stations": """
{} Central/{} Central Station/{} Cent., {} North/North {}/{} N, {} South/{} S/South {} Station
{} Junction/{} Jn/{} Jct, {} Airport/{} Airport Station/{} Apt, {} Road/{} Rd
""",
    "museums": """
{} Museum of Art/{} Art Museum/Museum of Art {}, {} History Museum/Museum of {} History/{} Hist. Museum
{} Science Museum/{} Science Centre/{} Sci. Mus., {} Railway Museum/Railway Museum {}
{} Maritime Museum/Maritime Mus. {}
""",
    "schools": """
{} High School/{} High/{} HS, {} Middle School/{} Middle/{} MS, {} Elementary School/{} Elementary/{} Elem. Sch.
{} Academy/Academy of {}/{} Acad, Saint {} School/St {}/St. {}'s School
""",
    "banks": """
Bank of {}/{} Bank/Bk of {}, First National Bank of {}/First Natl {}/FNB {}, {} Savings Bank/{} Savings/{} Svgs Bk
{} Trust Company/{} Trust/{} Tr Co, {} Credit Union/{} CU/{} Cr Un
""",
    "agencies": """
Department of {} Affairs/Dept of {} Affairs/{} Affairs Department
{} Water Authority/{} Water Auth./Water Authority of {}, {} County Council/{} Council/Council of {} County
{} Port Authority/Port of {}/{} Port, {} Transit Agency/{} Transit/Transit {}
""",
}

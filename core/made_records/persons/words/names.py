"""Names of persons in the United States: facts of public census counts, most frequent first.

The lists carry rank only; the shares follow from rank (see `vocabulary.py`). What is rarer than the lists is made from
the morphemes below.
"""

from __future__ import annotations

MALE = tuple(
    """
James John Robert Michael William David Richard Charles Joseph Thomas Christopher Daniel Paul Mark Donald George
Kenneth Steven Edward Brian Ronald Anthony Kevin Jason Matthew Gary Timothy Jose Larry Jeffrey Frank Scott Eric
Stephen Andrew Raymond Gregory Joshua Jerry Dennis Walter Patrick Peter Harold Douglas Henry Carl Arthur Ryan Roger
Joe Juan Jack Albert Jonathan Justin Terry Gerald Keith Samuel Willie Ralph Lawrence Nicholas Roy Benjamin Bruce
Brandon Adam Harry Fred Wayne Billy Steve Louis Jeremy Aaron Randy Howard Eugene Carlos Russell Bobby Victor Martin
Ernest Phillip Todd Jesse Craig Alan Shawn Clarence Sean Philip Chris Johnny Earl Jimmy Antonio Danny Bryan Tony Luis
Mike Stanley Leonard Nathan Dale Manuel Rodney Curtis Norman Allen Marvin Vincent Glenn Jeffery Travis Jeff Chad Jacob
Lee Melvin Alfred Kyle Francis Bradley Jesus Herbert Frederick Ray Joel Edwin Don Eddie Ricky Troy Randall Barry
Alexander Bernard Mario Leroy Francisco Marcus Micheal Theodore Clifford Miguel Oscar Jay Jim Tom Calvin Alex Jon
Ronnie Bill Lloyd Tommy Leon Derek Warren Darrell Jerome Floyd Leo Alvin Tim Wesley Gordon Dean Greg Jorge Dustin
Pedro Derrick Dan Lewis Zachary Corey Herman Maurice Vernon Roberto Clyde Glen Hector Shane Ricardo Sam Rick Lester
Brent Ramon Charlie Tyler Gilbert Gene Marc Reginald Ruben Brett Angel Nathaniel Rafael Leslie Edgar Milton Raul Ben
Chester Cecil Duane Franklin Andre Elmer Brad Gabriel Ron Mitchell Roland Arnold Harvey Jared Adrian Karl Cory Claude
Erik Darryl Jamie Neil Jessie Christian Javier Fernando Clinton Ted Mathew Tyrone Darren Lonnie Lance Cody Julio Kelly
Kurt Allan Nelson Guy Clayton Hugh Max Dwayne Dwight Armando Felix Jimmie Everett Jordan Ian Wallace Ken Bob Jaime
Casey Alfredo Alberto Dave Ivan Johnnie Sidney Byron Julian Isaac Morris Clifton Willard Daryl Ross Virgil Andy
Marshall Salvador Perry Kirk Sergio Marion Tracy Seth Kent Terrance Rene Eduardo Terrence Enrique Freddie Wade Austin
Ethan Logan Noah Mason Liam Aiden Elijah Caleb Evan Luke Owen Gavin Connor Dylan Hunter Cole
""".split()
)

FEMALE = tuple(
    """
Mary Patricia Linda Barbara Elizabeth Jennifer Maria Susan Margaret Dorothy Lisa Nancy Karen Betty Helen Sandra Donna
Carol Ruth Sharon Michelle Laura Sarah Kimberly Deborah Jessica Shirley Cynthia Angela Melissa Brenda Amy Anna Rebecca
Virginia Kathleen Pamela Martha Debra Amanda Stephanie Carolyn Christine Marie Janet Catherine Frances Ann Joyce Diane
Alice Julie Heather Teresa Doris Gloria Evelyn Jean Cheryl Mildred Katherine Joan Ashley Judith Rose Janice Kelly
Nicole Judy Christina Kathy Theresa Beverly Denise Tammy Irene Jane Lori Rachel Marilyn Andrea Kathryn Louise Sara
Anne Jacqueline Wanda Bonnie Julia Ruby Lois Tina Phyllis Norma Paula Diana Annie Lillian Emily Robin Peggy Crystal
Gladys Rita Dawn Connie Florence Tracy Edna Tiffany Carmen Rosa Cindy Grace Wendy Victoria Edith Kim Sherry Sylvia
Josephine Thelma Shannon Sheila Ethel Ellen Elaine Marjorie Carrie Charlotte Monica Esther Pauline Emma Juanita Anita
Rhonda Hazel Amber Eva Debbie April Leslie Clara Lucille Jamie Joanne Eleanor Valerie Danielle Megan Alicia Suzanne
Michele Gail Bertha Darlene Veronica Jill Erin Geraldine Lauren Cathy Joann Lorraine Lynn Sally Regina Erica Beatrice
Dolores Bernice Audrey Yvonne Annette June Samantha Marion Dana Stacy Ana Renee Ida Vivian Roberta Holly Brittany
Melanie Loretta Yolanda Jeanette Laurie Katie Kristen Vanessa Alma Sue Elsie Beth Jeanne Vicki Carla Tara Rosemary
Eileen Terri Gertrude Lucy Tonya Ella Stacey Wilma Gina Kristin Jessie Natalie Agnes Vera Willie Charlene Bessie
Delores Melinda Pearl Arlene Maureen Colleen Allison Tamara Joy Georgia Constance Lillie Claudia Jackie Marcia Tanya
Nellie Minnie Marlene Heidi Glenda Lydia Viola Courtney Marian Stella Caroline Dora Jo Vickie Mattie Terry Maxine Irma
Mabel Marsha Myrtle Lena Christy Deanna Patsy Hilda Gwendolyn Jennie Nora Margie Nina Cassandra Leah Penny Kay
Priscilla Naomi Carole Brandy Olga Billie Dianne Tracey Leona Jenny Felicia Sonia Miriam Velma Becky Bobbie Violet
Kristina Toni Misty Mae Shelly Daisy Ramona Sherri Erika Katrina Claire Olivia Sophia Isabella Ava Mia Abigail Madison
Chloe Hannah Hailey Kaylee Alyssa Brianna Sydney Morgan Destiny Jasmine Kayla Alexis Gabriella Zoe Lily
""".split()
)

SURNAMES = tuple(
    dict.fromkeys(
        """
Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson
Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young
Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter
Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers
Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks Chavez
Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster Jimenez Powell
Jenkins Perry Russell Sullivan Bell Coleman Butler Henderson Barnes Gonzales Fisher Vasquez Simmons Romero Jordan
Patterson Alexander Hamilton Graham Reynolds Griffin Wallace Moreno West Cole Hayes Bryant Herrera Gibson Ellis Tran
Medina Aguilar Stevens Murray Ford Castro Marshall Owens Harrison Fernandez McDonald Woods Washington Kennedy Wells
Vargas Henry Chen Freeman Webb Tucker Guzman Burns Crawford Olson Simpson Porter Hunter Gordon Mendez Silva Shaw
Snyder Mason Dixon Munoz Hunt Hicks Holmes Palmer Wagner Black Robertson Boyd Rose Stone Salazar Fox Warren Mills
Meyer Rice Schmidt Garza Daniels Ferguson Nichols Stephens Soto Weaver Ryan Gardner Payne Grant Dunn Kelley Spencer
Hawkins Arnold Pierce Hansen Peters Santos Hart Bradley Knight Elliott Cunningham Duncan Armstrong Hudson Carroll Lane
Riley Andrews Alvarado Ray Delgado Berry Perkins Hoffman Johnston Matthews Pena Richards Contreras Willis Carpenter
Lawrence Sandoval Guerrero George Chapman Rios Estrada Ortega Watkins Greene Nunez Wheeler Valdez Harper Burke Larson
Santiago Maldonado Morrison Franklin Carlson Austin Dominguez Carr Lawson Jacobs OBrien Lynch Singh Vega Bishop
Montgomery Oliver Jensen Harvey Williamson Gilbert Dean Sims Espinoza Howell Li Wong Reid Hanson Le McCoy Garrett
Burton Fuller Wang Weber Welch Rojas Lucas Marquez Fields Park Yang Little Banks Padilla Day Walsh Bowman Schultz Luna
Fowler Mejia Davidson Acosta Brewer May Holland Juarez Newman Pearson Curtis Cortez Douglas Schneider Joseph Barrett
Navarro Figueroa Keller Avila Wade Molina Stanley Hopkins Campos Barnett Bates Chambers Caldwell Beck Lambert Miranda
Byrd Craig Ayala Lowe Frazier Powers Neal Leonard Gregory Carrillo Sutton Fleming Rhodes Shelton Schwartz Norris
Jennings Rivas Rios Rhodes Cohen Mullins Doyle Bush Thornton Ingram Salinas Glover Fitzgerald Pacheco Haynes Underwood
Solis Ochoa Cross Warner Mckinney Zimmerman Dawson Leon Love Huff Ball Cannon Cervantes Horton Robbins Parks Ballard
Nash Wolfe Duran Cardenas Hale Terry Quinn Graves Sherman Jefferson Rowe Valencia Mendes Wolf Flynn Moss Hardy Walters
Zamora Meza Reeves Sharp Barton Hubbard Trujillo Mccarthy Mann Ramsey Holt Steele Benson Blair Mcbride Roy Bowers
Swanson Rodgers Wise Griffith Garner Blake Maxwell Daniel Bauer Gallegos Serrano Brock Hines Velasquez Mack Hodges
Hogan Tate Pope Logan Colon Villarreal Ibarra Barber Strickland Potter Hammond Goodman Osborne Waters Parsons Newton
Clarke Todd Harmon Lin Chang Morton Adkins Waller Rosales Burgess Orozco Conner Villegas Bryan Malone Floyd Moody
Norman Frank Cobb Yates Owen Wu Huynh Lang Xiong Zhang Liu Stokes Gross Patton Gill Marsh Casey Bond Tyler Mcgee
Manning Joyner Houston Farmer Roth Chan Wilkins Francis Rush Hensley Alvarez Cummings Hampton Mcdaniel Fuentes Cabrera
Norton Shepherd Vaughn Bautista Estes Wilkerson Underhill Paul Baldwin Robles Ali Ho Mercado Tapia Charles Sexton Vu
Phan Dang Do Bui Hoang Truong Ngo Duong Dinh Huang Zhao Zhou Xu Sun Ma Zhu Hu Guo Lam Cheng Tang Chung Choi Kang Cho
Yoon Shah Khan Sharma Kumar Gupta Ahmed Hassan Hussain Mohamed Abdi Desai Mehta Rao Reddy Kaur Gill Sandhu Chowdhury
Rahman Islam Begum Cohen Levy Katz Friedman Goldberg Goldstein Rosenberg Kaplan Shapiro Levine Rubin Weiss Klein Stein
Feldman Greenberg Hoover Schroeder Krueger Kramer Becker Fischer Schulz Koch Richter Bauer Hahn Vogel Lange Krause
Werner Hartman Kaiser Schaefer Kuhn Meier Brandt Ziegler Dietz Ernst Engel Haas Sauer Conrad Otto Rossi Russo Ferrari
Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti Costa Giordano Mancini Rizzo Lombardi Moretti
Barbieri Fontana Santoro Mariani Rinaldi Caruso Ferrara Galli Martini Leone Longo Gentile Vitale Parisi Kowalski Nowak
Wisniewski Wojcik Kaminski Lewandowski Zielinski Szymanski Wozniak Dombrowski Jankowski Mazur Krawczyk Ivanov Petrov
Volkov Popov Novak Horvat Kovacs Nagy Szabo Toth Svoboda Dvorak Cerny Hruska Larsen Nielsen Pedersen Andersen
Christensen Rasmussen Sorensen Poulsen Olsen Johansen Eriksen Berg Haugen Hagen Lund Dahl Strand Nilsson Eriksson
Lindberg Lindgren Sandberg Bergstrom Holm Nystrom Forsberg Engstrom Magnusson Gustafson Swenson Dubois Moreau Laurent
Leroy Roux Fournier Girard Bonnet Lambert Fontaine Rousseau Chevalier Robin Gauthier Tremblay Gagnon Cote Bouchard
Boudreaux Landry Hebert Broussard Guidry Thibodeaux Fontenot Arceneaux Melancon Babin OConnor ONeill ONeal OReilly
OKeefe ODonnell Donovan Gallagher Doherty Brennan Nolan Connolly Daly Keane Foley Dolan Sheehan Callahan Mahoney
Keegan Tierney McCormick McLaughlin McMahon McKenzie McCarthy McGrath McKay McLean MacDonald McClain McGuire McIntyre
McKnight McLeod McMillan McNeil McPherson McCall McCann McClure McConnell McCullough McDermott McDowell McFarland
McGowan McKee McManus McNamara McQueen Abbott Acevedo Adkins Aguirre Albert Alford Allison Alston Anthony Archer
Arellano Arias Ashley Atkins Atkinson Avery Ayers Barker Barlow Barr Barrera Barron Barry Bartlett Bass Beach Bean
Beard Beasley Bender Benitez Benjamin Bentley Bernard Best Bird Blackburn Blackwell Blanchard Bledsoe Bolton Bonilla
Booker Boone Booth Bowen Boyer Boyle Bradford Bradshaw Brady Branch Brandon Bray Bridges Briggs Britt Browning Bruce
Buchanan Buck Buckley Buckner Bullock Burch Burgos Burks Burnett Burris Cain Calderon Camacho Cameron Cantrell Cantu
Carey Carney Carson Carver Case Cash Castaneda Castellanos Chandler Chaney Chase Cherry Christian Church Clay Clayton
Clements Cline Cochran Coffey Compton Conley Conway Cooke Copeland Corona Cortes Crane Crosby Cuevas Dale Dalton
Daugherty Davenport David Davila Decker Deleon Dennis Dickerson Dickson Dillard Dillon Dodson Donaldson Dorsey Downs
Drake Dudley Duffy Duke Duncan Dunlap Durham Dyer Eaton Elder Elliot Ellison Emerson English Erickson Escobar Everett
Ewing Farley Farrell Faulkner Ferrell Finley Fitzpatrick Fletcher Forbes Foreman Frost Fry Frye Fulton Galvan Gamble
Gates Gay Gentry Giles Gilmore Glass Glenn Golden Good Goodwin Gould Grimes Guerra Guthrie Hahn Haley Hancock Hanna
Hardin Harding Harrell Harrington Hatfield Hayden Hays Heath Hendricks Hendrix Henson Hess Hester Hickman Higgins
Hinton Hobbs Hodge Holcomb Holden Holder Holloway Hooper Hopper Horn Horne House Howe Hull Humphrey Hurley Hurst
Hutchinson Hyde Irwin Jacobson Jarvis Joyce Kane Keith Kemp Kent Kerr Kirby Kirk Kline Knapp Knox Lancaster Lara
Larsen Le Leach Leblanc Lester Levy Lindsey Livingston Lloyd Lott Lowery Lozano Lyons Macias Madden Mahoney Mathews
Mathis Matthews Mayer Maynard Mays Melendez Melton Mercer Merrill Merritt Meyers Michael Middleton Miles Monroe Montes
Montoya Mooney Moon Mora Moran Morrow Morse Mosley Moyer Mueller Murillo Nava Nieves Nixon Noble Nunez Odom Oneil Orr
Osborn Pace Palacios Paredes Patrick Peck Pennington Petersen Petty Pham Phelps Pittman Pitts Pollard Poole Potts
Pratt Preston Proctor Pruitt Puckett Pugh Quintero Ramsey Randall Randolph Rangel Rasmussen Raymond Reese Reilly Rich
Richmond Riddle Riggs Rivers Roach Robinette Rollins Roman Rosa Rosario Rosas Rowland Rubio Rutledge Salas Salgado
Sampson Sanford Savage Sawyer Schaefer Sears Sellers Shaffer Shannon Sheppard Shields Short Sierra Skinner Sloan Small
Snow Solomon Spears Stafford Stanton Stark Stephenson Stevenson Stout Stuart Suarez Summers Sweeney Sweet Tanner
Terrell Thomson Thornburg Tillman Townsend Travis Trevino Valentine Valenzuela Vance Vang Vazquez Velazquez Velez
Velasco Villa Villanueva Vincent Vinson Walls Walton Ware Weeks Weiss Whitaker Whitehead Whitfield Whitley Whitney
Wiggins Wilcox Wiley Wilder Wilkinson Winters Woodard Woodward Wooten Workman Wyatt Wynn York Yoder Zavala Zuniga
""".split()
    )
)

# A rare surname is one root and one ending, or an onset, a middle and an ending; so are towns and streets.
ROOTS = tuple(
    """
Ash Ald Beck Birch Black Brad Brid Brook Burn Cald Chad Chester Clay Cliff Cor Cran Dal Dar Dun East Elm Ever Fair Far
Fern Flint Glen Gold Gran Green Had Hal Har Hart Hath Hazel Heath Hol Hunt Kings Kirk Lang Lark Law Lind Lock Mal Mar
Mill Nor North Oak Old Pem Pen Pick Ray Red Rock Rosen Row Sand Sher Silver Stan Stock Strat Sut Swan Thorn Tun Wake
Wal Wat West Whit Wil Win Wood Wyn Zim
""".split()
)
ENDINGS = tuple(
    """
ford ton ley well man son berg stein wood field worth ham by dale more wick burn croft er ing land low mer ridge shaw
stead stone thorpe ward way bridge brook combe den gate hurst mont stow vale water
""".split()
)
ONSETS = tuple(
    """
Ab Al An Ar Ba Bel Ber Bo Bra Ca Cas Cha Co Cor Da De Del Do Dra El Es Fa Fer Fi Fo Ga Gar Go Gra Gu Ha He Ho Hu Is Ja
Ji Jo Ka Kal Ki Ko Kra Kru La Le Li Lo Lu Ma Man Mar Me Mi Mon Mo Na Ni No Nu Ol Or Os Pa Pe Pi Po Pra Qui Ra Re Ri Ro
Ru Sa Sal San Sche Se Shi Si So Sta Ste Stra Su Ta Te Ti To Tra Tri Tu Ur Va Val Ve Vi Vo Wa We Wie Wo Ya Yo Za Ze Zi
Zu
""".split()
)
MIDDLES = tuple(
    """
ba be bri ca ce chi co da de di do du fa fi ga ge go gri gu ha hi ja ka ke ki ko la le li lo lu ma me mi mo mu na ne
ni no nu pa pe pi po ra re ri ro ru sa se shi si so sta ste ta te ti to tro tu va ve vi vo wa wi ya za ze zi zo
""".split()
)
TAILS = tuple(
    """
baum bert chuk co da das dez dini do elli enko ers etti ev ez feld ga gan ghi gio guez ic ini iz ka kar ke kis ko la
lak ler li lin lla llo mann mar mura na nen ner ni nis no nos novic ov ra rez ri ris ro ros rra s sen sha ski sky son
ta tano tel ti tis to ton tta va vic vich wicz witz ya yama zek zzi
""".split()
)

# given name -> what friends and forms make of it
NICKNAMES = dict(
    line.split(":", 1)
    for line in """
Robert:Bob Rob Bobby|William:Bill Will Billy|James:Jim Jimmy Jamie|John:Johnny Jack|Michael:Mike Mick
Richard:Rick Dick Rich|Joseph:Joe Joey|Thomas:Tom Tommy|Charles:Charlie Chuck|Christopher:Chris|Daniel:Dan Danny
Matthew:Matt|Anthony:Tony|Donald:Don Donnie|Steven:Steve|Stephen:Steve|Edward:Ed Eddie Ted|Kenneth:Ken Kenny
Ronald:Ron Ronnie|Timothy:Tim|Jeffrey:Jeff|Gregory:Greg|Joshua:Josh|Lawrence:Larry|Nicholas:Nick|Benjamin:Ben
Samuel:Sam|Gerald:Jerry|Raymond:Ray|Andrew:Andy Drew|Jonathan:Jon|Alexander:Alex|Frederick:Fred|Albert:Al|Eugene:Gene
Phillip:Phil|Philip:Phil|Vincent:Vince|Walter:Walt|Patrick:Pat|Peter:Pete|Douglas:Doug|Zachary:Zach|Jacob:Jake
Theodore:Ted Theo|Leonard:Len Lenny|Nathaniel:Nate|Nathan:Nate|Randall:Randy|Russell:Russ|Bradley:Brad|Gabriel:Gabe
Alfred:Al Fred|Arthur:Art|Clifford:Cliff|Harold:Harry Hal|Henry:Hank Harry|Francis:Frank|Franklin:Frank|David:Dave
Francisco:Frank Paco|Jose:Pepe|Manuel:Manny|Ernest:Ernie|Elizabeth:Liz Beth Betty|Margaret:Peggy Maggie Meg
Katherine:Kathy Kate Katie|Kathryn:Kathy Kate|Catherine:Cathy Cat|Patricia:Pat Patty Trish|Jennifer:Jen Jenny
Susan:Sue Susie|Barbara:Barb|Deborah:Deb Debbie|Debra:Deb Debbie|Rebecca:Becky|Kimberly:Kim|Christine:Chris Tina
Christina:Tina Chris|Jessica:Jess|Pamela:Pam|Amanda:Mandy|Stephanie:Steph|Cynthia:Cindy|Sandra:Sandy
Dorothy:Dot Dottie|Virginia:Ginny|Victoria:Vicky Tori|Judith:Judy|Theresa:Terry Tess|Teresa:Terry Tess
Jacqueline:Jackie|Samantha:Sam|Kathleen:Kathy|Frances:Fran|Melissa:Missy|Angela:Angie|Abigail:Abby|Alexandra:Alex
Josephine:Jo Josie|Eleanor:Ellie Nora|Suzanne:Sue|Valerie:Val|Veronica:Ronnie|Constance:Connie|Gwendolyn:Gwen
Cassandra:Cassie|Priscilla:Cilla|Gabriella:Gabby|Madison:Maddie|Michelle:Shelly|Martha:Marty|Rachel:Rach|Beverly:Bev
Marjorie:Marge|Florence:Flo|Lillian:Lily|Isabella:Bella|Danielle:Dani|Allison:Ali|Maria:Mary|Nancy:Nan|Laura:Laurie
Julia:Julie
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

"""Names of seven countries' customs, most frequent first, each with its spellings: `usual/other/other=own script`.

Collected from what births registers, telephone books and passports show to be common and how the same person is spelt
there (ICAO and BGN/PCGN transliteration, and the older habits beside them). Made for this generator alone: nothing here
comes from a table that matching uses, so that matching is not measured against its own knowledge.
"""

SPANISH_MEN = """
José/Jose/Pepe Juan Luis Carlos Jesús/Jesus Miguel Francisco/Paco/Fco Manuel/Manolo Antonio Alejandro Javier Rafael
Fernando Jorge Ángel/Angel Andrés/Andres Ramón/Ramon Sergio Raúl/Raul Tomás/Tomas Martín/Martin Rubén/Ruben
Óscar/Oscar Iván/Ivan Adrián/Adrian Joaquín/Joaquin Ignacio/Nacho Gonzalo Víctor/Victor Nicolás/Nicolas
Álvaro/Alvaro Hugo José-Luis/Jose-Luis/José Juan-Carlos/Juan-C Germán/German Rogelio Esteban/Estevan Ernesto
Gilberto/Jilberto
"""
SPANISH_WOMEN = """
María/Maria/Ma Carmen Ana Isabel/Ysabel Dolores/Lola Pilar Teresa Rosa Josefa/Pepa Cristina Lucía/Lucia Elena Laura
Mercedes Raquel Beatriz Sofía/Sofia Paula Rocío/Rocio Inés/Ines Mónica/Monica Verónica/Veronica Guadalupe/Lupe
Concepción/Concepcion/Concha Alejandra Andrea Silvia/Sylvia Julia Irene/Yrene Belén/Belen Ximena/Jimena Yolanda
María-José/Maria-Jose María-Elena/Maria-Elena Esperanza Graciela Soledad/Sole Noemí/Noemi Ángeles/Angeles
"""
SPANISH_SURNAMES = """
García/Garcia González/Gonzalez/Gonzales Rodríguez/Rodriguez/Rodrigues Fernández/Fernandez López/Lopez
Martínez/Martinez Sánchez/Sanchez Pérez/Perez/Peres Gómez/Gomez Martín/Martin Jiménez/Jimenez/Ximenez Ruiz
Hernández/Hernandez Díaz/Diaz Moreno Muñoz/Munoz/Muños Álvarez/Alvarez Romero Alonso Gutiérrez/Gutierrez Navarro
Torres Domínguez/Dominguez Vázquez/Vazquez/Vásquez Ramos Gil Ramírez/Ramirez Serrano Blanco Molina Morales
Suárez/Suarez Ortega Delgado Castro Ortiz/Ortíz Rubio Marín/Marin Sanz/Sáenz Núñez/Nuñez/Nunez Iglesias Medina
Garrido Cortés/Cortes/Cortez Castillo Santos Lozano Guerrero Cano Prieto Méndez/Mendez Cruz Calvo Gallego
Herrera/Herera Márquez/Marquez León/Leon Vidal Peña/Pena Flores Cabrera Campos Vega Fuentes Carrasco Reyes Aguilar
Nieto Pascual Santana Herrero Montero Hidalgo Ibáñez/Ibanez De~la~Cruz/de~la~Cruz/Delacruz De~León/De~Leon/Deleon
Del~Río/Del~Rio/Delrio
"""

PORTUGUESE_MEN = """
João/Joao António/Antonio/Antônio José/Jose Manuel/Manoel Francisco/Chico Carlos Paulo Pedro Luís/Luis/Luiz Rui/Ruy
Fernando Jorge Miguel Ricardo Nuno Tiago/Thiago Bruno Hugo Rafael/Raphael André/Andre Filipe/Felipe/Phelipe
Gonçalo/Goncalo Vítor/Vitor/Victor Sérgio/Sergio Márcio/Marcio Gustavo Henrique Leonardo Matheus/Mateus
Vinícius/Vinicius
"""
PORTUGUESE_WOMEN = """
Maria Ana/Anna Joana Teresa/Tereza Isabel/Izabel Helena Margarida Mariana Inês/Ines/Ignês Catarina Sofia/Sophia
Beatriz/Bia Rita Marta/Martha Carla Sandra Sónia/Sonia/Sônia Patrícia/Patricia Luísa/Luisa/Luiza Fátima/Fatima
Conceição/Conceicao Lúcia/Lucia Francisca Adriana Juliana Fernanda Camila Letícia/Leticia Raquel/Rachel
Tatiana/Tatyana
"""
PORTUGUESE_SURNAMES = """
Silva/da~Silva Santos/dos~Santos/Dos~Santos Ferreira Pereira Oliveira/de~Oliveira Costa/da~Costa Rodrigues/Rodriguez
Martins Jesus/de~Jesus Sousa/Souza/de~Sousa Fernandes/Fernandez Gonçalves/Goncalves/Gonsalves Gomes/Gomez
Lopes/Lopez Marques Alves/Alvez Almeida/de~Almeida Ribeiro Pinto Carvalho/de~Carvalho Teixeira Moreira
Correia/Corrêa/Correa Mendes/Mendez Nunes/Nunez Soares Vieira Monteiro Cardoso/Cardozo Rocha/da~Rocha
Neves/das~Neves Coelho Cruz/da~Cruz Cunha/da~Cunha Pires Ramos Reis/dos~Reis Simões/Simoes Antunes Matos/Mattos
Fonseca/da~Fonseca Araújo/Araujo Barbosa Tavares Lourenço/Lourenco Castro/de~Castro Figueiredo Azevedo/de~Azevedo
Freitas/de~Freitas Nascimento/do~Nascimento Magalhães/Magalhaes Batista/Baptista Melo/Mello Farias Queirós/Queiroz
Campos Assunção/Assuncao
"""

CHINESE_SURNAMES = """
Wang/Wong=王 Li/Lee=李 Zhang/Chang/Cheung=张 Liu/Lau=刘 Chen/Chan/Tan=陈 Yang/Yeung=杨 Huang/Wong/Hwang=黄
Zhao/Chao/Chiu=赵 Wu/Ng/Woo=吴 Zhou/Chou/Chow=周 Xu/Hsu=徐 Sun/Suen=孙 Ma=马 Zhu/Chu=朱 Hu/Woo=胡 Guo/Kuo/Kwok=郭
He/Ho=何 Lin/Lam=林 Gao/Kao/Ko=高 Luo/Lo/Law=罗 Zheng/Cheng=郑 Liang/Leung=梁 Xie/Hsieh/Tse=谢 Song/Sung=宋
Tang/Tong=唐 Deng/Teng/Tang=邓 Feng/Fung=冯 Han/Hon=韩 Cao/Tsao/Cho=曹 Zeng/Tseng/Tsang=曾 Peng/Pang=彭
Xiao/Hsiao/Siu=萧 Cai/Tsai/Choi=蔡 Pan/Poon=潘 Tian/Tien=田 Dong/Tung=董 Yuan/Yuen=袁 Yu/Yue=于 Ye/Yeh/Yip=叶
Jiang/Chiang/Keung=蒋 Du/Tu=杜 Su/So=苏 Wei/Ngai=魏 Cheng/Ching=程 Lu/Lui=吕 Ding/Ting=丁 Shen/Sum=沈 Ren/Jen/Yam=任
Yao/Yiu=姚 Zhong/Chung=钟
"""
CHINESE_SYLLABLES = """
Wei=伟 Ming=明 Hua=华 Jun=军 Jian=建 Qiang=强 Yong=勇 Hai=海 Bo=博 Feng=峰 Lei=磊 Hao=浩 Yu=宇 Chao=超 Zhi=志 Guo=国
Wen=文 Xin=鑫 Tao=涛 Bin=斌 Peng=鹏 Long=龙 Dong=东 Rui=瑞 Kai=凯
"""
CHINESE_SYLLABLES_WOMEN = """
Fang=芳 Na=娜 Xiu=秀 Min=敏 Jing=静 Li=丽 Yan=艳 Juan=娟 Ying=英 Xia=霞 Mei=梅 Lan=兰 Hong=红 Ping=萍 Yun=云 Xue=雪
Qian=倩 Ting=婷 Hui=慧 Dan=丹 Lin=琳 Jia=佳 Xiao=小 Yue=月 Zhen=珍
"""

ARABIC_MEN = """
Mohammed/Muhammad/Mohamed/Mohamad/Muhammed=محمد Ahmed/Ahmad/Achmed=أحمد Ali/Aly=علي Hassan/Hasan=حسن
Hussein/Husayn/Hossein/Houssein=حسين Mahmoud/Mahmud/Mahmood=محمود Abdullah/Abdallah/Abdulla=عبدالله
Khaled/Khalid/Haled=خالد Omar/Umar/Omer=عمر Yousef/Yusuf/Youssef/Yousif=يوسف Ibrahim/Ebrahim/Brahim=إبراهيم
Mustafa/Moustafa/Mostafa=مصطفى Saeed/Said/Sayeed=سعيد Samir/Sameer=سمير Karim/Kareem=كريم Tariq/Tarek/Tareq=طارق
Nasser/Nasir/Naser=ناصر Fadi/Fady=فادي Rami/Ramy=رامي Ziad/Ziyad/Zeyad=زياد Bilal/Belal=بلال Hamza/Hamzah=حمزة
Ismail/Ismael/Esmail=إسماعيل Walid/Waleed/Oualid=وليد Jamal/Gamal/Djamal=جمال Adel/Adil=عادل Anwar/Anouar=أنور
Abdulrahman/Abdel~Rahman/Abd~al-Rahman/Abderrahman=عبدالرحمن Salah/Saleh=صلاح Faisal/Faysal/Feisal=فيصل
"""
ARABIC_WOMEN = """
Fatima/Fatma/Fatimah=فاطمة Aisha/Aicha/Ayesha=عائشة Maryam/Mariam/Meriem=مريم Khadija/Khadijah/Hadija=خديجة
Zainab/Zaynab/Zeinab=زينب Layla/Leila/Laila=ليلى Nour/Noor/Nur=نور Amina/Aminah/Amena=أمينة Huda/Houda/Hoda=هدى
Salma/Selma=سلمى Rania/Ranya=رانيا Samira/Sameera=سميرة Yasmin/Yasmine/Yasmeen=ياسمين Hanan/Hanane=حنان
Nadia/Nadiya=نادية Rana/Ranaa=رنا Sawsan/Sausan=سوسن Iman/Eman=إيمان Suad/Souad=سعاد Hala/Halah=هالة Dina/Dena=دينا
Asma/Asmaa=أسماء Ghada/Rada=غادة Lubna/Loubna=لبنى Rasha/Racha=رشا
"""
ARABIC_SURNAMES = """
Al-Masri/El~Masri/Almasri/Masri=المصري Haddad/Hadad/El~Haddad=حداد Khoury/Khouri/Khury/El~Khoury=خوري
Al-Ahmad/Alahmad/El~Ahmed=الأحمد Mansour/Mansur/Mansoor=منصور Al-Sayed/El~Sayed/Elsayed/Alsayed=السيد
Najjar/Najar/Naggar=نجار Al-Hassan/Alhasan/El~Hassan=الحسن Saleh/Salih/Salah=صالح Darwish/Darwich/Darwesh=درويش
Hamdan/Hamdane=حمدان Al-Shami/El~Shamy/Alshami/Chami=الشامي Nasr/Nasser/Naser=نصر Sabbagh/Sabagh/Sabbah=صباغ
Khalil/Khaleel/Halil=خليل Al-Qadi/El~Kadi/Alkadi/Qadi=القاضي Zidan/Zidane/Zeidan=زيدان Hamad/Hammad=حمد
Al-Baghdadi/Baghdadi/Albaghdadi=البغدادي Bishara/Bechara/Beshara=بشارة Qasim/Kassem/Qassem/Kasim=قاسم
Aziz/Azeez=عزيز Sharif/Shareef/Cherif/Sherif=شريف Al-Otaibi/Alotaibi/Otaibi=العتيبي Al-Harbi/Alharbi/Harbi=الحربي
Al-Ghamdi/Alghamdi/Ghamdi=الغامدي Issa/Eisa/Aissa=عيسى Abu~Zayd/Abou~Zeid/Abuzaid=أبوزيد Bakr/Bakri/El~Bakri=بكر
Rashid/Rasheed/Rachid=رشيد Farouk/Faruq/Farooq=فاروق Taha/Tahaa=طه Shaheen/Chahine/Shahin=شاهين
Attar/Al-Attar/Elattar=عطار Habib/Habeeb=حبيب Barakat/Baraket=بركات Hijazi/Hegazi/Hejazi=حجازي Awad/Aouad/Awwad=عوض
Jaber/Jabir/Gaber=جابر Tawil/Taweel/Al-Taweel=طويل
"""

# The ending -a of women's surnames and other forms by sex are made from these, see `customs.py`.
SLAVIC_MEN = """
Aleksandr/Alexander/Oleksandr/Sasha=Александр Sergei/Sergey/Serhiy=Сергей Dmitri/Dmitry/Dmytro/Dima=Дмитрий
Andrei/Andrey/Andriy=Андрей Alexei/Aleksey/Oleksiy/Alexey=Алексей Ivan/Iwan=Иван
Nikolai/Nikolay/Mykola/Nikolaj=Николай Mikhail/Michail/Mykhailo/Misha=Михаил Vladimir/Wladimir/Volodymyr=Владимир
Yuri/Yuriy/Jurij/Iurii=Юрий Igor/Ihor=Игорь Pavel/Pawel/Pavlo=Павел Viktor/Victor/Wiktor=Виктор Oleg/Oleh=Олег
Yevgeny/Evgeny/Evgenii/Yevhen=Евгений Anton=Антон Maxim/Maksim/Maksym=Максим Konstantin/Kostya=Константин
Grigori/Grigory/Hryhoriy=Григорий Piotr/Petr/Petro/Pyotr=Пётр Stanislav/Stanislaw/Stas=Станислав Boris/Borys=Борис
Vasily/Vasili/Vasyl/Wassily=Василий Fyodor/Fedor/Feodor=Фёдор
"""
SLAVIC_WOMEN = """
Yelena/Elena/Olena/Jelena=Елена Olga/Olha=Ольга Natalia/Nataliya/Natalya/Natasha=Наталья Anna/Hanna/Anya=Анна
Tatiana/Tatyana/Tetiana/Tanya=Татьяна Irina/Iryna/Ira=Ирина Svetlana/Svitlana/Swetlana=Светлана
Maria/Mariya/Marya=Мария Ekaterina/Yekaterina/Kateryna/Katya=Екатерина Ludmila/Lyudmila/Liudmyla=Людмила
Galina/Halyna/Galyna=Галина Yulia/Julia/Iuliia/Yuliya=Юлия Oksana/Oxana/Aksana=Оксана
Anastasia/Anastasiya/Nastya=Анастасия Vera/Vira/Wera=Вера Nadezhda/Nadia/Nadejda=Надежда
Larisa/Larysa/Larissa=Лариса Marina/Maryna=Марина Valentina/Walentina=Валентина Lyubov/Liubov/Lubov=Любовь
Darya/Daria/Dasha=Дарья Alla/Ala=Алла Kseniya/Xenia/Ksenia=Ксения Zhanna/Janna/Zanna=Жанна
"""
SLAVIC_STEMS = """
Ivan=Иван Petr/Petr=Петр Smirn=Смирн Kuznets/Kusnez=Кузнец Popov/Popow=Попов Sokol=Сокол Lebed/Lebed=Лебед
Kozl/Kosl=Козл Novik/Nowik=Новик Moroz/Moros=Мороз Volk/Wolk=Волк Solov/Solow=Солов Vasil/Wasil=Васил
Zajts/Zaits/Saiz=Зайц Pavl/Pawl=Павл Semen/Semyon=Семен Golub/Holub=Голуб Vinograd/Winograd=Виноград
Bogdan/Bohdan=Богдан Fedor/Fyodor=Федор Mikhail/Michail=Михаил Belyak/Beliak=Беляк Taras=Тарас Bel/Byel=Бел
Komar=Комар Orl=Орл Kisel/Kisil=Кисел Makar=Макар Andre=Андре Zakhar/Sachar=Захар Borod=Бород Rom=Ром
Gerasim/Herasym=Герасим Yakovl/Jakowl=Яковл Grigor/Hryhor=Григор Alekse/Oleksi=Алексе Stepan=Степан
"""

INDIAN_MEN = """
Rajesh/Raj Amit/Ameet Sanjay/Sunjay Suresh Vijay/Wijay Ramesh Anil/Aneel Rahul Sunil/Suneel Deepak/Dipak Ashok
Vikram/Bikram Arjun/Arjan Manoj Rakesh Prakash Krishna/Krishnan Venkatesh/Venkatesan/Wenkatesh
Srinivas/Sreenivas/Srinivasan Lakshman/Laxman/Luxman Mohan Naveen/Navin Ravi/Ravee Satish/Sateesh Dinesh
Ganesh/Ganesan Harish/Hareesh Karthik/Kartik Subramaniam/Subramanian/Subramanyam Balakrishnan/Balakrishna
Gurpreet/Gurprit Harpreet/Harprit Jagdish/Jagadish Pradeep/Pradip
"""
INDIAN_WOMEN = """
Lakshmi/Laxmi/Luxmi Priya Sunita/Suneeta Anita/Aneeta Kavita/Kavitha Pooja/Puja Neha Geeta/Gita/Geetha
Sita/Seetha/Seeta Rekha Meena/Mina Deepa/Dipa Radha Saraswati/Saraswathi Shanti/Shanthi/Santhi Usha/Oosha
Vijaya/Vijya Swati/Swathi Divya Anjali/Anjalee Jyoti/Jyothi Asha/Aasha Nirmala Padma/Padmaa Rani/Ranee
Savitri/Savithri Shobha/Sobha Sushila/Susheela Manjeet/Manjit Simran
"""
INDIAN_SURNAMES = """
Sharma/Sarma Singh/Sing Kumar/Kumaar Patel Gupta Verma/Varma Reddy/Reddi Das/Dass Chatterjee/Chatterji/Chattopadhyay
Banerjee/Banerji/Bandyopadhyay Mukherjee/Mukherji/Mukhopadhyay Chowdhury/Choudhury/Chaudhary/Chaudhuri Rao/Row
Nair/Nayar Iyer/Aiyar Iyengar/Ayyangar Agarwal/Aggarwal/Agrawal Mehta/Mehtha Shah/Saha Jain Joshi/Joshee
Desai/Dessai Bhat/Bhatt/Bhatta Mishra/Misra Pandey/Pande/Panday Tiwari/Tiwary/Tewari Yadav/Jadhav Ghosh/Ghose
Bose/Basu Dutta/Dutt/Datta Sen/Sein Roy/Ray Pillai/Pillay Menon Naidu/Nayudu
Krishnamurthy/Krishnamurti/Krishnamoorthy Venkataraman/Venkatraman Ramachandran/Ramchandran Natarajan/Nadarajan
Kaur/Kour Sandhu/Sidhu Gill/Gil Malhotra/Malhotara Kapoor/Kapur Khanna Chopra/Chopda Bhatia/Bhattia
Kulkarni/Kulkarny Deshmukh/Deshmookh Patil/Pateel Shinde/Sinde Shetty/Setty/Shetti Hegde/Hegade Gowda/Gouda
"""

GERMAN_MEN = """
Hans/Johannes Peter Wolfgang Klaus/Claus Jürgen/Juergen/Jurgen Günter/Günther/Guenter/Gunther Michael Thomas Andreas
Stefan/Stephan Jörg/Joerg/Jorg Dieter/Dietrich Uwe Werner Karl/Carl Heinz/Heinrich Frank Martin Bernd/Bernhard
Ralf/Ralph Björn/Bjoern/Bjorn Matthias/Mathias Christoph/Kristof Götz/Goetz/Gotz Philipp/Philip
Rüdiger/Ruediger/Rudiger Lukas/Lucas Kurt/Curt Sönke/Soenke Karl-Heinz/Karlheinz Hans-Jürgen/Hans-Juergen/Hansjürgen
Jens Holger Fritz/Friedrich Detlef/Detlev Volker/Folker
"""
GERMAN_WOMEN = """
Ursula/Uschi Monika/Monica Renate Karin/Carin Helga Sabine Ingrid Brigitte/Birgit Petra Andrea Gisela
Claudia/Klaudia Susanne Käthe/Kaethe/Kathe Bärbel/Baerbel/Barbel Elisabeth/Lisbeth Martina Christa/Krista
Katharina/Catharina Anja/Anya Stefanie/Stephanie Jutta Heike Ute Anneliese/Annelise Hannelore/Lore Gertrud/Trude
Hildegard/Hilde Ilse Marlies/Marlis Sigrid Dörte/Doerte/Dorte Anne-Marie/Annemarie Eva-Maria/Eva Jördis/Joerdis
Änne/Aenne
"""
GERMAN_SURNAMES = """
Müller/Mueller/Muller Schmidt/Schmitt/Schmid Schneider/Schnyder Fischer/Vischer Weber/Webber Meyer/Meier/Maier/Mayer
Wagner Becker Schulz/Schulze/Schultz Hoffmann/Hofmann Schäfer/Schaefer/Schafer Koch Bauer/Baur Richter Klein
Wolf/Wolff Schröder/Schroeder/Schroder Neumann/Naumann Schwarz/Schwartz Zimmermann/Zimmerman Braun
Krüger/Krueger/Kruger Hartmann Lange Werner Krause/Krauße/Krausse Lehmann/Lemann Köhler/Koehler/Kohler
Herrmann/Hermann König/Koenig/Konig Walter/Walther Huber/Hueber Kaiser/Kayser Fuchs Peters Scholz/Scholtz
Möller/Moeller/Moller Weiß/Weiss Jung Hahn Vogel Keller Günther/Guenther/Gunther Frank Berger Winkler Roth/Rothe
Lorenz/Lorentz Baumann Franke Böhm/Boehm/Bohm Schreiber Groß/Gross Jäger/Jaeger/Jager Förster/Foerster/Forster
Kühn/Kuehn/Kuhn Bürger/Buerger/Burger Grün/Gruen Straßer/Strasser Voß/Voss Größer/Groesser
von~Bülow/von~Buelow/Bülow vom~Brück/vom~Brueck
"""
GERMAN_FRONTS = (
    "Alt Berg Birken Blum Buch Eichen Feld Gold Hirsch Holz Kirch Linden Mühl/Muehl/Muhl Ober Rosen Sand Stein Stern"
)
GERMAN_ENDS = "bach baum berger brunner dorf feld haus hauer hofer mann meier müller/mueller/muller thal wald"

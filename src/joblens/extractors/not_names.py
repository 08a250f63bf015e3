"""Capitalised words that stand where names stand and are none: roles, departments, firms, days, tools.

Written by hand from what adverts say; the shapes of endings cover the compounds that Danish, Swedish,
Norwegian and German build freely. A word is looked up casefolded.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ROLES = """
administrator administrative advisor adviser advokat afdelingschef agent analyst architect arkitekt
assistant assistent associate attorney auditor author bogholder bookkeeper business buyer candidate
candidates captain ceo cfo chair chairman chairperson chef chief cio clerk client clients cmo coach
consultant consultants content contractor controller coo coordinator cto customer customers deputy designer
developer developers director directora direktør dyrektor doctor driver editor employee employer engineer
engineers examiner executive expert facility formand foreman founder freelance general geschäftsführer
graduate guard head headmaster hiring hr human inspector instructor intern interim investor ejer jefe jefa
journalist junior jurist koordinator kok konsulent landlord lead leader lecturer leder legal librarian lærer
læge manager managers marketing mechanic medarbejder medlem mentor mester minister nurse nurses officer
officers operations operator owner overlæge partner partners people personale personnel pharmacist physician
pilot planner practitioner president principal producer product professor profesor programme programmer
project projektleder purchasing receptionist recruiter recruiters recruitment recruiting rector rektor
rekrutterer representative researcher resource resources responsable gerente encargado encargada director
coordinador coordinadora técnico técnica sales salesperson scientist secretary secretario secretaria
sekretær senior señor señora specialist staff statsautoriseret strategist student students superintendent
supervisor surgeon talent acquisition teacher teachers technician technical tekniker therapist trainee
trainer translator treasurer tutor underviser vice vp worker workers writer kierownik specjalista
specjalistka dyrektora kandydat pracownik pracodawca menedżer prezes doradca менеджер директор руководитель
начальник специалист отдел отдела кадров инженер бухгалтер администратор
"""
_FIRMS = """
a/s aps as ab asa oy oyj i/s k/s p/s amba ltd limited llc llp plc inc corp corporation company co gmbh ag kg
se sa s.a s.l sl sas spa bv nv sp z.o.o ооо зао оао ао ип group groups gruppe gruppen koncern holding
holdings agency agencies academy akademi akademiet association associates auto bank banken board bureau
bureauet bygg center centre centers centres central centrum college committee community council club kommune
kommunen kommunes county department departments dept division divisions enterprise enterprises establishment
fabrik fakultet faculty fond fonden foundation firma forening forlag forvaltning foreign global handel
hospital hospitals hotel hotels hus huset house industries industri industry institut instituttet institute
institution international kantine klinik klinikken clinic clinics lab labs laboratory laboratorium ledelsen
magistrat media medical ministeriet ministry museum museet nordic nordisk office offices organisation
organization pharma plejecenter police politiet politi practice praxis programmes public region regionen
regional regionshospital restaurant retail rådet school schools section sekretariatet services service shop
skole skolen skoler society software solutions staffing store stores studio styrelsen system systems team
teamet teams technologies technology trust union unit universitet universitetet university urząd pracy
powiatowy wojewódzki gmina miejski ayuntamiento oficina empresa grupo servicio servicios departamento
universidad instituto centro fundación ministerio junta generalitat comunidad valenciana компания группа
центр университет ungdomsskole residencia børnehave børnehus vuggestue biblioteket bibliotek kontoret
headquarters hq employment payroll
"""
_FIELDS = """
accounting finance logistics logistik warehouse transport maintenance support quality safety security
engineering production manufacturing procurement compliance communication communications research
development design planning management advisory strategy digital data information infrastructure network
cloud analytics
"""
_CALENDAR = """
mandag tirsdag onsdag torsdag fredag lørdag søndag januar februar juni juli september oktober november
december monday tuesday wednesday thursday friday saturday sunday january february march july october
mandags weekdays weekday weekend weekends lunes martes miércoles jueves viernes sábado domingo enero febrero
marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre måndag lördag söndag montag
dienstag mittwoch donnerstag freitag samstag sonntag januari februari juni januar märz mai oktober dezember
poniedziałek wtorek środa czwartek piątek sobota niedziela понедельник вторник среда четверг пятница суббота
воскресенье january today tomorrow now asap uge week feb mar apr jun jul aug sep sept oct okt nov dec mon
tue wed thu fri sat sun
"""
_TOOLS = """
access adobe ads agile ai android angular api apple apps autocad aws azure bi css cad ccna crm cv docker erp
excel facebook figma git github google html illustrator indesign instagram ios it java javascript jira
kubernetes linkedin linux mac microsoft ms mysql net node office oracle outlook photoshop php powerpoint
powerbi python react rest revit sap salesforce scrum seo sharepoint solidworks sql teams twitter unix visio
vue web whatsapp windows word wordpress youtube zoom skype messenger telegram viber full stack front end
back frontend backend ux ui qa qc devops fullstack c bim plc scada voip voice telco non
"""
_WORDS = """
carnet permiso kategori kategoria klasse kørekort class category part vitamin hepatitis prawo typical
workweek ethics aplikuj nasza nasze nasz twój twoje stanowisko wymagane powiatu miasta informacja linia
zielona wykonujemy oddział biuro siedziba valorable imprescindible good drop
a able about all and any applicants application applications apply are arbejde arbejdet as at based be
because before benefits best both but by call can come contact cv dear den denne der desuden det dette did
die dine dit don du each either en equal er et every experience find flere follow for fra from further gerne
get good great ha har hear hello her here hi hjælp hos how hvem hver hvis hvor hvordan i if in info is it
its ja jeg job jobs join kom kontakt kontaktperson kontakte learn let like linje løn man med mere mobil more
mens mobile my navn name need new no nej nu ny nye når of og om on one only op opstart or our out over phone
please position post på question questions ring rolle role sammen se see send she so som spørgsmål start
stilling stillingen søger take tel telefon tiltrædelse thank thanks that the their them then there these
they this those til tlf to ungdom us use vacancy ved velkommen very via vil vores want we welcome what when
where which while who why with work working write you your yours ansøg ansøgning ansøgningen ansøgningsfrist
frist email e-mail mail fax web website hjemmeside hjemmesiden deadline adresse address skriv spørg læs hør
dansk danske danmark danish denmark engelsk english england norge sverige tysk tyskland københavn copenhagen
aarhus århus odense aalborg esbjerg randers kolding horsens vejle roskilde sjælland jylland fyn bornholm
europe europa european eu uk usa us philippines manila makati london spain españa madrid barcelona valencia
sevilla polska poland warszawa kraków россия москва москве moscow stockholm oslo berlin si no para con sin
por los las el la un una en es su sus este esta puesto empresa interesados interesado interesadas enviar
datos contacto teléfono tel correo oferta código horario salario contrato jornada trabajo y o u e del al se
que más información personas candidatos currículum curriculum oferujemy wymagania opis zakres miejsce osoba
osoby kontakt kontaktowe dane praca oferta prosimy wynagrodzenie umowa umowę nr ul telefonu telefon numer
państwo państwa pan pani panu pana państwu мы вы наш наша для или при от до по на не что как это контакты
телефон почта резюме требования corporate sms governor helpline hotline careers due audit internal licensure
mindset resourcer job-id de numbers care health freephone securities payments filipino citizen empleo través
traves tfn telefono pension scheme primary chat enquiries empresas parque plaza asia pacific awards award
only available amenable willing and/or og/eller www http https sr jr mr mrs ms miss dr prof hr fru frk herr
frau herrn don doña dña sra srta saludos saludo atentamente cordial cordiales pozdrawiam serdecznie
poważaniem уважением mit freundlichen freundliche grüßen grüße vänliga vänlig vennlig hälsning hälsningar
venlige mange kærlig team-leader kind regards regard hilsen venlig hilsner bedste sincerely faithfully mvh
vh religion gender race age national origin color disability veteran status sexual orientation sex bachelor
bachelors master masters phd degree degrees bsc msc mba ba diploma certificate required requirements
requirement preferred must responsibilities responsibility duties qualifications skills skill knowledge
ability abilities description summary overview location salary schedule shift type level title reports
report reporting day night full-time part-time permanent temporary contract hybrid remote onsite street road
avenue building tower floor city town square st northern southern eastern western nord syd øst vest great
britain united kingdom states christmas easter jul påske new year additional other others yes note ref
reference attn att id code number bonus pay paid per hour hours month annual pension holiday holidays
insurance training center centre special special-purpose first second third two three four five six seven
eight nine ten guide lines online offline http manual policy act law regulation standard standards iso
"""
_SETS = (_ROLES, _FIRMS, _FIELDS, _CALENDAR, _TOOLS, _WORDS)
NOT_NAMES = frozenset(word for words in _SETS for word in words.split())
"""Casefolded words that are never part of a name."""

ALSO_NAMES = frozenset(
    "may april june august dean jan west east north south park lane church ma do an vi din mars marts maj"
    " pickering mark will rose grace hope joy bill rich art young long page day hall king dag sol per julio"
    " domingo abril mayo santiago valencia plaza solvej trinidad soledad natividad caridad piedad concepción"
    " line asunción ascensión anunciación encarnación visitación purificación consolación".split()
)
"""Words that are names as well: a name behind a cue, but never spread over the text."""

FIRM_FORMS = frozenset(_FIRMS.split())
"""A word that makes the capitalised words before it a firm and no person: "Carl Hansen A/S"."""

ROLES = frozenset(_ROLES.split())
"""Words for what somebody is: "Head of Department Mette Holm" is a person all the same."""

_ENDS = re.compile(
    r".(?:leder|lederen|ledere|chef|chefen|chefer|ansvarlig|ansvarlige|ansvarliga|konsulent|konsulenten"
    r"|medarbejder|medarbejderen|medarbejdere|direktør|direktøren|koordinator|koordinatoren|assistent|assistenten"
    r"|sekretariat|sekretariatet|forvaltning|forvaltningen|centre?ret|centret|centeret|kontor|kontoret|hospital"
    r"|hospitalet|skolen|teamet|gruppen|udvalget|styrelsen|ministeriet|fonden|foreningen|forbundet|inspektør"
    r"|inspektøren|lægen|sygeplejerske|sygeplejersken|pædagog|pædagogen|rektor|manager|afdeling|afdelingen|ejer"
    r"|medlem|formand|formanden|råd|rådet|mester|mesteren|tekniker|ingeniør|arkitekt|læge|lærer|læreren"
    r"|huset|hjemmet|kommune|kommunes|kommunen|centrum|centralen|butikken|klubben|kirke|kirken|selskabet"
    r"|bureau|bureauet|stedet|linjen|portalen|oplysninger|spørgsmål|personer|kundeservice|abteilung|leiter"
    r"|leiterin|leitung|geschäftsführung|avdeling|avdelningen|avdelingen|lederne|rådgiver|vejleder|vejlederen"
    r"|tion|tions|sion|sions|ness|ships?|ering|eringen|heden|hed|ationen|ología|ción|ciones|sión|dades|dad|idad"
    r"|acja|acji|ność|ności|cję|cji|ych|emu|ości|ować|ением|ость|ости|ения|ение|отдел|ция|ции"
    r"|vej|gade|vejen|gaden|allé|stræde|plads|boulevard|gatan|gata|vägen|straße|strasse)\Z"
)

_NAMES_ALL_THE_SAME = frozenset(
    "евгения евгению ксения ксению есения есению арсения патриция патриции патрицию лукреция люция"
    " adoración ágata agata teemu blankenship rohleder siering dytrych sych tadych".split()
)
"""Names with the ending of a word (Суперанская, Словарь русских личных имён; Faker's lists for training)."""


@lru_cache(maxsize=8192)
def is_ordinary(word: str) -> bool:
    """Whether a capitalised word is a role, a department, a firm, a day, a tool or plain language."""
    folded = word.casefold().rstrip(".")
    if folded in ALSO_NAMES or folded in _NAMES_ALL_THE_SAME:
        return False
    if folded in NOT_NAMES or _ENDS.search(folded) is not None:
        return True
    first, dash, last = folded.rpartition("-")  # "HR-chefen", "IT-afdelingen", "Teamleder-barista"
    return bool(dash) and (first in NOT_NAMES or last in NOT_NAMES)

"""Street addresses and post-office boxes, by how each country writes them.

| Country | Written as | Source |
|---|---|---|
| Denmark | Nørregade 12B, 2. tv., 8000 Aarhus C | Adressebekendtgørelsen; PostNord |
| Sweden, Norway | Storgatan 5 lgh 1102, 123 45 Ort; Storgata 5, 0155 Oslo | SS 613401; Posten Norge |
| Germany | Berliner Straße 5, 10115 Berlin | DIN 5008 |
| United Kingdom | 12 High Street, London SW1A 1AA | BS 7666; Royal Mail (postcode areas) |
| United States | 1600 Pennsylvania Ave NW, Washington, DC 20500 | USPS Publication 28 |
| Spain, Chile | C/ Mayor 12, 3º B, 28013 Madrid; Av. Providencia 1234, Of. 5 | Correos; Correos de Chile |
| Russia | 101000, г. Москва, ул. Мясницкая, д. 5, кв. 3 | government decree 234 (2023) |
| Poland | ul. Polna 5/3, 00-123 Warszawa | Poczta Polska |

The elements and their order are those of UPU S42. A postcode with a town alone is no address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from joblens.extractors.letters import UPPERS, S
from joblens.extractors.not_names import is_ordinary
from joblens.text import Span

_CAP = rf"[{UPPERS}][\w'’.-]{{0,30}}"

_STREET_ENDS = tuple(
    "vej vejen gade gaden allé alléen alle stræde strædet vænge vænget torv torvet boulevard boulevarden"
    " stien gyde esplanaden promenaden brygge plads pladsen kajen kaj toften"  # Danish
    " gatan vägen gränd torget stigen gata gaten veien vegen"  # Swedish, Norwegian
    " straße strasse str. gasse allee".split()
)
"""Ends of a street's name after which a house number is enough."""
_PLACE_ENDS = tuple(
    "parken park bakken bakke haven have engen marken mark lunden lund høj højen bro havn havnen ager skoven"
    " krogen svinget ringen gård gården centret center dal dalen banken huse passagen volden løkken toft sti"
    " kæret backen backe plan plass tunet svingen haugen lia åsen weg platz ring damm ufer chaussee hof tal"
    " steig".split()
)
"""Ends that are ordinary words as well: a postcode, a floor or a word such as "adresse" must stand beside."""
_NAMED_PLACES = tuple(
    "parken bakken bakke engen marken lunden højen krogen svinget ringen volden løkken dalen skoven hegnet"
    " vangen banken kæret backen svingen haugen åsen lia weg platz damm ufer chaussee".split()
)
"""Those of them that say little but where something is: a compound with a number is enough."""
_TOWN_NAME = rf"[{UPPERS}][\w'’-]{{1,30}}"
_BEFORE_TYPE = frozenset(
    "gammel gl gl. ny nye store st. lille vester øster nørre sønder sankt sct sct. skt skt.".split()
)
_NO_STREET = frozenset("motorvej motorvejen hovedvej landevej genvej overalle alle udvej hovedgade".split())

_NUMBERED = re.compile(
    rf"([{UPPERS}][\w'’.-]{{2,40}})(?:,?{S}|{S}?n[ro]\.?{S})([0-9]{{1,4}})(?![0-9]|[.,:][0-9])"
)
_HOUSE = re.compile(
    r"(?:(?:[A-Za-z](?![\w'’])| [A-HJ-Zb-h](?![\w.'’]))|[-–/][0-9]{1,4}[A-Za-z]?(?!\w)"
    r"| [-–] [0-9]{1,3}[A-Za-z]?(?!\w)){0,3}"
)
_FLOOR = re.compile(
    rf"(?:,? ?(?:{S}|,)(?:(?:[0-9]{{1,2}}|st|kl|kld|stuen|parterre)\.?{S}?(?:sal|etage|våning|etasje"
    rf"|OG|Stock)\b\.?"
    rf"|(?:[0-9]{{1,2}}\.|st\.?|kld?\.?){S}?(?:tv|th|mf|dør{S}?[0-9]{{1,3}})\b\.?|(?:tv|th|mf)\b\.?"
    rf"|(?:st|kld?)\.|(?:st|kld)(?={S}?[,.;)\n–-]|{S}?\Z)"
    rf"|[0-9]{{1,2}}\.(?![0-9])"
    rf"|lgh{S}?[0-9]{{4}}|H0[0-9]{{3}}|Whg\.?{S}?[0-9]{{1,4}}|lejl\.?{S}?[0-9]{{1,4}}))+",
    re.IGNORECASE,
)
_TOWN = (
    rf"(?:(?:Kongens|Nykøbing|Nørre|Sønder|Store|Ny|Gammel|Bad|San|Santa|Den|Mo{S}i|Frankfurt am"
    rf"|St\.?){S})?"
    rf"[{UPPERS}][\w'’-]{{1,30}}(?:{S}(?:[NSVØKCM]|SV|NV|SØ|NØ)(?!\w))?"
)
_POSTCODE = re.compile(
    rf"{S}?[,\n·|–-]?{S}?(?:(?:DK|D|SE|S|NO|N|A|CH){S}?-{S}?)?(?:[0-9]{{4,5}}"
    rf"|[0-9]{{3}}{S}[0-9]{{2}}){S}{_TOWN}"
)
_UNNUMBERED = re.compile(rf"([{UPPERS}][\w'’.-]{{4,40}}),{S}(?:DK-)?[0-9]{{4}}{S}{_TOWN}")
_PLACE_CUE = re.compile(
    r"(?:adresse\w{0,9}|beliggende|ligger(?: centralt)?|bor|bopæl|kontor(?:et)?|lokaler|address|location"
    r"|mødested|besøg os|forbi|drop by)"
    r"(?: (?:på|er|i|is))?:?\s{1,2}\Z|\b(?:på|til|at)\s\Z",
    re.IGNORECASE,
)

_ENGLISH_STREET = (
    "Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Boulevard|Blvd|Crescent|Mews|Terrace|Highway|Hwy|Parkway|Pkwy"
)
_ENGLISH_PLACE = (
    "Drive|Dr|Court|Ct|Square|Sq|Place|Pl|Way|Close|Gardens|Grove|Park|Hill|Row|Quay|Circle|Cir|Walk"
    "|Broadway|Wharf"
    "|Green|Yard|House|Gate|View|Rise|Parade|Embankment|Bridge|Plaza"
)
_ONLY_STREETS = ("Close", "Court", "Drive", "Gardens", "Grove", "Way")
"""Those of them that hardly name anything else."""
_UK_AREAS = (
    "AB|AL|B|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|E|EC|EH"
    "|EN|EX|FK|FY|G"
    "|GL|GU|GY|HA|HD|HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|L|LA|LD|LE|LL|LN|LS|LU|M|ME|MK|ML|N|NE"
    "|NG|NN|NP|NR|NW"
    "|OL|OX|PA|PE|PH|PL|PO|PR|RG|RH|RM|S|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS"
    "|TW|UB|W|WA|WC|WD"
    "|WF|WN|WR|WS|WV|YO|ZE"
)
_UK_CODE = rf"(?:{_UK_AREAS})[0-9][A-HJKMNPR-Y0-9]?{S}[0-9](?![GMT]B)[ABD-HJLNP-UW-Z]{{2}}(?!\w)"
_UK_POSTCODE = re.compile(rf"(?<![\w-]){_UK_CODE}")
_US_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY"
    "|NC|ND|OH|OK|OR|PA"
    "|PR|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY"
)
_ENGLISH_UNIT = rf"(?:Flat|Suite|Ste|Apt|Apartment|Unit|Room|Rm|Floor)\.?{S}#?[0-9]{{1,5}}[A-Za-z]?"
_UNIT_BEFORE = re.compile(rf"(?<!\w){_ENGLISH_UNIT},?{S}\Z")
_ENGLISH_CUE = re.compile(
    r"(?:\bat|\baddress(?: is)?:?|\blocation:?|\bdrop by|\bvisit(?: us at)?)\s\Z", re.IGNORECASE
)
_ENGLISH_TOWN = re.compile(rf",{S}([{UPPERS}][\w'’-]{{2,25}})(?={S}?(?:[.;)\n]|\Z))")
_STREET_WORDS = frozenset(
    "high station main church park mill victoria green manor kings queens new grange north south west east"
    " school market bridge castle the london first second third fourth fifth central long hill lake".split()
)
"""First words of many streets that are ordinary words too (Ordnance Survey and US Census counts of names)."""
_COUNTED = frozenset(
    "hour hours day days week weeks month months year years star km mile miles minute minutes".split()
)
_ENGLISH = re.compile(
    rf"[0-9](?<![\w.,:/€$£-][0-9])[0-9]{{0,4}}[A-Za-z]?(?:[-–][0-9]{{1,4}})?{S}"
    rf"(?:{_CAP}{S}){{1,4}}?(?:({_ENGLISH_STREET})|{_ENGLISH_PLACE})(?:\b|(?=[A-Z][a-z]))"
    rf"(?:(?<=\b(?:St|Rd|Ln|Dr|Ct|Sq|Pl))\.|(?<=\b(?:Ave|Hwy|Cir))\.|(?<=Blvd|Pkwy)\.)?(?:{S}(?:[NSEW]|[NS][EW])\b\.?)?"
)
_UNIT = re.compile(
    rf",?{S}(?:Suite|Ste|Apt|Apartment|Unit|Floor|Fl|Room|Rm|Flat|#){S}?\.?{S}?#?[0-9]{{1,5}}[A-Za-z]?\b"
    rf"|,?{S}[0-9]{{1,3}}(?:st|nd|rd|th){S}(?:[Ff]loor|FL)\b"
)
_ENGLISH_TAIL = re.compile(
    rf"(?:,?{S}[{UPPERS}][\w'’.-]{{1,25}}(?:{S}[{UPPERS}][\w'’.-]{{1,25}}){{0,2}}){{0,3}},?{S}"
    rf"(?:(?:{_US_STATES}){S}[0-9]{{5}}(?:-[0-9]{{4}})?(?!\w)|[A-Z]{{1,2}}[0-9][0-9A-Z]?{S}[0-9][A-Z]{{2}}(?:(?!\w)|(?=[A-Z][a-z])))"
)
_SPANISH = re.compile(
    rf"(?<!\w)(?i:c/|calle|cl\.|avenida|avda\.?|av\.|plaza|pza\.?|plza\.?|paseo|p[º.ª]|carretera|ctra\.?"
    rf"|camino|ronda"
    rf"|travesía|pasaje|pje\.?|rambla|gran vía|glorieta|cuesta|callejón|pol[íi]gono(?: industrial)?"
    rf"|pol\. ?ind\."
    rf"|urbanización|urb\.|carrer|avinguda|plaça|passeig){S}?(?:(?:de|del|la|las|los|el|d'|les){S}){{0,3}}"
    rf"{_CAP}(?:{S}(?:(?:de|del|la|las|los|el|y){S}){{0,3}}{_CAP}){{0,4}},?{S}?"
    rf"(?:[Nn][º°o.]{{1,2}}|núm\.?|número|#)?{S}?(?:[0-9]{{1,5}}(?![0-9%€])|s/n(?!\w))"
)
_SPANISH_TAIL = re.compile(
    rf"(?:{S}?[-–]{S}?[0-9]{{1,4}}(?![0-9])|{S}?[A-Z](?!\w))?"
    rf"(?:,?{S}?(?:[0-9]{{1,2}}[ºª°](?:{S}?(?:[A-Z]|[Ii]zq\w{{0,6}}\.?|[Dd]cha\.?|[Dd]erecha)(?!\w))?"
    rf"|(?i:piso|puerta|escalera|esc\.|planta|of(?:icina)?\.?|dep(?:to|artamento)\.?|local|bloque|portal"
    rf"|nave){S}?\w{{1,4}}|[Bb]ajo(?!\w)))"
    rf"{{0,3}}(?:,?{S}?-?{S}?(?:CP:?{S})?[0-9]{{5}},?{S}{_TOWN_NAME}(?:{S}\({_TOWN_NAME}\))?)?"
)
_RUSSIAN_TYPE = (
    r"ул\.|улица|улице|пр-т\.?|пр-кт|проспект[еа]?|просп\.|пр\.|пер\.|переулок|переулке|пл\.|площадь"
    r"|площади|шоссе|ш\.|бульваре?"
    r"|б-р|бул\.|наб\.|набережная|набережной|проезде?|пр-д|тупик|линия|аллея|мкр\.?|микрорайон"
)
_RUSSIAN_HOUSE = (
    r",? ?(?:д\.?|дом)? ?[0-9]{1,4}(?:[а-яА-Я](?!\w))?(?:/[0-9]{1,4}[а-я]?)?"
    r"(?:,? ?(?:корп(?:ус)?|к|стр(?:оение)?|лит(?:ера)?|кв(?:артира)?|оф(?:ис)?|пом(?:ещение)?|подъезд"
    r"|эт(?:аж)?)\.? ?[0-9А-Я]{1,4}){0,4}"
)
_RUSSIAN_BEGIN = r"(?:(?<!\w)|(?<=[а-яё])(?<!ст)(?<!су)(?=(?:ул|пер|наб|просп|бул)\.))"
"""A word of its own, or glued to one that is not "стул" or "супер"."""
_RUSSIAN = re.compile(
    r"(?:[0-9]{6}(?<![0-9]{7}), ?(?:(?:[А-ЯЁ][\w.-]{1,25} ?){1,3}, ?){0,2})?"
    r"(?:(?:г\.|город) ?[А-ЯЁ][\w-]{1,25}(?: [А-ЯЁ][\w-]{1,25})?, ?)?"
    rf"(?:{_RUSSIAN_BEGIN}(?:{_RUSSIAN_TYPE}) ?(?:[0-9]{{1,3}}(?:-\w{{1,2}})? )?[А-ЯЁ][\w.-]{{0,30}}"
    r"(?: [А-ЯЁ0-9][\w.-]{0,30}){0,3}?"
    rf"|(?<!\w)[А-ЯЁ][а-яё]{{2,25}}(?:ий|ый|ой|ая|ое|ом|ем) (?:{_RUSSIAN_TYPE})){_RUSSIAN_HOUSE}"
)
_POLISH = re.compile(
    rf"(?<!\w)(?:(?i:ul\.|ulic[ay]|al\.|alej[aei]|pl\.|plac|os\.|osiedle){S}?(?:{_CAP}{S}){{1,4}}?"
    rf"[0-9]{{1,4}}[A-Za-z]?(?:{S}?[/-]{S}?[0-9]{{1,4}}[A-Za-z]?)?(?!\w)(?:{S}?(?:m|lok"
    rf"|lokal)\.?{S}?[0-9]{{1,4}})?"
    rf"(?:,?{S}?\(?[0-9]{{2}}-[0-9]{{3}}\)?{S}{_TOWN_NAME})?"
    rf"|(?:{_CAP}{S}){{1,3}}[0-9]{{1,4}}[A-Za-z]?(?:/[0-9]{{1,4}}[A-Za-z]?)?,?{S}[0-9]{{2}}-[0-9]{{3}}{S}{_TOWN_NAME})"
)
_BOX = re.compile(
    rf"(?<!\w)(?:(?i:postboks|p\.?{S}?o\.?{S}?box|postbox|postfach|apartado(?: de correos| postal)?"
    rf"|casilla(?: postal)?"
    rf"|а/я|абонентский ящик|skr\.{S}?poczt\.|skrytka pocztowa){S}?(?:n[ro]\.?|nº"
    rf"|№)?{S}?[0-9]{{1,6}}(?![0-9])"
    rf"|Box{S}[0-9]{{1,5}}(?=,?{S}[0-9]{{3}}{S}[0-9]{{2}}{S}))"
)


def find_addresses(text: str) -> Iterator[Span]:
    """Street addresses with a house number, British postcodes, and post-office boxes; finds may overlap.

    Floor, postcode and town behind the house number belong to the address; a name or a firm does not.
    """
    for match in _NUMBERED.finditer(text):
        end = _nordic_end(text, match)
        if end:
            yield _with_first_words(text, match.start()), end
    for match in _UNNUMBERED.finditer(text):
        if match.group(1).casefold().endswith(_STREET_ENDS):
            yield _with_first_words(text, match.start()), match.end()
    for match in _ENGLISH.finditer(text):
        end = match.end()
        while unit := _UNIT.match(text, end):
            end = unit.end()
        tail = _ENGLISH_TAIL.match(text, end)
        before = _UNIT_BEFORE.search(text, max(0, match.start() - 20), match.start())
        start = before.start() if before else match.start()
        is_sure = tail or before or end > match.end() or _ENGLISH_CUE.search(text, max(0, start - 16), start)
        if is_sure or _is_street_name(match):
            tail = tail or _english_town(text, end)
            yield start, tail.end() if tail else end
    for match in _SPANISH.finditer(text):
        tail = _SPANISH_TAIL.match(text, match.end())
        yield match.start(), tail.end() if tail else match.end()
    for pattern in (_RUSSIAN, _POLISH, _UK_POSTCODE):
        for match in pattern.finditer(text):
            yield match.span()
    for match in _BOX.finditer(text):
        tail = _POSTCODE.match(text, match.end())
        yield match.start(), tail.end() if tail else match.end()


def _nordic_end(text: str, match: re.Match[str]) -> int:
    """Where an address of the form "street number" ends, or 0 when it is none."""
    word = match.group(1).casefold()
    is_street = word.endswith(_STREET_ENDS) and word not in _NO_STREET
    if not is_street and not word.endswith(_PLACE_ENDS):
        return 0
    house = _HOUSE.match(text, match.end())
    end = house.end() if house else match.end()
    floor = _FLOOR.match(text, end)
    end = floor.end() if floor else end
    code = _POSTCODE.match(text, end)
    is_bare = word in _STREET_ENDS and _with_first_words(text, match.start()) == match.start()
    if is_bare and not code:
        return 0
    has_letter = end > match.end() and text[end - 1].isalpha()
    is_compound = word.endswith(_NAMED_PLACES) and word not in _NAMED_PLACES
    is_named = is_compound and (has_letter or _ENDS.match(text, end) is not None)
    first = _FIRST_WORD.search(text, max(0, match.start() - 32), match.start())
    start = first.start() if first else match.start()
    is_cued = _PLACE_CUE.search(text, max(0, start - 40), start) is not None
    if not (is_street or floor or code or is_named or is_cued):
        return 0
    return code.end() if code else end


_FIRST_WORD = re.compile(rf"(?<!\w){_CAP}{S}\Z")
_ENDS = re.compile(rf"{S}?(?:[^\w\s%]|\n|\Z)|{S}?[{UPPERS}]")
"""Nothing follows that the number could count: a sign, a line break, or a capitalised word."""
_WORDS_BEFORE = re.compile(rf"(?:(?:[{UPPERS}]\.{S}?){{1,3}}|{_CAP}{S}){{1,3}}\Z")


def _with_first_words(text: str, start: int) -> int:
    """Where the street's name begins: "Gammel Kongevej", "H.C. Andersens Boulevard", "Berliner Straße"."""
    before = _WORDS_BEFORE.search(text, max(0, start - 60), start)
    if before is None:
        return start
    is_type = text[start:].split(None, 1)[0].casefold().rstrip(".") in _STREET_ENDS or text[start].islower()
    place = start
    for word in reversed(list(re.finditer(r"\S+", before.group()))):
        said = word.group()
        is_first = (
            said.casefold() in _BEFORE_TYPE
            or (is_type and not is_ordinary(said))
            or len(said) == 2 == said.find(".") + 1
        )
        if not is_first:
            break
        place = before.start() + word.start()
    return place


def _english_town(text: str, end: int) -> re.Match[str] | None:
    """The town behind a street, where nothing else is said of it: ", Ashford."."""
    town = _ENGLISH_TOWN.match(text, end)
    return None if town is None or is_ordinary(town.group(1)) else town


def _is_street_name(match: re.Match[str]) -> bool:
    """Whether the words between number and type may name a street: "24 Hour Road" and "5 Star House" may not.

    Behind a type such as "Street" a common first word is enough; behind one such as "House" or "Park", which
    names much else, a word is needed that is no ordinary one.
    """
    words = match.group().split()[1:-1]
    if any(word.casefold() in _COUNTED for word in words):
        return False
    if match.group(1) or match.group().endswith(_ONLY_STREETS):
        return any(word.casefold() in _STREET_WORDS or not is_ordinary(word) for word in words)
    return not any(is_ordinary(word) for word in words)

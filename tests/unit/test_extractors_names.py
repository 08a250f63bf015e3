"""Names by rule: which words are a name, which only stand where one could, and where else it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblens.extractors.name_spreading import _PART, _starts, latin, spread_names
from joblens.extractors.names import find_persons
from joblens.extractors.patterns import find_pii, mask


def names_in(text):
    return [text[start:end] for start, end in find_persons(text)]


CUED = [
    ("Venlig hilsen Mette Holm", ["Mette Holm"]),
    ("Med venlig hilsen\n\nJens-Peter K. Hansen\nAfdelingsleder", ["Jens-Peter K. Hansen"]),
    ("Mvh. Pia Svalebro", ["Pia Svalebro"]),
    ("De bedste hilsner, Bo", ["Bo"]),
    ("velkommen hos osVenlig hilsen MetteVi glæder os", ["Mette"]),
    ("Kind regards,\nJohn O'Connor", ["John O'Connor"]),
    ("Best regards Anne-Marie", ["Anne-Marie"]),
    ("Yours sincerely, Ian McDonald", ["Ian McDonald"]),
    ("Saludos cordiales, Juan de la Cruz", ["Juan de la Cruz"]),
    ("Atentamente, María José García López", ["María José García López"]),
    ("С уважением, Мария Смирнова", ["Мария Смирнова"]),
    ("Med vänlig hälsning Karin Åkerblom", ["Karin Åkerblom"]),
    ("Med vennlig hilsen Kari Nordmo", ["Kari Nordmo"]),
    ("Mit freundlichen Grüßen\nJürgen Weiß", ["Jürgen Weiß"]),
    ("Z poważaniem, Łucja Kowalska", ["Łucja Kowalska"]),
    ("Kontakt Mette Holm eller Jens Dam på tlf. 12 34 56 78", ["Mette Holm", "Jens Dam"]),
    ("kontakt afdelingsleder Mette Holm.", ["Mette Holm"]),
    ("KONTAKT METTE HOLM PÅ TLF. 23 45 67 89", ["METTE HOLM"]),
    ("Kontaktperson: Mette Holm", ["Mette Holm"]),
    ("ring til Mette på 23 45 67 89", ["Mette"]),
    ("spørg efter Mette på 23 45 67 89", ["Mette"]),
    ("henvendelse til HR-chef Mette Holm", ["Mette Holm"]),
    ("Yderligere oplysninger fås hos Rasmus Kløverskær", ["Rasmus Kløverskær"]),
    ("Aisha svarer gerne på spørgsmål", ["Aisha"]),
    ("Please contact Eve Jackson on the number below", ["Eve Jackson"]),
    ("contact our Senior Talent Acquisition Consultant Eve Jackson on ****", ["Eve Jackson"]),
    ("contact Head of Department Anders van der Holm", ["Anders van der Holm"]),
    ("You report to Sarah Whitmore", ["Sarah Whitmore"]),
    ("ask for Paul on **** ****", ["Paul"]),
    ("reach out to Eve at eve@example.com", ["Eve"]),
    ("Persona de contacto: Yolanda Carrió", ["Yolanda Carrió"]),
    ("contactar a José Antonio Ruiz", ["José Antonio Ruiz"]),
    ("preguntar por José al teléfono 912345678", ["José"]),
    ("Контактное лицо: Иванов Иван Петрович", ["Иванов Иван Петрович"]),
    ("обращаться к Анне Сергеевне", ["Анне Сергеевне"]),
    ("Osoba do kontaktu: Grzegorz Gągola", ["Grzegorz Gągola"]),
    ("Ansprechpartnerin: Ute Krüger", ["Ute Krüger"]),
    ("Preguntar por Miguel en el 600 123 456", ["Miguel"]),
    ("Contacto: Diego Julio Tapia", ["Diego Julio Tapia"]),  # also a month
    ("Line Bech, HR-chef, mail: job@firma.dk", ["Line Bech"]),  # an English word as well
    ("Spørg Mette på job@firma.dk", ["Mette"]),
    ("Contact us and ask for Bethany.", ["Bethany"]),
    ("Ask for Ms Myers or Mr Gates on 212-555-0187", ["Myers", "Gates"]),
    ("Un saludo, Isidora", ["Isidora"]),
    ("Ansvarlig for ansættelsen: fkn, 65 31 52 18", ["fkn"]),
    ("Venlig hilsen pks Børnehuset Solen", ["pks", "Solen"]),  # the line break is lost
    ("Ansvarlig: nke, 65 31 52 18. Venlig hilsen nke Børnehuset Solen", ["nke", "nke", "Solen"]),
    ("Spørg Mette (mette@firma.ie) eller Jens (jholm@firma.ie).", ["Mette", "Jens"]),
    ("Du overtager stillingen efter Mette Holm, der", ["Mette Holm"]),
    ("Tu reclutadora es Adoración Iriarte", ["Adoración Iriarte"]),  # "-ción" ends many words
    ("Kontakt: SE / sam.ege@firma.dk", ["SE"]),  # a word, but the initials of the mailbox
    ("ул. Ленина, д. 5, кв. 32, Элеонора, 8 800 161-38-50", ["Элеонора"]),
    ("Ваш руководитель – Евгения Степановна", ["Евгения Степановна"]),  # "-ения" ends many words
    ("Venlig hilsen\nsalg\nMette Holm", ["salg", "Mette Holm"]),
    ("Mvh vvs Mette Holm", ["Mette Holm"]),
    ('mærkes mrk. "Kenn Kirkeholm Kærbæk"', ["Kenn Kirkeholm Kærbæk"]),
    ('Vrishti says: "There is room."', ["Vrishti"]),
    ("Send den til info@firma.dk at. Asta Præstbæk.", ["Asta Præstbæk"]),
    ("Tu reclutador es Luz Cisterna Gimeno", ["Luz Cisterna Gimeno"]),
    ("Preguntar por Hugo (+56 9 7023 8577) o Lateef ((+34) 620 932 591).", ["Hugo", "Lateef"]),
    ("Звоните: Карп 8 (495) 821-48-24, Софон 8-981-513-69-30", ["Карп", "Софон"]),
    ("så vender Cirkeline tilbage hurtigst muligt", ["Cirkeline"]),
    ("Cheers, Ruben", ["Ruben"]),
    ("kom forbi og hils på Gorm.", ["Gorm"]),
    ('send it to us, marked "Sarah Hess".', ["Sarah Hess"]),
    ("Billy Hale (operations manager) is happy to help", ["Billy Hale"]),
    ("Hilsen Ole og Astrid", ["Ole", "Astrid"]),
    (
        "We look forward to hearing from you!\nYash Behl & Nicolas Pickering",
        ["Yash Behl", "Nicolas Pickering"],
    ),
    ("Tak for nu\n/Sine", ["Sine"]),
    ("Venlig hilsen\nMKH\nLindby Skole", ["MKH"]),
    ("Kontakt: S.K. / job@firma.dk", ["S.K."]),
    ("Kontakt Holm, Mette (23 45 67 89)", ["Holm, Mette"]),
    ("Reemplazo de Mariana Piquer por licencia", ["Mariana Piquer"]),
    ("FAO PRISCILLA SCHWARTZ, box 1", ["PRISCILLA SCHWARTZ"]),
    ("My name is Jane. I hire", ["Jane"]),
    ("mød Rita på https://linkedin.com/in/rl", ["Rita"]),
    ("fang Mille Ulvbæk, linkedin.com/in/mille-ulvbaek-12", ["Mille Ulvbæk"]),  # spelled like her page
    ("Kontakt driftschef van der Holm på 23 45 67 89", ["van der Holm"]),
    ("please contact Joe Smith as soon as you can", ["Joe Smith"]),
    ("Venlig hilsen Solvej Brandt", ["Solvej Brandt"]),  # ends like a street
    ("Mr. Smith and Dr. Jane Doe", ["Smith", "Jane Doe"]),
    ("hos fru Jensen", ["Jensen"]),
    ("г-жа Петрова", ["Петрова"]),
    ("Sra. Carmen Ruiz", ["Carmen Ruiz"]),
]

BESIDE = [
    ("Mette Holm, tlf. 12 34 56 78", ["Mette Holm"]),
    ("Jens P. Hansen: jph@firma.dk", ["Jens P. Hansen"]),
    ("Mette Holm (+45 23 45 67 89)", ["Mette Holm"]),
    ("Mette Holm, afdelingsleder, tlf. 23 45 67 89", ["Mette Holm"]),
    ("23 45 67 89 (Mette Holm)", ["Mette Holm"]),
    ("Mette, mette@firma.dk", ["Mette"]),
    ("Mette Holm, souschef\t23 45 67 89\nJens Dam, leder\tjob@firma.dk", ["Mette Holm", "Jens Dam"]),
    ("Drop Max a line at max52@firma.dk", ["Max"]),
    ("Тел. 8 (495) 123-45-67, Ростислав Тетерин", ["Ростислав Тетерин"]),
    ("borgeren Mette Holm (010190-1234)", ["Mette Holm"]),
    ("Mvh. Maria Lyngvang, Lillelunde Sogn, 77 55 55 77", ["Maria Lyngvang"]),
]

SHAPED = [
    ("bogen af Jens P. Hyldgaard blev", ["Jens P. Hyldgaard"]),
    ("bogen af J. P. Hyldgaard blev", ["J. P. Hyldgaard"]),
    ("bogen af Mette Sørensen blev", ["Mette Sørensen"]),
    ("книга, Иван Петрович Сидоров", ["Иван Петрович Сидоров"]),
    ("книга, Сидоров И.П.", ["Сидоров И.П."]),
]

ROLES = [
    ("Samtaler holdes med direktør Bertram Lillevang.", ["Bertram Lillevang"]),
    ("Vores leder Solveig lægger vægt på samarbejde", ["Solveig"]),
    ("You will report to HR consultant Hendricks.", ["Hendricks"]),
    ("meet our Technical Director Ruth today", ["Ruth"]),
    ("contact the head of department Anders Holm", ["Anders Holm"]),
    ("Наставник на первые месяцы – Фрол.", ["Фрол"]),
    ("Du bliver Nicolines makker", ["Nicolines"]),
    ("Frans' afløser begynder i maj", ["Frans"]),
    ("We need Mary's successor", ["Mary"]),
    ("Kort til tog. Bertils team består af otte.", ["Bertils"]),
    ("Karens team tæller fem", ["Karens"]),
    ("Petersens team tæller fem", ["Petersens"]),
]

LISTED = [
    ("Kontakt Mette Holm. Vi er Mette, Jens og Kaj.", ["Mette Holm", "Mette", "Jens", "Kaj"]),
    ("Vi er Gert, Marie og Stina, og vi mangler dig", ["Gert", "Marie", "Stina"]),
    ("said Ann B. Smith, Joe and Tim", ["Ann B. Smith", "Joe", "Tim"]),
    ("bogen af Mette Sørensen og Kaj", ["Mette Sørensen", "Kaj"]),
]

NO_NAMES = [
    "Product manager Acme Consulting",
    "Projektleder Lindby Vest",
    "din kollega og kunde Acme Consulting",
    "We are Passionate, Driven and Friendly",
    "work closely with Acme, Contoso and Initech",
    "Say hello to Excel, hils på kollegerne",
    "Vi er i Aarhus og Odense",
    "Venlig hilsen\nHR",
    "Contact: HR (human.resources@firma.com)",
    "Contact: QA / quality.assurance@firma.com",
    "ул. Мира, д. 3, Химки, тел. 8 495 821-48-24",
    "Contact: HR, tel. 212-555-0187",
    "/Java og /Python på samme linje",
    "tak, jak Ci wygodnie",
    "категории B. Ждём ваши резюме",
    "Meet Sales Targets",
    "Follow Acme Consulting on LinkedIn: linkedin.com/company/acme-consulting",
    "Kontakt HR-chefen på tlf. 23 45 67 89",
    "Kontakt Aarhus Kommune på tlf. 89 40 20 00",
    "Contact Human Resources at hr@firma.dk",
    "Call Center Agent, Call Centre Manager",
    "Ask for Python and SQL",
    "Dr. Martens støvler",
    "kendskab til MS Office og MS Power BI",
    "Venlig hilsen Carl Hansen A/S",
    "Venlig hilsen HR-afdelingen",
    "Med venlig hilsen ledelsen",
    "Best regards, The Talent Team",
    "Kontakt os i Odense på mandag",
    "ring til os på 23 45 67 89",
    "You report to the Operations Manager",
    "report to our Makati office.We Will Invest in you",
    "Sr. Web Developer og Sr. Java Engineer",
    "kørekort B. Du kører",
    "Datos de contacto: CÓDIGO DE OFERTA: 082025020408",
    "kontakt z Klientem",
    "Mød op Mandag, tlf. 23 45 67 89",
    "Firma Sp. S.A. Stanowisko",
    "Carnet B. Valorable experiencia",
    "Vi søger en kok i Aarhus til Juni",
    "Afdelingens team består af otte kolleger",
    "Ugens kollega får en gave",
    "Direktørens højre hånd søges",
    "Many thanks, btw We are hiring",
    "Тел. 8 (495) 821-48-24, Казань 8-981-513-69-30",
    "Novo Nordisks team tæller otte kolleger",
    "Venlig hilsen os i Børnehuset Solen",
    "Vi vender tilbage til Solen",
    "Ansvarlig for drift: Vi søger en leder",
]


@pytest.mark.parametrize(("text", "expected"), CUED + BESIDE + SHAPED + ROLES + LISTED)
def test_a_name_with_a_cue_an_address_or_a_shape_is_found(text, expected):
    assert names_in(text) == expected


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_only_stands_where_a_name_could_is_left_alone(text):
    assert names_in(text) == []


def test_a_word_that_the_text_also_writes_small_is_no_name():
    assert names_in("Skriv til Salg på salg@firma.dk. Du arbejder med salg.") == []


def test_a_mailbox_in_small_letters_does_not_make_its_name_an_ordinary_word():
    masked = mask("Skriv til marie [at] firma(punktum)dk. Kontakt Marie Dam. Marie glæder sig.")[0]
    assert masked == "Skriv til [email]. Kontakt [person]. [person] glæder sig."


def test_an_identity_number_is_a_sign_of_a_person_as_well():
    assert mask("Nota interna: Estela Rozas, RUT 12.345.678-5")[0] == "Nota interna: [person], RUT [rut]"


def test_without_a_conjunction_a_comma_makes_no_list():
    assert names_in("bogen af Mette Sørensen, Lindby, blev") == ["Mette Sørensen"]


def test_a_person_that_is_masked_already_leads_to_the_others_of_the_list():
    assert names_in("Du sidder ved siden af [person] og Åse.") == ["Åse"]
    assert names_in("Du sidder ved siden af [person]. Åse.") == []
    assert names_in("[organisation] og Åse.") == []


def test_a_found_name_is_found_in_the_whole_text():
    text = "Kontakt Mette Sørensen. Mettes team, METTE SØRENSEN; Sørensen; se mettesorensen. hos osMette"
    others = [text[start:end] for start, end in spread_names(text, find_persons(text))]
    assert others == ["Mettes", "METTE SØRENSEN", "Sørensen", "Mette", "mettesorensen"]


@given(st.text(alphabet="aAåÅбБß世1_ -\u0345ιΙ", max_size=12), st.booleans())
def test_tokens_start_at_the_same_places_whether_few_words_are_looked_for_or_many(text, are_many):
    letters = set("aåб世ι")
    words = letters | {f"other{number}" for number in range(60)} if are_many else letters
    tokens = [(match.start(), match.group()) for match in _PART.finditer(text)]
    begun = [place for place in _starts(text, words) if text[place].casefold() in letters]
    assert begun == [place for place, token in tokens if token[0].casefold() in letters]


def test_a_sign_that_is_folded_to_a_letter_is_no_name():
    text = "Venlig hilsen Ι. Παπαδόπουλος\nTil Leo\u0345"
    assert list(spread_names(text, [(14, 29)])) == []


@pytest.mark.timeout(20)
def test_a_long_name_is_looked_for_in_little_time():
    text = "Mette " * 16_000
    assert list(spread_names(text, [(0, 60_000)])) == [(0, len(text) - 1)]


def test_the_names_of_many_people_are_found_again():
    names = [f"{first}{rest}de Holm" for first in "BDFGHJKLMN" for rest in "ava evi ilo oru ula".split()]
    text = "".join(f"Kontakt {name}, tlf. 23 45 67 89. " for name in names) + " ".join(
        f"Spørg {name.split()[0]}s hold." for name in names
    )
    persons = list(find_persons(text))
    assert len(persons) == len(names)
    assert [text[start:end] for start, end in spread_names(text, persons)] == [
        f"{name.split()[0]}s" for name in names
    ]


def test_initials_in_small_letters_are_found_again_only_where_they_sign():
    text = "Kontakt: bil, 23 45 67 89. Du har bil. Venlig hilsen bil Lindby Skole"
    assert names_in(text) == ["bil", "bil"]


def test_behind_an_address_in_brackets_a_list_goes_on_only_with_a_person():
    text = "Kontakt Mette Holm (mh@novo.dk) og Danfoss (job@danfoss.dk)"
    assert names_in(text) == ["Mette Holm"]
    assert names_in("Kontakt Mette Holm (mh@novo.dk) eller Jobnet") == ["Mette Holm"]


def test_a_name_in_capitals_is_found_where_the_next_line_is_glued_to_it():
    text = "Kontaktperson: Mette Ulvdal, tlf. 23 45 67 89. På vegne af RegionenMETTE ULVDALspecialkonsulent"
    assert mask(text)[0].endswith(" Regionen[person]specialkonsulent")


def test_a_russian_name_is_found_in_its_cases():
    text = "С уважением, Анна Иванова. Пишите Ивановой или Анне."
    assert [text[start:end] for start, end in spread_names(text, find_persons(text))] == ["Ивановой", "Анне"]


@pytest.mark.parametrize(
    "text",
    [
        "Venlig hilsen Rose Park. Rose er en blomst, Park en have.",  # words that are names as well
        "Venlig hilsen Kai Lund. Lund betyder en lund.",  # also written small
        "Venlig hilsen Li Ma. Li og Ma.",  # two letters
    ],
)
def test_an_ordinary_word_of_a_name_does_not_spread(text):
    found = {text[start:end] for start, end in spread_names(text, find_persons(text))}
    assert not found & {"Rose", "Park", "Lund", "Li", "Ma"}


def test_nothing_spreads_from_nothing():
    assert list(spread_names("Mette Holm", [])) == []


def test_danish_letters_have_two_spellings_in_an_address():
    assert latin("Søren") == ("soren", "soeren")
    assert latin("Jose") == ("jose",)


def test_masking_masks_the_name_everywhere():
    masked, removed = mask("Kontakt Mette Holm på 23 45 67 89. Mette glæder sig.")
    assert masked == "Kontakt [person] på [phone]. [person] glæder sig."
    assert removed == {"person": 2, "phone": 1}


def test_a_name_inside_an_address_is_part_of_the_address():
    assert [entity.label for entity in find_pii("Kontakt Mette Holm: mette.holm@firma.dk")] == [
        "person",
        "email",
    ]


GIVEN = st.sampled_from("Mette Søren Åse José María Олена Łukasz Jens-Peter Bjørn Zoë".split())
FAMILY = st.sampled_from("Lyngvang Kløverskær O'Brien Muñoz Сидоренко Wójcik Ågren-Holmsted Weiß".split())
CUES = st.sampled_from(
    ["Venlig hilsen ", "Mvh ", "Kind regards,\n", "Saludos cordiales, ", "С уважением, ", "Kontaktperson: "]
)


@given(
    before=st.text(max_size=30),
    cue=CUES,
    given_name=GIVEN,
    family=FAMILY,
    after=st.text(" .,!\n", max_size=9),
)
def test_a_signature_is_found_whatever_stands_before_it(before, cue, given_name, family, after):
    text = f"{before}\n{cue}{given_name} {family}{after}"
    start = text.index(cue, len(before)) + len(cue)
    covered = {place for span in find_persons(text) for place in range(*span)}
    assert covered.issuperset(range(start, start + len(given_name)))


ROLE_WORDS = st.sampled_from(["vores leder", "our team lead", "rapporterer til souschef", "nuestra gerente"])
ALONE = st.sampled_from("Solveig Zofia Bertram Jørgen".split())


@given(
    role=ROLE_WORDS,
    name=ALONE,
    other=st.sampled_from("Kaj Ulf Naksh".split()),
    verb=st.sampled_from([".", " er", ","]),
)
def test_a_name_behind_somebodys_role_leads_to_the_names_beside_it(role, name, other, verb):
    assert names_in(f"Her er {role} {name}{verb}") == [name]
    assert names_in(f"Her er {role} {name} og {other}{verb}") == [name, other]


@given(st.text(alphabet=st.characters(exclude_categories=("Lu", "Lt")), max_size=200))
def test_without_a_capital_there_is_no_name(text):
    assert names_in(text) == []


BLOCKS = {
    "names": "Mette Holm ",
    "listed": "Kontakt Mette Holm og Jens Dam, ",
    "cues": "Kontakt kontakt ring til ",
    "initials": "J. P. ",
    "signatures": "Venlig hilsen\n",
    "capitals": "AB ",
    "particles": "Ana de la ",
    "roles": "kontakt vores daglige leder ",
    "beside": "Mette Holm, tlf. 23 45 67 89 ",
    "russian": "Иванов И.И. ",
    "one word": "Aa",
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_long_text_of_names_takes_time_in_proportion(block):
    text = block * (100_000 // len(block))
    persons = list(find_persons(text))
    assert all(start < end for start, end in [*persons, *spread_names(text, persons)])

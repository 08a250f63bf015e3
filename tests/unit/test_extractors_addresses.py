"""Street addresses: each country's way of writing them, and numbers beside words that are no streets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblens.extractors.addresses import find_addresses
from joblens.extractors.patterns import mask

FOUND = [
    ("Kig forbi på Nørregade 12B, 2. tv., 8000 Aarhus C.", "Kig forbi på [address]."),
    ("Møllestien 118 C, 1. sal, 4724 Skovminde", "[address]"),
    ("Gammel Kongevej 10, 1610 København V", "[address]"),
    ("H.C. Andersens Boulevard 12", "[address]"),
    ("Sankt Annæ Plads 5", "[address]"),
    ("Stationsbakken 151, DK-7617 Lillerød", "[address]"),
    ("Skolevænget 169B - 3603 Rødby", "[address]"),
    ("Engblommeparken 12, st., DK-2171 Skovlev", "[address]"),
    ("Rådhuspladsen, 8000 Aarhus C", "[address]"),
    ("Arbejdsadressen er Kastanjeparken 119", "Arbejdsadressen er [address]"),
    ("Havnegade 3-5 i Odense", "[address] i Odense"),
    ("Lindevej 42D, kld. tv, 5272 Odense", "[address]"),
    ("bor på Rodesengen 159D.", "bor på [address]."),
    ("Lindevej 1, st, 6545 Ulfborg", "[address]"),
    ("Kig forbi på Vester Godsparken 150 og få", "Kig forbi på [address] og få"),
    ("Kom forbi Parkbakken 47A og hils", "Kom forbi [address] og hils"),
    ("Højskov A/S, Grønnebakken 217\nVi søger", "Højskov A/S, [address]\nVi søger"),
    ("Storgatan 5 lgh 1102, 123 45 Uppsala", "[address]"),
    ("Storgata 5, 0155 Oslo", "[address]"),
    ("Berliner Straße 5, 10115 Berlin", "[address]"),
    ("Hauptstr. 12a, 80331 München", "[address]"),
    ("12 High Street, London SW1A 1AA", "[address]"),
    ("SW1A 1AA", "[address]"),
    ("1600 Pennsylvania Ave NW, Washington, DC 20500", "[address]"),
    ("221B Baker Street", "[address]"),
    ("Flat 21, 41 Hill Close", "[address]"),
    ("Suite 290, 215 Cedar St, Woodham IB11 5LU", "[address]"),
    ("27 North St, Wesley CY15 6QP", "[address]"),
    ("You will find us at 4 River Court.", "You will find us at [address]."),
    ("Location: 19 Main Drive", "Location: [address]"),
    ("Come to 206 Albert RdWe offer, 37 Station Way", "Come to [address]We offer, [address]"),
    ("Apolloengen 58Kontakt os", "[address]Kontakt os"),
    ("42 Pennywell Drive", "[address]"),
    ("Calle Mayor 12, 3º B, 28013 Madrid", "[address]"),
    ("C/ de la Princesa, 5", "[address]"),
    ("Avda. de América nº 4", "[address]"),
    ("Pasaje Quiroga N° 2925, depto. 900", "[address]"),
    ("Av. Providencia 1234, Of. 501, Santiago", "[address], Santiago"),
    ("офис: ул. Мясницкая, д. 5, кв. 3", "офис: [address]"),
    ("101000, г. Москва, ул. Ленина 5", "[address]"),
    ("Невский пр., 28", "[address]"),
    ("301184, Балашов, ул. Горняцкая, д. 11, корп. 2", "[address]"),
    ("ul. Polna 5/3, 00-123 Warszawa", "[address]"),
    ("Adres: Dębowa 8, 11-100 Olsztyn", "Adres: [address]"),
    ("Postboks 123, 8100 Aarhus C", "[address]"),
    ("Box 123, 123 45 Uppsala", "[address]"),
    ("P.O. Box 45", "[address]"),
]

LEFT_ALONE = [
    "8000 Aarhus C, 2100 København Ø",
    "Børnehaven 34 børn og Parken 12 kampe",
    "på Vej 12 timer",
    "uge 12 til 37",
    "100 Great Place to work",
    "24 Hour Road",
    "a 5 Star Hotel, 2 Day Drive, 3 Business Park managers, 12 Company House visits",
    "Idrætsparken 12 kampe og Solbakken 8 beboere",
    "5 years Drive",
    "DDR4 16GB, PC4 2GB",
    "Motorvejen 12 km væk",
    "Calle, Plaza 24",
    "Box 5",
    "пр. 5",
    "Java 11-100 brugere",
    "Excel 2016, Office 365",
]


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_an_address_is_masked_with_its_floor_postcode_and_town(text, expected):
    assert mask(text)[0] == expected


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_only_looks_like_an_address_stays(text):
    assert list(find_addresses(text)) == []


STREETS = st.sampled_from("Lindevej Nørregade Kirkestræde Engvænget Storgatan Kirkeveien Hauptstraße".split())


@given(
    before=st.text(max_size=20), street=STREETS, number=st.integers(1, 999), after=st.sampled_from(" .,\n!")
)
def test_a_street_with_a_number_is_found_whatever_stands_before(before, street, number, after):
    text = f"{before} {street} {number}{after}"
    covered = {place for span in find_addresses(text) for place in range(*span)}
    start = text.rindex(f"{street} {number}")
    assert covered.issuperset(range(start, start + len(f"{street} {number}")))


HOUSES = st.from_regex(r"[1-9][0-9]{0,2}( ?[A-H])?", fullmatch=True)
FLOORS = st.sampled_from(
    ["", ", st.", ", st", ", kld.", ", kld. th", ", kl. tv.", ", 2. mf", ", 1. sal", ", 3. th."]
)
CODES = st.integers(1000, 9990)


@given(street=STREETS.filter(lambda street: street != "Storgatan"), house=HOUSES, floor=FLOORS, code=CODES)
def test_a_danish_address_is_masked_whole_whatever_its_floor(street, house, floor, code):
    assert mask(f"Bo på {street} {house}{floor}, {code} Ulfborg.")[0] == "Bo på [address]."


@given(
    unit=st.sampled_from(["", "Flat 7, ", "Suite 290, ", "Unit 3 "]),
    number=st.integers(1, 9999),
    name=st.sampled_from("Springfield Windsor Station High Maple".split()),
    kind=st.sampled_from("Street St Road Avenue Lane Close Court Drive Way Park".split()),
    code=st.from_regex(r"[A-Z]{1,2}[1-9][0-9]? [0-9][ABD-HJLNP-UW-Z]{2}", fullmatch=True),
)
def test_a_british_address_is_masked_with_its_unit_and_postcode(unit, number, name, kind, code):
    assert mask(f"Visit {unit}{number} {name} {kind}, Ashford {code}.")[0] == "Visit [address]."


@given(st.text(alphabet=st.characters(exclude_categories=("Nd",)), max_size=100))
def test_without_a_digit_there_is_no_address(text):
    assert "s/n" in text or list(find_addresses(text)) == []


BLOCKS = {
    "street": "Nørregade 12, ",
    "capitals": "Aa ",
    "numbers": "12 High ",
    "types": "Calle de la ",
    "russian": "ул. А",
    "initials": "H.C. ",
    "boxes": "Box 1 ",
    "units": "1 A Street, Suite 1",
    "one word": "Aa" * 50,
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_long_text_of_streets_takes_time_in_proportion(block):
    text = block * (100_000 // len(block))
    assert all(start < end for start, end in find_addresses(text))

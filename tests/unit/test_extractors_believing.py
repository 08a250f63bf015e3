"""What a model says of persons and organisations is believed unless its words are known to be plain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblens.extractors.believing import believed
from joblens.records import Entity
from joblens.sources.personal.names import names


def said(title, find, label):
    start = title.index(find)
    return Entity(start, start + len(find), label, find)


@pytest.mark.parametrize(
    ("title", "find", "label"),
    [
        ("Kemilærer på gymnasieniveau", "Kemilærer", "person"),
        ("Ekspert i kreditrisiko", "Ekspert", "person"),
        ("Dommer søges", "Dommer", "person"),
        ("Cykelmekaniker", "Cykelmekaniker", "person"),  # ends like others, is no label itself
        ("Paralegal", "Paralegal", "organisation"),
        ("Ingeniera industrial", "Ingeniera", "organisation"),
        ("asistente del cocinero", "del cocinero", "organisation"),
        ("PEÓN DE ALMACÉN", "PEÓN DE ALMACÉN", "person"),
        ("OPERARIO/A DE PINTURA", "PINTURA", "organisation"),
        ("COCINEROS", "COCINEROS", "organisation"),
        ("MONITORES DEPORTIVOS", "MONITORES DEPORTIVOS", "organisation"),
        ("CAPATACES FORESTALES", "CAPATACES FORESTALES", "organisation"),
        ("MECANICO DEL AUTOMOVIL", "MECANICO DEL AUTOMOVIL", "organisation"),
        ("CONDUCTORES DE FURGONETA", "CONDUCTORES DE FURGONETA", "organisation"),  # capitals alone
        ("Teachers wanted", "Teachers", "person"),
        ("Barber", "Barber", "person"),
        ("BAKER", "BAKER", "person"),
    ],
)
def test_words_of_the_job_stay(title, find, label):
    assert believed([said(title, find, label)], title, is_title=True) == []


@pytest.mark.parametrize(
    ("title", "find", "label"),
    [
        ("Mads søger hjælper", "Mads", "person"),  # "mad" is a word of jobs
        ("HJÆLPER TIL METTE HOLM", "METTE HOLM", "person"),
        ("hjælper til mads", "mads", "person"),
        ("Personlig assistent til van der Berg", "van der Berg", "person"),
        ("Assistant to Jane Baker", "Jane Baker", "person"),
        ("Assistant to Baker", "Baker", "person"),
        ("Assistent til Møller", "Møller", "person"),
        ("Nanny for the Sanders", "Sanders", "person"),
        ("Assistant to Mr. Driver", "Driver", "person"),
        ("Sekretær for Dr Kemiker", "Kemiker", "person"),
        ("Sekretær for Dr Kemiker", "Dr Kemiker", "person"),
        ("BPA til AK", "AK", "person"),
        ("Mette Holm", "Mette Holm", "person"),
        ("СИДЕЛКА ДЛЯ АННЫ ПЕТРОВОЙ", "АННЫ ПЕТРОВОЙ", "person"),
        ("Nurse at Novo Nordisk", "Novo Nordisk", "organisation"),
        ("Konsulent hos KMD", "KMD", "organisation"),
        ("Conductores de Furgoneta", "Furgoneta", "organisation"),
        ("CONDUCTORES DE FURGONETA", "FURGONETA", "person"),
        ("PEÓN DE ALMACÉN", "ALMACÉN", "address"),
        ("KOK", "KOK", "occupation"),
        ("12-14", "12", "person"),
    ],
)
def test_persons_organisations_and_all_else_go(title, find, label):
    found = [said(title, find, label)]
    assert believed(found, title, is_title=True) == found


@pytest.mark.parametrize("language", ["da", "sv", "no", "en", "es", "ru"])
def test_a_name_in_a_title_is_believed(language):
    listed = names(language, "train")
    for given_name, family in zip(listed.given, listed.family, strict=False):
        for name in (given_name, family, f"{given_name} {family}", family.upper()):
            title = f"Assistent til {name}"
            found = [said(title, name, "person")]
            assert len(name) < 3 or believed(found, title, is_title=True) == found, name


def test_the_order_of_what_is_believed_stays():
    title = "Kok hos Anna Bro, Bro Mad"
    finds = ["Kok", "hos", "Anna Bro", "Bro Mad"]
    labels = ["occupation", "person", "person", "organisation"]
    found = [said(title, find, label) for find, label in zip(finds, labels, strict=True)]
    assert believed(found, title, is_title=True) == [found[0], found[2], found[3]]


def test_in_a_text_words_of_jobs_are_not_asked():
    found = [said("Spørg Kemilærer", "Kemilærer", "person")]
    assert believed(found, "Spørg Kemilærer", is_title=False) == found


@pytest.mark.parametrize("find", ["CÓDIGO DE OFERTA", "DNI", "Comunidad Valenciana", "Horario", "Contact"])
def test_a_heading_is_no_person(find):
    assert believed([said(f"Kok. {find}: 12", find, "person")], f"Kok. {find}: 12", is_title=False) == []


@pytest.mark.parametrize(
    "find", ["Lonnie Law", "Law", "Madrid", "Santiago", "Domingo", "Contact Mette", "12"]
)
def test_a_person_with_a_word_that_may_be_a_name_goes(find):
    text = f"Kok. {find}: x"
    found = [said(text, find, "person")]
    assert believed(found, text, is_title=False) == found


@pytest.mark.parametrize("label", ["organisation", "address", "skill"])
def test_plain_words_with_another_label_are_left_alone(label):
    found = [said("at Hospital", "Hospital", label)]
    assert believed(found, "at Hospital", is_title=False) == found


@given(st.text(max_size=30), st.booleans(), st.data())
def test_nothing_is_invented_and_other_labels_are_kept(title, is_title, data):
    places = st.tuples(st.integers(0, len(title)), st.integers(0, len(title))).map(sorted)
    labels = st.sampled_from(["person", "organisation", "task", "address"])
    found = [
        Entity(start, end, label, title[start:end])
        for (start, end), label in data.draw(st.lists(st.tuples(places, labels), max_size=5))
    ]
    kept = believed(found, title, is_title=is_title)
    assert [entity for entity in found if entity in kept] == kept
    assert all(entity in kept for entity in found if entity.label in {"task", "address"})

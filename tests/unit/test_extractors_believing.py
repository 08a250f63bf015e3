"""What a model says of persons and organisations is believed where they stand like such."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblens.extractors.believing import believed
from joblens.records import Entity


def said(title, find, label):
    start = title.index(find)
    return Entity(start, start + len(find), label, find)


@pytest.mark.parametrize(
    ("title", "find", "label"),
    [
        ("Kemilærer på gymnasieniveau", "Kemilærer", "person"),
        ("Ekspert i kreditrisiko", "Ekspert", "person"),
        ("Dommer søges", "Dommer", "person"),
        ("Chauffør 37 timer", "Chauffør", "person"),
        ("Paralegal", "Paralegal", "organisation"),
        ("HMO Helpdesk", "HMO Helpdesk", "organisation"),
        ("Ingeniera industrial", "Ingeniera", "organisation"),
        ("Leder af dambrug", "dambrug", "person"),
        ("asistente del cocinero", "del cocinero", "organisation"),
        ("PEÓN DE ALMACÉN", "PEÓN DE ALMACÉN", "person"),
        ("OPERARIO/A DE PINTURA", "PINTURA", "organisation"),
        ("INGENIERO TÉCNICO (m/f)", "TÉCNICO", "person"),
        ("ТОКАРЬ", "ТОКАРЬ", "person"),
        ("– Kok", "Kok", "person"),
        ("12-14", "12", "person"),
    ],
)
def test_words_of_the_job_stay(title, find, label):
    assert believed([said(title, find, label)], title, is_title=True) == []


@pytest.mark.parametrize(
    ("title", "find", "label"),
    [
        ("Hjælper til Mads", "Mads", "person"),
        ("SOSU-ASSISTENT til Mette Holm", "Mette Holm", "person"),
        ("Mads søger hjælper", "Mads", "person"),
        ("Mads på 12 søger hjælper", "Mads", "person"),
        ("Karin, 45 år, søger ledsager", "Karin", "person"),
        ("Pablo busca asistente", "Pablo", "person"),
        ("Nurse at Novo Nordisk", "Novo Nordisk", "organisation"),
        ("Konsulent hos SØK", "SØK", "organisation"),
        ("Novo Nordisk - Chemist", "Novo Nordisk", "organisation"),
        ("Accenture | Software Engineer", "Accenture", "organisation"),
        ("PEÓN DE ALMACÉN", "ALMACÉN", "address"),
        ("KOK", "KOK", "occupation"),
    ],
)
def test_persons_organisations_and_all_else_go(title, find, label):
    found = [said(title, find, label)]
    assert believed(found, title, is_title=True) == found


def test_the_order_of_what_is_believed_stays():
    title = "Kok hos Anna Bro, Bro Mad"
    finds = ["Kok", "Kok", "Anna Bro", "Bro Mad"]
    labels = ["occupation", "person", "person", "organisation"]
    found = [said(title, find, label) for find, label in zip(finds, labels, strict=True)]
    assert believed(found, title, is_title=True) == [found[0], found[2], found[3]]


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

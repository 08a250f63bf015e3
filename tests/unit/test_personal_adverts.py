"""Synthetic adverts full of personal data: every place known, nothing shared between training and audit."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from random import Random

import pytest

from joblens.errors import DataError
from joblens.records import LabelledText
from joblens.sources.personal.adverts import generate_personal
from joblens.sources.personal.cast import choose_template, genitive, templates
from joblens.sources.sample import generate

LANGUAGES = ("da", "en", "es", "ru")
AUDIT = generate_personal(160, 11, "audit", LANGUAGES)
TRAIN = generate_personal(160, 11, "train", LANGUAGES)


def people(ads: list[LabelledText]) -> set[str]:
    found = (entity.text for ad in ads for entity in ad.entities if entity.label == "person")
    return {word.strip(".,'").casefold() for person in found for word in person.replace("-", " ").split()}


def test_offsets_give_back_every_entitys_text():
    assert all(ad.text[e.start : e.end] == e.text and e.text for ad in (*AUDIT, *TRAIN) for e in ad.entities)


def test_the_same_arguments_give_the_same_adverts():
    assert generate_personal(160, 11, "audit", LANGUAGES) == AUDIT
    assert generate_personal(160, 12, "audit", LANGUAGES) != AUDIT


def test_one_advert_in_eight_is_spanish_and_one_in_eight_russian():
    counts = Counter(ad.language for ad in AUDIT)
    assert (counts["es"], counts["ru"], counts["da"] + counts["en"]) == (20, 20, 120)


@pytest.mark.parametrize("languages", [("da",), ("en",), ("es",), ("es", "ru"), ("en", "ru")])
def test_only_the_languages_asked_for_come_and_as_many_as_asked_for(languages):
    ads = generate_personal(33, 3, "train", languages)
    assert len(ads) == 33
    assert {ad.language for ad in ads} == set(languages)
    assert len({ad.id for ad in ads}) == 33


def test_no_part_of_a_name_in_an_audit_advert_is_in_a_training_advert():
    assert {word for word in people(AUDIT) & people(TRAIN) if len(word) > 1} == set()  # but for initials


def test_nobody_of_the_sample_is_left():
    listed = json.loads((files("joblens.sources.sample") / "vocabulary/names.json").read_text("utf-8"))
    surnames = {start + end for start in listed["surname_starts"] for end in listed["surname_ends"]}
    assert people(AUDIT) & {name.casefold() for name in surnames} == set()
    assert not any(".example" in ad.text or "@example.com" in ad.text for ad in AUDIT)


def test_nobody_of_the_samples_titles_is_left_either():
    ads = generate_personal(400, 11, "train")
    sample = {ad.id: ad for ad in generate(400, 11)}
    named = [
        (ad.text.split("\n\n", 1)[0], entity.text)
        for ad in ads
        for entity in sample["sample-" + ad.id.rsplit("-", 1)[-1]].title_entities
        if entity.label in {"organisation", "phone"}
    ]
    assert len(named) >= 5
    assert [pair for pair in named if pair[1] in pair[0]] == []


def test_what_the_sample_says_about_the_job_stays():
    sample = {ad.id: ad for ad in generate(120, 11)}
    for ad in AUDIT[:120]:
        before = sample["sample-" + ad.id.rsplit("-", 1)[-1]]
        wanted = [e.text for e in (*before.title_entities, *before.entities) if e.label == "task"]
        assert Counter(wanted) == Counter(e.text for e in ad.entities if e.label == "task")


def test_every_kind_of_personal_data_occurs_in_the_audit():
    ads = generate_personal(500, 11, "audit", LANGUAGES)
    labels = {entity.label for ad in ads for entity in ad.entities}
    assert labels >= {
        *("person", "email", "phone", "url", "address", "organisation"),
        *("cpr", "cvr", "iban", "rut", "inn", "snils", "passport"),
    }


def test_a_repost_shares_the_group_of_its_original():
    groups = Counter(ad.group for ad in AUDIT)
    assert max(groups.values()) >= 2
    assert len(groups) < len(AUDIT)


@pytest.mark.parametrize(("language", "least"), [("da", 40), ("en", 30), ("es", 12), ("ru", 12)])
def test_there_are_many_contact_templates_and_some_are_kept_from_training(language, least):
    listed = templates(language)
    kinds = ("contact", "contacts", "signature")
    unseen = sum(len(listed.unseen[kind]) for kind in kinds)
    assert sum(len(listed.common[kind]) for kind in kinds) + unseen >= least
    assert unseen >= 0.15 * least


def test_a_training_advert_never_uses_a_template_that_is_kept_for_the_audit():
    rng = Random(1)
    used = {choose_template(rng, "da", "contact", "train") for _ in range(500)}
    kept = {choose_template(rng, "da", "contact", "audit") for _ in range(500)} - used
    assert used == set(templates("da").common["contact"])
    assert kept == set(templates("da").unseen["contact"])


@pytest.mark.parametrize(("name", "ending"), [("Anne", "s"), ("Jens", "'"), ("Max", "'"), ("Heinz", "'")])
def test_the_danish_genitive_adds_an_s_or_an_apostrophe(name, ending):
    assert genitive(name) == ending


@pytest.mark.parametrize("arguments", [(0, ("da",)), (5, ()), (5, ("da", "fr"))])
def test_what_cannot_be_made_is_refused(arguments):
    ads, languages = arguments
    with pytest.raises(DataError, match="ask for 1 or more in some of da, en, es, ru"):
        generate_personal(ads, 1, "train", languages)

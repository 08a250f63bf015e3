"""What leaves the cleaning: masked texts or kept entities, never personal data, and every word counted."""

from collections import Counter

import pytest

from joblens.config import Cleaning
from joblens.extractors.cleaning import clean_ads
from joblens.extractors.nothing import NoExtractor
from joblens.extractors.patterns import PatternExtractor
from joblens.extractors.toy import ToyExtractor
from joblens.records import Ad, Entity

TITLE = "Kok søges, ring 23 45 67 89"
TEXT = "Du skal lave mad. Skriv til navn@firma.dk.\n- servere for gæster på Nørregade 12"
AD = Ad(id="7", title=TITLE, text=TEXT)
TOY = Cleaning(extractor="toy")


class Scripted:
    """An extractor that labels given phrases wherever they stand, and remembers what it was asked."""

    name = "toy"
    fingerprint = "scripted"

    def __init__(self, **labels_by_phrase):
        self.labels = {phrase.replace("_", " "): label for phrase, label in labels_by_phrase.items()}
        self.asked = []

    def extract(self, texts):
        self.asked.extend(texts)
        return [
            [
                Entity(text.index(phrase), text.index(phrase) + len(phrase), label, phrase, 0.9)
                for phrase, label in self.labels.items()
                if phrase in text
            ]
            for text in texts
        ]


def test_none_leaves_title_and_text_as_they_are():
    removed = Counter()
    [clean] = clean_ads([AD], Cleaning(extractor="none"), NoExtractor(), removed)
    assert (clean.title, clean.clean_text) == (TITLE, TEXT)
    assert (clean.words_in, clean.words_read) == (22, 22)  # 7 in the title, 15 in the text
    assert (clean.pii_removed, removed) == (0, Counter())


def test_patterns_mask_title_and_text_and_keep_the_rest():
    removed = Counter()
    [clean] = clean_ads([AD], Cleaning(extractor="patterns"), PatternExtractor(), removed)
    assert clean.title == "Kok søges, ring [phone]"
    assert clean.clean_text == TEXT.replace("navn@firma.dk", "[email]")
    assert (clean.occupation, clean.skills, clean.tasks) == ((), (), ())
    assert clean.words_read == clean.words_in == 22
    assert clean.pii_removed == 2
    assert removed == {"email": 1, "phone": 1}


def test_entities_become_one_line_by_kind_and_personal_data_goes():
    extractor = ToyExtractor(TOY.keep, TOY.drop)
    removed = Counter()
    [clean] = clean_ads([AD], TOY, extractor, removed)
    assert clean.title == "Kok søges, ring [phone]"
    assert clean.occupation == ("Kok",)
    assert clean.tasks == ("servere for gæster på [address]",)
    assert clean.clean_text == "Kok; servere for gæster på [address]"
    assert removed == {"phone": 1, "email": 1, "address": 1}
    assert clean.pii_removed == 3
    assert clean.words_read == clean.words_in == 22


def test_a_kept_span_is_scrubbed_by_patterns_that_need_its_context():
    ad = Ad(id="1", title="Kok", text="Erfaring med CVR 12345678 og mad")
    [clean] = clean_ads([ad], TOY, Scripted(**{"12345678_og_mad": "skill"}))
    assert clean.skills == ("[cvr] og mad",)


def test_a_kept_span_is_scrubbed_by_patterns_that_only_fire_out_of_context():
    ad = Ad(
        id="1", title="Kok", text="kr. 23456789 til mad"
    )  # an amount in its sentence, a phone number alone
    removed = Counter()
    [clean] = clean_ads([ad], TOY, Scripted(**{"23456789": "skill"}), removed)
    assert clean.skills == ("[phone]",)
    assert (clean.pii_removed, removed) == (1, {"phone": 1})


def test_a_span_that_is_both_kept_and_personal_is_masked():
    ad = Ad(id="1", title="Kok", text="Du hjælper Anna Bro med mad")
    extractor = Scripted(hjælper_Anna_Bro_med_mad="task", Anna_Bro="person")
    [clean] = clean_ads([ad], TOY, extractor)
    assert clean.tasks == ("hjælper [person] med mad",)
    assert "Anna" not in clean.clean_text


def test_personal_data_that_model_and_patterns_both_find_is_one_piece():
    ad = Ad(id="1", title="Kok", text="Skriv til Anna anna@bro.dk om mad")
    removed = Counter()
    extractor = Scripted(til_Anna_anna="person", om_mad="task")
    extractor.labels["til Anna anna@bro.dk om mad"] = "task"
    [clean] = clean_ads([ad], TOY, extractor, removed)
    assert clean.tasks == ("om mad", "[person] om mad")
    assert removed == {"person": 1}


def test_personal_data_in_the_title_by_the_models_label_goes():
    [clean] = clean_ads([Ad(id="1", title="Kok hos Anna Bro", text="x")], TOY, Scripted(Anna_Bro="person"))
    assert clean.title == "Kok hos [person]"


def test_an_advert_without_kept_entities_falls_back_to_its_scrubbed_title():
    ad = Ad(id="1", title="Noget andet 23 45 67 89", text="Intet her")
    [clean] = clean_ads([ad], TOY, Scripted())
    assert clean.clean_text == "Noget andet [phone]"


def test_the_same_phrase_is_kept_once():
    ad = Ad(id="1", title="", text="Du kan Excel.\nDu skal kunne EXCEL.")
    [clean] = clean_ads([ad], TOY, ToyExtractor(TOY.keep, TOY.drop))
    assert clean.skills == ("Excel",)


def test_kept_labels_without_a_column_count_as_skills():
    cleaning = Cleaning(extractor="toy", keep=("tool",))
    [clean] = clean_ads([Ad(id="1", title="", text="Brug Hammer")], cleaning, Scripted(Hammer="tool"))
    assert clean.skills == ("Hammer",)


def test_each_distinct_sentence_is_asked_once_and_answered_everywhere():
    extractor = Scripted(lave_mad="task")
    ads = [Ad(id=str(row), title="Kok", text=f"Du skal lave mad. Nummer {row}.") for row in range(3)]
    cleaned = clean_ads(ads, TOY, extractor)
    assert extractor.asked == ["Kok", "Du skal lave mad.", "Nummer 0.", "Nummer 1.", "Nummer 2."]
    assert [clean.tasks for clean in cleaned] == [("lave mad",)] * 3


def test_adverts_keep_their_order_and_ids():
    ads = [Ad(id=name, title=name, text="") for name in ("b", "a", "c")]
    for name, extractor in (("none", NoExtractor()), ("patterns", PatternExtractor()), ("toy", Scripted())):
        assert [clean.id for clean in clean_ads(ads, Cleaning(extractor=name), extractor)] == ["b", "a", "c"]


@pytest.mark.timeout(60)
def test_a_very_long_advert_is_read_whole():
    text = "Du skal servere mad for Anna@firma.dk. " * 20_000
    [clean] = clean_ads([Ad(id="1", title="Kok", text=text)], TOY, ToyExtractor(TOY.keep, TOY.drop))
    assert clean.words_read == clean.words_in == 1 + 8 * 20_000
    assert clean.pii_removed == 20_000
    assert "@" not in clean.clean_text

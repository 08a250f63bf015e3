"""What leaves the cleaning: masked texts or kept entities, never personal data, and every word counted."""

import re
import threading
from collections import Counter
from itertools import pairwise
from time import sleep
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblens.config import Cleaning
from joblens.device import track
from joblens.errors import ModelError, StorageError
from joblens.extractors.cleaning import clean_ads
from joblens.extractors.masking import merged
from joblens.extractors.nothing import NoExtractor
from joblens.extractors.patterns import PatternExtractor
from joblens.extractors.toy import ToyExtractor
from joblens.records import Ad, Entity

TITLE = "Kok søges, ring 23 45 67 89"
TEXT = "Du skal lave mad. Skriv til navn@firma.dk.\n- servere for gæster på Nørregade 12"
AD = Ad(id="7", title=TITLE, text=TEXT)
TOY = Cleaning(extractor="toy")
WITH_ROOM = TOY.model_copy(update={"backend": "openvino"})


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
    assert clean.clean_text == TEXT.replace("navn@firma.dk", "[email]").replace("Nørregade 12", "[address]")
    assert (clean.occupation, clean.skills, clean.tasks) == ((), (), ())
    assert clean.words_read == clean.words_in == 22
    assert clean.pii_removed == 3
    assert removed == {"address": 1, "email": 1, "phone": 1}


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


def test_a_job_that_the_model_takes_for_a_person_stays_in_title_and_text():
    ad = Ad(id="1", title="PEÓN DE ALMACÉN", text="Buscamos PEÓN DE ALMACÉN con carnet")
    cleaning = TOY.model_copy(update={"output": "redact"})
    extractor = Scripted()
    extractor.labels["PEÓN DE ALMACÉN"] = "person"
    extractor.extract = lambda texts: [
        found if text == ad.title else []
        for text, found in zip(texts, Scripted.extract(extractor, texts), strict=True)
    ]
    [clean] = clean_ads([ad], cleaning, extractor)
    assert (clean.title, clean.clean_text) == (ad.title, ad.text)


def test_words_of_a_job_that_stand_in_a_name_of_the_text_stay_in_the_title():
    cleaning = TOY.model_copy(update={"output": "redact"})
    extractor = Scripted(**{"MOZO DE BODEGA": "person", "Anna Baker": "person", "Ana Montes": "person"})
    ads = [
        Ad(id="1", title="MOZO/A DE ALMACÉN", text="Oferta MOZO DE BODEGA aquí"),
        Ad(id="2", title="Assistant to Baker", text="Ask Anna Baker here"),
        Ad(id="3", title="Mozo para Montes", text="Ana Montes te espera"),
    ]
    job, baker, montes = clean_ads(ads, cleaning, extractor)
    assert job.title == "MOZO/A DE ALMACÉN"
    assert "MOZO" not in job.clean_text
    assert baker.title == "Assistant to [person]"
    assert montes.title == "Mozo para [person]"


POLISH = Ad(
    id="1",
    title="Kierownik Magazynu Nowak",
    text="Szukamy kierownika magazynu. Będziesz przygotowywać dostawy i dbać o porządek. Tel. 600 700 800",
)


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        ((), "Kierownik [person]"),
        (("pl",), "Kierownik [person]"),
        (("da", "en"), "Kierownik Magazynu Nowak"),
    ],
)
@pytest.mark.parametrize("output", ["extract", "redact"])
def test_the_model_masks_in_languages_it_is_believed_in(languages, expected, output):
    cleaning = TOY.model_copy(update={"languages": languages, "output": output})
    [clean] = clean_ads([POLISH], cleaning, Scripted(Magazynu_Nowak="person", dostawy="task"))
    assert clean.title == expected
    assert clean.tasks == ("dostawy",)


def test_patterns_mask_in_every_language():
    cleaning = TOY.model_copy(update={"languages": ("da",), "output": "redact"})
    [clean] = clean_ads([POLISH], cleaning, Scripted())
    assert clean.clean_text.endswith("Tel. [phone]")


def test_of_an_advert_too_short_to_tell_its_language_the_model_masks():
    cleaning = TOY.model_copy(update={"languages": ("da",)})
    [clean] = clean_ads([Ad("1", "Kok Anna Bro", "")], cleaning, Scripted(Anna_Bro="person"))
    assert clean.title == "Kok [person]"


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


REDACT = Cleaning(extractor="toy", output="redact")


def test_redact_keeps_the_text_and_masks_what_patterns_and_model_find():
    removed = Counter()
    text = "Du skal lave mad hos Bro A/S. Skriv til Anna Bro, navn@firma.dk"
    extractor = Scripted(lave_mad="task", Anna_Bro="person", **{"Bro A/S": "organisation"})
    [clean] = clean_ads([Ad(id="1", title="Kok", text=text)], REDACT, extractor, removed)
    assert clean.clean_text == "Du skal lave mad hos [organisation]. Skriv til [person], [email]"
    assert clean.tasks == ("lave mad",)  # the columns are filled all the same
    assert removed == {"organisation": 1, "person": 1, "email": 1}
    assert clean.words_read == clean.words_in == 16  # 1 in the title, 15 in the text


def test_redact_does_not_fall_back_to_the_title():
    [clean] = clean_ads([Ad(id="1", title="Kok", text="Intet her")], REDACT, Scripted())
    assert clean.clean_text == "Intet her"


@pytest.mark.parametrize("cleaning", [TOY, REDACT], ids=["extract", "redact"])
def test_a_person_of_the_title_is_masked_in_the_text_and_the_other_way(cleaning):
    extractor = Scripted(**{"Anna Brovang": "person", "hjælper Brovang": "task", "Bjarne Lindtoft": "person"})
    ads = [
        Ad(id="1", title="Kok hos Anna Brovang", text="Du hjælper Brovang"),
        Ad(id="2", title="Lindtoft søger kok", text="Ring til Bjarne Lindtoft"),
    ]
    first, second = clean_ads(ads, cleaning, extractor)
    assert first.tasks == ("hjælper [person]",)
    assert "Brovang" not in first.title + first.clean_text
    assert second.title == "[person] søger kok"


def test_an_identifier_that_is_only_told_by_its_cue_is_masked_wherever_it_stands():
    text = "Skriv CVR 12345678 på kuverten. Husk 12345678 igen."
    [clean] = clean_ads([Ad(id="1", title="12345678", text=text)], REDACT, Scripted())
    assert clean.clean_text == "Skriv CVR [cvr] på kuverten. Husk [cvr] igen."
    assert clean.title == "[cvr]"


def test_an_employer_is_masked_where_it_was_found_and_nowhere_else():
    text = "Kom til Job A/S. Job søges."
    [clean] = clean_ads([Ad(id="1", title="", text=text)], REDACT, Scripted(**{"Job A/S": "organisation"}))
    assert clean.clean_text == "Kom til [organisation]. Job søges."


def test_the_template_writes_the_line():
    cleaning = Cleaning(extractor="toy", template="Kan: {skills}. Gør: {tasks}")
    ad = Ad(id="1", title="", text="Du kan Excel.")
    [clean] = clean_ads([ad], cleaning, ToyExtractor(TOY.keep, TOY.drop))
    assert clean.clean_text == "Kan: Excel"


class Waiting(PatternExtractor):
    """Patterns that are searched for only when they may."""

    def __init__(self):
        self.may_begin = threading.Event()

    def extract(self, texts):
        if not self.may_begin.wait(60):
            raise TimeoutError("nobody let the patterns begin")
        return super().extract(texts)


def test_patterns_are_searched_for_while_the_model_reads():
    class Model(Scripted):
        def extract(self, texts):
            patterns.may_begin.set()
            return super().extract(texts)

    patterns = Waiting()
    [clean] = clean_ads([AD], WITH_ROOM, Model(lave_mad="task"), patterns=patterns)
    assert (clean.title, clean.tasks) == ("Kok søges, ring [phone]", ("lave mad",))


@pytest.mark.timeout(60)
def test_a_model_that_cannot_read_ends_the_search_for_patterns_too():
    class Model(Scripted):
        def extract(self, texts):
            assert patterns.began.wait(30)
            raise ModelError("a window has 900 words")

    class Endless(PatternExtractor):
        began = threading.Event()
        ended_by_itself = False

        def extract(self, texts):
            for _ in track(range(60_000), 60_000, "search"):
                self.began.set()
                sleep(0.001)
            self.ended_by_itself = True

    patterns = Endless()
    with pytest.raises(ModelError, match="a window has 900 words"):
        clean_ads([AD], WITH_ROOM, Model(), patterns=patterns)
    assert not patterns.ended_by_itself


def test_what_fails_in_the_patterns_is_raised():
    class Failing(PatternExtractor):
        def extract(self, texts):
            raise StorageError("the disk is full")

    with pytest.raises(StorageError, match="the disk is full"):
        clean_ads([AD], WITH_ROOM, Scripted(), patterns=Failing())


def test_torch_does_not_share_the_processor_with_the_search():
    class Model(Scripted):
        def extract(self, texts):
            assert searched
            return super().extract(texts)

    class Patterns(PatternExtractor):
        def extract(self, texts):
            searched.append(threading.current_thread() is threading.main_thread())
            return super().extract(texts)

    searched = []
    clean_ads([AD], TOY, Model(), patterns=Patterns())
    assert all(searched)


def test_patterns_given_from_outside_read_every_string_once():
    class Counting(PatternExtractor):
        read: ClassVar[list[str]] = []

        def extract(self, texts):
            self.read += texts
            return super().extract(texts)

    ad = Ad(id="1", title="Kok", text="Du kan Excel. navn@firma.dk")
    [clean] = clean_ads([ad], TOY, Scripted(Excel="skill"), patterns=Counting())
    assert clean.skills == ("Excel",)
    assert Counting.read == ["Kok", ad.text, "Kok", "Excel"]  # found in, then out of, their context


NAMES = ("Anna Brovang", "Bjarne Lindtoft", "Kirsten Møllegård")
FILLER = ("Du skal lave mad.", "Vi har kantine.", "Erfaring med Excel.", "Mød op kl. 8.", "Ring i dag.")


@given(
    sentences=st.lists(
        st.one_of(
            st.sampled_from(FILLER),
            st.sampled_from(NAMES).map(lambda name: f"Skriv til {name} i dag."),
            st.sampled_from(NAMES).map(lambda name: f"{name.split()[1]} svarer gerne."),
            st.sampled_from(NAMES).map(lambda name: f"Spørg efter {name.split()[0]}."),
        ),
        max_size=12,
    ),
    title=st.sampled_from(("Kok", "Kok hos Anna Brovang")),
    output=st.sampled_from(("extract", "redact")),
)
def test_no_name_that_was_found_is_left_and_the_useful_text_stays(sentences, title, output):
    extractor = Scripted(**dict.fromkeys(NAMES, "person"), Excel="skill", **{"lave mad": "task"})
    extractor.labels.update({f"Skriv til {name} i dag": "task" for name in NAMES})
    ad = Ad(id="1", title=title, text=" ".join(sentences))
    cleaning = Cleaning(extractor="toy", output=output)
    [clean] = clean_ads([ad], cleaning, extractor)
    whole = f"{ad.title}\n{ad.text}"
    left = f"{clean.title}\n{clean.clean_text}\n{clean.tasks}"
    for name in NAMES:
        if name in whole:
            assert not [part for part in (name, *name.split()) if re.search(rf"(?<!\w){part}(?!\w)", left)]
    assert clean.words_read == clean.words_in
    assert ("Excel" in clean.clean_text) == ("Excel" in ad.text)
    if output == "redact":
        for sentence in FILLER:
            assert clean.clean_text.count(sentence) == ad.text.count(sentence)


@given(
    spans=st.lists(
        st.tuples(st.integers(0, 19), st.integers(1, 6), st.sampled_from(("person", "email", "phone"))),
        max_size=8,
    )
)
def test_merged_spans_cover_the_same_characters_without_overlap(spans):
    text = "abcdefghijklmnopqrstuvwxyz"
    given_spans = [
        Entity(start, start + size, label, text[start : start + size]) for start, size, label in spans
    ]
    found = merged(given_spans, text)
    assert {place for span in found for place in range(span.start, span.end)} == {
        place for span in given_spans for place in range(span.start, span.end)
    }
    assert all(earlier.end <= later.start for earlier, later in pairwise(found))
    assert all(text[span.start : span.end] == span.text for span in found)


def test_the_longest_of_overlapping_spans_names_them():
    text = "Anna anna@bro.dk"
    spans = [Entity(0, 9, "person", text[:9]), Entity(5, 16, "email", text[5:])]
    assert merged(spans, text) == [Entity(0, 16, "email", text)]

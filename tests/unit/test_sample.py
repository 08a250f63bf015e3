"""The synthetic adverts: how many, of what, and every span where it is said to be."""

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joblens.errors import DataError
from joblens.records import Entity
from joblens.sources.sample import SampleAd, generate
from joblens.sources.sample.vocabulary import LANGUAGES, load_vocabulary

KINDS = {"occupation", "skill", "task", "person", "email", "phone", "address", "id number", "organisation"}
EMAIL = re.compile(r"[\w.]+(?:@|\(at\))[\w.]+\.(?:example|com)\b")
NUMBER = re.compile(r"\d{8}|\d\d \d\d \d\d \d\d|\b[0-3]\d[01]\d{3}[- ]?\d{4}")
"""A telephone number or a CPR number."""


@pytest.fixture(scope="module")
def ads() -> list[SampleAd]:
    return generate(ads=900, seed=7)


def spans(ad: SampleAd) -> list[tuple[str, tuple[Entity, ...]]]:
    return [(ad.text, ad.entities), (ad.title, ad.title_entities)]


def test_every_label_of_the_taxonomy_has_at_least_fifteen_of_900(ads):
    counts = Counter(ad.label for ad in ads)
    assert len(ads) == 900
    assert len(counts) == 22
    assert min(counts.values()) >= 15
    assert max(counts.values()) > 2 * min(counts.values())


def test_120_adverts_leave_five_originals_of_every_label_for_five_folds():
    counts = Counter(ad.label for ad in generate(ads=120, seed=7) if ad.repost_of is None)
    assert len(counts) == 22
    assert min(counts.values()) == 5


@pytest.mark.parametrize("count", [1, 2, 21, 22, 23, 121, 130])
def test_exactly_as_many_adverts_as_asked_for(count):
    assert len({ad.id for ad in generate(ads=count, seed=3)}) == count


@pytest.mark.parametrize("count", [0, -5])
def test_fewer_than_one_advert_is_an_error_that_says_what_to_ask_for(count):
    with pytest.raises(DataError, match=f"asked for {count} sample adverts; ask for 1 or more"):
        generate(ads=count, seed=7)


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 60), seed=st.integers())
def test_every_span_is_where_it_is_said_to_be(count, seed):
    for ad in generate(ads=count, seed=seed):
        for text, entities in spans(ad):
            assert [text[e.start : e.end] for e in entities] == [e.text for e in entities]
            assert all(e.text == e.text.strip() != "" for e in entities)
            ends = [0, *(e.end for e in entities)]
            assert all(before <= e.start for before, e in zip(ends, entities, strict=False))


def test_all_nine_kinds_of_entity_occur_and_no_other(ads):
    assert {entity.label for ad in ads for entity in ad.entities} == KINDS


def test_no_email_stands_outside_an_entity(ads):
    for ad in ads:
        for text, entities in spans(ad):
            known = {(e.start, e.end) for e in entities if e.label == "email"}
            assert {match.span() for match in EMAIL.finditer(text)} == known


def test_no_telephone_or_cpr_number_stands_outside_an_entity(ads):
    for ad in ads:
        for text, entities in spans(ad):
            for entity in reversed(entities):
                text = text[: entity.start] + text[entity.end :]
            assert not NUMBER.search(_without_cases(text))


def _without_cases(text: str) -> str:
    """Drop the numbers that are made to look like a CPR number of a day 32 to 39 in a month 13 to 19."""
    return re.sub(r"3[2-9]1[3-9]\d\d-\d{4}", "", text)


def test_four_in_a_hundred_originals_carry_the_label_of_another_area(ads):
    originals = [ad for ad in ads if ad.repost_of is None]
    assert len(originals) == 846  # 900 less 6 %
    assert sum(ad.label != ad.true_label for ad in originals) == 34  # 17 pairs: 846 x 4 % / 2 = 16.9


def test_swapping_labels_leaves_the_class_sizes_alone(ads):
    originals = [ad for ad in ads if ad.repost_of is None]
    assert Counter(ad.label for ad in originals) == Counter(ad.true_label for ad in originals)


def test_reposts_come_after_their_original_and_share_its_labels_and_most_of_its_words(ads):
    by_id = {ad.id: ad for ad in ads}
    reposts = [ad for ad in ads if ad.repost_of is not None]
    assert len(reposts) == 54  # 6 % of 900
    for ad in reposts:
        original = by_id[ad.repost_of]
        assert original.repost_of is None
        assert original.id < ad.id
        assert (ad.label, ad.true_label) == (original.label, original.true_label)
        assert ad.language == original.language
        said, again = set(original.text.split()), set(ad.text.split())
        assert len(said & again) / len(said | again) > 0.5
        assert (ad.title, ad.text) != (original.title, original.text)


def test_no_two_originals_read_the_same(ads):
    originals = [ad.text for ad in ads if ad.repost_of is None]
    assert len(set(originals)) == len(originals)


def test_adverts_have_110_to_200_words_on_average_in_both_languages(ads):
    for language in LANGUAGES:
        lengths = [len(ad.text.split()) for ad in ads if ad.language == language]
        assert len(lengths) > 300
        assert 110 < sum(lengths) / len(lengths) < 200


def test_noise_is_there(ads):
    texts = [ad.text for ad in ads]
    assert any("<br>" in text for text in texts)
    assert any("&nbsp;" in text for text in texts)
    assert any("\u00a0" in text for text in texts)
    assert any("🚀" in text for text in texts)
    assert sum("<br" in text for text in texts) < 90  # a few, not most


def test_the_order_of_adverts_says_nothing_about_their_label(ads):
    neighbours_agree = sum(a.label == b.label for a, b in pairwise(ads))
    assert neighbours_agree < 90  # about 900 / 22 = 41 by chance


def test_another_seed_gives_other_adverts():
    assert generate(ads=5, seed=1) != generate(ads=5, seed=2)


def test_every_area_has_a_rich_vocabulary_in_both_languages():
    for area in load_vocabulary().areas:
        for language in LANGUAGES:
            words = area.words[language]
            assert len(set(words.occupations)) >= 12, (area.slug, language)
            assert len(set(words.skills)) >= 12, (area.slug, language)
            assert len(set(words.tasks)) >= 14, (area.slug, language)


def test_every_neighbour_of_an_area_is_an_area():
    areas = load_vocabulary().areas
    slugs = {area.slug for area in areas}
    assert len(slugs) == 22
    assert all(set(area.neighbours) <= slugs - {area.slug} for area in areas)


def test_the_two_languages_have_the_same_kinds_of_sentences():
    phrases = load_vocabulary().phrases
    assert list(phrases["da"]) == list(phrases["en"])

"""What is drawn to train the title encoder, and what adverts do to a title.

Every text of the toy vocabulary begins with the key of its concept, so a pair can be checked by reading it.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from joblens.config import TitlesFlow, compose_flow
from joblens.errors import DataError
from joblens.finetune.titles.augmentation import (
    as_in_an_advert,
    gender_form,
    plural,
    with_noise,
    with_typo,
)
from joblens.finetune.titles.concepts import Concept, Vocabulary, spelling
from joblens.finetune.titles.pairs import Pairs

ESCO = [f"esco/occupation/{number}" for number in range(8)]
ONET = "29-1141.00"
"""A key that is no concept: O*NET's titles mean each other."""

DRAWN = 4000
"""Pairs; a share of one half is off by 0.03 once in ten thousand times."""


def concept(key, code="5120", languages=("en", "da"), labels=2):
    """A concept with labels such as `esco/occupation/0 da 1`, and a description."""
    return Concept(
        key,
        {language: [f"{key} {language} {number}" for number in range(labels)] for language in languages},
        code=code,
        description=f"{key} description",
    )


def vocabulary(*concepts, titles=(), sentences=()):
    concepts = concepts or [concept(key) for key in ESCO]
    return Vocabulary({each.key: each for each in concepts}, {"ads": titles}, {"tasks": sentences}, [], {})


def with_everything():
    """Eight concepts and a key without one, each with adverts' titles and sentences."""
    keys = [*ESCO, ONET]
    return vocabulary(
        titles=[(f"{key} advert {number}", key) for key in keys for number in range(3)],
        sentences=[(f"{key} sentence", key) for key in keys],
    )


def key_of(text):
    return text.split(" ")[0]


@pytest.fixture
def draw(pytestconfig):
    """`draw(vocabulary, **settings)`: pairs of labels in one language, unless the settings say more."""
    committed = compose_flow("titles", TitlesFlow, [], pytestconfig.rootpath / "configs").model_dump()

    def pairs(found, held_out=(), *, synonyms=0.0, sentences=0.0, **settings):
        plain = dict.fromkeys(
            ("descriptions", "cross_language", "plurals", "gender_forms", "augmentation", "hard"), 0
        )
        sources = [
            {"name": "labels", "kind": "labels", "path": "l", "language": "en"},
            {"name": "ads", "kind": "synonyms", "path": "a", "language": "en", "weight": synonyms},
            {"name": "tasks", "kind": "descriptions", "path": "t", "language": "en", "weight": sentences},
        ]
        flow = TitlesFlow.model_validate(committed | plain | {"sources": sources, "seed": 7} | settings)
        return Pairs(flow, found, set(held_out))

    return pairs


EVERYTHING = {"synonyms": 0.2, "sentences": 0.1, "descriptions": 0.15, "cross_language": 0.25}


def test_the_same_seed_draws_the_same_batches(draw):
    settings = EVERYTHING | {"augmentation": 0.5}
    first, second, other = (draw(with_everything(), seed=seed, **settings) for seed in (1, 1, 2))
    batches = [[pairs.batch(50), pairs.batch(50)] for pairs in (first, second, other)]
    assert batches[0] == batches[1]
    assert batches[0] != batches[2]
    assert batches[0][0] != batches[0][1]  # one batch is not like the next


@pytest.mark.parametrize("hard", [0.0, 0.5])
def test_no_title_of_a_concept_held_out_is_ever_drawn(draw, hard):
    held_out = {ESCO[3], ESCO[5], ONET}
    pairs = draw(with_everything(), held_out, hard=hard, **EVERYTHING)
    pairs.use_neighbours([[place for place in range(6) if place != each] for each in range(6)])
    batch = pairs.batch(DRAWN)
    drawn = {key_of(text) for text in [*batch.first, *batch.second]}
    assert drawn == {*ESCO} - held_out
    assert [each.key for each in pairs.concepts] == [key for key in ESCO if key not in held_out]


def test_both_titles_of_a_pair_mean_one_concept(draw):
    pairs = draw(with_everything(), hard=0.3, neighbours=4, **EVERYTHING)
    pairs.use_neighbours([[place for place in range(8) if place != each] for each in range(8)])
    batch = pairs.batch(DRAWN)
    assert [key_of(text) for text in batch.first] == [key_of(text) for text in batch.second]
    assert {key_of(text) for text in batch.first} == {*ESCO, ONET}


def test_the_titles_of_a_pair_are_two_different_ones(draw):
    batch = draw(with_everything(), synonyms=0.2).batch(DRAWN)
    labels = [pair for pair in zip(batch.first, batch.second, strict=True) if "advert" not in pair[0]]
    assert len(labels) > DRAWN / 2
    assert all(first != second for first, second in labels)


def test_kinds_of_pairs_have_the_shares_of_the_configuration(draw):
    batch = draw(with_everything(), **EVERYTHING).batch(DRAWN)
    kinds = Counter()
    for first, second in zip(batch.first, batch.second, strict=True):
        (_, kind, *_), (_, other, *_) = first.split(" "), second.split(" ")
        special = next((name for name in ("advert", "sentence", "description") if name in (kind, other)), "")
        kinds[special or ("one language" if kind == other else "two languages")] += 1
    shares = {kind: count / DRAWN for kind, count in kinds.items()}
    assert shares == pytest.approx(
        {"advert": 0.2, "sentence": 0.1, "description": 0.15, "two languages": 0.25, "one language": 0.3},
        abs=0.03,
    )


def test_a_share_of_first_titles_in_one_language_is_plural(draw):
    cook = Concept("cook", {"en": ["cook", "chef"]})
    batch = draw(vocabulary(cook), plurals=0.3).batch(DRAWN)
    assert set(batch.second) == {"cook", "chef"}
    counts = Counter(batch.first)
    assert set(counts) == {"cook", "chef", "cooks", "chefs"}
    assert (counts["cooks"] + counts["chefs"]) / DRAWN == pytest.approx(0.3, abs=0.03)


def test_a_share_of_first_titles_is_in_the_form_of_one_sex(draw):
    head = Concept("head", {"de": ["Leiter/Leiterin", "Chef"]})
    batch = draw(vocabulary(head), gender_forms=0.6).batch(DRAWN)
    assert set(batch.second) == {"Leiter/Leiterin", "Chef"}
    shares = {first: count / DRAWN for first, count in Counter(batch.first).items()}
    assert shares.pop("Chef") == pytest.approx(0.5, abs=0.03)
    assert shares.pop("Leiter/Leiterin") == pytest.approx(0.5 * 0.4, abs=0.03)
    # 0.3 shared by six ways to write one
    assert shares == {
        form: pytest.approx(0.05, abs=0.02)
        for form in ("Leiter", "Leiterin", "Leiter/in", "Leiter:in", "Leiter*in", "Leiter(in)")
    }


@pytest.mark.parametrize(
    ("labels", "settings", "query"),
    [
        (["cook", "chef"], {"plurals": 1}, "cooks"),
        (["Leiter/Leiterin", "Chef"], {"gender_forms": 1}, "Leiterin"),
        (["head cook of ships", "chef"], {"augmentation": 1}, "head cook ships"),  # a word less
    ],
)
def test_what_is_made_of_a_title_is_never_a_query_of_the_benchmark(draw, labels, settings, query):
    def drawn(kept_out):
        found = vocabulary(Concept("key", {"en": labels}))
        found.kept_out = frozenset(kept_out)
        pairs = draw(found, **settings)
        return pairs, pairs.batch(DRAWN).first

    pairs, titles = drawn([])
    made = titles.count(query)
    assert made > 30
    assert pairs.refused == 0
    pairs, titles = drawn([spelling(query)])
    assert query not in titles
    assert made / 2 < pairs.refused < made * 2


def test_pairs_say_which_other_occupations_of_the_batch_share_one_of_their_titles(draw):
    found = vocabulary(
        Concept("cook", {"en": ["cook", "chef"]}),
        Concept("head cook", {"en": ["Chef!", "head cook"]}),
        Concept("nurse", {"en": ["nurse", "carer"]}),
    )
    batch = draw(found).batch(200)
    titles = list(zip(batch.first, batch.second, strict=True))
    key_of_title = {title: key for pair, key in zip(titles, batch.keys, strict=True) for title in pair}
    expected = {"cook": [key_of_title["head cook"]], "head cook": [key_of_title["cook"]], "nurse": []}
    for pair, meanings in zip(titles, batch.meanings, strict=True):
        (own,) = {"cook", "head cook", "nurse"} & set(pair)
        assert meanings == expected[own]  # both labels of a concept are in each of its pairs


def test_the_plural_of_a_shared_title_is_shared_too(draw):
    found = vocabulary(
        Concept("cook", {"en": ["cook", "chef"]}), Concept("baker", {"en": ["cook", "baker"]}),
    )  # fmt: skip
    batch = draw(found, plurals=1).batch(200)
    assert "cooks" in batch.first
    assert all(len(meanings) == 1 for meanings in batch.meanings)  # "cook" or "cooks" is in each pair


def test_titles_of_adverts_that_are_labels_of_others_count_as_shared_too(draw):
    found = vocabulary(concept(ESCO[0]), concept(ESCO[1]), titles=[(f"{ESCO[0]} en 0", ESCO[1])])
    batch = draw(found, synonyms=0.5).batch(200)
    shared = [
        bool(meanings)
        for *pair, meanings in zip(batch.first, batch.second, batch.meanings, strict=True)
        if f"{ESCO[0]} en 0" in pair
    ]
    assert len(shared) > 50
    assert all(shared)


def test_occupations_without_synonyms_are_refused(draw):
    with pytest.raises(DataError, match="none of 1 concepts has two labels of one language; add a source"):
        draw(vocabulary(concept("key", labels=1)))


def test_three_in_five_pairs_of_two_languages_go_to_english(draw):
    found = vocabulary(concept("key", languages=("en", "da", "de", "sv")))
    batch = draw(found, cross_language=0.99).batch(DRAWN)
    partners = [
        second.split(" ")[1]
        for first, second in zip(batch.first, batch.second, strict=True)
        if first.split(" ")[1] == "da" and second.split(" ")[1] != "da"
    ]
    # 0.6 on purpose, and a third of the other 0.4 by chance
    assert partners.count("en") / len(partners) == pytest.approx(0.6 + 0.4 / 3, abs=0.05)


def test_a_concept_with_many_labels_is_drawn_more_often_but_less_than_by_their_number(draw):
    found = vocabulary(
        concept("few", languages=["en"], labels=16), concept("many", languages=["en"], labels=81)
    )
    batch = draw(found).batch(DRAWN)
    # 16 ** 0.75 = 8 and 81 ** 0.75 = 27
    share = sum(key_of(text) == "many" for text in batch.first) / DRAWN
    assert share == pytest.approx(27 / 35, abs=0.03)


def test_a_synonym_of_a_concept_mostly_meets_a_label_of_its_own_language(draw):
    found = vocabulary(concept(ESCO[0]), titles=[(f"{ESCO[0]} advert", ESCO[0])])
    batch = draw(found, synonyms=0.99).batch(DRAWN)
    partners = [
        second.split(" ")[1]
        for first, second in zip(batch.first, batch.second, strict=True)
        if "advert" in first
    ]
    # 0.7 in its language on purpose, and half of the other 0.3 by chance
    assert partners.count("en") / len(partners) == pytest.approx(0.85, abs=0.03)


def test_synonyms_of_a_key_that_is_no_concept_meet_each_other(draw):
    found = vocabulary(titles=[(f"{ONET} advert {number}", ONET) for number in range(3)])
    batch = draw(found, synonyms=0.5).batch(DRAWN)
    pairs = [pair for pair in zip(batch.first, batch.second, strict=True) if key_of(pair[0]) == ONET]
    assert len(pairs) / DRAWN == pytest.approx(0.5, abs=0.03)
    assert all("advert" in second for _, second in pairs)


def test_a_synonym_without_a_partner_is_not_drawn(draw):
    found = vocabulary(titles=[("alone", "alone"), (f"{ESCO[0]} advert", ESCO[0])])
    batch = draw(found, synonyms=0.5).batch(DRAWN)
    assert "alone" not in [*batch.first, *batch.second]
    assert batch.first.count(f"{ESCO[0]} advert") / DRAWN == pytest.approx(0.5, abs=0.03)


def test_a_sentence_whose_key_has_no_title_is_not_drawn(draw):
    found = vocabulary(sentences=[("alone sentence", "alone"), (f"{ESCO[0]} sentence", ESCO[0])])
    batch = draw(found, sentences=0.5).batch(DRAWN)
    assert "alone sentence" not in batch.second
    assert batch.second.count(f"{ESCO[0]} sentence") / DRAWN == pytest.approx(0.5, abs=0.03)


def test_of_a_description_only_the_first_300_letters_are_read(draw):
    long = concept("key")
    long.description = "key " + "a" * 500
    batch = draw(vocabulary(long), descriptions=0.5).batch(100)
    assert "key " + "a" * 296 in batch.second
    assert max(map(len, batch.second)) == 300


def test_a_concept_without_labels_is_not_drawn(draw):
    pairs = draw(vocabulary(concept("full"), concept("empty", languages=[]), concept("blank", labels=0)))
    assert [each.key for each in pairs.concepts] == ["full"]


COUPLES = [[1], [0], [3], [2], [5], [4], [7], [6]]
"""Neighbours of eight concepts: two and two."""


def couples_in(batch):
    """Whether each two pairs in a row are of concepts that are neighbours."""
    places = [ESCO.index(key_of(text)) for text in batch.first]
    return [[second] == COUPLES[first] for first, second in zip(places[::2], places[1::2], strict=True)]


def test_neighbours_are_drawn_together_once_they_are_known(draw):
    pairs = draw(vocabulary(), hard=1, neighbours=2)
    before = couples_in(pairs.batch(DRAWN))
    assert sum(before) / len(before) == pytest.approx(1 / 8, abs=0.03)  # by chance
    pairs.use_neighbours(COUPLES)
    assert all(couples_in(pairs.batch(DRAWN)))


def test_the_share_of_neighbours_is_that_of_the_configuration(draw):
    pairs = draw(vocabulary(), hard=0.5, neighbours=2)
    pairs.use_neighbours(COUPLES)
    couples = couples_in(pairs.batch(DRAWN))
    assert all(couples[: DRAWN // 4])  # DRAWN / 2 pairs, two of them a couple
    assert sum(couples[DRAWN // 4 :]) / (DRAWN // 4) == pytest.approx(1 / 8, abs=0.03)


def test_neighbours_speak_one_language_if_they_have_labels_in_it(draw):
    concepts = [concept(key) for key in ESCO[:6]] + [concept(key, languages=["da"]) for key in ESCO[6:]]
    pairs = draw(vocabulary(*concepts), hard=1, neighbours=2)
    pairs.use_neighbours([[1], [0], [3], [2], [6], [7], [4], [5]])  # 4 and 5 have a Danish neighbour
    batch = pairs.batch(DRAWN)
    spoken = Counter()
    for one, other in zip(batch.first[::2], batch.first[1::2], strict=True):
        has_danish = {ESCO[6], ESCO[7]} & {key_of(one), key_of(other)}
        spoken[bool(has_danish), tuple(sorted({one.split(" ")[1], other.split(" ")[1]}))] += 1
    assert set(spoken) == {
        (False, ("en",)), (False, ("da",)), (True, ("da",)), (True, ("da", "en")),
    }  # fmt: skip


@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize("neighbours", [2, 5])
def test_a_batch_has_the_size_asked_for(draw, size, neighbours):
    pairs = draw(vocabulary(), hard=1, neighbours=neighbours)
    pairs.use_neighbours([[place for place in range(8) if place != each] for each in range(8)])
    batch = pairs.batch(size)
    columns = (batch.first, batch.second, batch.keys, batch.codes, batch.are_groups)
    assert [len(column) for column in columns] == [size] * 5


def test_pairs_share_a_number_if_and_only_if_they_mean_one_concept(draw):
    batch = draw(with_everything(), **EVERYTHING).batch(200)
    numbers = {}
    for text, number in zip(batch.first, batch.keys, strict=True):
        numbers.setdefault(key_of(text), set()).add(number)
    assert sorted(numbers) == sorted([*ESCO, ONET])
    assert sorted(number for found in numbers.values() for number in found) == list(range(9))


def test_each_pair_has_the_code_of_its_concept_and_says_whether_that_is_a_group(draw):
    found = vocabulary(
        concept("esco/occupation/1", code="5120"),
        concept("esco/isco/C512", code="512"),
        concept("esco/occupation/2", code=""),
        titles=[(f"{ONET} advert {number}", ONET) for number in range(2)],
    )
    batch = draw(found, synonyms=0.3).batch(200)
    marks = {
        key_of(text): mark
        for text, *mark in zip(batch.first, batch.codes, batch.are_groups, strict=True)
    }  # fmt: skip
    assert marks == {
        "esco/occupation/1": ["5120", False],
        "esco/isco/C512": ["512", True],
        "esco/occupation/2": ["", False],
        ONET: ["", False],
    }


def test_only_first_titles_are_written_as_in_adverts(draw):
    plain, noisy = (draw(vocabulary(), augmentation=share).batch(DRAWN) for share in (0, 1))
    labels = {
        label for each in vocabulary().concepts.values() for found in each.labels.values() for label in found
    }
    assert {*plain.first, *plain.second} == labels
    assert set(noisy.second) == labels
    # Three words each, so that every change but a typo without effect is seen.
    assert sum(first in labels for first in noisy.first) / DRAWN < 0.05


@pytest.mark.parametrize(
    ("title", "forms"),
    [
        ("Monteur / Monteuse de meubles", {"Monteur de meubles", "Monteuse de meubles"}),
        ("director técnico/directora técnica", {
            "director técnico", "directora técnica", "director/a técnico", "director:a técnico",
            "director*a técnico", "director(a) técnico",
        }),
        ("Ouvrier / Ouvrière d'entretien/propreté", {
            "Ouvrier d'entretien/propreté", "Ouvrière d'entretien/propreté",
        }),
        ("postman/postwoman", {"postman", "postwoman"}),
        ("CAD/CAM-tekenaar", {"CAD/CAM-tekenaar"}),  # two things, not two sexes
        ("programmer/project manager", {"programmer/project manager"}),
        ("Import-/Exportkaufmann", {"Import-/Exportkaufmann"}),
        ("waiter/Waiter", {"waiter/Waiter"}),
        ("cook", {"cook"}),
        ("/", {"/"}),
        ("", {""}),
    ],
)  # fmt: skip
def test_a_title_of_two_sexes_is_written_in_every_usual_form(title, forms):
    rng = Random(1)
    assert {gender_form(title, rng) for _ in range(200)} == forms


def edits(first, second):
    """How many letters are left out, put in, replaced or swapped with the next: optimal string alignment."""
    costs = {(-1, column): column + 1 for column in range(-1, len(second))}
    costs |= {(row, -1): row + 1 for row in range(-1, len(first))}
    for row, here in enumerate(first):
        for column, there in enumerate(second):
            choices = [
                costs[row - 1, column] + 1,
                costs[row, column - 1] + 1,
                costs[row - 1, column - 1] + (here != there),
            ]
            if row and column and (here, there) == (second[column - 1], first[row - 1]):
                choices.append(costs[row - 2, column - 2] + 1)
            costs[row, column] = min(choices)
    return costs[len(first) - 1, len(second) - 1]


def test_a_typo_is_one_edit_and_spares_the_first_and_the_last_letter():
    # No two equal letters side by side, and letters put in are lower case, so every typo can be seen.
    rng = Random(1)
    typos = [with_typo("CARPENTER", rng) for _ in range(500)]
    assert {edits("CARPENTER", typo) for typo in typos} == {1}
    assert {(typo[0], typo[-1]) for typo in typos} == {("C", "R")}


def test_a_typo_always_changes_a_title_even_one_with_double_letters():
    rng = Random(3)
    assert "bookkeeper" not in {with_typo("bookkeeper", rng) for _ in range(500)}


def test_a_typo_leaves_out_doubles_replaces_or_swaps_a_letter():
    rng = Random(1)
    typos = [with_typo("CARPENTER", rng) for _ in range(500)]
    kinds = Counter(
        "swapped" if sorted(typo) == sorted("CARPENTER") else len(typo) - len("CARPENTER") for typo in typos
    )
    assert set(kinds) == {-1, 0, 1, "swapped"}
    assert all(count / 500 == pytest.approx(1 / 4, abs=0.07) for count in kinds.values())


@pytest.mark.parametrize(
    ("language", "title", "expected"),
    [
        ("en", "cook", "cooks"),
        ("en", "coach", "coaches"),
        ("en", "secretary", "secretaries"),
        ("en", "attorney", "attorneys"),
        ("en", "boss", "boss"),  # only regular endings that are sure
        ("en", "head nurse", "head nurses"),  # adjectives have no plural
        ("en", "head of department", "heads of department"),
        ("es", "cocinero", "cocineros"),
        ("es", "pintor", "pintores"),
        ("es", "juez", "jueces"),
        ("es", "director técnico", "directores técnicos"),
        ("es", "técnico de sonido", "técnicos de sonido"),
        ("es", "director técnico/directora técnica", "directores técnicos"),
        ("fr", "cuisinier", "cuisiniers"),
        ("fr", "chef de cuisine", "chefs de cuisine"),
        ("fr", "commis", "commis"),
        ("fr", "chef d’équipe", "chefs d’équipe"),
        ("fr", "chef d'équipe", "chefs d'équipe"),
        ("en", "stage/production manager", "stage/production managers"),
        ("es", "DIRECTOR DE ARTE", "DIRECTORES DE ARTE"),
        ("de", "Koch", "Koch"),
        ("da", "kok", "kok"),
        ("en", "", ""),
        ("es", "/", "/"),
    ],
)
def test_titles_of_three_languages_have_a_plural(language, title, expected):
    assert plural(title, language) == expected


@pytest.mark.parametrize("title", ["", "a", "kok", "kock"])
def test_a_title_under_five_letters_has_no_typo(title):
    rng = Random(1)
    assert {with_typo(title, rng) for _ in range(100)} == {title}


def test_five_letters_are_enough_for_a_typo():
    rng = Random(1)
    assert len({with_typo("BAKER", rng) for _ in range(100)}) > 1


def test_a_seeded_generator_writes_the_same_advert_again():
    def adverts(seed):
        rng = Random(seed)
        return [as_in_an_advert("senior sous chef", rng) for _ in range(50)]

    assert adverts(1) == adverts(1)
    assert adverts(1) != adverts(2)


def test_adverts_write_something_before_or_behind_a_title_or_make_a_typo():
    rng = Random(1)
    kinds = Counter()
    for _ in range(DRAWN):
        before, is_whole, behind = as_in_an_advert("SOUS CHEF", rng).partition("SOUS CHEF")
        if is_whole:
            kinds[bool(before), bool(behind)] += 1
        else:
            kinds["typo"] += 1
            assert edits("SOUS CHEF", before) == 1
    # With two words there is none to lose, so some stay as they were.
    assert {(False, False), (True, False), (False, True), "typo"} <= set(kinds)
    assert min(kinds.values()) > DRAWN / 50


def test_a_title_of_three_words_loses_one():
    rng = Random(1)
    adverts = {as_in_an_advert("SENIOR SOUS CHEF", rng) for _ in range(DRAWN)}
    assert {"SENIOR SOUS", "SENIOR CHEF", "SOUS CHEF"} <= adverts
    assert not {"SENIOR", "SOUS", "CHEF", ""} & adverts


def test_noise_is_a_mark_a_place_and_a_contract_behind_the_title():
    found = with_noise("sous chef", Random(1))
    assert found.startswith("sous chef ")
    mark_and_place, contract = found.removeprefix("sous chef ").split(", ")
    mark, place = mark_and_place.split(" - ")
    assert all((mark, place, contract))
    assert with_noise("sous chef", Random(1)) == found

"""Explanations of guesses by tiny networks that learned, here, three labels by their words."""

import json
import random
import re
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from joblens.cli import app, explaining
from joblens.config import Classifier as ClassifierSection
from joblens.config import Cleaning, Compute, Embedding
from joblens.encoders import encode_ads
from joblens.encoders.titled import TitledEncoder
from joblens.encoders.titles import Shape, TitleEncoder, quantised
from joblens.encoders.toy import ToyEncoder
from joblens.errors import BundleError, DataError
from joblens.extractors import build_extractor
from joblens.inference.classify import Classifier
from joblens.inference.explain import (
    SHORTLISTED,
    Occlusion,
    Phrase,
    cut_out,
    explain,
    phrases_of,
)
from joblens.inference.neighbours import TrainingAds
from joblens.models.bundle import Bundle, write_bundle
from joblens.models.calibration import Calibration
from joblens.models.wide_deep import Inputs
from joblens.paths import Layout
from joblens.pipeline.train import fit_model
from joblens.pipeline.train.wide_deep import Knowledge
from joblens.records import CleanAd
from joblens.storage import file_hash, write_table, write_tensors
from joblens.text import join_title

WORDS = {
    "Byggeri": "tømrer murer hammer beton stillads tagsten".split(),
    "Køkken": "kok tjener restaurant gryde menukort køkken".split(),
    "Sundhed": "sygeplejerske læge patient hospital medicin afdeling".split(),
}
LABELS = tuple(WORDS)
FILLERS = "vi søger en ny kollega til vores gode team med start snarest og fast løn hver måned i byen".split()
NURSE = "Vi søger en ny sygeplejerske til vores team"
WEIGHTS = {"titled": 0.2, "title": 0.0}
"""Of the words' side."""
CPU = Compute(device="cpu", workers=1, encode_batch_size=8)
KINDS = ("wide_deep", "wide_deep titled", "dense", "dense titled", "dense title")
"""The network, and beside the text's vector: nothing, those of title and words, or that of the title."""


def embedding(sides: str) -> Embedding:
    settings = {"encoder": "toy", "model": "hashed-words", "dimensions": 256, "max_tokens": 64, "seed": 1}
    titles = {"titles": "made here", "title_dimensions": 8, "words_weight": WEIGHTS.get(sides, 0)}
    return Embedding.model_validate({**settings, **(titles if sides else {})})


def build(sides: str):
    """The toy encoder, with vectors beside that of the text or without."""
    text = ToyEncoder(dimensions=256, seed=1)
    if not sides:
        return text
    table = np.random.default_rng(0).normal(size=(512, 8)).astype(np.float32)
    titles = TitleEncoder(Shape(buckets=512, dimensions=8, shortest=3, longest=5), *quantised(table))
    return TitledEncoder(text, titles, 0.5, WEIGHTS[sides])


def section(network: str) -> ClassifierSection:
    values = {
        "network": network,
        "dropout": 0.0,
        "buckets": 2**12,
        "min_df": 1,
        "inner_folds": 3,
        "learning_rate": 0.05,
        "weight_decay": 0.0,
        "batch_size": 32,
        "max_epochs": 60 if network == "dense" else 15,
        "patience": None,
        "loss": "cross_entropy",
        "class_weights": "none",
        "seed": 1,
    }
    return ClassifierSection.model_validate(values)


def adverts(count: int = 90) -> tuple[list[str], list[str], torch.Tensor]:
    """Titles, texts and labels: two words of the label among seven that say nothing."""
    dice = random.Random(3)
    labels = torch.arange(count) % len(LABELS)
    titles, texts = [], []
    for label in labels.tolist():
        known = dice.sample(WORDS[LABELS[label]], 3)
        said = [*dice.sample(FILLERS, 7), *known[1:]]
        titles.append(known[0])
        texts.append(" ".join(dice.sample(said, len(said))))
    return titles, texts, labels


@cache
def trained(kind: str) -> Bundle:
    """A network of this kind, fitted to the adverts with pattern cleaning."""
    network, _, sides = kind.partition(" ")
    encoder, used = build(sides), embedding(sides)
    titles, texts, labels = adverts()
    joined = [join_title(title, text) for title, text in zip(titles, texts, strict=True)]
    inputs = Inputs(encode_ads(encoder, titles, texts), titles, joined)
    fitted = fit_model(
        inputs,
        labels,
        [str(row) for row in range(len(labels))],
        torch.arange(60),
        torch.arange(60, 90),
        len(LABELS),
        Knowledge(used.sides, encode_ads(encoder, LABELS, LABELS), None) if network == "wide_deep" else None,
        section(network),
        torch.device("cpu"),
    )
    cleaning = Cleaning(extractor="patterns")
    return Bundle(
        network=fitted.network,
        labels=LABELS,
        cleaning=cleaning,
        embedding=used,
        classifier=section(network),
        encoder_fingerprint=encoder.fingerprint,
        extractor_fingerprint=build_extractor(cleaning, CPU).fingerprint,
        calibration=Calibration(temperature=1.0, set_threshold=0.05, abstain_below=0.0),
        uses_title=True,
        html=True,
        card={},
    )


def load(kind: str = "wide_deep titled", extractor: str = "patterns", **changes: object) -> Classifier:
    """A classifier; the cleaning may be another than it was trained with."""
    cleaning = Cleaning(extractor=extractor)
    used = build_extractor(cleaning, CPU)
    bundle = replace(trained(kind), cleaning=cleaning, extractor_fingerprint=used.fingerprint, **changes)
    return Classifier(bundle, used, build(kind.partition(" ")[2]), name="tiny", version="0")


def named(explanation) -> list[str]:
    return [found.phrase for found in explanation.evidence]


def chance(classifier: Classifier, label: str, text: str, title: str = "") -> float:
    """The probability of one of the three labels."""
    return dict(classifier.predict([text], [title])[0].top)[label]


def clean_ad(title: str, text: str, **entities: tuple[str, ...]) -> CleanAd:
    kinds = {"occupation": (), "skills": (), "tasks": (), **entities}
    return CleanAd("1", title, clean_text=text, words_in=0, words_read=0, pii_removed=0, **kinds)


# --- what is named ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_deciding_word_is_named_first(kind):
    explanation = explain(load(kind), None, NURSE)
    assert explanation.guess.label == "Sundhed"
    assert explanation.evidence[0].phrase == "sygeplejerske"
    assert explanation.evidence[0].kind == "word"


@pytest.mark.parametrize("kind", KINDS)
def test_a_deciding_word_of_the_title_is_named_first_as_it_is_written(kind):
    explanation = explain(load(kind), "TØMRER søges", "Vi har fast løn og et godt team i byen")
    assert (explanation.guess.label, named(explanation)[0]) == ("Byggeri", "TØMRER")


@pytest.mark.parametrize("kind", KINDS)
def test_an_effect_is_what_the_probability_loses_without_the_word(kind):
    classifier = load(kind)
    whole = chance(classifier, "Sundhed", NURSE)
    (first, *_) = explain(classifier, None, NURSE).evidence
    left = chance(classifier, "Sundhed", NURSE.replace("sygeplejerske", ""))
    assert first.effect == pytest.approx(whole - left, abs=1e-5)
    assert first.odds == pytest.approx(whole / (1 - whole) / (left / (1 - left)), rel=1e-3)


def test_words_are_in_the_order_of_their_effect_and_all_speak_for_the_guess():
    text = "En patient, en læge og et hospital; en tømrer og en hammer er der også."
    explanation = explain(load(), "Sygeplejerske", text)
    effects = [found.effect for found in explanation.evidence]
    assert explanation.guess.label == "Sundhed"
    assert len(effects) > 2
    assert effects == sorted(effects, reverse=True)
    assert min(effects) > 0
    assert not {"tømrer", "hammer"} & set(named(explanation))  # they speak for another label


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_named_is_taken_out_together(kind):
    classifier = load(kind)
    text = "Sygeplejerske til hospital, sygeplejerske med medicin."
    explanation = explain(classifier, None, text, most=2)
    for word in named(explanation):
        text = text.replace(word, "").replace(word.lower(), "")
    assert explanation.without == pytest.approx(chance(classifier, "Sundhed", text), abs=1e-5)


def test_no_more_is_named_than_was_asked_for():
    assert len(explain(load(), "Læge", "Sygeplejerske patient hospital medicin", most=2).evidence) == 2


def test_a_word_far_down_a_long_advert_is_found():
    filling = " ".join(FILLERS)
    assert len(FILLERS) > SHORTLISTED * 3, "or all words are tried, and this test shows nothing"
    assert named(explain(load(), None, f"{filling} sygeplejerske", most=3))[0] == "sygeplejerske"


def test_a_title_of_many_words_leaves_room_for_the_text():
    title = " ".join(FILLERS[: SHORTLISTED * 2 + 1])
    assert "sygeplejerske" in named(explain(load(), title, "En sygeplejerske med medicin", most=2))


def test_an_advert_without_a_nameable_word_has_a_guess_and_no_evidence():
    explanation = explain(load(), None, "7 8 9")
    assert explanation.evidence == ()
    assert explanation.without == pytest.approx(explanation.guess.probability, abs=1e-6)


def test_an_explanation_is_the_same_each_time():
    assert explain(load(), "Kok", NURSE) == explain(load(), "Kok", NURSE)


def test_the_guess_is_that_of_predict():
    classifier = load()
    assert explain(classifier, "Kok", NURSE).guess == classifier.predict([NURSE], ["Kok"])[0]


# --- entities --------------------------------------------------------------------------------------------

WANTED = "Vi søger en sygeplejerske. Du har erfaring med patient og medicin."
"""The toy extractor reads the occupation "sygeplejerske" and the skill "patient og medicin" in it."""


def test_entities_are_named_with_their_kind():
    explanation = explain(load(extractor="toy"), None, WANTED)
    kinds = {found.phrase: found.kind for found in explanation.evidence}
    assert kinds == {"sygeplejerske": "occupation", "patient og medicin": "skill"}


def test_phrases_that_are_named_share_no_place_of_the_advert():
    occlusion = Occlusion(load(extractor="toy"), None, WANTED)
    evidence, _ = occlusion.evidence(most=20)
    found = [phrase for phrase in occlusion.phrases if phrase.text in {one.phrase for one in evidence}]
    assert [pair for pair in combinations(found, 2) if pair[0].overlaps(pair[1])] == []
    words = [phrase for phrase in occlusion.phrases if phrase.kind == "word"]
    assert {phrase.text for phrase in words} == {"patient", "og", "medicin"}, "or this test shows nothing"


# --- what may be named -----------------------------------------------------------------------------------

PERSONAL = "Kontakt Jens Hansen på jens.hansen@firma.dk eller 22 33 44 55. Jens er læge, www.firma.dk"
SECRETS = {"jens", "hansen", "firma", "dk", "www", "email", "person", "phone", "url"}


@pytest.mark.parametrize("extractor", ["patterns", "toy", "none"])
def test_nothing_personal_and_no_mask_can_be_named(extractor):
    occlusion = Occlusion(load(extractor=extractor), "Læge hos Jens Hansen", PERSONAL)
    words = {word for phrase in occlusion.phrases for word in phrase.text.casefold().split()}
    assert "læge" in words
    assert words & SECRETS == set()


LETTERS = st.text("bcdfghjklmnpqrstvz", min_size=5, max_size=9).map("zq".__add__)
"""No word of the adverts begins with these two letters."""
PERSONAL_DATA = st.one_of(
    st.builds("{}.sygeplejerske@{}.dk".format, LETTERS, LETTERS),
    st.builds("www.{}-hospital.dk/{}".format, LETTERS, LETTERS),
    st.builds("https://{}.com/læge?id={}".format, LETTERS, LETTERS),
    st.builds("Kontakt Jens {} på mobil 22 33 44 55.".format, LETTERS.map(str.capitalize)),
)


@pytest.mark.parametrize("extractor", ["patterns", "toy", "none"])
@settings(max_examples=20, deadline=None)
@given(personal=st.lists(PERSONAL_DATA, min_size=1, max_size=3), in_title=st.booleans())
def test_personal_data_is_no_evidence_even_when_it_holds_a_deciding_word(extractor, personal, in_title):
    title = f"Læge, {personal[0]}" if in_title else "Læge"
    text = f"Vi søger en læge til afdeling. {' '.join(personal)}"
    explanation = explain(load(extractor=extractor), title, text, most=20)
    assume(explanation.guess.label == "Sundhed")  # made-up words may look like those of another label
    assert "læge" in [phrase.lower() for phrase in named(explanation)]
    words = {word for phrase in named(explanation) for word in re.findall(r"\w+", phrase.lower())}
    assert words <= set("vi søger en læge til afdeling kontakt på mobil".split())


def phrases(title: str, text: str, **entities: tuple[str, ...]) -> dict[str, Phrase]:
    found = phrases_of(clean_ad(title, text, **entities), re.compile(r"\[(?:email|person)\]"), None)
    return {phrase.text: phrase for phrase in found}


def test_a_word_is_one_phrase_wherever_it_stands_and_whatever_its_case():
    found = phrases("Nurse", "NURSE, nurse or nurses")
    assert found["Nurse"] == Phrase("Nurse", "word", ((0, 5),), ((0, 5), (7, 12)))
    assert set(found) == {"Nurse", "or", "nurses"}


def test_single_letters_and_numbers_are_no_words_but_languages_are():
    assert set(phrases("", "C# or C++, 5 a day, 24/7, B2B: [email] [person] [team]")) == {
        *("C#", "or", "C++", "day", "B2B", "team")
    }


PIECES = st.lists(
    st.sampled_from("Nurse nurse C# C++ A b2b, 24/7 [email] [team] og søger-\n".split(" ")), max_size=12
)


@given(title=PIECES.map(" ".join), text=PIECES.map("".join) | PIECES.map(" ".join))
def test_a_phrase_is_found_where_it_stands_and_taking_all_out_leaves_no_word(title, text):
    found = phrases(title, text)
    parts = {"in_title": title, "in_text": text}
    for phrase in found.values():
        places = [parts[name][start:end] for name in parts for start, end in getattr(phrase, name)]
        assert places
        assert {place.casefold() for place in places} == {phrase.text.casefold()}
    left = [
        cut_out(part, (span for phrase in found.values() for span in getattr(phrase, name)))
        for name, part in parts.items()
    ]
    assert phrases(*left) == {}
    assert re.findall(r"\[email\]", "".join(left)) == re.findall(r"\[email\]", title + text)


def test_an_entity_does_not_reach_across_a_mask():
    assert set(phrases("", "Call [person] us", tasks=("Call us",))) == {"Call", "us"}


def test_an_entity_is_found_across_line_breaks_and_not_inside_words():
    found = phrases("", "Head of\nnursing, head of nursings", occupation=("head of nursing",))
    assert found["head of nursing"] == Phrase("head of nursing", "occupation", (), ((0, 15),))


def test_an_entity_that_is_not_in_the_advert_or_holds_a_mask_is_left_out():
    found = phrases("", "Call [person] or write", skills=("java",), tasks=("Call [person]",))
    assert set(found) == {"Call", "or", "write"}


# --- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("title", "text"), [(None, ""), ("", "  \n"), ("?!", "<p></p>")])
def test_an_empty_advert_is_refused(title, text):
    with pytest.raises(DataError, match=r"^the advert has no words, expected a text or a title"):
        explain(load(), title, text)


def test_an_advert_of_which_cleaning_leaves_nothing_is_refused():
    with pytest.raises(DataError, match=r"^the advert has no words left after cleaning"):
        explain(load(extractor="toy"), None, "Der er ikke noget her.")


def test_naming_no_word_is_refused():
    with pytest.raises(DataError, match="most is 0, expected at least 1"):
        explain(load(), None, NURSE, most=0)


# --- the nearest training adverts ------------------------------------------------------------------------

PLACES = [[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0], [1.0, 0.0]]
"""Cosines with the first: 1, 0.8, 0.6, 0 and 1."""
SPLITS = ["train", "test", "train", "train", "validation"]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A project of five adverts a to e, of which a, c and d are trained on."""
    layout = Layout(tmp_path)
    ids = pl.DataFrame({"id": list("abcde")})
    write_table(layout.ids, ids)
    write_table(layout.splits, ids.with_columns(split=pl.Series(SPLITS)).reverse())
    write_vectors(layout, load().bundle.dimensions)
    return layout


def write_vectors(layout: Layout, dimensions: int) -> None:
    vectors = torch.nn.functional.pad(torch.tensor(PLACES), (0, dimensions - 2))
    write_tensors(layout.embeddings, {"vectors": vectors}, {"fingerprint": load().bundle.encoder_fingerprint})


def near(layout: Layout, *arguments: object, **options: object) -> list[tuple[str, float]]:
    vector = torch.zeros(load().bundle.dimensions)
    vector[0] = 2.0
    found = TrainingAds.load(layout, load()).nearest(vector, *arguments, **options)
    return [(ad.id, round(ad.cosine, 6)) for ad in found]


def test_only_training_adverts_are_near_nearest_first(layout):
    assert near(layout) == [("a", 1.0), ("c", 0.6), ("d", 0.0)]
    assert near(layout, 1) == [("a", 1.0)]


def test_vectors_of_another_width_are_refused(layout):
    write_vectors(layout, 3)
    with pytest.raises(DataError, match=r"has vectors of shape \(5, 3\), expected \(5, \d{3}\)"):
        TrainingAds.load(layout, load())


def project(folder: Path, classifier: Classifier, texts: list[str], splits: list[str]) -> Layout:
    """A project whose adverts are cleaned and encoded as the classifier does it."""
    layout = Layout(folder)
    occlusions = [Occlusion(classifier, "Kok", text) for text in texts]
    ids = pl.DataFrame({"id": [f"ad {row}" for row in range(len(texts))]})
    write_table(layout.ids, ids)
    write_table(layout.splits, ids.with_columns(split=pl.Series(splits)))
    vectors = torch.cat([occlusion.vector for occlusion in occlusions])
    fingerprint = classifier.bundle.encoder_fingerprint
    write_tensors(layout.embeddings, {"vectors": vectors}, {"fingerprint": fingerprint})
    return layout


TEXTS = ["Tjener til restaurant", "Tømrer med hammer", "Kok til køkken", "Kok til vores køkken"]


def test_a_training_advert_that_reads_the_same_is_nearest_and_as_near_as_can_be(tmp_path):
    layout = project(tmp_path, load(), TEXTS, ["train"] * 4)
    nearest = explain(
        load(), "Kok", "<p>Kok til  køkken</p>", training=TrainingAds.load(layout, load())
    ).nearest
    assert [ad.id for ad in nearest] == ["ad 2", "ad 3", "ad 0"]
    assert nearest[0].cosine == pytest.approx(1)
    assert 1 > nearest[1].cosine > nearest[2].cosine > 0


def test_as_many_near_adverts_are_named_as_are_asked_for(tmp_path):
    layout = project(tmp_path, load(), TEXTS, ["train"] * 4)
    training = TrainingAds.load(layout, load())
    assert len(explain(load(), "Kok", "til køkken", training=training, count=2).nearest) == 2
    with pytest.raises(DataError, match="count is 0, expected at least 1 training advert"):
        explain(load(), "Kok", "til køkken", training=training, count=0)


def test_without_a_project_nothing_is_near():
    assert explain(load(), "Kok", "til køkken").nearest == ()


def test_a_project_with_vectors_of_another_encoder_is_refused(tmp_path):
    layout = project(tmp_path, load("wide_deep"), TEXTS, ["train"] * 4)
    with pytest.raises(BundleError, match=r"trained with another embeddings\.safetensors than the project"):
        TrainingAds.load(layout, load())


def test_a_project_that_was_split_anew_is_refused(tmp_path):
    layout = project(tmp_path, load(), TEXTS, ["train"] * 4)
    hashes = {path.name: file_hash(path) for path in (layout.ids, layout.splits)}
    bound = load(card={"hashes": hashes})
    assert len(explain(bound, "Kok", "til køkken", training=TrainingAds.load(layout, load())).nearest) == 3
    write_table(layout.splits, pl.read_parquet(layout.splits).with_columns(split=pl.lit("test")))
    with pytest.raises(BundleError, match=r"trained with another splits\.parquet than the project"):
        TrainingAds.load(layout, bound)


# --- the command -----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle on disk, in a project with four training adverts."""
    layout = project(tmp_path, load("dense"), TEXTS, ["train"] * 4)
    write_bundle(layout.classifier, load("dense").bundle)
    return layout.classifier


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["explain", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_prints_what_moved_the_guess_and_what_is_near(folder):
    lines = run("Kok til køkken i byen", "--bundle", str(folder), "--most", "2").splitlines()
    assert lines[0].startswith("Køkken: ")
    assert any(line.split("│")[1:3] and "word" in line and "køkken" in line for line in lines)
    assert any(line.startswith("without all of these: ") for line in lines)
    assert next(line.split()[:3] for line in lines if line.startswith("near: ")) == ["near:", "ad", "2"]


def test_the_command_prints_json(folder):
    found = json.loads(run("Kok til køkken i byen", "--bundle", str(folder), "--json"))
    assert found["guess"]["label"] == "Køkken"
    assert set(found["evidence"][0]) == {"phrase", "kind", "effect", "odds"}
    assert len(found["nearest"]) == 3
    assert found["nearest"][0]["id"] == "ad 2"


def test_a_bundle_away_from_its_project_explains_without_near_adverts(folder, tmp_path):
    elsewhere = folder.rename(tmp_path / "alone")
    assert explaining.project_of(elsewhere) is None
    text = run("Kok til køkken i byen", "--bundle", str(elsewhere))
    assert "nearest training adverts: none" in text


def test_a_project_that_does_not_fit_can_be_left_alone(folder):
    write_tensors(
        Layout(folder.parent.parent).embeddings, {"vectors": torch.zeros(4, 2)}, {"fingerprint": "f"}
    )
    arguments = ["Kok til køkken i byen", "--bundle", str(folder)]
    with pytest.raises(BundleError, match="--nearest 0"):
        CliRunner().invoke(app, ["explain", *arguments], catch_exceptions=False)
    assert "near" not in run(*arguments, "--nearest", "0")

"""What the cleaner that comes with joblens promises of any advert."""

import shutil
from random import Random

import pytest

from joblens.config import compose
from joblens.extractors import build_extractor
from joblens.extractors.cleaning import clean_ads
from joblens.inference.classify import Classifier
from joblens.paths import Layout
from joblens.pipeline import run_stage
from joblens.records import Ad
from joblens.sources.sample import write_sample

pytestmark = [
    # gliner's encoder code asks torch for it when it is imported
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
    pytest.mark.slow,
]

MOST_BYTES = 25 * 1024 * 1024
WORDS = (
    "Vi",
    "søger",
    "kok",
    "nurse",
    "plan",
    "the",
    "work",
    "Python",
    "og",
    "drift",
    "customers",
    "rengøring",
)


@pytest.fixture(scope="module")
def config(repository):
    chosen = compose(["tracking=none", "compute=cpu"], repository / "configs")
    cleaning = chosen.cleaning.model_copy(update={"model": str(repository / str(chosen.cleaning.model))})
    return chosen.model_copy(update={"cleaning": cleaning})


@pytest.fixture(scope="module")
def clean(config):
    """`clean(text, output)`: one advert as the stage `clean` writes it with the default settings."""
    extractor = build_extractor(config.cleaning, config.compute)

    def one(text, output="extract", title=""):
        section = config.cleaning.model_copy(update={"output": output})
        return clean_ads([Ad("1", title, text)], section, extractor)[0]

    return one


def test_the_default_is_the_cleaner_of_this_repository_and_small(repository, config):
    assert (config.cleaning.extractor, config.cleaning.output) == ("gliner", "extract")
    folder = repository / "models/cleaner"
    kept = [path for path in folder.iterdir() if path.is_file()]
    names = {"README.md", "card.json", "config.json", "glossary.json", "model.safetensors"}
    assert {path.name for path in kept} == names
    assert sum(path.stat().st_size for path in kept) <= MOST_BYTES


@pytest.mark.parametrize("gap", [" ", ". "], ids=["one sentence", "thousands of sentences"])
def test_every_word_of_an_advert_of_20000_words_is_read(clean, gap):
    rng = Random(5)
    text = "".join(rng.choice(WORDS) + (gap if number % 7 == 6 else " ") for number in range(20_000))
    cleaned = clean(text)
    assert cleaned.words_in >= 20_000
    assert cleaned.words_read == cleaned.words_in


def test_skills_at_the_end_of_a_long_advert_are_found(clean):
    filler = " ".join(f"The company has {number} offices." for number in range(3_000))
    assert "Python" in clean(f"{filler}\nYou have experience with Python and Docker.").skills


@pytest.mark.parametrize("name", ["Mette Holm", "Søren Kjær Madsen", "Olga Sokolova", "Carmen Ruiz"])
@pytest.mark.parametrize(
    "sentence",
    [
        "{name} is the head of the team and looks forward to your application.",
        "Du kommer til at arbejde sammen med {name}, som er leder af afdelingen.",
    ],
)
def test_names_in_the_middle_of_a_sentence_are_masked(clean, name, sentence):
    redacted = clean(sentence.format(name=name), "redact").clean_text
    assert [part for part in name.split() if part in redacted] == []


def test_entities_only_leave_no_word_about_a_contact(clean):
    cleaned = clean(
        "We need a nurse. You plan the care of patients. Contact Anna Berg, 20 30 40 50, Strandvejen 12.",
        title="Nurse",
    )
    assert cleaned.tasks
    shown = " ".join((cleaned.clean_text, *cleaned.occupation, *cleaned.skills, *cleaned.tasks))
    assert [part for part in ("Anna", "Berg", "20 30", "Strandvejen") if part in shown] == []


def test_a_bundle_brings_its_cleaner_wherever_it_goes(repository, tmp_path, monkeypatch):
    layout = Layout(tmp_path / "project")
    write_sample(layout.root / "data/sample", ads=160, seed=7)
    shutil.copytree(repository / "models/cleaner", layout.root / "models/cleaner")
    config = compose(
        ["experiment=toy", "cleaning=gliner", "data.min_class_size=8", "evaluation.split.folds=2"],
        repository / "configs",
    )
    monkeypatch.chdir(tmp_path)  # the cleaner is found from the project, not from here
    for stage in ("ingest", "clean", "split", "embed", "train"):
        run_stage(stage, config, layout)
    bundle = layout.classifier.rename(tmp_path / "elsewhere")
    shutil.rmtree(layout.root)
    (guess,) = Classifier.load(bundle, device="cpu").predict(["We need a nurse who cares for patients."])
    assert guess.label
    assert (bundle / "cleaner/model.safetensors").is_file()

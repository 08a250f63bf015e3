"""Fit the wide-and-deep network on small adverts made here, then as stage `train` on the toy pipeline."""

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import normalize

from joblens.config import Classifier, Cleaning, Embedding
from joblens.errors import BundleError, DataError
from joblens.metrics import best_class
from joblens.models.bundle import FILES, TITLES, Bundle, read_bundle, write_bundle
from joblens.models.calibration import Calibration
from joblens.models.occupation_groups import OccupationGroups
from joblens.models.wide_deep import EXPERTS, Inputs, WideDeep, logits_of, read_features
from joblens.pipeline import train
from joblens.pipeline.train import fit_model, read_knowledge, wide_deep
from joblens.pipeline.train.fit import Epoch, Fitted, fit_network
from joblens.pipeline.train.wide_deep import Knowledge, fit_wide_deep
from joblens.storage import read_json, read_table, write_json

CPU = torch.device("cpu")
SIDES = (6, 3, 3)
JOBS = [
    ("tømrer murer", "hammer beton tag hus stillads".split()),
    ("kok tjener", "mad restaurant gryde menu køkken".split()),
    ("sygeplejerske læge", "patient hospital pleje medicin afdeling".split()),
    ("lærer pædagog", "skole barn klasse undervisning leg".split()),
]
"""What titles and texts of each class are made of."""
COUNT = 150
TEST, VALIDATION, TRAIN = torch.arange(40), torch.arange(40, 70), torch.arange(70, COUNT)
SEEN = torch.arange(40, COUNT)


class Fusing(NamedTuple):
    """One training of a fusion."""

    rows: set[int]
    how: Classifier
    network: nn.Module
    held: Tensor
    """What experts said of the adverts that watched it."""
    labels: Tensor


def settings(**changes: Any) -> Classifier:
    values = {
        "network": "wide_deep",
        "dropout": 0.0,
        "buckets": 2**12,
        "min_df": 1,
        "inner_folds": 3,
        "learning_rate": 0.02,
        "weight_decay": 0.1,
        "batch_size": 64,
        "max_epochs": 4,
        "patience": None,
        "loss": "cross_entropy",
        "class_weights": "none",
        "seed": 1,
    }
    return Classifier.model_validate(values | changes)


def centres(classes: int) -> Tensor:
    """(C, D): what vectors of a class, and of its label text, are around."""
    return normalize(torch.randn(classes, sum(SIDES), generator=torch.Generator().manual_seed(0)), dim=1)


def adverts(count: int = COUNT, classes: int = 3) -> tuple[Inputs, Tensor]:
    """Adverts that title, text and vector tell apart."""
    dice, generator = random.Random(1), torch.Generator().manual_seed(1)
    labels = torch.arange(count) % classes
    titles = [dice.choice(JOBS[label][0].split()) for label in labels.tolist()]
    texts = [
        f"{title}\n{' '.join(dice.choices(JOBS[label][1], k=4))} søges nu {row}"
        for row, (title, label) in enumerate(zip(titles, labels.tolist(), strict=True))
    ]
    noise = torch.randn(count, sum(SIDES), generator=generator) * 0.1
    return Inputs(normalize(centres(classes)[labels] + noise, dim=1), titles, texts), labels


def riddles(count: int, classes: int = 3) -> tuple[Inputs, Tensor]:
    """Adverts of random words and vectors with random labels: all one can do is learn each by heart."""
    dice, generator = random.Random(2), torch.Generator().manual_seed(2)
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(9 * count)]
    titles = words[:count]
    texts = [f"{title}\n{' '.join(words[count + 8 * row :][:8])}" for row, title in enumerate(titles)]
    vectors = normalize(torch.randn(count, sum(SIDES), generator=generator), dim=1)
    return Inputs(vectors, titles, texts), torch.randint(classes, (count,), generator=generator)


def knowledge(classes: int = 3, with_occupations: bool = True) -> Knowledge:
    groups = OccupationGroups(4, SIDES[1], (2, 4))
    groups.vectors.copy_(normalize(torch.randn(4, 3, generator=torch.Generator().manual_seed(3)), dim=1))
    groups.members.copy_(torch.tensor([[0, 0, 1, 1], [0, 1, 2, 3]]))
    groups.temperatures.fill_(0.2)
    return Knowledge(SIDES, centres(classes), groups if with_occupations else None)


def fit(
    inputs: Inputs,
    labels: Tensor,
    train_rows: Tensor = TRAIN,
    validation_rows: Tensor = VALIDATION,
    groups: list[str] | None = None,
    known: Knowledge | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    **changes: Any,
) -> Fitted:
    return fit_wide_deep(
        inputs,
        labels,
        groups or [f"g{row}" for row in range(len(labels))],
        train_rows,
        validation_rows,
        known or knowledge(),
        settings(**changes),
        CPU,
        on_epoch,
    )


def right(logits: Tensor, labels: Tensor) -> float:
    """Share of right guesses."""
    return float((best_class(logits) == labels).double().mean())


def same(one: nn.Module, other: nn.Module) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    """The network of adverts that can be told apart."""
    return fit(*adverts())


# --- what is learned -------------------------------------------------------------------------------------


def test_a_clear_difference_is_learned(fitted):
    inputs, labels = adverts()
    assert right(logits_of(fitted.network, inputs.rows(TEST)), labels[TEST]) > 0.9
    assert right(fitted.logits, labels[fitted.rows]) > 0.9


def test_a_trained_network_is_ready_to_guess(fitted):
    assert not fitted.network.training
    assert not any(parameter.requires_grad for parameter in fitted.network.parameters())
    assert fitted.network.fault() is None


def test_every_row_that_was_seen_is_judged_once(fitted):
    assert sorted(fitted.rows.tolist()) == SEEN.tolist()
    assert fitted.logits.shape == (len(SEEN), 3)
    assert fitted.logits.abs().sum(dim=1).min() > 0


def test_labels_that_mean_nothing_are_guessed_by_chance_unseen_and_known_by_heart_once_seen():
    # Of 240 random thirds, more than 0.45 would be right by chance once in ten thousand times.
    inputs, labels = riddles(240)
    found = fit(inputs, labels, torch.arange(120), torch.arange(120, 240))
    assert right(found.logits, labels[found.rows]) < 0.45
    assert right(logits_of(found.network, inputs), labels) > 0.95


@pytest.mark.parametrize(("is_known", "low", "high"), [(True, 0.0, 0.5), (False, 0.8, 1.0)])
def test_a_near_duplicate_never_gives_the_answer_away(is_known, low, high):
    """Each riddle is there twice; only when nobody says so is the one solved by the other."""
    once, answers = riddles(60)
    both = torch.arange(120) // 2
    groups = [f"g{row // 2 if is_known else row}" for row in range(120)]
    found = fit(once.rows(both), answers[both], torch.arange(80), torch.arange(80, 120), groups)
    assert low <= right(found.logits, answers[both][found.rows]) <= high


@pytest.fixture
def fusions(monkeypatch) -> list[Fusing]:
    """Every fusion that is trained, in turn."""
    found: list[Fusing] = []

    def remember(build, flats, labels, rows, held, classes, how, *others):
        network = fit_network(build, flats, labels, rows, held, classes, how, *others)
        found.append(Fusing(set(rows.tolist()), how, network, flats[held], labels[held]))
        return network

    monkeypatch.setattr(wide_deep, "fit_network", remember)
    return found


def test_each_row_is_judged_by_a_fusion_that_was_trained_without_it(fusions):
    """One is watched; three folds have three judges, and each advert is missing from one; one is kept."""
    groups = [f"g{row // 2}" for row in range(COUNT)]
    found = fit(*adverts(), groups=groups, modality_dropout=0.0, max_epochs=1)
    watched, *judges, kept = fusions
    assert watched.rows == set(range(len(TRAIN)))
    assert kept.rows == set(range(len(SEEN)))
    missing = [kept.rows - judge.rows for judge in judges]
    assert sorted(row for rows in missing for row in rows) == sorted(kept.rows)
    assert all(row ^ 1 in rows for rows in missing for row in rows)  # near-duplicates are missing together
    for judge, rows in zip(judges, missing, strict=True):
        assert torch.equal(judge.network(judge.held), found.logits[sorted(rows)])
    assert all(
        torch.equal(one, other)
        for one, other in zip(
            kept.network.state_dict().values(), found.network.fusion.state_dict().values(), strict=True
        )
    )


def test_all_fusions_learn_for_as_many_epochs_as_were_best_for_validation_rows(fusions):
    epochs: list[Epoch] = []
    fit(*riddles(COUNT), on_epoch=epochs.append, max_epochs=9, patience=9, learning_rate=0.3)
    best = max(epoch.macro_f1 for epoch in epochs)
    first = next(epoch.number for epoch in epochs if epoch.macro_f1 == best)
    assert 1 < first < 9
    assert [(one.how.max_epochs, one.how.patience) for one in fusions] == [(9, 9), *4 * [(first, None)]]


def test_rows_outside_training_and_validation_teach_nothing(fitted):
    inputs, labels = adverts()
    others = torch.tensor([row if row >= 40 else row + 41 for row in range(COUNT)])
    assert same(fit(inputs.rows(others), labels).network, fitted.network)


def test_a_title_may_be_missing_from_an_advert_that_is_asked(fitted):
    inputs, labels = adverts()
    vectors = inputs.vectors.clone()
    vectors[:, 6:9] = 0
    bare = Inputs(vectors, [""] * COUNT, [text.split("\n")[1] for text in inputs.texts])
    assert right(logits_of(fitted.network, bare.rows(TEST)), labels[TEST]) > 0.9


def test_a_text_may_be_missing_from_an_advert_that_is_asked(fitted):
    inputs, labels = adverts()
    bare = Inputs(inputs.vectors, inputs.titles, inputs.titles)
    assert right(logits_of(fitted.network, bare.rows(TEST)), labels[TEST]) > 0.9


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_gates_learn_only_from_adverts_that_lost_a_part(share):
    found = fit(*adverts(), modality_dropout=share)
    assert (found.network.fusion.gate.count_nonzero() > 0) == (share > 0)


@pytest.mark.parametrize(("min_df", "is_there"), [(1, True), (1000, False)])
def test_rare_ngrams_of_texts_are_left_out_but_never_those_of_titles(min_df, is_there):
    shape = fit(*adverts(), min_df=min_df, max_epochs=1).network.shape
    assert (shape.text_ngrams > 0) == is_there
    assert shape.title_ngrams > 0


# --- unusual adverts -------------------------------------------------------------------------------------


def test_adverts_without_any_title_are_told_apart_by_their_texts():
    inputs, labels = adverts()
    vectors = inputs.vectors.clone()
    vectors[:, 6:9] = 0
    bare = Inputs(vectors, [""] * COUNT, [text.split("\n")[1] for text in inputs.texts])
    found = fit(bare, labels)
    assert found.network.shape.title_ngrams == 0
    assert right(logits_of(found.network, bare.rows(TEST)), labels[TEST]) > 0.9


def test_adverts_without_any_text_are_told_apart_by_their_titles():
    inputs, labels = adverts()
    bare = Inputs(inputs.vectors, inputs.titles, inputs.titles)
    found = fit(bare, labels)
    assert found.network.shape.text_ngrams == 0
    assert right(logits_of(found.network, bare.rows(TEST)), labels[TEST]) > 0.9


def test_adverts_that_nobody_can_read_are_fitted_without_a_fault():
    _, labels = adverts()
    blank = Inputs(torch.zeros(COUNT, sum(SIDES)), [""] * COUNT, [""] * COUNT)
    found = fit(blank, labels)
    assert bool(found.logits.isfinite().all())
    logits = logits_of(found.network, blank)
    assert torch.equal(logits, logits[:1].expand(COUNT, 3))


@pytest.mark.parametrize("classes", [2, 3])
def test_every_expert_tells_the_classes_apart(classes):
    inputs, labels = adverts(classes=classes)
    known = knowledge(classes)
    found = fit(inputs, labels, known=known)
    assert found.logits.shape == (len(SEEN), classes)
    features = read_features(inputs.rows(TEST), SIDES, 2**12, known.occupations)
    for expert, scores in zip(EXPERTS, found.network.scores(features).unbind(dim=1), strict=True):
        assert right(scores, labels[TEST]) > 0.9, expert


def test_a_class_that_some_folds_lack_does_not_stop_the_others():
    inputs, labels = adverts()
    labels[labels == 2] = 0
    labels[100] = 2  # the only one: the fold that holds it is judged by experts who never saw its class
    found = fit(inputs, labels)
    assert bool(found.logits.isfinite().all())
    assert right(logits_of(found.network, inputs.rows(TEST)), labels[TEST]) > 0.6


def test_a_class_without_any_advert_does_not_stop_the_others():
    inputs, labels = adverts(classes=3)
    found = fit(inputs, labels, known=knowledge(classes=4))
    logits = logits_of(found.network, inputs.rows(TEST))
    assert logits.shape == (len(TEST), 4)
    assert right(logits, labels[TEST]) > 0.9


def test_occupations_are_not_needed():
    inputs, labels = adverts()
    found = fit(inputs, labels, known=knowledge(with_occupations=False))
    assert (found.network.shape.occupations, found.network.shape.groups) == (0, ())
    assert right(logits_of(found.network, inputs.rows(TEST)), labels[TEST]) > 0.9


def test_an_encoder_with_one_side_is_enough():
    inputs, labels = adverts()
    found = fit(inputs, labels, known=Knowledge((sum(SIDES),), centres(3), None))
    assert right(logits_of(found.network, inputs.rows(TEST)), labels[TEST]) > 0.9


@pytest.mark.parametrize(
    ("train_count", "validation_count", "words"),
    [(0, 20, "0 rows to train and 20 to validate on"), (20, 0, "rows to train and 0 to validate on")],
)
def test_no_rows_to_learn_from_is_an_error(train_count, validation_count, words):
    with pytest.raises(DataError, match=words):
        fit(*adverts(), torch.arange(train_count), torch.arange(validation_count))


def test_training_ads_that_are_all_near_duplicates_are_refused():
    with pytest.raises(DataError, match="all 110 ads to learn from are near-duplicates"):
        fit(*adverts(), groups=["g"] * COUNT, max_epochs=1)


# --- epochs, seeds and traces ----------------------------------------------------------------------------


def test_epochs_are_those_of_the_fusion_that_is_watched():
    """Others are trained afterwards; nobody hears of them."""
    epochs: list[Epoch] = []
    fit(*adverts(), on_epoch=epochs.append, max_epochs=3)
    assert [epoch.number for epoch in epochs] == [1, 2, 3]


def test_the_last_epoch_is_told_as_validation_rows_were_guessed(fusions):
    epochs: list[Epoch] = []
    fit(*riddles(COUNT), on_epoch=epochs.append)
    watched = fusions[0]
    logits = watched.network(watched.held)
    loss = nn.functional.cross_entropy(logits, watched.labels)
    assert len(logits) == len(VALIDATION)
    assert epochs[-1].accuracy == pytest.approx(right(logits, watched.labels))
    assert epochs[-1].validation_loss == pytest.approx(float(loss), rel=1e-5)


def test_one_seed_gives_one_network_and_another_seed_another(fitted):
    again = fit(*adverts())
    assert same(again.network, fitted.network)
    assert torch.equal(again.logits, fitted.logits)
    assert not same(fit(*adverts(), seed=2).network, fitted.network)


def test_fitting_leaves_no_trace(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    fit(*adverts(), max_epochs=1)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    assert torch.equal(torch.get_rng_state(), before)


def test_knowledge_makes_the_network_wide_and_deep():
    inputs, labels = adverts()
    groups = [f"g{row}" for row in range(COUNT)]
    rows = (TRAIN, VALIDATION, 3)
    wide = fit_model(inputs, labels, groups, *rows, knowledge(), settings(max_epochs=1), CPU)
    dense = fit_model(inputs, labels, groups, *rows, None, settings(network="dense", max_epochs=1), CPU)
    assert isinstance(wide.network, WideDeep)
    assert not isinstance(dense.network, WideDeep)
    # A dense network does not learn from validation rows, so these alone can be judged unseen.
    assert dense.rows.tolist() == VALIDATION.tolist()
    assert torch.equal(dense.logits, logits_of(dense.network, inputs.rows(VALIDATION)))


@pytest.mark.parametrize("known", [knowledge(), None])
def test_a_refusal_counts_adverts_and_not_how_often_the_fusion_sees_them(known):
    inputs, labels = adverts()
    rows = (TRAIN, VALIDATION[:0], 3)
    how = settings(network="dense" if known is None else "wide_deep", modality_dropout=1.0)
    with pytest.raises(DataError, match=rf"^{len(TRAIN)} rows to train and 0 to validate on, expected"):
        fit_model(inputs, labels, [f"g{row}" for row in range(COUNT)], *rows, known, how, CPU)


# --- bundles ---------------------------------------------------------------------------------------------


def make_bundle(fitted: Fitted, **changes: Any) -> Bundle:
    parts = {
        "network": fitted.network,
        "labels": ("Byggeri", "Gastronomi", "Sundhed"),
        "cleaning": Cleaning(extractor="toy"),
        "embedding": Embedding(
            encoder="toy",
            model="hashed-words",
            dimensions=SIDES[0],
            max_tokens=32,
            titles="models/titles",
            title_dimensions=SIDES[1],
            words_weight=0.25,
            seed=1,
        ),
        "classifier": settings(),
        "encoder_fingerprint": "abc123",
        "extractor_fingerprint": "def456",
        "calibration": Calibration(1.5, 0.2, 0.4, 0.9, 0.95, 0.96, 0.5),
        "uses_title": True,
        "html": False,
        "card": {"data": {"train": 80}},
    }
    return Bundle(**(parts | changes))


@pytest.fixture
def folder(fitted: Fitted, tmp_path: Path) -> Path:
    write_bundle(tmp_path / "bundle", make_bundle(fitted))
    return tmp_path / "bundle"


def refused(folder: Path, *words: str) -> None:
    """Reading ends in one line that names what it should."""
    with pytest.raises(BundleError) as caught:
        read_bundle(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1500
    for word in words:
        assert word in message


def test_a_bundle_gives_the_logits_of_the_network_it_was_written_from(fitted, folder):
    inputs, _ = adverts()
    bundle = read_bundle(folder)
    assert torch.equal(logits_of(bundle.network, inputs), logits_of(fitted.network, inputs))
    assert bundle.network.shape == fitted.network.shape
    assert bundle.classifier == settings()
    assert bundle.dimensions == sum(SIDES)
    assert not bundle.network.training
    assert not any(parameter.requires_grad for parameter in bundle.network.parameters())


def test_a_bundle_of_a_network_without_ngrams_and_occupations_comes_back(tmp_path):
    _, labels = adverts()
    vectors = adverts()[0].vectors
    blank = Inputs(vectors, [""] * COUNT, [""] * COUNT)
    network = fit(blank, labels, known=knowledge(with_occupations=False)).network
    write_bundle(tmp_path / "bundle", make_bundle(Fitted(network, SEEN, torch.zeros(len(SEEN), 3))))
    again = read_bundle(tmp_path / "bundle").network
    assert torch.equal(logits_of(again, adverts()[0]), logits_of(network, adverts()[0]))


def test_equal_networks_have_equal_bytes_and_another_seed_has_others(folder, tmp_path):
    for name, seed in (("again", 1), ("other", 2)):
        write_bundle(tmp_path / name, make_bundle(fit(*adverts(), seed=seed), classifier=settings(seed=seed)))
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
    weights = "model.safetensors"
    assert (tmp_path / "other" / weights).read_bytes() != (folder / weights).read_bytes()


def test_no_word_of_an_advert_is_in_a_bundle(tmp_path):
    inputs, labels = riddles(60)
    found = fit(inputs, labels, torch.arange(40), torch.arange(40, 60))
    write_bundle(tmp_path / "bundle", make_bundle(found))
    words = {word for text in inputs.texts for word in text.split()}
    assert len(words) == 60 * 9
    for path in (tmp_path / "bundle").iterdir():
        data = path.read_bytes().lower()
        assert [word for word in sorted(words) if word.encode() in data] == []


def test_the_model_card_says_that_quality_was_measured_on_unseen_rows(folder):
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "## Quality on unseen rows\n" in card
    assert "## Quality on validation rows" not in card


def test_the_model_card_says_that_the_kernel_holds_vectors_of_adverts(folder, tmp_path):
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "The weights hold the vectors of 110 cleaned training adverts, but none of their words" in card
    write_bundle(tmp_path / "none", make_bundle(fit(*adverts(), landmarks=0, max_epochs=1)))
    assert "The weights hold no adverts;" in (tmp_path / "none/README.md").read_text(encoding="utf-8")


def test_reading_a_bundle_leaves_the_random_numbers_alone(folder):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    read_bundle(folder)
    assert torch.equal(torch.rand(1), expected)


def test_ngrams_take_one_byte_for_each_weight(folder):
    tensors = load_file(folder / "model.safetensors")
    assert {str(tensors[f"{name}.codes"].dtype) for name in ("wide", "title_ngrams")} == {"torch.int8"}
    for name in ("occupations.vectors", "kernel.landmarks"):
        assert str(tensors[name].dtype) == "torch.float16"


def flipped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {"text_block.buckets": tensors["text_block.buckets"].flip(0).contiguous()}


def beyond(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    buckets = tensors["title_block.buckets"].clone()
    buckets[-1] = 2**13
    return tensors | {"title_block.buckets": buckets}


def no_such_group(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {"occupations.members": tensors["occupations.members"] + 1}


def no_reach(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {"kernel.gamma": torch.zeros(())}


def no_heat(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {"occupations.temperatures": torch.zeros(2)}


def not_a_number(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {"text_block.idf": tensors["text_block.idf"] * float("nan")}


def wider_codes(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {"wide.codes": tensors["wide.codes"].float()}


def wider_buckets(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {"title_block.buckets": tensors["title_block.buckets"].long()}


def fewer_classes(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {"title_ngrams.codes": tensors["title_ngrams.codes"][:, :2].contiguous()}


def no_fusion(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if name != "fusion.gate"}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (flipped, ["text_block.buckets should rise within [0, 8192)"]),
        (beyond, ["title_block.buckets should rise within [0, 8192)"]),
        (no_such_group, ["occupations.members names a group that is not there"]),
        (no_reach, ["kernel.gamma should be above 0"]),
        (no_heat, ["occupations.temperatures should be above 0"]),
        (not_a_number, ["not finite"]),
        (wider_codes, ["'wide.codes' is 'F32", "expected 'I8"]),
        (wider_buckets, ["'title_block.buckets' is 'I64", "expected 'I32"]),
        (fewer_classes, ["'title_ngrams.codes' is 'I8", "2)', expected 'I8", "3)'"]),
        (no_fusion, ["'fusion.gate' is None, expected 'F32 (2, 5)'"]),
    ],
)
def test_numbers_of_another_network_are_refused(folder, damage, words):
    path = folder / "model.safetensors"
    save_file(damage(load_file(path)), path)
    refused(folder, *words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text_ngrams": 10**7}, "shape.text_ngrams"),
        ({"text_ngrams": 7}, "model.safetensors"),
        ({"title_ngrams": -1}, "shape.title_ngrams"),
        ({"occupations": 0}, "occupations should have groups"),
        ({"groups": []}, "occupations should have groups"),
        ({"groups": [2, 5]}, "model.safetensors"),
        ({"groups": [1] * 9}, "shape.groups"),
        ({"groups": [0, 6]}, "shape.groups.0"),
        ({"sides": [6, 3]}, "sides, classes and buckets of shape should be ((6, 3, 3), 3, 4096)"),
        ({"sides": []}, "shape.sides"),
        ({"classes": 4}, "sides, classes and buckets of shape should be"),
        ({"buckets": 2**13}, "sides, classes and buckets of shape should be"),
        ({"buckets": 2**23}, "shape.buckets"),
        ({"depth": 1}, "shape.depth"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(folder, changes, words):
    path = folder / "config.json"
    values = read_json(path)
    write_json(path, values | {"shape": values["shape"] | changes})
    refused(folder, words)


def test_occupations_without_a_side_for_titles_are_refused(folder):
    path = folder / "config.json"
    values = read_json(path)
    alone = {"titles": None, "title_dimensions": 0, "words_weight": 0.0}
    changes = {"embedding": values["embedding"] | alone, "shape": values["shape"] | {"sides": [6]}}
    write_json(path, values | changes)
    refused(folder, "occupations should have groups, and sides one for titles")


def test_a_wide_and_deep_bundle_without_its_shape_is_refused(folder):
    path = folder / "config.json"
    write_json(path, read_json(path) | {"shape": None})
    refused(folder, "network 'wide_deep' and shape should be there together")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": ("a", "b")}, "sides, classes and buckets of shape should be"),
        ({"classifier": settings(buckets=2**10)}, "sides, classes and buckets of shape should be"),
        ({"classifier": settings(network="dense")}, "network 'dense' and shape should be there together"),
    ],
)
def test_a_network_of_another_shape_is_not_written(fitted, tmp_path, changes, words):
    with pytest.raises(BundleError) as caught:
        write_bundle(tmp_path / "bundle", make_bundle(fitted, **changes))
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


# --- the stage -------------------------------------------------------------------------------------------

WIDE_DEEP = (
    "classifier=wide_deep",
    "classifier.buckets=1024",
    "classifier.inner_folds=2",
    "classifier.max_epochs=3",
    "embedding.dimensions=32",
)
TITLE_SIDES = (
    "embedding.titles=models/titles",
    "embedding.title_dimensions=4",
    "embedding.words_weight=0.25",
)
BEFORE = ("ingest", "clean", "split", "embed", "baseline")


@pytest.fixture
def project(make_project, run_stages, write_titles):
    """A project with title sides in which all stages before `train` have run."""
    config, layout = make_project(*WIDE_DEEP, *TITLE_SIDES, ads=150)
    write_titles(layout.root / "models/titles")
    run_stages(config, layout, *BEFORE)
    return config, layout


def test_the_stage_writes_a_bundle_with_all_that_is_known(project):
    config, layout = project
    train.run(config, layout)
    bundle = read_bundle(layout.classifier)
    labels = [entry["label"] for entry in read_json(layout.labels)]
    assert bundle.labels == tuple(labels)
    assert bundle.classifier == config.classifier
    shape = bundle.network.shape
    assert (shape.sides, shape.classes, shape.buckets) == ((32, 4, 4), len(labels), 1024)
    assert (shape.occupations, shape.groups) == (3, (2, 2, 2, 3))
    assert min(shape.text_ngrams, shape.title_ngrams) > 0
    assert (layout.classifier / TITLES / "model.safetensors").is_file()
    splits = read_table(layout.splits)["split"].to_list()
    assert bundle.card["data"] == {name: splits.count(name) for name in ("train", "validation", "test")}


def test_the_log_has_every_epoch_and_the_last_is_kept(project):
    config, layout = project
    train.run(config, layout)
    with layout.training_log.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [int(line["epoch"]) for line in lines] == [1, 2, 3]
    assert list(lines[0]) == ["epoch", "train/loss", "val/loss", "val/macro_f1", "val/accuracy"]
    assert read_bundle(layout.classifier).card["epochs"] == {"run": 3, "best": 3}


def test_an_embedding_without_titles_is_trained_on_as_well(make_project, run_stages):
    config, layout = make_project(*WIDE_DEEP, ads=150)
    run_stages(config, layout, *BEFORE, "train")
    shape = read_bundle(layout.classifier).network.shape
    assert (shape.sides, shape.occupations) == ((32,), 0)


def of_another_encoder(folder: Path) -> None:
    path = folder / "config.json"
    write_json(path, read_json(path) | {"encoder_fingerprint": "0" * 64})


def of_other_labels(folder: Path) -> None:
    path = folder / "labels.json"
    write_json(path, read_json(path)[::-1])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (of_another_encoder, r"labels of encoder 000000000000, expected \d+ of [0-9a-f]{12}; run `dvc repro"),
        (of_other_labels, r"the baseline has \d+ labels .*; run `dvc repro baseline`"),
    ],
)
def test_a_baseline_of_something_else_is_refused_in_one_line(project, damage, words):
    config, layout = project
    damage(layout.baseline)
    with pytest.raises(BundleError, match=words) as caught:
        train.run(config, layout)
    assert "\n" not in str(caught.value)
    assert not layout.classifier.exists()
    assert not layout.training_log.exists()


def test_vectors_of_other_sides_than_the_embedding_asks_for_are_refused_in_one_line(project):
    config, layout = project
    embedding = config.embedding.model_copy(update={"words_weight": 0.0})
    with pytest.raises(DataError) as caught:
        train.run(config.model_copy(update={"embedding": embedding}), layout)
    assert str(caught.value) == (
        "vectors have 40 numbers, expected 36 of the sides (32, 4) that embedding asks for; "
        "run `dvc repro embed`"
    )
    assert not layout.classifier.exists()


def test_a_missing_baseline_is_refused(project):
    config, layout = project
    (layout.baseline / "model.safetensors").unlink()
    with pytest.raises(DataError, match="there is no file"):
        train.run(config, layout)


def test_a_dense_network_needs_no_baseline(make_project, run_stages):
    config, layout = make_project("embedding.dimensions=32", "classifier.max_epochs=1", ads=150)
    run_stages(config, layout, *BEFORE[:-1], "train")
    names = read_bundle(layout.classifier).labels
    assert read_knowledge(config, layout, names, "any") is None
    assert json.loads((layout.classifier / "config.json").read_text(encoding="utf-8"))["shape"] is None


def test_what_is_known_are_the_label_texts_and_the_occupations_of_the_title_encoder(project):
    config, layout = project
    baseline = read_json(layout.baseline / "config.json")
    names = tuple(read_json(layout.baseline / "labels.json"))
    known = read_knowledge(config, layout, names, baseline["encoder_fingerprint"])
    vectors = load_file(layout.baseline / "model.safetensors")["label_vectors"]
    assert known.sides == (32, 4, 4)
    assert torch.equal(known.label_vectors, vectors)
    assert known.occupations.groups == (2, 2, 2, 3)
    # 2221 and 2222 part at the last digit, 5120 at the first.
    assert known.occupations.members.tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 1, 2]]
    assert known.occupations.temperatures.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])

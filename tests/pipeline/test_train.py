"""Stage `train` on small tables made here: its network, its bundle, its log and its refusals."""

import csv
import json
import logging
from pathlib import Path

import polars as pl
import pytest
import torch
from torch.nn.functional import normalize

from joblens.config import Classifier, compose
from joblens.errors import DataError, DeviceError
from joblens.metrics import best_class, macro_f1
from joblens.models.bundle import FILES, SNAPSHOT, read_bundle
from joblens.models.calibration import probabilities
from joblens.paths import Layout
from joblens.pipeline import train
from joblens.pipeline.train import fit_classifier
from joblens.pipeline.train.rows import read_rows
from joblens.storage import write_json, write_table, write_tensors

REPOSITORY = Path(__file__).parents[2]
CPU = torch.device("cpu")
ROWS, DIMENSIONS, CLASSES = 300, 128, 3


def make_rows(noise):
    """Vectors of three directions; a share `noise` of the labels is random."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(ROWS) % CLASSES
    centres = torch.randn(CLASSES, DIMENSIONS, generator=generator)
    vectors = normalize(centres[labels] + 2 * torch.randn(ROWS, DIMENSIONS, generator=generator), dim=1)
    wrong = torch.rand(ROWS, generator=generator) < noise
    return vectors, torch.where(wrong, torch.randint(CLASSES, (ROWS,), generator=generator), labels)


def settings(**changes):
    values = {
        "hidden": (),
        "dropout": 0.2,
        "learning_rate": 0.01,
        "weight_decay": 0.01,
        "batch_size": 32,
        "max_epochs": 12,
        "patience": 12,
        "loss": "cross_entropy",
        "class_weights": "balanced",
        "seed": 1,
    }
    return Classifier(**(values | changes))


def fit(noise=0.5, device=CPU, on_epoch=None, **changes):
    vectors, labels = make_rows(noise)
    return fit_classifier(
        vectors,
        labels,
        torch.arange(200),
        torch.arange(200, ROWS),
        CLASSES,
        settings(**changes),
        device,
        on_epoch,
    )


def validation_macro_f1(network):
    vectors, labels = make_rows(0.5)
    return macro_f1(best_class(network(vectors[200:])), labels[200:], CLASSES)


def same(first, second):
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_the_network_of_the_best_epoch_is_kept_not_the_last():
    epochs = []
    network = fit(on_epoch=epochs.append)
    best = max(epoch.macro_f1 for epoch in epochs)
    assert epochs[-1].macro_f1 < best - 0.01, "the last epoch must be worse, or this test shows nothing"
    assert validation_macro_f1(network) == pytest.approx(best, abs=1e-6)


def test_without_patience_every_epoch_is_trained_and_the_last_network_is_kept():
    epochs = []
    network = fit(on_epoch=epochs.append, patience=None)
    best = max(epoch.macro_f1 for epoch in epochs)
    assert [epoch.number for epoch in epochs] == list(range(1, 12 + 1))
    assert epochs[-1].macro_f1 < best - 0.01, "the last epoch must be worse, or this test shows nothing"
    assert validation_macro_f1(network) == pytest.approx(epochs[-1].macro_f1, abs=1e-6)


def test_training_stops_when_macro_f1_no_longer_rises():
    epochs = []
    fit(on_epoch=epochs.append, max_epochs=100, patience=3)
    best = max(epochs, key=lambda epoch: epoch.macro_f1)
    assert [epoch.number for epoch in epochs] == list(range(1, best.number + 3 + 1))


def test_what_is_told_of_an_epoch_is_what_the_network_then_did():
    epochs = []
    network = fit(on_epoch=epochs.append, max_epochs=1)
    vectors, labels = make_rows(0.5)
    weights = torch.bincount(labels[:200], minlength=CLASSES).double()
    weights = (200 / (CLASSES * weights)).float()
    logits = network(vectors[200:])
    expected = torch.nn.functional.cross_entropy(logits, labels[200:], weight=weights)
    assert epochs[0].validation_loss == pytest.approx(float(expected), rel=1e-5)
    assert epochs[0].accuracy == pytest.approx(float((best_class(logits) == labels[200:]).double().mean()))


def test_a_clear_difference_is_learned():
    vectors, labels = make_rows(0.0)
    network = fit(noise=0.0, dropout=0.0)
    assert float((best_class(network(vectors[200:])) == labels[200:]).double().mean()) > 0.9


@pytest.mark.parametrize("changes", [{"hidden": (16,)}, {"loss": "focal"}, {"class_weights": "none"}])
def test_every_choice_trains(changes):
    assert fit(noise=0.0, **changes)(torch.zeros(2, DIMENSIONS)).shape == (2, CLASSES)


def test_one_seed_gives_one_network_and_another_seed_another():
    first = fit(max_epochs=3, hidden=(8,))
    assert same(first, fit(max_epochs=3, hidden=(8,)))
    assert not same(first, fit(max_epochs=3, hidden=(8,), seed=2))


def test_fitting_leaves_no_trace(tmp_path, monkeypatch, capfd, caplog):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with caplog.at_level(logging.DEBUG, logger="joblens"):
        fit(max_epochs=2)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name.startswith("pytorch_lightning")]
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()


def test_validation_rows_teach_nothing():
    vectors, labels = make_rows(0.5)
    rows = torch.arange(200), torch.arange(200, ROWS)
    config = settings(max_epochs=1)
    first = fit_classifier(vectors, labels, *rows, CLASSES, config, CPU)
    moved = vectors.clone()
    moved[200:] += 5
    assert same(first, fit_classifier(moved, labels, *rows, CLASSES, config, CPU))


def test_a_class_without_training_rows_is_never_learned_but_does_not_stop_the_others():
    vectors, labels = make_rows(0.0)
    train_rows = torch.tensor([row for row in range(200) if labels[row] != 2])
    network = fit_classifier(vectors, labels, train_rows, torch.arange(200, ROWS), CLASSES, settings(), CPU)
    guesses = best_class(network(vectors[200:]))
    assert set(guesses.tolist()) <= {0, 1, 2}
    assert float((guesses == labels[200:])[labels[200:] != 2].double().mean()) > 0.7


def test_a_loss_that_is_no_longer_finite_is_an_error_that_says_what_to_change():
    vectors, labels = make_rows(0.0)
    vectors[0, 0] = float("inf")  # a damaged table: no learning rate that is allowed gets this far
    with pytest.raises(DataError, match=r"went astray in epoch 1.*lower classifier\.learning_rate"):
        fit_classifier(vectors, labels, torch.arange(200), torch.arange(200, ROWS), CLASSES, settings(), CPU)


@pytest.mark.parametrize(("train_rows", "validation_rows"), [(0, 10), (10, 0)])
def test_no_rows_to_learn_from_is_an_error(train_rows, validation_rows):
    vectors, labels = make_rows(0.0)
    with pytest.raises(DataError, match=f"{train_rows} rows to train and {validation_rows} to validate"):
        fit_classifier(
            vectors, labels, torch.arange(train_rows), torch.arange(validation_rows), CLASSES, settings(), CPU
        )


@pytest.mark.gpu
def test_a_gpu_trains_the_same_network_twice():
    gpu = torch.device("cuda")
    first = fit(device=gpu, max_epochs=3, hidden=(16,))
    assert all(value.device == CPU for value in first.state_dict().values())
    assert same(first, fit(device=gpu, max_epochs=3, hidden=(16,)))


LABELS = ["Bygge og anlæg", "Elever", "Ledelse"]
SECRET = "Canary Title 4711"


@pytest.fixture
def config():
    return compose(
        ["experiment=toy", f"embedding.dimensions={DIMENSIONS}", "classifier.max_epochs=5"],
        REPOSITORY / "configs",
    )


@pytest.fixture
def layout(tmp_path):
    return make_tables(tmp_path / "project")


def make_tables(root):
    """What the stages before `train` would have written: 200 train, 50 validation and 50 test ads."""
    layout = Layout(root)
    vectors, labels = make_rows(0.3)
    ids = [f"ad{row}" for row in range(ROWS)]
    splits = ["train"] * 200 + ["validation"] * 50 + ["test"] * 50
    write_tensors(layout.embeddings, {"vectors": vectors, "labels": labels}, {"fingerprint": "toy-1"})
    write_table(layout.ids, pl.DataFrame({"id": ids}))
    # The other tables have another order: rows are matched by id.
    write_table(layout.splits, pl.DataFrame({"id": ids[::-1], "split": splits[::-1], "fold": [0] * ROWS}))
    write_table(
        layout.clean_ads,
        pl.DataFrame({"id": ids[::-1], "title": [SECRET] * ROWS, "clean_text": ["read"] * ROWS}),
    )
    write_table(layout.ads, pl.DataFrame({"id": ids, "group": ids}))
    write_json(layout.clean_counts, {"extractor": "toy", "fingerprint": "toy-cleaning-1"})
    write_json(layout.labels, [{"label": name, "text": name} for name in LABELS])
    return layout


def rewrite(path, change):
    write_table(path, change(pl.read_parquet(path)))


def test_the_stage_writes_a_bundle_that_can_be_read(config, layout):
    train.run(config, layout)
    bundle = read_bundle(layout.classifier)
    assert bundle.labels == tuple(LABELS)
    assert bundle.encoder_fingerprint == "toy-1"
    assert bundle.extractor_fingerprint == "toy-cleaning-1"
    assert (bundle.cleaning, bundle.embedding, bundle.classifier) == (
        config.cleaning,
        config.embedding,
        config.classifier,
    )
    assert bundle.uses_title
    assert 0 < bundle.calibration.set_threshold < 1
    assert bundle.card["data"] == {"train": 200, "validation": 50, "test": 50}
    assert sum(bundle.card["train_ads_by_label"].values()) == 200
    assert bundle.card["metrics"]["coverage"] >= config.classifier.coverage


def test_a_bundle_knows_the_labels_that_cut_across_the_others(config, layout):
    topics = [{"label": name, "text": name, "crosscutting": name == LABELS[1]} for name in LABELS]
    write_json(layout.labels, topics)
    train.run(config, layout)
    assert read_bundle(layout.classifier).crosscutting == (1,)
    card = (layout.classifier / "README.md").read_text(encoding="utf-8")
    assert [line for line in card.splitlines() if "(cuts across the others)" in line] == [
        f"- {LABELS[1]} (cuts across the others)"
    ]


@pytest.mark.parametrize("html", [True, False])
def test_a_bundle_knows_whether_html_was_read_as_text(config, layout, html):
    wanted = config.model_copy(update={"data": config.data.model_copy(update={"html": html})})
    train.run(wanted, layout)
    assert read_bundle(layout.classifier).html is html


def test_the_card_tells_the_quality_that_the_network_has_on_validation_rows(config, layout):
    train.run(config, layout)
    bundle = read_bundle(layout.classifier)
    vectors, labels = make_rows(0.3)
    guesses = best_class(bundle.network(vectors[200:250]))
    assert bundle.card["metrics"]["macro_f1"] == pytest.approx(
        macro_f1(guesses, labels[200:250], 3), abs=1e-6
    )


def test_the_card_tells_how_right_the_surest_calibration_rows_are(config, layout):
    train.run(config, layout)
    bundle = read_bundle(layout.classifier)
    vectors, labels = make_rows(0.3)
    curve = bundle.card["accuracy_at_coverage"]
    assert curve["1.00"] == bundle.card["metrics"]["accuracy"]
    found = probabilities(bundle.network(vectors[200:250]), bundle.calibration)
    surest = found.amax(dim=1).argsort(descending=True)[:10]
    right = best_class(found[surest]) == labels[200:250][surest]
    assert curve["0.20"] == pytest.approx(float(right.double().mean()), abs=1e-6)
    card = (layout.classifier / "README.md").read_text(encoding="utf-8")
    assert "These are the rows of the calibration" in card
    assert f"| Right | {curve['0.20']:.1%} | {curve['0.40']:.1%} |" in card


def test_the_card_tells_which_labels_the_calibration_rows_mix_up(config, layout):
    train.run(config, layout)
    bundle = read_bundle(layout.classifier)
    vectors, labels = make_rows(0.3)
    guesses = best_class(bundle.network(vectors[200:250]))
    counts = bundle.card["confusion"]
    assert counts[0][1] == int(((labels[200:250] == 0) & (guesses == 1)).sum())
    assert sum(map(sum, counts)) == 50
    assert sum(counts[row][row] for row in range(3)) / 50 == bundle.card["metrics"]["accuracy"]


def test_the_log_has_one_line_per_epoch_and_names_the_best(config, layout):
    train.run(config, layout)
    with layout.training_log.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    card = read_bundle(layout.classifier).card
    assert list(lines[0]) == ["epoch", "train/loss", "val/loss", "val/macro_f1", "val/accuracy"]
    assert [int(line["epoch"]) for line in lines] == list(range(1, card["epochs"]["run"] + 1))
    best = max(lines, key=lambda line: float(line["val/macro_f1"]))
    assert int(best["epoch"]) == card["epochs"]["best"]
    assert float(best["val/macro_f1"]) == pytest.approx(card["metrics"]["macro_f1"], abs=1e-6)


def test_without_patience_the_card_names_the_last_epoch(config, layout):
    classifier = config.classifier.model_copy(update={"patience": None})
    train.run(config.model_copy(update={"classifier": classifier}), layout)
    with layout.training_log.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    card = read_bundle(layout.classifier).card
    assert card["epochs"] == {"run": 5, "best": 5}
    assert card["metrics"]["macro_f1"] == pytest.approx(float(lines[-1]["val/macro_f1"]), abs=1e-6)


def test_two_runs_give_equal_bytes(config, tmp_path):
    first, second = (make_tables(tmp_path / name) for name in ("first", "second"))
    train.run(config, first)
    torch.manual_seed(99)
    train.run(config, second)
    for name in (*FILES, SNAPSHOT):
        assert (first.classifier / name).read_bytes() == (second.classifier / name).read_bytes()
    assert first.training_log.read_bytes() == second.training_log.read_bytes()


def with_snapshot(config, vectors):
    section = config.classifier.model_copy(update={"snapshot": vectors})
    return config.model_copy(update={"classifier": section})


def test_the_snapshot_is_a_sample_of_the_training_vectors(config, layout):
    train.run(with_snapshot(config, 5), layout)
    rows, snapshot = read_rows(layout), read_bundle(layout.classifier).snapshot
    training = rows.vectors[rows.where("train")].half()
    assert snapshot.vectors.shape == (5, rows.vectors.shape[1])
    found = [bool((training == vector).all(dim=1).any()) for vector in snapshot.vectors]
    assert found == [True] * 5


def test_the_snapshot_counts_a_guess_for_each_unseen_row(config, layout):
    train.run(config, layout)
    bundle, rows = read_bundle(layout.classifier), read_rows(layout)
    unseen = rows.where("validation")
    scaled = probabilities(bundle.network(rows.vectors[unseen]), bundle.calibration)
    counts = torch.bincount(best_class(scaled), minlength=len(rows.names))
    assert bundle.snapshot.label_counts.tolist() == counts.tolist()
    assert sum(counts.tolist()) == len(unseen)
    unsure = scaled.max(dim=1).values < bundle.calibration.abstain_below
    assert bundle.snapshot.abstained == int(unsure.sum())


def test_without_a_snapshot_no_vector_leaves_in_the_bundle(config, layout):
    train.run(with_snapshot(config, 0), layout)
    assert not (layout.classifier / SNAPSHOT).exists()
    assert read_bundle(layout.classifier).snapshot is None


def test_the_device_is_not_part_of_the_bundle(config, layout):
    train.run(config, layout)
    card = read_bundle(layout.classifier).card
    assert set(card["config"]) == {"cleaning", "embedding", "classifier"}


def test_nothing_but_the_bundle_and_the_log_is_written(config, layout, monkeypatch):
    monkeypatch.chdir(layout.root)
    before = set(layout.root.rglob("*"))
    train.run(config, layout)
    new = {path.relative_to(layout.root).as_posix() for path in set(layout.root.rglob("*")) - before}
    bundle = {f"models/classifier/{name}" for name in (*FILES, SNAPSHOT)}
    assert new == {"models", "models/classifier", "reports", "reports/training.csv"} | bundle


def test_no_text_of_an_ad_leaves_in_the_bundle(config, layout):
    train.run(config, layout)
    for path in [*layout.classifier.iterdir(), layout.training_log]:
        assert SECRET.encode() not in path.read_bytes()


def test_the_card_knows_the_code_that_made_it(config, layout):
    source = layout.root / "src/joblens/a.py"
    source.parent.mkdir(parents=True)
    layout.dvc_yaml.write_text("stages: {train: {deps: [src/joblens/a.py, data/interim/labels.json]}}")
    hashes = []
    for code in ("a = 1", "a = 1", "a = 2"):
        source.write_text(code)
        train.run(config, layout)
        hashes.append(read_bundle(layout.classifier).card["code"])
    assert hashes[0] == hashes[1] != hashes[2]


def test_ads_without_titles_make_a_bundle_without_titles(config, layout):
    rewrite(layout.clean_ads, lambda frame: frame.with_columns(title=pl.lit("")))
    train.run(config, layout)
    assert not read_bundle(layout.classifier).uses_title


def test_rows_know_title_text_and_group_of_their_own_ad(layout):
    frame = pl.read_parquet(layout.clean_ads)
    numbers = [id.removeprefix("ad") for id in frame["id"]]
    titles = [f"Title {number}" if int(number) % 2 else None for number in numbers]
    texts = [f"Text {number}" for number in numbers]
    write_table(layout.clean_ads, frame.with_columns(title=pl.Series(titles), clean_text=pl.Series(texts)))
    rewrite(layout.ads, lambda frame: frame.with_columns(group=pl.col("id") + "-group").reverse())
    rows = read_rows(layout)
    assert rows.inputs.titles[:2] == ["", "Title 1"]
    assert rows.inputs.texts[:2] == ["Text 0", "Title 1\nText 1"]
    assert rows.groups[:2] == ["ad0-group", "ad1-group"]
    assert torch.equal(rows.inputs.vectors, make_rows(0.3)[0])


def test_figures_reach_the_tracker_and_it_is_always_finished(config, layout, monkeypatch):
    class Remembers:
        def __init__(self):
            self.steps, self.files, self.finished = [], [], 0

        def log(self, metrics, step=None):
            self.steps.append((step, dict(metrics)))

        def log_file(self, path):
            self.files.append(path)

        def finish(self):
            self.finished += 1

    tracker = Remembers()
    monkeypatch.setattr(train, "build_tracker", lambda *arguments: tracker)
    train.run(config, layout)
    card = read_bundle(layout.classifier).card
    # W&B drops figures of a step that is behind: the last ones name none.
    assert [step for step, _ in tracker.steps] == [*range(1, card["epochs"]["run"] + 1), None]
    assert tracker.steps[-1][1]["best/macro_f1"] == card["metrics"]["macro_f1"]
    assert tracker.files == [layout.training_log, layout.classifier / "README.md"]
    assert tracker.finished == 1

    broken = config.model_copy(
        update={"classifier": config.classifier.model_copy(update={"learning_rate": 1e30})}
    )
    with pytest.raises(DataError, match="went astray"):
        train.run(broken, layout)
    assert tracker.finished == 2


def test_a_precision_out_of_reach_is_said_aloud(config, layout, caplog):
    rewrite(layout.ids, lambda frame: frame)  # same rows
    tensors = {
        "vectors": torch.ones(ROWS, DIMENSIONS),
        "labels": make_rows(0.0)[1],
    }  # nothing to tell rows apart
    write_tensors(layout.embeddings, tensors, {"fingerprint": "toy-1"})
    train.run(config, layout)
    assert "no abstain threshold reaches precision 0.950" in caplog.text


def test_a_gpu_that_is_not_there_is_an_error(config, layout, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    wanted = config.model_copy(update={"compute": config.compute.model_copy(update={"device": "gpu"})})
    with pytest.raises(DeviceError, match="compute=gpu"):
        train.run(wanted, layout)


def one_label(layout):
    write_json(layout.labels, [{"label": "Elever", "text": "Elever"}])


def one_label_too_many(layout):
    write_json(layout.labels, [{"label": name, "text": name} for name in [*LABELS, "Vagt"]])


def one_label_too_few(layout):
    write_json(layout.labels, json.loads(layout.labels.read_text(encoding="utf-8"))[:2])


def no_validation(layout):
    rewrite(
        layout.splits, lambda frame: frame.with_columns(split=pl.col("split").replace("validation", "test"))
    )


def fewer_ids(layout):
    rewrite(layout.ids, lambda frame: frame.head(10))


def fewer_clean_ads(layout):
    rewrite(layout.clean_ads, lambda frame: frame.head(290))


def fewer_groups(layout):
    rewrite(layout.ads, lambda frame: frame.tail(290))


def fewer_splits(layout):
    rewrite(layout.splits, lambda frame: frame.head(290))


def no_fingerprint(layout):
    vectors, labels = make_rows(0.0)
    write_tensors(layout.embeddings, {"vectors": vectors, "labels": labels})


def no_extractor_fingerprint(layout):
    write_json(layout.clean_counts, {"extractor": "toy"})


def no_counts_of_cleaning(layout):
    layout.clean_counts.unlink()


def no_vectors(layout):
    layout.embeddings.unlink()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (one_label, "needs at least two"),
        (one_label_too_many, r"labels \['Vagt'\] have no training ads"),
        (one_label_too_few, "labels run from 0 to 2, labels.json has 2"),
        (no_validation, "no ad is in the validation split"),
        (fewer_ids, "10 ids, 300 vectors"),
        (fewer_splits, "lacks 10 of 300 ads"),
        (fewer_clean_ads, r"clean_ads\.parquet and ids\.parquet are not of the same ads; run `dvc repro`"),
        (fewer_groups, r"^ads\.parquet and ids\.parquet are not of the same ads; run `dvc repro`"),
        (no_fingerprint, "has no fingerprint"),
        (no_extractor_fingerprint, r"clean_ads.json has no fingerprint of the extractor; run `dvc repro`"),
        (no_counts_of_cleaning, r"there is no file .*clean_ads\.json"),
        (no_vectors, "there is no file"),
    ],
)
def test_tables_that_do_not_fit_are_refused_in_one_line(config, layout, damage, words):
    damage(layout)
    with pytest.raises(DataError, match=words) as caught:
        train.run(config, layout)
    assert "\n" not in str(caught.value)
    assert not layout.classifier.exists()

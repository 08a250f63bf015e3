"""Stage `evaluate` on small vectors made here: no other stage runs, figures are computed a second way."""

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support
from torch import Tensor

from joblens.config import Config, Tracking, compose
from joblens.errors import BundleError, DataError
from joblens.models.bundle import Bundle, read_bundle, write_bundle
from joblens.models.calibration import calibrate
from joblens.models.cosine import CosineBaseline, centroids, write_baseline
from joblens.paths import Layout
from joblens.pipeline import evaluate
from joblens.pipeline.evaluate.cross_validation import carve_validation
from joblens.pipeline.evaluate.rows import one_per_group, read_rows
from joblens.pipeline.train import fit_classifier
from joblens.storage import (
    file_hash,
    read_json,
    read_table,
    write_json,
    write_table,
    write_tensors,
    write_text,
)
from joblens.tracking import NullTracker

REPOSITORY = Path(__file__).parents[2]
MODELS = ["zero_shot", "centroid", "lexical", "classifier"]
NAMES = ["Bygge og anlæg", "It <b>& teleteknik</b>", "Sundhed | omsorg"]
WORDS = ["murer beton stillads", "programmør server netværk", "sygeplejerske omsorg plejehjem"]
ROWS, DIMENSIONS, FOLDS = 90, 8, 3
WRONG = 52  # the row whose label is wrong on purpose
FINGERPRINT = "f" * 64


@pytest.fixture(scope="module")
def config() -> Config:
    return compose(
        ["experiment=toy", f"evaluation.split.folds={FOLDS}", f"embedding.dimensions={DIMENSIONS}"],
        REPOSITORY / "configs",
    )


def write_inputs(layout: Layout, config: Config) -> None:
    """Ads of three classes around three directions; one ad in ten repeats the one before it."""
    generator = torch.Generator().manual_seed(0)
    kind = torch.arange(ROWS) // 2 % 3  # pairs of one class, so that a repeat has its original's label
    vectors = torch.randn(ROWS, DIMENSIONS, generator=generator) * 0.45
    vectors[torch.arange(ROWS), kind] += 1
    vectors[WRONG] = torch.eye(DIMENSIONS)[kind[WRONG]] * 2
    labels = kind.clone()
    labels[WRONG] = (kind[WRONG] + 1) % 3
    vectors = torch.nn.functional.normalize(vectors, dim=1)
    ids = [f"ad-{row:02d}" for row in range(ROWS)]
    groups = [f"g{row - 1 if row % 10 == 1 else row}" for row in range(ROWS)]
    part = [int(group[1:]) // 2 % 10 for group in groups]
    splits = ["test" if at < 3 else "validation" if at < 5 else "train" for at in part]
    words = [f"{WORDS[place]} opgave {row % 7}" for row, place in enumerate(kind.tolist())]
    titles = [f"=stilling {row}" for row in range(ROWS)]
    names = [NAMES[label] for label in labels.tolist()]
    write_table(
        layout.ads,
        pl.DataFrame(
            {"id": ids, "title": titles, "text": words, "label": names, "language": "da", "group": groups}
        ),
    )
    write_table(layout.clean_ads, pl.DataFrame({"id": ids, "title": titles, "clean_text": words}))
    # Another order than the vectors': the stage must align by id, not by place.
    write_table(
        layout.splits,
        pl.DataFrame({"id": ids, "split": splits, "fold": [at % FOLDS for at in part]}).reverse(),
    )
    write_table(layout.ids, pl.DataFrame({"id": ids}))
    write_tensors(layout.embeddings, {"vectors": vectors, "labels": labels}, {"fingerprint": FINGERPRINT})
    write_json(layout.labels, [{"label": name, "text": name} for name in NAMES])
    write_json(layout.ads_counts, {"rows_read": 95, "kept": ROWS, "dropped": {"no text": 5}})
    write_json(
        layout.clean_counts,
        {"extractor": "none", "fingerprint": "none", "ads": ROWS, "pii_removed_by_type": {}},
    )
    write_text(layout.training_log, "epoch,train/loss,val/loss,val/macro_f1\n1,1.0,1.1,0.5\n2,0.5,0.7,0.8\n")
    write_models(layout, config, vectors, labels, splits)


def write_models(layout: Layout, config: Config, vectors: Tensor, labels: Tensor, splits: list[str]) -> None:
    train, validation = (
        torch.tensor([row for row, name in enumerate(splits) if name == split])
        for split in ("train", "validation")
    )
    write_baseline(
        layout.baseline,
        CosineBaseline(
            label_vectors=torch.eye(DIMENSIONS)[:3],
            centroids=centroids(vectors[train], labels[train], 3),
            labels=tuple(NAMES),
            label_text="name",
            fingerprint=FINGERPRINT,
        ),
    )
    network = fit_classifier(vectors, labels, train, validation, 3, config.classifier, torch.device("cpu"))
    write_bundle(
        layout.classifier,
        Bundle(
            network=network,
            labels=tuple(NAMES),
            cleaning=config.cleaning,
            embedding=config.embedding,
            classifier=config.classifier,
            encoder_fingerprint=FINGERPRINT,
            extractor_fingerprint="none",
            calibration=calibrate(network(vectors[validation]), labels[validation], 0.9, 0.95),
            uses_title=True,
            html=True,
            card={"data": {"train": len(train)}},
        ),
    )


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Path:
    """A project folder with what the other stages write; to be copied."""
    layout = Layout(tmp_path_factory.mktemp("inputs"))
    write_inputs(layout, config)
    return layout.root


@pytest.fixture(scope="module")
def evaluated(inputs: Path, tmp_path_factory: pytest.TempPathFactory, config: Config) -> Layout:
    """A project folder after one run of the stage."""
    layout = Layout(tmp_path_factory.mktemp("evaluated") / "project")
    shutil.copytree(inputs, layout.root)
    evaluate.run(config, layout)
    return layout


@pytest.fixture
def fresh(inputs: Path, tmp_path: Path) -> Layout:
    """A project folder in which the stage has not run."""
    layout = Layout(tmp_path / "project")
    shutil.copytree(inputs, layout.root)
    return layout


@pytest.fixture(scope="module")
def metrics(evaluated: Layout) -> dict:
    return read_json(evaluated.metrics)


def test_every_model_has_every_figure_and_an_interval_around_it(metrics):
    for model in MODELS:
        figures = metrics[model]
        assert list(figures) == [
            "accuracy",
            "macro_f1",
            "macro_precision",
            "macro_recall",
            "weighted_precision",
            "weighted_recall",
            "weighted_f1",
            "top_3_accuracy",
            "ece",
            "ci_macro_f1",
            "ci_accuracy",
        ]
        for name in ("macro_f1", "accuracy"):
            low, high = figures[f"ci_{name}"]
            assert 0 <= low <= figures[name] <= high <= 1
        assert figures["top_3_accuracy"] == 1  # there are three classes
        assert 0 <= figures["ece"] <= 1


def test_the_classifiers_figures_equal_those_of_sklearn_on_the_written_predictions(evaluated, metrics):
    test = read_table(evaluated.predictions).filter(pl.col("split") == "test")
    truth, guess = test["label"].to_list(), test["guess"].to_list()
    figures = metrics["classifier"]
    assert figures["accuracy"] == pytest.approx(accuracy_score(truth, guess), abs=1e-6)
    for average in ("macro", "weighted"):
        precision, recall, f1, _ = precision_recall_fscore_support(
            truth, guess, average=average, zero_division=0
        )
        found = [figures[f"{average}_{name}"] for name in ("precision", "recall", "f1")]
        assert found == pytest.approx([precision, recall, f1], abs=1e-6)


def test_zero_shot_and_centroid_guess_the_nearest_anchor(evaluated, metrics):
    rows = read_rows(evaluated)
    test, train = rows.where("test"), rows.where("train")
    means = torch.stack([rows.vectors[train][rows.labels[train] == label].mean(dim=0) for label in range(3)])
    for model, anchors in (("zero_shot", torch.eye(DIMENSIONS)[:3]), ("centroid", means)):
        guesses = torch.nn.functional.cosine_similarity(rows.vectors[test, None], anchors, dim=2).argmax(
            dim=1
        )
        expected = f1_score(rows.labels[test], guesses, average="macro")
        assert metrics[model]["macro_f1"] == pytest.approx(expected, abs=1e-6)


def test_the_lexical_model_reads_words_and_so_cannot_see_the_wrong_label(metrics):
    # Its only possible mistake is the ad whose label was changed, and that one is not a test ad.
    assert metrics["lexical"]["accuracy"] == 1
    assert metrics["lexical"]["ci_accuracy"] == [1, 1]


def test_the_comparison_is_the_classifier_minus_the_other_model(metrics):
    for rival in MODELS[:-1]:
        result = metrics["comparison"][f"classifier_minus_{rival}"]["macro_f1"]
        assert result["difference"] == pytest.approx(
            metrics["classifier"]["macro_f1"] - metrics[rival]["macro_f1"], abs=2e-6
        )
        assert result["ci"][0] <= result["difference"] <= result["ci"][1]


def test_row_counts_before_and_after_near_duplicates_add_up(metrics, evaluated):
    data = metrics["data"]
    groups = read_table(evaluated.ads)["group"]
    assert (data["rows"], data["rows_without_near_duplicates"]) == (ROWS, groups.n_unique()) == (90, 81)
    for suffix, total in (("", 90), ("_without_near_duplicates", 81)):
        assert sum(data[f"{split}{suffix}"] for split in ("train", "validation", "test")) == total
    assert data["classes_without_test_rows"] == 0


def test_figures_without_near_duplicates_are_those_of_one_ad_per_group(evaluated, metrics):
    test = (
        read_table(evaluated.predictions)
        .join(read_table(evaluated.ads).select("id", "group"), on="id", maintain_order="left")
        .filter(pl.col("split") == "test")
        .unique("group", keep="first", maintain_order=True)
    )
    assert len(test) == metrics["data"]["test_without_near_duplicates"] < metrics["data"]["test"]
    expected = f1_score(test["label"].to_list(), test["guess"].to_list(), average="macro")
    assert metrics["without_near_duplicates"]["classifier"]["macro_f1"] == pytest.approx(expected, abs=1e-6)


def test_cross_validation_reports_each_fold_of_each_model(metrics):
    for model in MODELS:
        for name in ("macro_f1", "accuracy"):
            result = metrics["cross_validation"][model][name]
            assert len(result["folds"]) == FOLDS
            assert result["mean"] == pytest.approx(sum(result["folds"]) / FOLDS, abs=1e-6)
            assert min(result["folds"]) <= result["mean"] <= max(result["folds"])


def test_predictions_hold_every_ad_in_the_order_of_the_vectors(evaluated):
    predictions = read_table(evaluated.predictions)
    assert predictions.columns == [
        "id",
        "split",
        "label",
        "guess",
        "probability",
        "prediction_set",
        "abstained",
    ]
    assert predictions["id"].to_list() == read_table(evaluated.ids)["id"].to_list()
    assert predictions["probability"].is_between(1 / 3 - 1e-6, 1).all()
    assert predictions.schema["prediction_set"] == pl.List(pl.String)
    for guess, inside in predictions.select("guess", "prediction_set").iter_rows():
        assert inside[0] == guess  # likeliest first, and never empty
    ads = read_table(evaluated.ads)
    assert predictions["label"].to_list() == ads["label"].to_list()


def test_abstain_figures_are_those_of_the_written_predictions(evaluated, metrics):
    test = read_table(evaluated.predictions).filter(pl.col("split") == "test")
    abstain = metrics["abstain"]
    covered = sum(label in inside for label, inside in test.select("label", "prediction_set").iter_rows())
    answered = test.filter(~pl.col("abstained"))
    assert abstain["coverage"] == pytest.approx(covered / len(test), abs=1e-6)
    assert abstain["share_answered"] == pytest.approx(len(answered) / len(test), abs=1e-6)
    right = (answered["label"] == answered["guess"]).mean()
    assert abstain["precision_when_answering"] == pytest.approx(right, abs=1e-6)


def curve_of(right: list[bool]) -> list[float]:
    """Share that is right among the first 5 %, 10 %, ... of rows, surest first."""
    counts = [-(-len(right) * step // 20) for step in range(1, 21)]
    return [sum(right[:count]) / count for count in counts]


def test_accuracy_at_coverage_is_that_of_ads_judged_by_folds_that_had_not_seen_them(metrics):
    found = metrics["accuracy_at_coverage"]
    assert (found["rows"], found["ads"]) == ("cross_validation", ROWS)
    assert list(found["accuracy"]) == [f"{step / 20:.2f}" for step in range(1, 21)]
    folds = metrics["cross_validation"]["classifier"]["accuracy"]["folds"]
    assert found["accuracy"]["1.00"] == pytest.approx(sum(folds) / FOLDS, abs=0.01)  # nearly equal folds
    assert found["accuracy"]["1.00"] < found["accuracy"]["0.50"]  # the wrong label is not among the surest
    rule = found["abstain"]
    assert list(rule) == list(metrics["abstain"])
    assert (rule["coverage_wanted"], rule["precision_wanted"]) == (0.9, 0.95)
    assert 0 < rule["share_answered"] < 1
    assert rule["precision_when_answering"] > found["accuracy"]["1.00"]


def test_without_folds_accuracy_at_coverage_is_that_of_test_ads(fresh, config):
    evaluation = config.evaluation.model_copy(update={"cross_validation": False})
    evaluate.run(config.model_copy(update={"evaluation": evaluation}), fresh)
    metrics = read_json(fresh.metrics)
    found = metrics["accuracy_at_coverage"]
    test = read_table(fresh.predictions).filter(pl.col("split") == "test")
    ranked = test.sort("probability", descending=True)
    right = (ranked["label"] == ranked["guess"]).to_list()
    assert all(right[: ranked["probability"].is_duplicated().sum()])  # ties come first, and do not matter
    expected = curve_of(right)
    assert list(found["accuracy"].values()) == pytest.approx(expected, abs=1e-6)
    assert (found["rows"], found["ads"], found["abstain"]) == ("test", len(test), metrics["abstain"])
    assert "surest of. These are test ads." in fresh.model_card.read_text(encoding="utf-8")


def test_the_table_behind_the_curve_holds_its_points(evaluated, metrics):
    with (evaluated.plots / "coverage.csv").open(encoding="utf-8", newline="") as file:
        points = {row["coverage"]: float(row["accuracy"]) for row in csv.DictReader(file)}
    assert points == metrics["accuracy_at_coverage"]["accuracy"]


def test_report_and_card_tell_what_the_rules_are_worth_on_held_out_ads(evaluated, metrics):
    rule = metrics["accuracy_at_coverage"]["abstain"]
    page = evaluated.report.read_text(encoding="utf-8")
    for name in ("coverage", "share_answered", "precision_when_answering"):
        assert f"<strong>{100 * rule[name]:.1f}\u00a0%</strong>" in page
    card = evaluated.model_card.read_text(encoding="utf-8")
    assert f"{rule['share_answered']:.1%} are answered and" in card
    assert f"| Right | {metrics['accuracy_at_coverage']['accuracy']['0.20']:.1%} |" in card


def test_the_ad_with_the_wrong_label_is_the_most_doubtful(evaluated, metrics):
    issues = read_table(evaluated.label_issues)
    assert issues.columns == ["id", "title", "label", "suggested", "confidence", "quality"]
    first = issues.row(0, named=True)
    right = WRONG // 2 % 3  # by the vectors and the words
    assert (first["id"], first["title"]) == (f"ad-{WRONG}", f"=stilling {WRONG}")
    assert (first["label"], first["suggested"]) == (NAMES[(right + 1) % 3], NAMES[right])
    assert issues["quality"].is_sorted()
    assert metrics["data"]["label_issues"] == len(issues)


def test_metrics_are_plain_json_without_nan_and_of_at_most_six_digits(evaluated):
    text = evaluated.metrics.read_text(encoding="utf-8")
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert re.findall(r"\d\.\d{7,}", text) == []


def test_plot_tables_hold_every_test_ad(evaluated, metrics):
    with (evaluated.plots / "confusion.csv").open(encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file))
    assert len(pairs) == metrics["data"]["test"]
    hits = sum(pair["actual"] == pair["predicted"] for pair in pairs)
    assert hits / len(pairs) == pytest.approx(metrics["classifier"]["accuracy"], abs=1e-6)
    with (evaluated.plots / "reliability.csv").open(encoding="utf-8", newline="") as file:
        bins = list(csv.DictReader(file))
    for model in MODELS:
        ours = [row for row in bins if row["model"] == model]
        gaps = [int(row["count"]) * abs(float(row["accuracy"]) - float(row["confidence"])) for row in ours]
        assert sum(gaps) / len(pairs) == pytest.approx(metrics[model]["ece"], abs=2e-6)


def test_pictures_are_png_files(evaluated):
    for name in ("confusion", "reliability", "comparison", "coverage", "training"):
        assert (evaluated.plots / f"{name}.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_the_report_needs_no_network_and_no_script(evaluated):
    page = evaluated.report.read_text(encoding="utf-8")
    assert re.findall(r"https?://", page) == []
    assert "<script" not in page
    assert "<link" not in page
    assert page.count('src="data:image/png;base64,') == page.count("<img") == 5
    assert all(alt.strip() for alt in re.findall(r'alt="([^"]*)"', page))
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page


def test_the_report_shows_labels_as_text_even_if_they_look_like_html(evaluated):
    page = evaluated.report.read_text(encoding="utf-8")
    assert "It &lt;b&gt;&amp; teleteknik&lt;/b&gt;" in page
    assert "<b>&" not in page


def test_the_report_shows_the_figures_of_metrics_json(evaluated, metrics):
    page = evaluated.report.read_text(encoding="utf-8")
    for model in MODELS:
        assert f"<td>{metrics[model]['macro_f1']:.3f} " in page
    assert "no text</dt><dd>5</dd>" in page
    assert f"ad-{WRONG}" in page


def test_every_link_of_the_report_leads_to_a_section(evaluated):
    page = evaluated.report.read_text(encoding="utf-8")
    targets = set(re.findall(r'<section id="([a-z]+)"', page))
    assert set(re.findall(r'href="#([a-z]+)"', page)) == targets
    assert len(targets) == 11


def test_the_report_leads_to_the_page_of_the_leak_meter(evaluated):
    page = evaluated.report.read_text(encoding="utf-8")
    [other] = re.findall(r'href="([^#"]*)"', page)
    assert evaluated.report.parent / other == evaluated.cleaning_page


def test_the_model_card_adds_test_figures_to_the_bundles_card(evaluated, metrics):
    card = evaluated.model_card.read_text(encoding="utf-8")
    assert card.startswith((evaluated.classifier / "README.md").read_text(encoding="utf-8"))
    assert "## Quality on test rows" in card
    assert f"| Classifier | {metrics['classifier']['macro_f1']:.3f} [" in card
    assert "| Sundhed \\| omsorg |" in card


def test_a_second_run_writes_the_same_bytes(evaluated, config):
    files = sorted(path for path in (evaluated.root / "reports").rglob("*") if path.is_file())
    before = {path.name: file_hash(path) for path in files}
    assert len(before) == 14  # 6 files, 8 plots
    evaluate.run(config, evaluated)
    assert {path.name: file_hash(path) for path in files} == before


def test_without_cross_validation_folds_and_label_issues_are_left_out(fresh, config):
    fresh.training_log.unlink()
    evaluation = config.evaluation.model_copy(update={"cross_validation": False})
    evaluate.run(config.model_copy(update={"evaluation": evaluation}), fresh)
    metrics = read_json(fresh.metrics)
    assert metrics["cross_validation"] == {}
    assert metrics["data"]["label_issues"] is None
    issues = read_table(fresh.label_issues)
    assert issues.columns == ["id", "title", "label", "suggested", "confidence", "quality"]
    assert issues.is_empty()
    page = fresh.report.read_text(encoding="utf-8")
    assert "Not looked for" in page
    assert 'id="folds"' not in page
    assert 'id="training"' not in page
    assert not (fresh.plots / "training.png").exists()


def test_a_classifier_that_never_answers_has_no_precision(fresh, config):
    bundle = read_bundle(fresh.classifier)
    doubting = replace(bundle.calibration, temperature=100.0, abstain_below=1.0)  # no probability reaches 1
    write_bundle(fresh.classifier, replace(bundle, calibration=doubting))
    evaluation = config.evaluation.model_copy(update={"cross_validation": False})
    evaluate.run(config.model_copy(update={"evaluation": evaluation}), fresh)
    abstain = read_json(fresh.metrics)["abstain"]
    assert (abstain["share_answered"], abstain["precision_when_answering"]) == (0, None)
    assert "it answers <strong>0.0\u00a0%</strong>" in fresh.report.read_text(encoding="utf-8")


def test_a_bundle_of_another_encoder_is_refused(fresh, config):
    write_bundle(fresh.classifier, replace(read_bundle(fresh.classifier), encoder_fingerprint="0" * 64))
    with pytest.raises(BundleError, match=r"is of encoder 000000000000, the embeddings of ffffffffffff"):
        evaluate.run(config, fresh)
    assert not fresh.metrics.exists()


def test_a_bundle_of_other_labels_is_refused(fresh, config):
    write_bundle(fresh.classifier, replace(read_bundle(fresh.classifier), labels=("a", "b", "c")))
    with pytest.raises(BundleError, match=r"the 3 labels of .* are not the 3 of labels.json"):
        evaluate.run(config, fresh)


def test_files_of_other_ads_are_refused(fresh, config):
    write_table(fresh.ads, read_table(fresh.ads).head(ROWS - 1))
    with pytest.raises(
        DataError, match=r"ads.parquet and ids.parquet are not of the same ads; run `dvc repro`"
    ):
        evaluate.run(config, fresh)


def test_a_missing_test_split_is_refused(fresh, config):
    splits = read_table(fresh.splits).with_columns(pl.col("split").replace("test", "train"))
    write_table(fresh.splits, splits)
    with pytest.raises(DataError, match="no ad is in the test split"):
        evaluate.run(config, fresh)


def test_validation_rows_of_a_fold_share_no_group_with_its_training_rows(evaluated):
    rows = read_rows(evaluated)
    outside = (rows.folds != 0).nonzero().squeeze(1)
    train, held = carve_validation(rows, outside, 0.2, seed=1)
    assert sorted([*train.tolist(), *held.tolist()]) == outside.tolist()
    assert set(rows.groups[train].tolist()) & set(rows.groups[held].tolist()) == set()
    assert len(held) == pytest.approx(0.2 * len(outside), abs=3)
    assert set(rows.labels[held].tolist()) == {0, 1, 2}


def test_one_ad_of_each_group_is_the_first():
    groups = torch.tensor([0, 0, 1, 2, 1])
    assert one_per_group(torch.tensor([1, 2, 3, 4]), groups).tolist() == [1, 2, 3]


class ListeningTracker(NullTracker):
    """Refuses what every tracker refuses, and remembers the rest."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.figures: dict[str, float] = {}
        self.files: list[str] = []
        self.is_finished = False

    def log(self, metrics, step=None):
        super().log(metrics, step)
        assert step is None  # W&B drops figures of an earlier step than its last
        self.figures |= metrics

    def log_file(self, path):
        super().log_file(path)
        self.files.append(path.name)

    def finish(self):
        self.is_finished = True


@pytest.fixture
def tracker(fresh, monkeypatch):
    tracker = ListeningTracker(fresh)
    monkeypatch.setattr(evaluate, "build_tracker", lambda config, layout, name: {"evaluate": tracker}[name])
    return tracker


def test_a_tracker_gets_the_figures_of_every_model_and_the_files_that_may_leave(
    fresh, config, tracker, metrics
):
    evaluate.run(config, fresh)
    for model in MODELS:
        assert tracker.figures[f"test/{model}/macro_f1"] == metrics[model]["macro_f1"]
        folds = metrics["cross_validation"][model]["accuracy"]["folds"]
        mean = tracker.figures[f"cross_validation/{model}/accuracy"]
        assert mean == pytest.approx(sum(folds) / FOLDS, abs=1e-6)
    plots = ["comparison.png", "confusion.png", "coverage.png", "reliability.png", "training.png"]
    assert tracker.files == ["metrics.json", "model_card.md", *plots]
    assert tracker.is_finished


def test_a_tracker_is_finished_also_when_the_evaluation_fails(fresh, config, tracker):
    fresh.ads_counts.unlink()  # read last, for the report
    with pytest.raises(DataError):
        evaluate.run(config, fresh)
    assert tracker.is_finished
    assert not tracker.figures


def test_tracking_changes_no_byte_of_the_reports(fresh, config, evaluated):
    evaluate.run(config.model_copy(update={"tracking": Tracking(mode="offline", project="joblens")}), fresh)
    assert list((fresh.root / "wandb").glob("offline-run-*"))
    expected, found = (
        {path.relative_to(layout.root): file_hash(path) for path in layout.report.parent.rglob("*.*")}
        for layout in (evaluated, fresh)
    )
    assert found == expected

"""What cleaning costs the classification that follows: raw text, redacted text and entities only.

    JOBLENS_REAL_DATA=FOLDER python benchmarks/cleaning_cost.py            # all sets, both models
    JOBLENS_REAL_DATA=FOLDER python benchmarks/cleaning_cost.py ph lexical # one set, the lexical peer only
    … python benchmarks/cleaning_cost.py pl lexical cleaning.backend=openvino # and other settings

Runs the stages of the pipeline in a folder of its own, once for each way of cleaning, on the same folds:
adverts of the Philippines (24 categories), of Poland and of Spain (ISCO sub-major groups). `redact` masks
personal data in the whole text, `extract` keeps only occupations, skills and tasks. The title is scrubbed and
read in all ways. Figures are means over five folds, of the lexical peer over five partitions into five folds:
which small classes meet in a fold moves macro-F1 by as much as cleaning does. With `classifier`
alone the peer's are of the one partition that the classifier sees. The difference to raw text is paired by
fold; its standard error is that of Nadeau and Bengio (2003, "Inference for the Generalization Error"),
because folds share their training rows.
"""

import logging
import sys
import tempfile
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from statistics import fmean, variance

import polars as pl
import torch

from joblens.config import Config, compose
from joblens.errors import DataError, JoblensError
from joblens.finetune import data_folder
from joblens.metrics import accuracy, macro_f1
from joblens.models.lexical import LexicalFeatures, lexical_scores
from joblens.paths import Layout
from joblens.pipeline import run_stage
from joblens.storage import read_json, read_table
from joblens.text import join_title

REPOSITORY = Path(__file__).parents[1]
SETS = {
    "ph": ["data=csv", "data.path={folder}/ads/ph_ads.csv.gz", "data.text=description", "data.title=title",
           "data.label=category", "data.min_class_size=10"],
    "pl": ["data=parquet", "data.path={folder}/ads/pl_ads.parquet", "data.text=description",
           "data.title=title", "data.label=isco2", "data.min_class_size=10"],
    "es": ["data=parquet", "data.path={folder}/ads/es_ads.parquet", "data.text=descripcion",
           "data.title=titulo", "data.label=isco2", "data.min_class_size=10"],
}  # fmt: skip
WAYS = {
    "raw": ["cleaning=none"],
    "redact": ["cleaning=gliner", "cleaning.output=redact"],
    "extract": ["cleaning=gliner", "cleaning.output=extract"],
}
MODELS = ("lexical", "classifier")
PARTITIONS = 5
"""Of the lexical peer's rows; each has its own seed."""


def configured(overrides: list[str]) -> Config:
    """The configuration, with the cleaner of this repository."""
    config = compose([*overrides, "tracking=none"], REPOSITORY / "configs")
    model = config.cleaning.model
    if model and (REPOSITORY / model).is_dir():
        cleaning = config.cleaning.model_copy(update={"model": str(REPOSITORY / model)})
        config = config.model_copy(update={"cleaning": cleaning})
    return config


def lexical_only(config: Config, layout: Layout) -> dict[str, list[float]]:
    """Macro-F1 and accuracy of the peer on each fold of each partition, without a single vector."""
    ads = read_table(layout.clean_ads, columns={"id", "title", "clean_text"})
    ads = ads.join(read_table(layout.ads, columns={"id", "label"}), on="id").sort("id")
    names = sorted(ads["label"].unique().to_list())
    labels = torch.tensor([names.index(label) for label in ads["label"]])
    texts = [
        join_title(title or "", text) for title, text in zip(ads["title"], ads["clean_text"], strict=True)
    ]
    lexical = config.baseline.lexical
    features = LexicalFeatures(texts, lexical)
    figures: dict[str, list[float]] = {"macro_f1": [], "accuracy": []}
    for folds in partitions(config, layout):
        for fold in range(config.evaluation.split.folds):
            held, kept = torch.where(folds == fold)[0], torch.where(folds != fold)[0]
            scores = lexical_scores(features, labels, kept, len(names), C=lexical.C, seed=config.seed)
            guesses = scores[held].argmax(dim=1)
            figures["macro_f1"].append(macro_f1(guesses, labels[held], len(names)))
            figures["accuracy"].append(accuracy(guesses, labels[held]))
    return figures


def partitions(config: Config, layout: Layout) -> Iterator[torch.Tensor]:
    """The fold of each advert, in the order of their ids, for each seed; the last is the configured one."""
    split = config.evaluation.split
    for more in reversed(range(PARTITIONS)):
        seeded = split.model_copy(update={"seed": split.seed + more})
        evaluation = config.evaluation.model_copy(update={"split": seeded})
        run_stage("split", config.model_copy(update={"evaluation": evaluation}), layout)
        yield torch.tensor(
            read_table(layout.splits, columns={"id", "fold"}).sort("id")["fold"].cast(pl.Int64)
        )


def standard_error(less: list[float], folds: int) -> float:
    """Of the mean difference over folds that share training rows."""
    return sqrt(variance(less) * (1 / len(less) + 1 / (folds - 1)))


def main() -> None:
    """Measure and print one table a set."""
    logging.basicConfig(level=logging.WARNING)
    folder = data_folder("JOBLENS_REAL_DATA").resolve()
    unknown = [word for word in sys.argv[1:] if "=" not in word and word not in {*SETS, *MODELS}]
    if unknown:
        raise DataError(f"there is no {unknown[0]!r}; name any of {', '.join([*SETS, *MODELS])}")
    chosen = [name for name in SETS if name in sys.argv[1:]] or list(SETS)
    models = [name for name in MODELS if name in sys.argv[1:]] or list(MODELS)
    more = [argument for argument in sys.argv[1:] if "=" in argument]
    for name in chosen:
        print(f"\n| {name} | macro-F1 | minus raw, points | accuracy |\n|---|---:|---:|---:|", flush=True)
        raw: dict[str, list[float]] = {}
        with tempfile.TemporaryDirectory() as place:  # one for all ways: what the model read is read once
            layout = Layout(Path(place))
            for way, cleaning in WAYS.items():
                overrides = [part.format(folder=folder) for part in SETS[name]] + cleaning + more
                config = configured(overrides)
                for stage in ("ingest", "clean", "split"):
                    run_stage(stage, config, layout)
                found = {"lexical": lexical_only(config, layout)} if "lexical" in models else {}
                if "classifier" in models:
                    for stage in ("embed", "baseline", "train", "evaluate"):
                        run_stage(stage, config, layout)
                    measured = read_json(layout.metrics)["cross_validation"]
                    for model in MODELS:
                        folds = {key: measured[model][key]["folds"] for key in ("macro_f1", "accuracy")}
                        found.setdefault(model, folds)
                for model, figures in found.items():
                    f1 = figures["macro_f1"]
                    raw.setdefault(model, f1)
                    less = [100 * (here - there) for here, there in zip(f1, raw[model], strict=True)]
                    error = standard_error(less, config.evaluation.split.folds)
                    print(
                        f"| {model}, {way} | {fmean(f1):.3f} | {fmean(less):+.2f} ± {error:.2f} "
                        f"| {fmean(figures['accuracy']):.3f} |",
                        flush=True,
                    )


if __name__ == "__main__":
    try:
        main()
    except JoblensError as error:
        print(f"cleaning_cost: {error}", file=sys.stderr)
        sys.exit(2)

"""What a title side brings the classifier: the same adverts, folds and network, with and without it.

    JOBLENS_REAL_DATA=FOLDER python benchmarks/title_side.py        # ph, es and pl
    JOBLENS_REAL_DATA=FOLDER python benchmarks/title_side.py pl

Runs the stages up to `embed` with `embedding=minilm_titles` and cleaning by patterns, in `build/title_side`,
where a run that was stopped goes on, for adverts of the Philippines (24 categories), Spain and Poland (ISCO
sub-major groups). Without the side means the vectors of title and text read as one, alone. The lexical peer
reads the same text. Every row is guessed by the fold that did not train on it; the interval redraws rows
(95 %, 2,000 redraws).
"""

import logging
import sys
from pathlib import Path

import torch
from torch.nn.functional import normalize

from joblens.config import Config, compose
from joblens.device import choose_device
from joblens.errors import DataError, JoblensError
from joblens.finetune import data_folder
from joblens.metrics import accuracy, best_class, confusion_macro_f1, macro_f1, paired_difference
from joblens.models.lexical import LexicalFeatures, lexical_scores
from joblens.paths import Layout
from joblens.pipeline import run_stage
from joblens.pipeline.evaluate.cross_validation import cross_validate
from joblens.pipeline.evaluate.rows import Rows, read_rows
from joblens.pipeline.train import fit_classifier

REPOSITORY = Path(__file__).parents[1]
SETS = {
    "ph": ["data=csv", "data.path={folder}/ads/ph_ads.csv.gz", "data.text=description", "data.title=title",
           "data.label=category", "data.min_class_size=10"],
    "es": ["data=parquet", "data.path={folder}/ads/es_ads.parquet", "data.text=descripcion",
           "data.title=titulo", "data.label=isco2", "data.min_class_size=10"],
    "pl": ["data=parquet", "data.path={folder}/ads/pl_ads.parquet", "data.text=description",
           "data.title=title", "data.label=isco2", "data.min_class_size=10"],
}  # fmt: skip
DRAWS = 2000


def compare(name: str, config: Config, layout: Layout) -> None:
    """Print the rows of one set."""
    for stage in ("ingest", "clean", "split", "embed"):
        run_stage(stage, config, layout)
    rows = read_rows(layout)
    device = choose_device(config.compute.device)
    text = normalize(rows.vectors[:, : config.embedding.dimensions], dim=1)
    features = LexicalFeatures(rows.texts, config.baseline.lexical)

    def network(vectors: torch.Tensor):
        def fit(train: torch.Tensor, validation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            fitted = fit_classifier(
                vectors, rows.labels, train, validation, rows.classes, config.classifier, device
            )
            with torch.inference_mode():
                return fitted(vectors), validation

        return fit

    def lexical(train: torch.Tensor, validation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        C = config.baseline.lexical.C
        scores = lexical_scores(features, rows.labels, train, rows.classes, C=C, seed=config.seed)
        return scores, validation

    models = {"lexical": lexical, "text": network(text), "text and title side": network(rows.vectors)}
    found = cross_validate(rows, models, config.evaluation.split, config.classifier)
    guesses = {model: best_class(scores) for model, scores in found.probabilities.items()}
    for model, guessed in guesses.items():
        print_row(name, model, guessed, guesses["text"], rows, config.seed)


def print_row(
    name: str, model: str, guessed: torch.Tensor, text: torch.Tensor, rows: Rows, seed: int
) -> None:
    """One model over all folds together, and its difference to the text alone."""
    score, exact = macro_f1(guessed, rows.labels, rows.classes), accuracy(guessed, rows.labels)
    change = ""
    if model != "text":
        found = paired_difference(
            confusion_macro_f1, guessed, text, rows.labels, rows.classes, draws=DRAWS, seed=seed
        )
        change = f"{100 * found.difference:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
    print(f"| {name} | {model} | {score:.3f} | {exact:.3f} | {change} |", flush=True)


def main() -> None:
    """Measure and print one table."""
    logging.basicConfig(level=logging.WARNING)
    folder = data_folder("JOBLENS_REAL_DATA").resolve()
    unknown = [name for name in sys.argv[1:] if name not in SETS]
    if unknown:
        raise DataError(f"there are no adverts {unknown[0]!r}; expected some of {', '.join(SETS)}")
    print("| adverts | model | macro-F1 | accuracy | points above text |\n|---|---|---:|---:|---:|")
    for name in sys.argv[1:] or list(SETS):
        options = [part.format(folder=folder) for part in SETS[name]]
        options += ["cleaning=patterns", "embedding=minilm_titles", "classifier=mlp"]
        options += ["embedding.words_weight=0", "tracking=none"]
        options += [f"embedding.titles={REPOSITORY / 'models/titles'}"]
        config = compose(options, REPOSITORY / "configs")
        compare(name, config, Layout(REPOSITORY / "build" / "title_side" / name))


if __name__ == "__main__":
    try:
        main()
    except JoblensError as error:
        print(f"title_side: {error}", file=sys.stderr)
        sys.exit(2)

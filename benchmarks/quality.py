"""How good the default is beside its peers: the same adverts, the same five grouped, stratified folds.

    JOBLENS_REAL_DATA=FOLDER python benchmarks/quality.py                 # all sets, all models
    JOBLENS_REAL_DATA=FOLDER python benchmarks/quality.py --set ph --model ours --model tfidf_title
    JOBLENS_REAL_DATA=FOLDER python benchmarks/quality.py --docs          # and write docs/source/quality.md

Sets: the bundled sample, and what is found below JOBLENS_REAL_DATA of Philippine, Polish (ISCO-08 major and
sub-major groups), Spanish and British adverts. All models read the same cleaned text, real adverts cleaned by
patterns, the sample by joblens' own GLiNER. Vectors are made once and not counted as training. Probabilities
of all models are calibrated alike, on rows they were not fitted to; then they learn from validation rows too.
Work is kept in `build/quality`; finished figures are taken from there, and `--again` measures once more.
Each model runs in a process of its own, which gives its peak memory, with all of Python and its libraries.
"""

import argparse
import json
import logging
import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import torch
from adverts import BUILD, ES, PH, PL, REPOSITORY, UK, prepare
from quality_models import MODELS, Setting

from joblens.errors import JoblensError
from joblens.metrics import accuracy, best_class, expected_calibration_error, macro_f1
from joblens.models.calibration import abstains, calibrate, prediction_sets, probabilities
from joblens.pipeline.evaluate.cross_validation import carve_validation

PATTERNS = ["cleaning=patterns", "tracking=none"]
SETS = {
    "ph": ("Philippine", [*PH, *PATTERNS], "ads/ph_ads.csv.gz"),
    "pl1": ("Polish, isco1", [*PL, "data.label=isco1", *PATTERNS], "ads/pl_ads.parquet"),
    "pl2": ("Polish, isco2", [*PL, *PATTERNS], "ads/pl_ads.parquet"),
    "es": ("Spanish", [*ES, *PATTERNS], "ads/es_ads.parquet"),
    "uk": ("British", [*UK, *PATTERNS], "ads/uk_ads_4.csv.gz"),
    "sample": ("Sample (synthetic)", [
        f"data.path={REPOSITORY / 'data/sample/ads.jsonl'}",
        f"data.taxonomy={REPOSITORY / 'data/sample/taxonomy.csv'}",
        f"cleaning.model={REPOSITORY / 'models/cleaner'}",
        "tracking=none",
    ], None),
}  # fmt: skip
"""By key: what it is called, its options, and the file it needs."""

PEERS = [name for name in MODELS if name != "ours"]
BINS = 15
MEASURED = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
"""Whose memory counts: a peer may run in an environment, and so in a process, of its own."""


def measure(name: str, model: str) -> None:
    """Run one model on the five folds of one set, and keep its figures and guesses."""
    folder = Path(os.environ.get("JOBLENS_REAL_DATA", "."))
    config, rows, layout = prepare(name, SETS[name][1], folder.resolve(), "quality")
    setting, split = Setting(config, rows, layout), config.evaluation.split
    guesses = torch.zeros(len(rows.ids), dtype=torch.int64)
    likely = torch.zeros(len(rows.ids), rows.classes, dtype=torch.float64)
    seconds, speeds, sure, covered, sizes = [], [], torch.zeros(len(rows.ids), dtype=torch.bool), 0, 0
    for fold in sorted(set(rows.folds.tolist())):
        test = (rows.folds == fold).nonzero().squeeze(1)
        outside = (rows.folds != fold).nonzero().squeeze(1)
        train, validation = carve_validation(rows, outside, split.validation, split.seed)
        outcome = MODELS[model][1](setting, train, validation, test)
        spread = float(outcome.unseen.double().std(correction=0)) or 1.0
        wanted = config.classifier
        found = calibrate(
            outcome.unseen / spread,
            rows.labels[outcome.unseen_rows],
            wanted.coverage,
            wanted.target_precision,
        )
        likely[test] = probabilities(outcome.scores / spread, found)
        guesses[test] = best_class(likely[test])
        sets = prediction_sets(likely[test], found)
        covered += sum(
            label in inside for label, inside in zip(rows.labels[test].tolist(), sets, strict=True)
        )
        sizes += sum(map(len, sets))
        sure[test] = ~abstains(likely[test], found)
        seconds.append(outcome.train_seconds)
        speeds.append(len(test) / max(outcome.predict_seconds, 1e-9))
    right = guesses == rows.labels
    figures: dict[str, Any] = {
        "macro_f1": macro_f1(guesses, rows.labels, rows.classes),
        "accuracy": accuracy(guesses, rows.labels),
        "ece": expected_calibration_error(likely, rows.labels, BINS),
        "coverage": covered / len(rows.ids),
        "set_size": sizes / len(rows.ids),
        "answered": float(sure.double().mean()),
        "precision_answered": float(right[sure].double().mean()) if bool(sure.any()) else None,
        "train_seconds": median(seconds),
        "ads_per_second": median(speeds),
        "memory_mb": max(resource.getrusage(who).ru_maxrss for who in MEASURED) / 1024,
        "rows": len(rows.ids),
        "classes": rows.classes,
        "labels": rows.labels.tolist(),
        "guesses": guesses.tolist(),
    }
    path = result_file(name, model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures), encoding="utf-8")


def result_file(name: str, model: str) -> Path:
    """Where the figures of one model on one set are kept."""
    return BUILD / "quality" / "results" / f"{name}-{model}.json"


def found_sets(wanted: list[str]) -> list[str]:
    """The sets whose file is there, in order."""
    folder = os.environ.get("JOBLENS_REAL_DATA")
    there = [
        name
        for name, (_, _, file) in SETS.items()
        if file is None or (folder is not None and (Path(folder) / file).is_file())
    ]
    return [name for name in there if not wanted or name in wanted]


def main() -> None:
    """Measure what is missing, each in a process of its own, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--set", action="append", choices=list(SETS), default=[], help="only this set")
    parser.add_argument("--model", action="append", choices=list(MODELS), default=[], help="only this model")
    parser.add_argument("--again", action="store_true", help="measure even what is there")
    parser.add_argument("--docs", action="store_true", help="write docs/source/quality.md and its picture")
    parser.add_argument("--one", nargs=2, metavar=("SET", "MODEL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    if options.one:
        measure(*options.one)
        return
    from quality_report import publish, tables

    names, models = found_sets(options.set), options.model or list(MODELS)
    for name in names:
        for model in models:
            if options.again or not result_file(name, model).is_file():
                print(f"{SETS[name][0]}: {MODELS[model][0]} …", file=sys.stderr, flush=True)
                subprocess.run([sys.executable, __file__, "--one", name, model], check=True)
    figures = {
        name: {
            model: json.loads(result_file(name, model).read_text(encoding="utf-8"))
            for model in MODELS
            if result_file(name, model).is_file()
        }
        for name in names
    }
    titles = {name: SETS[name][0] for name in names}
    text = tables(figures, titles, {model: title for model, (title, _) in MODELS.items()})
    print(text)
    if options.docs:
        publish(text, figures, titles, {model: title for model, (title, _) in MODELS.items()})


if __name__ == "__main__":
    try:
        main()
    except JoblensError as error:
        print(f"quality: {error}", file=sys.stderr)
        sys.exit(2)

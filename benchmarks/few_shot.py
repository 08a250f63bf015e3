"""Eight adverts of each label: our default, SetFit, and logistic regression on MiniLM, on the same draws.

    JOBLENS_REAL_DATA=FOLDER python benchmarks/few_shot.py
    JOBLENS_REAL_DATA=FOLDER python benchmarks/few_shot.py --draws 3 --without-setfit

Philippine adverts of 24 categories, cleaned by patterns. Each draw takes adverts of every label that are no
near-duplicates of each other, and tests on 600 others. SetFit trains the same MiniLM, in an environment of
its own that is made in `build/few_shot` (1.7 GB), and goes on where it was stopped.
"""

import argparse
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, stdev

import torch
from adverts import BUILD, PH, Draw, draw_few, prepare, write_task
from torch import Tensor
from torch.nn.functional import normalize

from joblens.config import Config
from joblens.errors import DataError, JoblensError
from joblens.finetune import data_folder
from joblens.metrics import accuracy, best_class, macro_f1
from joblens.models.wide_deep import logits_of
from joblens.paths import Layout
from joblens.pipeline.evaluate.cross_validation import carve_validation
from joblens.pipeline.evaluate.rows import Rows
from joblens.pipeline.train import fit_model, read_knowledge

PEERS = Path(__file__).parent / "peers"
Scores = Callable[[Draw], Tensor]


def ours(config: Config, rows: Rows, layout: Layout) -> Scores:
    """The default classifier, trained on the drawn adverts."""
    knowledge = read_knowledge(config, layout, rows.names, rows.fingerprint)
    groups = [str(group) for group in rows.groups.tolist()]

    def score(draw: Draw) -> Tensor:
        split = config.evaluation.split
        train, validation = carve_validation(rows, torch.tensor(draw.train), split.validation, split.seed)
        fitted = fit_model(
            rows.inputs, rows.labels, groups, train, validation, rows.classes, knowledge, config.classifier,
            torch.device("cpu"),
        )  # fmt: skip
        return logits_of(fitted.network, rows.inputs.rows(torch.tensor(draw.test)))

    return score


def logistic_regression(rows: Rows, width: int) -> Scores:
    """scikit-learn's, on MiniLM's vector of title and text."""
    from sklearn.linear_model import LogisticRegression

    vectors = normalize(rows.vectors[:, :width], dim=1).numpy()

    def score(draw: Draw) -> Tensor:
        model = LogisticRegression(C=10, max_iter=1000)
        model.fit(vectors[draw.train], rows.labels[draw.train].numpy())
        found = torch.zeros(len(draw.test), rows.classes, dtype=torch.float64)
        found[:, model.classes_] = torch.from_numpy(model.predict_proba(vectors[draw.test])).double()
        return found

    return score


def setfit(rows: Rows, draws: dict[str, Draw], options: argparse.Namespace, seed: int) -> Scores:
    """SetFit's scores of all draws, by `peers/setfit_peer.py`."""
    folder = BUILD / "few_shot"
    python = folder / "setfit" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "-r", str(PEERS / "setfit.txt")]
        subprocess.run(pip, check=True)
    task, result = folder / "task.json", folder / "result.json"
    write_task(task, rows, draws, options.threads, seed)
    command = [
        str(python), str(PEERS / "setfit_peer.py"), str(task), str(result),
        "--num-iterations", str(options.iterations), "--max-seq-length", str(options.tokens),
    ]  # fmt: skip
    if subprocess.run(command, check=False).returncode:
        raise DataError(f"SetFit failed; try again with `{' '.join(command)}`")
    found = {run["name"]: run for run in json.loads(result.read_text(encoding="utf-8"))["runs"]}
    seconds = fmean(run["train_seconds"] for run in found.values())
    print(f"SetFit: {options.iterations} iterations, {options.tokens} tokens, {seconds:.0f} s to train\n")
    names = {id(draw): name for name, draw in draws.items()}
    return lambda draw: torch.tensor(found[names[id(draw)]]["scores"])


def main() -> None:
    """Measure, and print one line for each draw and their means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--each", type=int, default=8, help="adverts of each label")
    parser.add_argument("--test", type=int, default=600, help="adverts to test on")
    parser.add_argument("--iterations", type=int, default=5, help="SetFit's num_iterations; its paper has 20")
    parser.add_argument("--tokens", type=int, default=128, help="SetFit reads so many")
    parser.add_argument("--threads", type=int, default=2, help="for SetFit")
    parser.add_argument("--without-setfit", action="store_true")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    folder = data_folder("JOBLENS_REAL_DATA").resolve()
    wanted = ["cleaning=patterns", "tracking=none"]
    config, rows, layout = prepare("ph", [*PH, *wanted], folder, "quality")
    draws = {f"draw {n}": draw_few(rows, options.each, options.test, n) for n in range(options.draws)}
    models = {
        "ours": ours(config, rows, layout),
        "MiniLM + logistic regression": logistic_regression(rows, config.embedding.dimensions),
    }
    if not options.without_setfit:
        models["SetFit"] = setfit(rows, draws, options, config.seed)
    report(rows, draws, models)


def report(rows: Rows, draws: dict[str, Draw], models: dict[str, Scores]) -> None:
    """Print macro-F1 and accuracy of each model on each draw, and how often ours is the best."""
    print("| draw | " + " | ".join(models) + " |\n|---|" + "---:|" * len(models))
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
    for name, draw in draws.items():
        for model, score in models.items():
            guesses, labels = best_class(score(draw)), rows.labels[draw.test]
            found[model].append((macro_f1(guesses, labels, rows.classes), accuracy(guesses, labels)))
        cells = [f"{found[model][-1][0]:.3f} / {found[model][-1][1]:.3f}" for model in models]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    means = [
        f"{fmean(f for f, _ in pairs):.3f} ± {stdev([f for f, _ in pairs]) if len(pairs) > 1 else 0:.3f} / "
        f"{fmean(a for _, a in pairs):.3f}"
        for pairs in found.values()
    ]
    print("| mean macro-F1 ± deviation / accuracy | " + " | ".join(means) + " |")


if __name__ == "__main__":
    try:
        main()
    except JoblensError as error:
        print(f"few_shot: {error}", file=sys.stderr)
        sys.exit(2)

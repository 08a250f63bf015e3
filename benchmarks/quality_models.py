"""What `quality.py` compares: each model learns from some rows and scores others, with a clock."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from adverts import BUILD, Draw, write_task
from torch import Tensor
from torch.nn.functional import normalize

from joblens.config import Config, compose
from joblens.models.cosine import centroids, cosine_scores, read_baseline
from joblens.models.wide_deep import logits_of
from joblens.paths import Layout
from joblens.pipeline.evaluate.rows import Rows
from joblens.pipeline.train import fit_classifier, fit_model, read_knowledge

PEERS = Path(__file__).parent / "peers"
CPU = torch.device("cpu")
LANGUAGES = {"es": "es", "ph": "en", "uk": "en", "sample": "da"}
"""Of sets that are not Polish, for peers that leave out stop words; the sample is Danish and English."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One set of adverts, ready to learn from."""

    config: Config
    rows: Rows
    layout: Layout


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one model did with one fold."""

    unseen: Tensor
    """(k, C) scores of rows by models that did not learn from them."""
    unseen_rows: Tensor
    """(k,) their row numbers, of training and validation rows."""
    scores: Tensor
    """(n, C) scores of test rows."""
    train_seconds: float
    predict_seconds: float


Run = Callable[[Setting, Tensor, Tensor, Tensor], Outcome]
"""Training, validation and test rows to an outcome."""


def twice(fit: Callable[[Setting, Tensor], Callable[[Tensor], Tensor]]) -> Run:
    """For models that need validation rows for the calibration alone: in the end they learn from them too."""

    def run(setting: Setting, train: Tensor, validation: Tensor, test: Tensor) -> Outcome:
        unseen = fit(setting, train)(validation)
        start = time.perf_counter()
        predict = fit(setting, torch.cat([train, validation]))
        trained = time.perf_counter()
        scores = predict(test)
        return Outcome(unseen, validation, scores, trained - start, time.perf_counter() - trained)

    return run


def ours(setting: Setting, train: Tensor, validation: Tensor, test: Tensor) -> Outcome:
    """The default classifier."""
    config, rows = setting.config, setting.rows
    knowledge = read_knowledge(config, setting.layout, rows.names, rows.fingerprint)
    groups = [str(group) for group in rows.groups.tolist()]
    start = time.perf_counter()
    fitted = fit_model(
        rows.inputs, rows.labels, groups, train, validation, rows.classes, knowledge, config.classifier, CPU
    )
    trained = time.perf_counter()
    scores = logits_of(fitted.network, rows.inputs.rows(test))
    done = time.perf_counter()
    return Outcome(fitted.logits, fitted.rows, scores, trained - start, done - trained)


def zero_shot(setting: Setting, rows: Tensor) -> Callable[[Tensor], Tensor]:
    """Cosine with the label texts; learns nothing."""
    anchors = read_baseline(setting.layout.baseline).label_vectors
    return lambda chosen: cosine_scores(setting.rows.vectors[chosen], anchors)


def centroid(setting: Setting, rows: Tensor) -> Callable[[Tensor], Tensor]:
    """Cosine with the mean vector of each label."""
    known = setting.rows
    anchors = centroids(known.vectors[rows], known.labels[rows], known.classes)
    return lambda chosen: cosine_scores(known.vectors[chosen], anchors)


def minilm(setting: Setting) -> Tensor:
    """MiniLM's vectors of title and text, without our title encoder: (N, 384)."""
    return normalize(setting.rows.vectors[:, : setting.config.embedding.dimensions], dim=1)


def logistic_regression(setting: Setting, rows: Tensor) -> Callable[[Tensor], Tensor]:
    """scikit-learn's, on MiniLM."""
    from sklearn.linear_model import LogisticRegression

    vectors = minilm(setting).numpy()
    model = LogisticRegression(C=10, max_iter=1000).fit(vectors[rows], setting.rows.labels[rows].numpy())
    return lambda chosen: _placed(model.decision_function(vectors[chosen]), model.classes_, setting)


def mlp(setting: Setting, train: Tensor, validation: Tensor, test: Tensor) -> Outcome:
    """The design joblens started from: one hidden layer on MiniLM, stopped by validation rows."""
    config = compose(["classifier=mlp"], setting.layout.root.parents[2] / "configs").classifier
    vectors, rows = minilm(setting), setting.rows
    start = time.perf_counter()
    network = fit_classifier(vectors, rows.labels, train, validation, rows.classes, config, CPU)
    trained = time.perf_counter()
    with torch.inference_mode():
        scores = network(vectors[test]).clone()
    done = time.perf_counter()
    with torch.inference_mode():
        unseen = network(vectors[validation]).clone()
    return Outcome(unseen, validation, scores, trained - start, done - trained)


def tfidf_svm(with_title: bool) -> Callable[[Setting, Tensor], Callable[[Tensor], Tensor]]:
    """Words and characters of title and text, and those of the title once more, in one linear SVM."""

    def fit(setting: Setting, rows: Tensor) -> Callable[[Tensor], Tensor]:
        from scipy.sparse import hstack
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.svm import LinearSVC

        wanted, known = setting.config.baseline.lexical, setting.rows
        blocks: list[tuple[Any, Sequence[str]]] = [
            (
                TfidfVectorizer(ngram_range=wanted.word_ngrams, min_df=wanted.min_df, sublinear_tf=True),
                known.texts,
            ),
            (_letters(wanted.char_ngrams, wanted.min_df), known.texts),
        ]
        if with_title:
            blocks.append((_letters(wanted.char_ngrams, 1), known.titles))
        learned = hstack(
            [vectorizer.fit_transform([texts[row] for row in rows.tolist()]) for vectorizer, texts in blocks],
            format="csr",
        )
        machine = LinearSVC(C=wanted.C, tol=0.01, random_state=setting.config.seed)
        machine.fit(learned, known.labels[rows].numpy())

        def predict(chosen: Tensor) -> Tensor:
            matrix = hstack(
                [
                    vectorizer.transform([texts[row] for row in chosen.tolist()])
                    for vectorizer, texts in blocks
                ],
                format="csr",
            )
            return _placed(machine.decision_function(matrix), machine.classes_, setting)

        return predict

    return fit


def _letters(ngrams: tuple[int, int], min_df: int) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer="char_wb", ngram_range=ngrams, min_df=min_df, sublinear_tf=True)


def _placed(scores: Any, classes: Any, setting: Setting) -> Tensor:
    """Scores in the columns of their classes; two classes have one column of scikit-learn's."""
    scores = np.asarray(scores)
    if scores.ndim == 1:
        scores = np.stack([-scores, scores], axis=1)
    found = torch.full((len(scores), setting.rows.classes), float(scores.min()) - 1, dtype=torch.float64)
    found[:, torch.from_numpy(np.asarray(classes))] = torch.from_numpy(scores).double()
    return found


def ojalab(setting: Setting, train: Tensor, validation: Tensor, test: Tensor) -> Outcome:
    """OJALAB's hierarchical linear method, by `peers/ojalab_peer.py` in an environment of its own."""
    folder = BUILD / "quality" / "peers"
    python = folder / "ojalab" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "-r", str(PEERS / "ojalab.txt")]
        subprocess.run(pip, check=True)
    name = setting.layout.root.name
    language = LANGUAGES.get(name, "pl")
    task, result = folder / f"{name}.json", folder / f"{name}.result.json"
    both = torch.cat([train, validation]).tolist()
    draws = {
        "watched": Draw(train.tolist(), validation.tolist()),
        "whole": Draw(both, test.tolist()),
    }
    write_task(task, setting.rows, draws, 1, setting.config.seed)
    command = [str(python), str(PEERS / "ojalab_peer.py"), str(task), str(result), "--language", language]
    subprocess.run(command, check=True)
    runs = {run["name"]: run for run in json.loads(result.read_text(encoding="utf-8"))["runs"]}
    logs = {
        key: torch.tensor(run["scores"], dtype=torch.float64).clamp(min=1e-6).log()
        for key, run in runs.items()
    }
    seconds = runs["whole"]["train_seconds"], runs["whole"]["predict_seconds"]
    return Outcome(logs["watched"], validation, logs["whole"], *seconds)


MODELS: dict[str, tuple[str, Run]] = {
    "ours": ("joblens, default", ours),
    "zero_shot": ("Zero-shot (label text)", twice(zero_shot)),
    "centroid": ("Centroid", twice(centroid)),
    "logistic": ("MiniLM + logistic regression", twice(logistic_regression)),
    "mlp": ("MiniLM + MLP", mlp),
    "tfidf": ("TF-IDF + SVM", twice(tfidf_svm(with_title=False))),
    "tfidf_title": ("TF-IDF + title characters + SVM", twice(tfidf_svm(with_title=True))),
    "ojalab": ("job-ads-classifier, linear", ojalab),
}
"""By key: what it is called, and how it runs."""

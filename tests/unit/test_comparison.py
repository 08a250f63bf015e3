from io import StringIO

import pytest
from rich.console import Console

from joblens.errors import DataError
from joblens.pipeline.evaluate.comparison import MODELS, comparison_table, verdict


def make_metrics(low: float, high: float, lexical: float = 0.7) -> dict:
    """Figures in which lexical is the best rival, and the paired interval is the one given."""
    scores = {"zero_shot": 0.3, "centroid": 0.5, "lexical": lexical, "classifier": 0.75}
    return {
        **{
            model: {
                "macro_f1": score,
                "accuracy": score + 0.05,
                "top_3_accuracy": 0.9,
                "ece": 0.1 - score / 10,
                "ci_macro_f1": [score - 0.02, score + 0.02],
                "ci_accuracy": [score + 0.03, score + 0.07],
            }
            for model, score in scores.items()
        },
        "comparison": {
            f"classifier_minus_{rival}": {"macro_f1": {"difference": 0.75 - scores[rival], "ci": [low, high]}}
            for rival in MODELS[:-1]
        },
        "cross_validation": {
            model: {"macro_f1": {"mean": score, "std": 0.01}} for model, score in scores.items()
        },
        "data": {"test": 180, "classes": 22},
    }


def rendered(metrics: dict) -> str:
    console = Console(width=120, record=True, file=StringIO())
    console.print(comparison_table(metrics))
    return console.export_text()


@pytest.mark.parametrize(
    ("low", "high", "sentence"),
    [
        (0.01, 0.09, "The classifier wins: it beats the best other model, Lexical (TF-IDF + SVM)."),
        (-0.09, -0.01, "The classifier loses to Lexical (TF-IDF + SVM): use that one, or train on more ads."),
        (-0.01, 0.09, "No clear winner between the classifier and Lexical (TF-IDF + SVM)."),
        (0.0, 0.09, "No clear winner between the classifier and Lexical (TF-IDF + SVM)."),
    ],
)
def test_somebody_wins_only_when_the_interval_leaves_out_zero(low, high, sentence):
    assert verdict(make_metrics(low, high))[0] == sentence


def test_the_verdict_compares_with_the_best_other_model_whichever_it_is():
    sentence, figures = verdict(make_metrics(0.01, 0.4, lexical=0.4))
    assert "Centroid" in sentence
    assert figures == "Macro-F1 0.750 against 0.500: difference +0.250, 95 % interval +0.010 to +0.400."


def test_the_table_has_one_line_per_model_with_intervals_and_folds():
    lines = rendered(make_metrics(0.01, 0.09)).splitlines()
    classifier = next(line for line in lines if "Classifier" in line)
    assert "0.750 [0.730, 0.770]" in classifier
    assert "0.800 [0.780, 0.820]" in classifier
    assert "0.750 ± 0.010" in classifier
    assert sum("[" in line for line in lines) == len(MODELS) + 1  # and the heading
    assert "180 test ads, 22 labels" in lines[0]
    assert "The classifier wins" in "".join(lines)


def test_without_folds_the_table_has_no_column_for_them():
    metrics = {**make_metrics(0.01, 0.09), "cross_validation": {}}
    assert "folds" not in rendered(metrics)


def test_metrics_of_another_shape_are_refused_in_one_line():
    metrics = make_metrics(0.01, 0.09)
    del metrics["lexical"]
    with pytest.raises(DataError, match="has no figure 'lexical'; run `dvc repro`"):
        comparison_table(metrics)

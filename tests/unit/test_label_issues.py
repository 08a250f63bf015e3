"""Which labels look wrong, on probabilities that can be followed by hand."""

import polars as pl
import torch

from joblens.pipeline.evaluate.label_issues import LabelIssue, issues_table, label_issues
from joblens.pipeline.evaluate.rows import Rows

NAMES = ("Kontor", "Pleje", "Salg")
OFFICE, CARE, SALES = (0, [0.9, 0.05, 0.05]), (1, [0.2, 0.6, 0.2]), (2, [0.05, 0.05, 0.9])
"""Of an ordinary ad of each label: its number, and what a model that did not see the ad believes."""
ORDINARY = 4 * [OFFICE] + 5 * [CARE] + 5 * [SALES]


def find(*doubtful: tuple[str, int, list[float]]) -> list[LabelIssue]:
    """What looks wrong among ordinary ads and these: id, label, probabilities."""
    ads = [(f"ordinary-{place:02d}", *ad) for place, ad in enumerate(ORDINARY)] + list(doubtful)
    ids = [name for name, _, _ in ads]
    count = len(ads)
    rows = Rows(
        ids=ids,
        titles=[f"Title of {name}" for name in ids],
        texts=[""] * count,
        vectors=torch.zeros(count, 1),
        labels=torch.tensor([label for _, label, _ in ads]),
        groups=torch.arange(count),
        splits=["train"] * count,
        folds=torch.zeros(count, dtype=torch.int64),
        names=NAMES,
        fingerprint="f",
    )
    return label_issues(rows, torch.tensor([believed for _, _, believed in ads], dtype=torch.float64))


def test_no_label_looks_wrong_where_the_model_agrees_with_all():
    assert find() == []


def test_an_issue_tells_the_label_and_what_the_model_believes_instead():
    # Sales ads get 0.9 for sales on average, and this office ad gets more.
    [issue] = find(("swapped", 0, [0.02, 0.05, 0.93]))
    assert issue == LabelIssue("swapped", "Title of swapped", "Kontor", "Salg", confidence=0.93, quality=0.02)


def test_the_label_that_the_model_believes_least_comes_first_and_ties_go_to_the_lower_id():
    found = find(
        ("c", 0, [0.07, 0.03, 0.90]), ("b", 0, [0.05, 0.05, 0.90]), ("a", 1, [0.03, 0.05, 0.92])
    )  # fmt: skip
    assert [(issue.id, issue.quality) for issue in found] == [("a", 0.05), ("b", 0.05), ("c", 0.07)]


def test_as_many_are_listed_as_confident_learning_counts_and_no_more():
    # Sales ads get 0.9 for sales on average: 0.93 is counted as a wrong label, 0.50 as a hard ad.
    found = find(("hard", 0, [0.3, 0.2, 0.5]), ("swapped", 0, [0.02, 0.05, 0.93]))
    assert [issue.id for issue in found] == ["swapped"]


def test_an_ad_that_no_label_suits_takes_no_place_from_one_with_a_better_label():
    # Care ads get 0.6 on average, as `swapped` does: one label is wrong. That of `torn` is believed least.
    found = find(("torn", 0, [0.34, 0.33, 0.33]), ("swapped", 0, [0.4, 0.6, 0.0]))
    assert [issue.id for issue in found] == ["swapped"]


def test_the_table_keeps_the_order_of_the_issues():
    found = find(("b", 0, [0.07, 0.03, 0.90]), ("a", 0, [0.05, 0.05, 0.90]))
    assert issues_table(found).rows() == [
        ("a", "Title of a", "Kontor", "Salg", 0.9, 0.05),
        ("b", "Title of b", "Kontor", "Salg", 0.9, 0.07),
    ]


def test_without_issues_the_table_has_the_same_columns_and_types():
    empty = issues_table([])
    assert empty.is_empty()
    assert dict(empty.schema) == {
        "id": pl.String, "title": pl.String, "label": pl.String, "suggested": pl.String,
        "confidence": pl.Float64, "quality": pl.Float64,
    }  # fmt: skip
    assert empty.schema == issues_table(find(("swapped", 0, [0.02, 0.05, 0.93]))).schema

"""Every class is dealt in proportion, near-duplicates stay together, and small classes are refused."""

import random
from collections import Counter, defaultdict

import polars as pl
import pytest

from joblens.config import compose
from joblens.errors import DataError
from joblens.paths import Layout
from joblens.pipeline.split import SPLITS, assign_parts, check_class_sizes, run
from joblens.storage import file_hash, read_table, write_table

SHARES = (0.6, 0.2, 0.2)


def test_without_duplicates_every_class_is_dealt_exactly_in_proportion():
    labels = ["a"] * 50 + ["b"] * 10 + ["c"] * 5
    parts = assign_parts(labels, [str(row) for row in range(65)], SHARES, seed=0)
    dealt = Counter(zip(labels, parts, strict=True))
    assert [dealt["a", part] for part in range(3)] == [30, 10, 10]
    assert [dealt["b", part] for part in range(3)] == [6, 2, 2]
    assert [dealt["c", part] for part in range(3)] == [3, 1, 1]


def test_the_smallest_allowed_class_is_once_in_every_fold():
    labels = ["big"] * 95 + ["small"] * 5
    folds = assign_parts(labels, [str(row) for row in range(100)], [0.2] * 5, seed=3)
    assert sorted(folds[95:]) == [0, 1, 2, 3, 4]
    assert Counter(folds) == dict.fromkeys(range(5), 20)


def test_rows_left_over_in_every_class_are_spread_over_the_folds():
    labels = [label for label in "abcdefghij" for _ in range(6)]  # one in each of five folds, and one more
    folds = assign_parts(labels, [str(row) for row in range(60)], [0.2] * 5, seed=0)
    assert Counter(folds) == dict.fromkeys(range(5), 12)


def test_near_duplicates_are_spread_over_the_parts_as_well():
    labels = ["a"] * 100
    groups = [f"pair {row // 2}" for row in range(40)] + [
        str(row) for row in range(60)
    ]  # 20 pairs, 60 single
    parts = assign_parts(labels, groups, [0.6, 0.2, 0.2], seed=0)
    pairs = Counter(parts[row] for row in range(0, 40, 2))
    assert pairs == {0: 12, 1: 4, 2: 4}
    assert Counter(parts) == {0: 60, 1: 20, 2: 20}


def noisy_groups(rows: int, seed: int) -> tuple[list[str], list[str]]:
    """Groups of one to six rows whose labels mostly agree."""
    dice = random.Random(seed)
    labels, groups = [], []
    while len(labels) < rows:
        group, label = str(len(labels)), dice.choice("aaaaabbbccdef")
        for _ in range(dice.choice([1, 1, 1, 1, 2, 6])):
            labels.append(label if dice.random() < 0.9 else dice.choice("abcdef"))
            groups.append(group)
    return labels, groups


@pytest.mark.parametrize("seed", range(5))
def test_groups_never_cross(seed):
    labels, groups = noisy_groups(300, seed)
    parts_of = defaultdict(set)
    for group, part in zip(groups, assign_parts(labels, groups, SHARES, seed), strict=True):
        parts_of[group].add(part)
    assert all(len(parts) == 1 for parts in parts_of.values())


def worst_deviation(labels, parts, folds):
    """Largest difference between a class's share in a fold and 1/folds."""
    sizes, dealt = Counter(labels), Counter(zip(labels, parts, strict=True))
    return max(abs(dealt[label, fold] / sizes[label] - 1 / folds) for label in sizes for fold in range(folds))


@pytest.mark.parametrize("seed", range(5))
def test_folds_are_as_even_as_those_of_scikit_learn(seed):
    from sklearn.model_selection import StratifiedGroupKFold

    labels, groups = noisy_groups(300, seed)
    theirs = [0] * len(labels)
    for fold, (_, rows) in enumerate(StratifiedGroupKFold(5).split(labels, labels, groups)):
        for row in rows:
            theirs[row] = fold
    ours = assign_parts(labels, groups, [0.2] * 5, seed=seed)
    assert worst_deviation(labels, ours, 5) <= worst_deviation(labels, theirs, 5) + 0.05
    assert worst_deviation(labels, ours, 5) < 0.15


def test_the_seed_decides_and_row_order_does_not():
    labels, groups = noisy_groups(100, 1)
    by_row = assign_parts(labels, groups, SHARES, seed=5)
    assert by_row == assign_parts(labels, groups, SHARES, seed=5)
    assert by_row != assign_parts(labels, groups, SHARES, seed=6)
    assert assign_parts(labels[::-1], groups[::-1], SHARES, seed=5) == by_row[::-1]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("12345678abc", r"class 'c' has 3 adverts, expected at least 4, .*set data\.min_class_size=4"),
        ("11145678aaa", r"class 'c' has 3 adverts in 1 near-.* groups \(and 1 more .*data\.min_class_size=5"),
    ],
)
def test_a_class_smaller_than_the_folds_is_refused_with_what_to_do(groups, message):
    labels = "aaaabbbbccc"
    with pytest.raises(DataError, match=message):
        check_class_sizes(list(labels), list(groups), folds=4)


def write_ads(layout: Layout, labels: list[str], groups: list[str]) -> None:
    ids = [f"ad-{row}" for row in range(len(labels))]
    write_table(layout.ads, pl.DataFrame({"id": ids, "label": labels, "group": groups}))
    write_table(layout.clean_ads, pl.DataFrame({"id": ids}))


@pytest.fixture
def config(repository):
    changes = ["experiment=toy", "evaluation.split.validation=0.2", "evaluation.split.test=0.2"]
    return compose([*changes, "evaluation.split.folds=4", "evaluation.split.seed=0"], repository / "configs")


def test_the_stage_writes_split_and_fold_of_every_ad_in_order(tmp_path, config):
    layout = Layout(tmp_path)
    write_ads(layout, ["a"] * 20 + ["b"] * 10, [str(row) for row in range(30)])
    run(config, layout)
    table = read_table(layout.splits)
    assert table.schema == {"id": pl.String, "split": pl.String, "fold": pl.Int8}
    assert table["id"].to_list() == [f"ad-{row}" for row in range(30)]
    assert [table["split"].to_list().count(name) for name in SPLITS] == [18, 6, 6]
    assert table["fold"].unique().sort().to_list() == [0, 1, 2, 3]
    before = file_hash(layout.splits)
    run(config, layout)
    assert file_hash(layout.splits) == before


def test_tables_of_different_ads_are_refused(tmp_path, config):
    layout = Layout(tmp_path)
    write_ads(layout, ["a", "b"] * 10, [str(row) for row in range(20)])
    write_table(layout.clean_ads, pl.DataFrame({"id": ["ad-0"]}))
    with pytest.raises(DataError, match=r"ads\.parquet has 20 adverts and clean_ads\.parquet 1"):
        run(config, layout)


def test_a_class_that_its_duplicates_keep_from_training_is_refused(tmp_path, config):
    # Classes c and d are rarest: their larger groups go to train, so their smaller ones are held out, and
    # with them all of class z.
    layout = Layout(tmp_path)
    groups = {"c1": "caaa", "c2": "cz", "d1": "daaa", "d2": "dzz"} | {str(row): "a" for row in range(14)}
    labels = [label for members in groups.values() for label in members]
    write_ads(layout, labels, [group for group, members in groups.items() for _ in members])
    split = config.evaluation.split.model_copy(update={"folds": 2})
    config = config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"split": split})})
    with pytest.raises(DataError, match="class 'z' has no adverts to train on once its near-duplicates stay"):
        run(config, layout)
    assert not layout.splits.exists()

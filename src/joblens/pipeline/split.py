"""Stage `split`: which adverts train, validate and test; near-duplicates together, classes in proportion."""

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Sequence

import polars as pl

from joblens.config import Config
from joblens.errors import DataError
from joblens.paths import Layout
from joblens.storage import read_table, write_table

logger = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")


def run(config: Config, layout: Layout) -> None:
    """Read `layout.ads` and `layout.clean_ads`, write `layout.splits`.

    Raises:
        DataError: The tables are not of the same adverts, or a class is too small for the folds.
    """
    ads = read_table(layout.ads, columns={"id", "label", "group"})
    clean_ids = read_table(layout.clean_ads, columns={"id"})["id"]
    if ads["id"].to_list() != clean_ids.to_list():
        raise DataError(
            f"{layout.ads.name} has {len(ads)} adverts and {layout.clean_ads.name} {len(clean_ids)}, "
            "expected the same ones in the same order; run `dvc repro` again"
        )
    split = config.evaluation.split
    labels, groups = ads["label"].to_list(), ads["group"].to_list()
    check_class_sizes(labels, groups, split.folds)
    shares = (1 - split.validation - split.test, split.validation, split.test)
    parts = assign_parts(labels, groups, shares, split.seed)
    folds = assign_parts(labels, groups, [1 / split.folds] * split.folds, split.seed)
    _check_training_parts(labels, parts, folds)
    write_table(
        layout.splits,
        pl.DataFrame(
            {
                "id": ads["id"],
                "split": [SPLITS[part] for part in parts],
                "fold": pl.Series(folds, dtype=pl.Int8),
            }
        ),
    )
    sizes = Counter(parts)
    logger.info(
        "%d ads in %d groups: %s; %d folds",
        len(ads),
        len(set(groups)),
        ", ".join(f"{sizes[part]} {name}" for part, name in enumerate(SPLITS)),
        split.folds,
    )


def check_class_sizes(labels: Sequence[str], groups: Sequence[str], folds: int) -> None:
    """Refuse classes that cannot be in every fold.

    Raises:
        DataError: A class has fewer rows, or fewer groups of near-duplicates, than folds.
    """
    rows = Counter(labels)
    distinct: dict[str, set[str]] = defaultdict(set)
    for label, group in zip(labels, groups, strict=True):
        distinct[label].add(group)
    small = [label for label in rows if len(distinct[label]) < folds]
    if not small:
        return
    small.sort(key=lambda label: (rows[label], label))
    label, largest = small[0], max(rows[label] for label in small)
    kinds = f" in {len(distinct[label])} near-duplicate groups" if len(distinct[label]) < rows[label] else ""
    others = f" (and {len(small) - 1} more classes are too small)" if len(small) > 1 else ""
    raise DataError(
        f"class {label!r} has {rows[label]} adverts{kinds}{others}, expected at least {folds}, one for each "
        f"of the {folds} folds; set data.min_class_size={largest + 1}, lower evaluation.split.folds, "
        "or add adverts"
    )


def assign_parts(
    labels: Sequence[str], groups: Sequence[str], shares: Sequence[float], seed: int
) -> list[int]:
    """Deal groups into parts so that each part holds its share of every class.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011) over whole groups: the rarest class is
    dealt first, its largest groups first, each to the part that misses the largest share of what it should
    get, so that near-duplicates are spread over the parts as well. scikit-learn's `StratifiedGroupKFold` does
    the same for equal parts only, and leaves small classes out of some of them.

    Args:
        labels: N labels.
        groups: N groups; rows of one group go to one part.
        shares: The wanted share of each part; they add up to 1.
        seed: Breaks ties between groups.

    Returns:
        N part numbers in [0, len(shares)).
    """
    sizes = Counter(labels)
    members: dict[str, Counter[str]] = defaultdict(Counter)  # group → how many rows of each label
    for label, group in zip(labels, groups, strict=True):
        members[group][label] += 1
    wanted = {label: [share * size for share in shares] for label, size in sizes.items()}
    room = [share * len(labels) for share in shares]
    order = sorted(members)
    random.Random(seed).shuffle(order)
    rarest = {group: min((sizes[label], label) for label in members[group]) for group in order}
    order.sort(key=lambda group: (rarest[group], -members[group].total()))
    part_of: dict[str, int] = {}
    for group in order:
        label = rarest[group][1]
        part = max(range(len(shares)), key=lambda at: (wanted[label][at] / shares[at], room[at], -at))
        part_of[group] = part
        for name, count in members[group].items():
            wanted[name][part] -= count
        room[part] -= members[group].total()
    return [part_of[group] for group in groups]


def _check_training_parts(labels: Sequence[str], parts: Sequence[int], folds: Sequence[int]) -> None:
    """Every class must have something to learn from: in `train`, and when any one fold is held out."""
    trained = {label for label, part in zip(labels, parts, strict=True) if SPLITS[part] == "train"}
    in_folds: dict[str, set[int]] = defaultdict(set)
    for label, fold in zip(labels, folds, strict=True):
        in_folds[label].add(fold)
    untrained = sorted(label for label in in_folds if label not in trained or len(in_folds[label]) < 2)
    if untrained:
        raise DataError(
            f"class {untrained[0]!r} has no adverts to train on once its near-duplicates stay together; "
            "raise data.min_class_size, or choose another evaluation.split.seed"
        )

"""Real adverts for the benchmarks: which sets there are, how they are prepared, and how few are drawn."""

import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from joblens.config import Config, compose
from joblens.paths import Layout
from joblens.pipeline import run_stage
from joblens.pipeline.evaluate.rows import Rows, read_rows

REPOSITORY = Path(__file__).parents[1]
BUILD = REPOSITORY / "build"
PH = [
    "data=csv",
    "data.path={folder}/ads/ph_ads.csv.gz",
    "data.text=description",
    "data.title=title",
    "data.label=category",
    "data.min_class_size=10",
]
ES = [
    "data=parquet",
    "data.path={folder}/ads/es_ads.parquet",
    "data.text=descripcion",
    "data.title=titulo",
    "data.label=isco2",
    "data.min_class_size=10",
]
PL = ["data=parquet", "data.path={folder}/ads/pl_ads.parquet", "data.text=description", "data.title=title",
      "data.label=isco2", "data.min_class_size=10"]  # fmt: skip
UK = ["data=csv", "data.path={folder}/ads/uk_ads_4.csv.gz", "data.text=description", "data.title=title",
      "data.label=category", "data.min_class_size=10"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draw:
    """A few adverts of each label to learn from, and others to test on."""

    train: list[int]
    test: list[int]


def prepare(name: str, options: list[str], folder: Path, place: str) -> tuple[Config, Rows, Layout]:
    """Run the stages up to `baseline` in `build/PLACE/NAME`, where a run that was stopped goes on."""
    filled = [option.format(folder=folder) for option in options]
    config = compose([*filled, f"embedding.titles={REPOSITORY / 'models/titles'}"], REPOSITORY / "configs")
    layout = Layout(BUILD / place / name)
    shared = BUILD / place / "cache"  # what is known of a text, whichever its set
    shared.mkdir(parents=True, exist_ok=True)
    layout.cache.parent.mkdir(parents=True, exist_ok=True)
    if not layout.cache.exists():
        layout.cache.symlink_to(shared, target_is_directory=True)
    for stage in ("ingest", "clean", "split", "embed", "baseline"):
        run_stage(stage, config, layout)
    return config, read_rows(layout), layout


def draw_few(rows: Rows, each: int, test: int, seed: int) -> Draw:
    """`each` adverts of every label, none a near-duplicate of another, and `test` of the others.

    No advert to test on is a near-duplicate of one to learn from.
    """
    random_state = random.Random(seed)
    labels, groups = rows.labels.tolist(), rows.groups.tolist()
    by_label: dict[int, list[int]] = defaultdict(list)
    order = list(range(len(labels)))
    random_state.shuffle(order)
    taken: set[int] = set()
    for row in order:
        if len(by_label[labels[row]]) < each and groups[row] not in taken:
            by_label[labels[row]].append(row)
            taken.add(groups[row])
    others = [row for row in order if groups[row] not in taken]
    return Draw(sorted(row for chosen in by_label.values() for row in chosen), sorted(others[:test]))


def write_task(path: Path, rows: Rows, draws: dict[str, Draw], threads: int, seed: int) -> None:
    """What a peer in an environment of its own reads; see `benchmarks/peers`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(
            {
                "titles": [""] * len(rows.texts),  # a text begins with its title
                "texts": rows.texts,
                "labels": rows.labels.tolist(),
                "names": list(rows.names),
                "runs": [
                    {"name": name, "train": draw.train, "test": draw.test} for name, draw in draws.items()
                ],
                "seed": seed,
                "threads": threads,
            }
        ),
        encoding="utf-8",
    )

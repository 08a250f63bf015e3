"""Stage `ingest`: adverts from any source in one checked table, every lost row counted."""

import logging
from collections import Counter
from typing import Any

import polars as pl

from joblens.config import Config, Data
from joblens.errors import ConfigError, DataError, nearest
from joblens.paths import Layout
from joblens.pipeline.ingest.corrections import CORRECTIONS, Corrections
from joblens.sources import FIELDS, Source, build_source, fill_ids
from joblens.sources.duplicates import near_duplicate_groups
from joblens.sources.html import html_to_text
from joblens.sources.taxonomy import Topic, read_taxonomy
from joblens.storage import write_json, write_table
from joblens.text import join_title, normalise

logger = logging.getLogger(__name__)

NAMED = 3
"""How many offenders a message names."""


def run(config: Config, layout: Layout) -> None:
    """Read the source that `data` names; write `layout.ads`, `layout.labels` and `layout.ads_counts`.

    Raises:
        ConfigError: No label column is named.
        DataError: The source is missing, empty or wrong, ids repeat, a label is not in the taxonomy, or fewer
            than two labels are left.
        SourceError: The database cannot be reached, or refuses the query.
        StorageError: The disk is full; older files are untouched.
    """
    data = config.data
    if data.label is None:
        raise ConfigError("data.label is not set, expected the column with the labels; name it and run again")
    topics = read_taxonomy(layout.root / data.taxonomy) if data.taxonomy else None
    source = build_source(data, layout.root)
    read = _read(source, data)
    people = Corrections.read(data)
    where = source.where if people is None else f"{source.where} with {CORRECTIONS}"
    kept, dropped = _drop_incomplete(read if people is None else people.relabelled(read), source.where, data)
    ads = fill_ids(kept)
    rows_read, corrected = read.height, None
    if people is not None:
        ads, corrected = people.merged(ads)
        rows_read += corrected["added"] + corrected["without_text"]
        dropped["no text"] += corrected["without_text"]
    _check(ads, topics, where)
    ads, small = _drop_small_classes(ads, data.min_class_size)
    dropped["small class"] = sum(small.values())
    ads = _with_groups(ads, data)
    labels = _labels(ads, topics, where)
    groups = ads["group"].n_unique()
    logger.info("%s ads → %s: %s", f"{rows_read:,}", f"{ads.height:,}", _listed(dropped))
    logger.info("%s ads in %s groups of near-duplicates", f"{ads.height:,}", f"{groups:,}")
    write_table(layout.ads, ads)
    write_json(layout.labels, labels)
    write_json(
        layout.ads_counts,
        {
            "rows_read": rows_read,
            "kept": ads.height,
            "dropped": dropped,
            "small_classes": small,
            "ids_made": kept["id"].null_count(),
            "near_duplicates": ads.height - groups,
            "groups": groups,
            "labels": len(labels),
            "labels_without_ads": len(topics) - len(labels) if topics is not None else 0,
            **({} if corrected is None else {"corrections": corrected}),
        },
    )


def _read(source: Source, data: Data) -> pl.DataFrame:
    """All rows with the columns `FIELDS`, as readable text; what is empty after that is null."""
    frames = [_readable(frame, data.html) for frame in source.batches()]
    if not frames:
        raise DataError(f"{source.where} has no rows, expected adverts; export it again")
    ads = pl.concat(frames)
    return ads if source.ordered else ads.sort(FIELDS, nulls_last=True, maintain_order=True)


def _readable(frame: pl.DataFrame, is_html: bool) -> pl.DataFrame:
    def clean(value: str | None) -> str | None:
        if value is None:
            return None
        return normalise(html_to_text(value) if is_html else value) or None

    def spelled(value: str | None) -> str | None:
        return None if value is None else normalise(value) or None

    cleaners = {"title": clean, "text": clean}
    return pl.DataFrame(
        {name: [cleaners.get(name, spelled)(value) for value in frame[name].to_list()] for name in FIELDS},
        schema=dict.fromkeys(FIELDS, pl.String),
    )


def _drop_incomplete(ads: pl.DataFrame, where: str, data: Data) -> tuple[pl.DataFrame, dict[str, int]]:
    """Rows with text and label, and how many had no text, or a text but no label; no title becomes ''."""
    for field, column in (("text", data.text), ("label", data.label)):
        if ads[field].null_count() == ads.height:
            raise DataError(
                f"all {ads.height:,} rows of {where} are without {field} in column {column!r}; "
                f"set data.{field} to the column that holds it"
            )
    with_text = ads.filter(pl.col("text").is_not_null())
    kept = with_text.filter(pl.col("label").is_not_null())
    if kept.is_empty():
        raise DataError(f"no row of {where} has both a text and a label; check data.text and data.label")
    dropped = {"no text": ads.height - with_text.height, "no label": with_text.height - kept.height}
    return kept.with_columns(pl.col("title").fill_null("")), dropped


def _check(ads: pl.DataFrame, topics: list[Topic] | None, where: str) -> None:
    """Hold the table against its schema and report everything that is wrong at once.

    Raises:
        DataError: Ids repeat, labels are not in the taxonomy, or a column is not what it should be.
    """
    import pandera.polars as pa
    from pandera.errors import SchemaErrors

    known = None if topics is None else [topic.label for topic in topics]
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(pl.String, pa.Check.str_length(min_value=1), unique=True),
            "title": pa.Column(pl.String),
            "text": pa.Column(pl.String, pa.Check.str_length(min_value=1)),
            "label": pa.Column(pl.String, None if known is None else pa.Check.isin(known)),
            "language": pa.Column(pl.String, nullable=True),
        },
        strict=True,
        ordered=True,
    )
    try:
        schema.validate(ads, lazy=True)
    except SchemaErrors as errors:
        problems = _problems(errors.failure_cases, known or [])
        raise DataError(
            f"{where} has {len(problems)} kinds of wrong rows: {' and '.join(problems)}"
        ) from None


def _problems(failures: pl.DataFrame, known: list[str]) -> list[str]:
    """One sentence per failed check, with the values at fault."""
    problems = []
    for (column, check), cases in failures.group_by("column", "check", maintain_order=True):
        values = [str(value) for value in dict.fromkeys(cases["failure_case"].to_list())]
        if check == "field_uniqueness":
            problems.append(
                f"ids occur more than once ({_named(values)}); make them unique or leave data.id out"
            )
        elif column == "label":
            near = "".join(nearest(value, known) for value in values[:1])
            problems.append(
                f"labels are not in the taxonomy ({_named(values)}{near}); "
                "add them to data.taxonomy or correct them in the source"
            )
        else:
            problems.append(f"column {column!r} fails {check} in {cases.height:,} rows ({_named(values)})")
    return problems


def _named(values: list[str]) -> str:
    more = len(values) - NAMED
    return ", ".join(map(repr, values[:NAMED])) + (f" and {more:,} more" if more > 0 else "")


def _drop_small_classes(ads: pl.DataFrame, smallest: int) -> tuple[pl.DataFrame, dict[str, int]]:
    """The ads of labels with at least `smallest` ads, and the others' counts by label."""
    sizes = Counter(ads["label"].to_list())
    small = {label: size for label, size in sorted(sizes.items()) if size < smallest}
    left = sorted(sizes.keys() - small)
    if len(left) < 2:
        found = f"only label {left[0]!r}" if left else f"none of {len(sizes)} labels"
        raise DataError(
            f"{found} has at least {smallest} ads, expected 2 labels or more; "
            "check data.label, lower data.min_class_size or add ads"
        )
    return ads.filter(~pl.col("label").is_in(list(small))), small


def _with_groups(ads: pl.DataFrame, data: Data) -> pl.DataFrame:
    """Add `group`: the id of the first ad that says nearly the same."""
    texts = [join_title(title, text) for title, text in ads.select("title", "text").iter_rows()]
    firsts = near_duplicate_groups(texts, data.near_duplicates, data.seed)
    return ads.with_columns(ads["id"].gather(firsts).alias("group"))


def _labels(ads: pl.DataFrame, topics: list[Topic] | None, where: str) -> list[dict[str, Any]]:
    """The labels that have ads: in the taxonomy's order, or sorted when there is none."""
    used = set(ads["label"].to_list())
    if topics is None:
        topics = [Topic(label, label) for label in sorted(used)]
    kept = [topic for topic in topics if topic.label in used]
    if len(kept) < len(topics):
        logger.info(
            "%d of %d labels of the taxonomy have no ads in %s", len(topics) - len(kept), len(topics), where
        )
    return [
        {
            "label": topic.label,
            "name": topic.name,
            "description": topic.description,
            "text": topic.text,
            "crosscutting": topic.is_crosscutting,
        }
        for topic in kept
    ]


def _listed(dropped: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in dropped.items())

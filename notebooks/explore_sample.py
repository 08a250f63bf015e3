# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The sample, looked at before any model
#
# `data/sample` holds synthetic adverts: no advert was ever posted and no person exists. This notebook asks what one
# should ask of any data set before training: how many adverts each label has, how long they are, what personal data
# they hold, which of them repeat each other, and how far plain words already lead.
#
# To look at your own adverts, change `ADS` and the column names in the second cell.

# %%
import json
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import polars as pl

from joblens.text import join_title, word_count

# %%
ROOT = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "pyproject.toml").is_file())
ADS = ROOT / "data/sample/ads.jsonl"

lines = [json.loads(line) for line in ADS.read_text("utf-8").splitlines()]
ads = pl.DataFrame(
    {name: [line[name] for line in lines] for name in ("id", "title", "text", "label", "language")}
).with_columns(words=pl.col("text").map_elements(word_count, return_dtype=pl.Int64))
ads.select("language", "label", "title", "words").head(5)

# %% [markdown]
# ## Labels
#
# The largest label has more than twice the adverts of the smallest, so accuracy alone flatters a model that ignores
# small labels. That is why joblens compares models by macro-F1, where every label counts the same.

# %%
sizes = ads.group_by("label").len("adverts").sort("adverts")
figure, axes = plt.subplots(figsize=(8, 6), layout="constrained")
axes.barh(sizes["label"].to_list(), sizes["adverts"].to_list())
axes.set_xlabel("adverts")
axes.set_title(f"{ads.height} adverts in {sizes.height} labels")
plt.show()

# %% [markdown]
# ## Lengths
#
# An encoder reads a window of a few hundred tokens at once. Adverts longer than that are read in several windows.

# %%
ads.group_by("language").agg(
    adverts=pl.len(),
    shortest=pl.col("words").min(),
    median=pl.col("words").median(),
    longest=pl.col("words").max(),
).sort("language")

# %% [markdown]
# ## Personal data
#
# The place of every span is known in the sample, so what `clean` misses can be counted. Here: how many spans of each
# kind there are, and in how many adverts.

# %%
PERSONAL = {"person", "email", "phone", "address", "id number", "organisation"}
kinds = [(line["id"], entity["label"]) for line in lines for entity in line["entities"]]
spans = pl.DataFrame(kinds, schema=["id", "kind"], orient="row")
(
    spans.group_by("kind")
    .agg(spans=pl.len(), adverts=pl.col("id").n_unique())
    .with_columns(personal=pl.col("kind").is_in(list(PERSONAL)))
    .sort("personal", "spans", descending=True)
)

# %%
from joblens.extractors.patterns import PatternExtractor

marked = PatternExtractor().extract(ads["text"].to_list())
found = Counter(entity.label for entities in marked for entity in entities)
in_sample = Counter(kind for _, kind in kinds)
for kind, pattern in {"email": "email", "phone": "phone", "id number": "cpr"}.items():
    print(f"{kind}: {found[pattern]} found by the patterns, {in_sample[kind]} in the sample")

# %% [markdown]
# ## Adverts that repeat each other
#
# A repost on both sides of a split is an answer given away. joblens puts near-duplicates into one group and never
# splits a group.

# %%
from joblens.sources.duplicates import near_duplicate_groups

groups = Counter(near_duplicate_groups(ads["text"].to_list(), threshold=0.8, seed=7))
repeated = {row: size for row, size in groups.items() if size > 1}
print(f"{len(repeated)} groups of near-duplicates hold {sum(repeated.values())} adverts")
print(f"{sum(line['repost_of'] is not None for line in lines)} adverts were made as reposts")

# %% [markdown]
# ## How far plain words lead
#
# TF-IDF of words and characters with a linear support vector machine takes seconds and is hard to beat: it is the
# `lexical` row of every comparison. One split here, groups kept together; `dvc repro` gives figures with intervals.

# %%
import torch
from sklearn.model_selection import StratifiedGroupKFold

from joblens.config import Lexical
from joblens.metrics import accuracy, best_class, macro_f1
from joblens.models.lexical import LexicalFeatures, lexical_scores

names = sorted(ads["label"].unique().to_list())
labels = torch.tensor([names.index(label) for label in ads["label"]])
whole = [join_title(title, text) for title, text in zip(ads["title"], ads["text"], strict=True)]
together = near_duplicate_groups(whole, threshold=0.8, seed=7)
folds = StratifiedGroupKFold(5, shuffle=True, random_state=7).split(whole, labels.numpy(), together)
train_rows, test_rows = (torch.from_numpy(rows) for rows in next(iter(folds)))

lexical = Lexical()
scores = lexical_scores(LexicalFeatures(whole, lexical), labels, train_rows, len(names), C=lexical.C, seed=7)
guesses = best_class(scores[test_rows])
print(f"{len(train_rows)} adverts to train on, {len(test_rows)} to test on")
print(f"accuracy {accuracy(guesses, labels[test_rows]):.3f}")
print(f"macro-F1 {macro_f1(guesses, labels[test_rows], len(names)):.3f}")

# %% [markdown]
# ## Which labels are taken for which
#
# The labels overlap on purpose, and a few percent of the adverts are filed under a neighbouring label. No model can be
# right about those.

# %%
mistakes = Counter(
    (names[label], names[guess])
    for label, guess in zip(labels[test_rows].tolist(), guesses.tolist(), strict=True)
    if label != guess
)
for (label, guess), count in mistakes.most_common(8):
    print(f"{count} × {label} → {guess}")
wrong = sum(line["label"] != line["true_label"] for line in lines)
print(f"{wrong} of {len(lines)} adverts ({wrong / len(lines):.1%}) are filed under a wrong label")

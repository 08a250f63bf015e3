"""The card of a title encoder: what it was trained on, what it is good for, and how to make it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.storage import write_json, write_text

if TYPE_CHECKING:
    from joblens.config import TitlesFlow

_LIMITS = """\
- It knows the words of ESCO's labels in Danish, Dutch, English, French, German, Norwegian, Polish, Spanish
  and Swedish. A word of another language, or one that no label has, counts by its letters only.
- Order does not count: "assistant to the manager" and "manager to the assistant" are the same to it.
- A title between two groups may change sides with the words around it ("Social- og sundhedsassistent"), and
  a short title is at times drawn to a longer label that has its letters ("Médico" to medical sales).
- It does not ask for the language: the Dutch "Arts", a physician, is read as somebody who teaches the arts.
- It is made for titles. A long text is the sum of its distinct words; use a sentence transformer for those.
- Probabilities of codes are fitted to English vacancy titles; `joblens bench codes` shows what comes true on
  adverts of another country.
"""


def write_card(folder: Path, flow: TitlesFlow, figures: Mapping[str, Any]) -> None:
    """Write `card.json` and `README.md` into the encoder's folder; neither holds the time it took."""
    lasting = {key: value for key, value in figures.items() if key != "seconds"}
    write_json(folder / "card.json", lasting | {"settings": card_settings(flow)})
    write_text(folder / "README.md", card_text(flow, lasting))


def card_settings(flow: TitlesFlow) -> dict[str, Any]:
    """What of the configuration makes the encoder what it is."""
    return flow.model_dump(mode="json", exclude={"compute", "tracking", "data_env", "output"})


def card_text(flow: TitlesFlow, figures: Mapping[str, Any]) -> str:
    """The model card in Markdown."""
    calibration = figures["calibration"]
    parts = [
        "# An encoder of job titles in nine languages",
        "Words and character n-grams, each a row of a table with learned vectors, added up and normalised: "
        f"{flow.buckets:,} rows of {flow.dimensions} numbers in a byte each. It needs NumPy and SciPy, no "
        "network and no graphics card. `embedding=titles` uses it, `joblens code TITLE` codes "
        "titles with it, and `SentenceTransformer(FOLDER, trust_remote_code=True)` loads it where "
        "joblens is installed.",
        "## Measured",
        f"Early stopping: {figures['held_out_queries']:,} labels that were never trained on, those of "
        f"{figures['held_out_concepts']} concepts and one each of others, find their synonyms with an MRR of "
        f"{figures['held_out_mrr']:.3f} (step {figures['step']:,}; "
        f"{figures['curve'][0]['mrr']:.3f} before training, as a random projection of TF-IDF).",
        "The MELO benchmark, beside character TF-IDF, MiniLM and published models, is measured by "
        "`joblens bench titles`; its table is in `docs/source/benchmarks.md`.",
        "## Codes",
        _calibration(calibration),
        "## Trained on",
        _sources(figures["sources"]),
        "No query and no annotation of the benchmark: "
        + ", ".join(f"{count} titles of {name}" for name, count in figures["excluded"].items())
        + " have the words of a query, in any order, and were left out. The French and Dutch labels are read "
        "from the benchmark's lists of labels, which are ESCO's own. What training makes of a label "
        "(plurals, forms of one sex, typos) is not taken when it has the words of a query or of a title kept "
        f"aside, and of no label: {figures['refused']:,} times in this run.",
        "## Limits",
        _LIMITS.strip(),
        "## Make it again",
        "```\nJOBLENS_REAL_DATA=FOLDER joblens finetune titles\n```\n\n"
        f"Seed {flow.seed}, {_where(figures['device'])}. FOLDER "
        "holds `esco/` (this work uses the ESCO classification of the European Commission; "
        "Commission Decision 2011/833/EU), `onet/` (O*NET, CC BY 4.0), `titles/` "
        "(JobBERT's evaluation titles, on which this encoder can no longer be evaluated) and "
        "`melo/` (MIT).",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _where(device: str) -> str:
    if device != "cpu":
        return f"on {device}"
    return "on one thread of a CPU, so that the same data and machine give the same bytes"


def _calibration(calibration: Mapping[str, Any]) -> str:
    if not calibration["titles"]:
        return "No titles were kept aside, so the probabilities of codes are not fitted."
    rows: Sequence[Mapping[str, Any]] = calibration["levels"]
    lines = ["| digits of ISCO-08 | right | promised |", "|---:|---:|---:|"]
    lines += [f"| {row['digits']} | {row['accuracy']:.3f} | {row['promised']:.3f} |" for row in rows]
    return (
        f"The likeliest code of {calibration['titles']:,} vacancy titles that were not trained on, and "
        "the mean probability it was given; the temperatures were fitted to these titles.\n\n"
        + "\n".join(lines)
    )


def _sources(sources: Mapping[str, int]) -> str:
    lines = ["| titles | distinct by concept |", "|---|---:|"]
    lines += [f"| {_named(name)} | {count:,} |" for name, count in sources.items()]
    return "\n".join(lines)


def _named(name: str) -> str:
    kind, _, language = name.partition(" ")
    return f"ESCO, {language}" if kind == "labels" else name

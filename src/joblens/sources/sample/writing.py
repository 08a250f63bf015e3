"""Write a sample as a folder: adverts, taxonomy, and a README that says what they are."""

import csv
import json
import logging
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from joblens.records import Entity
from joblens.sources.sample import rates
from joblens.sources.sample.generating import SampleAd, generate
from joblens.sources.sample.vocabulary import load_vocabulary
from joblens.storage import atomic_write, write_text

logger = logging.getLogger(__name__)

TAXONOMY_COLUMNS = ("label", "name_da", "name_en", "description_da", "description_en", "crosscutting")


def write_sample(folder: Path, ads: int, seed: int) -> None:
    """Write `ads.jsonl`, `taxonomy.csv` and `README.md` into `folder`; same arguments, same bytes.

    Raises:
        DataError: `ads` is below 1.
        StorageError: The disk is full, or `folder` cannot be written; files that stood there are untouched.
    """
    made = generate(ads, seed)
    with (
        atomic_write(folder / "ads.jsonl") as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as file,
    ):
        file.writelines(json.dumps(_row(ad), ensure_ascii=False) + "\n" for ad in made)
    write_taxonomy(folder / "taxonomy.csv")
    write_text(folder / "README.md", describe(made, seed))
    logger.info("%s adverts written to %s", f"{len(made):,}", folder)


def write_taxonomy(path: Path) -> None:
    """Write the 22 areas, `label` being the Danish name."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(TAXONOMY_COLUMNS)
        writer.writerows(
            (
                area.label,
                area.label,
                area.name_en,
                area.description_da,
                area.description_en,
                "yes" if area.mixes_fields else "no",
            )
            for area in load_vocabulary().areas
        )


def describe(ads: Sequence[SampleAd], seed: int) -> str:
    """The README: that it is synthetic, how it was made, and what was counted in these very adverts."""
    from jinja2 import StrictUndefined, Template

    source = (files(__package__) / "readme.md.j2").read_text(encoding="utf-8")
    template = Template(source, undefined=StrictUndefined, keep_trailing_newline=True)
    labels = Counter(ad.label for ad in ads)
    entities = Counter(entity.label for ad in ads for entity in (*ad.title_entities, *ad.entities))
    words = sorted(len(ad.text.split()) for ad in ads)
    text: str = template.render(
        ads=f"{len(ads):,}",
        ads_plain=len(ads),
        seed=seed,
        danish=sum(ad.language == "da" for ad in ads),
        english=sum(ad.language == "en" for ad in ads),
        mean_words=round(sum(words) / len(words)),
        shortest=words[0],
        longest=words[-1],
        mislabelled=_share(sum(ad.label != ad.true_label for ad in ads), len(ads)),
        reposts=_share(sum(ad.repost_of is not None for ad in ads), len(ads)),
        vague=f"{rates.VAGUE_TITLE:.0%}",
        borrowed=f"{rates.BORROWED:.0%}",
        field_share=f"{rates.FIELD_SHARE:.0%}",
        typing_errors=f"{rates.TYPING_ERRORS:.0%}",
        spacing=f"{rates.SPACING:.0%}",
        emoji=f"{rates.EMOJI:.0%}",
        html=f"{rates.HTML:.0%}",
        case_numbers=f"{rates.CASE_NUMBER:.0%}",
        entity_rows="\n".join(f"| {label} | {count:,} |" for label, count in sorted(entities.items())),
        label_rows="\n".join(f"| {label} | {count:,} |" for label, count in sorted(labels.items())),
    )
    return text


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.1%})"


def _row(ad: SampleAd) -> dict[str, object]:
    return {
        "id": ad.id,
        "title": ad.title,
        "text": ad.text,
        "label": ad.label,
        "language": ad.language,
        "entities": [_span(entity) for entity in ad.entities],
        "title_entities": [_span(entity) for entity in ad.title_entities],
        "true_label": ad.true_label,
        "repost_of": ad.repost_of,
    }


def _span(entity: Entity) -> dict[str, object]:
    return {"start": entity.start, "end": entity.end, "label": entity.label, "text": entity.text}

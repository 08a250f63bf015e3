"""Stage `audit`: what personal data the cleaning lets through, measured on synthetic adverts.

The adverts are full of personal data, every place of it known (`joblens.sources.personal`), and made of
names, streets and employers that no model of joblens was trained with. `joblens audit FILE` reads the same
meter on a labelled file (`joblens.pipeline.audit.labelled`).
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from joblens.extractors import in_project
from joblens.pipeline.audit.labelled import as_report
from joblens.pipeline.audit.meter import ALL
from joblens.pipeline.audit.page import render_page
from joblens.pipeline.audit.readings import read_meter
from joblens.sources.personal.adverts import generate_personal
from joblens.storage import write_json, write_text

if TYPE_CHECKING:
    from joblens.config import Config
    from joblens.paths import Layout

logger = logging.getLogger(__name__)


def run(config: Config, layout: Layout) -> None:
    """Write `layout.cleaning_report` and `layout.cleaning_page`.

    Raises:
        DataError: `audit.languages` names one that has no templates.
        ModelError: The extractor's model is missing, or cannot read a sentence whole.
        DeviceError: The device that was asked for is not there.
    """
    settings = config.audit
    texts = generate_personal(settings.ads, settings.seed, "audit", settings.languages)
    audit = read_meter(texts, in_project(config.cleaning, layout.root), config.compute, titled=True)
    data = {
        "ads": len(texts),
        "seed": settings.seed,
        "languages": dict(sorted(Counter(text.language for text in texts).items())),
        "entities": dict(sorted(Counter(entity.label for text in texts for entity in text.entities).items())),
    }
    report = as_report(audit, data)
    write_json(layout.cleaning_report, report)
    write_text(layout.cleaning_page, render_page(audit, report))
    for reading in audit.readings:
        leaking = reading.leaks.leaking_ads[ALL]
        logger.info(
            "%s, %s: %d of %d synthetic adverts leak",
            audit.extractor,
            reading.mode,
            leaking.hits,
            leaking.total,
        )

"""Synthetic job adverts in Danish and English over Jobnet's 22 areas, with every entity's place known.

    from joblens.sources.sample import generate
    ads = generate(ads=900, seed=7)

They are hard on purpose: areas share tasks and skills, titles are vague, some labels are wrong, some adverts
are reposts. `rates` holds how often. Nobody and nothing named in them exists.
"""

from joblens.sources.sample.generating import SampleAd, generate
from joblens.sources.sample.writing import write_sample

__all__ = ["SampleAd", "generate", "write_sample"]

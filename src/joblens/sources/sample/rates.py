"""How often the sample is wrong, vague, noisy or repeated: all the numbers its README states."""

MISLABELLED = 0.04
"""Originals that carry a neighbour's label; labels are swapped in pairs, so class sizes stay as planned."""
REPOSTED = 0.06
"""Adverts that are an earlier one with small edits."""
DANISH = 0.6

VAGUE_TITLE = 0.28
"""Titles that fit any job."""
TASK_TITLE = 0.10
PRIVATE_TITLE = 0.05
"""Titles with an organisation or a telephone number."""
UNNAMED = 0.40
"""Of the adverts with a vague title, those whose text does not name the occupation either."""
BORROWED = 0.18
"""Tasks and skills that come from the advert's second area."""
FIELD_SHARE = 0.35
"""The same for adverts of areas that cut across all fields (management, apprentices)."""
FOREIGN_OCCUPATION = 0.06
"""Adverts titled with an occupation of the second area."""
SECOND_ANYWHERE = 0.15
"""Adverts whose second area is any area, not a neighbour."""

TYPING_ERRORS = 0.15
"""Adverts with typing errors."""
HTML = 0.04
"""Adverts with remnants of HTML."""
EMOJI = 0.08
SPACING = 0.10
"""Adverts with doubled, missing or non-breaking spaces."""
LEAK = 0.06
"""Adverts with a CPR number that should not be there."""
CASE_NUMBER = 0.12
"""Adverts with a case or reference number, half of them like a CPR number but of an impossible day."""

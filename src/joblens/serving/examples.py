"""Bodies that /openapi.json shows; each of them works."""

from typing import Any

AD = {
    "title": "Tømrer søges",
    "text": "Vi søger en tømrer med svendebrev til tagarbejde og renovering i Aarhus.",
}
OTHER_AD = {"text": "Registered nurse for night shifts in a hospital ward."}
PROFILE = {"title": "Tømrersvend", "text": "Ti år med tag, facader og renovering."}

Examples = dict[str, Any]

QUESTIONS: Examples = {
    "one": {"summary": "One advert", "value": AD},
    "many": {"summary": "Several adverts", "value": {"ads": [AD, OTHER_AD]}},
}
EXPLAINED: Examples = {"one": {"summary": "One advert", "value": {**AD, "most": 3}}}
MATCHED: Examples = {
    "one": {
        "summary": "Two adverts, one profile",
        "value": {"ads": [AD, OTHER_AD], "profiles": [PROFILE], "cut_off": 0.3},
    }
}
TITLES: Examples = {
    "titles": {
        "summary": "Two titles",
        "value": {"titles": ["Tømrer søges", "Registered nurse, night shift"], "nearest": 1},
    }
}
CORRECTED: Examples = {
    "one": {
        "summary": "One advert, which the model had got wrong",
        "value": {"corrections": [{**AD, "id": "1204", "label": "Bygge og anlæg", "guess": "Ledelse"}]},
    }
}

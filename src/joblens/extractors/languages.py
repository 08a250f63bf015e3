"""Which language an advert is in, for models that were trained for some only."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

LANGUAGES = (
    *(
        "bg",
        "ca",
        "cs",
        "da",
        "de",
        "el",
        "en",
        "es",
        "et",
        "fi",
        "fr",
        "gl",
        "hr",
        "hu",
        "is",
        "it",
        "lt",
        "lv",
    ),
    *("nl", "nn", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "tr", "uk"),
)
"""Those told apart (ISO 639-1). Without others a short advert is less often taken for one far away."""

ENOUGH = 4000
"""Characters that tell the language; more of them tell no more."""

SURE = 0.9
"""Least probability of a language that is told."""


def language_of(text: str) -> str | None:
    """The language of a text, one of `LANGUAGES`; None when it is not sure, as for most titles alone.

    By langid's naive Bayes over n-grams of bytes (Lui & Baldwin, 2012), as py3langid ships it.
    """
    language, probability = _identifier().classify(text)
    return str(language) if probability >= SURE else None


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier

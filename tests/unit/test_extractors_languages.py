"""Which language an advert is in."""

import pytest

from joblens.extractors.languages import LANGUAGES, language_of

TEXTS = {
    "da": "Vi søger en dygtig kok til vores køkken. Du skal lave mad til børnene og holde orden.",
    "en": "We are looking for a cook for our kitchen. You will prepare meals and keep things tidy.",
    "es": "Buscamos un cocinero para nuestra cocina. Tendrás que preparar las comidas y mantener el orden.",
    "ru": "Мы ищем повара на нашу кухню. Вы будете готовить еду и следить за порядком.",
    "pl": "Szukamy kucharza do naszej kuchni. Będziesz przygotowywać posiłki i dbać o porządek.",
    "de": "Wir suchen einen Koch für unsere Küche. Sie bereiten Mahlzeiten zu und halten Ordnung.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_the_language_of_an_advert_is_told(language):
    assert language_of(TEXTS[language]) == language


@pytest.mark.parametrize("text", ["", " ", "\n", "12 34", "Kok", "Barista", "SysOps"])
def test_too_little_text_is_in_no_language_for_sure(text):
    assert language_of(text) is None


def test_no_other_language_is_ever_told():
    assert language_of("Kami sedang mencari seorang juru masak untuk dapur kami di Jakarta") in {
        *LANGUAGES,
        None,
    }

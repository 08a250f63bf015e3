"""What the trained classifier must ignore, what must move it, and what it may never miss.

Invariance, directional and minimum functionality tests after Ribeiro et al. (2020), "Beyond accuracy:
behavioral testing of NLP models with CheckList", on adverts that the sample does not hold.
"""

from collections.abc import Sequence

import pytest

from joblens.inference.classify import Classifier
from joblens.records import Guess

pytestmark = pytest.mark.slow

HEALTH = "Sundhed, omsorg og personlig pleje"

# An advert without a doubt for each of ten areas; {city}, {name} and {reach} are filled in.
ADVERTS = {
    "Bygge og anlæg": (
        "Tømrer",
        "Firmaet i {city} søger en tømrer til renovering af tage og facader. Du skal lægge tag, rejse "
        "spær og støbe fundament på byggepladsen. Kontakt {name} på {reach}.",
    ),
    HEALTH: (
        "Nurse for a medical ward",
        "The hospital in {city} needs a nurse who cares for patients, gives medicine, measures blood "
        "pressure and writes care plans with the doctors. Please contact {name}, {reach}.",
    ),
    "It og teleteknik": (
        "Software developer",
        "We build web services in {city}. You write and test code in Python, run servers and databases, "
        "and fix bugs with the other programmers. {name} answers questions on {reach}.",
    ),
    "Hotel, restauration, køkken, kantine": (
        "Kok",
        "Restauranten i {city} søger en kok, der kan lave varme retter, planlægge menuen og holde køkkenet "
        "rent. Du serverer også for gæsterne. Ring til {name} på {reach}.",
    ),
    "Transport, post, lager- og maskinførerarbejde": (
        "Lorry driver",
        "Drive a lorry with goods from the warehouse in {city} to shops, load and unload pallets with a "
        "forklift, and keep the delivery notes. Call {name} on {reach}.",
    ),
    "Undervisning og vejledning": (
        "Teacher of mathematics",
        "The school in {city} wants a teacher who plans lessons in mathematics, marks homework and "
        "guides pupils before their exams. Write to {name} at {reach}.",
    ),
    "Kontor, administration, regnskab og finans": (
        "Bogholder",
        "Virksomheden i {city} søger en bogholder til fakturaer, moms, lønkørsel og årsregnskab. Du "
        "afstemmer konti og svarer revisor. Spørg {name} på {reach}.",
    ),
    "Rengøring, ejendomsservice og renovation": (
        "Cleaning assistant",
        "Clean offices and stairs in {city}: wash floors, polish windows, empty bins and refill soap. "
        "Contact {name}, {reach}.",
    ),
    "Vagt, sikkerhed og overvågning": (
        "Security guard",
        "Night guard in {city}: patrol the building, watch the cameras, check access cards at the gate "
        "and write reports on alarms. Contact {name}, {reach}.",
    ),
    "Landbrug, skovbrug, gartneri, fiskeri og dyrepleje": (
        "Gartner",
        "Gartneriet ved {city} søger en gartner til at plante, luge og klippe hække, passe drivhuse og fodre "
        "dyrene på gården. Kontakt {name} på {reach}.",
    ),
}
CITIES = ("Aarhus", "Odense", "Esbjerg", "London", "Warszawa")
NAMES = ("Mette", "Lars", "Fatima", "Agnieszka", "Mohammed")
REACH = ("22 77 22 77", "+45 33993399", "mette.vang@vang.example", "job@fjordby.example")


def advert(label: str, city: str = CITIES[0], name: str = NAMES[0], reach: str = REACH[0]) -> tuple[str, str]:
    """Title and text of the advert of an area."""
    title, text = ADVERTS[label]
    return title, text.format(city=city, name=name, reach=reach)


def guess(classifier: Classifier, adverts: Sequence[tuple[str, str]]) -> list[Guess]:
    titles, texts = zip(*adverts, strict=True)
    return classifier.predict(texts, titles=titles)


def labels(guesses: Sequence[Guess]) -> list[str]:
    return [guess.label for guess in guesses]


@pytest.fixture(scope="module")
def plain(classifier: Classifier) -> list[Guess]:
    """Guesses for the adverts as they stand, in the order of `ADVERTS`."""
    return guess(classifier, [advert(label) for label in ADVERTS])


# Minimum functionality


def test_an_unmistakable_advert_has_its_area_among_the_first_three(plain):
    missed = [label for label, guess in zip(ADVERTS, plain, strict=True) if label not in dict(guess.top)]
    assert missed == []


def test_most_unmistakable_adverts_get_their_area_at_once(plain):
    right = [label == guess.label for label, guess in zip(ADVERTS, plain, strict=True)]
    assert sum(right) >= 8  # of 10; nobody sorts every synthetic advert as it was filed


# Invariance


@pytest.mark.parametrize("city", CITIES[1:])
def test_another_city_hardly_ever_changes_the_label(classifier, plain, city):
    swapped = guess(classifier, [advert(label, city=city) for label in ADVERTS])
    kept = [new == old for new, old in zip(labels(swapped), labels(plain), strict=True)]
    assert sum(kept) >= 9  # of 10: one close call may fall to the other side


@pytest.mark.parametrize("name", NAMES[1:])
def test_another_first_name_hardly_ever_changes_the_label(classifier, plain, name):
    swapped = guess(classifier, [advert(label, name=name) for label in ADVERTS])
    kept = [new == old for new, old in zip(labels(swapped), labels(plain), strict=True)]
    assert sum(kept) >= 9  # of 10, as above


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("22 77 22 77", "+45 33993399"),  # a telephone number, however it is written
        ("mette.vang@vang.example", "job@fjordby.example"),
    ],
)
def test_another_number_or_mailbox_changes_nothing_at_all(classifier, one, other):
    # Both are masked by type before the encoder reads the advert, so the answers are equal to the last digit;
    # so is the name beside them, whether or not the mailbox is called like it.
    first = guess(classifier, [advert(label, reach=one) for label in ADVERTS])
    assert guess(classifier, [advert(label, reach=other) for label in ADVERTS]) == first


def test_an_advert_gets_the_same_guess_alone_as_among_others(classifier, plain):
    for label, among_others in zip(ADVERTS, plain, strict=True):
        (alone,) = guess(classifier, [advert(label)])
        assert (alone.label, alone.prediction_set) == (among_others.label, among_others.prediction_set)
        # Matrix products of other sizes add up in another order: float32 differs in its last digits.
        assert alone.probability == pytest.approx(among_others.probability, abs=1e-5)


def test_spaces_and_empty_lines_change_nothing_at_all(classifier, plain):
    spread = [(title, f"\n\n  {text.replace(' ', '   ')}\n\n\n") for title, text in map(advert, ADVERTS)]
    assert guess(classifier, spread) == plain


def test_capitals_do_not_change_the_label(classifier, plain):
    shouted = [(title.upper(), text.upper()) for title, text in map(advert, ADVERTS)]
    assert labels(guess(classifier, shouted)) == labels(plain)


# Directional

NEUTRAL = (
    (
        "Vi søger en ny kollega",
        "Du bliver en del af et team på tolv med fleksible arbejdstider. Vi tilbyder pension og frokost.",
    ),
    (
        "We are looking for a new colleague",
        "You will join a team of twelve with flexible hours. We offer a pension and lunch.",
    ),
)


@pytest.mark.parametrize("neutral", NEUTRAL)
@pytest.mark.parametrize("words", ["Du er sygeplejerske.", "Nurse, patient care."])
def test_naming_a_nurse_raises_the_probability_of_health(classifier, monkeypatch, neutral, words):
    monkeypatch.setattr("joblens.inference.classify.TOP", len(classifier.bundle.labels))  # show every label
    title, text = neutral
    before, after = guess(classifier, [neutral, (title, f"{text} {words}")])
    # One sentence among several must count: the probability at least doubles, from a low start.
    assert dict(after.top)[HEALTH] > 2 * dict(before.top)[HEALTH]

import math
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from typer.testing import CliRunner

from joblens.cli import app
from joblens.config import Cleaning
from joblens.encoders.toy import ToyEncoder
from joblens.errors import BundleError, DataError
from joblens.extractors.nothing import NoExtractor
from joblens.extractors.patterns import PatternExtractor
from joblens.extractors.toy import ToyExtractor
from joblens.inference.classify import Classifier

CARPENTER = "Vi søger en tømrer til tag og væg."
NURSE = "Sygeplejerske til hospital, pleje og medicin."


def test_an_advert_full_of_a_labels_words_gets_that_label(classifier):
    guesses = classifier.predict([CARPENTER, NURSE, "Kok til restaurant"])
    assert [guess.label for guess in guesses] == ["Byggeri", "Sundhed", "Køkken"]


def test_the_top_is_sorted_sums_to_one_over_all_labels_and_starts_with_the_guess(classifier):
    (guess,) = classifier.predict([CARPENTER])
    chances = [chance for _, chance in guess.top]
    assert len(guess.top) == 3
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1.0)
    assert guess.top[0] == (guess.label, guess.probability)


def test_the_prediction_set_holds_the_labels_above_the_threshold(classifier):
    (guess,) = classifier.predict([CARPENTER])
    expected = [label for label, chance in guess.top if chance >= 0.05]  # the fixture's set_threshold
    assert list(guess.prediction_set) == expected


def test_a_guess_below_the_threshold_abstains_and_says_why(make_bundle):
    strict = Classifier.load(make_bundle(abstain_below=1.0))
    (guess,) = strict.predict(["tømrer kok"])
    assert guess.abstained
    assert guess.label in {"Byggeri", "Køkken"}
    assert (
        guess.reason
        == f"probability {guess.probability:.3f} is below 1.000, where the model starts to answer"
    )


def test_a_guess_that_does_not_abstain_has_no_reason(classifier):
    (guess,) = classifier.predict([CARPENTER])
    assert not guess.abstained
    assert guess.reason is None


BOTH = "tømrer murer kok tjener"  # of Byggeri and of Køkken


def test_labels_that_cut_across_each_other_are_named_likeliest_first(make_bundle):
    crossing = Classifier.load(make_bundle(crosscutting=(1,)))  # Køkken
    (guess,) = crossing.predict([BOTH])
    first, second = guess.prediction_set
    assert {first, second} == {"Byggeri", "Køkken"}
    assert guess.crossing == f"{first} and {second} cut across each other: both may be right"


def test_the_command_line_tells_that_labels_cut_across_each_other(make_bundle):
    bundle = make_bundle(crosscutting=(1,))
    (guess,) = Classifier.load(bundle).predict([BOTH])
    shown = CliRunner().invoke(app, ["classify", BOTH, "--bundle", str(bundle), "--device", "cpu"])
    assert shown.exit_code == 0
    assert f"  {guess.crossing}\n" in shown.stdout


def test_of_several_labels_that_are_cut_across_the_likeliest_is_named(make_bundle):
    crossing = Classifier.load(make_bundle(crosscutting=(2,), set_threshold=0.0001))  # Sundhed
    (guess,) = crossing.predict([BOTH + " murer patient"])
    assert sorted(guess.prediction_set) == ["Byggeri", "Køkken", "Sundhed"]
    pair = [label for label in guess.prediction_set if label in (guess.label, "Sundhed")]
    assert guess.crossing == f"{pair[0]} and {pair[1]} cut across each other: both may be right"


@pytest.mark.parametrize(
    ("crosscutting", "set_threshold", "text"),
    [
        ((), 0.05, BOTH),  # neighbours that are confused, no more
        ((2,), 0.05, BOTH),  # the label that cuts across is not in the set
        ((0,), 0.05, CARPENTER),  # it is, alone
        ((0,), 0.0, BOTH),  # every label is in every set, which says nothing
        ((0,), 0.05, ""),  # nothing was read
    ],
)
def test_other_sets_say_nothing_of_crossing(make_bundle, crosscutting, set_threshold, text):
    bundle = make_bundle(crosscutting=crosscutting, set_threshold=set_threshold)
    (guess,) = Classifier.load(bundle).predict([text])
    assert guess.crossing is None


def test_a_guess_is_the_answer_to_the_cleaned_advert(classifier):
    texts = [CARPENTER, "", NURSE]
    assert classifier.guess(classifier.clean(texts)) == classifier.predict(texts)


def test_no_texts_give_no_guesses(classifier):
    assert classifier.predict([]) == []


@pytest.mark.parametrize("text", ["", "  \n", "\x00", "<p></p>", "?!"])
def test_a_text_without_words_abstains_with_every_label_possible(classifier, text):
    (guess,) = classifier.predict([text])
    assert (guess.label, guess.probability, guess.top) == ("", 0.0, ())
    assert guess.prediction_set == classifier.bundle.labels
    assert guess.abstained
    assert guess.reason == "no text"


def test_texts_without_words_do_not_move_the_others(classifier):
    guesses = classifier.predict(["", CARPENTER, "", NURSE])
    assert [guess.label for guess in guesses] == ["", "Byggeri", "", "Sundhed"]


def test_a_title_alone_is_enough_to_guess_from(classifier):
    (guess,) = classifier.predict([""], titles=["Tømrer"])
    assert guess.label == "Byggeri"


def test_a_bundle_trained_without_titles_does_not_read_them(make_bundle):
    untitled = Classifier.load(make_bundle(uses_title=False))
    assert untitled.predict([NURSE], titles=["Tømrer murer tag"]) == untitled.predict([NURSE])
    assert untitled.predict([""], titles=["Tømrer"])[0].reason == "no text"


def test_a_bundle_trained_with_titles_reads_them(classifier):
    (without,), (within,) = (
        classifier.predict([NURSE]),
        classifier.predict([NURSE], titles=["Tømrer murer tag"]),
    )
    assert within.probability < without.probability  # the title speaks for another label


def test_html_reads_like_the_plain_text_in_it(classifier):
    plain, marked = classifier.predict(["Tømrer\ntil tag", "<h1>Tømrer</h1><p>til <b>tag</b></p>"])
    assert plain == marked


def test_a_bundle_trained_without_turning_html_into_text_reads_it_as_it_is(make_bundle):
    as_it_is = Classifier.load(make_bundle(html=False, extractor="none"))
    as_text = Classifier.load(make_bundle(html=True, extractor="none"))
    words, marked = "tømrer hammer", '<p class="kok restaurant gryde">tømrer hammer</p>'
    assert as_text.predict([words, marked])[0] == as_text.predict([words, marked])[1]
    plain, with_class = as_it_is.predict([words, marked])
    assert with_class.probability < plain.probability  # the words in the tag speak for another label


@pytest.mark.parametrize(("html", "reason"), [(True, "no text"), (False, None)])
def test_html_in_titles_is_read_as_in_texts(make_bundle, html, reason):
    (guess,) = Classifier.load(make_bundle(html=html)).predict([""], titles=['<p class="tømrer"></p>'])
    assert guess.reason == reason


def test_personal_data_does_not_change_the_guess(classifier):
    """The pattern cleaning masks every address with the same word."""
    one, other = classifier.predict(["Tømrer, skriv til kok@restaurant.dk", "Tømrer, skriv til bo@firma.dk"])
    assert one == other


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([None], "text 0 is None, expected a string"),
        ([CARPENTER, math.nan], "text 1 is NaN, expected a string"),
        ([CARPENTER, 7], "text 1 is int, expected a string"),
        (CARPENTER, "texts is one string, expected a list"),
    ],
)
def test_what_is_not_a_list_of_strings_is_refused(classifier, texts, message):
    with pytest.raises(DataError, match=message):
        classifier.predict(texts)


def test_another_number_of_titles_is_refused(classifier):
    with pytest.raises(DataError, match="2 titles for 1 texts"):
        classifier.predict([CARPENTER], titles=["a", "b"])


def test_a_title_may_be_none_but_not_nan(classifier):
    assert classifier.predict([CARPENTER], titles=[None]) == classifier.predict([CARPENTER])
    with pytest.raises(DataError, match="title 0 is NaN"):
        classifier.predict([CARPENTER], titles=[math.nan])


def test_a_bundle_of_another_encoder_is_refused_with_both_fingerprints(make_bundle, classifier):
    other = make_bundle(name="foreign", fingerprint="f" * 64)
    mine = classifier.bundle.encoder_fingerprint[:12]
    with pytest.raises(BundleError, match=f"'foreign' was trained with encoder ffffffffffff, this is {mine}"):
        Classifier.load(other)


def test_a_bundle_of_another_extractor_is_refused_with_both_fingerprints(make_bundle):
    other = make_bundle(name="foreign", extractor="toy", extractor_fingerprint="e" * 64)
    used = Cleaning(extractor="toy")
    mine = ToyExtractor(used.keep, used.drop).fingerprint[:12]
    with pytest.raises(BundleError) as caught:
        Classifier.load(other)
    message = str(caught.value)
    assert message.startswith(
        f"bundle 'foreign' was trained with extractor eeeeeeeeeeee, this is {mine} (toy); install"
    )
    assert "\n" not in message


def test_an_extractor_given_by_hand_must_be_that_of_the_bundle_too(classifier):
    section = classifier.bundle.embedding
    encoder = ToyEncoder(dimensions=section.dimensions, seed=section.seed)
    with pytest.raises(BundleError, match=r"was trained with extractor patterns \d+, this is none"):
        Classifier(classifier.bundle, NoExtractor(), encoder, name="mixed", version="0")


def test_a_missing_bundle_is_refused(tmp_path):
    with pytest.raises(BundleError, match="there is no bundle folder"):
        Classifier.load(tmp_path / "nowhere")


def test_the_version_changes_with_the_bundle_and_only_then(make_bundle, bundle_folder, classifier):
    assert Classifier.load(str(bundle_folder)).version == classifier.version
    assert Classifier.load(make_bundle(abstain_below=0.5)).version != classifier.version
    assert len(classifier.version) == 12


def test_a_five_megabyte_advert_is_read_whole(classifier):
    """All its words stand at the very end."""
    long, short = classifier.predict(["- " * 2_500_000 + CARPENTER, CARPENTER])
    assert long.label == "Byggeri"
    assert long.probability == pytest.approx(short.probability)


class CountingEncoder(ToyEncoder):
    """Remembers how many threads were in it at once; a thread stays long enough to be caught."""

    inside = most = 0

    def encode(self, texts):
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.02)
        vectors = super().encode(texts)
        self.inside -= 1
        return vectors


def test_threads_that_share_a_classifier_take_turns_and_get_the_same_guesses(classifier):
    section = classifier.bundle.embedding
    encoder = CountingEncoder(dimensions=section.dimensions, seed=section.seed)
    shared = Classifier(classifier.bundle, PatternExtractor(), encoder, name="shared", version="0")
    texts = [CARPENTER, NURSE, "Kok til restaurant"]
    alone = classifier.predict(texts)
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(shared.predict, [texts] * 8))
    assert together == [alone] * 8
    assert encoder.most == 1

"""How encoders of titles and their codes are measured: MELO as its authors do it, noise, ISCO-08 codes."""

from __future__ import annotations

import io
from math import log, sqrt
from random import Random

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from joblens.encoders.title_features import feature_ids
from joblens.encoders.titles import Shape, TitleEncoder, quantised
from joblens.errors import DataError
from joblens.finetune.titles.augmentation import with_noise, with_typo
from joblens.finetune.titles.benchmark import (
    character_tf_idf,
    cosine_of,
    evaluate,
    noises,
    without_labels,
)
from joblens.finetune.titles.coding import CONFIDENCES, code_tables, measure_codes, read_titles
from joblens.finetune.titles.report import OURS, speed_line, tables
from joblens.inference.code import Names, TitleCoder
from joblens.sources.melo import MeloSet

ONE_ROW_A_WORD = Shape(buckets=8192, dimensions=3, shortest=1, longest=0)
"""No n-grams: a word is one row of the table."""


def encoder_of(**vectors):
    """An encoder that knows these words."""
    words = list(vectors)
    rows, _ = feature_ids(words, buckets=8192, shortest=1, longest=0)
    assert len(set(rows)) == len(words)
    table = np.zeros((8192, 3), np.float32)
    table[rows] = list(vectors.values())
    return TitleEncoder(ONE_ROW_A_WORD, *quantised(table))


def melo(queries, labels, relevant, name="deu_q_de_c_de"):
    """A set; titles and labels are their own ids unless they are pairs."""
    pairs = [
        tuple((each, each) if isinstance(each, str) else each for each in texts)
        for texts in (queries, labels)
    ]
    return MeloSet(
        name, *pairs, {key: f"uri {key}" for key, _ in pairs[1]},
        {query: frozenset(found) for query, found in relevant.items()},
    )  # fmt: skip


def scored(rows):
    """A similarity that gives these scores, a row for each title."""
    return lambda queries, labels: lambda start, end: np.array(rows, np.float32)[start:end]


def test_the_figures_are_those_of_the_definitions():
    found = melo("xyz", "abcd", {"x": "a", "y": "bc", "z": "d"})
    scores = [
        [0.9, 0.1, 0.2, 0.3],  # x: a d c b, right at 1
        [0.9, 0.8, 0.1, 0.2],  # y: a b d c, right at 2 and 4
        [0.9, 0.8, 0.7, 0.1],  # z: a b c d, right at 4
    ]
    result = evaluate(found, scored(scores))
    assert (result.name, result.queries) == ("deu_q_de_c_de", 3)
    assert result.mrr == pytest.approx((1 + 1 / 2 + 1 / 4) / 3)
    assert result.map == pytest.approx((1 + (1 / 2 + 2 / 4) / 2 + 1 / 4) / 3)
    assert (result.hit_1, result.hit_5, result.hit_10) == (pytest.approx(1 / 3), 1.0, 1.0)


@pytest.mark.parametrize(
    ("place", "expected"), [(1, (1, 1, 1)), (2, (0, 1, 1)), (5, (0, 1, 1)), (6, (0, 0, 1)), (11, (0, 0, 0))]
)
def test_a_hit_is_a_right_label_among_the_first_so_many(place, expected):
    labels = [f"label {number:02}" for number in range(1, 13)]
    found = melo(["x"], labels, {"x": [f"label {place:02}"]})
    result = evaluate(found, scored([np.linspace(1, 0, 12)]))
    assert (result.hit_1, result.hit_5, result.hit_10) == expected
    assert result.mrr == pytest.approx(1 / place)


@pytest.mark.parametrize(("right", "rank"), [("c", 1), ("b", 2), ("a", 3)])
def test_equal_scores_are_ordered_by_descending_id(right, rank):
    found = melo(["x"], ["b", "a", "c"], {"x": [right]})
    assert evaluate(found, scored([[0.5, 0.5, 0.5]])).mrr == pytest.approx(1 / rank)


@pytest.mark.parametrize(("lead", "rank"), [(0.000004, 2), (0.00002, 1)])
def test_scores_are_equal_if_their_first_five_decimals_are(lead, rank):
    found = melo(["x"], ["a", "b"], {"x": ["a"]})
    assert evaluate(found, scored([[0.5 + lead, 0.5]])).mrr == pytest.approx(1 / rank)


@pytest.mark.parametrize(("place", "expected"), [(100, 1 / 100), (101, 0)])
def test_only_the_first_100_labels_count(place, expected):
    labels = [f"label {number:03}" for number in range(1, 121)]
    found = melo(["x"], labels, {"x": [f"label {place:03}"]})
    result = evaluate(found, scored([np.linspace(1, 0, 120)]))
    assert (result.mrr, result.map) == (pytest.approx(expected), pytest.approx(expected))


def test_a_right_label_behind_the_first_100_lowers_the_average_precision():
    labels = [f"label {number:03}" for number in range(1, 121)]
    found = melo(["x"], labels, {"x": ["label 001", "label 120"]})
    assert evaluate(found, scored([np.linspace(1, 0, 120)])).map == pytest.approx(1 / 2)


def test_of_equal_scores_the_first_labels_are_kept():
    # As the benchmark does it: it keeps 100 in the order of the list, and trec_eval orders those by id.
    labels = [f"label {number:03}" for number in range(1, 121)]
    equal = scored([np.ones(120)])
    assert evaluate(melo(["x"], labels, {"x": ["label 100"]}), equal).mrr == 1.0
    assert evaluate(melo(["x"], labels, {"x": ["label 120"]}), equal).mrr == 0.0


def test_a_title_that_means_nothing_is_not_looked_up():
    found = melo("xy", "ab", {"y": "b"})
    result = evaluate(found, scored([[0.1, 0.9]]))
    assert (result.queries, result.mrr) == (1, 1.0)


def test_titles_beyond_the_first_256_are_measured_too():
    names = [f"{number:03}" for number in range(300)]
    found = melo(names, names, {name: [name] for name in names})
    scores = np.eye(300)
    scores[299] = np.linspace(1, 0, 300)  # the last title finds its label in the last place of 300
    assert evaluate(found, scored(scores)).mrr == pytest.approx(299 / 300)


def seen_by(found, change=None):
    """The titles and labels that a similarity is asked about."""
    asked = []

    def similarity(queries, labels):
        asked.append((list(queries), list(labels)))
        return lambda start, end: np.zeros((end - start, len(labels)))

    evaluate(found, similarity, change)
    return asked


def test_spanish_titles_are_put_in_lower_case_and_others_are_not():
    spanish, german = (
        melo(["COCINERO"], ["Koch"], {"COCINERO": ["Koch"]}, name)
        for name in ("esp_q_es_c_es", "deu_q_de_c_de")
    )
    assert seen_by(spanish) == [(["cocinero"], ["Koch"])]
    assert seen_by(german) == [(["COCINERO"], ["Koch"])]


def test_a_change_is_made_to_titles_and_not_to_labels():
    found = melo(["Koch"], ["Köchin"], {"Koch": ["Köchin"]})
    assert seen_by(found, str.upper) == [(["KOCH"], ["Köchin"])]


def test_an_encoder_is_measured_by_the_cosine_of_its_vectors():
    encoder = encoder_of(cook=(1, 0, 0), chef=(3, 4, 0), nurse=(0, 0, 1))
    scores = cosine_of(encoder)(["cook", "nurse"], ["chef", "cook"])
    assert scores(0, 2) == pytest.approx(np.array([[0.6, 1.0], [0.0, 0.0]]), abs=0.01)
    assert scores(1, 2) == pytest.approx(np.array([[0.0, 0.0]]), abs=0.01)


LABELS = ["cook", "cook's assistant", "nurse", "bus driver", "nursing assistant"]
TITLES = ["assistant cook", "Nurse", "zoo", "driver of a bus"]


def test_the_lexical_peer_is_the_cosine_of_scikit_learn():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics.pairwise import cosine_similarity

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3)).fit(LABELS)
    expected = cosine_similarity(vectorizer.transform(TITLES), vectorizer.transform(LABELS))
    scores = character_tf_idf(TITLES, LABELS)
    assert scores(0, 4) == pytest.approx(expected)
    assert scores(1, 3) == pytest.approx(expected[1:3])


def test_the_lexical_peer_counts_letters_in_the_labels():
    # Labels "a" and "b": each letter is in one of two, so weights are equal, and "c" is unknown.
    found = character_tf_idf(["a", "ab", "ca"], ["a", "b"])(0, 3)
    assert found == pytest.approx(np.array([[1, 0], [sqrt(1 / 2), sqrt(1 / 2)], [1, 0]]))


def test_titles_that_are_labels_letter_by_letter_can_be_left_out():
    found = melo(["Koch", "KÖCHIN", "Kochin", "Koch (m/w)"], [("1", "Koch"), ("2", "Köchin")], {"Koch": "1"})
    kept = without_labels(found, {"koch", "kochin"})
    assert [text for _, text in kept.queries] == ["Koch (m/w)"]
    assert (kept.name, kept.labels, kept.relevant) == (found.name, found.labels, found.relevant)


@pytest.mark.parametrize(
    ("noise", "expected"), [("upper case", "TØMRER PÅ ÉN Ø"), ("no diacritics", "Tømrer pa en Ø")]
)
def test_letters_of_a_title_can_be_changed(noise, expected):
    assert noises(7)[noise]("Tømrer på én Ø") == expected


def test_random_noise_is_what_adverts_do_with_a_seed_of_its_own():
    changes = noises(7)
    assert changes["one typo"]("carpenter") == with_typo("carpenter", Random("7-typo-carpenter"))
    expected = with_noise("carpenter", Random("7-noise-carpenter"))
    assert changes["gender, place and contract"]("carpenter") == expected


def test_the_noise_of_a_title_does_not_depend_on_the_titles_before_it():
    first, second = noises(7), noises(7)
    for name, change in first.items():
        change("another title")
        assert change("carpenter") == second[name]("carpenter")


def test_the_seed_fixes_the_noise():
    def typos(seed):
        change = noises(seed)["one typo"]
        return [change(f"carpenter {number}") for number in range(20)]

    assert typos(1) == typos(1)
    assert typos(1) != typos(2)


def row(name, mrr, queries=100):
    return {
        "name": name,
        "queries": queries,
        "mrr": mrr,
        "map": 0.25,
        "hit_1": 0.1,
        "hit_5": 0.5,
        "hit_10": 0.75,
    }


FIGURES = {
    "sets": {
        OURS: [row("deu_q_de_c_de", 0.5), row("pol_q_pl_c_pl", 0.7), row("deu_q_de_c_en", 0.3)],
        "a peer": [row("deu_q_de_c_de", 0.2), row("pol_q_pl_c_pl", 0.4), row("deu_q_de_c_en", 0.1)],
    },
    "without_labels": [row("deu_q_de_c_de", 0.4, queries=90), row("pol_q_pl_c_pl", 0.6, queries=80)],
    "noise": {"upper case": [row("deu_q_de_c_de", 0.1), row("pol_q_pl_c_pl", 0.2)]},
}


def cells(table):
    """The rows of a table as a terminal of any width shows them, without the lines between."""
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    lines = console.file.getvalue().splitlines()
    return [[cell.strip() for cell in line.strip("│┃").split("│")] for line in lines if line.startswith("│")]


def test_the_report_has_a_table_of_each_kind_of_set_and_the_details_and_the_noise():
    titles = [table.title for table in tables(FIGURES)]
    assert titles == ["MRR, same language", "MRR, to English labels", OURS, "MRR of changed titles"]


def test_encoders_stand_beside_published_ones_with_their_mean():
    same, to_english, *_ = tables(FIGURES)
    rows = cells(same)
    assert rows[:2] == [[OURS, "0.500", "0.700", "0.600"], ["a peer", "0.200", "0.400", "0.300"]]
    assert ["multilingual-e5-large (published)", "0.612", "0.584", "0.598"] in rows
    assert [column.header for column in same.columns] == ["encoder", "de", "pl", "mean"]
    assert cells(to_english)[0] == [OURS, "0.300", "0.300"]
    assert [column.header for column in to_english.columns] == ["encoder", "de → en", "mean"]


def test_a_set_that_was_not_published_is_empty_and_so_is_the_mean():
    figures = {**FIGURES, "sets": {OURS: [row("deu_q_de_c_de", 0.5), row("swe_q_sv_c_sv", 0.7)]}}
    figures |= {"without_labels": [row("deu_q_de_c_de", 0.5), row("swe_q_sv_c_sv", 0.7)], "noise": {}}
    assert ["multilingual-e5-large (published)", "0.612", "", ""] in cells(tables(figures)[0])


def test_the_details_are_all_figures_of_ours():
    details = cells(tables(FIGURES)[2])
    assert details[0] == ["de", "100", "0.500", "0.250", "0.100", "0.500", "0.750"]
    assert [line[0] for line in details] == ["de", "pl", "de → en"]


def test_noise_is_shown_with_the_share_that_is_lost():
    assert cells(tables(FIGURES)[3]) == [
        ["as they are", "0.500", "0.700", "0.600", ""],
        ["without 30 that are labels", "0.400", "0.600", "0.500", ""],
        ["upper case", "0.100", "0.200", "0.150", "75.0%"],  # 0.9 of 1.2
    ]


def test_without_a_set_of_one_language_there_is_nothing_about_noise():
    figures = {"sets": {OURS: [row("deu_q_de_c_en", 0.3)]}, "without_labels": [], "noise": {"upper case": []}}
    assert [table.title for table in tables(figures)] == ["MRR, to English labels", OURS]


def test_speed_is_told_in_one_line():
    speed = {
        "titles": 12_345, "titles_per_second": 54_321, "load_seconds": 0.25, "table_bytes": 16_900_000,
        "folder_bytes": 18_100_000,
    }  # fmt: skip
    assert speed_line({"speed": speed}) == (
        "54,321 titles a second on one core (12,345 distinct titles), loaded in 0.25 s, 16.9 MB "
        "(18.1 MB with the occupations)"
    )


OCCUPATIONS = {"cook": "5120", "waiter": "5131", "nurse": "2221"}


@pytest.fixture
def coder():
    """Three occupations at right angles; the one that a title names is 7 times as likely as each other.

    So "cook" is 51 with 8/9, because the waiter is a 51 as well, and 512 with 7/9; "nurse" is 2221 with 7/9.
    """
    vectors = np.eye(3, dtype=np.float32)
    names = {
        "occupations": [
            {"uri": f"uri {name}", "name": name, "code": code} for name, code in OCCUPATIONS.items()
        ],
        "groups": {},
        "temperatures": [1 / log(7)] * 4,
    }
    return TitleCoder(
        encoder_of(**dict(zip(OCCUPATIONS, vectors, strict=True))), vectors, Names.model_validate(names)
    )


def test_codes_are_measured_at_every_number_of_digits(coder):
    titles = ["cook", "cook", "waiter", "nurse"]
    figures = measure_codes(coder, titles, ["5120", "5131", "5131", "2221"])
    assert figures["titles"] == 4
    one, two, three, four = figures["levels"]
    assert [level["digits"] for level in figures["levels"]] == [1, 2, 3, 4]
    assert [level["groups"] for level in figures["levels"]] == [2, 2, 3, 3]
    # The second cook is a waiter; one digit or two do not tell.
    assert (one["accuracy"], one["macro_f1"]) == (1.0, pytest.approx(1.0))
    assert one["promised"] == two["promised"] == pytest.approx((8 / 9 * 3 + 7 / 9) / 4, abs=1e-3)
    # F1: of 512 and 513 2/3 each, of 222 1.
    assert three["accuracy"] == 3 / 4
    assert three["macro_f1"] == four["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert three["promised"] == pytest.approx(7 / 9, abs=1e-3)


def test_levels_end_where_the_known_codes_end(coder):
    figures = measure_codes(coder, ["cook", "nurse"], ["51", "22"])
    assert [(level["digits"], level["accuracy"]) for level in figures["levels"]] == [(1, 1.0), (2, 1.0)]


def test_a_guess_that_is_nobodys_code_lowers_the_recall_only_of_the_right_one(coder):
    # Nobody is a nurse: of 5120 one in two is found (F1 2/3), of 5131 the only one.
    figures = measure_codes(coder, ["cook", "nurse", "waiter"], ["5120", "5120", "5131"])
    assert figures["levels"][3]["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)


def test_a_title_without_words_is_wrong_and_promises_nothing(coder):
    figures = measure_codes(coder, ["cook", "-"], ["5120", "2221"])
    assert figures["levels"][3]["accuracy"] == 1 / 2
    assert figures["levels"][3]["promised"] == pytest.approx(7 / 9 / 2, abs=1e-3)
    assert figures["back_off"][0]["answered"] == 1 / 2


def test_codes_get_shorter_and_fewer_the_surer_they_must_be(coder):
    figures = measure_codes(coder, ["cook", "waiter", "nurse", "cook"], ["5120", "5131", "2221", "5131"])
    back_off = {found.pop("confidence"): found for found in figures["back_off"]}
    assert tuple(back_off) == CONFIDENCES
    nothing = {"digits_1": 0.0, "digits_2": 0.0, "digits_3": 0.0, "digits_4": 0.0}
    assert back_off[0.7] == {"answered": 1.0, **nothing, "digits_4": 1.0, "right": 3 / 4}  # 7/9 is enough
    # With 0.8 only 8/9 is: 51 for the cooks and the waiter, which is right for all of them.
    assert back_off[0.8] == {"answered": 3 / 4, **nothing, "digits_2": 3 / 4, "right": 1.0}
    assert back_off[0.9] == {"answered": 0.0, **nothing, "right": 0.0}


def test_a_code_longer_than_the_known_one_is_right_as_far_as_that_goes(coder):
    figures = measure_codes(coder, ["cook", "nurse"], ["51", "23"])
    assert figures["back_off"][0]["digits_4"] == 1.0  # 5120 and 2221
    assert figures["back_off"][0]["right"] == 1 / 2


def test_the_tables_of_codes_have_a_row_per_length_and_per_confidence(coder):
    levels, curve = code_tables(measure_codes(coder, ["cook", "nurse"], ["5120", "2221"]))
    assert levels.title == "2 titles"
    assert cells(levels)[3] == ["4", "2", "1.000", "1.000", "0.778"]
    rows = {line[0]: line[1:] for line in cells(curve)}
    assert list(rows) == ["0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]
    assert rows["0.8"] == ["50.0%", "0.0%", "50.0%", "0.0%", "0.0%", "100.0%"]


def test_titles_and_codes_are_read_from_the_columns_that_are_named(tmp_path):
    (tmp_path / "ads.csv").write_text("headline,isco,area\ncook,5120,Kitchen\nnurse,2221,Health\n")
    assert read_titles(tmp_path / "ads.csv", "headline", "isco") == (["cook", "nurse"], ["5120", "2221"])


def test_whole_numbers_are_codes_too(tmp_path):
    pl.DataFrame({"title": ["cook", "nurse"], "code": [51, 22]}).write_parquet(tmp_path / "ads.parquet")
    assert read_titles(tmp_path / "ads.parquet", "title", "code") == (["cook", "nurse"], ["51", "22"])


def test_rows_without_a_title_or_a_code_are_left_out(tmp_path):
    (tmp_path / "ads.csv").write_text("title,code\ncook,5120\n,2221\nwaiter,\n")
    assert read_titles(tmp_path / "ads.csv", "title", "code") == (["cook"], ["5120"])


@pytest.mark.parametrize(
    ("codes", "shown"),
    [
        (["5120", "cook"], "'cook'"),
        (["51200", "22210"], "'51200'"),
        (["5120.1", "2221"], "'5120.1'"),
        (["5120", "222"], "'3 digits and 4 digits'"),
    ],
)
def test_codes_that_are_not_of_isco_or_of_several_lengths_are_refused(tmp_path, codes, shown):
    file = tmp_path / "ads.csv"
    file.write_text("title,code\n" + "".join(f"cook,{code}\n" for code in codes))
    with pytest.raises(DataError) as caught:
        read_titles(file, "title", "code")
    assert str(caught.value) == (
        f"{file} has codes such as {shown}, expected ISCO-08 codes of one length, 1 to 4 digits"
    )


def test_a_missing_column_is_named_with_the_option_that_names_it(tmp_path):
    (tmp_path / "ads.csv").write_text("titel,code\ncook,5120\n")
    with pytest.raises(DataError) as caught:
        read_titles(tmp_path / "ads.csv", "title", "code")
    assert str(caught.value) == (
        f"{tmp_path / 'ads.csv'} has no column 'title'; nearest is 'titel' (it has titel, code); "
        "name the right ones with --title and --code"
    )


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"there is no file .*ads\.csv; check the path"):
        read_titles(tmp_path / "ads.csv", "title", "code")

"""The review queue and the files of the page: order, decisions, uploads, downloads."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import polars as pl
import pytest

from joblens.errors import ConfigError, DataError
from joblens.serving.ui.answers import Candidate, Model, Result
from joblens.serving.ui.batches import Batch, Refused
from joblens.serving.ui.client import Advert, ApiProblem, Correction
from joblens.serving.ui.downloads import FIELDS, as_csv, as_json, result_rows
from joblens.serving.ui.launch import OPTIONS, command, environment, launch
from joblens.serving.ui.reviewing import UNDO_SECONDS, Review, decisions, doubtful
from joblens.serving.ui.session import Session
from joblens.serving.ui.uploads import open_upload, read_adverts
from joblens.sources import Columns

MODEL = Model(name="classifier", version="abc", encoder="toy", labels=3, coverage=0.9)


def sure(label: str, probability: float) -> Result:
    return Result(label=label, probability=probability)


def unsure(label: str, probability: float) -> Result:
    return Result(label=label, probability=probability, abstained=True)


@dataclass
class Storage:
    """Stands where the API would: keeps corrections, or refuses them."""

    stored: list[Correction] = field(default_factory=list)
    refuses: Any = None

    def correct(self, corrections):
        if self.refuses is not None:
            problem = self.refuses(corrections)
            if problem is not None:
                raise problem
        self.stored += corrections
        return len(corrections)


@pytest.fixture
def batch() -> Batch:
    adverts = [Advert("kok", "Kok", "7"), Advert("murer", "=Murer", "8"), Advert("læge", "Læge", "9")]
    return Batch(
        "ads.csv", adverts, [unsure("Køkken", 0.4), unsure("Byggeri", 0.3), sure("Sundhed", 0.9)], MODEL
    )


def test_the_queue_begins_with_the_most_doubtful_and_leaves_the_sure_out(batch):
    assert doubtful(batch.outcomes) == [1, 0]
    assert doubtful(batch.outcomes, all_of_them=True) == [1, 0, 2]


def test_what_is_left_to_people_comes_before_what_is_only_less_likely():
    assert doubtful([sure("a", 0.4), unsure("b", 0.5)], all_of_them=True) == [1, 0]


def test_when_the_model_is_sure_of_all_the_least_sure_come_first():
    assert doubtful([sure("a", 0.9), sure("b", 0.8), Refused("fields")]) == [1, 0]


def test_a_decision_is_sent_by_the_next_one_and_not_before(batch):
    review, storage = Review([1, 0]), Storage()
    review.decide("Byggeri", now=0.0)
    review.send(storage, batch, now=1.0)
    assert storage.stored == []
    review.decide("Sundhed", now=1.0)
    review.send(storage, batch, now=1.0, reviewer="AB")
    assert storage.stored == [
        Correction("8", "=Murer", "murer", "Byggeri", guess="Byggeri", model_version="abc", reviewer="AB")
    ]
    assert (review.decided, review.row) == (2, None)


def test_the_last_decision_is_sent_when_it_can_no_longer_be_taken_back(batch):
    review, storage = Review([1, 0]), Storage()
    review.decide("Byggeri", now=0.0)
    review.send(storage, batch, now=UNDO_SECONDS)
    assert [one.label for one in storage.stored] == ["Byggeri"]
    assert review.waiting == []


def test_a_decision_taken_back_is_never_sent_and_its_advert_is_on_the_table_again(batch):
    review, storage = Review([1, 0]), Storage()
    review.decide("Køkken", now=0.0)
    review.skip()
    review.undo()
    assert review.row == 1
    review.undo()  # once more does nothing
    review.send(storage, batch, now=99.0, all_of_them=True)
    assert storage.stored == []
    assert review.decided == 0


def test_what_cannot_be_sent_waits_and_is_sent_later(batch):
    review, storage = Review([1, 0]), Storage(refuses=lambda _: ApiProblem("not_ready", "no table"))
    review.decide("Byggeri", now=0.0)
    review.send(storage, batch, now=20.0)
    assert (review.problem.kind, len(review.waiting)) == ("not_ready", 1)
    storage.refuses = None
    review.send(storage, batch, now=21.0, all_of_them=True)
    assert (review.problem, len(review.waiting), len(storage.stored)) == (None, 0, 1)


def test_a_decision_whose_id_is_refused_is_sent_without_it_and_holds_no_other_up(batch):
    def refuse(corrections):
        return ApiProblem("fields") if any(one.id == "8" for one in corrections) else None

    review, storage = Review([1, 0]), Storage(refuses=refuse)
    review.decide("Byggeri", now=0.0)
    review.decide("Køkken", now=0.0)
    review.send(storage, batch, now=20.0)
    assert [(one.id, one.label) for one in storage.stored] == [("", "Byggeri"), ("", "Køkken")]
    assert review.problem is None


def test_what_still_waits_is_sent_before_another_file_is_put_on_the_table(batch):
    session, storage = Session(batch=batch, review=Review([1, 0]), reviewer="AB"), Storage()
    session.review.decide("Byggeri", now=monotonic())
    session.send_rest(storage)
    session.take(Batch("other.csv", []))
    assert [(one.id, one.label, one.reviewer) for one in storage.stored] == [("8", "Byggeri", "AB")]
    session.send_rest(storage)  # nothing was decided of the new one
    assert (session.review, len(storage.stored)) == (None, 1)


def test_decisions_can_be_taken_home_sent_or_not(batch):
    review = Review([1, 0], sent={1: "Byggeri"})
    review.place = 1
    review.decide("Sundhed", now=0.0)
    assert [(row["row"], row["label"], row["guess"], row["sent"]) for row in decisions(review, batch)] == [
        (1, "Sundhed", "Køkken", False),
        (2, "Byggeri", "Byggeri", True),
    ]


def test_no_cell_of_the_csv_is_run_as_a_formula(batch):
    starts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"]
    batch.adverts = [Advert("", title, title) for title in starts]
    batch.outcomes = [sure(f"{title} label", 0.5) for title in starts]
    text = as_csv(result_rows(batch)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["title"] for row in rows] == [f"'{title}" for title in starts]
    assert [row["id"] for row in rows] == [f"'{title}" for title in starts]
    assert [row["label"] for row in rows] == [f"'{title} label" for title in starts]


def test_results_have_one_row_for_each_advert_and_no_text_of_it(batch):
    batch.outcomes[2] = Refused("too_large")
    batch.outcomes[0] = Result(
        label="Køkken", probability=0.41234, prediction_set=["Køkken", "Byggeri"], abstained=True,
        top=[Candidate(label="Køkken", probability=0.41234), Candidate(label="Byggeri", probability=0.3)],
    )  # fmt: skip
    rows = json.loads(as_json(result_rows(batch)))
    assert [tuple(row) for row in rows] == [FIELDS] * 3
    assert rows[0]["probability"] == 0.4123
    assert (rows[0]["second"], rows[0]["prediction_set"]) == ("Byggeri", ["Køkken", "Byggeri"])
    assert (rows[2]["problem"], rows[2]["label"]) == ("too_large", None)
    assert "murer" not in json.dumps(rows[1])


CSV = "nr;Overskrift;Tekst\n1;Kok søges;Vi søger en kok\n2;;Mure og pudse\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_danish_csv_is_read_and_its_columns_guessed(encoding):
    upload = open_upload("annoncer.csv", CSV.encode(encoding))
    likely = upload.likely
    assert (upload.columns, likely.text, likely.title, likely.id) == (
        ("nr", "Overskrift", "Tekst"), "Tekst", "Overskrift", None,
    )  # fmt: skip
    assert read_adverts(upload, Columns(text="Tekst", title="Overskrift", id="nr")) == [
        Advert("Vi søger en kok", "Kok søges", "1"),
        Advert("Mure og pudse", "", "2"),
    ]


def test_jsonl_and_parquet_are_read_alike():
    rows = [{"id": "a", "title": "Kok", "text": "Lav mad"}, {"id": "b", "title": None, "text": None}]
    jsonl = "\n".join(json.dumps(row) for row in rows).encode()
    parquet = io.BytesIO()
    pl.DataFrame(rows).write_parquet(parquet)
    for name, data in (("ads.jsonl", jsonl), ("ads.parquet", parquet.getvalue())):
        upload = open_upload(name, data)
        assert upload.columns == ("id", "title", "text")
        assert read_adverts(upload, upload.likely) == [Advert("Lav mad", "Kok", "a"), Advert("", "", "b")]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("ads.docx", b"PK", "ends in '.docx'"),
        ("ads.csv", b"", "ads.csv has no columns"),
        ("ads.csv", b"text\n", "ads.csv has no rows"),
        ("ads.jsonl", b"[1]\n", "expected an object"),
        ("ads.parquet", b"PAR1 no", "ads.parquet is not a readable parquet file"),
        ("ads.csv", gzip.compress(b"text\nkok\n"), "ads.csv is compressed"),
        ("../../etc/ads.csv", b"text\n\"", "ads.csv"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_so_by_its_own_name(name, data, said):
    def read():
        upload = open_upload(name, data)
        return read_adverts(upload, upload.likely)

    with pytest.raises(DataError) as caught:
        read()
    assert said in str(caught.value)
    assert "joblens-page-" not in str(caught.value)
    assert ".." not in str(caught.value)


def test_the_page_sends_no_usage_statistics_and_keeps_streamlits_checks():
    line = command("127.0.0.1", 8501)
    assert "--browser.gatherUsageStats=false" in line
    assert "--client.showErrorDetails=none" in line
    assert not [flag for flag in line if "enableCORS" in flag or "enableXsrf" in flag]
    assert "--server.maxUploadSize=50" in line
    assert line[line.index("run") + 1].endswith("app.py")


def test_every_option_is_one_that_streamlit_knows():
    from streamlit import config

    known = config.get_config_options()
    assert [name for name in OPTIONS if name not in known] == []


def test_the_key_itself_is_not_passed_on():
    assert environment("http://a", "da", "MY_KEY") == {
        "JOBLENS_UI_API": "http://a", "JOBLENS_UI_LANGUAGE": "da", "JOBLENS_UI_KEY_ENV": "MY_KEY",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"api": "localhost:8000"}, "expected one such as http://127.0.0.1:8000"),
        ({"api": "http://me:secret@host"}, "holds a user or password"),
        ({"language": "de"}, "expected da or en"),
        ({"port": 0}, "port 0 does not exist"),
        ({"host": "192.0.2.1"}, "cannot listen on 192.0.2.1:8501"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_starts(options, said):
    with pytest.raises(ConfigError, match=said) as caught:
        launch(**{"api": "http://127.0.0.1:8000", **options})
    assert "secret" not in str(caught.value)

"""`joblens promote`: only a bundle that is better on held-out adverts gets in, and it says why."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from typer.testing import CliRunner

from joblens.cli import app
from joblens.errors import BundleError, DataError
from joblens.inference.classify import Classifier
from joblens.inference.promote import LabelledAds, file_rows, project_rows, promote
from joblens.models.bundle import Bundle, read_bundle, write_bundle
from joblens.models.bundle.replacing import bundle_version, copied, move_in, turn_of
from joblens.paths import Layout
from joblens.sources import Columns
from joblens.storage import file_hash, write_table

WORDS = {
    "Byggeri": "tømrer murer tag hus hammer væg beton",
    "Køkken": "kok tjener mad restaurant gryde menu servering",
    "Sundhed": "sygeplejerske læge patient hospital pleje medicin nurse",
}
"""Words that the toy bundle of this folder knows."""

Spoil = Callable[..., Path]


def adverts() -> list[dict[str, str]]:
    """42 adverts for each label, the ordered pairs of its seven words: 7 · 6."""
    rows = []
    for label, line in WORDS.items():
        words = line.split()
        pairs = [(first, second) for first in words for second in words if first != second]
        rows += [
            {"id": f"{label}-{row}", "title": "", "text": f"{first} {second}", "label": label}
            for row, (first, second) in enumerate(pairs)
        ]
    return rows


def held() -> LabelledAds:
    rows = adverts()
    return LabelledAds("126 ads", *([row[name] for row in rows] for name in ("title", "text", "label")))


@pytest.fixture
def spoil(bundle_folder: Path, tmp_path: Path) -> Spoil:
    """A copy of the good bundle that never says the first label: `spoil("name", card={...})`."""

    def spoiled(name: str, **changes: object) -> Path:
        bundle = read_bundle(bundle_folder)
        with torch.no_grad():
            next(iter(reversed(list(bundle.network.parameters()))))[0] = -100.0  # the bias of label 0
        write_bundle(tmp_path / name, replace(bundle, **changes))
        return tmp_path / name

    return spoiled


def test_a_better_bundle_takes_the_place_and_a_worse_one_does_not(
    bundle_folder: Path, spoil: Spoil, tmp_path: Path
) -> None:
    serving, bad = tmp_path / "serving", spoil("bad")
    first = promote(bad, serving, held())
    assert first.is_done
    assert first.old is None
    second = promote(bundle_folder, serving, held())
    assert second.is_done
    # The bad one is right on the 84 adverts of two labels at most, the good one on all 126.
    assert second.new.accuracy == second.new.macro_f1 == 1
    assert second.old is not None
    assert second.old.accuracy <= 84 / 126
    assert second.macro_f1 is not None
    assert second.macro_f1.low > 0
    assert bundle_version(serving) == second.new.version == bundle_version(bundle_folder)
    assert bundle_version(tmp_path / "serving.previous") == bundle_version(bad)
    third = promote(bad, serving, held())
    assert not third.is_done
    assert bundle_version(serving) == second.new.version


def test_a_bundle_that_is_replaced_while_it_is_read_is_not_mixed_with_the_other(
    bundle_folder: Path, spoil: Spoil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = spoil("serving")

    def replaced_meanwhile(folder: Path) -> Bundle:
        bundle = read_bundle(folder)
        with turn_of(serving), copied(bundle_folder, serving) as copy:
            move_in(copy, serving)
        return bundle

    monkeypatch.setattr("joblens.inference.classify.read_bundle", replaced_meanwhile)
    with pytest.raises(BundleError, match="was replaced while it was read; start again"):
        Classifier.load(serving)


def test_an_equal_bundle_is_not_better(bundle_folder: Path, tmp_path: Path) -> None:
    promote(bundle_folder, tmp_path / "serving", held())
    again = promote(bundle_folder, tmp_path / "serving", held())
    assert not again.is_done
    assert again.macro_f1 is not None
    assert (again.macro_f1.low, again.macro_f1.high) == (0, 0)


def test_a_label_that_no_held_out_advert_has_does_not_lower_macro_f1(
    bundle_folder: Path, tmp_path: Path
) -> None:
    rows = held()
    keep = [row for row, label in enumerate(rows.labels) if label != "Byggeri"]
    texts = [rows.texts[row] for row in keep for _ in range(2)]
    labels = [rows.labels[row] for row in keep for _ in range(2)]
    done = promote(bundle_folder, tmp_path / "serving", LabelledAds("", [""] * len(texts), texts, labels))
    assert done.new.macro_f1 == pytest.approx(1)


def test_other_labels_are_refused_unless_they_may_change(
    bundle_folder: Path, spoil: Spoil, tmp_path: Path
) -> None:
    serving = spoil("serving", labels=("Byggeri", "Køkken", "Pleje"))
    with pytest.raises(BundleError, match=r"lacks the labels \['Pleje'\] and adds \['Sundhed'\]"):
        promote(bundle_folder, serving, held())
    done = promote(bundle_folder, serving, held(), labels_may_change=True)
    assert done.is_done
    assert done.old is not None
    assert done.old.accuracy <= 42 / 126  # it knows neither Sundhed nor how to say Byggeri


def test_a_label_that_no_bundle_knows_and_too_few_adverts_are_refused(
    bundle_folder: Path, tmp_path: Path
) -> None:
    rows = held()
    strange = replace(rows, labels=["Fiskeri", *rows.labels[1:]])
    with pytest.raises(DataError, match=r"labels that no bundle knows \('Fiskeri'\)"):
        promote(bundle_folder, tmp_path / "serving", strange)
    few = LabelledAds("99 ads", rows.titles[:99], rows.texts[:99], rows.labels[:99])
    with pytest.raises(DataError, match=r"has 99 held-out ads .* expected at least 100"):
        promote(bundle_folder, tmp_path / "serving", few)
    assert not (tmp_path / "serving").exists()


def project(root: Path) -> Layout:
    """A project whose test split are the 126 adverts, one of them twice, and one that trains."""
    layout = Layout(root)
    rows = [{**row, "group": row["id"]} for row in adverts()]
    rows += [{**rows[0], "id": "again"}, {**rows[0], "id": "known", "group": "known"}]
    layout.ads.parent.mkdir(parents=True)
    write_table(layout.ads, pl.DataFrame(rows))
    splits = ["train" if row["id"] == "known" else "test" for row in rows]
    write_table(layout.splits, pl.DataFrame({"id": [row["id"] for row in rows], "split": splits}))
    return layout


def test_the_test_split_counts_one_advert_of_each_group(tmp_path: Path) -> None:
    rows = project_rows(project(tmp_path))
    assert len(rows.texts) == 126
    assert rows.texts[0] == "tømrer murer"


def test_a_bundle_that_may_know_the_test_split_is_refused(
    bundle_folder: Path, spoil: Spoil, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    layout = project(tmp_path / "project")
    with pytest.raises(DataError, match="not trained with the present splits"):
        promote(bundle_folder, tmp_path / "serving", layout)
    card = {"hashes": {"splits.parquet": file_hash(layout.splits)}}
    promote(bundle_folder, tmp_path / "serving", held())
    assert not promote(spoil("bad", card=card), tmp_path / "serving", layout).is_done
    assert "may know some of these adverts, which speaks for it" in caplog.text


def test_a_file_gives_adverts_with_text_and_label_and_one_of_those_that_say_the_same(tmp_path: Path) -> None:
    lines = ["body,area", "lav mad i dag,A", "Lav mad i dag!,B", "byg et hus,B", ",A", "uden navn,"]
    (tmp_path / "ads.csv").write_text("\n".join(lines))
    rows = file_rows(str(tmp_path / "ads.csv"), Columns(text="body", label="area"))
    assert (rows.texts, rows.labels) == (["lav mad i dag", "byg et hus"], ["A", "B"])


def test_the_command_shows_both_figures_and_exits_1_when_it_refuses(
    bundle_folder: Path, spoil: Spoil, tmp_path: Path
) -> None:
    pl.DataFrame(adverts()).write_csv(tmp_path / "ads.csv")
    to = ["--to", str(tmp_path / "serving"), "--ads", str(tmp_path / "ads.csv")]
    bad, good = spoil("bad"), bundle_folder
    results = [CliRunner().invoke(app, ["promote", str(new), *to]) for new in (bad, good, bad)]
    assert [result.exit_code for result in results] == [0, 0, 1], results
    assert "nothing was served there yet" in results[0].output
    assert f"new {bundle_version(good)}: macro-F1 1.000, accuracy 1.000" in results[1].output
    assert f"now {bundle_version(bad)}: macro-F1" in results[1].output
    assert "difference in macro-F1 +" in results[1].output
    assert "stays as it is" in results[2].output
    back = CliRunner().invoke(app, ["promote", "--rollback", *to[:2]])
    assert back.exit_code == 0
    assert bundle_version(tmp_path / "serving") == bundle_version(bad)

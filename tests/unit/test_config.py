"""The configuration says what is wrong with it, in one line per value."""

from pathlib import Path

import pytest

from joblens.config import compose, load, to_yaml
from joblens.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / "configs"


def test_what_is_written_is_what_is_loaded(tmp_path):
    config = compose(["classifier=linear", "data.min_class_size=3"], CONFIGS)
    (tmp_path / "params.yaml").write_text(to_yaml(config), encoding="utf-8")
    assert load(tmp_path / "params.yaml") == config
    assert config.classifier.hidden == ()
    assert config.data.min_class_size == 3


def test_no_patience_is_written_and_loaded_as_none(tmp_path):
    config = compose(["classifier=wide_deep"], CONFIGS)
    (tmp_path / "params.yaml").write_text(to_yaml(config), encoding="utf-8")
    assert load(tmp_path / "params.yaml").classifier.patience is None


def test_the_one_seed_reaches_every_section():
    config = compose(["seed=99"], CONFIGS)
    seeds = {config.data.seed, config.embedding.seed, config.classifier.seed, config.evaluation.split.seed}
    assert seeds == {99}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("classifier=mpl", "no such option; nearest is 'mlp'; choose one of linear, mlp, wide_deep$"),
        ("clasifier=mlp", "no group 'clasifier'; nearest is 'classifier'"),
        ("classifier.dropot=0.1", "classifier has no key 'dropot'; nearest is 'dropout'"),
        ("classifier.dropout=2", r"classifier\.dropout: should be less than 1 \(found 2\)"),
        ("data=csv", r"data\.path has no value; add data\.path=VALUE"),
        ("data=sql", r"needs exactly one of data\.table and data\.query"),
        ("evaluation.split.test=0.85", r"validation \+ test is 1; leave at least 0\.1"),
        ("embedding.words_weight=0.5", r"title_weight \+ words_weight is 1; leave some of 1 to the text"),
        (
            "classifier.network=deep",
            r"classifier\.network: should be 'dense' or 'wide_deep' \(found 'deep'\)",
        ),
        ("classifier.inner_folds=1", r"classifier\.inner_folds: should be greater than or equal to 2"),
        ("classifier.patience=0", r"classifier\.patience: should be greater than or equal to 1"),
        ("+foo=1", "foo: no such key"),
        ("data.path=[", "the overrides do not compose"),
    ],
)
def test_a_wrong_override_says_what_is_wrong(override, message):
    with pytest.raises(ConfigError, match=message):
        compose([override], CONFIGS)


def test_every_wrong_value_of_an_edited_file_is_listed(tmp_path):
    text = to_yaml(compose([], CONFIGS))
    edited = text.replace("encoder: sentence_transformer", "encoder: bert").replace(
        "\n  dropout: ", "\n  dropout: 1"
    )
    (tmp_path / "params.yaml").write_text(edited + "extra: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "params.yaml")
    first, *lines = str(caught.value).splitlines()
    assert first == "params.yaml has 3 wrong values:"
    assert (
        lines[0] == "  embedding.encoder: should be 'sentence_transformer', 'titles' or 'toy' (found 'bert')"
    )
    assert lines[1].startswith("  classifier.dropout: should be less than 1")
    assert lines[2] == "  extra: no such key"


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "params.yaml is not YAML"), ("- 1\n", "holds list, expected sections"), ("", "holds NoneType")],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path, text, message):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load(tmp_path / "params.yaml")


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(ConfigError, match="write it with `joblens params`"):
        load(tmp_path / "params.yaml")


def test_a_folder_without_configs_is_named(tmp_path):
    with pytest.raises(ConfigError, match="run this in a joblens project folder"):
        compose([], tmp_path)


@pytest.mark.parametrize(
    ("overrides", "watch", "taxonomy"),
    [
        (["data=csv", "data.path=a.csv"], "a.csv", "data/sample/taxonomy.csv"),
        (["data=csv", "data.path=a.csv", "data.taxonomy=t.csv"], "a.csv", "t.csv"),
        (["data=sql", "data.table=ads"], "configs/data/sql.yaml", "data/sample/taxonomy.csv"),
    ],
)
def test_dvc_watches_the_files_that_ingest_reads(overrides, watch, taxonomy):
    data = compose(overrides, CONFIGS).data
    assert (data.watch, data.watch_taxonomy) == (watch, taxonomy)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "path: a.csv",
            "path: b.csv",
            r"data\.watch is 'a\.csv' but data\.path is 'b\.csv'; run `joblens params`",
        ),
        ("watch: a.csv", "watch: b.csv", r"data\.watch is 'b\.csv' but data\.path is 'a\.csv'"),
        (
            "  taxonomy: t.csv",
            "  taxonomy: null",
            r"data\.watch_taxonomy is 't\.csv' but data\.taxonomy is None",
        ),
        (
            "source: csv\n  path: a.csv",
            "source: sql\n  path: null\n  table: t",
            r"data\.watch is 'a\.csv' but data\.source is 'sql'",
        ),
    ],
)
def test_an_edit_that_leaves_dvc_watching_another_file_is_refused(tmp_path, old, new, message):
    text = to_yaml(compose(["data=csv", "data.path=a.csv", "data.taxonomy=t.csv", "data.text=x"], CONFIGS))
    assert text.count(old) == 1
    edited = text.replace(old, new)
    if "source: sql" in new:
        edited = edited.replace("  table: null\n", "")
    (tmp_path / "params.yaml").write_text(edited, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load(tmp_path / "params.yaml")

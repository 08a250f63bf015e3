import struct

import matplotlib
import torch

from joblens.pipeline.evaluate.plots import MOST_CLASSES, draw_confusion, draw_training, write_confusion_table


def size_of(path):
    """Width and height in a PNG's header."""
    return struct.unpack(">II", path.read_bytes()[16:24])


def test_with_very_many_labels_the_picture_shows_the_most_frequent_and_the_table_all(tmp_path):
    names = [f"label {number} at $10 or $20" for number in range(MOST_CLASSES + 20)]
    labels = torch.arange(len(names)).repeat(2)
    draw_confusion(tmp_path / "all.png", labels, labels, names)
    draw_confusion(tmp_path / "some.png", labels[:10], labels[:10], names[:10])
    write_confusion_table(tmp_path / "all.csv", labels, labels, names)
    assert 2 * size_of(tmp_path / "some.png")[1] < size_of(tmp_path / "all.png")[1] < 4000
    lines = (tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "actual,predicted"
    assert len(lines) == 1 + 2 * len(names)


def test_the_same_figures_give_the_same_bytes(tmp_path):
    log = [
        {"epoch": 1.0, "train/loss": 1.0, "val/macro_f1": None},
        {"epoch": 2.0, "train/loss": 0.5, "val/macro_f1": 0.4},
    ]
    for name in ("one", "two"):
        draw_training(tmp_path / f"{name}.png", log)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert b"Software" not in (tmp_path / "one.png").read_bytes()


def test_drawing_leaves_the_style_of_others_alone(tmp_path):
    before = dict(matplotlib.rcParams)
    draw_training(tmp_path / "one.png", [{"epoch": 1.0, "train/loss": 1.0}])
    assert dict(matplotlib.rcParams) == before

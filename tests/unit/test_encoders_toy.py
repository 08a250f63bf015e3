"""The toy encoder keeps the promises of the protocol, and its vectors can be learned from."""

import torch

from joblens.config import Compute, Embedding
from joblens.encoders import build_encoder
from joblens.encoders.toy import ToyEncoder

ENCODER = ToyEncoder(dimensions=128, seed=0)


def test_a_vector_does_not_depend_on_the_other_texts():
    together = ENCODER.encode(["snedker søges", "kok til restaurant", "snedker søges"])
    assert torch.equal(together[0], together[2])
    torch.testing.assert_close(together[1:2], ENCODER.encode(["kok til restaurant"]), atol=1e-6, rtol=0)


def test_vectors_are_float32_of_length_one_even_for_texts_without_words():
    vectors = ENCODER.encode(["snedker", "", " \n ", "!?"])
    assert (vectors.dtype, vectors.shape) == (torch.float32, (4, 128))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))
    assert torch.equal(vectors[1], vectors[3])


def test_no_texts_give_no_vectors():
    assert ENCODER.encode([]).shape == (0, 128)


def test_word_order_and_case_do_not_matter():
    one, two = ENCODER.encode(["Dygtig snedker", "SNEDKER, dygtig!"])
    torch.testing.assert_close(one, two)


def test_texts_that_share_words_are_closer_than_texts_that_do_not():
    same, stem, other = ENCODER.encode(
        ["sygeplejerske til vores hospital", "sygeplejersker på hospitalet", "buschauffør med kørekort"]
    )
    assert same @ stem > 0.3 > abs(same @ other)


def test_the_vectors_stay_what_they_are_between_releases():
    # The only feature of "a" is "<a>"; blake2b("0/<a>") as four little-endian numbers, each halved, ends on
    # 1453617238, 2057744955, 1716865129, 123838928: places 6, 3, 1 and 0 modulo 8. The numbers of 3 and 1
    # were odd before halving and add 1, those of 6 and 0 were even and take 1.
    found = ToyEncoder(dimensions=8, seed=0).encode(["a"])[0]
    assert found.tolist() == [-0.5, 0.5, 0.0, 0.5, 0.0, 0.0, -0.5, 0.0]


def test_a_vector_whose_parts_cancel_out_still_has_length_one():
    # The four signs of "a" are -1, +1, +1 and -1 (see above); with a width of 1 they meet in one place.
    assert ToyEncoder(dimensions=1, seed=0).encode(["a"]).tolist() == [[1.0]]


def test_seed_and_width_are_in_the_fingerprint():
    prints = {ToyEncoder(dimensions=d, seed=s).fingerprint for d in (64, 128) for s in (0, 1)}
    assert len(prints) == 4
    assert ENCODER.fingerprint == ToyEncoder(dimensions=128, seed=0).fingerprint


def test_the_word_toy_builds_the_toy_encoder():
    embedding = Embedding(encoder="toy", model="hashed-words", dimensions=32, max_tokens=256, seed=7)
    encoder = build_encoder(embedding, Compute(device="cpu", workers=1, encode_batch_size=8))
    assert encoder.dimensions == 32
    assert encoder.fingerprint == ToyEncoder(dimensions=32, seed=7).fingerprint


def test_a_linear_model_learns_classes_from_the_vectors():
    words = ["sygeplejerske patient hospital", "snedker træ værksted", "butik kasse kunde"]
    fillers = ["vi søger en kollega", "godt humør og team", "start snarest muligt", "send din ansøgning"]
    texts = [f"{filler} {word} {filler}" for word in words for filler in fillers]
    vectors = ENCODER.encode(texts)
    labels = torch.arange(3).repeat_interleave(4)
    held_out = torch.arange(12) % 4 == 3
    means = torch.stack([vectors[(labels == label) & ~held_out].mean(0) for label in range(3)])
    assert (vectors[held_out] @ means.T).argmax(1).tolist() == [0, 1, 2]

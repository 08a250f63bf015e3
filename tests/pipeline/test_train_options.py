"""What the options of training do: balanced batches, mixed rows, averaged weights; by default nothing."""

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import BatchSampler, RandomSampler, TensorDataset

from joblens.config import Classifier
from joblens.metrics import best_class, macro_f1
from joblens.models.classifier import ClassifierModule, draw_mixture
from joblens.models.network import build_network
from joblens.pipeline.train.fit import Epoch, fit_network, training_order

CPU = torch.device("cpu")
SIZES = (90, 20, 10)
"""Training rows of each class; as many again, ten of each, validate."""
TRAIN, VALIDATION = torch.arange(120), torch.arange(120, 150)
LABELS = torch.tensor([label for label, size in enumerate(SIZES) for _ in range(size)] + [0, 1, 2] * 10)
DIMENSIONS = 6
EVERY_OPTION = [{"sampling": "balanced"}, {"mixup": 0.4}, {"weight_averaging": "ema"}]


def vectors() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(3, DIMENSIONS, generator=generator)
    return centres[LABELS] + torch.randn(len(LABELS), DIMENSIONS, generator=generator)


def settings(**changes):
    values = {
        "dropout": 0.0,
        "learning_rate": 0.05,
        "weight_decay": 0.01,
        "batch_size": 32,
        "max_epochs": 3,
        "patience": None,
        "loss": "cross_entropy",
        "class_weights": "none",
        "seed": 1,
    }
    return Classifier(**(values | changes))


def fit(on_epoch=None, **changes):
    config = settings(**changes)
    return fit_network(
        lambda: build_network(DIMENSIONS, 3, config.hidden, config.dropout),
        vectors(), LABELS, TRAIN, VALIDATION, 3, config, CPU, on_epoch,
    )  # fmt: skip


def same(first, second):
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def steps_by_hand(epochs: int) -> list[dict[str, Tensor]]:
    """Weights after each step of a plain loop with the default options."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = build_network(DIMENSIONS, 3, (), 0.0)
    module = ClassifierModule(
        network=network, classes=3, learning_rate=0.05, weight_decay=0.01, loss="cross_entropy",
        focal_gamma=2.0, class_weights=None, label_smoothing=0.0, mixup=0.0,
    )  # fmt: skip
    optimizer = module.configure_optimizers()
    order = BatchSampler(RandomSampler(TRAIN, generator=torch.Generator().manual_seed(1)), 32, False)
    found = []
    for _ in range(epochs):
        for batch in order:
            rows = TRAIN[batch]
            optimizer.zero_grad()
            cross_entropy(network(vectors()[rows]), LABELS[rows]).backward()
            optimizer.step()
            found.append({name: value.clone() for name, value in network.state_dict().items()})
    return found


def test_by_default_training_is_a_plain_loop_to_the_last_bit():
    found = fit().state_dict()
    expected = steps_by_hand(3)[-1]
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("changes", EVERY_OPTION)
def test_every_option_changes_the_network_and_repeats_by_its_seed(changes):
    first = fit(**changes)
    assert same(first, fit(**changes))
    assert not same(first, fit())
    assert not same(first, fit(**changes, seed=2))


@pytest.mark.parametrize("changes", EVERY_OPTION)
def test_no_option_moves_the_random_numbers_of_others(changes):
    before = torch.get_rng_state()
    fit(**changes)
    assert torch.equal(torch.get_rng_state(), before)


# Sampling


def test_balanced_batches_show_rare_classes_as_often_as_common_ones():
    rows = TensorDataset(torch.zeros(120, 1), LABELS[TRAIN])
    order = training_order(rows, settings(sampling="balanced"), 3)
    shown = torch.bincount(LABELS[[row for _ in range(100) for row in order]], minlength=3)
    assert int(shown.sum()) == 100 * 120
    # A third of 12,000 each: 4,000, standard deviation 52. Without balance they would be 9,000, 2,000, 1,000.
    assert shown.tolist() == pytest.approx([4000, 4000, 4000], abs=4 * 52)


def test_a_class_without_rows_is_not_drawn_and_takes_no_share_of_the_others():
    labels = torch.tensor([0] * 30 + [2] * 10)
    order = training_order(TensorDataset(torch.zeros(40, 1), labels), settings(sampling="balanced"), 4)
    shown = torch.bincount(labels[[row for _ in range(100) for row in order]], minlength=4).tolist()
    assert shown == pytest.approx([2000, 0, 2000, 0], abs=4 * 32)


def test_without_sampling_every_row_comes_once():
    order = training_order(TensorDataset(torch.zeros(120, 1), LABELS[TRAIN]), settings(), 3)
    assert sorted(order) == list(range(120))


def test_balance_twice_over_is_refused():
    with pytest.raises(ValidationError, match="would count twice"):
        settings(sampling="balanced", class_weights="balanced")


# Mixup


def test_a_mixture_is_a_share_and_a_partner_for_each_row():
    torch.manual_seed(0)
    shares = []
    for _ in range(400):
        share, partners = draw_mixture(5, 0.2)
        assert sorted(partners.tolist()) == [0, 1, 2, 3, 4]
        shares.append(share)
    # Beta(a, a) has mean 1/2 and variance 1 / (4 * (2a + 1)): at 0.2 that is 0.179.
    assert float(torch.tensor(shares).mean()) == pytest.approx(0.5, abs=0.08)
    assert float(torch.tensor(shares).var()) == pytest.approx(0.179, abs=0.03)


@pytest.mark.parametrize("loss", ["cross_entropy", "focal"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_of_a_mixture_is_that_of_mixed_vectors_and_mixed_targets(monkeypatch, loss, smoothing):
    share, partners = 0.7, torch.tensor([1, 2, 0])
    monkeypatch.setattr("joblens.models.classifier.draw_mixture", lambda rows, alpha: (share, partners))
    torch.manual_seed(0)
    network = build_network(DIMENSIONS, 3, (), 0.0)
    module = ClassifierModule(
        network=network, classes=3, learning_rate=0.1, weight_decay=0.0, loss=loss,
        focal_gamma=2.0, class_weights=None, label_smoothing=smoothing, mixup=1.0,
    )  # fmt: skip
    monkeypatch.setattr(module, "log", lambda *_, **__: None)  # it needs a trainer
    rows, labels = torch.randn(3, DIMENSIONS), torch.tensor([0, 1, 2])
    found = module.training_step((rows, labels)).detach()
    logits = network(0.7 * rows + 0.3 * rows[partners]).detach()
    targets = torch.tensor([[0.7, 0.3, 0.0], [0.0, 0.7, 0.3], [0.3, 0.0, 0.7]])
    targets = (1 - smoothing) * targets + smoothing / 3
    log_p = logits.log_softmax(dim=1)
    focus = (1 - log_p.exp()) ** 2 if loss == "focal" else 1
    assert float(found) == pytest.approx(float(-(targets * focus * log_p).sum(dim=1).mean()), rel=1e-5)


def test_validation_rows_are_never_mixed():
    epochs: list[Epoch] = []
    network = fit(epochs.append, mixup=1.0)
    logits = network(vectors()[VALIDATION])
    assert epochs[-1].validation_loss == pytest.approx(
        float(cross_entropy(logits, LABELS[VALIDATION])), rel=1e-5
    )


# Averaging


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_averaged_weights_are_the_moving_average_of_all_steps(decay):
    steps = steps_by_hand(3)
    found = fit(weight_averaging="ema", ema_decay=decay).state_dict()
    for name, average in steps[0].items():
        for step in steps[1:]:
            average = decay * average + (1 - decay) * step[name]
        assert torch.allclose(found[name], average, atol=1e-6), name


@pytest.mark.parametrize("patience", [None, 30])
def test_what_is_told_and_what_is_kept_are_both_the_average(patience):
    epochs: list[Epoch] = []
    options = {"weight_averaging": "ema", "ema_decay": 0.9, "max_epochs": 30, "learning_rate": 0.5}
    network = fit(epochs.append, patience=patience, **options)
    best = epochs[-1] if patience is None else max(epochs, key=lambda epoch: epoch.macro_f1)
    logits = network(vectors()[VALIDATION])
    loss = cross_entropy(logits, LABELS[VALIDATION])
    assert best.macro_f1 == pytest.approx(macro_f1(best_class(logits), LABELS[VALIDATION], 3), abs=1e-6)
    assert best.validation_loss == pytest.approx(float(loss), rel=1e-5)


def test_the_standardisation_is_not_averaged():
    def build():
        network = build_network(DIMENSIONS, 3, (), 0.0)
        network[0].fit(vectors())
        return network

    config = settings(weight_averaging="ema")
    found = fit_network(build, vectors(), LABELS, TRAIN, VALIDATION, 3, config, CPU)
    assert torch.equal(found[0].mean, build()[0].mean)
    assert torch.equal(found[0].scale, build()[0].scale)

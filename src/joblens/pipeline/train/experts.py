"""Fit the experts of the wide-and-deep classifier: linear support vector machines, and a kernel machine."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from joblens.config import Classifier
from joblens.models.kernel_ridge import KernelRidge
from joblens.models.ngrams import NgramBlock, SparseLinear
from joblens.models.occupation_groups import OccupationGroups
from joblens.models.wide_deep import Features, Shape, WideDeep

TOLERANCE = 0.1
"""Where the solver stops: liblinear's own default. A tenth of it guesses as well and takes longer."""
REACH = 1.5
"""Of the kernel: `gamma` times the mean squared length of the vectors."""
RIDGE = 0.3
"""Penalty of the kernel machine."""


def fit_experts(
    features: Features,
    labels: Tensor,
    classes: int,
    sides: Sequence[int],
    label_vectors: Tensor,
    occupations: OccupationGroups | None,
    config: Classifier,
) -> WideDeep:
    """A network whose experts have learned from n adverts, and whose fusion has not yet.

    Args:
        features: Of n training adverts.
        labels: (n,) class indices in [0, classes); a class may be missing.
        classes: C.
        sides: Widths of the encoder's sides.
        label_vectors: (C, all sides) of the label texts.
        occupations: What the features were made with.
        config: `C`, `min_df`, `buckets`, `landmarks` and `seed`.
    """
    from scipy.sparse import csr_matrix, hstack

    text = NgramBlock.fit(features.text_ngrams, config.min_df)
    title = NgramBlock.fit(features.title_ngrams, 1)
    kernel = KernelRidge.fit(
        features.kernel,
        2 * one_hot(labels, classes) - 1.0,
        most=config.landmarks,
        reach=REACH,
        ridge=RIDGE,
        seed=config.seed,
    )
    network = WideDeep(
        Shape(
            sides=tuple(sides),
            classes=classes,
            buckets=config.buckets,
            text_ngrams=len(text.buckets),
            title_ngrams=len(title.buckets),
            occupations=0 if occupations is None else len(occupations.vectors),
            groups=() if occupations is None else occupations.groups,
            landmarks=len(kernel.landmarks),
        )
    )
    network.text_block, network.title_block = text, title
    if occupations is not None:
        network.occupations = occupations
    network.label_vectors.copy_(label_vectors)
    targets = labels.numpy()
    read = text.weigh(features.text_ngrams)
    dense = features.title_dense.numpy()
    letters = title.weigh(features.title_ngrams)
    wide, wide_bias = _machine(read, targets, classes, config)
    both, title_bias = _machine(hstack([letters, csr_matrix(dense)], format="csr"), targets, classes, config)
    deep, deep_bias = _machine(csr_matrix(features.deep.numpy()), targets, classes, config)
    network.wide = SparseLinear.of(wide)
    network.kernel = kernel
    network.title_ngrams = SparseLinear.of(both[: letters.shape[1]])
    with torch.no_grad():
        for parameter, values in (
            (network.wide_bias, wide_bias),
            (network.title_bias, title_bias),
            (network.title_dense.weight, both[letters.shape[1] :].T),
            (network.deep.weight, deep.T),
            (network.deep.bias, deep_bias),
        ):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))
    return network.eval()


def _machine(
    matrix: Any, targets: NDArray[np.int64], classes: int, config: Classifier
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One-against-rest machines: weights (F, C) and biases (C,); -1 always for a class without adverts."""
    from sklearn.svm import LinearSVC

    weights, biases = np.zeros((matrix.shape[1], classes)), np.full(classes, -1.0)
    present = np.unique(targets)
    if matrix.shape[1] == 0 or len(present) < 2:
        biases[present] = 1.0 if len(present) == 1 else -1.0
        return weights, biases
    machine = LinearSVC(C=config.C, tol=TOLERANCE, random_state=config.seed).fit(matrix, targets)
    signs = np.array([-1.0, 1.0]) if len(present) == 2 else 1.0
    weights[:, present] = machine.coef_.T * signs
    biases[present] = machine.intercept_ * signs
    return weights, biases

"""From scores to probabilities that can be believed: scaling, prediction sets and abstention.

All three are fitted on rows that the network, or others like it, were not fitted to: validation rows, or
out-of-fold guesses of training and validation rows. Their figures there are slightly optimistic; `evaluate`
measures them on test rows. Shapes: N rows, C classes.
"""

from dataclasses import dataclass
from math import ceil, exp, inf, log, sqrt
from typing import TYPE_CHECKING, Any

from joblens.errors import DataError
from joblens.metrics import best_class

if TYPE_CHECKING:
    from torch import Tensor

COLDEST, HOTTEST = 0.05, 20.0
"""Temperatures are sought between these: rows without a wrong guess would otherwise push it to 0."""

ROUNDING = 1e-7
"""Two machines may differ by this much in a probability without moving it across a threshold."""

SHARES = tuple(step / 20 for step in range(1, 21))
"""Shares of the rows, the surest first, that `accuracy_at_coverage` looks at."""

_HAIR = 1e-9
_SLOPES = (0.05, 20.0)
_DECIMALS = 6  # a solver's last digits are not the same on every machine
_GOLDEN = (sqrt(5.0) - 1) / 2
_STEPS = 60  # 0.618 ** 60 of the bracket: far below float64's resolution of the loss


@dataclass(frozen=True, slots=True)
class Calibration:
    """How logits become probabilities, prediction sets and abstentions.

    The first three numbers and the last two decide; the others say what was asked for and what came of it on
    the rows of the calibration.
    """

    temperature: float
    """Logits are divided by it; above 1 the network was too sure."""
    set_threshold: float
    """A label with at least this probability is in the prediction set; 0 puts every label in."""
    abstain_below: float
    """The model abstains when its highest probability is lower; 0 never abstains."""
    coverage: float = 0.0
    """How often a prediction set was asked to hold the true label."""
    target_precision: float = 0.0
    """The precision asked of the rows that are answered."""
    precision: float = 0.0
    """Precision of the answered rows; below `target_precision` when no threshold reached it."""
    answered: float = 1.0
    """Share of the rows answered."""
    slope: float = 1.0
    """Of the highest probability's logarithm of odds; below 1 the surest rows were too sure."""
    shift: float = 0.0
    """What is added to that."""


def calibrate(logits: "Tensor", labels: "Tensor", coverage: float, target_precision: float) -> Calibration:
    """Fit the scaling, the prediction-set threshold and the abstain threshold, in this order.

    Args:
        logits: (N, C) of rows the network was not trained on.
        labels: (N,) class indices.
        coverage: How often a prediction set should hold the true label, in (0, 1).
        target_precision: Share of answered rows that should be right, in (0, 1].

    Raises:
        DataError: N differs between the two, N is 0, or a logit is not finite.
    """
    if len(logits) != len(labels) or len(labels) == 0:
        raise DataError(
            f"{len(logits)} rows of logits for {len(labels)} validation labels; "
            "give one label for each, at least one"
        )
    if not bool(logits.isfinite().all()):
        raise DataError(
            "the network gives logits that are not finite; lower classifier.learning_rate and train again"
        )
    temperature, slope, shift = fit_scaling(logits, labels)
    likely = scaled(logits, temperature, slope, shift)  # (N, C)
    set_threshold = fit_set_threshold(likely, labels, coverage)
    abstain_below, precision, answered = fit_abstain_threshold(likely, labels, target_precision)
    return Calibration(
        temperature=temperature,
        slope=slope,
        shift=shift,
        set_threshold=set_threshold,
        abstain_below=abstain_below,
        coverage=coverage,
        target_precision=target_precision,
        precision=precision,
        answered=answered,
    )


def probabilities(logits: "Tensor", calibration: Calibration) -> "Tensor":
    """Calibrated: (N, C) to (N, C) float64, rows sum to 1; the likeliest class stays so."""
    return scaled(logits, calibration.temperature, calibration.slope, calibration.shift)


def scaled(logits: "Tensor", temperature: float, slope: float = 1.0, shift: float = 0.0) -> "Tensor":
    """softmax(logits / temperature), and then the odds of the likeliest class to the power of the slope.

    The logarithm of these odds is multiplied by `slope`, and `shift` is added; the other classes share what
    is left as before. The likeliest class stays at least a hair above them. Slope 1 and shift 0 change
    nothing.

    Args:
        logits: (N, C).
        temperature: Above 0.
        slope: Above 0.
        shift: Any number.

    Returns:
        (N, C) float64, rows sum to 1.
    """
    wide = logits.double() / temperature
    if (slope, shift) == (1.0, 0.0) or wide.shape[1] < 2:
        return wide.softmax(dim=1)
    guesses = best_class(wide)  # (N,)
    top = guesses.unsqueeze(1)
    rest = wide.scatter(1, top, -inf).softmax(dim=1)
    odds = (slope * log_odds(wide, guesses) + shift).unsqueeze(1)  # (N, 1)
    second = rest.amax(dim=1, keepdim=True)
    likely = odds.sigmoid().maximum(second / (1 + second) + _HAIR).clamp(max=1.0)
    return (rest * (1 - likely)).scatter(1, top, likely)


def prediction_sets(probabilities: "Tensor", calibration: Calibration) -> list[list[int]]:
    """The labels that may be true: for each row of (N, C), class indices from likely to unlikely, never none.

    A row without any label above the threshold gets its best guess, which can only raise the coverage.
    """
    order = probabilities.argsort(dim=1, descending=True, stable=True)  # (N, C)
    inside = probabilities >= calibration.set_threshold - ROUNDING  # (N, C)
    sizes = inside.sum(dim=1).clamp(min=1).tolist()
    return [row[:size] for row, size in zip(order.tolist(), sizes, strict=True)]


def abstains(probabilities: "Tensor", calibration: Calibration) -> "Tensor":
    """Which rows of (N, C) are too unsure to answer: (N,) bool."""
    return probabilities.amax(dim=1) < calibration.abstain_below - ROUNDING


def fit_temperature(logits: "Tensor", labels: "Tensor") -> float:
    """The temperature with the lowest cross-entropy on these rows (Guo et al. 2017, section 4.2).

    Cross-entropy is convex in 1/T, so it has one valley in log T and golden-section search finds it, the same
    on every machine. Rows that are all right, or all wrong, have no valley; the answer is then a bound.

    Args:
        logits: (N, C).
        labels: (N,) class indices.

    Returns:
        A number in [COLDEST, HOTTEST].
    """
    from torch.nn.functional import cross_entropy

    wide, targets = logits.double(), labels.long()

    def loss(log_temperature: float) -> float:
        return float(cross_entropy(wide / exp(log_temperature), targets))

    low, high = log(COLDEST), log(HOTTEST)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    loss_left, loss_right = loss(left), loss(right)
    for _ in range(_STEPS):
        if loss_left <= loss_right:
            high, right, loss_right = right, left, loss_left
            left = high - _GOLDEN * (high - low)
            loss_left = loss(left)
        else:
            low, left, loss_left = left, right, loss_right
            right = low + _GOLDEN * (high - low)
            loss_right = loss(right)
    best = min((log(COLDEST), (low + high) / 2, log(HOTTEST)), key=loss)
    return exp(best)


def log_odds(logits: "Tensor", classes: "Tensor") -> "Tensor":
    """Logarithm of the odds that softmax gives one class of each row: (N, C) and (N,) int64 to (N,).

    Exact where the probability itself would round to 1. A class without others has infinite odds.
    """
    places = classes.unsqueeze(1)
    others = logits.scatter(1, places, -inf)
    return logits.gather(1, places).squeeze(1) - others.logsumexp(dim=1)


def fit_scaling(logits: "Tensor", labels: "Tensor") -> tuple[float, float, float]:
    """Temperature, slope and shift for `scaled`: first the temperature, then the other two by Platt's method.

    One temperature makes up for a network that is too sure of everything. Where labels are wrong now and then
    it is too sure at the top only, so whether the guess is right is fitted once more by logistic regression
    on the logarithm of its odds (Platt 1999, with his smoothed targets; of top labels: Gupta & Ramdas 2022).

    Args:
        logits: (N, C) of rows the network was not trained on.
        labels: (N,) class indices.

    Returns:
        Temperature, slope (0.05 to 20) and shift (-20 to 20).
    """
    import numpy as np
    from scipy.optimize import minimize

    temperature = fit_temperature(logits, labels)
    if logits.shape[1] < 2:
        return temperature, 1.0, 0.0
    wide = logits.double() / temperature
    guesses = best_class(wide)
    odds = log_odds(wide, guesses).cpu().numpy()  # (N,)
    right = (guesses == labels).cpu().numpy()  # (N,)
    hits = int(right.sum())
    targets = np.where(right, (hits + 1) / (hits + 2), 1 / (len(right) - hits + 2))

    def loss(values: Any) -> tuple[float, Any]:
        scores = values[0] * odds + values[1]
        wrong = 1 / (1 + np.exp(-scores)) - targets
        return float(np.mean(np.logaddexp(0, scores) - targets * scores)), np.array(
            [np.mean(wrong * odds), np.mean(wrong)]
        )

    found = minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=[_SLOPES, (-20.0, 20.0)])
    slope, shift = (round(float(value), _DECIMALS) for value in found.x)
    return temperature, slope, shift


def fit_set_threshold(probabilities: "Tensor", labels: "Tensor", coverage: float) -> float:
    """The least probability a label needs to enter a prediction set (LAC: Sadinle, Lei & Wasserman 2019).

    With k = ceil((N + 1) * coverage), it is the k-th highest probability that the true labels have. New rows
    like these, scored by the same network, are then covered with at least probability `coverage`; when these
    rows were guessed by several networks, one for each fold, that is what it aims at. When k > N there are
    too few rows to promise it with less than every label, and the threshold is 0.

    Args:
        probabilities: (N, C), calibrated.
        labels: (N,) class indices.
        coverage: In (0, 1).
    """
    import numpy as np
    from mapie.conformity_scores import LACConformityScore

    rows, alpha = len(labels), 1 - coverage
    if ceil((rows + 1) * (1 - alpha)) > rows:
        return 0.0
    lac = LACConformityScore()
    targets = labels.long().cpu().numpy()
    scores = lac.get_conformity_scores(targets, probabilities.double().cpu().numpy(), y_enc=targets)  # (N, 1)
    quantile = lac.get_conformity_score_quantiles(scores, np.array([alpha]), cv="prefit")  # (1,)
    return max(0.0, 1.0 - float(quantile[0]))


def fit_abstain_threshold(
    probabilities: "Tensor", labels: "Tensor", target_precision: float
) -> tuple[float, float, float]:
    """The lowest threshold at which the answered rows reach a precision.

    Rows with the same confidence are answered together. When no threshold reaches the precision, the one with
    the highest precision is taken, the lowest of several.

    Args:
        probabilities: (N, C), calibrated.
        labels: (N,) class indices.
        target_precision: In (0, 1].

    Returns:
        The threshold (0 when every row may be answered), the precision of the answered rows and their share.
    """
    guesses = best_class(probabilities)  # (N,)
    confidence, order = probabilities.amax(dim=1).double().sort(descending=True, stable=True)  # (N,)
    right = (guesses == labels)[order].double().cumsum(dim=0)  # (N,), right answers among the first n
    best = (0.0, 0.0, 0.0)
    pairs = list(zip(confidence.tolist(), right.tolist(), strict=True))
    for place in reversed(range(len(pairs))):
        threshold, hits = pairs[place]
        if place + 1 < len(pairs) and pairs[place + 1][0] == threshold:
            continue  # the same confidence as the row below: both are answered or none
        answered = place + 1
        precision = hits / answered
        candidate = (0.0 if answered == len(pairs) else threshold, precision, answered / len(pairs))
        if precision >= target_precision:
            return candidate
        if precision > best[1] or place == len(pairs) - 1:
            best = candidate
    return best


def accuracy_at_coverage(probabilities: "Tensor", labels: "Tensor") -> dict[str, float]:
    """How often the surest rows are right: accuracy among each of `SHARES` of the rows.

    One minus these figures is the risk-coverage curve of selective classification (El-Yaniv & Wiener 2010;
    Geifman & El-Yaniv 2017); coverage is the share of rows that are answered. k = ceil(share * N) rows are
    answered. Of rows as sure as the last of them, each is as likely to be among them.

    Args:
        probabilities: (N, C), calibrated. A row is as sure as its highest entry.
        labels: (N,) class indices.

    Returns:
        A fraction for each share, named with two decimals: `{"0.05": 1.0, ..., "1.00": 0.8}`.

    Raises:
        DataError: N differs between the two or is 0.
    """
    if len(probabilities) != len(labels) or len(labels) == 0:
        raise DataError(
            f"{len(probabilities)} rows of probabilities for {len(labels)} labels; "
            "give one label for each, at least one"
        )
    import numpy as np

    rows = len(labels)
    sure = probabilities.amax(dim=1).double().cpu().numpy()  # (N,)
    right = (best_class(probabilities) == labels).cpu().numpy()  # (N,)
    _, level, sizes = np.unique(-sure, return_inverse=True, return_counts=True)  # levels, surest first
    hits = np.bincount(level, weights=right)  # (levels,)
    ends, found = sizes.cumsum(), hits.cumsum()
    curve = {}
    for share in SHARES:
        count = ceil(round(share * rows, 6))  # 0.15 * 20 is a little above 3
        place = int(np.searchsorted(ends, count))  # the level that holds the last row
        missing = (ends[place] - count) / sizes[place]  # share of it that is left out
        curve[f"{share:.2f}"] = float(found[place] - hits[place] * missing) / count
    return curve

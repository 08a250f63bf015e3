"""Hydra composes `configs/`, pydantic checks the result, `params.yaml` carries it to DVC."""

from joblens.config.compose import compose, load, to_yaml
from joblens.config.sections import (
    Baseline,
    Classifier,
    Cleaning,
    Compute,
    Config,
    Data,
    Embedding,
    Evaluation,
    Lexical,
    Section,
    Split,
    Tracking,
)

__all__ = [
    "Baseline",
    "Classifier",
    "Cleaning",
    "Compute",
    "Config",
    "Data",
    "Embedding",
    "Evaluation",
    "Lexical",
    "Section",
    "Split",
    "Tracking",
    "compose",
    "load",
    "to_yaml",
]

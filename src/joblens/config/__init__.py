"""Hydra composes `configs/`, pydantic checks the result, `params.yaml` carries it to DVC."""

from joblens.config.base import Section
from joblens.config.compose import compose, compose_flow, load, to_yaml
from joblens.config.flows import Corpus, Folds, NerFlow, Phase, TitlesFlow, TitleSource
from joblens.config.sections import (
    Audit,
    Baseline,
    Classifier,
    Cleaning,
    Compute,
    Config,
    Data,
    Embedding,
    Evaluation,
    Lexical,
    Split,
    Tracking,
)

__all__ = [
    "Audit",
    "Baseline",
    "Classifier",
    "Cleaning",
    "Compute",
    "Config",
    "Corpus",
    "Data",
    "Embedding",
    "Evaluation",
    "Folds",
    "Lexical",
    "NerFlow",
    "Phase",
    "Section",
    "Split",
    "TitleSource",
    "TitlesFlow",
    "Tracking",
    "compose",
    "compose_flow",
    "load",
    "to_yaml",
]

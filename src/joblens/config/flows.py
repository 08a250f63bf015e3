"""The sections of the fine-tuning flows: a class per file of `configs/finetune/`, keys in the same order."""

from typing import Literal, Self

from pydantic import Field, model_validator

from joblens.config.base import Section, check_variable_name
from joblens.config.sections import Compute, Tracking


class Corpus(Section):
    """Texts with marked entities, or how to make them."""

    name: str
    """What the log and the model card call it."""
    kind: Literal["skillspan", "conll", "uner", "gliner", "presidio", "sample", "personal", "phrases"]
    """Format of the file; `personal` and `phrases` are made, not read."""
    path: str | None = None
    """The file, relative to the data folder; None for what is made."""
    language: str = "en"
    """ISO 639-1 code of the file's texts."""
    languages: tuple[str, ...] = ("da", "en")
    """For `personal`: languages of the adverts."""
    count: int | None = Field(None, ge=1)
    """For what is made: how many adverts or sentences."""
    labels: tuple[str, ...]
    """Labels somebody looked for in these texts; the others are unknown there, not absent."""
    fill: bool = False
    """Fill placeholders such as <NAME> with synthetic people, places and employers."""
    weight: float = Field(1.0, gt=0)
    """How often each sentence is drawn in an epoch."""

    @model_validator(mode="after")
    def _has_a_file_or_a_count(self) -> Self:
        is_made = self.kind in {"personal", "phrases"}
        if is_made and (self.count is None or self.path is not None):
            raise ValueError(f"{self.name}: kind '{self.kind}' is made; give count and no path")
        if not is_made and self.path is None:
            raise ValueError(f"{self.name}: kind '{self.kind}' is read; give its path")
        return self


class Phase(Section):
    """One pass of training over some corpora."""

    corpora: tuple[Corpus, ...]
    """What is trained on."""
    epochs: int = Field(ge=1)
    """Passes over the weighted examples."""
    batch_size: int = Field(ge=1)
    """Sentences in a step."""
    encoder_learning_rate: float = Field(gt=0)
    """Highest rate of the encoder's layers."""
    learning_rate: float = Field(gt=0)
    """Highest rate of projections and scorer."""
    weight_decay: float = Field(ge=0)
    """AdamW's."""
    warmup: float = Field(ge=0, le=1)
    """Share of the steps in which the rate rises; it falls to 0 afterwards."""
    first_layer: int = Field(ge=0)
    """Lowest encoder layer that is trained."""


class Folds(Section):
    """A corpus measured by cross-validation of the last phase, because nothing of it can be spared."""

    corpus: str
    """Name of a corpus of the last phase."""
    folds: int = Field(ge=2)
    """How many parts; texts of one group stay together."""
    labels: tuple[str, ...]
    """What is measured."""


class NerFlow(Section):
    """`joblens finetune ner`: a GLiNER for job text, from a packaged encoder or a GLiNER checkpoint."""

    base: str
    """Installed package that carries the encoder; or the folder of a cleaner or GLiNER checkpoint to go on
    from, relative to the project. A checkpoint stays one, whole, with thresholds beside it."""
    sha256: str | None = None
    """Expected SHA-256 of the packaged encoder; None for a folder, which brings its own shape."""
    hidden_size: int = Field(ge=8, le=4096)
    """Width of word and label vectors in the scorer."""
    max_words: int = Field(ge=8, le=4096)
    """Longest window in words."""
    mark_capitals: bool
    """Tell an encoder that knows lower case only which words began with a capital."""
    dropout: float = Field(ge=0, lt=1)
    """Share of activations dropped while training."""
    glossary: str | None = None
    """Words that are read as English ones: `da` for the Danish list of joblens, or a file of the same
    columns, relative to the project. None reads every word as it is, which a GLiNER checkpoint asks for."""
    precision: Literal["float32", "bfloat16"]
    """Of the arithmetic in training; `bfloat16` is automatic mixed precision, weights stay in float32."""
    labels: tuple[str, ...]
    """Labels the model is for; a corpus may train others beside them."""
    data_env: str
    """Environment variable with the folder of the public data."""
    output: str
    """Folder of the bundle, relative to the project."""
    phases: tuple[Phase, ...]
    """Trained one after the other."""
    validation: tuple[Corpus, ...]
    """Measured after every epoch, and where thresholds are chosen; never trained on."""
    cross_validation: Folds | None = None
    """Measured by training the last phase once per part."""
    thresholds: tuple[float, ...]
    """Candidates in (0, 1), ascending; the one with the best F1 is taken."""
    least_precision: dict[str, float] = Field(default_factory=dict)
    """Labels that must not be missed: the lowest candidate that keeps this precision is taken for them."""
    seed: int
    """Fixes data, order and weights."""
    compute: Compute
    """Where to train."""
    tracking: Tracking
    """Where metrics go."""

    @model_validator(mode="after")
    def _phases_and_names_fit(self) -> Self:
        check_variable_name(self.data_env)
        if not self.phases or not self.validation or not self.thresholds:
            raise ValueError("phases, validation and thresholds each need at least one entry")
        if any(not 0 < value < 1 for value in self.thresholds):
            raise ValueError("thresholds should each be between 0 and 1, and neither")
        if list(self.thresholds) != sorted(set(self.thresholds)):
            raise ValueError("thresholds should be ascending, each given once")
        unknown = [label for label in self.least_precision if label not in self.labels]
        if unknown:
            raise ValueError(f"least_precision names '{unknown[0]}', which is none of the labels")
        folds = self.cross_validation
        if folds and folds.corpus not in {corpus.name for corpus in self.phases[-1].corpora}:
            raise ValueError(f"cross_validation.corpus '{folds.corpus}' is no corpus of the last phase")
        return self


_WEIGHED = {"synonyms", "descriptions"}


class TitleSource(Section):
    """A table of job titles that say which occupation they mean."""

    name: str
    """What the log and the model card call it."""
    kind: Literal["labels", "occupations", "benchmark", "synonyms", "descriptions"]
    """`labels`: one label a row (label, uri, isco4); `occupations`: one concept a row, as ESCO has them;
    `benchmark`: ESCO's labels of a MELO set, not its queries; `synonyms`: any table of titles and keys;
    `descriptions`: sentences that say what people with such a title do."""
    path: str
    """The file, relative to the data folder."""
    language: str
    """ISO 639-1 code of its titles."""
    set: str | None = None
    """For `benchmark`: the set whose labels are read."""
    title: str = "label"
    """For `synonyms` and `descriptions`: column with the title or the sentence."""
    concept: str = "uri"
    """For the same: column with the key of the occupation; an ESCO URI joins that concept."""
    delimiter: str = ","
    """For the same: what separates the columns."""
    weight: float = Field(0.0, ge=0, lt=1)
    """For the same, and to be given there: share of the training pairs that have one of its rows."""
    held_out: float = Field(0.0, ge=0, lt=1)
    """For `synonyms`: share of its titles kept aside to calibrate `joblens code`."""

    @model_validator(mode="after")
    def _benchmark_names_a_set(self) -> Self:
        if (self.kind == "benchmark") != (self.set is not None):
            raise ValueError(f"{self.name}: give `set` for kind 'benchmark', and only there")
        return self

    @model_validator(mode="after")
    def _synonyms_have_a_weight(self) -> Self:
        if self.kind in _WEIGHED and "weight" not in self.model_fields_set:
            raise ValueError(f"{self.name}: give `weight`, its share of the training pairs, such as 0.1")
        if self.kind not in _WEIGHED and self.weight:
            raise ValueError(f"{self.name}: only synonyms and descriptions have a `weight`; leave it out")
        return self


class TitlesFlow(Section):
    """`joblens finetune titles`: the encoder of job titles, trained on synonyms."""

    buckets: int = Field(ge=1)
    """Rows of the table that words and n-grams share."""
    dimensions: int = Field(ge=1)
    """D, the width of the vectors."""
    shortest: int = Field(ge=1)
    """Least letters of an n-gram."""
    longest: int = Field(ge=1, le=16)
    """Most letters of an n-gram."""
    data_env: str
    """Environment variable with the folder of the public data."""
    output: str
    """Folder of the encoder, relative to the project."""
    sources: tuple[TitleSource, ...]
    """What is trained on."""
    exclude: str
    """The MELO benchmark: no title from `synonyms` that is one of its queries is trained on."""
    descriptions: float = Field(ge=0, lt=1)
    """Share of the pairs that join a title with ESCO's description of its occupation."""
    cross_language: float = Field(ge=0, lt=1)
    """Share of the pairs that join titles of two languages."""
    plurals: float = Field(ge=0, le=1)
    """Share of first titles in English, French and Spanish whose first words are made plural."""
    gender_forms: float = Field(ge=0, le=1)
    """Share of first titles such as "Leiter/Leiterin" of which one form is taken, or a short one of both."""
    augmentation: float = Field(ge=0, le=1)
    """Share of first titles that get a typo, seniority, a place or a gender mark, or lose a word."""
    hard: float = Field(ge=0, le=1)
    """Share of a batch drawn from occupations that the encoder finds alike."""
    neighbours: int = Field(ge=2)
    """How many of them are drawn together."""
    steps: int = Field(ge=1)
    """Most training steps; the rate falls to 0 over them."""
    batch_size: int = Field(ge=2)
    """Pairs in a step; each title is told apart from the others' partners."""
    learning_rate: float = Field(gt=0)
    """Adam's highest rate."""
    temperature: float = Field(gt=0)
    """Cosines are divided by this before the softmax."""
    validate_every: int = Field(ge=1)
    """Steps between two measurements on the concepts held out."""
    patience: int = Field(ge=1)
    """Stop after so many measurements without a better one; the best table is kept."""
    held_out: float = Field(gt=0, lt=1)
    """Share of the concepts that are not trained on, and of the other concepts and languages that are trained
    on without one label; for early stopping."""
    seed: int
    """Fixes concepts held out, pairs and weights."""
    compute: Compute
    """Where to train."""
    tracking: Tracking
    """Where metrics go."""

    @model_validator(mode="after")
    def _numbers_and_names_fit(self) -> Self:
        check_variable_name(self.data_env)
        if self.shortest > self.longest:
            raise ValueError(f"shortest is {self.shortest} and longest {self.longest}; swap them")
        shares = self.descriptions + sum(source.weight for source in self.sources if source.kind in _WEIGHED)
        if shares >= 1:
            raise ValueError(
                f"descriptions and the weights of synonyms add up to {shares:g}; leave some to labels"
            )
        names = [source.name for source in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"sources has {twice[0]!r} twice; give each source a name of its own")
        if not any(source.kind not in _WEIGHED for source in self.sources):
            raise ValueError(
                "sources has no labels to train on; add one of kind labels, occupations or benchmark"
            )
        return self

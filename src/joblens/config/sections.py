"""The sections of `params.yaml`, one class per group of `configs/`, keys in the same order."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from joblens.config.base import Section, check_variable_name
from joblens.text import check_template

SQL_WATCH = "configs/data/sql.yaml"
NO_TAXONOMY_WATCH = "data/sample/taxonomy.csv"
"""Files that are always there, for DVC to watch when the configuration names none."""


class Data(Section):
    """Where adverts come from and which columns matter."""

    source: Literal["csv", "parquet", "jsonl", "sql"]
    """The kind of source."""
    path: str | None = None
    """The file, relative to the project folder; None for `sql`."""
    url_env: str = "JOBLENS_DB_URL"
    """Environment variable that holds the database URL, which itself is never written anywhere."""
    table: str | None = None
    """Table or view to read whole; for `sql`, give this or `query`."""
    query: str | None = None
    """A SELECT statement; for `sql`, give this or `table`."""
    text: str
    """Column with the advert's text."""
    title: str | None = None
    """Column with the advert's title; None when there is none."""
    label: str | None = None
    """Column with the category; None for adverts that only wait for a guess."""
    id: str | None = None
    """Column with a unique id; None makes ids from content."""
    language: str | None = None
    """Column with the language code; None when there is none."""
    delimiter: str | None = None
    """What separates CSV columns; None detects it."""
    encoding: str | None = None
    """How CSV or JSON lines are encoded; None detects it."""
    html: bool = True
    """Turn HTML into plain text, its structure kept as line breaks."""
    taxonomy: str | None = None
    """CSV of labels with names and descriptions; None takes the labels found, as they are."""
    min_class_size: int = Field(1, ge=1)
    """Labels with fewer adverts than this are left out, and counted."""
    near_duplicates: float = Field(0.8, gt=0, le=1)
    """Adverts whose texts share at least this much (Jaccard similarity of word shingles) form one group."""
    feedback_url_env: str | None = None
    """Environment variable with the URL of the database of corrections by people; None takes none of them."""
    watch: str
    """The file whose change makes `ingest` run again; filled in: the data file, for `sql` the option file."""
    watch_taxonomy: str
    """The same for the taxonomy; filled in: `taxonomy`, or the one of the sample when there is none."""
    seed: int
    """Seed of the near-duplicate hashes."""

    @field_validator("url_env", "feedback_url_env")
    @classmethod
    def _url_stays_in_the_environment(cls, name: str | None) -> str | None:
        return None if name is None else check_variable_name(name)

    @model_validator(mode="before")
    @classmethod
    def _watch_what_is_read(cls, values: dict[str, Any]) -> dict[str, Any]:
        """DVC templates know no "if", so the files it watches are spelled out here."""
        file = SQL_WATCH if values.get("source") == "sql" else values.get("path")
        taxonomy = values.get("taxonomy") or NO_TAXONOMY_WATCH
        filled = {
            "watch": values.get("watch") or file,
            "watch_taxonomy": values.get("watch_taxonomy") or taxonomy,
        }
        return {**values, **{key: value for key, value in filled.items() if value is not None}}

    @model_validator(mode="after")
    def _source_is_complete(self) -> Self:
        if self.source == "sql":
            if (self.table is None) == (self.query is None):
                raise ValueError("source 'sql' needs exactly one of data.table and data.query")
        elif self.path is None:
            raise ValueError(f"source {self.source!r} needs data.path")
        return self

    @model_validator(mode="after")
    def _what_is_read_is_watched(self) -> Self:
        """An edit of `path` alone would leave DVC watching the old file, and a changed new one unnoticed."""
        is_sql = self.source == "sql"
        file = ("data.source", "sql", SQL_WATCH) if is_sql else ("data.path", self.path, self.path)
        taxonomy = ("data.taxonomy", self.taxonomy, self.taxonomy or NO_TAXONOMY_WATCH)
        for key, found, (cause, value, expected) in (
            ("data.watch", self.watch, file),
            ("data.watch_taxonomy", self.watch_taxonomy, taxonomy),
        ):
            if found != expected:
                raise ValueError(
                    f"{key} is {found!r} but {cause} is {value!r}; "
                    "run `joblens params` with your overrides, it sets both"
                )
        return self


class Cleaning(Section):
    """What is kept of an advert and what is dropped."""

    extractor: Literal["none", "patterns", "gliner", "gliner2", "toy"]
    """`none` keeps the text; `patterns` masks personal data; the others also read entities."""
    output: Literal["extract", "redact"] = "extract"
    """What leaves an extractor that reads entities: only those that are kept, or the whole text, masked."""
    template: str = "{occupation}; {skills}; {tasks}"
    """How `extract` writes the kept entities; an empty field goes together with the text before it."""
    model: str | None = None
    """For `gliner` and `gliner2`: a local folder or a hub id."""
    revision: str | None = None
    """For a hub id: the pinned commit."""
    keep: tuple[str, ...] = ("occupation", "skill", "task")
    """Entity labels that are kept."""
    drop: tuple[str, ...] = ("person", "address", "organisation")
    """Entity labels that are masked, on top of what the patterns find."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes of languages in which the model's word is taken for the labels of `drop`; in an advert
    that is surely in another only the patterns mask. Empty: in all."""
    threshold: float | None = Field(None, ge=0, le=1)
    """Entities the model is less sure of are ignored; None takes the model's own, label by label, or 0.5."""
    max_tokens: int | None = Field(None, ge=8)
    """Longest window the model reads at once, in its own words; None asks the model."""
    precision: Literal["float32", "float16", "bfloat16"] = "float32"
    """Arithmetic on a GPU; a CPU always uses float32."""
    backend: Literal["torch", "onnx", "onnx_int8", "openvino", "openvino_bf16"] = "torch"
    """What runs joblens' own cleaner; others than torch use the CPU and need `joblens export-cleaner`.
    `openvino_bf16` needs a processor that multiplies in bfloat16."""

    @field_validator("template")
    @classmethod
    def _template_is_known(cls, template: str) -> str:
        check_template(template)
        return template

    @model_validator(mode="after")
    def _model_extractors_have_a_model(self) -> Self:
        if self.extractor in {"gliner", "gliner2"} and self.model is None:
            raise ValueError(f"extractor '{self.extractor}' needs cleaning.model, a folder or a hub id")
        return self


class Embedding(Section):
    """How text becomes vectors."""

    encoder: Literal["sentence_transformer", "titles", "toy"]
    """`titles` adds up words and n-grams; `toy` hashes words and needs no weights."""
    model: str
    """A name, a local folder or a hub id."""
    package: str | None = None
    """Installed package whose `model` folder carries the weights; None loads a folder or from a hub."""
    sha256: str | None = None
    """Expected SHA-256 of `model.safetensors`; None does not check."""
    revision: str | None = None
    """For a hub id: the pinned commit."""
    prefix: str = ""
    """Put before every text, for encoders that were trained with an instruction."""
    dimensions: int = Field(ge=1)
    """Width of the vectors, D."""
    max_tokens: int = Field(ge=8)
    """Longest window the encoder reads at once."""
    windows: int | None = Field(None, ge=1)
    """How many windows of a long text are read; None reads all and averages them."""
    precision: Literal["float32", "float16", "bfloat16"] = "float32"
    """Arithmetic on a GPU; a CPU always uses float32."""
    titles: str | None = None
    """Folder of a title encoder; its vector of the title stands beside the text's. None for no title side."""
    title_dimensions: int = Field(0, ge=0)
    """Width of the title side; 0 without one."""
    title_weight: float = Field(0.5, gt=0, lt=1)
    """How much of the cosine of two adverts comes from their titles."""
    words_weight: float = Field(0.0, ge=0, lt=1)
    """How much comes from title and text as the title encoder reads them; 0 leaves this side out."""
    seed: int
    """Seed of the toy encoder's projection."""

    @property
    def name(self) -> str:
        """The model, and whether titles have a side of their own."""
        return self.model if self.titles is None else f"{self.model} + title side"

    @property
    def sides(self) -> tuple[int, ...]:
        """Widths of the parts of a vector: the text; then the title and the text's words, if any."""
        titles = (self.title_dimensions,) * (2 if self.words_weight else 1) if self.titles else ()
        return (self.dimensions, *titles)

    @property
    def width(self) -> int:
        """How many numbers a vector has, all sides together."""
        return sum(self.sides)

    @model_validator(mode="after")
    def _a_title_side_has_a_width(self) -> Self:
        has_titles, has_width = self.titles is not None, self.title_dimensions > 0
        if has_titles != has_width or (self.words_weight and not has_titles):
            raise ValueError(
                f"titles is {self.titles!r}, title_dimensions {self.title_dimensions}, words_weight "
                f"{self.words_weight:g}; give both titles and title_dimensions, or neither and words_weight 0"
            )
        if self.title_weight + self.words_weight >= 1:
            total = f"{self.title_weight + self.words_weight:g}"
            raise ValueError(f"title_weight + words_weight is {total}; leave some of 1 to the text")
        if self.encoder == "titles" and self.titles is not None:
            raise ValueError("encoder 'titles' reads the title already; leave titles empty")
        return self


class Lexical(Section):
    """The peer to beat: TF-IDF of words and characters with a linear support vector machine."""

    word_ngrams: tuple[int, int] = (1, 2)
    """Shortest and longest word n-gram."""
    char_ngrams: tuple[int, int] = (2, 5)
    """Shortest and longest character n-gram."""
    min_df: int = Field(2, ge=1)
    """N-grams found in fewer training adverts are left out."""
    C: float = Field(1.0, gt=0)
    """Inverse strength of the regularisation."""


class Baseline(Section):
    """Models that need no training, and the peer that needs a second of it."""

    label_text: Literal["name", "name_and_description"] = "name_and_description"
    """What stands for a label in the zero-shot comparison."""
    lexical: Lexical
    """The peer to beat."""


class Classifier(Section):
    """What guesses labels, and how it is trained."""

    network: Literal["dense", "wide_deep"] = "dense"
    """`dense` reads vectors alone; `wide_deep` fuses experts of n-grams, of the title and of vectors."""
    hidden: tuple[int, ...] = ()
    """Widths of hidden layers of `dense`. Empty means logistic regression."""
    dropout: float = Field(ge=0, lt=1)
    """Share of activations dropped while training `dense`."""
    buckets: int = Field(2**17, ge=16, le=2**22)
    """`wide_deep`: buckets of hashed word n-grams, and as many of character n-grams."""
    min_df: int = Field(2, ge=1)
    """`wide_deep`: n-grams of fewer training adverts are left out; those of titles never are."""
    landmarks: int = Field(2000, ge=0, le=2**17)
    """`wide_deep`: training adverts that the kernel expert compares with, at most; 0 leaves it out."""
    C: float = Field(1.0, gt=0)
    """`wide_deep`: inverse strength of the experts' regularisation."""
    inner_folds: int = Field(4, ge=2)
    """`wide_deep`: folds that show the fusion what experts say of adverts they have not seen."""
    modality_dropout: float = Field(0.2, ge=0, le=1)
    """`wide_deep`: share of adverts that the fusion sees once more without their title or their text."""
    learning_rate: float = Field(gt=0, le=1)
    """AdamW step size."""
    weight_decay: float = Field(ge=0)
    """AdamW weight decay."""
    batch_size: int = Field(ge=1)
    """Adverts per step."""
    max_epochs: int = Field(ge=1)
    """Most passes over the training adverts."""
    patience: int | None = Field(ge=1)
    """Stop after this many epochs without a better validation macro-F1, and keep the best; None: the last."""
    loss: Literal["cross_entropy", "focal"]
    """Focal loss looks harder at adverts the network gets wrong."""
    focal_gamma: float = Field(2.0, ge=0)
    """Focusing strength of the focal loss; 0 makes it cross-entropy."""
    class_weights: Literal["none", "balanced"]
    """`balanced` weighs a class by the inverse of its size."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of the target spread evenly over all classes."""
    sampling: Literal["none", "balanced"] = "none"
    """`balanced` draws batches in which every class is as likely, rare ones by repeating their adverts."""
    mixup: float = Field(0.0, ge=0)
    """Alpha of the Beta distribution by which adverts are mixed in pairs while training; 0 mixes nothing."""
    weight_averaging: Literal["none", "ema"] = "none"
    """`ema` validates and keeps the moving average of the weights instead of the last step's."""
    ema_decay: float = Field(0.99, ge=0, lt=1)
    """Share of the moving average that each step leaves as it was."""
    coverage: float = Field(0.9, gt=0, lt=1)
    """How often a prediction set should hold the true label."""
    target_precision: float = Field(0.95, gt=0, le=1)
    """The model abstains below the probability at which adverts it was not fitted to reach this precision."""
    snapshot: int = Field(512, ge=0, le=512)
    """Vectors of training adverts that the bundle brings, to tell when new adverts differ; 0 brings none."""
    seed: int
    """Seed of initial weights, batches, dropout, mixing and the snapshot's sample."""

    @model_validator(mode="after")
    def _rare_classes_count_once(self) -> Self:
        if self.sampling == self.class_weights == "balanced":
            raise ValueError(
                "sampling and class_weights are both 'balanced', so that rare classes would count twice; "
                "set one of them to 'none'"
            )
        return self


class Split(Section):
    """Which rows train, validate and test."""

    validation: float = Field(gt=0, lt=1)
    """Share of rows for early stopping and calibration."""
    test: float = Field(gt=0, lt=1)
    """Share of rows nobody looks at before `evaluate`."""
    folds: int = Field(ge=2)
    """Folds of the cross-validation."""
    seed: int
    """Seed of the shuffling."""

    @model_validator(mode="after")
    def _rows_are_left_to_train_on(self) -> Self:
        if self.validation + self.test >= 0.9:
            used = f"{self.validation + self.test:g}"
            raise ValueError(f"validation + test is {used}; leave at least 0.1 to train on")
        return self


class Evaluation(Section):
    """How models are compared."""

    split: Split
    """Which rows train, validate and test."""
    bootstrap: int = Field(ge=100)
    """Resamples behind each confidence interval."""
    ece_bins: int = Field(ge=2)
    """Bins of the calibration error."""
    cross_validation: bool
    """Train every model once per fold as well."""
    seed: int
    """Seed of the resampling."""


class Audit(Section):
    """How many synthetic adverts the leak meter cleans."""

    ads: int = Field(ge=1)
    """Adverts full of personal data, made with names that no model of joblens was trained with."""
    languages: tuple[str, ...]
    """Some of da, en, es and ru."""
    seed: int
    """Seed of the adverts."""


class Compute(Section):
    """Where things run. Must not change results, so no stage depends on it."""

    device: Literal["auto", "cpu", "gpu"]
    """`gpu` is an assertion that fails when there is none."""
    workers: int = Field(ge=1)
    """Processes for work that can be shared out."""
    encode_batch_size: int = Field(ge=1)
    """Texts encoded at once."""


class Tracking(Section):
    """Where metrics are sent. Must not change results, so no stage depends on it."""

    mode: Literal["none", "offline", "wandb"]
    """`wandb` without a key behaves as `offline`, and says so."""
    project: str
    """W&B project."""
    entity: str | None = None
    """W&B team or user; None takes the account's default."""


class Config(Section):
    """Everything in `params.yaml`."""

    seed: int
    """The seed that every section takes unless it names its own."""
    data: Data
    """Where adverts come from."""
    cleaning: Cleaning
    """What is kept of them."""
    embedding: Embedding
    """How text becomes vectors."""
    baseline: Baseline
    """Models to compare with."""
    classifier: Classifier
    """The model that is trained."""
    evaluation: Evaluation
    """How they are compared."""
    audit: Audit
    """How the leaks of the cleaning are measured."""
    compute: Compute
    """Where things run."""
    tracking: Tracking
    """Where metrics are sent."""

"""Where each artefact lives."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one project folder. Nothing else in joblens spells a path of the pipeline."""

    root: Path

    @property
    def params(self) -> Path:
        """The composed configuration that `dvc repro` reads; committed."""
        return self.root / "params.yaml"

    @property
    def configs(self) -> Path:
        """The Hydra option files."""
        return self.root / "configs"

    @property
    def dvc_yaml(self) -> Path:
        """The stages and their dependencies."""
        return self.root / "dvc.yaml"

    @property
    def raw(self) -> Path:
        """Files extracted from databases, as they came."""
        return self.root / "data/raw"

    @property
    def ads(self) -> Path:
        """Adverts in one schema, written by `ingest`."""
        return self.root / "data/interim/ads.parquet"

    @property
    def ads_counts(self) -> Path:
        """Rows read, kept and dropped by reason, written by `ingest`."""
        return self.root / "data/interim/ads.json"

    @property
    def labels(self) -> Path:
        """The labels that have adverts, in order, with the text that describes each; written by `ingest`."""
        return self.root / "data/interim/labels.json"

    @property
    def clean_ads(self) -> Path:
        """Adverts without personal data, written by `clean`."""
        return self.root / "data/interim/clean_ads.parquet"

    @property
    def clean_counts(self) -> Path:
        """Words read and personal data removed by type, written by `clean`."""
        return self.root / "data/interim/clean_ads.json"

    @property
    def splits(self) -> Path:
        """Which rows train, validate and test; written by `split`."""
        return self.root / "data/interim/splits.parquet"

    @property
    def embeddings(self) -> Path:
        """One vector per advert with its label, written by `embed`."""
        return self.root / "data/processed/embeddings.safetensors"

    @property
    def ids(self) -> Path:
        """The advert id of each vector, in order; written by `embed`."""
        return self.root / "data/processed/ids.parquet"

    @property
    def baseline(self) -> Path:
        """The cosine baseline, written by `baseline`."""
        return self.root / "models/baseline"

    @property
    def classifier(self) -> Path:
        """The classifier's bundle, written by `train`."""
        return self.root / "models/classifier"

    @property
    def training_log(self) -> Path:
        """One row per epoch, written by `train`."""
        return self.root / "reports/training.csv"

    @property
    def metrics(self) -> Path:
        """Every model's figures, written by `evaluate`; committed."""
        return self.root / "reports/metrics.json"

    @property
    def predictions(self) -> Path:
        """The classifier's guess for every advert, written by `evaluate`."""
        return self.root / "reports/predictions.parquet"

    @property
    def label_issues(self) -> Path:
        """Adverts whose label looks wrong, written by `evaluate`."""
        return self.root / "reports/label_issues.parquet"

    @property
    def plots(self) -> Path:
        """Pictures and the tables behind them, written by `evaluate`."""
        return self.root / "reports/plots"

    @property
    def report(self) -> Path:
        """One page that opens offline, written by `evaluate`."""
        return self.root / "reports/report.html"

    @property
    def model_card(self) -> Path:
        """The model card with test figures, written by `evaluate`."""
        return self.root / "reports/model_card.md"

    @property
    def cleaning_report(self) -> Path:
        """What personal data the cleaning lets through, written by `audit`."""
        return self.root / "reports/cleaning.json"

    @property
    def cleaning_page(self) -> Path:
        """The same as a page that opens offline, written by `audit`."""
        return self.root / "reports/cleaning.html"

    @property
    def cache(self) -> Path:
        """Finished shards of slow stages, outside what DVC deletes."""
        return self.root / ".joblens/cache"

    @property
    def sweeps(self) -> Path:
        """Journals of searches for settings, one for each."""
        return self.root / ".joblens/sweeps"

    @property
    def locks(self) -> Path:
        """Lock files: one writer at a time."""
        return self.root / ".joblens/locks"

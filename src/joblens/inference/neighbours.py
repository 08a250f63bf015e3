"""The training adverts most like one: those whose vectors have the highest cosines with its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from torch.nn.functional import normalize

from joblens.errors import BundleError, DataError
from joblens.inference.classify import Classifier
from joblens.paths import Layout
from joblens.storage import file_hash, read_table, read_tensor_metadata, read_tensors

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class NearAd:
    """A training advert like the one explained."""

    id: str
    cosine: float
    """Of the two vectors, in [-1, 1]."""


class TrainingAds:
    """Ids and vectors of training adverts, held in memory: four bytes for each number of a vector."""

    def __init__(self, ids: Sequence[str], vectors: "Tensor") -> None:
        """Keep them.

        Args:
            ids: n.
            vectors: (n, D), one for each id.
        """
        self._ids = ids
        self._units = normalize(vectors.float(), dim=1)  # (n, D)

    @classmethod
    def load(cls, layout: Layout, classifier: Classifier) -> Self:
        """Read those of the project that a bundle was trained in.

        Raises:
            DataError: A file is missing or damaged, or the files do not fit together.
            BundleError: The bundle was trained with other adverts than the project has.
        """
        _check_project(classifier, layout)
        ids = read_table(layout.ids, columns={"id"})["id"].to_list()
        splits = dict(read_table(layout.splits, columns={"id", "split"}).select("id", "split").iter_rows())
        vectors = read_tensors(layout.embeddings).get("vectors")
        expected = (len(ids), classifier.bundle.dimensions)
        if vectors is None or vectors.shape != expected:
            found = "no vectors" if vectors is None else f"vectors of shape {tuple(vectors.shape)}"
            raise DataError(f"{layout.embeddings} has {found}, expected {expected}; run `dvc repro embed`")
        rows = [row for row, id in enumerate(ids) if splits.get(id) == "train"]
        return cls([ids[row] for row in rows], vectors[rows])

    def nearest(self, vector: "Tensor", count: int = 3) -> tuple[NearAd, ...]:
        """Those with the highest cosines, nearest first; ties go to the first of the project.

        One that reads the same after cleaning has cosine 1; it may be the advert itself.

        Args:
            vector: (D,) or (1, D), of the encoder that made the training's vectors.
            count: How many; fewer when there are not so many.

        Raises:
            DataError: `count` is less than 1.
        """
        if count < 1:
            raise DataError(f"count is {count}, expected at least 1 training advert to name")
        cosines = self._units @ normalize(vector.reshape(-1), dim=0)  # (n,)
        order = cosines.argsort(descending=True, stable=True)[:count].tolist()
        return tuple(NearAd(self._ids[row], float(cosines[row])) for row in order)


def _check_project(classifier: Classifier, layout: Layout) -> None:
    """Refuse a project whose adverts are not those that the bundle was trained with."""
    found = read_tensor_metadata(layout.embeddings).get("fingerprint")
    hashes = classifier.bundle.card.get("hashes", {})
    changed = [
        path.name
        for path in (layout.ids, layout.splits, layout.embeddings)
        if path.name in hashes and path.is_file() and hashes[path.name] != file_hash(path)
    ]
    if found != classifier.bundle.encoder_fingerprint and layout.embeddings.name not in changed:
        changed.append(layout.embeddings.name)
    if changed:
        raise BundleError(
            f"bundle {classifier.name!r} was trained with another {' and '.join(changed)} than the project "
            f"{layout.root} has; run `dvc repro train`, or look for no nearest adverts (--nearest 0)"
        )

"""joblens makes sense of job text: clean it, embed it, classify it, and say how sure it is."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from joblens.inference.classify import Classifier

__version__ = "0.1.0"
__all__ = ["Classifier", "__version__"]


def __getattr__(name: str) -> Any:
    """Import the public classes on first use, so that `import joblens` stays free."""
    if name == "Classifier":
        from joblens.inference.classify import Classifier

        return Classifier
    raise AttributeError(f"module 'joblens' has no attribute {name!r}")

"""What one writes first: FastAPI, one `def` handler, one call of the classifier for each request.

    python plain_api.py BUNDLE PORT

The same classifier, its guess as answer, validation by pydantic, the web server's own 40 threads; no queue,
no batches, no limits. `api.py` measures joblens beside it.
"""

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field

from joblens.inference.classify import Classifier
from joblens.records import Guess


class Advert(BaseModel):
    """One advert."""

    title: str = Field("", max_length=1_000)
    text: str = Field(max_length=100_000)


def create_app(classifier: Classifier) -> FastAPI:
    """The loop around one classifier."""
    app = FastAPI()

    @app.post("/classify")
    def classify(advert: Advert) -> Guess:
        (guess,) = classifier.predict([advert.text], titles=[advert.title])
        return guess

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        return {"status": "ready"}

    return app


if __name__ == "__main__":
    loaded = Classifier.load(Path(sys.argv[1]), device="cpu")
    loaded.predict(["Vi søger en tømrer til renovering. We are looking for a nurse."])
    uvicorn.run(create_app(loaded), port=int(sys.argv[2]), log_level="warning", access_log=False)

"""The API under the load of many people, with locust's own page or without.

    joblens serve & locust -f benchmarks/locustfile.py --host http://127.0.0.1:8000
    locust -f benchmarks/locustfile.py --host http://127.0.0.1:8000 --headless -u 32 -r 8 -t 1m

Each person sends adverts of the sample, mostly one at a time, and waits up to a second between two requests.
A refusal with 429 is how the API is meant to answer more than it can do: it counts as a success under a name
of its own. A key, if the server wants one, is read from the environment variable `JOBLENS_API_KEY`.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

from locust import HttpUser, between, task

SAMPLE = Path(__file__).parents[1] / "data/sample/ads.jsonl"
REFUSED = 429


def read_ads() -> list[dict[str, str]]:
    """Titles and texts of the sample."""
    rows = map(json.loads, SAMPLE.read_text("utf-8").splitlines())
    return [{"title": row["title"] or "", "text": row["text"]} for row in rows]


class Person(HttpUser):
    """Somebody who sorts adverts."""

    wait_time = between(0, 1)
    ads = read_ads()

    def on_start(self) -> None:
        """Send the key with each request, if there is one."""
        key = os.environ.get("JOBLENS_API_KEY")
        if key:
            self.client.headers["Authorization"] = f"Bearer {key}"

    def post(self, path: str, body: dict[str, Any], name: str) -> None:
        """One request; anything but 200 and 429 is a failure."""
        with self.client.post(path, json=body, name=name, catch_response=True) as answer:
            if answer.status_code == REFUSED:
                answer.request_meta["name"] = f"{name} refused"
                answer.success()
            elif answer.status_code != 200:
                answer.failure(f"status {answer.status_code}")

    @task(20)
    def classify_one(self) -> None:
        """The most frequent request."""
        self.post("/classify", random.choice(self.ads), "/classify, 1")

    @task(2)
    def classify_many(self) -> None:
        """A page of adverts."""
        self.post("/classify", {"ads": random.sample(self.ads, 16)}, "/classify, 16")

    @task(3)
    def extract(self) -> None:
        """Without personal data."""
        self.post("/extract", random.choice(self.ads), "/extract, 1")

    @task(2)
    def match(self) -> None:
        """Adverts against profiles; adverts stand for profiles here."""
        profiles = random.sample(self.ads, 2)
        self.post("/match", {"ads": random.sample(self.ads, 4), "profiles": profiles}, "/match, 4 x 2")

    @task(1)
    def explain(self) -> None:
        """Ten times as much work as classifying."""
        self.post("/explain", random.choice(self.ads), "/explain")

    @task(1)
    def look_around(self) -> None:
        """What a page asks when it opens."""
        self.client.get("/labels")
        self.client.get("/model")

"""Cases that schemathesis makes of the OpenAPI document, right and wrong ones, asked of a running server.

    invoke bench schema_cases --options "--cases 10000"
    python benchmarks/schema_cases.py --bundle FOLDER --cases 500 --seed 3

Half of the cases of each route fit the document, half break it in one place; the routes take turns until
there are as many as asked for. Each answer is held against the document (status, headers, content type, body)
and against what the case was: what fits must be taken, what does not must be refused. A route without input
has one case only. Then the scenarios of the document's links, whose steps use what earlier ones answered.
Ends with 1 if there was a fault: an answer that breaks the document, or a status from 500 on other than the
503 of a route that this server does not offer.
"""

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any
from unittest import SkipTest

import hypothesis
import schemathesis
from schemathesis import GenerationMode
from schemathesis.core.errors import NoLinksFound
from schemathesis.core.failures import FailureGroup
from servers import REPOSITORY, Server, free_port, joblens_serve, running

from joblens.errors import ConfigError, JoblensError

ROUND = 100
"""Cases of a route and mode before the next has its turn."""
STEPS = 6
"""Of a scenario of the state machine, at most."""
SHOWN = 20
TOO_LARGE = 413
NOT_OFFERED = 503
BEYOND_A_SCHEMA = (
    "the advert has no words",
    "no words; give a text, or an id",
    "not one of the model's labels",
    "looks like personal data",
)
"""What a right answer with status 422 says of values that fit the document: it cannot tell these rules."""

Counts = Counter[tuple[str, int]]
"""Answers by route and status."""


class Findings:
    """What was asked, what came back, and what was wrong with it."""

    def __init__(self) -> None:
        self.answers: Counts = Counter()
        self.faults: Counter[str] = Counter()

    def ask(self, case: Any) -> Any:
        """Send a case and judge the answer."""
        response = case.call()
        route = f"{case.method} {case.operation.path}"
        self.answers[route, response.status_code] += 1
        self._judge(case, response, route)
        return response

    def _judge(self, case: Any, response: Any, route: str) -> None:
        status = response.status_code
        if status >= 500 and not is_not_offered(response):
            self.faults[f"{route}: {status}"] += 1
        excluded = [schemathesis.checks.not_a_server_error]
        try:
            case.validate_response(response, excluded_checks=excluded)
        except FailureGroup as group:
            for failure in group.exceptions:
                if not is_right_refusal(failure, response):
                    words = " ".join(str(failure).split())
                    self.faults[f"{route} {status}: {words[:300]} ← {as_sent(case)}"] += 1


def is_not_offered(response: Any) -> bool:
    """Whether the server says that it was started without what the route needs, and with what to start it.

    Any other 503, such as that of a request that waited too long, is a fault.
    """
    return response.status_code == NOT_OFFERED and "start" in response.text and "--" in response.text


def is_right_refusal(failure: Any, response: Any) -> bool:
    """Whether schemathesis expected another refusal, or none, where the server may refuse so.

    A body beyond the limit is refused unread, whether or not it fits the document; some rules are beyond a
    document.
    """
    if type(failure).__name__ == "AcceptedNegativeData":
        return response.status_code == TOO_LARGE or is_not_offered(response)
    if type(failure).__name__ == "RejectedPositiveData":
        is_known = any(words in response.text for words in BEYOND_A_SCHEMA)
        return response.status_code == TOO_LARGE or is_not_offered(response) or is_known
    return False


def as_sent(case: Any) -> str:
    """The request as one line, not too long."""
    return " ".join(case.as_curl_command().split())[:300]


def ask_each_route(schema: Any, findings: Findings, cases: int, seed: int) -> None:
    """The routes in turn, right and wrong cases, until there are as many as asked for."""
    operations = [result.ok() for result in schema.get_all_operations()]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    kinds = [(operation, mode) for operation in operations for mode in modes]
    for turn in range(cases):  # one turn asks at least one case
        for operation, mode in list(kinds):
            left = cases - findings.answers.total()
            if left <= 0:
                return
            before = findings.answers.total()
            most = min(ROUND, left, max(1, cases // len(kinds)))
            _ask_some(operation, mode, findings, most, seed + turn)
            if findings.answers.total() - before < min(most, 3):  # it has no more cases
                kinds.remove((operation, mode))
        if not kinds:
            return


def _ask_some(operation: Any, mode: GenerationMode, findings: Findings, most: int, seed: int) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=most,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        findings.ask(case)

    try:
        ask()
    except (SkipTest, hypothesis.errors.Unsatisfiable):  # nothing of a route without input can be wrong
        return


def ask_in_steps(schema: Any, findings: Findings, scenarios: int) -> int:
    """Scenarios of several requests, where one uses what another answered: how many requests that were."""
    before = findings.answers.total()

    class Scenario(schema.as_state_machine()):  # type: ignore[misc]
        def call(self, case: Any, **options: Any) -> Any:
            return findings.ask(case)

        def validate_response(self, response: Any, case: Any, **options: Any) -> None:
            return None  # `ask` has judged it

    settings = hypothesis.settings(
        max_examples=scenarios,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    with suppress(NoLinksFound):
        Scenario.run(settings=settings)
    return findings.answers.total() - before


def print_findings(findings: Findings) -> None:
    """Answers by route and status, then the faults, most frequent first."""
    statuses = sorted({status for _, status in findings.answers})
    print(f"\n| Route | cases | {' | '.join(map(str, statuses))} |\n|---|---:|{'---:|' * len(statuses)}")
    for route in sorted({route for route, _ in findings.answers}):
        counts = [findings.answers[route, status] for status in statuses]
        print(f"| {route} | {sum(counts)} | {' | '.join(map(str, counts))} |")
    print(f"\n{findings.answers.total()} cases, {findings.faults.total()} faults")
    for fault, count in findings.faults.most_common(SHOWN):
        print(f"{count} × {fault}")


def server_at(url: str | None, command: Sequence[str], port: int) -> AbstractContextManager[Server | None]:
    """The server that is there already, or one of our own."""
    return nullcontext() if url else running(list(command), port)


def main() -> bool:
    """Ask, and print what came back; whether all was as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=REPOSITORY / "models/classifier")
    parser.add_argument("--url", help="a server that runs already, such as http://127.0.0.1:8000")
    parser.add_argument("--serve", default="", help="more options of `joblens serve`, in one string")
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--scenarios", type=int, default=20, help="of the state machine; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.cases < 1:
        raise ConfigError(f"--cases is {arguments.cases}, expected 1 or more")
    port, findings = free_port(), Findings()
    command = [*joblens_serve(arguments.bundle, port), *shlex.split(arguments.serve)]
    with server_at(arguments.url, command, port) as server:
        url = arguments.url or server.url
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        ask_each_route(schema, findings, arguments.cases, arguments.seed)
        if arguments.scenarios:
            steps = ask_in_steps(schema, findings, arguments.scenarios)
            print(f"{steps} of the cases in {arguments.scenarios} scenarios")
    print_findings(findings)
    return not findings.faults


if __name__ == "__main__":
    try:
        sys.exit(0 if main() else 1)
    except JoblensError as error:
        print(f"schema_cases: {error}", file=sys.stderr)
        sys.exit(2)

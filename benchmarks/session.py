"""One session: all services in turn, A B C A B C, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.checks import Unfit
from benchmarks.halfway import Paced
from benchmarks.rounds import Cores, Sample, Start, measure
from benchmarks.services import Service
from benchmarks.work import Work


@dataclass
class Results:
    """All that was measured, why some services were not, and under which circumstances."""

    samples: list[Sample] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    paced: list[Paced] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    circumstances: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """How long to measure.

    Attributes:
        rounds: in which each service has its turn.
        seconds: of load at each work in each turn.
        cores: which the services run on and which the load.
    """

    rounds: int
    seconds: int
    cores: Cores


def run(services: Sequence[Service], works: Sequence[Work], plan: Plan) -> Results:
    """Take all services through their works, round by round; one that fails is left out."""
    results = Results()
    for number in range(plan.rounds):
        for service in services:
            own = [work for work in works if work.name in service.works]
            if service.name in results.skipped or not own:
                continue
            print(f"round {number + 1} of {plan.rounds}: {service.name}", flush=True)
            try:
                samples, half, start = measure(service, own, number, plan.seconds, plan.cores)
            except Unfit as error:
                results.skipped[service.name] = str(error)
                print(f"  left out: {error}")
                continue
            results.samples += samples
            results.paced += half
            results.starts.append(start)
    return results

"""Rounds: each service started, checked, loaded and stopped in turn, again and again."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPException

from benchmarks import counted, halfway, wrk
from benchmarks.checks import Unfit, ask, check, check_one
from benchmarks.halfway import Paced
from benchmarks.isolation import core_of_its_own
from benchmarks.processes import Running, busy_seconds, free_port
from benchmarks.services import DATA, Service
from benchmarks.work import Work

START_SECONDS = 90.0
POLL_SECONDS = 0.002
WARM_SECONDS = 0.3
"""In which requests are checked before the load, so that it meets a service that has begun."""

COUNTED_ROWS = 10_000
"""Requests of so many rows are counted out, because some services take a second for one."""

COUNTED = 24


@dataclass(frozen=True)
class Sample:
    """One service at one work in one round.

    Attributes:
        service, work, round: which.
        requests: answered.
        seconds: that took.
        cpu: seconds of CPU that all processes of the service used.
        busiest: that of the process that used most.
        p50, p99: latencies in microseconds.
        others: share of the service's cores that was used by whatever else runs here.
        error: the largest of all answers, relative.
    """

    service: str
    work: str
    round: int
    requests: int
    seconds: float
    cpu: float
    busiest: float
    p50: float
    p99: float
    others: float
    error: float

    @property
    def cost(self) -> float:
        """Microseconds of CPU for one request."""
        return self.cpu / self.requests * 1e6


@dataclass(frozen=True)
class Start:
    """One service in one round.

    Attributes:
        service, round: which.
        seconds: to its first prediction.
        pss: MB of memory after the first of its works, which are single rows.
        pss_after: MB after all of them.
        processes: how many it has.
    """

    service: str
    round: int
    seconds: float
    pss: float
    pss_after: float
    processes: int


@dataclass(frozen=True)
class Cores:
    """Which cores the services run on and which the load, as taskset names them.

    `isolated` asks for latencies on a core of the service's own as well.
    """

    server: str = "0"
    client: str = "1"
    isolated: bool = False


@dataclass(frozen=True)
class Served:
    """A service that runs: its processes, its port, the seconds to its first prediction."""

    service: Service
    running: Running
    port: int
    seconds: float


def measure(
    service: Service, works: Sequence[Work], number: int, seconds: int, cores: Cores
) -> tuple[list[Sample], list[Paced], Start]:
    """Take a service through its works once. Raises Unfit."""
    if service.on_both:
        both = f"{cores.server},{cores.client}"
        cores = replace(cores, server=both, client=both)
    port = free_port()
    with ExitStack() as stack:
        served = [
            stack.enter_context(started(service, works[0], cores.server, port))
            for _ in range(service.instances)
        ]
        first = sample(served, works[0], number, seconds, cores)
        half = _at_half(served[0], works[0], first, seconds, cores) if service.paced else []
        memory = _memory(served)
        samples = [first, *(sample(served, work, number, seconds, cores) for work in works[1:])]
        after = sum(_memory(served).values())
    took, held = max(each.seconds for each in served), sum(memory.values())
    start = Start(service.name, number, took, held, after, len(memory))
    return samples, half, start


def _memory(served: Sequence[Served]) -> dict[int, float]:
    return {pid: size for each in served for pid, size in each.running.pss().items()}


def _cpu(served: Sequence[Served]) -> dict[int, float]:
    return {pid: used for each in served for pid, used in each.running.cpu().items()}


@contextmanager
def started(service: Service, first: Work, cores: str, port: int) -> Iterator[Served]:
    """A service, at a port, that has answered once. Raises Unfit."""
    request = service.dialect.request(first.batches[0], bare=first.bare)
    with Running(
        [str(service.program()), *filled(service.command[1:], port)],
        service.cwd,
        environment(service, port),
        cores,
        DATA / "service.log",
    ) as running:
        until = time.monotonic() + START_SECONDS
        while (body := ask(port, request)) is None:
            if not running.is_alive() or time.monotonic() > until:
                raise Unfit(f"{service.name} does not answer: {running.log()}")
            time.sleep(POLL_SECONDS)
        seconds = time.perf_counter() - running.started
        check_one(service, first.expected[0], body)
        yield Served(service, running, port, seconds)


def sample(served: Sequence[Served], work: Work, number: int, seconds: int, cores: Cores) -> Sample:
    """Check every answer, then load all instances and read what that cost them. Raises Unfit."""
    service, port = served[0].service, served[0].port
    error = _checked(service, port, work)
    requests = _requests(service, work)
    places = [int(core) for core in cores.server.split(",")]
    before, busy = _cpu(served), sum(map(busy_seconds, places))
    try:
        load = _loaded(served[0], requests, work, seconds, cores)
    except (OSError, HTTPException) as failure:
        raise Unfit(f"{service.name} fails under load at {work.name}: {failure}") from failure
    after, busy = _cpu(served), sum(map(busy_seconds, places)) - busy
    if load.failed or not load.requests:
        raise Unfit(f"{service.name} failed {load.failed} requests of {work.name}")
    used = [total - before.get(pid, 0.0) for pid, total in after.items()]
    return Sample(
        service=service.name,
        work=work.name,
        round=number,
        requests=load.requests,
        seconds=load.seconds,
        cpu=sum(used),
        busiest=max(used),
        p50=load.p50,
        p99=load.p99,
        others=max(0.0, busy - sum(used)) / (load.seconds * len(places)),
        error=error,
    )


def _loaded(
    served: Served, requests: list[bytes], work: Work, seconds: int, cores: Cores
) -> wrk.Load:
    if work.rows >= COUNTED_ROWS:
        return counted.run(served.port, requests, COUNTED)
    connections, threads = served.service.connections, served.service.threads
    return wrk.run(served.port, requests, seconds, cores.client, connections, threads)


def _at_half(served: Served, work: Work, full: Sample, seconds: int, cores: Cores) -> list[Paced]:
    """Half as many requests as were answered at the limit."""
    pace = halfway.Pace(full.requests / full.seconds / 2, seconds, cores.client)
    requests, name = _requests(served.service, work), served.service.name
    service = halfway.Measured(name, full.round, served.running, served.port)
    found = halfway.measure(service, requests, pace, cores.server)
    if cores.isolated:
        with core_of_its_own(served.running.cores()):
            found += halfway.measure(service, requests, replace(pace, alone=True), cores.server)
    return found


def _requests(service: Service, work: Work) -> list[bytes]:
    return [service.dialect.request(batch, bare=work.bare) for batch in work.batches]


def _checked(service: Service, port: int, work: Work) -> float:
    until = time.perf_counter() + WARM_SECONDS
    error = check(service, port, work)
    while time.perf_counter() < until:
        check(service, port, work)
    return error


def filled(texts: Sequence[str], port: int) -> list[str]:
    """Texts with the port in its place, and others where a service wants more than one."""
    return [
        text.replace("{port}", str(port)).replace("{another}", str(free_port())) for text in texts
    ]


def environment(service: Service, port: int) -> dict[str, str]:
    """The same variables for all: one thread for linear algebra, as Ordinate sets for itself."""
    common = {
        "PATH": f"{service.program().parent}:{os.defpath}",
        "HOME": str(DATA),
        "BENCH_FOLDER": str(DATA / (service.environment or "")),
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    }
    own = dict(zip(service.env, filled(list(service.env.values()), port), strict=True))
    return common | own

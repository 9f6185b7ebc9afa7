"""Requests at a steady pace, whatever the answers take: the latency of a service that is half busy.

wrk sends as fast as it is answered, so its latencies are those of a service at its limit. Here each
request has a time at which it is due, and its latency counts from that time, also when the service
or this program was late. Between two events the loop spins, so that it wakes on time.
"""

import gc
import math
import random
import re
import select
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.wrk import CONNECTIONS

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


WINDOW = 1_000
"""Requests, one after the other, over which a percentile is taken as well."""


@dataclass(frozen=True)
class Latencies:
    """Microseconds, and how many requests a second were due.

    `usual_p99` is the median of the 99th percentiles of every thousand requests. When the machine
    stands still for a few milliseconds now and then, most thousands do not notice.
    """

    p50: float
    p99: float
    usual_p99: float
    rate: float


def run(
    port: int, requests: Sequence[bytes], rate: float, seconds: float, *, random_gaps: bool = False
) -> Latencies:
    """Send `rate` requests a second for some seconds over a few connections.

    Args:
        port: of a service on 127.0.0.1 that keeps connections open.
        requests: whole ones, sent in turn.
        rate: requests a second.
        seconds: for which.
        random_gaps: whether gaps are as those of independent clients; else all are equal.
    """
    due = due_times(rate, seconds, random_gaps)
    with ExitStack() as open_ones:
        connections = [
            open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
            for _ in range(CONNECTIONS)
        ]
        for connection in connections:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        gc.disable()
        try:
            taken = _replay(connections, requests, due)
        finally:
            gc.enable()
    return summed_up(taken, rate)


def summed_up(taken: Sequence[float], rate: float) -> Latencies:
    """The percentiles of latencies in seconds, in the order in which requests were answered."""
    cuts = quantiles(taken, n=100)
    windows = [taken[n : n + WINDOW] for n in range(0, max(1, len(taken) - WINDOW + 1), WINDOW)]
    usual = median(quantiles(window, n=100)[98] for window in windows)
    return Latencies(cuts[49] * 1e6, cuts[98] * 1e6, usual * 1e6, rate)


def due_times(rate: float, seconds: float, random_gaps: bool) -> list[float]:
    """When each request is due, in seconds from the beginning."""
    count = math.ceil(rate * seconds)
    if not random_gaps:
        return [number / rate for number in range(count)]
    drawn = random.Random(1)  # noqa: S311 - a pattern of load, no secret
    times, now = [], 0.0
    for _ in range(count):
        now += drawn.expovariate(rate)
        times.append(now)
    return times


def _replay(
    connections: Sequence[socket.socket], requests: Sequence[bytes], due: Sequence[float]
) -> list[float]:
    """Send each request when it is due, or as soon after as a connection is free."""
    arrivals = select.poll()
    by_number = {each.fileno(): each for each in connections}
    for number in by_number:
        arrivals.register(number, select.POLLIN)
    free, asked, taken = list(by_number), dict[int, float](), list[float]()
    arrived = dict.fromkeys(by_number, b"")
    begin, sent = time.perf_counter() + 0.01, 0
    while len(taken) < len(due):
        now = time.perf_counter() - begin
        if sent < len(due) and free and now >= due[sent]:
            number = free.pop()
            by_number[number].sendall(requests[sent % len(requests)])
            asked[number] = due[sent]
            sent += 1
        for number, _ in arrivals.poll(0):
            arrived[number] += by_number[number].recv(1 << 16)
            if not is_whole(arrived[number]):
                continue
            arrived[number] = b""
            taken.append(time.perf_counter() - begin - asked.pop(number))
            free.append(number)
    return taken


def is_whole(answer: bytes) -> bool:
    """Whether all of an answer is here. Raises ConnectionError where it is not one of success."""
    if not b"HTTP/1.1 200".startswith(answer[:12]) or not answer:
        raise ConnectionError("an answer is not what was asked for")
    head, ended, body = answer.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return bool(ended) and length is not None and len(body) >= int(length[1])

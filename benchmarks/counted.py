"""A fixed number of large requests over 8 connections, until the last is answered.

wrk stops by the clock and leaves as many requests half done as it has connections. Among thousands
that is nothing; where one takes a tenth of a second it would distort what a request costs.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from statistics import quantiles

from benchmarks.checks import parted
from benchmarks.wrk import CONNECTIONS, Load


def run(port: int, requests: Sequence[bytes], count: int) -> Load:
    """Send `count` requests, a multiple of the connections; raises OSError if any fails."""
    begin = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        shares = threads.map(
            lambda first: _send(port, requests, range(first, count, CONNECTIONS)),
            range(CONNECTIONS),
        )
        taken = [each for share in shares for each in share]
    cuts = quantiles(taken, n=100, method="inclusive")
    return Load(
        requests=len(taken),
        seconds=time.perf_counter() - begin,
        failed=0,
        p50=cuts[49] * 1e6,
        p99=cuts[98] * 1e6,
    )


def _send(port: int, requests: Sequence[bytes], places: Sequence[int]) -> list[float]:
    """Send some of the requests one after the other; seconds that each took."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    taken = []
    for place in places:
        path, body = parted(requests[place % len(requests)])
        begin = time.perf_counter()
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise ConnectionError(f"status {answer.status}")
        taken.append(time.perf_counter() - begin)
    connection.close()
    return taken

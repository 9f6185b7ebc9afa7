"""Sends what a grammar of good and spoiled requests writes to a real service.

``python -m tests.soak.requests``

Each connection carries up to four requests and a good one behind them; once in one piece, once cut
anywhere. The answers must be the same, none a 5xx, none behind the last one, and the good request
is answered or the connection closed. Exit code 1 if not.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.serving import FOLLOWING, judge
from tests.fuzz.streams import Streams
from tests.support.models import PLAIN, publish
from tests.support.raw import Answer, Wire
from tests.support.server import Server

SETTINGS = {"ORDINATE_ACCESS_LOG": "off", "ORDINATE_MAX_BODY_BYTES": "4096"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.requests", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    chosen = parser.parse_args(arguments)
    print(f"seed {chosen.seed}")
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        publish(models, "tiny", PLAIN, linear=True)
        with Server(models, **SETTINGS) as server:
            return tried(server, Streams(random.Random(chosen.seed)), chosen.seconds)


def tried(server: Server, streams: Streams, seconds: float) -> int:
    """Try for so long. Returns an exit code."""
    statuses: Counter[int] = Counter()
    wrong = connections = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        data = streams.stream()
        try:
            answers = compared(server, data, streams.pieces(data))
        except (AssertionError, TimeoutError) as error:
            wrong += 1
            print(f"wrong: {error!r} for {data!r}")
        else:
            statuses.update(answer.status for answer in answers)
        connections += 2
    print(f"{connections:,} connections, {wrong} wrong; answers by status:")
    print(", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items())))
    return 1 if wrong else 0


def compared(server: Server, data: bytes, pieces: list[bytes]) -> list[Answer]:
    """The answers, which must be the same for both ways of sending. Raises AssertionError."""
    whole, cut = asked(server, [data + FOLLOWING]), asked(server, [*pieces, FOLLOWING])
    assert [each.status for each in whole] == [each.status for each in cut], pieces
    judge(whole)
    return whole


def asked(server: Server, pieces: Sequence[bytes]) -> list[Answer]:
    """The answers to these pieces, after which the client closes its side."""
    with Wire(server) as wire:
        for piece in pieces:
            wire.send(piece)
        wire.finish()
        return [answer for answer in wire.answers() if answer.status != 100]


if __name__ == "__main__":
    sys.exit(main())

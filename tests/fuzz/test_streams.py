"""Whatever a client sends, and however it is cut: the same answers, in sync or closed, no 5xx."""

import random

from tests.fuzz import cutting, serving
from tests.fuzz.streams import Streams
from tests.soak.requests import compared
from tests.support.server import Server

STREAMS, OVER_THE_WIRE = 300, 60


def test_streams_of_good_and_spoiled_requests_are_answered_alike_however_they_are_cut() -> None:
    streams = Streams(random.Random(1))

    for _ in range(STREAMS):
        data = streams.stream()
        serving.check(data)
        cutting.check(data)


def test_same_holds_through_a_real_server(server: Server) -> None:
    streams = Streams(random.Random(2))
    statuses = set()

    for _ in range(OVER_THE_WIRE):
        data = streams.stream()
        statuses |= {answer.status for answer in compared(server, data, streams.pieces(data))}

    assert {200, 400, 404} <= statuses


def test_requests_behind_each_other_are_answered_in_pairs_of_every_kind() -> None:
    streams = Streams(random.Random(3))

    for first in streams.known[::3]:
        for second in streams.known[::11]:
            serving.check(first + second)

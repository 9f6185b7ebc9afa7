"""Clients who do as they like: who waits is answered in order, and each request has one line."""

import json
import random
import socket
import struct
from collections import Counter
from dataclasses import dataclass

import pytest

from tests.support.raw import Wire, chunked, headed, post
from tests.support.server import Server

ROW, HOST = b'{"x":[1,2,0.5]}', "Host: localhost"
JSON = "Content-Type: application/json"
CLIENTS, MOST_REQUESTS = 40, 12
RESET = struct.pack("ii", 1, 0)  # close with a reset instead of an end
ENDS = ("stays", "finishes", "breaks off", "resets")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and how it is answered."""

    sent: bytes
    name: str
    status: int
    bodiless: bool = False


def asked(kind: int, name: str) -> Asked:
    """Requests for the event loop and for threads, read at sight and by the strict parser."""
    named = f"X-Request-Id: {name}"
    coded = ("Transfer-Encoding: chunked", JSON, HOST, named)
    large = b'{"x":[1,2,0.5]}' + b" " * 40_000 + b"."
    return (
        Asked(post(ROW, named), name, 200),
        Asked(post(ROW[:-1], named), name, 400),
        Asked(headed("POST /predict HTTP/1.1", *coded, body=chunked(ROW, 4)), name, 200),
        Asked(post(ROW, named, "Expect: 100-continue"), name, 200),
        Asked(post(large, named), name, 400),
        Asked(headed("GET /models/tiny HTTP/1.1", HOST, named), name, 200),
        Asked(headed("HEAD /models HTTP/1.1", HOST, named), name, 200, bodiless=True),
        Asked(headed("GET /nope HTTP/1.1", HOST, named), name, 404),
        Asked(headed("GET /healthz HTTP/1.1", HOST, named), name, 200),
    )[kind]


def pieces(draw: random.Random, data: bytes) -> list[bytes]:
    """The same bytes, cut in some places."""
    cuts = sorted(draw.randrange(len(data) + 1) for _ in range(draw.randrange(6)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def answered(wire: Wire, request: Asked) -> None:
    """Read the answer to this request and no other."""
    answer = wire.answer(bodiless=request.bodiless)
    while answer.status == 100:
        answer = wire.answer(bodiless=request.bodiless)
    assert (answer.headers["X-Request-Id"], answer.status) == (request.name, request.status)


def visit(server: Server, draw: random.Random, prefix: str) -> list[str]:
    """One client. Gives the names of the requests whose answers it has read."""
    count = draw.randint(1, MOST_REQUESTS)
    requests = [asked(draw.randrange(9), f"{prefix}-{number}") for number in range(count)]
    data, end = b"".join(each.sent for each in requests), draw.choice(ENDS)
    if end == "breaks off":
        data = data[: -draw.randint(1, len(requests.pop().sent) - 1)]
    with Wire(server) as wire:
        for piece in pieces(draw, data):
            wire.send(piece)
        if end == "resets":
            linger = socket.socket(fileno=wire.fileno())
            linger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            linger.detach()
            return []
        if end != "stays":
            wire.finish()
        for each in requests:
            answered(wire, each)
        if end != "stays":
            with pytest.raises(EOFError):
                wire.answer()
    return [each.name for each in requests]


def test_whatever_clients_do_their_answers_and_lines_are_right(server: Server) -> None:
    draw = random.Random(7)

    told = [name for n in range(CLIENTS) for name in visit(server, draw, f"visitor-{n}")]

    server.wait_for(lambda: set(told) <= set(names(server)))
    assert max(names(server).values()) == 1
    assert len(told) > CLIENTS


def names(server: Server) -> Counter[str]:
    """How many lines each request of these clients has."""
    lines = [json.loads(line) for line in tuple(server.out) if '"visitor-' in line]
    return Counter(line["request_id"] for line in lines)

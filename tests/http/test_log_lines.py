"""Whoever writes line ends or terminal escapes into a request writes no line of the log."""

import json

from tests.support.raw import Wire, headed, post
from tests.support.server import Server

HOST = "Host: localhost"
FORGED = '{"level":"error","event":"forged"}'
TRICKS = ("\r", "\n", "\r\n", "\x1b[2J", "\x1b]0;owned\x07", "\x9b31m", "\x7f", "\x00", "\u2028")


def test_one_event_is_one_line_of_plain_text_whatever_is_sent(server: Server) -> None:
    sent = 0
    for trick in TRICKS:
        raw, text = trick.encode("utf-8").decode("latin-1"), f"a{trick}{FORGED}"
        quoted = "".join(f"%{byte:02x}" for byte in text.encode())
        for request in (
            headed(f"GET /{quoted} HTTP/1.1", HOST),
            headed(f"GET /models/{quoted}?a={quoted} HTTP/1.1", HOST),
            headed("GET /healthz HTTP/1.1", HOST, f"X-Request-Id: a{raw}{FORGED}"),
            headed("GET /healthz HTTP/1.1", HOST, f"User-Agent: a{raw}{FORGED}"),
            headed(f"GET /?a{raw}{FORGED} HTTP/1.1", HOST),
            headed(f"G{raw}ET / HTTP/1.1", HOST),
            post(json.dumps({"x": [text, 2, text]}).encode()),
            post(json.dumps({text: text}).encode()),
            post(f'{{"x":["{text}'.encode()),
            post(b"{}", f"Content-Type: application/json; charset=a{raw}{FORGED}"),
        ):
            with Wire(server) as wire:
                wire.send(request)
                wire.finish()
                sent += len(wire.answers())
    with Wire(server) as wire:
        wire.send(headed("GET /healthz HTTP/1.1", HOST, "X-Request-Id: after-the-tricks"))
        wire.answer()
    server.wait_for(lambda: "after-the-tricks" in server.log)

    assert sent >= 7 * len(TRICKS)
    for line in [*server.out, *server.err]:
        assert line.isascii()
        assert line.isprintable()
        assert json.loads(line)["event"] != "forged"

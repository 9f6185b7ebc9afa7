"""HTTP over a bare socket, for what no client library would send."""

import json
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Protocol

WAIT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One response as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's content."""
        return json.loads(self.body)


class Listening(Protocol):
    """What is asked of a server to connect to it."""

    @property
    def port(self) -> int:
        """On 127.0.0.1."""

    @property
    def tls(self) -> ssl.SSLContext | None:
        """What a client needs for TLS; None where it speaks none."""


class Wire:
    """One connection to a server: bytes out, answers in."""

    def __init__(self, server: Listening, source: tuple[str, int] | None = None) -> None:
        self._socket = socket.create_connection(
            ("127.0.0.1", server.port), timeout=WAIT_SECONDS, source_address=source
        )
        if server.tls is not None:
            self._socket = server.tls.wrap_socket(self._socket, server_hostname="127.0.0.1")
        self._rest = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def fileno(self) -> int:
        """Of the socket, for `select`."""
        return self._socket.fileno()

    def send(self, data: bytes) -> None:
        """Send these bytes; a server that has closed already is none the worse for it."""
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def finish(self) -> None:
        """Say that nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self, *, bodiless: bool = False) -> Answer:
        """The next response; EOFError if the connection ends before it."""
        while b"\r\n\r\n" not in self._rest:
            self._receive()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        status = int(first.split(" ")[1])
        length = 0 if bodiless or status == 100 else int(headers["Content-Length"])
        while len(self._rest) < length:
            self._receive()
        body, self._rest = self._rest[:length], self._rest[length:]
        return Answer(status, headers, body)

    def answers(self) -> list[Answer]:
        """All responses until the server closes."""
        found = []
        try:
            while True:
                found.append(self.answer())
        except EOFError:
            return found

    def hears(self) -> bool:
        """Whether anything has come, or comes within a tenth of a second; also the end."""
        self._socket.settimeout(0.1)
        try:
            self._receive()
        except TimeoutError:
            return bool(self._rest)
        except EOFError:
            return True
        finally:
            self._socket.settimeout(WAIT_SECONDS)
        return True

    def _receive(self) -> None:
        try:
            piece = self._socket.recv(1 << 16)
        except ConnectionResetError:
            piece = b""
        if not piece:
            raise EOFError("the server closed the connection")
        self._rest += piece


def ask(server: Listening, request: bytes) -> Answer:
    """The answer to a request on a connection of its own."""
    with Wire(server) as wire:
        wire.send(request)
        return wire.answer()


def parsed(data: bytes) -> list[Answer]:
    """All answers in these bytes, which must hold nothing else."""
    answers = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        assert end, "an answer has no end"
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers.get("Content-Length", "0"))
        assert length <= len(data), "an answer is cut short"
        answers.append(Answer(int(first.split(" ")[1]), headers, data[:length]))
        data = data[length:]
    return answers


def post(body: bytes = b'{"x":[1,2,0.5]}', *headers: str, target: str = "/predict") -> bytes:
    """A prediction request with its length, and these header lines besides."""
    lines = [
        f"POST {target} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def headed(*lines: str, body: bytes = b"") -> bytes:
    """A request with just these lines."""
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(body: bytes, size: int = 1 << 16) -> bytes:
    """The body in chunks of this size."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"

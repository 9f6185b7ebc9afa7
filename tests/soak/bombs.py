"""Sends bodies that are large, or would become large, and measures what each costs the service.

``python -m tests.soak.bombs``

Every one must be refused with the status that is due, within seconds, and at its peak the worker's
memory may have grown by no more than a few times what was sent. Exit code 1 if not. Linux only.
"""

import http.client
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.memory import memory
from tests.support.models import PLAIN, publish
from tests.support.server import Server

LIMIT = 16 << 20
"""Bytes of body; a bomb of 10 GB is 10 MB on the wire."""

MOST_SECONDS = 10.0
MOST_GROWTH = 128 << 20
"""Bytes, eight times the limit."""

JSON = {"Content-Type": "application/json"}
GOOD = b'{"x":[1,2,0.5]}'


@dataclass(frozen=True)
class Attack:
    """A body and the status that is due."""

    name: str
    status: int
    body: bytes | list[bytes]
    headers: dict[str, str] = field(default_factory=dict)


def bomb(size: int, window: int) -> bytes:
    """A stream that would inflate to so many zeros, without its check sum at the end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    block = bytes(10_000_000)
    head = packer.compress(b"") + packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + again * (size // len(block) - 1)


def attacks() -> Iterator[Attack]:
    """All of them."""
    for coding, window in (("gzip", 31), ("deflate", 15)):
        for size, name in ((10**8, "100 MB"), (10**9, "1 GB"), (10**10, "10 GB")):
            headers = {"Content-Encoding": coding}
            yield Attack(f"{coding} bomb, {name}", 413, bomb(size, window), headers)
    large = GOOD.ljust(LIMIT + 1)
    yield Attack("limit + 1 by length", 413, large)
    yield Attack(
        "limit + 1 in chunks",
        413,
        [large[n : n + 65536] for n in range(0, LIMIT, 65536)] + [b" "] * 2,
    )
    yield Attack("lists in lists, 200,000", 400, b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}")
    yield Attack("lists in lists, to the limit", 400, b"[" * LIMIT)
    yield Attack("objects in objects", 400, b'{"x":' * (LIMIT // 5))
    yield Attack("integers of 5,000 digits", 400, listed(b"9" * 5000))
    yield Attack("one integer", 400, b'{"x":[' + b"9" * (LIMIT - 10) + b"]}")
    yield Attack("one fraction", 400, b'{"x":[0.' + b"9" * (LIMIT - 10) + b"]}")
    yield Attack("1,000,000 rows", 413, b'{"x":[' + b",".join([b"[1,2,3]"] * 10**6) + b"]}")
    yield Attack("1,000,000 empty rows", 413, b'{"x":[' + b",".join([b"[]"] * 10**6) + b"]}")
    yield Attack(
        "1,000,000 rows by name", 413, b'{"x":[' + b",".join([b'{"width":1}'] * 10**6) + b"]}"
    )
    ragged = b"[1,2,3,4],[1,2]"
    yield Attack("ragged rows, values fit", 400, b'{"x":[' + b",".join([ragged] * 50_000) + b"]}")
    yield Attack(
        "100,000 wrong rows", 400, b'{"x":[' + b",".join([b'["a",null,1]'] * 100_000) + b"]}"
    )
    yield Attack("250,000 values in a row", 400, listed(b"1", 250_000))
    yield Attack("8,000,000 values in a row", 413, listed(b"1"))
    yield Attack("a string of 1,000,000", 400, b'{"x":["' + b"a" * 10**6 + b'",2,3]}')
    yield Attack(
        "a string of escaped quotes", 400, b'{"x":["' + b'\\"' * (LIMIT // 2 - 20) + b'",2,3]}'
    )
    yield Attack("a string that never ends", 400, b'{"x":["' + b'\\"' * (LIMIT // 2 - 20))
    yield Attack("lone surrogates", 400, b'{"x":["' + b"\\ud800" * (LIMIT // 6 - 20) + b'"]}')
    yield Attack("NUL in strings", 400, b'{"x":["' + b"\\u0000" * (LIMIT // 6 - 20) + b'",2,3]}')
    yield Attack("the same key", 400, b"{" + b",".join([b'"x":1'] * 290_000) + b"}")
    yield Attack("other keys", 413, b"{" + b",".join(b'"%d":1' % n for n in range(10**6)) + b"}")
    yield Attack("no UTF-8", 400, b'{"x":["' + b"\xff" * (LIMIT - 100) + b'"]}')


def listed(value: bytes, count: int | None = None) -> bytes:
    """So many of a value in one row, or as many as the limit has room for."""
    return b'{"x":[' + b",".join([value] * (count or (LIMIT - 20) // (len(value) + 1))) + b"]}"


def main() -> int:
    """Run the program. Returns its exit code."""
    if not Path("/proc/self/clear_refs").exists():
        print("skipped: this system does not tell the peak of memory")
        return 0
    settings = {"ORDINATE_MAX_BODY_BYTES": str(LIMIT), "ORDINATE_WORKERS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        publish(models, "tiny", PLAIN, linear=True)
        with Server(models, ORDINATE_ACCESS_LOG="off", **settings) as server:
            worker = worker_of(server)
            for _ in range(3):  # what is allocated once, by any large body
                asked(server, Attack("first", 413, b"[" * LIMIT))
            return max([tried(server, worker, attack) for attack in attacks()])


def tried(server: Server, worker: int, attack: Attack) -> int:
    """Try an attack and print what came of it. Returns an exit code."""
    Path(f"/proc/{worker}/clear_refs").write_text("5")  # the peak starts anew from here
    before, began = memory(worker, "VmRSS"), time.monotonic()
    status = asked(server, attack)
    seconds, growth = time.monotonic() - began, memory(worker, "VmHWM") - before
    wrong = status != attack.status or seconds > MOST_SECONDS or growth > MOST_GROWTH
    wrong = wrong or asked(server, Attack("good", 200, GOOD)) != 200
    print(
        f"{attack.name:30} {status} {seconds:6.2f} s {growth / 1e6:7.1f} MB"
        + (f"  WRONG: {attack.status} was due" if wrong else "")
    )
    return int(wrong)


def asked(server: Server, attack: Attack) -> int:
    """The status of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    body = iter(attack.body) if isinstance(attack.body, list) else attack.body
    connection.request("POST", "/predict", body, JSON | attack.headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def worker_of(server: Server) -> int:
    """The process that serves."""
    master = server.process.pid
    (worker,) = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return int(worker)


if __name__ == "__main__":
    sys.exit(main())

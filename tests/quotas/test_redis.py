"""Quotas that several machines share by a real Redis: exact, and never in the way when it fails."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from app.compiled import library
from app.config import Config
from app.errors import TooManyRequests
from app.quotas import Quotas
from app.quotas.buckets import Buckets
from app.quotas.remote import Asked, Remote
from app.quotas.script import arguments, key
from app.rates import rate
from app.security import ANYBODY
from app.telemetry import Log, Metrics
from tests.support.raw import Wire, post
from tests.support.redis_server import RedisServer
from tests.support.server import Server
from tests.support.threads import no_more_threads

WAIT_SECONDS = 20.0
PROBE_SECONDS = 0.02
HOURLY = rate("60/hour:20")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


class Shared:
    """A Redis as one worker sees it, and what it tells of it."""

    def __init__(self, url: str, seconds: float = 0.1) -> None:
        self.told: list[str] = []
        self.remote = Remote(url, 4, self._tell, PROBE_SECONDS, seconds)

    def _tell(self, error: Exception | None) -> None:
        self.told.append("found" if error is None else type(error).__name__)

    def wait_for(self, condition: Callable[[], object]) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < until, self.told
            time.sleep(PROBE_SECONDS)

    def take(self, owner: str, count: int = 1, text: str = "60/hour:20") -> int | None:
        """Units until the bucket is full, minus those to wait; None where Redis does not tell."""
        found = self.remote.ask(asked(owner, count, text))
        return None if found is None else found[1]


def asked(owner: str, count: int = 1, text: str = "60/hour:20") -> Asked:
    made = rate(text)
    return [key("requests-per-key", made, owner)], arguments(made, count)


def test_a_bucket_in_redis_gives_what_one_here_does(redis: RedisServer) -> None:
    """All but the moments at which it is asked."""
    shared, here = Shared(redis.url, WAIT_SECONDS), Buckets(HOURLY, None)

    for count in (1, 0, 19, 0, 1, 20, 21):
        far, near = shared.take("both", count), here.take(5 << 48, count)
        assert far is not None
        assert abs(far - near) <= HOURLY.parts / 10


def test_of_several_buckets_none_behind_an_empty_one_gives_anything(redis: RedisServer) -> None:
    shared = Shared(redis.url, WAIT_SECONDS)
    names = [key("requests-per-key", HOURLY, name) for name in ("first", "second", "third")]
    shared.take("second", 20)

    found = shared.remote.ask((names, [*arguments(HOURLY, 1) * 3]))

    assert found is not None
    assert (found[0], found[1], found[3]) == (2, HOURLY.parts, 0)
    assert found[2] < 0
    assert shared.take("third", 20) is not None


def test_many_threads_of_several_workers_get_what_one_would(redis: RedisServer) -> None:
    workers = [Shared(redis.url, WAIT_SECONDS) for _ in range(3)]

    with ThreadPoolExecutor(12) as pool:
        taken = list(pool.map(lambda n: workers[n % 3].take("many"), range(300)))

    assert None not in taken
    assert sum(each is not None and each >= 0 for each in taken) == 20


def test_no_name_of_a_bucket_passes_for_a_redis_that_is_lost(redis: RedisServer) -> None:
    shared = Shared(redis.url, WAIT_SECONDS)

    for name in ("jwt:\ud800", "jwt:\udc00", "jwt:Zo\u00eb", "jwt:\x00\r\n"):
        assert shared.take(name) == HOURLY.parts

    assert shared.told == []


def test_a_bucket_goes_from_redis_when_it_is_full(redis: RedisServer) -> None:
    shared = Shared(redis.url, WAIT_SECONDS)
    shared.take("passing", 3, "10/second:20")

    left = redis.command("PTTL", key("requests-per-key", rate("10/second:20"), "passing"))

    assert 0 < int(left[1:]) <= 1300


def test_killed_it_is_told_of_once_and_found_again_empty(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        shared = Shared(redis.url, WAIT_SECONDS)
        assert shared.take("x", 20) is not None
        redis.kill()

        assert [shared.take("x") for _ in range(50)] == [None] * 50
        assert shared.told == ["ConnectionError"]

        redis.start()
        shared.wait_for(lambda: "found" in shared.told)
        assert shared.take("x", 20) == 20 * HOURLY.parts
        assert shared.told == ["ConnectionError", "found"]


def test_stopped_it_is_not_waited_for_and_is_taken_up_again(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        shared = Shared(redis.url, 1.0)
        shared.take("x", 20)
        redis.signal(signal.SIGSTOP)
        try:
            assert [shared.take("x") for _ in range(50)] == [None] * 50
            assert len(shared.told) == 1
        finally:
            redis.signal(signal.SIGCONT)

        shared.wait_for(lambda: "found" in shared.told)
        assert (shared.take("x") or 0) < 0


def test_a_full_redis_is_one_that_does_not_work(tmp_path: Path) -> None:
    with RedisServer(tmp_path, "--maxmemory", "1") as redis:
        shared = Shared(redis.url, WAIT_SECONDS)

        assert shared.take("x") is None
        assert shared.told == ["OutOfMemoryError"]

        redis.command("CONFIG", "SET", "maxmemory", "0")
        shared.wait_for(lambda: "found" in shared.told)
        assert shared.take("x") is not None


def test_what_fails_what_is_asked_is_not_found_by_something_else(tmp_path: Path) -> None:
    """A bucket that is none, as well as a cluster, which changes no two at once."""
    with RedisServer(tmp_path) as redis:
        shared = Shared(redis.url, WAIT_SECONDS)
        ((name,), _) = asked("x")
        redis.command("LPUSH", name, "1")

        assert shared.take("x") is None
        probed = re.compile(r"cmdstat_evalsha:calls=(\d+)")
        shared.wait_for(lambda: int(probed.findall(redis.command("INFO", "commandstats"))[0]) > 4)
        assert shared.told == ["ResponseError"]

        redis.command("DEL", name)
        shared.wait_for(lambda: "found" in shared.told)
        assert shared.take("x", 20) is not None  # nothing was taken to find that out


def test_without_its_password_it_does_not_work_and_nobody_is_told_the_wrong_one(
    tmp_path: Path,
) -> None:
    with RedisServer(tmp_path, password="right") as redis:
        shared = Shared(redis.url.replace("right", "wrong"), WAIT_SECONDS)
        assert shared.take("x") is None
        assert shared.told == ["AuthenticationError"]

        assert Shared(redis.url, WAIT_SECONDS).take("x") is not None


@pytest.mark.parametrize(
    "said",
    [
        *(b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x01\x02", b"+OK\r\n" * 20),
        *(b":1\r\n" * 20, b"*2\r\n$1\r\nx\r\n$1\r\ny\r\n" * 20, b"*1\r\n:0\r\n" * 20),
        *(b"*2\r\n:0\r\n:99999999999999999999\r\n" * 20, b"-ERR no\r\n" * 20),
        b"$999999999999\r\nx",
    ],
)
def test_whatever_answers_in_place_of_redis_stops_nobody(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    kept.append(client)
                    client.sendall(said)

        kept: list[socket.socket] = []
        thread = threading.Thread(target=serve)
        thread.start()
        shared = Shared(f"redis://127.0.0.1:{listener.getsockname()[1]}")

        assert [shared.take("x") for _ in range(20)] == [None] * 20
        assert len(shared.told) == 1
        shared.remote.close()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=20)
        for client in kept:
            client.close()


def test_two_services_share_a_quota_and_lose_and_find_redis_without_an_error(
    linear_models: Path, tmp_path: Path
) -> None:
    with RedisServer(tmp_path, password="hidden") as redis:
        secret = tmp_path / "url"
        secret.write_text(redis.url)
        settings = {
            "ORDINATE_LIMITS_URL_FILE": str(secret),
            "ORDINATE_LIMIT_ADDRESS_REQUESTS": "60/hour:20",
            "ORDINATE_TRUSTED_PROXIES": "127.0.0.1",
        }
        with (
            Server(linear_models, **settings) as one,
            Server(linear_models, **settings) as other,
        ):
            shared_by(one, other, network=1)

            redis.kill()

            # Each machine by itself, both workers of it together; what it has let in counts.
            assert statuses((one,), "192.0.2.2", 60).count(200) == 20
            assert statuses((other,), "192.0.2.2", 60).count(200) == 20
            assert set(statuses((one, other), "192.0.2.3", 60)) == {200, 429}

            redis.start()
            for server in (one, other):
                assert told(server, "not shared") >= 1
                server.wait_for(lambda each=server: is_shared(each))  # type: ignore[misc]
            shared_by(one, other, network=2)
            assert "ordinate_quota_store_failures_total" in one.get("/metrics")
            assert "hidden" not in one.log + other.log


def shared_by(one: Server, other: Server, network: int) -> None:
    """Of 60 requests to both 20 are let in, unless a busy machine made Redis seem slow."""
    for number in range(1, 20):
        for server in (one, other):
            server.wait_for(lambda each=server: is_shared(each))  # type: ignore[misc]
        before = told(one, "not shared"), told(other, "not shared")
        found = statuses((one, other), f"198.51.{network}.{number}", 60)
        assert set(found) == {200, 429}
        if before == (told(one, "not shared"), told(other, "not shared")):
            assert found.count(200) == 20
            return
    raise AssertionError("Redis never answered in time")


def is_shared(server: Server) -> bool:
    return told(server, "not shared") == told(server, "shared")


def statuses(servers: tuple[Server, ...], address: str, number: int) -> list[int]:
    """Of so many requests at once from one address, taking turns over these servers."""
    wires = [Wire(servers[n % len(servers)]) for n in range(number)]
    for wire in wires:
        wire.send(post(b'{"x":[1,2,0.5]}', f"X-Forwarded-For: {address}"))
    found = [wire.answer().status for wire in wires]
    for wire in wires:
        wire.__exit__()
    return found


def told(server: Server, outcome: str) -> int:
    """How often a service has logged this of its quotas."""
    events = [json.loads(line) for line in server.err if '"quotas"' in line]
    return sum(event["outcome"] == outcome for event in events)


def test_a_refusal_tells_what_is_left_in_redis(redis: RedisServer) -> None:
    settings = {"ORDINATE_LIMITS_URL": redis.url, "ORDINATE_LIMIT_ADDRESS_ROWS": "10/hour"}
    quotas = Quotas(Config.from_env(settings), Metrics(), Log("error"), library())
    left = quotas.request(ANYBODY, "192.0.2.77")
    left.charge(8)

    with pytest.raises(TooManyRequests, match="has 2 left, and 3 were asked for") as refused:
        left.charge(3)

    assert '"rows-per-address";r=2;' in dict(refused.value.headers)["RateLimit"]


def test_redis_is_imported_only_where_it_is_used() -> None:
    program = "import sys, wsgi; print('redis' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "False"


def test_a_moment_without_threads_is_one_without_redis_and_no_more(redis: RedisServer) -> None:
    shared = Shared(redis.url)
    with no_more_threads():
        assert [shared.take("threadless") for _ in range(3)] == [None] * 3
    assert shared.told == ["TimeoutError"]

    shared.wait_for(lambda: shared.take("threadless") is not None)

    assert shared.told[:2] == ["TimeoutError", "found"]

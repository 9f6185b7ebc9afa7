"""Renewed certificates: taken over whole, or not at all, while nobody's connection is cut."""

import json
import os
import resource
import shutil
import signal
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from app.config import Config
from app.telemetry import Log, Metrics
from app.tls import Change, Files, Live, Renewal
from app.tls.live import FIRST_DELAY, LAST_DELAY
from tests.support.certificates import Certificates
from tests.support.raw import Wire, post
from tests.support.server import Server


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders, `old` and `new`, each with an authority and a server's certificate."""
    root = tmp_path_factory.mktemp("pairs")
    for name in ("old", "new"):
        Certificates(root / name)
    return root


@pytest.fixture
def folder(pairs: Path, tmp_path: Path) -> Path:
    """A copy of `old`, to be changed."""
    return Path(shutil.copytree(pairs / "old", tmp_path / "served"))


@pytest.fixture
def told() -> list[dict[str, str]]:
    return []


class Ears(Log):
    """A log that is listened to."""

    def __init__(self, told: list[dict[str, str]]) -> None:
        super().__init__()
        self._told = told

    def event(self, level: str, event: str, **fields: object) -> None:
        self._told.append(
            {"level": level, "event": event, **{k: str(v) for k, v in fields.items()}}
        )


@pytest.fixture
def live(folder: Path) -> Live:
    found = Live.of(
        Config.from_env(
            {
                "ORDINATE_TLS_CERT": str(folder / "server.pem"),
                "ORDINATE_TLS_KEY": str(folder / "server-key.pem"),
            }
        )
    )
    assert found is not None
    return found


@contextmanager
def nothing_can_be_opened() -> Iterator[None]:
    """This process has used up its descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def look(live: Live, told: list[dict[str, str]]) -> Callable[[], None]:
    """Looks twice, as is needed for what has just changed."""
    renewal = Renewal(live, Ears(told), Metrics())

    def twice() -> None:
        renewal.look()
        renewal.look()

    return twice


def authority(live: Live, folder: Path) -> bool:
    """Whether a handshake succeeds with a client that trusts the authority of this folder."""
    client_in, server_in = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = live.context.wrap_bio(server_in, client_in, server_side=True)
    trusting = ssl.create_default_context(cafile=folder / "ca.pem")
    client = trusting.wrap_bio(client_in, server_in, server_hostname="localhost")
    for side in (client, server) * 3:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError:
            return False
    return True


def replace(source: Path, target: Path) -> None:
    """As most programs do it: a new file in the place of the old one."""
    beside = target.with_name(".beside")
    shutil.copy(source, beside)
    os.replace(beside, target)


def test_a_new_pair_is_used_for_the_next_handshake(
    live: Live, look: Callable[[], None], folder: Path, pairs: Path, told: list[dict[str, str]]
) -> None:
    assert authority(live, pairs / "old")

    for name in ("server.pem", "server-key.pem"):
        replace(pairs / "new" / name, folder / name)
    look()
    look()

    assert authority(live, pairs / "new")
    assert not authority(live, pairs / "old")
    assert [(each["level"], each["outcome"]) for each in told] == [("info", "renewed")]
    assert told[0]["expires"] == f"{live.expires:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder, new: replace(new / "server.pem", folder / "server.pem"),
        lambda folder, new: replace(new / "server-key.pem", folder / "server-key.pem"),
        lambda folder, _: os.truncate(folder / "server.pem", 300),
        lambda folder, _: (folder / "server-key.pem").write_bytes(b""),
        lambda folder, _: (folder / "server.pem").unlink(),
    ],
    ids=["certificate alone", "key alone", "half a certificate", "empty key", "removed"],
)
def test_what_is_not_whole_changes_nothing_and_is_told_once(
    live: Live,
    look: Callable[[], None],
    folder: Path,
    pairs: Path,
    told: list[dict[str, str]],
    spoil: Callable[[Path, Path], object],
) -> None:
    before = live.context

    spoil(folder, pairs / "new")
    for _ in range(3):
        look()

    assert live.context is before
    assert [(each["level"], each["outcome"]) for each in told] == [("error", "refused")]
    assert str(folder) in told[0]["reason"]

    for name in ("server.pem", "server-key.pem"):
        replace(pairs / "new" / name, folder / name)
    look()

    assert authority(live, pairs / "new")


def test_what_could_not_be_read_for_a_while_is_taken_over_and_told_once(
    folder: Path, pairs: Path, told: list[dict[str, str]]
) -> None:
    now = 0.0
    live = Live(Files(folder / "server.pem", folder / "server-key.pem"), lambda: now)
    renewal = Renewal(live, Ears(told), Metrics())
    for name in ("server.pem", "server-key.pem"):
        replace(pairs / "new" / name, folder / name)

    with nothing_can_be_opened():
        for _ in range(20):
            renewal.look()
            now += LAST_DELAY
    renewal.look()

    assert authority(live, pairs / "new")
    assert [(each["level"], each["outcome"]) for each in told] == [
        ("error", "refused"),
        ("info", "renewed"),
    ]
    assert "Too many open files" in told[0]["reason"]


def test_what_is_refused_is_read_again_less_and_less_often(folder: Path) -> None:
    now = 0.0
    live = Live(Files(folder / "server.pem", folder / "server-key.pem"), lambda: now)
    (folder / "server.pem").write_bytes(b"")
    assert live.look() is not None

    for turn in range(6):
        with (nothing_can_be_opened, nullcontext)[turn % 2]():  # so that the reason is another
            now += 0.5 * FIRST_DELAY * 2**turn
            assert live.look() is None
            now += 0.5 * FIRST_DELAY * 2**turn
            assert live.look() is not None


def test_files_that_are_still_being_written_are_left_alone(
    live: Live, folder: Path, pairs: Path, told: list[dict[str, str]]
) -> None:
    renewal = Renewal(live, Ears(told), Metrics())
    replace(pairs / "new" / "server.pem", folder / "server.pem")
    renewal.look()  # it has changed since the last look, and may go on changing
    replace(pairs / "new" / "server-key.pem", folder / "server-key.pem")
    renewal.look()
    assert told == []

    renewal.look()

    assert [each["outcome"] for each in told] == ["renewed"]


def test_the_metric_tells_when_the_certificate_in_use_expires(live: Live) -> None:
    metrics = Metrics()
    assert b"ordinate_tls_certificate_expiry" not in metrics.render()[0]

    Renewal(live, Log(), metrics)

    name = "ordinate_tls_certificate_expiry_timestamp_seconds "
    found = [line for line in metrics.render()[0].decode().splitlines() if line.startswith(name)]
    assert [float(line.removeprefix(name)) for line in found] == [live.expires.timestamp()]


def test_a_certificate_that_has_expired_is_used_with_a_warning(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    certificates.expire(certificates.server)

    live = Live(Files(certificates.server.cert, certificates.server.key))

    assert [warning.split(" on ")[0] for warning in live.warnings] == [
        f"the certificate in {certificates.server.cert} expired"
    ]


WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("begins", "expires", "problem"),
    [(-2 * WEEK, -WEEK, "expired on"), (WEEK, 2 * WEEK, "is good from")],
    ids=["expired", "not good yet"],
)
def test_a_certificate_that_nobody_takes_now_does_not_replace_one_that_is_good(
    begins: timedelta, expires: timedelta, problem: str, tmp_path: Path
) -> None:
    own = Certificates(tmp_path)
    now = 0.0
    live = Live(Files(own.server.cert, own.server.key), lambda: now)
    good = live.context

    own.sign_anew(own.server, begins, expires)
    refused = live.look()

    assert refused is not None
    assert refused.refused is not None
    assert problem in refused.refused
    assert live.context is good

    own.sign_anew(own.server, -WEEK, WEEK)
    assert live.look() == Change(None, live.expires)
    assert live.context is not good


def test_a_list_that_lets_nobody_in_does_not_replace_one_that_is_good(tmp_path: Path) -> None:
    own = Certificates(tmp_path)
    crl = own.revoke(own.client("mallory"), tmp_path / "crl.pem")
    live = Live(Files(own.server.cert, own.server.key, None, "required", own.ca, crl))
    good = live.context

    own.revoke(own.client("mallory"), crl, days=-1)
    refused = live.look()

    assert refused is not None
    assert refused.refused is not None
    assert "was due to be replaced on" in refused.refused
    assert live.context is good
    own.revoke(own.client("mallory"), crl, days=5)
    assert live.look() == Change(None, live.expires)


def test_one_that_nobody_takes_now_replaces_another(tmp_path: Path) -> None:
    own = Certificates(tmp_path)
    own.expire(own.server)
    live = Live(Files(own.server.cert, own.server.key))

    own.sign_anew(own.server, WEEK, 2 * WEEK)
    change = live.look()

    assert change is not None
    assert change.refused is None
    assert [warning.split(" is ")[1][:9] for warning in change.warnings] == ["good from"]


def test_what_is_refused_for_its_time_is_taken_when_the_one_in_use_has_expired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Certificates(tmp_path)
    now = 0.0
    live = Live(Files(own.server.cert, own.server.key), lambda: now)
    own.expire(own.server)
    assert live.look() != Change(None, live.expires)

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Later":
            return cls.fromtimestamp(time.time() + 400 * 86400, tz)

    monkeypatch.setattr("app.tls.live.datetime", Later)
    now += LAST_DELAY
    change = live.look()

    assert change is not None
    assert change.refused is None


def test_a_running_service_takes_over_what_a_link_is_turned_to(
    pairs: Path, tmp_path: Path, linear_models: Path
) -> None:
    """As certbot and the secrets of Kubernetes do it."""
    served = tmp_path / "served"
    served.symlink_to(pairs / "old")
    settings = {
        "ORDINATE_TLS_CERT": str(served / "server.pem"),
        "ORDINATE_TLS_KEY": str(served / "server-key.pem"),
    }
    trusting = ssl.create_default_context(cafile=pairs / "old" / "ca.pem")
    renewed = ssl.create_default_context(cafile=pairs / "new" / "ca.pem")
    with Server(linear_models, (), trusting, ORDINATE_WORKERS="1", **settings) as server:
        with Wire(server) as open_before:
            (tmp_path / "next").symlink_to(pairs / "new")
            os.replace(tmp_path / "next", served)
            server.wait_for(lambda: '"outcome":"renewed"' in server.log)

            open_before.send(post())
            assert open_before.answer().status == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            Wire(server)
        server.tls = renewed
        with Wire(server) as after:
            after.send(post())
            assert after.answer().status == 200
    events = [json.loads(line) for line in server.err if '"certificate"' in line]
    assert [event["outcome"] for event in events] == ["renewed"]


def test_workers_that_start_over_broken_files_get_what_was_good(
    folder: Path, linear_models: Path
) -> None:
    settings = {
        "ORDINATE_TLS_CERT": str(folder / "server.pem"),
        "ORDINATE_TLS_KEY": str(folder / "server-key.pem"),
    }
    trusting = ssl.create_default_context(cafile=folder / "ca.pem")
    with Server(linear_models, (), trusting, ORDINATE_WORKERS="1", **settings) as server:
        (folder / "server-key.pem").unlink()
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(lambda: server.log.count("Booting worker with pid") == 2)
        server.wait_for(lambda: "Worker exiting" in server.log or "Worker (pid" in server.log)

        with Wire(server) as wire:
            wire.send(post())
            assert wire.answer().status == 200
        assert server.stop() == 0

"""Where a request comes from, with proxies that are trusted and without."""

import tracemalloc
from pathlib import Path

import pytest

from app import create_app
from app.casts import proxies
from app.config import Config
from app.http.proxies import Proxies
from app.security import Sender
from tests.support.models import publish

PROXY, CLIENT = "10.1.2.3", "198.51.100.7"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (CLIENT, CLIENT),
        (f"203.0.113.9, {CLIENT}", CLIENT),
        (f"{CLIENT}, 10.9.9.9", CLIENT),
        (f"{CLIENT},\t10.9.9.9 , ::1", CLIENT),
        (f"{CLIENT}:4711", CLIENT),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("10.5.5.5", "10.5.5.5"),
        ("", PROXY),
        ("unknown", PROXY),
        (f"{CLIENT}, evil", PROXY),
        (f"{CLIENT}, evil, 10.9.9.9", "10.9.9.9"),
        (f"{CLIENT}, 010.9.9.9", PROXY),
        (f"{CLIENT},", PROXY),
        ("fe80::7%eth0", "fe80::7"),
        ("fe80::7%any\ttext; \xff", "fe80::7"),
        ("[fe80::7%eth0]:4711", "fe80::7"),
        ("fe80::7%", PROXY),
        (f"{CLIENT}%eth0", PROXY),
        (f"{CLIENT}, ::1%lo", CLIENT),
        ("::1", PROXY),
        ("127.0.0.1", PROXY),
        ("::ffff:127.0.0.1", PROXY),
        ("127.0.0.1, ::1, 10.9.9.9", "10.9.9.9"),
    ],
)
def test_the_last_address_that_no_trusted_proxy_has_is_the_senders(
    forwarded: str, address: str
) -> None:
    trusting = Proxies(proxies("10.0.0.0/8, ::1"))

    assert trusting.sender(Sender(PROXY, "name"), forwarded) == Sender(address, "name")


@pytest.mark.parametrize("peer", [CLIENT, "2001:db8::1", "", "11.0.0.1"])
def test_nobody_else_can_say_where_a_request_comes_from(peer: str) -> None:
    trusting = Proxies(proxies("10.0.0.0/8,::1"))

    assert trusting.sender(Sender(peer), "203.0.113.9") == Sender(peer)
    assert Proxies(proxies("")).sender(Sender(PROXY), "203.0.113.9") == Sender(PROXY)


def test_the_far_end_of_a_unix_socket_can_be_trusted() -> None:
    assert Proxies(proxies("unix")).sender(Sender(""), CLIENT) == Sender(CLIENT)


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", ""])
def test_a_proxy_on_this_machine_says_who_else_is_on_it(peer: str) -> None:
    trusting = Proxies(proxies("127.0.0.0/8,::1,unix"))

    assert trusting.sender(Sender(peer), "127.0.0.5") == Sender("127.0.0.5")


@pytest.mark.parametrize("said", ["127.0.0.1", "::1", "::ffff:127.0.0.1", f"{CLIENT}, ::1"])
def test_no_other_machine_passes_for_this_one(models: Path, said: str) -> None:
    settings = {"ORDINATE_MODELS": str(models), "ORDINATE_TRUSTED_PROXIES": "10.0.0.0/8,::1"}
    client = create_app(Config.from_env(settings)).test_client()

    answer = client.get(
        "/version", headers={"X-Forwarded-For": said}, environ_base={"REMOTE_ADDR": PROXY}
    )

    assert answer.status_code == 403


def test_a_peer_of_ipv4_on_a_socket_of_ipv6_is_in_networks_of_ipv4() -> None:
    trusting = Proxies(proxies("10.0.0.0/8"))

    assert trusting.sender(Sender(f"::ffff:{PROXY}"), CLIENT) == Sender(CLIENT)


@pytest.mark.parametrize("peer", ["198.51.100.7", PROXY], ids=["a stranger", "a proxy"])
def test_no_header_is_remembered_that_takes_much_memory(peer: str) -> None:
    trusting = Proxies(proxies("10.0.0.0/8"))
    hearsay = "x" * 8_000
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(5_000):
            trusting.sender(Sender(peer), f"{hearsay}{number}, {CLIENT}")
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < 2_000_000  # other threads allocate as well


def test_a_long_header_of_a_proxy_is_read_as_any_other() -> None:
    trusting = Proxies(proxies("10.0.0.0/8"))
    hops = ", ".join(f"10.0.{number}.1" for number in range(200))

    assert trusting.sender(Sender(PROXY), f"evil, {CLIENT}, {hops}") == Sender(CLIENT)


@pytest.mark.parametrize(
    ("trusted", "said", "shown"),
    [
        ("127.0.0.1", "https", "https"),
        ("127.0.0.1", "http", "http"),
        ("127.0.0.1", None, "http"),
        ("127.0.0.1", "javascript", "http"),
        ("10.0.0.0/8", "https", "http"),
        ("", "https", "http"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/models/tiny"])
def test_the_line_to_paste_is_for_the_scheme_that_a_trusted_proxy_was_asked_by(
    tmp_path: Path, path: str, trusted: str, said: str | None, shown: str
) -> None:
    publish(tmp_path, "tiny")
    env = {"ORDINATE_MODELS": str(tmp_path), "ORDINATE_TRUSTED_PROXIES": trusted}
    client = create_app(Config.from_env(env)).test_client()

    headers = {"X-Forwarded-Proto": said} if said else {}
    answer = client.get(path, headers=headers)

    assert f"curl -s {shown}://localhost/models/tiny/predict" in answer.text

"""Certificates of clients: who gets in, and under which name."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from tests.support.certificates import Certificates
from tests.support.server import Server
from tests.tls.conftest import noise

REFUSED = (ssl.SSLError, ConnectionError)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority of whose clients one is revoked."""
    return Certificates(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def revoked(own: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The list with `mallory` on it."""
    return own.revoke(own.client("mallory"), tmp_path_factory.mktemp("lists") / "crl.pem")


@contextmanager
def serving(own: Certificates, revoked: Path, *arguments: str, client: str) -> Iterator[Server]:
    """A service that tells who asks."""
    more = {"CLIENT": client, "CLIENT_CA": str(own.ca), "CLIENT_CRL": str(revoked)}
    settings = own.settings(**more) | {"ORDINATE_WORKERS": "1"}
    tls = own.trusting(own.client("alice"))
    with Server(revoked.parent, arguments, tls, "tests.tls.showing:app", **settings) as running:
        yield running


@pytest.fixture(scope="module")
def strict(own: Certificates, revoked: Path) -> Iterator[Server]:
    with serving(own, revoked, client="required") as running:
        yield running
    assert noise(running) == ""


def ask(server: Server, context: ssl.SSLContext) -> str:
    """Under which name the service knows who asks like this."""
    connection = HTTPSConnection("127.0.0.1", server.port, timeout=20, context=context)
    with closing(connection):
        connection.request("GET", "/")
        return connection.getresponse().read().decode()


def test_the_common_name_of_its_certificate_is_the_name_of_a_client(
    strict: Server, own: Certificates
) -> None:
    assert ask(strict, own.trusting(own.client("alice"))) == "'alice'"
    assert ask(strict, own.trusting(own.client("b.o-b_2"))) == "'b.o-b_2'"


def test_who_shows_none_is_refused(strict: Server, own: Certificates) -> None:
    with pytest.raises(REFUSED):
        ask(strict, own.trusting())


def test_who_shows_one_that_is_revoked_is_refused(strict: Server, own: Certificates) -> None:
    with pytest.raises(REFUSED):
        ask(strict, own.trusting(own.client("mallory")))


def test_who_shows_one_that_has_expired_is_refused(strict: Server, own: Certificates) -> None:
    late = own.client("late")
    own.expire(late)

    with pytest.raises(REFUSED):
        ask(strict, own.trusting(late))


def test_who_shows_one_of_another_authority_is_refused(
    strict: Server, own: Certificates, certificates: Certificates
) -> None:
    context = own.trusting()
    foreign = certificates.client("alice")
    context.load_cert_chain(foreign.cert, foreign.key)

    with pytest.raises(REFUSED):
        ask(strict, context)


def test_who_shows_that_of_a_server_is_refused(strict: Server, own: Certificates) -> None:
    with pytest.raises(REFUSED):
        ask(strict, own.trusting(own.server))


def test_a_session_does_not_outlive_the_certificate_it_began_with(
    strict: Server, own: Certificates
) -> None:
    """OpenSSL alone would resume it for two hours."""
    brief = own.client("brief")
    context = own.trusting(brief)
    own.expire(brief, -2)
    context.load_cert_chain(brief.cert, brief.key)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    began, session = resumed(strict, context)
    again, _ = resumed(strict, context, session)
    assert (began, again) == (False, True)

    until = own.expires(brief)
    while time.time() <= until:
        time.sleep(0.05)

    with pytest.raises(REFUSED):
        resumed(strict, context, session)


def resumed(
    server: Server, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> tuple[bool | None, ssl.SSLSession | None]:
    """Whether a session was resumed, and the session; both sides part politely, so it is kept."""
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    with context.wrap_socket(plain, server_hostname="localhost", session=session) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        if not client.recv(65536):
            raise ConnectionResetError
        found = client.session_reused, client.session
        client.unwrap()
        return found


@pytest.mark.parametrize("arguments", [(), ("-k", "gthread")], ids=["ours", "gthread"])
def test_where_it_is_optional_who_shows_none_has_no_name(
    own: Certificates, revoked: Path, arguments: tuple[str, ...]
) -> None:
    with serving(own, revoked, *arguments, client="optional") as server:
        assert ask(server, own.trusting()) == "None"
        assert ask(server, own.trusting(own.client("alice"))) == "'alice'"
        with pytest.raises(REFUSED):
            ask(server, own.trusting(own.client("mallory")))

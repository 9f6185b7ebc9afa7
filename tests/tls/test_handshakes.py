"""Which handshakes succeed, and that those that do not disturb nobody."""

import os
import socket
import ssl
import struct
import warnings

import pytest

from tests.support.certificates import Certificates
from tests.support.raw import Wire
from tests.support.server import Server

CROWD = 100
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def connect(server: Server) -> socket.socket:
    """A connection without TLS."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def shake(server: Server, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A connection with TLS."""
    return context.wrap_socket(connect(server), server_hostname="localhost")


def received(connection: socket.socket) -> bytes:
    """All bytes until the service closes the connection, in whichever way."""
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


def answers(server: Server) -> bool:
    """Whether another client is served."""
    with Wire(server) as wire:
        wire.send(HEALTH)
        return wire.answer().status == 200


def hello(context: ssl.SSLContext) -> bytes:
    """The first bytes of a client."""
    leaving = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), leaving, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return leaving.read()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(
    encrypted: Server, certificates: Certificates, version: ssl.TLSVersion
) -> None:
    context = certificates.trusting()
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])

    with shake(encrypted, context) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"
        assert connection.compression() is None
        connection.sendall(HEALTH)
        assert b'{"status":"ok"}' in connection.recv(65536)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(
    encrypted: Server, certificates: Certificates, version: ssl.TLSVersion
) -> None:
    context = certificates.trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version

    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version|unsupported protocol"):
        shake(encrypted, context)


@pytest.mark.parametrize(
    "suites",
    [
        "AES128-SHA:AES256-GCM-SHA384",  # a key that is not forgotten
        "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA",  # no authenticated encryption
        "ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-ARIA128-GCM-SHA256",  # nobody's favourites
        "aNULL:eNULL",
    ],
)
def test_suites_outside_the_profile_are_refused(
    encrypted: Server, certificates: Certificates, suites: str
) -> None:
    context = certificates.trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{suites}:@SECLEVEL=0")

    with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
        shake(encrypted, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_tickets_are_given(
    encrypted: Server, certificates: Certificates, version: ssl.TLSVersion
) -> None:
    context = certificates.trusting()
    context.minimum_version = context.maximum_version = version

    with shake(encrypted, context) as connection:
        connection.sendall(HEALTH)
        assert connection.recv(65536)
        assert connection.session is None or not connection.session.has_ticket


def test_http_without_tls_is_told_so(encrypted: Server) -> None:
    with connect(encrypted) as connection:
        connection.sendall(HEALTH)

        answer = received(connection)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"use https:// in place of http://" in answer
    assert b"Strict-Transport-Security" not in answer


@pytest.mark.parametrize(
    "sent", [bytes(range(128, 192)), b"\x16\x03\x01\xff\xff" + bytes(99), b"SSH-2.0-x\r\n"]
)
def test_what_is_no_handshake_is_closed(encrypted: Server, sent: bytes) -> None:
    with connect(encrypted) as connection:
        connection.sendall(sent)

        assert not received(connection).startswith(b"HTTP")

    assert answers(encrypted)


def test_a_handshake_without_tls_behind_it_is_closed(
    encrypted: Server, certificates: Certificates
) -> None:
    with shake(encrypted, certificates.trusting()) as connection:
        os.write(connection.fileno(), b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")

        with pytest.raises(ssl.SSLError):
            connection.recv(65536)

    assert answers(encrypted)


def test_handshakes_that_never_end_hold_nobody_up_and_have_a_deadline(
    encrypted: Server, certificates: Certificates
) -> None:
    begun = hello(certificates.trusting())
    crowd = [connect(encrypted) for _ in range(CROWD)]
    for number, connection in enumerate(crowd):
        connection.sendall(begun[: 1 + number % (len(begun) - 1)])
    crowd += [connect(encrypted) for _ in range(CROWD)]  # and some that say nothing

    assert answers(encrypted)

    for connection in crowd:
        with connection:
            assert received(connection) == b""


def test_clients_that_go_in_the_middle_of_a_handshake_leave_nothing_behind(
    encrypted: Server, certificates: Certificates
) -> None:
    begun = hello(certificates.trusting())
    at_once = struct.pack("ii", 1, 0)
    for length in (0, 1, 5, len(begun) // 2, len(begun)):
        for reset in (False, True):
            with connect(encrypted) as connection:
                connection.sendall(begun[:length])
                if reset:  # in place of a polite end
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)

    assert answers(encrypted)


def test_a_handshake_on_a_port_without_tls_is_refused(
    server: Server, certificates: Certificates
) -> None:
    with pytest.raises(ssl.SSLError), connect(server) as plain:
        certificates.trusting().wrap_socket(plain, server_hostname="localhost")

    assert answers(server)

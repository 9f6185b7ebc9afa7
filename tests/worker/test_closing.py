"""Closing a listening socket: whoever has connected is taken, whoever comes later is refused."""

import socket

import pytest

from app.worker.closing import close_when_empty


def test_whoever_waits_is_taken_before_the_socket_is_closed() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    listener.setblocking(False)
    address, taken = listener.getsockname(), list[socket.socket]()
    clients = [socket.create_connection(address, timeout=20) for _ in range(20)]

    close_when_empty(listener, taken.append)

    peers = sorted(each.getpeername() for each in taken)
    assert peers == sorted(each.getsockname() for each in clients)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=20)
    assert not any(client.get_inheritable() for client in taken)
    for each in (*taken, *clients):
        each.close()


def test_one_that_hangs_up_while_it_waits_keeps_nobody_from_being_taken() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    listener.setblocking(False)
    socket.create_connection(listener.getsockname(), timeout=20).close()
    taken = list[socket.socket]()

    with socket.create_connection(listener.getsockname(), timeout=20):
        close_when_empty(listener, taken.append)

        assert len(taken) == 2
        for client in taken:
            client.close()

"""Two ends of a connection, without a service."""

import socket

SECONDS = 20.0


def connected() -> tuple[socket.socket, socket.socket]:
    """A client that has connected over TCP, and the socket that was accepted for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), SECONDS)
        here, _ = listener.accept()
    return client, here

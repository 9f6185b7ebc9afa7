"""Closing a listening socket without losing anybody who has connected to it."""

import ctypes
import os
import socket
from collections.abc import Callable
from itertools import repeat
from operator import call

_MOST = 64
"""Clients that may come in the last moment, behind those that were taken before."""


def close_when_empty(listener: socket.socket, take: Callable[[socket.socket], None]) -> None:
    """Close the socket in the moment in which nobody waits, and hand over who has come until then.

    What is queued at a socket when the last process closes it is reset by the system. Between two
    steps of Python another thread may have its turn, and even to let it have one can take
    milliseconds; so the system is asked for clients, and to close, in one step that keeps the
    interpreter.

    Args:
        listener: the socket, not blocking.
        take: given each client.
    """
    system, descriptor = ctypes.PyDLL(None), listener.detach()
    calls = [*[system.accept] * _MOST, system.close]
    *clients, _ = map(call, calls, repeat(descriptor), repeat(None), repeat(None))
    for client in clients:
        if client >= 0:
            os.set_inheritable(client, False)
            take(socket.socket(fileno=client))

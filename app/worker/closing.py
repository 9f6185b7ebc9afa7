"""Closing a listening socket without losing anybody who has connected to it."""

import ctypes
import errno
import os
import socket
import sys
from collections.abc import Callable
from typing import Any


def close_when_empty(listener: socket.socket, take: Callable[[socket.socket], None]) -> None:
    """Hand over whoever still waits, and close the socket in the moment in which nobody does.

    What is queued at a socket when the last process closes it is reset by the system. Behind each
    call of Python's own that finds nobody another thread may have its turn, for half a millisecond
    and more; so the system is asked without letting go of the interpreter.

    Args:
        listener: the socket, not blocking.
        take: given each client.
    """
    accept = _accept()
    while accept is not None:
        descriptor = accept(listener.fileno(), None, None)
        if descriptor >= 0:
            os.set_inheritable(descriptor, False)
            take(socket.socket(fileno=descriptor))
        elif ctypes.get_errno() not in (errno.EINTR, errno.ECONNABORTED):
            break
    listener.close()


def _accept() -> Any:
    """The system's own call; None where there is none of this name."""
    if sys.platform == "win32":
        return None
    return getattr(ctypes.PyDLL(None, use_errno=True), "accept", None)

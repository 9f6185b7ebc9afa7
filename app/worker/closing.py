"""Closing a listening socket without losing anybody who has connected to it, or is about to."""

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import repeat
from operator import call
from pathlib import Path

_MOST = 64
"""Clients that may come in the last moment, behind those that were taken before."""

_SO_ATTACH_FILTER = 26
"""Of Linux on amd64, arm64 and most others; Python does not know it."""

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_HANDSHAKE = b"03"
"""The state SYN_RECV, as the tables of connections write it."""

_FLAGS, _SYN, _ACK = 13, 0x02, 0x10
"""Where a TCP segment has its flags, and two of them."""

_FILTER = (  # of the classic Berkeley Packet Filter: operation, steps if so, steps if not, operand
    (0x30, 0, 0, _FLAGS),  # load a byte
    (0x54, 0, 0, _SYN | _ACK),  # keep these bits of it
    (0x15, 0, 1, _SYN),  # is it the first segment of a client?
    (0x06, 0, 0, 0),  # then drop it
    (0x06, 0, 0, 0xFFFFFFFF),  # else take it whole
)


def keep_out(listener: socket.socket) -> bool:
    """Have the system drop the first segment of whoever would connect from now on.

    Such a client tries again after a second, when nobody listens any more, or another service does.
    Handshakes that have begun can end. The socket stays so, in all processes that have it: for
    one that is about to be closed in all of them.

    Returns:
        Whether the system can do so; Linux can, for TCP.
    """
    if sys.platform != "linux" or listener.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    steps = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in _FILTER))
    program = struct.pack("HP", len(_FILTER), ctypes.addressof(steps))
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
    except OSError:  # a system that is Linux by its calls only
        return False
    return True


def is_awaited(listener: socket.socket) -> bool:
    """Whether a client's handshake with this socket has begun and not ended.

    For the client it may well have: it takes the service's segment for the end, and what it sends
    then may still be on its way. Closed in this moment, the socket would reset it. False as well
    where the system does not tell: a stop must not fail for that.
    """
    port = b":%04X" % listener.getsockname()[1]
    for table in _TABLES:
        with suppress(OSError), table.open("rb") as lines:  # no IPv6, no /proc, or not for us
            for line in lines:  # as far as it takes: there may be very many
                _, here, _, state, *_ = line.split(maxsplit=4)
                if state == _HANDSHAKE and here.endswith(port):
                    return True
    return False


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

"""A real Redis on a free port of 127.0.0.1, killed, stopped and started again at will."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

import pytest

START_SECONDS = 20.0
POLL_SECONDS = 0.01


class RedisServer:
    """A Redis that keeps nothing.

    Attributes:
        url: of it, with its password.
        process: of it.
    """

    def __init__(self, folder: Path, *arguments: str, password: str = "", **env: str) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not installed")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"redis://{f':{password}@' if password else ''}127.0.0.1:{self.port}"
        self._command = [
            *(program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)),
            *("--save", "", "--appendonly", "no", *arguments),
            *(("--requirepass", password) if password else ()),
        ]
        self._env = os.environ | env

    def __enter__(self) -> "RedisServer":
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, empty, and wait until it listens."""
        self.process = subprocess.Popen(
            self._command, env=self._env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + START_SECONDS
        while not self._listens():
            assert self.process.poll() is None, "redis-server ended by itself"
            assert time.monotonic() < until, "redis-server did not start in time"
            time.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """End it without a farewell."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(START_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Stop it where it stands, or let it go on."""
        self.process.send_signal(number)

    def command(self, *words: str) -> str:
        """What it answers to a command, as it comes over the wire."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=START_SECONDS) as wire:
            wire.sendall(" ".join(words).encode() + b"\r\n")
            return wire.recv(1 << 16).decode()

    def _listens(self) -> bool:
        try:
            return self.command("PING").startswith(("+PONG", "-NOAUTH"))
        except OSError:
            return False

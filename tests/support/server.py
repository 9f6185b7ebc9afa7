"""A real gunicorn with the shipped settings, on a free port of 127.0.0.1, ended by its own id."""

import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
STOP_SECONDS = 20.0
WAIT_SECONDS = 20.0
"""Long enough where the machine has much else to do; a test that passes waits for none of it."""

POLL_SECONDS = 0.01


class Server:
    """A running service.

    Args:
        models: folder of the models.
        arguments: of gunicorn, besides.
        tls: what a client needs to reach it by TLS; None where it speaks none.
        application: that it serves.
        shell: commands that a shell runs before, each with its semicolon.
        redirect: where a shell sends what it writes.
        env: settings, besides.

    Attributes:
        folder: where it is started.
        url: where it listens, without a slash at the end.
        port: its port.
        process: the gunicorn master.
        out, err: what it has written so far, by line.
    """

    folder = ROOT

    def __init__(
        self,
        models: Path,
        arguments: Sequence[str] = (),
        tls: ssl.SSLContext | None = None,
        application: str = "wsgi:app",
        shell: str = "",
        redirect: str = "",
        /,
        **env: str,
    ) -> None:
        self.tls = tls
        clean = {
            k: v for k, v in os.environ.items() if not k.startswith(("ORDINATE_", "GUNICORN_"))
        }
        settings = {"ORDINATE_MODELS": str(models), "ORDINATE_WORKERS": "2", "PORT": "0"}
        before = ("sh", "-c", f'{shell}exec "$@" {redirect}', "sh") if shell or redirect else ()
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "gunicorn", application, *arguments],
            cwd=self.folder,
            env=clean | settings | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(
                target=self._collect, args=(self.process.stdout, self.out), daemon=True
            ),
            threading.Thread(
                target=self._collect, args=(self.process.stderr, self.err), daemon=True
            ),
        ]
        for reader in self._readers:
            reader.start()
        self.port = 0
        self.url = ""

    def __enter__(self) -> "Server":
        try:
            self.wait_for(lambda: self._find_port() and self._answers(), START_SECONDS)
        except BaseException:
            self.stop(signal.SIGKILL)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the service and give its exit code; a service that does not end is a failure."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
            raise AssertionError(f"the service did not stop:\n{self.log}") from None
        for reader in self._readers:
            reader.join(STOP_SECONDS)
        return code

    def wait_for(self, condition: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
        """Wait until a condition holds; fail with the log if it does not within `seconds`."""
        until = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None:
                raise AssertionError(f"the service ended by itself:\n{self.log}")
            if time.monotonic() > until:
                raise AssertionError(f"not within {seconds:g} s:\n{self.log}")
            time.sleep(POLL_SECONDS)

    def get(self, target: str) -> str:
        """The body at this address."""
        with urllib.request.urlopen(
            self.url + target, timeout=STOP_SECONDS, context=self.tls
        ) as answer:
            return str(answer.read().decode())

    def ask(self, target: str, request_id: str | None = None) -> str:
        """Which version predicts for a row that `tiny` takes."""
        headers = {"Content-Type": "application/json"}
        if request_id is not None:
            headers["X-Request-Id"] = request_id
        request = urllib.request.Request(self.url + target, b'{"x":[1,2,0.5]}', headers)
        with urllib.request.urlopen(request, timeout=STOP_SECONDS, context=self.tls) as answer:
            return str(answer.headers["X-Model"])

    def workers(self) -> list[int]:
        """Ids of the workers that are alive, as the master reports them."""
        log = self.log
        born = re.findall(r"Booting worker with pid: (\d+)", log)
        dead = re.findall(r"Worker \(pid:(\d+)\) (?:was|exited)|Worker exiting \(pid: (\d+)\)", log)
        gone = {pid for pair in dead for pid in pair}
        return [int(pid) for pid in born if pid not in gone]

    @property
    def log(self) -> str:
        """All that it has written so far."""
        return "\n".join([*self.err, *self.out])

    def _find_port(self) -> bool:
        found = re.search(r"Listening at: https?://[^\s:]+:(\d+)", self.log)
        if found:
            self.port = int(found[1])
            scheme = "https" if self.tls else "http"
            self.url = f"{scheme}://127.0.0.1:{self.port}"
        return bool(found)

    def _answers(self) -> bool:
        try:
            url = f"{self.url}/healthz"
            with urllib.request.urlopen(url, timeout=2, context=self.tls) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    @staticmethod
    def _collect(stream: IO[str] | None, lines: list[str]) -> None:
        assert stream is not None
        with stream:
            lines.extend(line.rstrip("\n") for line in stream)


def wait_until_gone(process: int) -> None:
    """Wait for a process that is no child of this one."""
    done = subprocess.run(
        [sys.executable, "-c", WAITING, str(process)],
        timeout=STOP_SECONDS,
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr


WAITING = """
import os, sys, time
while True:
    try:
        os.kill(int(sys.argv[1]), 0)
    except ProcessLookupError:
        sys.exit(0)
    time.sleep(0.01)
"""

"""A service as real processes: started on given cores, its CPU time and memory read from /proc."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

STOP_SECONDS = 15.0
PREFERRED = -19
"""Niceness."""

UNLESS_ORPHANED = '[ "$PPID" = "$0" ] && exec "$@"'
"""Shell: a program that was killed before setpriv could ask for the signal sends none."""

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


class Running:
    """A service that was started.

    Args:
        command: to run.
        cwd: where.
        env: its environment.
        cores: it may use, as taskset names them.
        log: file for all that it writes, access log included.
    """

    def __init__(
        self, command: Sequence[str], cwd: Path, env: Mapping[str, str], cores: str, log: Path
    ) -> None:
        with log.open("wb") as written:
            self.started = time.perf_counter()
            self._process = subprocess.Popen(
                [*_with_us(), "taskset", "-c", cores, *command],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._log = log

    def __enter__(self) -> "Running":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def leader(self) -> int:
        """Id of the process that was started."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether the process that was started is still there."""
        return self._process.poll() is None

    def processes(self) -> list[int]:
        """Ids of all its processes: the first, its descendants, and what is in its session."""
        return _family(self._process.pid)

    def cpu(self) -> dict[int, float]:
        """Seconds of CPU used so far, user and system, by process."""
        return {pid: seconds for pid in self.processes() if (seconds := _cpu_seconds(pid))}

    def pss(self) -> dict[int, float]:
        """MB (10^6 bytes) of memory by process, what is shared divided among those that share."""
        return {pid: size for pid in self.processes() if (size := _pss(pid))}

    def cores(self) -> set[int]:
        """Those that its first process may use."""
        if sys.platform != "linux":
            raise OSError("only Linux binds processes to cores")
        return set(os.sched_getaffinity(self._process.pid))

    @contextmanager
    def preferred(self) -> Iterator[None]:
        """Have its processes, and this program, go before all others, where that is allowed."""
        processes = [*self.processes(), os.getpid()]
        _set_niceness(processes, PREFERRED)
        try:
            yield
        finally:
            _set_niceness(processes, 0)

    def log(self) -> str:
        """The end of what it has written, to say why it failed."""
        return self._log.read_text("utf-8", "replace")[-2000:]

    def wait(self, seconds: float) -> int:
        """The exit code of the process that was started, once it has ended."""
        return self._process.wait(seconds)

    def stop(self) -> None:
        """End all its processes, gently first."""
        family = self.processes()
        if self.is_alive():
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        until = time.monotonic() + STOP_SECONDS
        while any(map(_is_running, family)) and time.monotonic() < until:
            time.sleep(0.005)


def _with_us() -> list[str]:
    """What to start a command with, so that it does not outlive this process, if that is killed."""
    return ["setpriv", "--pdeathsig", "TERM", "sh", "-c", UNLESS_ORPHANED, str(os.getpid())]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def busy_seconds(core: int) -> float:
    """Seconds that a core has worked so far, for whomever."""
    for line in (PROC / "stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _wait, interrupt, soft, stolen = map(int, ticks[:8])
            return (user + nice + system + interrupt + soft + stolen) / TICKS
    raise ValueError(f"there is no core {core}")


def stolen_seconds() -> float:
    """Seconds of all cores that a hypervisor gave to others, although something was to be done."""
    return int((PROC / "stat").read_text().split(maxsplit=9)[8]) / TICKS


def _family(leader: int) -> list[int]:
    found = {leader}
    status = [each for pid in PROC.iterdir() if pid.name.isdigit() and (each := _status(pid))]
    grown = True
    while grown:
        more = {
            pid
            for pid, state, parent, session in status
            if state != "Z" and (parent in found or session == leader)
        } - found
        found |= more
        grown = bool(more)
    return sorted(found)


def _status(folder: Path) -> tuple[int, str, int, int] | None:
    """Id, state, parent and session of a process."""
    fields = _stat(int(folder.name))
    return (int(folder.name), fields[0], int(fields[1]), int(fields[3])) if fields else None


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; none if the process is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _set_niceness(processes: Sequence[int], niceness: int) -> None:
    """Of each thread, and of the groups that Linux makes of sessions, which come first."""
    for pid in processes:
        with suppress(OSError):
            for task in (PROC / str(pid) / "task").iterdir():
                os.setpriority(os.PRIO_PROCESS, int(task.name), niceness)
        with suppress(OSError):
            (PROC / str(pid) / "autogroup").write_text(str(niceness))


def _is_running(pid: int) -> bool:
    fields = _stat(pid)
    return bool(fields) and fields[0] != "Z"


def _cpu_seconds(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def _pss(pid: int) -> float:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss:"))

"""Somebody sets the clock, by a day either way: no quota is closed for a day, and none opened."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.quotas.remote import Remote
from app.quotas.script import arguments, key
from app.rates import rate
from tests.support.redis_server import RedisServer

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 20.0

PROGRAM = """
import datetime, pathlib, sys, time
from app.compiled import library
from app.quotas.buckets import Buckets
from app.rates import rate

clock, day = pathlib.Path(sys.argv[1]), sys.argv[2]
tables = [Buckets(rate("1/hour:20"), way) for way in (library(), None)]
for buckets in tables:
    assert sum(buckets.take(buckets.owner(5 << 48), 1) >= 0 for _ in range(25)) == 20
before = time.time()
clock.write_text(day)
assert abs(time.time() - before) > 80_000, "the clock was not set"
for buckets in tables:
    assert 0 < -buckets.take(buckets.owner(5 << 48), 1) <= buckets.rate.parts
    assert buckets.take(buckets.owner(6 << 48), 20) >= 0
print("held")
"""


@pytest.fixture
def faked(tmp_path: Path) -> dict[str, str]:
    """An environment in which the file `clock` sets the clock, but not how time passes."""
    found = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if found is None:
        pytest.skip("libfaketime is not installed")
    (tmp_path / "clock").write_text("+0d")
    return {
        "LD_PRELOAD": str(found),
        "FAKETIME_TIMESTAMP_FILE": str(tmp_path / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


@pytest.mark.parametrize("day", ["-1d", "+1d"])
def test_a_clock_set_here_changes_nothing(day: str, faked: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "clock"), day],
        cwd=ROOT,
        env=os.environ | faked,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("held\n", "")


# Redis by the clock of this machine plus the seconds in a file: libfaketime would stop it.
CLOCK = """
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  long added = 0;
  FILE *file = fopen(getenv("CLOCK"), "r");
  if (file != NULL) {
    if (fscanf(file, "%ld", &added) != 1) added = 0;
    fclose(file);
  }
  int found = (int)syscall(SYS_gettimeofday, time, zone);
  time->tv_sec += added;
  return found;
}
"""


@pytest.fixture
def set_clock(tmp_path: Path) -> dict[str, str]:
    """An environment in which the file `clock` holds seconds that Redis's clock is ahead."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("needs a C compiler on Linux")
    (tmp_path / "clock").write_text("0")
    (tmp_path / "clock.c").write_text(CLOCK)
    library = str(tmp_path / "clock.so")
    command = [compiler, "-shared", "-fPIC", str(tmp_path / "clock.c"), "-o", library]
    subprocess.run(command, check=True)
    return {"LD_PRELOAD": library, "CLOCK": str(tmp_path / "clock")}


@pytest.mark.parametrize("day", ["-86400", "86400"])
def test_a_clock_set_where_redis_is_costs_or_gives_a_burst_at_most(
    day: str, set_clock: dict[str, str], tmp_path: Path
) -> None:
    made = rate("1/second:20")
    with RedisServer(tmp_path, **set_clock) as redis:
        remote = Remote(redis.url, 1, lambda _error: None, seconds=WAIT_SECONDS)

        def take(count: int) -> int:
            asked = [key("requests-per-key", made, "x")], arguments(made, count)
            found = remote.ask(asked)
            assert found is not None
            return found[1]

        assert take(19) > 0
        before = int(redis.command("TIME").split()[2])
        (tmp_path / "clock").write_text(day)
        assert abs(int(redis.command("TIME").split()[2]) - before) > 80_000
        if day == "86400":  # full again
            assert take(20) > 0
        assert -made.parts * 20 <= take(20) < 0
        until = time.monotonic() + WAIT_SECONDS
        while take(1) < 0:  # within about a second, not within a day
            assert time.monotonic() < until
            time.sleep(0.05)
        remote.close()

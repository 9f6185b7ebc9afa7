"""Compiled buckets, stopped before every access to their memory and let go on in any order.

The very source is built with a stop in it, so that a test decides which thread moves next. Whatever
the order, and whatever killed processes have left: of those who want the only token one gets it.
"""

import ctypes
import random
import shutil
import subprocess
import threading
from collections.abc import Callable

import pytest

from app.compiled.library import HERE, TokenBuckets

PLACES = 8
TAG, OTHER = 5, 6
CLAIMED = 1 << 47
NOW, INTERVAL = 1_000_000, 1_000

STOPS = """
static void (*stop)(void);
void stop_with(void (*given)(void)) { stop = given; }
#define STEP() stop()
#include "buckets.c"
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("stops")
    (folder / "stops.c").write_text(STOPS)
    flags = ["-std=gnu11", "-O1", "-fPIC", "-shared", "-I", str(HERE)]
    subprocess.run(
        [compiler, *flags, str(folder / "stops.c"), "-o", str(folder / "stops.so")], check=True
    )
    library = ctypes.CDLL(str(folder / "stops.so"))
    library.take_tokens_at.restype = ctypes.c_int64
    library.take_tokens_at.argtypes = (
        *(ctypes.c_void_p, ctypes.c_uint64),
        *(ctypes.c_int32, ctypes.c_int64),
    )
    return library


class Player(threading.Thread):
    """One who wants a token, and moves only when told to."""

    def __init__(self, work: Callable[[], int], moved: threading.Semaphore) -> None:
        super().__init__(daemon=True)
        self.go, self.moved = threading.Semaphore(0), moved
        self.work, self.found, self.is_done = work, 0, False

    def run(self) -> None:
        self.go.acquire()
        self.found = self.work()
        self.is_done = True
        self.moved.release()

    def stop(self) -> None:
        self.moved.release()
        self.go.acquire()

    def move(self) -> None:
        self.go.release()
        assert self.moved.acquire(timeout=20)


def group_with(draw: random.Random) -> list[int]:
    """A group with places for two at least, and whatever may be found in one."""
    rubbish = [
        0,
        TAG << 48 | CLAIMED | draw.randrange(1 << 40),
        9 << 48 | CLAIMED | draw.randrange(1 << 40),
        9 << 48 | NOW - 10,
        10 << 48 | NOW + 1,  # expired for some of those who look, and not for others
        11 << 48 | NOW + 2,
        12 << 48 | NOW + 500,
        13 << 48 | NOW + 500,
    ]
    words = [draw.choice(rubbish) for _ in range(PLACES - 2)] + [0, 0]
    if draw.random() < 0.2:
        words[0] = TAG << 48 | NOW - 5
    draw.shuffle(words)
    return words


def played(built: ctypes.CDLL, seed: int) -> tuple[list[int], list[int]]:
    """What each of several players got, and what is left in the group."""
    draw = random.Random(seed)
    words = (ctypes.c_uint64 * PLACES)(*group_with(draw))
    layout = TokenBuckets(ctypes.addressof(words), 1, 1, 1, INTERVAL, INTERVAL, 0)
    moved = threading.Semaphore(0)

    def wanting(tag: int, now: int) -> Player:
        return Player(lambda: built.take_tokens_at(ctypes.byref(layout), tag << 48, 1, now), moved)

    players = [wanting(TAG, NOW + draw.randrange(4)) for _ in range(draw.choice((2, 3)))]
    players += [wanting(OTHER, NOW + draw.randrange(4)) for _ in range(draw.choice((0, 1)))]
    of_thread: dict[int | None, Player] = {}

    def stop() -> None:
        of_thread[threading.get_ident()].stop()

    kept = ctypes.CFUNCTYPE(None)(stop)
    built.stop_with(kept)
    for player in players:
        player.start()
        of_thread[player.ident] = player
    waiting = list(players)
    player = waiting[0]
    while waiting:
        if player.is_done or draw.random() < 0.4:
            player = draw.choice(waiting)
        player.move()
        waiting = [each for each in waiting if not each.is_done]
    for player in players:
        player.join(timeout=20)
    wanted = [player.found for player in players if player.found >= 0]
    return wanted, list(words)


def test_in_whatever_order_the_only_token_goes_to_one(built: ctypes.CDLL) -> None:
    for seed in range(400):
        got, words = played(built, seed)

        buckets = [word >> 48 for word in words if not word & CLAIMED and word]
        assert buckets.count(TAG) == 1, seed
        assert buckets.count(OTHER) <= 1, seed
        assert len(got) == 1 + buckets.count(OTHER), seed

"""Whether the time of a refusal tells how much of a key was right.

``python -m tests.soak.timing``: wrong keys share 0 to 31 characters of their secret with a right
one, each with the checksum that belongs to it. They are checked in random order, and so are keys
whose id nobody has. Ends with 1 where a class differs from that of nothing shared by Welch's t.
"""

import argparse
import gc
import math
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from app.masking import PREFIX
from app.security import LOCAL, KeyRing, Shown
from app.security.api_keys import DIGITS, ID_LENGTH, SECRET_LENGTH, with_checksum
from app.security.followed import Followed
from app.security.key_ring import Known
from app.security.uses import Uses
from tests.support.api_keys import Told, bearer, made

MOST_T = 4.5
KEPT = 0.95
"""Of the times of all classes together, the longest are those of the system, not of a check."""

OTHER_ID = SECRET_LENGTH
"""The class of keys whose id nobody has: shown, not judged, since ids are no secret."""

BLOCK = 200
"""Checks of each class that are shuffled together."""

RIGHTS = 500
"""Right keys, which wrong ones are made of in turn."""


def wrong_key(right: str, shared: int, draw: random.Random) -> str:
    """A fresh key that differs from a right one in the secret, behind so many characters of it.

    For OTHER_ID one that has all of the secret, under an id that nobody has.
    """
    begin = len(PREFIX) + ID_LENGTH
    secret = right[begin : begin + SECRET_LENGTH]
    fresh = draw.choices(DIGITS, k=SECRET_LENGTH)
    other = draw.choice(DIGITS.replace(secret[min(shared, SECRET_LENGTH - 1)], ""))
    if shared == OTHER_ID:
        begun = PREFIX + "".join(draw.choices(DIGITS, k=ID_LENGTH))
    else:
        begun = right[:begin]
    # Each class is put together by the same steps: where a key lies in memory shows in its time.
    digits = [
        own if place < shared else (other if place == shared else free)
        for place, (own, free) in enumerate(zip(secret, fresh, strict=True))
    ]
    return with_checksum(begun + "".join(digits))


def measured(
    check: Callable[[Shown], object], rights: Sequence[str], count: int, draw: random.Random
) -> list[list[int]]:
    """Nanoseconds of `count` checks of each class, all in one random order.

    Each check has a key of its own: what one key costs in memory and caches must not pass for what
    its class costs. For the same reason each block has a right key of its own: wrong keys that
    share much with one share it with each other, and what was looked at just before makes a check
    cheaper or dearer, whether the key that they share it with is known or not.
    """
    times: list[list[int]] = [[] for _ in range(OTHER_ID + 1)]
    clock = time.perf_counter_ns
    gc.disable()
    for number in range(0, count, BLOCK):
        right = rights[number // BLOCK % len(rights)]
        order = [shared for shared in range(OTHER_ID + 1) for _ in range(BLOCK)]
        draw.shuffle(order)
        # Made before the first is checked: making one would show in the time of its own check.
        block = [bearer(wrong_key(right, shared, draw)) for shared in order]
        for shared, shown in zip(order, block, strict=True):
            before = clock()
            check(shown)
            after = clock()
            times[shared].append(after - before)
    gc.enable()
    return times


def welch(a: Sequence[float], b: Sequence[float]) -> float:
    """Welch's t of two samples (Biometrika 34, 1947)."""
    x, y = np.asarray(a, float), np.asarray(b, float)
    spread = x.var(ddof=1) / x.size + y.var(ddof=1) / y.size
    return float((x.mean() - y.mean()) / math.sqrt(spread))


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=100_000, help="of each class")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keys.json"
        rights = [made(path, f"key {number}") for number in range(RIGHTS)]
        keys = Followed(path, Known.read, Known.of(()), Told(), seconds=1e9)
        ring = KeyRing(keys, Uses((), lambda: (), Told()))
        assert all(ring.find(bearer(right), LOCAL) is not None for right in rights)
        times = measured(lambda shown: ring.find(shown, LOCAL), rights, options.checks, draw)
    return judged(times)


def judged(times: Sequence[Sequence[int]]) -> int:
    """Print each class beside that of nothing shared; 1 where one differs."""
    limit = float(np.quantile(np.concatenate([np.asarray(each) for each in times]), KEPT))
    kept = [[each for each in several if each <= limit] for several in times]
    scores = [welch(several, kept[0]) for several in kept]
    print(f"{len(times[0]):,} checks a class, the fastest {KEPT:.0%} of all together")
    for shared, (several, t) in enumerate(zip(kept, scores, strict=True)):
        name = "another id" if shared == OTHER_ID else f"{shared} shared"
        print(f"  {name:>10}: {np.mean(several) / 1000:.3f} us, t = {t:+.2f}")
    worst = max(map(abs, scores[:OTHER_ID]))
    print(f"largest |t| {worst:.2f}, at most {MOST_T}")
    return int(worst >= MOST_T)


if __name__ == "__main__":
    sys.exit(main())

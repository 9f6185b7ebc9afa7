"""Sends bodies that a grammar writes to every door of the service.

``python -m tests.soak.documents``

The grammar knows what must become of each body by how it was written. Our worker's fast path, Flask
behind it, gunicorn's worker of threads and the application without a server must all give that
answer, to the byte. Exit code 1 if not.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from app import create_app
from app.config import Config
from tests.fuzz.doors import BY_FLASK, JSON, Door, Kept, Model, compare, direct
from tests.fuzz.grammar import Grammar
from tests.support.models import MIXED, PLAIN, SINGLE, publish
from tests.support.server import Server

MODELS = {"plain": PLAIN, "mixed": MIXED, "single": SINGLE}
QUIET = {"ORDINATE_ACCESS_LOG": "off", "ORDINATE_WORKERS": "1"}
FAULTS = (0.0, 0.01, 0.02, 0.05, 0.2)
SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.documents", description=__doc__)
    parser.add_argument("--bodies", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    chosen = parser.parse_args(arguments)
    print(f"seed {chosen.seed}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "models"
        for name, schema in MODELS.items():
            publish(root, name, schema, linear=True)
        settings = {"ORDINATE_MODELS": str(root), "ORDINATE_REFRESH": "0", **QUIET}
        client = create_app(Config.from_env(settings)).test_client()
        with Server(root, **QUIET) as ours, Server(root, ("-k", "gthread"), **QUIET) as threads:
            doors = [Kept(ours, JSON), Kept(ours, BY_FLASK), Kept(threads, JSON)]
            return sent([*doors, direct(client, JSON)], chosen.bodies, chosen.seed)


def sent(doors: Sequence[Door], count: int, seed: int) -> int:
    """Send so many bodies to each door. Returns an exit code."""
    draw = random.Random(seed)
    models = [Model.fitted(name, schema) for name, schema in MODELS.items()]
    grammars = [[Grammar(each.schema, draw, share) for share in FAULTS] for each in models]
    statuses: Counter[int] = Counter()
    wrong: list[str] = []
    for number in range(count):
        which = number % len(models)
        try:
            body = draw.choice(grammars[which]).body()
            statuses[compare(models[which], body, doors)] += 1
        except (AssertionError, OSError) as error:
            wrong.append(repr(error))
    for each in wrong[:SHOWN]:
        print(f"wrong: {each}")
    told = ", ".join(f"{status}: {n:,}" for status, n in sorted(statuses.items()))
    print(f"{count:,} bodies at {len(doors)} doors, {len(wrong)} wrong; answers by status: {told}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

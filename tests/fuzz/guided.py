"""One harness under Atheris: ``python -m tests.fuzz.guided NAME FOLDER [option of libFuzzer ...]``.

Needs requirements-fuzz.txt. `python -m tests.fuzz` runs all of them, each in a process of its own,
because the fuzzer ends the one it is in.
"""

import os
import sys

import atheris

from tests.fuzz.places import LIBRARY

# Only code that is imported in here, for the first time, tells which ways were taken through it.
# Where compiled code tells that by itself, Python would only be slower.
GUIDING = ["app", "gunicorn.asgi"]
with atheris.instrument_imports(include=["none"] if LIBRARY in os.environ else GUIDING):
    from tests.fuzz.harnesses import HARNESSES


def main() -> None:
    """Run the fuzzer; it ends the process."""
    name, *options = sys.argv[1:]
    atheris.Setup([sys.argv[0], *options], HARNESSES[name].check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

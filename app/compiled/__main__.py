"""Builds the compiled code: ``python -m app.compiled [COMPILER]``.

Everything works without it, only slower: batches of rows are then read by Python, and quotas are
counted under locks.
"""

import sys

from app.compiled.building import NotBuilt, build


def main(arguments: list[str]) -> int:
    """Build. Returns 0 when it is built, 3 when it cannot be, with the reason on stderr."""
    try:
        place = build(arguments[0] if arguments else None)
    except NotBuilt as error:
        sys.stderr.write(f"app.compiled: {error}; without it rows are read by Python, slower\n")
        return 3
    sys.stdout.write(f"{place.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

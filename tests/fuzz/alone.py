"""One harness on one input: ``python -m tests.fuzz.alone NAME < FILE``.

Fails where the harness does, and where it takes longer than a minute of the processor. A machine
that stands still for a while makes nothing slow but the clock on the wall, which is all that the
fuzzer looks at.
"""

import resource
import sys

from tests.fuzz.harnesses import HARNESSES

CPU_SECONDS = 60


def main() -> None:
    """Run the program."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    HARNESSES[sys.argv[1]].check(sys.stdin.buffer.read())


if __name__ == "__main__":
    main()

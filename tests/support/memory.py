"""How much memory a call touches, as the kernel counts it."""

import gc
from collections.abc import Callable
from pathlib import Path

_PROCESS = Path("/proc/self")


def measurable() -> bool:
    """Whether this system tells; Linux does."""
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def touched(call: Callable[[], object]) -> int:
    """Bytes by which the resident memory was larger at its peak during a call than before it."""
    gc.collect()
    (_PROCESS / "clear_refs").write_text("5")  # the peak starts anew from here
    before = memory("self", "VmRSS")
    call()
    return memory("self", "VmHWM") - before


def memory(process: int | str, key: str) -> int:
    """Bytes that a process has, as the kernel counts them under this key."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (found,) = (line for line in lines if line.startswith(f"{key}:"))
    return int(found.split()[1]) * 1024

"""The compiled reader, built to tell a fuzzer which ways it took, and to stop at a wrong access."""

import subprocess
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from app.compiled.library import FLAGS, SOURCES, powers
from tests.fuzz.places import LIBRARY

CLANGS = ("clang", *(f"clang-{version}" for version in range(22, 13, -1)))
SANITIZERS = ("-fsanitize=fuzzer-no-link,address", "-g", "-O1")
UNUSED = ("-O3", "-D_FORTIFY_SOURCE=2")
RUNTIME = "asan_with_fuzzer.so"
"""Atheris brings the fuzzer and the sanitizer in one library, which must be there first."""


def environment(folder: Path) -> dict[str, str] | None:
    """Build into this folder; the variables for a process that fuzzes it, None without clang."""
    compiler = next(filter(None, map(which, CLANGS)), None)
    atheris = find_spec("atheris")
    if compiler is None or atheris is None or atheris.origin is None:
        return None
    runtime = Path(atheris.origin).parents[1] / RUNTIME
    (folder / "powers.h").write_text(powers())
    library = folder / "instrumented.so"
    flags = [*(flag for flag in FLAGS if flag not in UNUSED), *SANITIZERS, "-I", str(folder)]
    built = subprocess.run(
        [compiler, *flags, *map(str, SOURCES), "-o", str(library)], capture_output=True, check=False
    )
    if built.returncode or not runtime.exists():  # the compiler's own runtime may be missing
        return None
    options = "detect_leaks=0:allocator_may_return_null=1"
    return {LIBRARY: str(library), "LD_PRELOAD": str(runtime), "ASAN_OPTIONS": options}

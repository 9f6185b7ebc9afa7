"""The figures of a session on disk, so that a report can be written again without measuring."""

import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.halfway import Paced
from benchmarks.rounds import Sample, Start
from benchmarks.session import Results


def save(results: Results, path: Path) -> None:
    """Write all that was measured."""
    path.write_text(json.dumps(asdict(results), indent=1), encoding="utf-8")


def load(path: Path) -> Results:
    """Read what `save` wrote."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return Results(
        samples=[Sample(**each) for each in found["samples"]],
        starts=[Start(**each) for each in found["starts"]],
        paced=[Paced(**each) for each in found["paced"]],
        skipped=found["skipped"],
        circumstances=found["circumstances"],
    )

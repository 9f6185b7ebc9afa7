"""All harnesses by name: what each tries with some bytes, and what it begins with.

A harness is a plain function on bytes that raises where a promise is broken. So each runs in three
ways: on its seeds and on what was once found, on blind mutations, and under Atheris, which keeps
the mutations that reach new code.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.fuzz import (
    bodies,
    certificates,
    compiled,
    credentials,
    cutting,
    inflating,
    journals,
    key_files,
    pems,
    pickling,
    records,
    senders,
    serving,
    settings,
    tables,
    tokens,
)


@dataclass(frozen=True, slots=True)
class Harness:
    """A function on bytes, and bytes to begin with."""

    check: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]


HARNESSES: Mapping[str, Harness] = {
    "bodies": Harness(bodies.check, bodies.seeds),
    "certificates": Harness(certificates.check, certificates.seeds),
    "compiled": Harness(compiled.check, compiled.seeds),
    "credentials": Harness(credentials.check, credentials.seeds),
    "cutting": Harness(cutting.check, cutting.seeds),
    "inflating": Harness(inflating.check, inflating.seeds),
    "journals": Harness(journals.check, journals.seeds),
    "key_files": Harness(key_files.check, key_files.seeds),
    "pems": Harness(pems.check, pems.seeds),
    "pickling": Harness(pickling.check, pickling.seeds),
    "records": Harness(records.check, records.seeds),
    "senders": Harness(senders.check, senders.seeds),
    "serving": Harness(serving.check, serving.seeds),
    "settings": Harness(settings.check, settings.seeds),
    "tables": Harness(tables.check, tables.seeds),
    "tokens": Harness(tokens.check, tokens.seeds),
}

"""Which file of a prediction log a record goes into, and what that file is called."""

from pathlib import Path

import pytest

from app.journal import begun, log_files, read
from app.journal.records import Record, packed
from app.journal.rotation import FILE_SECONDS, Rotation
from tests.support.journal import Kept, record

NOW = 1_800_000_000
LONG_AGO = NOW - 400 * 86400
"""Where a clock without a battery may stand at the start of a machine, until it is set."""


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept.below(tmp_path)


def written_at(kept: Kept, *seconds: float) -> dict[float | None, list[int]]:
    """The seconds of the records in each file, by the time in its name."""
    files = Rotation(kept.folder, kept.public)
    for second in seconds:
        one = record()._replace(time_ns=int(second * 1e9))
        files.write([packed(one)], second)
    files.end()
    found = {begun(path.name): list(read(path, kept.key)) for path in log_files(kept.folder)}
    return {
        begin: [each.time_ns // 10**9 for each in several if isinstance(each, Record)]
        for begin, several in found.items()
    }


def test_a_file_is_called_by_the_time_of_its_first_record(kept: Kept) -> None:
    assert written_at(kept, NOW, NOW + 59.5) == {NOW: [NOW, NOW + 59]}


def test_after_an_hour_another_file_is_begun(kept: Kept) -> None:
    seconds = NOW, NOW + FILE_SECONDS - 1, NOW + FILE_SECONDS, NOW + FILE_SECONDS + 1

    assert written_at(kept, *seconds) == {NOW: [*seconds[:2]], NOW + FILE_SECONDS: [*seconds[2:]]}


@pytest.mark.parametrize("other", [LONG_AGO, NOW + 5 * 3600, NOW - 60])
def test_where_the_clock_was_set_another_file_is_begun(kept: Kept, other: int) -> None:
    found = written_at(kept, NOW, other, other + 1)

    assert found == {NOW: [NOW], other: [other, other + 1]}


def test_records_that_come_out_of_turn_stay_together(kept: Kept) -> None:
    assert written_at(kept, NOW + 0.5, NOW + 0.25) == {NOW: [NOW, NOW]}

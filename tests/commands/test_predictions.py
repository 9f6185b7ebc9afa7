"""``flask predictions``: keys, reading what was kept, and erasing of it."""

import json
import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import Result

from app.journal import log_files, read
from app.journal.records import packed
from app.journal.writing import LogFile
from tests.support.commands import invoked
from tests.support.journal import Kept, record, written

Run = Callable[..., Result]

FIRST, SECOND = "20270115T080000Z-7-00000001.sealed", "20270115T090000Z-8-00000002.sealed"


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A log of two files, of three predictions by `tiny` and one by `single`."""
    kept = Kept.below(tmp_path)
    written(kept.folder / FIRST, kept.public, [record(1), record(2)])
    hour = 3600 * 10**9
    later = [record(hour + 3), record(hour + 4)._replace(model="single/1")]
    written(kept.folder / SECOND, kept.public, later)
    return kept


@pytest.fixture
def run(kept: Kept, tmp_path: Path) -> Run:
    """Runs ``flask predictions`` with these arguments in this process."""
    env = {"ORDINATE_MODELS": str(tmp_path), **kept.settings}

    def invoke(*arguments: str | Path, **changes: str) -> Result:
        return invoked(env | changes, "predictions", *arguments)

    return invoke


def ids(lines: str) -> Sequence[str]:
    """The requests that lines are of, without the hours."""
    return [json.loads(line)["request_id"][-1] for line in lines.splitlines()]


def test_a_pair_is_made_and_the_lines_that_follow_name_it(run: Run, tmp_path: Path) -> None:
    result = run("keys", "new", tmp_path / "mine.pem")

    assert result.exit_code == 0
    assert stat.S_IMODE((tmp_path / "mine.pem").stat().st_mode) == 0o600
    assert f"ORDINATE_PREDICTION_LOG_KEY={tmp_path / 'mine.pub'}" in result.stdout
    assert re.search(r"Its id is [0-9a-f]{16}\.", result.stdout)
    again = run("keys", "new", tmp_path / "mine.pem")
    assert (again.exit_code, again.stderr.count("\n")) == (1, 1)


def test_show_prints_all_of_the_log_oldest_file_first(run: Run, kept: Kept) -> None:
    result = run("show", "--key", kept.private)

    assert (result.exit_code, result.stderr) == (0, "")
    assert ids(result.stdout) == ["1", "2", "3", "4"]
    assert json.loads(result.stdout.splitlines()[0]) == {
        "time": "2027-01-15T08:00:00.000Z",
        "request_id": "id-1",
        "model": "tiny",
        "version": 2,
        "key": "reader",
        "request": {"x": [1, 2, 0.5]},
        "answer": {"y": 1.5},
    }


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--model", "single"], ["4"]),
        (["--model", "sing"], []),
        (["--request-id", "id-2"], ["2"]),
        (["--since", "2027-01-15T08:30"], ["3", "4"]),
        (["--since", "2027-01-15"], ["1", "2", "3", "4"]),
        (["--since", "2027-01-16T00:00:00Z"], []),
    ],
    ids=" ".join,
)
def test_show_prints_what_is_asked_for(
    run: Run, kept: Kept, arguments: list[str], expected: list[str]
) -> None:
    result = run("show", "--key", kept.private, *arguments)

    assert result.exit_code == 0
    assert ids(result.stdout) == expected


def test_show_prints_nothing_that_commands_a_terminal(run: Run, kept: Kept) -> None:
    hostile = "a\x1b[31m\x7f\x9b2J\u0085\u00a0\u00e9"
    body = f'{{"x":"{hostile[5:]}"}}'.encode()
    path = kept.folder / "20270115T100000Z-9-00000003.sealed"
    written(path, kept.public, [record(5, body)._replace(key=hostile, request_id=hostile)])

    result = run("show", "--key", kept.private, path)

    assert [each for each in result.stdout if not each.isprintable()] == ["\u00a0"] * 3 + ["\n"]
    shown = json.loads(result.stdout)
    assert (shown["key"], shown["request_id"]) == (hostile, hostile)
    assert shown["request"] == json.loads(body)


def test_show_takes_files_and_folders_without_any_setting(run: Run, kept: Kept) -> None:
    without = {"ORDINATE_PREDICTION_LOG": "", "ORDINATE_PREDICTION_LOG_KEY": ""}
    file = kept.folder / FIRST

    assert ids(run("show", "--key", kept.private, file, **without).stdout) == ["1", "2"]
    assert len(ids(run("show", "--key", kept.private, kept.folder, **without).stdout)) == 4
    nothing = run("show", "--key", kept.private, **without)
    assert (nothing.exit_code, nothing.stderr.count("\n")) == (1, 1)


def test_show_tells_of_a_damaged_file_and_prints_the_others(run: Run, kept: Kept) -> None:
    content = bytearray((kept.folder / FIRST).read_bytes())
    content[200] ^= 1
    (kept.folder / FIRST).write_bytes(content)

    result = run("show", "--key", kept.private)

    assert result.exit_code == 1
    assert ids(result.stdout) == ["3", "4"]
    assert result.stderr.startswith(f"{kept.folder / FIRST} is damaged")


def test_show_tells_of_a_missing_end_which_is_no_damage_unless_one_says_so(
    run: Run, kept: Kept
) -> None:
    content = (kept.folder / FIRST).read_bytes()
    (kept.folder / FIRST).write_bytes(content[:-10])

    result, strict = (
        run("show", "--key", kept.private),
        run("show", "--strict", "--key", kept.private),
    )

    assert result.stdout == strict.stdout
    assert ids(result.stdout) == ["1", "2", "3", "4"]
    assert result.stderr == strict.stderr
    assert "has no end" in result.stderr
    assert (result.exit_code, strict.exit_code) == (0, 1)


def test_the_public_key_reads_nothing(run: Run, kept: Kept) -> None:
    result = run("show", "--key", kept.public_file)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "holds no private key" in result.stderr


def test_reading_needs_no_public_key(run: Run, kept: Kept) -> None:
    result = run("show", "--key", kept.private, ORDINATE_PREDICTION_LOG_KEY="")

    assert (result.exit_code, result.stdout.count("\n")) == (0, 4)


def test_erase_takes_out_one_request_and_leaves_all_else(run: Run, kept: Kept) -> None:
    untouched = (kept.folder / SECOND).read_bytes()

    result = run("erase", "--key", kept.private, "--request-id", "id-1")

    assert (result.exit_code, result.stdout) == (0, "erased 1 record\n")
    assert ids(run("show", "--key", kept.private, "--strict").stdout) == ["2", "3", "4"]
    assert (kept.folder / SECOND).read_bytes() == untouched
    assert sorted(os.listdir(kept.folder)) == [FIRST, SECOND]
    assert stat.S_IMODE((kept.folder / FIRST).stat().st_mode) == 0o600


def test_erase_leaves_a_damaged_file_as_it_is_and_says_what_to_do(run: Run, kept: Kept) -> None:
    content = bytearray((kept.folder / FIRST).read_bytes())
    content[-5] ^= 1
    (kept.folder / FIRST).write_bytes(content)

    result = run("erase", "--key", kept.private, "--request-id", "id-1")

    assert result.exit_code == 1
    assert "remove the whole file to be sure" in result.stderr
    assert (kept.folder / FIRST).read_bytes() == content


def test_erase_does_not_touch_what_is_still_being_written(run: Run, kept: Kept) -> None:
    path = kept.folder / "20270115T100000Z-9-00000003.sealed"
    file = LogFile(path, kept.public)
    file.write([packed(record(5))])

    result = run("erase", "--key", kept.private, "--request-id", "id-5")

    assert result.exit_code == 1
    assert "is still being written" in result.stderr
    file.write([packed(record(6))])
    file.end()
    file.close()
    assert list(read(path, kept.key)) == [record(5), record(6)]
    assert run("erase", "--key", kept.private, "--request-id", "id-5").exit_code == 0
    assert list(read(path, kept.key)) == [record(6)]
    assert len(log_files(kept.folder)) == 3


def test_a_file_that_became_too_old_meanwhile_is_no_damage(
    run: Run, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = kept.folder / "20270101T000000Z-7-00000000.sealed"
    found = "app.commands.predictions.log_files"
    monkeypatch.setattr(found, lambda folder: [gone, *log_files(folder)])

    shown = run("show", "--strict", "--key", kept.private)
    erased = run("erase", "--key", kept.private, "--request-id", "id-1")

    assert (shown.exit_code, shown.stderr, ids(shown.stdout)) == (0, "", ["1", "2", "3", "4"])
    assert (erased.exit_code, erased.stderr, erased.stdout) == (0, "", "erased 1 record\n")


@pytest.mark.parametrize("command", [("show",), ("erase", "--request-id", "id-1")], ids=" ".join)
def test_a_file_that_was_named_must_be_there(
    run: Run, kept: Kept, command: tuple[str, ...]
) -> None:
    result = run(*command, "--key", kept.private, kept.folder / "absent.sealed")

    assert result.exit_code == 1
    assert result.stderr == (
        f"{kept.folder / 'absent.sealed'} cannot be read: No such file or directory\n"
    )

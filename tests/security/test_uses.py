"""When keys were last used is kept without ever being in the way."""

import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.security.uses import Uses, places, read
from tests.support.api_keys import Told, bearer, made, name_of, ring
from tests.support.threads import no_more_threads
from tests.support.users import GROUP, SERVICE, needs_root, run_as, shared_folder


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, ...]:
    return places(tmp_path / "keys.json", None)


def knowing(*keys: str) -> Callable[[], set[str]]:
    return lambda: set(keys)


def test_it_is_known_at_once_and_written_when_that_is_asked_for(files: tuple[Path, ...]) -> None:
    uses = Uses(files, knowing("a", "b"), Told())

    uses.note("a", 1000.75)
    uses.note("a", 1001.25)

    assert uses.last() == {"a": 1001}
    assert read(files) == {}
    uses.write()
    assert read(files) == {"a": 1001}
    assert files[0].name == "keys.json.used"
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


def test_workers_forget_nothing_of_each_other(files: tuple[Path, ...]) -> None:
    first, second = (Uses(files, knowing("a", "b"), Told()) for _ in range(2))
    first.note("a", 2000)
    second.note("a", 1000)
    second.note("b", 3000)

    first.write()
    second.write()

    assert read(files) == first.last() == {"a": 2000, "b": 3000}


def test_keys_that_are_gone_are_forgotten(files: tuple[Path, ...]) -> None:
    before = Uses(files, knowing("a", "b"), Told())
    before.note("a", 1000)
    before.note("b", 1000)
    before.write()

    after = Uses(files, knowing("b"), Told())
    after.note("b", 1001)
    after.write()

    assert read(files) == {"b": 1001}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a":"x"}', b'{"a":null}', b"\xff"])
def test_a_damaged_file_is_begun_anew(content: bytes, files: tuple[Path, ...]) -> None:
    files[0].write_bytes(content)
    uses = Uses(files, knowing("a"), Told())

    uses.note("a", 1000)
    uses.write()

    assert json.loads(files[0].read_bytes()) == {"a": 1000}


@pytest.mark.parametrize("second", ["1e300", "-1", "253402300800"])
def test_a_second_that_is_no_date_is_passed_over(second: str, files: tuple[Path, ...]) -> None:
    files[0].write_text(f'{{"a": {second}, "b": 1000}}')
    uses = Uses(files, knowing("a", "b", "c"), Told())
    assert uses.last() == {"b": 1000}

    uses.note("c", 2000)
    uses.write()

    assert read(files) == {"b": 1000, "c": 2000}


def test_where_it_cannot_be_beside_the_keys_it_is_in_the_state_folder(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    files = places(tmp_path / "nowhere" / "keys.json", state)
    told = Told()
    uses = Uses(files, knowing("a"), told)

    uses.note("a", 1000)
    uses.write()

    assert os.listdir(state) == ["keys.json.used"]
    assert read(files) == {"a": 1000}
    assert told == []


def test_where_it_can_be_nowhere_that_is_told_once(tmp_path: Path) -> None:
    told = Told()
    uses = Uses(places(tmp_path / "nowhere" / "keys.json", None), knowing("a"), told)

    for second in range(3):
        uses.note("a", second)
        uses.write()

    (event,) = told
    assert event[0] == "warning"
    assert event[1].endswith("No such file or directory; when keys were last used is not kept")
    assert uses.last() == {"a": 2}


def test_only_a_right_key_counts_as_used(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key = made(path)
    keys = ring(path)

    assert name_of(keys, bearer(key[:-1] + "-")) is None
    assert [last for _, last in keys.listed()] == [None]

    assert name_of(keys, bearer(key)) == "reader"
    ((record, last),) = keys.listed()
    assert last is not None
    assert last >= record.created


def test_without_a_thread_a_use_is_known_and_the_next_one_starts_it(
    files: tuple[Path, ...],
) -> None:
    def writers() -> set[threading.Thread]:
        return {each for each in threading.enumerate() if each.name == "uses"}

    before, uses = writers(), Uses(files, knowing("a"), Told())
    with no_more_threads():
        uses.note("a", 1000)
    meanwhile = writers() - before

    uses.note("a", 1001)

    assert not meanwhile
    assert uses.last() == {"a": 1001}
    assert len(writers() - before) == 1


@needs_root
def test_who_looks_after_the_keys_can_read_it() -> None:
    with shared_folder() as folder:
        keys = folder / "keys.json"
        made(keys)
        os.chown(keys, SERVICE, GROUP)
        keys.chmod(0o660)
        note = "uses.note('a', 1000); uses.write()"
        imports = "import sys; from pathlib import Path; from app.security.uses import Uses, places"
        uses = "uses = Uses(places(Path(sys.argv[1]), None), lambda: {'a'}, print)"

        done = run_as(SERVICE, (GROUP,), imports, f"{uses}; {note}", keys)

        (file,) = places(keys, None)
        assert (done.stdout, done.stderr) == ("", "")
        assert read([file]) == {"a": 1000}
        assert (file.stat().st_gid, stat.S_IMODE(file.stat().st_mode)) == (GROUP, 0o660)

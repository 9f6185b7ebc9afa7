"""The file of keys: changed whole, one change at a time, and never showing a key."""

import json
import os
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.errors import StoreError
from app.files import locked, write_new
from app.security import Caller, KeyFile, Scope, key_file
from app.security.api_keys import new_key
from tests.support.api_keys import PREDICTS, RULES, bearer, made, name_of, ring
from tests.support.server import ROOT
from tests.support.users import (
    ADMINISTRATOR,
    GROUP,
    SERVICE,
    needs_root,
    run_as,
    shared_folder,
)

IMPORTS = "import sys; from pathlib import Path; from app.security import KeyFile"
REVOKE = "for path in sys.argv[1:]: KeyFile(Path(path)).revoke('web')"
NAMES = "for path in sys.argv[1:]: print(*(each.name for each in KeyFile(Path(path)).read()))"
DAEMON = 1
"""A user whom every system has a name for, and who is in no group of ours."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_it_holds_all_of_a_key_but_the_key(path: Path) -> None:
    text = made(path, "web", models=frozenset({"tiny"}), days=3)

    (entry,) = json.loads(path.read_bytes())["keys"]
    assert text[13:] not in path.read_text()
    assert entry["id"] == text[5:13]
    assert (entry["name"], entry["scopes"], entry["models"]) == ("web", ["predict"], ["tiny"])
    assert len(entry["digest"]) == 64
    (record,) = KeyFile(path).read()
    assert record.expires is not None
    assert record.expires - record.created == 3 * 86400


def test_only_its_owner_can_read_it(path: Path) -> None:
    made(path, "first")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    made(path, "second")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_rights_that_somebody_gave_it_stay(path: Path) -> None:
    made(path, "first")
    path.chmod(0o640)

    made(path, "second")

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@needs_root
def test_an_administrator_does_not_take_it_from_the_service(path: Path) -> None:
    made(path, "first")
    os.chown(path, 4242, 4243)

    made(path, "second")

    assert (path.stat().st_uid, path.stat().st_gid) == (4242, 4243)


@needs_root
def test_an_administrator_without_root_keeps_its_group_so_that_the_service_reads_on() -> None:
    modes = [0o660, 0o640, 0o664, 0o644]
    with ExitStack() as stack:
        folders = [stack.enter_context(shared_folder()) for _ in modes]
        paths = [shared(each, mode) for each, mode in zip(folders, modes, strict=True)]

        done = run_as(ADMINISTRATOR, (GROUP,), IMPORTS, REVOKE, *paths)

        assert (done.returncode, done.stderr) == (0, "")
        found = [path.stat() for path in paths]
        assert {(each.st_uid, each.st_gid) for each in found} == {(ADMINISTRATOR, GROUP)}
        assert [stat.S_IMODE(each.st_mode) for each in found] == modes
        assert run_as(SERVICE, (GROUP,), IMPORTS, NAMES, *paths).stdout == "ops\n" * len(modes)


@needs_root
@pytest.mark.parametrize(
    ("owner", "mode", "groups"),
    [
        (SERVICE, 0o664, ()),  # whoever is in the administrator's own group could write it
        (SERVICE, 0o604, ()),  # and who is in the group could read it
        (DAEMON, 0o660, (GROUP,)),  # who owns it is not in the group
    ],
)
def test_nothing_is_written_that_the_service_could_not_read_any_more(
    owner: int, mode: int, groups: tuple[int, ...]
) -> None:
    with shared_folder(0o777) as folder:
        path = shared(folder, mode, owner)
        before = path.read_bytes()

        done = run_as(ADMINISTRATOR, groups, IMPORTS, REVOKE, path)

        assert done.returncode == 1
        assert f"do this as root or as user {owner}" in done.stderr
        assert path.read_bytes() == before
        assert (path.stat().st_uid, path.stat().st_gid) == (owner, GROUP)
        assert os.listdir(folder) == ["keys.json"]


def shared(folder: Path, mode: int, owner: int = SERVICE) -> Path:
    """A file of two keys that the service reads as its owner or by its group."""
    path = folder / "keys.json"
    made(path, "web")
    made(path, "ops")
    os.chown(path, owner, GROUP)
    path.chmod(mode)
    return path


def test_a_link_to_it_stays_a_link(path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    path.symlink_to(tmp_path / "secret" / "real.json")

    made(path)

    assert path.is_symlink()
    assert len(json.loads((tmp_path / "secret" / "real.json").read_bytes())["keys"]) == 1


def test_programs_that_make_keys_at_once_lose_none(path: Path) -> None:
    line = (
        "import sys; from pathlib import Path; from tests.support.api_keys import made; "
        "[made(Path(sys.argv[1]), f'{sys.argv[2]}.{n}') for n in range(5)]"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", line, str(path), f"p{n}"], cwd=ROOT)
        for n in range(4)
    ]

    assert [each.wait(60) for each in running] == [0] * 4
    names = {each.name for each in KeyFile(path).read()}
    assert names == {f"p{n}.{m}" for n in range(4) for m in range(5)}
    assert os.listdir(path.parent) == ["keys.json"]


def test_a_name_is_given_once(path: Path) -> None:
    made(path, "web")

    with pytest.raises(StoreError, match=r"named 'web' already: `keys rotate`"):
        made(path, "web")


def test_the_name_of_a_key_that_has_expired_is_free(path: Path) -> None:
    old = KeyFile(path, now=lambda: 1e9).add(Caller("web", PREDICTS), 1)

    new = made(path, "web")

    assert new != old.text
    assert len(KeyFile(path).read()) == 1


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a" * 64, "-a", "a ", "\u00e9", "a:b", "{}"])
def test_what_no_key_may_be_called_is_refused(name: str, path: Path) -> None:
    key = new_key().text

    with pytest.raises(StoreError, match="is no name for a key") as refused:
        made(path, name.replace("{}", key))

    assert key not in str(refused.value)
    assert not path.exists()


def test_a_rotated_key_has_the_same_rights_and_the_old_one_ends(path: Path) -> None:
    old = made(path, "web", models=frozenset({"tiny"}), days=7)

    new = KeyFile(path).rotate("web")

    keys = ring(path)
    assert name_of(keys, bearer(old)) is None
    caller = keys.find(bearer(new.text), ("", None))  # type: ignore[arg-type]
    assert caller == Caller("web", PREDICTS, frozenset({"tiny"}))
    (record,) = KeyFile(path).read()
    assert record.expires is not None
    assert record.expires - record.created == 7 * 86400


def test_with_a_grace_both_are_good_until_it_is_over(path: Path) -> None:
    old = made(path, "web")
    before = {each.id: each for each in KeyFile(path).read()}

    new = KeyFile(path).rotate("web", grace=2)

    keys = ring(path)
    assert [name_of(keys, bearer(each)) for each in (old, new.text)] == ["web", "web"]
    records = {each.id: each for each in KeyFile(path).read()}
    (first,) = before
    assert records[new.id].expires is None
    assert records[first].expires == pytest.approx(records[new.id].created + 7200, abs=5)


def test_a_second_rotation_leaves_nothing_older_than_the_grace(path: Path) -> None:
    made(path, "web")
    KeyFile(path).rotate("web", grace=2)

    last = KeyFile(path).rotate("web")

    assert [each.id for each in KeyFile(path).read()] == [last.id]


def test_two_rotations_within_a_second_leave_a_key_that_lasts(path: Path) -> None:
    file = KeyFile(path, now=lambda: 1e9)
    file.add(Caller("web", PREDICTS))
    file.rotate("web", grace=24)

    last = file.rotate("web", grace=24)

    expires = {each.id: each.expires for each in file.read()}
    assert expires.pop(last.id) is None
    assert set(expires.values()) == {10**9 + 24 * 3600}


def test_a_key_is_revoked_by_its_name_its_id_or_itself(path: Path) -> None:
    made(path, "a")
    second, third = made(path, "b"), made(path, "c")

    KeyFile(path).revoke("a")
    KeyFile(path).revoke(second[5:13])
    KeyFile(path).revoke(third)

    assert KeyFile(path).read() == []


def test_what_is_not_there_cannot_be_revoked_or_rotated(path: Path) -> None:
    text = made(path, "reader")

    with pytest.raises(StoreError, match="did you mean 'reader'"):
        KeyFile(path).revoke("raeder")
    with pytest.raises(StoreError, match="no key with the name or id"):
        KeyFile(path).rotate("x")
    with pytest.raises(StoreError) as refused:
        KeyFile(path).rotate(text[:-1] + "-")
    assert text[13:45] not in str(refused.value)


GOOD = '{"format":1,"keys":[]}'
ENTRY = {
    "id": "abcdefgh",
    "name": "web",
    "digest": "00" * 32,
    "scopes": ["predict"],
    "models": None,
    "created": "2026-11-26T09:00:00Z",
    "expires": None,
}


def entry(**changes: object) -> str:
    return json.dumps({"format": 1, "keys": [ENTRY | changes]})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"format":2,"keys":[]}',
        '{"format":1}',
        '{"format":1,"keys":{}}',
        '{"format":1,"keys":[],"more":1}',
        '{"format":1,"keys":[null]}',
        entry(id="short"),
        entry(id=5),
        entry(name=""),
        entry(digest="00"),
        entry(digest="zz" * 32),
        entry(scopes=[]),
        entry(scopes="predict"),
        entry(scopes=["root"]),
        entry(models="tiny"),
        entry(models=["../tiny"]),
        entry(scopes=["admin"], models=["tiny"]),
        entry(created="yesterday"),
        entry(expires="2026-11-26"),
        entry(expires=5),
        entry(more=1),
        json.dumps({"format": 1, "keys": [ENTRY, ENTRY]}),
    ],
)
def test_a_damaged_file_is_told_and_left_as_it_is(content: str, path: Path) -> None:
    path.write_text(content)

    with pytest.raises(StoreError, match=r"keys\.json is damaged: .+; mend it"):
        made(path, "more")

    assert path.read_text() == content


def test_a_good_file_by_hand_is_taken(path: Path) -> None:
    path.write_text(entry(scopes=["predict", "admin"], expires="2030-01-01T00:00:00Z"))

    (record,) = KeyFile(path).read()

    assert record.caller == Caller("web", RULES | {Scope.PREDICT})
    path.write_text(GOOD)
    assert KeyFile(path).read() == []


def test_a_folder_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"keys\.json cannot be written: No such file"):
        made(tmp_path / "nowhere" / "keys.json")


def test_who_has_to_wait_too_long_for_others_is_told_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(path, "web")
    monkeypatch.setattr(key_file, "LOCK_SECONDS", 0.0)

    with locked(path.parent, 0.0), pytest.raises(StoreError, match="another process has held the"):
        KeyFile(path).revoke("web")

    assert [each.name for each in KeyFile(path).read()] == ["web"]


def test_a_key_that_ends_in_the_year_9999_can_be_rotated(path: Path) -> None:
    made(path, "web", days=1)
    content = json.loads(path.read_bytes())
    content["keys"][0] |= {"created": "2020-01-01T00:00:00Z", "expires": "9999-12-31T23:59:59Z"}
    path.write_text(json.dumps(content))

    fresh = KeyFile(path).rotate("web").text

    assert name_of(ring(path), bearer(fresh)) == "web"
    assert [each.described()["expires"] for each in KeyFile(path).read()] == [
        "9999-12-31T23:59:59Z"
    ]


@needs_root
def test_who_may_write_to_the_folder_is_given_no_file_from_elsewhere(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a link in the place of the new file, as soon as root has written that."""
    made(path, "web")
    os.chown(path, SERVICE, GROUP)
    roots = tmp_path / "roots"
    roots.touch(mode=0o600)

    def swapped(new: Path, *given: Any) -> None:
        write_new(new, *given)
        new.unlink()
        new.symlink_to(roots)

    monkeypatch.setattr("app.security.storing.write_new", swapped)
    KeyFile(path).revoke("web")

    assert (roots.stat().st_uid, stat.S_IMODE(roots.stat().st_mode)) == (0, 0o600)

"""Who comes in by what they show, and what becomes of it when the file of keys changes."""

import os
from pathlib import Path

import pytest

from app.masking import PREFIX
from app.security import LOCAL, NOTHING, Caller, KeyFile, Sender, Shown
from app.security.api_keys import new_key, with_checksum
from tests.support.api_keys import PREDICTS, Told, bearer, made, name_of, ring

LATER = 1 << 40
"""Nanoseconds by which a file that is rewritten looks younger, whatever the clock's steps are."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def key(path: Path) -> str:
    return made(path)


@pytest.mark.parametrize(
    "form",
    ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", "Bearer {} "],
)
def test_a_key_comes_in_as_a_bearer(form: str, key: str, path: Path) -> None:
    assert name_of(ring(path), Shown(form.replace("{}", key), None)) == "reader"


def test_a_key_comes_in_by_its_own_header(key: str, path: Path) -> None:
    assert name_of(ring(path), Shown(None, key)) == "reader"
    assert name_of(ring(path), Shown(f"Bearer {key}", key)) == "reader"


@pytest.mark.parametrize(
    "authorization",
    ["", "{}", "Basic {}", "Bearer", "Bearer ", "Bearer{}", "Bearer {},Bearer {}", "Bearer {} {}"],
)
def test_any_other_form_does_not(authorization: str, key: str, path: Path) -> None:
    shown = authorization.replace("{}", key)

    assert name_of(ring(path), Shown(shown, None)) is None
    assert name_of(ring(path), Shown(shown, key)) is None


def test_two_keys_at_once_are_none(key: str, path: Path) -> None:
    other = made(path, "other")

    assert name_of(ring(path), Shown(f"Bearer {key}", other)) is None
    assert name_of(ring(path), Shown(f"Bearer {key}", "")) is None


def wrong_keys(key: str) -> dict[str, str]:
    """Keys of the right form, each with its checksum, that differ from a right one."""
    body = key[:-6]
    return {
        "another secret": with_checksum(key[:13] + new_key().text[13:45]),
        "another id": with_checksum(PREFIX + new_key().id + key[13:45]),
        "another last digit": with_checksum(body[:-1] + ("a" if body[-1] != "a" else "b")),
        "another checksum": body + new_key().text[-6:],
        "another prefix": "ordx_" + key[5:],
        "shorter": key[:-1],
        "longer": key + "a",
        "other letters": key.swapcase(),
        "somebody else's": new_key().text,
        "not ascii": key[:-1] + "\u00e9",
        "empty": "",
    }


@pytest.mark.parametrize("what", wrong_keys(new_key().text))
def test_a_wrong_key_comes_in_nowhere(what: str, key: str, path: Path) -> None:
    wrong = wrong_keys(key)[what]

    assert name_of(ring(path), bearer(wrong)) is None
    assert name_of(ring(path), Shown(None, wrong)) is None


@pytest.mark.usefixtures("key")
def test_who_shows_nothing_is_nobody(path: Path) -> None:
    assert name_of(ring(path), NOTHING) is None


def test_a_key_that_has_expired_is_wrong(path: Path) -> None:
    old = KeyFile(path, now=lambda: 1e9).add(Caller("old", PREDICTS), 1)
    new = made(path, "new", days=1)

    assert name_of(ring(path), bearer(old.text)) is None
    assert name_of(ring(path), bearer(new)) == "new"


def test_a_change_of_the_file_is_taken_over(key: str, path: Path) -> None:
    keys = ring(path)
    assert name_of(keys, bearer(key)) == "reader"

    rotated = KeyFile(path).rotate("reader").text
    assert [name_of(keys, bearer(each)) for each in (key, rotated)] == [None, "reader"]

    KeyFile(path).revoke("reader")
    assert name_of(keys, bearer(rotated)) is None


def test_without_the_file_nobody_comes_in_and_it_is_told_once(key: str, path: Path) -> None:
    told = Told()
    keys = ring(path, told)
    assert name_of(keys, bearer(key)) == "reader"

    path.unlink()

    assert [name_of(keys, bearer(key)) for _ in range(3)] == [None] * 3
    assert told == [("warning", f"{path}: it is not there, so nobody gets in by it")]
    other = made(path, "other")
    assert name_of(keys, bearer(other)) == "other"


def test_a_damaged_file_leaves_the_last_good_one_and_is_told_once(key: str, path: Path) -> None:
    told = Told()
    keys = ring(path, told)
    assert name_of(keys, bearer(key)) == "reader"

    for number in range(3):
        path.write_text('{"format":1,"keys":[{}]}')
        os.utime(path, ns=(number * LATER, number * LATER))
        assert name_of(keys, bearer(key)) == "reader"
    assert [level for level, _ in told] == ["error"]
    assert "key number 1 is not as it should be; what it said before holds on" in told[0][1]

    path.write_text("{")
    assert name_of(keys, bearer(key)) == "reader"
    assert len(told) == 2
    other = made_anew(path)
    assert [name_of(keys, bearer(each)) for each in (key, other)] == [None, "other"]


def test_a_file_that_is_damaged_from_the_start_holds_nothing_and_that_is_said(path: Path) -> None:
    told = Told()
    path.write_text("{")

    ring(path, told).look()

    ((level, text),) = told
    assert (level, text.rpartition("; ")[2]) == ("error", "nobody gets in by it")


def made_anew(path: Path) -> str:
    path.unlink()
    return made(path, "other")


@pytest.mark.parametrize("kind", ["folder", "pipe", "huge", "damaged"])
def test_what_was_never_good_lets_nobody_in_and_is_not_waited_for(kind: str, path: Path) -> None:
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "huge":
            with open(path, "wb") as file:
                file.truncate(1 << 25)
        case _:
            path.write_bytes(b"\x00\xff")
    told = Told()
    keys = ring(path, told)

    assert [name_of(keys, bearer(new_key().text)) for _ in range(3)] == [None] * 3
    assert [level for level, _ in told] == ["error"]


@pytest.mark.usefixtures("key")
def test_a_certificate_comes_in_by_the_name_of_a_key(path: Path) -> None:
    keys = ring(path)

    assert name_of(keys, NOTHING, Sender("192.0.2.1", "reader")) == "reader"
    assert name_of(keys, NOTHING, Sender("192.0.2.1", "other")) is None
    assert name_of(keys, NOTHING, Sender("192.0.2.1", None)) is None


@pytest.mark.usefixtures("key")
def test_a_certificate_excuses_no_wrong_key(path: Path) -> None:
    sender = Sender("192.0.2.1", "reader")

    assert name_of(ring(path), bearer(new_key().text), sender) is None
    assert name_of(ring(path), Shown("Basic abc", None), sender) is None
    assert name_of(ring(path), Shown(None, ""), sender) is None


def test_a_certificate_ends_with_its_key(path: Path) -> None:
    KeyFile(path, now=lambda: 1e9).add(Caller("old", PREDICTS), 1)

    assert name_of(ring(path), NOTHING, Sender("192.0.2.1", "old")) is None


def test_a_caller_has_the_rights_of_the_key(path: Path) -> None:
    key = made(path, "web", models=frozenset({"tiny"}))

    assert ring(path).find(bearer(key), LOCAL) == Caller("web", PREDICTS, frozenset({"tiny"}))

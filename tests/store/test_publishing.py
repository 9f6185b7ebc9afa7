"""Publishing: numbers rise, nothing that is there changes, and what cannot be served is refused."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from app.errors import BrokenModel, Overtaken, StoreError
from app.files import TEMPORARY
from app.manifest import Manifest
from app.model import load_model
from app.runtimes import MODEL_FILE, dump
from app.schema import Schema
from app.store import Pointer, Reader, Store
from tests.store.planting import plant
from tests.support.models import PLAIN, described, fitted, publish


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_first_publish_makes_version_1_current_and_its_model_the_default(
    tmp_path: Path,
) -> None:
    root = tmp_path / "not" / "there" / "yet"

    made = publish(root, "tiny")

    assert (made.name, made.version) == ("tiny", 1)
    assert Reader(root).names() == ["tiny"]
    assert Reader(root).versions("tiny") == [1]
    assert Reader(root).current("tiny").version == 1
    assert (root / "default").read_text() == "tiny\n"
    assert sorted(contents(root)) == [
        "default",
        "tiny/1/manifest.json",
        "tiny/1/model.joblib",
        "tiny/current",
        "tiny/history",
    ]


def test_a_further_publish_takes_the_next_number_and_leaves_the_older_versions_as_they_are(
    root: Path,
) -> None:
    before = contents(root / "tiny" / "1")

    made = publish(root, "tiny", seed=1)

    assert made.version == 2
    assert Reader(root).current("tiny").version == 2
    assert contents(root / "tiny" / "1") == before


def test_what_is_published_is_opened_with_the_very_same_bytes(root: Path) -> None:
    estimator = fitted(PLAIN, seed=7)
    files = {MODEL_FILE: dump(estimator), "more.bin": b""}

    made = Store(root).publish("tiny", described(PLAIN, estimator), files)
    opened = Reader(root).open("tiny", made.version)

    assert opened.files == files
    assert opened.manifest == made
    assert opened.manifest_sha256 == Reader(root).current("tiny").manifest_sha256


def test_the_default_stays_when_another_model_is_published(root: Path) -> None:
    publish(root, "another")

    assert Reader(root).default() == "tiny"
    assert Reader(root).names() == ["another", "tiny"]


def publish_candidate(root: Path, seed: int = 1) -> Manifest:
    estimator = fitted(PLAIN, seed)
    files = {MODEL_FILE: dump(estimator)}
    return Store(root).publish("tiny", described(PLAIN, estimator), files, make_current=False)


def test_a_candidate_is_published_whole_and_what_is_current_stays_so(root: Path) -> None:
    current = (root / "tiny" / "current").read_bytes()

    made = publish_candidate(root)

    assert made.version == 2
    assert Reader(root).versions("tiny") == [1, 2]
    assert Reader(root).open("tiny", 2).manifest == made
    assert (root / "tiny" / "current").read_bytes() == current


def test_a_version_after_a_candidate_has_the_next_number_and_becomes_current(root: Path) -> None:
    publish_candidate(root)

    made = publish(root)

    assert (made.version, Reader(root).current("tiny").version) == (3, 3)


def test_a_candidate_becomes_current_where_nothing_is(tmp_path: Path, root: Path) -> None:
    first = publish_candidate(tmp_path / "empty")
    (root / "tiny" / "current").unlink()
    second = publish_candidate(root)

    assert Reader(tmp_path / "empty").current("tiny").version == first.version == 1
    assert Reader(tmp_path / "empty").default() == "tiny"
    assert Reader(root).current("tiny").version == second.version == 2


def test_a_candidate_does_not_take_the_place_of_a_damaged_current_file(root: Path) -> None:
    (root / "tiny" / "current").write_bytes(b"damaged")

    publish_candidate(root)

    assert (root / "tiny" / "current").read_bytes() == b"damaged"


def test_a_candidate_that_cannot_be_read_back_is_withdrawn(root: Path) -> None:
    before = contents(root)
    estimator = fitted(PLAIN)
    description = replace(described(PLAIN, estimator), schema=replace(PLAIN, features=()))

    with pytest.raises(StoreError, match="cannot be read back"):
        Store(root).publish("tiny", description, {MODEL_FILE: dump(estimator)}, make_current=False)

    assert contents(root) == before


def test_the_tenth_version_comes_after_the_ninth(root: Path) -> None:
    for _ in range(9):
        made = publish(root)

    assert made.version == 10
    assert Reader(root).versions("tiny") == list(range(1, 11))


def test_the_time_of_publication_is_in_utc(root: Path) -> None:
    created = Reader(root).open("tiny", 1).manifest.created

    assert len(created) == len("2026-01-01T00:00:00Z")
    assert created.endswith("Z")


def test_rubbish_of_a_publish_that_died_is_cleared_by_the_next(root: Path) -> None:
    half = root / "tiny" / f"{TEMPORARY}0123456789abcdef"
    half.mkdir()
    (half / "model.joblib").write_bytes(b"half")
    (root / f"{TEMPORARY}fedcba9876543210").write_bytes(b"tin")

    publish(root)

    assert [path for path in root.rglob("*") if path.name.startswith(TEMPORARY)] == []


def test_rubbish_that_is_a_link_is_cleared_without_following_it(root: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_bytes(b"kept")
    (root / "tiny" / f"{TEMPORARY}link").symlink_to(precious)

    publish(root)

    assert (precious / "file").read_bytes() == b"kept"
    assert not (root / "tiny" / f"{TEMPORARY}link").is_symlink()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param("Tiny", id="uppercase"),
        pytest.param("..", id="parent"),
        pytest.param(".hidden", id="dot"),
        pytest.param("a/b", id="slash"),
        pytest.param("a\\b", id="backslash"),
        pytest.param("tiny\n", id="newline"),
        pytest.param("tiny\0", id="NUL"),
        pytest.param("-x", id="option"),
        pytest.param("è", id="accent"),
        pytest.param("a" * 64, id="64 characters"),
        pytest.param("a" * 100_000, id="100,000 characters"),
        pytest.param("default", id="name of the file beside it"),
    ],
)
def test_a_name_that_is_not_allowed_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(StoreError, match="cannot be a model's name") as caught:
        publish(tmp_path / "models", name)

    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "0", "a" * 63, "german-credit_2"])
def test_a_name_within_the_rule_is_taken(tmp_path: Path, name: str) -> None:
    publish(tmp_path, name)

    assert Reader(tmp_path).names() == [name]


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(replace(PLAIN, features=()), id="no feature"),
        pytest.param(
            replace(PLAIN, target=replace(PLAIN.target, minimum=float("nan"))), id="NaN in a range"
        ),
    ],
)
def test_a_description_that_cannot_be_read_back_never_becomes_current(
    root: Path, schema: Schema
) -> None:
    before = contents(root)
    estimator = fitted(PLAIN)
    description = replace(described(PLAIN, estimator), schema=schema)

    with pytest.raises(StoreError, match="cannot be read back: its manifest cannot be read"):
        Store(root).publish("tiny", description, {MODEL_FILE: dump(estimator)})

    assert contents(root) == before
    assert sorted(path.name for path in (root / "tiny").iterdir()) == ["1", "current", "history"]


def test_what_cannot_be_used_never_becomes_current(root: Path) -> None:
    before = contents(root)
    estimator = fitted(PLAIN)
    description = described(PLAIN, estimator)
    wrong = replace(description, golden=replace(description.golden, y=(1.0, 2.0, 3.0)))
    store = Store(root)

    with pytest.raises(StoreError, match="cannot be used: its answers differ"):
        store.publish(
            "tiny", wrong, {MODEL_FILE: dump(estimator)}, prove=partial(load_model, store)
        )

    assert contents(root) == before
    assert sorted(path.name for path in (root / "tiny").iterdir()) == ["1", "current", "history"]


@pytest.mark.parametrize("instead_of", [None, 2])
def test_only_what_was_expected_is_replaced(root: Path, instead_of: int | None) -> None:
    before = contents(root)
    opened = Store(root).open("tiny", 1)

    with pytest.raises(Overtaken, match="another version of tiny became current meanwhile"):
        Store(root).publish(
            "tiny", opened.manifest.description, opened.files, instead_of=instead_of
        )

    assert contents(root) == before


def test_a_model_folder_that_is_a_link_is_refused_because_it_would_not_be_served(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / "linked").symlink_to(tmp_path / "elsewhere")

    for attempt in (publish, lambda root, name: Store(root).check_writable(name)):
        with pytest.raises(StoreError, match="is a link"):
            attempt(root, "linked")

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_models_folder_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)

    publish(tmp_path / "link")

    assert Reader(tmp_path / "link").current("tiny").version == 2


def test_a_file_in_the_place_of_the_model_is_told_and_kept(root: Path) -> None:
    (root / "file").write_text("mine")

    with pytest.raises(StoreError, match="cannot write to"):
        publish(root, "file")

    assert (root / "file").read_text() == "mine"


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_a_file_of_the_last_number_that_is_none_stops_a_publish_at_once(
    root: Path, outside: Path, kind: str
) -> None:
    plant(root / "tiny" / "last", kind, outside)

    with pytest.raises(StoreError, match="not a regular file"):
        publish(root)

    assert Reader(root).versions("tiny") == [1]


def test_a_damaged_file_of_the_last_number_does_not_stop_a_publish(
    root: Path, outside: Path
) -> None:
    plant(root / "tiny" / "last", "garbage", outside)

    assert publish(root).version == 2


def test_the_default_is_changed_in_one_step(root: Path) -> None:
    publish(root, "another")

    Store(root).set_default("another")

    assert (root / "default").read_text() == "another\n"


@pytest.mark.parametrize("name", ["nobody", "Tiny", "../tiny", ""])
def test_a_default_that_does_not_exist_is_refused(root: Path, name: str) -> None:
    with pytest.raises(StoreError):
        Store(root).set_default(name)

    assert Reader(root).default() == "tiny"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"version":1}',
        b'{"version":0,"manifest_sha256":""}\n',
        b'{"version":true,"manifest_sha256":""}\n',
        b'{"version":1e300,"manifest_sha256":""}\n',
        b'{"version":1e999,"manifest_sha256":""}\n',
        b'{"version":null,"manifest_sha256":null}\n',
        b'{"version":1,"manifest_sha256":"a"} \n',
        b'{"manifest_sha256":"a","version":1}\n',
        b'{"version":1,"version":1,"manifest_sha256":"a"}\n',
        b"\xff",
        b"[" * 4000,
    ],
)
def test_a_pointer_is_read_only_exactly_as_it_is_written(data: bytes) -> None:
    with pytest.raises(BrokenModel, match="its current file is damaged"):
        Pointer.from_bytes(data)


def test_a_pointer_is_read_as_it_was_written() -> None:
    pointer = Pointer(12, "ab" * 32)

    assert Pointer.from_bytes(pointer.to_bytes()) == pointer

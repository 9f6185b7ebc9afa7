"""Manifests: read only exactly as they were written, and only when they make sense."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from app.errors import BrokenModel
from app.manifest import FORMAT, Digest, Golden, Manifest
from tests.support.models import MIXED, PLAIN, described, fitted

DESCRIPTION = replace(
    described(MIXED, fitted(MIXED)),
    training={"source": "table.csv", "rows": 3, "name with \u2603 and \n": [1, None, 0.1, -0.0]},
    linear={"intercept": 1e-300, "coefficients": {"age": 5e299}},
)
MANIFEST = Manifest(
    "tiny", 3, "2026-01-31T23:59:59Z", DESCRIPTION, {"model.joblib": Digest.of(b"abc")}
)


def sealed(content: dict[str, Any]) -> bytes:
    """A manifest with this content and a digest that fits, as only this code writes it."""
    content.pop("sha256", None)
    seal = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(content | {"sha256": seal}, option=options)


def changed(path: str, value: Any) -> bytes:
    """The manifest with the value at ``a.b.c`` replaced, and a digest that fits."""
    content = orjson.loads(MANIFEST.to_bytes())
    *steps, last = path.split(".")
    place = content
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[int(last) if isinstance(place, list) else last] = value
    return sealed(content)


def test_a_manifest_is_read_as_it_was_written() -> None:
    again = Manifest.from_bytes(MANIFEST.to_bytes())

    assert again == MANIFEST
    assert again.to_bytes() == MANIFEST.to_bytes()


def test_a_manifest_is_json_for_people_with_its_keys_sorted() -> None:
    text = MANIFEST.to_bytes().decode()
    content = orjson.loads(text)

    assert text.startswith("{\n  ")
    assert text.endswith("}\n")
    assert list(content) == sorted(content)
    assert content["format"] == FORMAT
    assert content["files"] == {
        "model.joblib": {"sha256": hashlib.sha256(b"abc").hexdigest(), "size": 3}
    }


def test_numbers_keep_every_bit() -> None:
    golden = Golden(((0.1, 1 / 3, 5e-324),), (1.7976931348623157e308,))
    manifest = replace(MANIFEST, description=replace(DESCRIPTION, golden=golden))

    assert Manifest.from_bytes(manifest.to_bytes()).description.golden == golden


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: data.replace(b'"tiny"', b'"tiny2"'), id="a value"),
        pytest.param(lambda data: data.replace(b"\n", b"\r\n"), id="line ends"),
        pytest.param(lambda data: data + b"\n", id="a line more"),
        pytest.param(lambda data: data.strip(), id="a line end less"),
        pytest.param(lambda data: b"\xef\xbb\xbf" + data, id="byte order mark"),
        pytest.param(lambda data: data.replace(b'"name": ', b'"name":  '), id="a space more"),
        pytest.param(
            lambda data: data.replace(b'"name": "tiny"', b'"name": "x",\n  "name": "tiny"'),
            id="a key twice",
        ),
        pytest.param(lambda data: data.replace(b'"size": 3', b'"size": 3.0'), id="another number"),
        pytest.param(
            lambda data: orjson.dumps(orjson.loads(data)), id="the same content, laid out anew"
        ),
    ],
)
def test_a_manifest_that_differs_by_any_byte_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BrokenModel, match=r"its manifest (does not match|cannot be read)"):
        Manifest.from_bytes(change(MANIFEST.to_bytes()))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"1",
        b"[]",
        b'""',
        b"{}",
        b'{"sha256":1}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 500 + b"1" + b"}" * 500,
        b'{"sha256":"\\ud800"}',
        b"NaN",
    ],
    ids=lambda data: repr(data[:12]),
)
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(BrokenModel):
        Manifest.from_bytes(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", 5),
        ("version", "3"),
        ("version", True),
        ("created", None),
        ("runtime", ["joblib"]),
        ("estimator", {}),
        ("libraries", {"python": 3}),
        ("libraries", []),
        ("training", "text"),
        ("metrics", 1),
        ("linear", "text"),
        ("golden", None),
        ("golden.x", 3),
        ("golden.x.0", "text"),
        ("golden.y.0", None),
        ("golden.y.0", "1"),
        ("golden.y.0", [1.0]),
        ("schema", {}),
        ("schema.features", []),
        ("schema.features.0.type", "date"),
        ("schema.features.0.type", ["number"]),
        ("schema.features.0.minimum", "0"),
        ("schema.target.minimum", None),
        ("files", []),
        ("files", {"model.joblib": None}),
        ("files", {"model.joblib": {"sha256": "x", "size": "3"}}),
        ("files", {"model.joblib": {"sha256": 3, "size": 3}}),
    ],
)
def test_a_manifest_of_another_make_is_refused_and_nothing_falls_over(
    path: str, value: Any
) -> None:
    with pytest.raises(BrokenModel, match="its manifest cannot be read"):
        Manifest.from_bytes(changed(path, value))


@pytest.mark.parametrize(
    "key", [key for key in orjson.loads(MANIFEST.to_bytes()) if key != "sha256"]
)
def test_a_manifest_that_lacks_a_key_is_refused(key: str) -> None:
    content = orjson.loads(MANIFEST.to_bytes())
    del content[key]

    with pytest.raises(BrokenModel, match="its manifest cannot be read"):
        Manifest.from_bytes(sealed(content))


def test_a_manifest_of_a_later_format_says_what_to_do() -> None:
    with pytest.raises(BrokenModel, match=f"format {FORMAT + 1}.*update Ordinate or train again"):
        Manifest.from_bytes(changed("format", FORMAT + 1))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("approved", "by nobody"),
        ("schema.features.0.maxima", 5.0),
        ("schema.target.scale", "log"),
        ("schema.features.0.missing", 0),
        ("files", {"model.joblib": {"sha256": "x", "size": 3, "encoding": "gzip"}}),
        ("golden.z", []),
    ],
)
def test_a_manifest_that_says_more_than_is_known_is_refused(path: str, value: Any) -> None:
    with pytest.raises(BrokenModel, match="more than this service knows: update Ordinate or"):
        Manifest.from_bytes(changed(path, value))


def test_a_digest_is_that_of_sha_256() -> None:
    assert Digest.of(b"") == Digest(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0
    )


def test_the_manifest_of_a_model_without_parameters_says_so() -> None:
    manifest = replace(MANIFEST, description=described(PLAIN, fitted(PLAIN)))

    assert Manifest.from_bytes(manifest.to_bytes()).description.linear is None


def test_a_manifest_keeps_how_its_promotion_was_decided() -> None:
    decided = {"champion": 2, "p": 0.25, "t": None, "schema_changes": ["'a' is new"]}
    manifest = replace(MANIFEST, description=replace(DESCRIPTION, promotion=decided))

    again = Manifest.from_bytes(manifest.to_bytes())

    assert again == manifest
    assert again.description.promotion == decided
    with pytest.raises(BrokenModel, match="its manifest cannot be read"):
        Manifest.from_bytes(changed("promotion", "text"))


def test_a_manifest_from_before_promotions_is_read_and_written_as_it_is() -> None:
    written = MANIFEST.to_bytes()
    assert b"promotion" not in written

    again = Manifest.from_bytes(written)

    assert again.description.promotion is None
    assert not again.description.is_candidate
    assert again.to_bytes() == written

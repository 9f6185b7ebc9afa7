"""A signature stands for one statement, and is read exactly as it is written."""

import pytest

from app.errors import BrokenModel
from app.signing import Signature, about_current, about_version

SIGNATURE = Signature("0123456789abcdef", "ab" * 64)


def test_no_two_statements_are_alike() -> None:
    digest = "0" * 64
    statements = [
        about_version("tiny", 1, digest),
        about_version("tiny", 11, digest),
        about_version("tiny-1", 1, digest),
        about_version("tiny", 1, "1" * 64),
        about_current("tiny", 1, digest, 1),
        about_current("tiny", 1, digest, 2),
        about_current("tiny", 2, digest, 1),
        about_current("other", 1, digest, 1),
    ]

    assert len(set(statements)) == len(statements)


def test_a_signature_is_read_as_it_was_written() -> None:
    assert Signature.from_bytes(SIGNATURE.to_bytes()) == SIGNATURE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        SIGNATURE.to_bytes()[:-1],
        SIGNATURE.to_bytes() + b"\n",
        SIGNATURE.to_bytes().replace(b"ab", b"AB"),
        SIGNATURE.to_bytes().replace(b"abab", b"ab", 1),
        SIGNATURE.to_bytes().replace(b"0123456789abcdef", b"../../../etc/abc"),
        SIGNATURE.to_bytes().replace(b'"0123456789abcdef"', b"1234567890"),
        b'{"signature":' + SIGNATURE.to_bytes()[30:],
        b"\xff" * 100,
        b"[" * 4000,
    ],
)
def test_a_signature_file_of_any_other_form_is_refused(data: bytes) -> None:
    with pytest.raises(BrokenModel, match="its signature file is damaged"):
        Signature.from_bytes(data)

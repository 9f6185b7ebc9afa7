"""Keys and tokens are taken out of text; ordinary words stay."""

import re

import pytest

from app.masking import holds_secret, mask, mask_bytes
from app.security.api_keys import new_key

KEY = new_key().text
TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJhIiwiZXhwIjoxfQ.c2lnbmF0dXJl-_w"


@pytest.mark.parametrize("secret", [KEY, TOKEN], ids=["key", "token"])
@pytest.mark.parametrize("around", ["{}", "a{}b", "/models/{}/predict?a={}", "'{}'", "\u00e9{}\n"])
def test_a_secret_is_masked_wherever_it_stands(secret: str, around: str) -> None:
    text = around.replace("{}", secret)

    shown = mask(text)

    assert "(masked)" in shown
    assert secret[:12] not in shown
    assert mask_bytes(text.encode()).decode() == shown
    assert holds_secret(text)


def test_a_key_in_an_address_is_masked_as_it_was_sent() -> None:
    for underscore in ("%5F", "%5f"):
        assert mask(f"/a/{KEY.replace('_', underscore)}/b") == "/a/(masked)/b"


@pytest.mark.parametrize("length", [5, 6, 13, 20, 50])
def test_a_key_that_was_cut_off_is_masked_as_well(length: int) -> None:
    assert mask(f"got {KEY[:length]}... (51 characters)") == "got (masked)... (51 characters)"


@pytest.mark.parametrize(
    "text",
    [
        "ordinate",
        "word_count",
        "eyJabc",
        "monkeyJumps",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "a.b.c",
        "/models/diabetes/predict",
        "",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert mask(text) == text
    assert not holds_secret(text)


def test_what_is_made_is_what_is_masked() -> None:
    assert re.fullmatch(r"\(masked\)", mask(new_key().text))

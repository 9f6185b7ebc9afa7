"""Keys as text: recognisable, hard to guess, checked without a look at any file."""

import re
import string

import pytest

from app.security.api_keys import digest_of, id_of, new_key, with_checksum

CHARACTERS = string.ascii_letters + string.digits


def test_a_key_is_one_word_with_its_prefix_its_id_and_190_random_bits() -> None:
    made = new_key()

    assert re.fullmatch(r"ordk_\w{46}", made.text, re.ASCII)
    assert id_of(made.text) == made.id == made.text[5:13]
    assert made.digest == digest_of(made.text)
    assert len(set(CHARACTERS)) ** 32 > 1 << 190


def test_no_two_keys_share_anything() -> None:
    keys = [new_key() for _ in range(500)]

    assert len({key.id for key in keys}) == 500
    assert len({key.text[13:] for key in keys}) == 500
    counts = {letter: sum(key.text[13:45].count(letter) for key in keys) for letter in CHARACTERS}
    # 16,000 draws of 62: 258 each, and 8 standard deviations either way.
    assert all(130 < count < 390 for count in counts.values())


def test_the_checksum_is_that_of_the_documentation() -> None:
    assert with_checksum("ordk_00000000" + "0" * 32) == "ordk_00000000" + "0" * 32 + "1ihJco"


def test_every_slip_of_one_character_is_noticed() -> None:
    text = new_key().text

    for place in range(len(text)):
        for letter in CHARACTERS:
            slip = text[:place] + letter + text[place + 1 :]
            assert slip == text or id_of(slip) is None


@pytest.mark.parametrize("slip", ["", "ordk_", "x", "{}x", "{} ", " {}", "{}\n", "{}{}", "\u00e9"])
def test_what_is_no_key_has_no_id(slip: str) -> None:
    assert id_of(slip.replace("{}", new_key().text)) is None


def test_neighbours_that_change_places_are_noticed() -> None:
    text = new_key().text

    for place in range(len(text) - 1):
        slip = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        assert slip == text or id_of(slip) is None


def test_a_key_in_other_digits_is_none() -> None:
    text = new_key().text

    assert id_of(text[:-1] + "\u0663") is None  # a digit, but of another script

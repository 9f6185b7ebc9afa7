"""What a terminal would obey is escaped, and JSON stays the same."""

import json
import sys
import unicodedata

from app.terminal import escaped


def test_nothing_is_left_that_a_terminal_obeys() -> None:
    for number in range(sys.maxunicode + 1):
        letter = chr(number)
        obeyed = unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")
        turns = unicodedata.bidirectional(letter) in TURNING
        marks = letter in "\u061c\u200e\u200f"

        assert (escaped(letter) != letter) == (obeyed or turns or marks), hex(number)


TURNING = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


def test_it_can_still_be_read() -> None:
    assert escaped("a\x1b[31mb\x9b2J\x7f\nc") == r"a\u001b[31mb\u009b2J\u007f\u000ac"
    assert escaped("城市 é ☃ 😀 \\ \N{NO-BREAK SPACE}") == "城市 é ☃ 😀 \\ \N{NO-BREAK SPACE}"


def test_json_stays_the_same() -> None:
    names = ["".join(map(chr, range(1, 0x3000))), "\u202egnp.exe\u202c"]
    text = json.dumps({"names": names}, indent="\t", ensure_ascii=False)

    shown = escaped(text, but="\n\t")

    assert json.loads(shown) == {"names": names}
    assert "\x9b" in text
    assert "\x9b" not in shown

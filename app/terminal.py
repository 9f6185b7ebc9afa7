"""Text on its way to a terminal, which takes some characters for commands.

What stands in a models folder or was sent by a client must move no cursor, set no title and turn no
line around: whoever looks at it may be about to decide whether to trust it.
"""

import re

# The controls C0, DEL and C1; line ends and directions of Unicode; halves of surrogate pairs, which
# no encoding has.
_COMMANDS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escaped(text: str, but: str = "") -> str:
    """The text with what a terminal would obey escaped as in JSON, but for these characters.

    So a JSON document stays the same one, if its line ends and tabs are left as they are.
    """
    return _COMMANDS.sub(lambda found: _escape(found[0], but), text)


def _escape(character: str, but: str) -> str:
    return character if character in but else f"\\u{ord(character):04x}"

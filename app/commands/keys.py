"""``flask --app wsgi keys ...``: makes keys and shows them."""

from pathlib import Path

import click

from app.commands.group import Group, config
from app.commands.printing import say, say_lines
from app.signing import Keys, make_pair

NEXT = """\
private key: {private}
  Only you can read it. Keep it where models are trained, and a copy where you keep secrets.
public key:  {public}
  Its id is {key}. It is no secret: whoever serves the models needs it.

To sign what train.py publishes and what the admin tool makes current:
  export ORDINATE_SIGNING_KEY={private}
To sign what is published already:
  flask --app wsgi models sign NAME
To have a service load nothing else:
  export ORDINATE_TRUSTED_KEYS={public} ORDINATE_REQUIRE_SIGNATURE=on"""

keys_group = Group("keys", help="Make keys and look at them.")


@keys_group.group("signing", cls=Group)
def signing_group() -> None:
    """Keys by which versions of models are signed."""


@signing_group.command("new")
@click.argument(
    "private",
    metavar="[FILE]",
    default="signing.pem",
    type=click.Path(dir_okay=False, path_type=Path),
)
def new(private: Path) -> None:
    """Make a pair: the private key in FILE (signing.pem), the public one beside it (.pub)."""
    signer, public = make_pair(private)
    say_lines(NEXT.format(private=private, public=public, key=signer.key))


@signing_group.command("list")
def list_keys() -> None:
    """List the ids of the keys that the settings name."""
    keys = Keys.to_sign(config())
    for key in sorted(keys.trusted):
        say(f"{key}  trusted")
    if keys.signer:
        say(f"{keys.signer.key}  signs")

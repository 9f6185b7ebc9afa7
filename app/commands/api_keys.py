"""``flask --app wsgi keys new|list|revoke|rotate``: the API keys of a service.

They change the file of keys; a running service takes over what it says within a second.
"""

import click

from app.casts import model
from app.commands.group import config
from app.commands.keys import keys_group
from app.commands.printing import hand_over, say, say_table
from app.errors import StoreError
from app.security import Caller, KeyFile, NewKey, Scope, utc
from app.security.uses import places, read, unreadable

MOST_DAYS, MOST_HOURS = 36500, 24 * 366


@keys_group.command("new")
@click.option("--name", required=True, help="Of the key, in lists and logs.")
@click.option(
    "--scope",
    "scopes",
    required=True,
    multiple=True,
    type=click.Choice([each.value for each in Scope]),
    help="What it is for; admin is for everything.",
)
@click.option("--model", "models", multiple=True, help="Only for this model; may be repeated.")
@click.option(
    "--expires", metavar="DAYS", type=click.IntRange(1, MOST_DAYS), help="It is good for so long."
)
def new(name: str, scopes: tuple[str, ...], models: tuple[str, ...], expires: int | None) -> None:
    """Make an API key and print it, this once: only a digest of it is kept."""
    allowed = frozenset(_model(each) for each in models) if models else None
    if allowed is not None and Scope.ADMIN.value in scopes:
        raise StoreError(
            "a key for some models cannot be one for everything: leave out one of both"
        )
    caller = Caller(name, frozenset(map(Scope, scopes)), allowed)
    made = _file().add(caller, expires, _hand_over)
    _explain(f"{name!r}, id {made.id}")


@keys_group.command("list")
def list_keys() -> None:
    """List all API keys with what is known of each but the key."""
    records = _file().read()
    if not records:
        say("there are no keys: make one with `flask --app wsgi keys new`", err=True)
        return
    files = places(config().keys, config().state)
    used, unknown = read(files), unreadable(files)
    for path, why in unknown.items():
        say(f"{path} cannot be read: {why}; when keys were last used is not known", err=True)
    otherwise = "unknown" if unknown else "never"
    rows = [("NAME", "ID", "SCOPES", "MODELS", "CREATED", "EXPIRES", "LAST USED")]
    for each in sorted(records, key=lambda each: (each.name, each.created)):
        shown = each.described()
        rows.append(
            (
                each.name,
                each.id,
                ",".join(shown["scopes"]),
                "all" if shown["models"] is None else ",".join(shown["models"]),
                shown["created"],
                shown["expires"] or "never",
                utc(used[each.id]) if each.id in used else otherwise,
            )
        )
    say_table(rows)


@keys_group.command("revoke")
@click.argument("which", metavar="NAME|ID")
def revoke(which: str) -> None:
    """End the keys of this name, or the one with this id."""
    for each in _file().revoke(which):
        say(f"revoked {each.name}, id {each.id}")


@keys_group.command("rotate")
@click.argument("name")
@click.option(
    "--grace",
    metavar="HOURS",
    type=click.IntRange(0, MOST_HOURS),
    default=0,
    help="The old key is still good for so long; without it, it ends at once.",
)
def rotate(name: str, grace: int) -> None:
    """Make a new key with the rights of another, in its place, and print it, this once."""
    ends = f"in {grace} hours" if grace else "now"
    made = _file().rotate(name, grace, _hand_over)
    _explain(f"{name!r}, id {made.id}; the old one ends {ends}")


def _file() -> KeyFile:
    return KeyFile(config().keys)


def _model(name: str) -> str:
    try:
        return model(name)
    except ValueError:
        raise StoreError(f"{name[:80]!r} is no name of a model") from None


def _hand_over(made: NewKey) -> None:
    """The key alone on standard output, so that a shell can take it. Raises StoreError."""
    hand_over(made.text)


def _explain(what: str) -> None:
    """The rest is said beside it."""
    say(
        f"made the key {what}: it is shown this once, send it as 'Authorization: Bearer KEY'",
        err=True,
    )
    if not config().auth:
        say("the service asks for keys with ORDINATE_AUTH=on", err=True)

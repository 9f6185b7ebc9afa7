"""``flask --app wsgi certs ...``: makes certificates for development."""

from pathlib import Path

import click

from app.casts import host
from app.commands.group import Group
from app.commands.printing import say, say_lines
from app.tls import certified

NEXT = """
To serve by TLS:
  export ORDINATE_TLS_CERT={server.cert} ORDINATE_TLS_KEY={server.key}
  make serve
  curl --cacert {ca} https://127.0.0.1:8000/healthz
To let in only clients with a certificate of theirs:
  export ORDINATE_TLS_CLIENT=required ORDINATE_TLS_CLIENT_CA={ca}
  curl --cacert {ca} --cert {client.cert} --key {client.key} https://127.0.0.1:8000/healthz
These are for development: nobody but who is told to trusts {ca}."""

certs_group = Group("certs", help="Make certificates for development.")


def _hosts(_context: click.Context, _option: click.Parameter, names: tuple[str, ...]) -> list[str]:
    try:
        return [host(name) for name in names]
    except ValueError as error:
        raise click.BadParameter("it must be the name of a host or an IP address") from error


def _clients(
    _context: click.Context, _option: click.Parameter, names: tuple[str, ...]
) -> list[str]:
    for name in names:
        if certified({"subject": ((("commonName", name),),)}) is None:
            raise click.BadParameter("it must be 1 to 64 of the characters A-Z, a-z, 0-9, '._-'")
    return list(names)


@certs_group.command("new")
@click.argument("folder", default="certs", type=click.Path(file_okay=False, path_type=Path))
@click.option("--host", "hosts", multiple=True, callback=_hosts, help="Name of the server besides.")
@click.option(
    "--client", "clients", multiple=True, default=("dev",), callback=_clients, show_default=True
)
def new(folder: Path, hosts: list[str], clients: list[str]) -> None:
    """Make what is missing in FOLDER (certs): an authority, a server's certificate, a client's.

    The server's is for localhost, 127.0.0.1, ::1 and what --host names. --client names the clients.
    What is there already is kept.
    """
    from app.tls.making import Workshop  # noqa: PLC0415 - its library takes 12 MB

    workshop = Workshop(folder)
    server = workshop.server(hosts)
    client, *_ = [workshop.client(name) for name in clients]
    for made in workshop.made:
        say(f"{'made' if made.is_new else 'kept'} {made.cert} and {made.key}")
    say_lines(NEXT.format(server=server, client=client, ca=workshop.authority.cert))

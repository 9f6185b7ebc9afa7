"""Certificates for development: what is made works, and what is there stays."""

import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from cryptography import x509

from tests.support.commands import invoked
from tests.support.full import files_of_at_most

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs ``flask certs new`` in this process, for a folder of its own."""

    def invoke(*arguments: str) -> Result:
        return invoked({}, "certs", "new", tmp_path / "certs", *arguments)

    return invoke


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "certs").iterdir()}


def test_an_authority_a_server_and_a_client_are_made(run: Run, tmp_path: Path) -> None:
    done = run("--host", "predict.example", "--host", "10.0.0.7")

    assert done.exit_code == 0, done.output
    assert set(contents(tmp_path)) == {
        *("ca.pem", "ca-key.pem", "server.pem", "server-key.pem"),
        *("client-dev.pem", "client-dev-key.pem"),
    }
    served = x509.load_pem_x509_certificate(contents(tmp_path)["server.pem"])
    names = served.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "predict.example"]
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    assert list(addresses) == ["127.0.0.1", "::1", "10.0.0.7"]
    assert "export ORDINATE_TLS_CERT=" in done.output


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_private_keys_are_their_owners_alone(run: Run, tmp_path: Path) -> None:
    run()

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "certs").iterdir()}
    assert {mode for name, mode in modes.items() if name.endswith("-key.pem")} == {0o600}


def test_what_is_there_is_kept_and_what_is_missing_is_added(run: Run, tmp_path: Path) -> None:
    run()
    before = contents(tmp_path)

    done = run("--client", "alice")

    after = contents(tmp_path)
    assert done.exit_code == 0, done.output
    assert f"kept {tmp_path}/certs/server.pem" in done.output
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {"client-alice.pem", "client-alice-key.pem"}
    context = ssl.create_default_context(cafile=tmp_path / "certs" / "ca.pem")
    context.load_cert_chain(
        tmp_path / "certs" / "client-alice.pem", tmp_path / "certs" / "client-alice-key.pem"
    )


def test_what_a_full_disk_took_half_of_is_made_at_the_second_try(run: Run, tmp_path: Path) -> None:
    with files_of_at_most(300):  # room for a key, and for no certificate
        failed = run()
    assert (failed.exit_code, contents(tmp_path)) == (1, {})
    assert "ca.pem cannot be written: File too large" in failed.stderr

    assert run().exit_code == 0


def test_other_names_for_a_server_that_is_there_are_refused(run: Run, tmp_path: Path) -> None:
    run()
    before = contents(tmp_path)

    done = run("--host", "predict.example")

    assert done.exit_code == 1
    assert "server.pem is there already: remove it and" in done.output
    assert contents(tmp_path) == before


def test_half_a_pair_is_never_completed(run: Run, tmp_path: Path) -> None:
    run()
    (tmp_path / "certs" / "ca.pem").unlink()
    before = contents(tmp_path)

    done = run("--client", "alice")

    assert done.exit_code == 1
    assert "ca-key.pem is there without the file that belongs to it" in done.output
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "arguments", [("--client", "a b"), ("--client", "../x"), ("--host", "a b")]
)
def test_names_that_are_none_are_refused(
    run: Run, tmp_path: Path, arguments: tuple[str, str]
) -> None:
    done = run(*arguments)

    assert done.exit_code == 2
    assert "it must be" in done.output
    assert not (tmp_path / "certs").exists()

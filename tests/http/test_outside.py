"""No name or version in a URL opens anything that is not in the models folder."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.clients import client_of
from tests.support.hostile import PATHS
from tests.support.models import PLAIN, publish

FORMS = ("/models/{}/predict", "/models/tiny/versions/{}/predict", "/models/tiny/labels/{}/predict")
READS = ("/models/{}", "/models/tiny/versions/{}")
GOOD = b'{"x":[1,2,0.5]}'
WAYS_OUT = (
    "../outside/secret", "../../outside/secret/1", "..%2foutside%2fsecret", "..", ".", "secret",
    "%2e%2e%2foutside%2fsecret", "%252e%252e%252foutside", "..%5coutside%5csecret", "/etc/passwd",
    "%2fetc%2fpasswd", "tiny%00", "tiny%2f..%2f..%2foutside%2fsecret", "1%2f..%2f1", "%ff", "~",
    "outside", "tiny/1/../../../outside/secret/1", "file:%2f%2f%2fetc%2fpasswd", "-1", "1%00",
)  # fmt: skip

_opened: list[str] = []
_listening = False


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if _listening and event in ("open", "os.listdir", "os.scandir", "os.readlink"):
        _opened.append(str(arguments[0]))


sys.addaudithook(_listen)


@contextmanager
def opened() -> Iterator[list[str]]:
    """What this process opens meanwhile, by the names that it uses."""
    global _listening  # noqa: PLW0603 - a hook of the interpreter can only be one for all
    _opened.clear()
    _listening = True
    try:
        yield _opened
    finally:
        _listening = False


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A service over `tiny`, beside whose folder a good model stands that nobody may reach."""
    root = tmp_path_factory.mktemp("store")
    publish(root / "models", "tiny", PLAIN)
    publish(root / "outside", "secret", PLAIN)
    client = client_of(root / "models")
    for form in FORMS:  # what is imported or loaded once is loaded now
        client.post(form.format("1"), data=GOOD, content_type="application/json")
    return client


def check(client: FlaskClient, method: str, target: str) -> int:
    """Ask, and look at what was opened."""
    with opened() as names:
        answer = client.open(target, method=method, data=GOOD, content_type="application/json")
    strange = [name for name in names if "outside" in name or "secret" in name or ".." in name]
    assert not strange, target
    assert not [name for name in names if name.startswith("/etc")], target
    return answer.status_code


def test_hook_sees_what_is_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with opened() as names:
        (tmp_path / "file").read_text()

    assert str(tmp_path / "file") in names


@pytest.mark.parametrize("part", WAYS_OUT)
@pytest.mark.parametrize("form", FORMS + READS)
def test_way_out_is_not_found(form: str, part: str, asked: FlaskClient) -> None:
    status = check(asked, "POST" if form in FORMS else "GET", form.format(part))

    assert status in {400, 404, 405}


def test_no_hostile_path_opens_anything_outside(asked: FlaskClient) -> None:
    for case in PATHS:
        check(asked, case.method, case.target)


PARTS = st.text(max_size=20) | st.text(alphabet="./\\%2fe0~:a1-", max_size=20)


@given(st.sampled_from(FORMS + READS), PARTS, st.booleans())
@example(FORMS[0], "..", False)
@example(FORMS[1], "\u0661", True)
def test_whatever_the_name_nothing_outside_is_opened(form: str, part: str, encode: bool) -> None:
    target = form.format(quote(part, safe="") if encode else quote(part, safe="/.%"))

    assert check(_client(), "POST" if form in FORMS else "GET", target) < 500


_clients: list[FlaskClient] = []


def _client() -> FlaskClient:
    return _clients[0]


@pytest.fixture(scope="module", autouse=True)
def _kept(asked: FlaskClient) -> Iterator[None]:
    """Hypothesis takes no fixture that lives longer than one example."""
    _clients.append(asked)
    yield
    _clients.clear()

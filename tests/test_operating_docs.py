"""docs/operating.md names whatever the service tells, and its proxy lets through what it takes."""

import ast
import re
from collections.abc import Iterator

from app import create_app
from app.config import Config
from app.http.outcome import _REASONS
from app.http.service import EXTENSION
from app.telemetry.families import REASONS
from app.telemetry.logs import LEVELS
from tests.support.raw import Wire, headed, post
from tests.support.server import ROOT, Server

TEXT = (ROOT / "docs" / "operating.md").read_text("utf-8")
DEPLOYING = (ROOT / "docs" / "deploying.md").read_text("utf-8")


def test_every_event_that_the_code_tells_is_in_the_table() -> None:
    table = TEXT.partition("All else on stderr:")[2].partition("## Metrics")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")][1:]

    assert {name for row in rows for name in re.findall("`(.+?)`", row)} == set(events())


def events() -> Iterator[str]:
    yield "server"  # what gunicorn says, in our form
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                values = [each.value for each in node.args if isinstance(each, ast.Constant)]
                texts = [value for value in values if isinstance(value, str)]
                if node.func.attr == "event":
                    yield from (text for text in texts if text not in LEVELS)
                elif node.func.attr == "failure":
                    yield from texts


def test_every_field_of_a_request_is_in_the_table(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(post(b'{"x": [1, 2, 3]}'))
        wire.answer()
        wire.send(headed("nonsense"))
        wire.answer()
    server.wait_for(lambda: all(name in "".join(server.out) for name in ('"rows"', '"remote"')))

    fields = {name for line in server.out for name in re.findall(r'"(\w+)":', line)}
    table = TEXT.partition("All else on stderr:")[0]
    named = {name for line in table.splitlines() for name in re.findall("`(.+?)`", line)}

    assert fields <= named


def test_every_series_is_in_the_table_with_its_labels() -> None:
    app = create_app(Config.from_env({}), load=False)
    metrics = app.extensions[EXTENSION].metrics
    metrics.certificate_expires = 0.0
    served, _ = metrics.render([("tiny", 1)])
    told = set(re.findall(r"^# TYPE (\w+)", served.decode(), re.MULTILINE))

    assert told == set(re.findall(r"`((?:ordinate|process)_\w+)(?:\{[\w,]+\})?`", SERIES))


SERIES = TEXT.partition("| series |")[2].partition("**Raise an alarm on**")[0]


def test_every_reason_of_a_refusal_is_in_the_table() -> None:
    (row,) = [line for line in SERIES.splitlines() if "ordinate_rejected_total" in line]
    others = {"invalid_input", "malformed", "handshake"}

    assert set(re.findall(r" `(\w+)`", row)) == set(REASONS) == set(_REASONS.values()) | others


def test_the_proxy_takes_bodies_as_large_and_waits_longer_than_the_service() -> None:
    (nginx,) = re.findall(r"^```nginx\n(.*?)^```$", DEPLOYING, re.MULTILINE | re.DOTALL)
    (size,) = re.findall(r"client_max_body_size (\d+)m;", nginx)
    (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", nginx)
    config = Config.from_env({})

    assert int(size) << 20 == config.max_body_bytes
    assert int(seconds) > config.deadline
    assert config.keepalive > 60  # after which nginx closes an idle connection
    assert f"http://127.0.0.1:{config.port}" in "http://" + nginx.partition("server ")[2]

"""The page at /: safe whatever the table's header says, and JSON for who did not ask for a page."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.http.page import _STYLE
from tests.support.clients import client_of

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Elements(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.lines: list[dict[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag == "pre":
            self.lines.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def page(client: FlaskClient) -> Elements:
    """The page, taken apart."""
    elements = Elements()
    elements.feed(client.get("/", headers={"Accept": BROWSER}).text)
    return elements


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/csv", ""])
def test_who_did_not_ask_for_a_page_gets_json(accept: str | None, client: FlaskClient) -> None:
    answer = client.get("/", headers={} if accept is None else {"Accept": accept})

    assert answer.content_type == "application/json"
    assert answer.get_json()["service"] == "ordinate"
    assert [model["name"] for model in answer.get_json()["models"]][-1] == "tiny"


def test_browser_gets_a_page_with_a_curl_line_for_each_model(page: Elements) -> None:
    for name in ("tiny", "mixed", "single", "hostile"):
        assert f"curl -s http://localhost/models/{name}/predict" in page.text


def test_markup_in_a_table_is_shown_as_text(page: Elements) -> None:
    assert "</pre><b>" in page.text
    assert "script" not in page.names
    assert "b" not in page.names
    assert not [name for name in page.attributes if name.startswith("on")]


def test_a_line_that_is_wider_than_the_page_can_be_scrolled_by_keys_and_has_a_name(
    page: Elements,
) -> None:
    assert page.lines
    for attributes in page.lines:
        assert (attributes["tabindex"], attributes["role"]) == ("0", "region")
        assert attributes["aria-label"]


def test_on_a_phone_text_keeps_away_from_the_edge_and_a_long_name_is_wrapped() -> None:
    (padding,) = re.findall(r"body \{[^}]*padding: 0 ([\d.]+)rem", _STYLE)

    assert float(padding) >= 0.5
    assert re.search(r"h2[^{]*\{[^}]*overflow-wrap: anywhere", _STYLE)


def test_a_problem_can_be_read_on_a_light_page_and_on_a_dark_one() -> None:
    light, dark = re.findall(r"\.problem \{ color: #([0-9a-f]{6})", _STYLE)

    assert "(prefers-color-scheme: dark) { .problem { color: #" + dark in _STYLE
    assert contrast(light, "ffffff") >= 4.5  # WCAG 2.2, 1.4.3
    assert contrast(dark, "1c1b22") >= 4.5  # Firefox' dark page, the lightest of the browsers'


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG defines it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_policy_lets_nothing_run_and_only_the_style_of_the_page_in(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": BROWSER})

    style = re.search(r"<style>(.*)</style>", answer.text, re.DOTALL)
    policy = dict(
        directive.split(" ", 1)
        for directive in answer.headers["Content-Security-Policy"].split("; ")
    )

    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_caches_are_told_that_the_form_depends_on_accept(client: FlaskClient) -> None:
    for accept in (BROWSER, "application/json"):
        assert client.get("/", headers={"Accept": accept}).headers["Vary"] == "Accept"


def test_page_without_models_says_what_to_do(tmp_path: Path) -> None:
    client = client_of(tmp_path)

    assert "python train.py" in client.get("/", headers={"Accept": "text/html"}).text

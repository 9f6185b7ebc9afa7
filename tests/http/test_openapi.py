"""The OpenAPI document: it is valid, complete, and says of requests just what the service does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from app.http.service import EXTENSION
from app.schema import MAX_MAGNITUDE, Feature, Schema
from app.store import Keeper
from tests.support.clients import client_of
from tests.support.models import (
    HOSTILE,
    MIXED,
    PLAIN,
    SINGLE,
    described,
    fitted,
    publish,
)

SCHEMAS = {"tiny": PLAIN, "mixed": MIXED, "single": SINGLE, "hostile": HOSTILE}
UNUSED = {"HEAD", "OPTIONS"}  # Flask answers these by itself

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document(client: FlaskClient) -> Json:
    return served_document(client)


def served_document(client: FlaskClient) -> Json:
    answer = client.get("/openapi.json")
    assert answer.mimetype == "application/json"
    found: Json = answer.get_json()
    return found


def check_document(document: Json) -> None:
    """Fail unless it is OpenAPI 3.1, with sound schemas, whose references all lead somewhere."""
    schemathesis.openapi.from_dict(document).validate()
    for name in document["components"]["schemas"]:
        validator(document, name)
    for target in references(document):
        place: Any = document
        for step in target.removeprefix("#/").split("/"):
            place = place[step]


def references(place: Any) -> Iterator[str]:
    if isinstance(place, dict):
        if isinstance(place.get("$ref"), str):
            yield place["$ref"]
        for below in place.values():
            yield from references(below)
    elif isinstance(place, list):
        for below in place:
            yield from references(below)


def validator(document: Json, component: str) -> jsonschema_rs.Draft202012Validator:
    schema = {
        "$ref": f"#/components/schemas/{component}",
        "components": {"schemas": document["components"]["schemas"]},
    }
    return jsonschema_rs.Draft202012Validator(schema)


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_is_valid_openapi(document: Json) -> None:
    check_document(document)


def test_without_a_model_it_is_valid_and_tells_of_predict(tmp_path: Path) -> None:
    document = served_document(client_of(tmp_path / "nothing"))

    check_document(document)
    assert "503 for now" in document["paths"]["/predict"]["post"]["description"]


def test_it_documents_every_route_and_nothing_else(client: FlaskClient, document: Json) -> None:
    routes = client.application.url_map
    served = {(rule.rule, m) for rule in routes.iter_rules() for m in (rule.methods or ())}

    documented = set()
    for path, method, _ in operations(document):
        rule, _ = routes.bind("localhost").match(
            path.format(name="tiny"), method.upper(), return_rule=True
        )
        documented.add((rule.rule, method.upper()))

    assert documented == {(rule, method) for rule, method in served if method not in UNUSED}


def test_every_model_has_addresses_of_its_own(document: Json) -> None:
    paths = {path for path in document["paths"] if path.endswith("/predict")}

    expected = {"/predict", "/models/tiny/versions/2/predict"}
    expected |= {"/models/tiny/labels/proven/predict"}
    expected |= {f"/models/{name}/versions/1/predict" for name in SCHEMAS if name != "tiny"}
    assert paths == expected | {f"/models/{name}/predict" for name in SCHEMAS}


def test_operations_have_names_tags_and_summaries(document: Json) -> None:
    found = [operation for _, _, operation in operations(document)]

    assert len({operation["operationId"] for operation in found}) == len(found)
    tags = {tag["name"] for tag in document["tags"]}
    assert all(set(operation["tags"]) <= tags and operation["summary"] for operation in found)


def test_any_address_may_be_refused_for_its_method_or_for_too_much_to_do(tmp_path: Path) -> None:
    document = served_document(client_of(tmp_path))
    guarded = client_of(tmp_path, ORDINATE_AUTH="on", ORDINATE_OPENAPI="open")

    for path, _, operation in [*operations(document), *operations(served_document(guarded))]:
        assert {"405", "503"} <= operation["responses"].keys(), path


def test_every_example_request_gets_its_example_answer(client: FlaskClient, document: Json) -> None:
    assert try_examples(client, document) == 3 * (2 + 2 * len(SCHEMAS))


def try_examples(client: FlaskClient, document: Json) -> int:
    """Ask all of them; how many there are."""
    tried = 0
    for path, _, operation in operations(document):
        if not path.endswith("/predict"):
            continue
        body = operation["requestBody"]["content"]["application/json"]
        answered = operation["responses"]["200"]["content"]["application/json"]
        for key, example in body["examples"].items():
            answer = client.post(path, json=example["value"])

            assert answer.status_code == 200
            assert answer.get_json() == answered["examples"][key]["value"]
            tried += 1
    return tried


def test_the_answer_of_an_example_is_that_of_the_service_to_the_last_bit(tmp_path: Path) -> None:
    estimator = fitted(PLAIN)
    golden = described(PLAIN, estimator).golden
    recorded = replace(golden, y=tuple(y * (1 + 1e-11) for y in golden.y))  # by other arithmetic
    publish(tmp_path, "tiny", PLAIN, linear=True, golden=recorded)
    client = client_of(tmp_path)

    shown = client.get("/models/tiny").get_json()["example"]
    answer = client.post("/models/tiny/predict", json=shown["request"])

    assert answer.get_json() == shown["response"] != {"y": recorded.y[0]}
    assert try_examples(client, served_document(client)) == 3 * 3


def test_a_label_of_a_version_with_other_features_has_an_address_without_them(
    tmp_path: Path,
) -> None:
    publish(tmp_path, "tiny", MIXED)
    publish(tmp_path, "tiny", PLAIN)
    Keeper(tmp_path).set_label("tiny", "old", 1)

    document = served_document(client_of(tmp_path))
    operation = document["paths"]["/models/tiny/labels/old/predict"]["post"]

    check_document(document)
    assert "`amount` from `age`, `housing`" in operation["description"]
    body = operation["requestBody"]["content"]["application/json"]
    assert body == {"schema": {"$ref": "#/components/schemas/AnyRequest"}}


def test_it_tells_type_range_categories_unit_and_missing_of_each_feature(document: Json) -> None:
    schemas = document["components"]["schemas"]
    plain, mixed = schemas["tiny_ObjectRow"], schemas["mixed_ObjectRow"]["properties"]

    assert list(plain["properties"]) == ["width", "height", "depth"]
    assert plain["properties"]["width"]["x-training-range"] == [0.0, 10.0]
    assert plain["properties"]["width"]["x-unit"] == "mm"
    assert plain["properties"]["width"]["maximum"] == MAX_MAGNITUDE
    assert mixed["age"]["type"] == ["number", "null"]
    assert mixed["housing"]["enum"] == ["free", "own", "rent"]
    assert mixed["job"]["enum"] == ["skilled: yes", "unskilled", None]
    assert mixed["member"]["type"] == "boolean"


@pytest.mark.parametrize("ends", [(None, None), (0.0, None), (None, 1.0)])
def test_a_range_of_which_an_end_is_not_known_is_not_told(
    tmp_path: Path, ends: tuple[float | None, float | None]
) -> None:
    """Whoever publishes a model of their own may leave them out."""
    schema = Schema((Feature("speed", "number", *ends),), SINGLE.target)
    publish(tmp_path, "open", SINGLE, schema=schema)

    document = served_document(client_of(tmp_path))

    check_document(document)
    assert "training saw" not in str(document["components"]["schemas"]["open_ObjectRow"])


def test_names_from_a_table_are_no_markup(document: Json) -> None:
    described = document["paths"]["/models/hostile/predict"]["post"]["description"]

    assert "`<script>alert(1)</script>`" in described
    assert "`` snow ☃ 😀 $(id)`id` ``" in described


def test_no_answer_has_a_member_that_is_not_documented(client: FlaskClient, document: Json) -> None:
    asked = 0
    for path, method, operation in operations(document):
        content = operation["responses"]["200"]["content"]
        if method == "get" and "application/json" in content and path != "/openapi.json":
            answer = client.get(path.format(name="mixed"), headers={"Accept": "application/json"})
            schema = content["application/json"]["schema"]
            assert list(undocumented(document, answer.get_json(), schema)) == [], path
            asked += 1

    assert asked == 6


def undocumented(document: Json, value: Any, schema: Json) -> Iterator[str]:
    """The members of a value that its schema says nothing of, wherever it names some."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "allOf" in schema:
        schema = {"properties": dict(properties(document, schema))}
    if isinstance(value, dict) and "properties" in schema:
        for name, member in value.items():
            if name in schema["properties"]:
                yield from undocumented(document, member, schema["properties"][name])
            else:
                yield name
    for item in value if isinstance(value, list) else ():
        yield from undocumented(document, item, schema.get("items", {}))


def properties(document: Json, schema: Json) -> Iterator[tuple[str, Json]]:
    """Those of a schema that is made of others."""
    for part in schema["allOf"]:
        named = part.get("$ref", "").rpartition("/")[2]
        whole = document["components"]["schemas"][named] if named else part
        yield from whole["properties"].items()


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("post", "/predict", {"json": {"x": [1, 2]}}, 400),
        ("post", "/predict", {"json": {"x": [["1", None, True]] * 30}}, 400),
        ("post", "/models/nobody/predict", {"json": {"x": [1, 2, 3]}}, 404),
        ("get", "/models/nobody", {}, 404),
        ("get", "/predict", {}, 405),
        ("post", "/models", {}, 405),
        ("post", "/predict", {"json": {"x": [1, 2, 3]}, "headers": {"Accept": "a/b"}}, 406),
        ("post", "/predict", {"json": {"x": [[1, 2, 3]] * 1001}}, 413),
        ("post", "/predict", {"data": "{}", "content_type": "text/plain"}, 415),
    ],
)
def test_refusals_are_as_documented(
    client: FlaskClient, document: Json, method: str, path: str, sent: Json, status: int
) -> None:
    answer = client.open(path, method=method, **sent)

    assert answer.status_code == status
    names = {str(code): name for code, name in refusals(document)}
    documented = document["components"]["responses"][names[str(status)]]
    for header, entry in documented["headers"].items():
        component = document["components"]["headers"][entry["$ref"].rpartition("/")[2]]
        assert jsonschema_rs.is_valid(component["schema"], answer.headers[header])
    validator(document, "Error").validate(answer.get_json())


def refusals(document: Json) -> set[tuple[str, str]]:
    return {
        (status, response["$ref"].rpartition("/")[2])
        for _, _, operation in operations(document)
        for status, response in operation["responses"].items()
        if status != "200"
    }


def test_a_model_that_cannot_be_used_is_told_as_such(tmp_path: Path) -> None:
    publish(tmp_path, "tiny")
    (tmp_path / "tiny/1/model.joblib").write_bytes(b"broken")
    client = client_of(tmp_path)

    document = served_document(client)

    check_document(document)
    operation = document["paths"]["/models/tiny/predict"]["post"]
    assert "503 for now" in operation["description"]
    answer = client.post("/models/tiny/predict", json={"x": [1, 2, 3]})
    assert answer.status_code == 503
    validator(document, "Error").validate(answer.get_json())
    assert int(answer.headers["Retry-After"]) >= 1


def test_it_follows_what_is_served(tmp_path: Path) -> None:
    publish(tmp_path, "tiny")
    client = client_of(tmp_path)
    before = served_document(client)

    publish(tmp_path, "tiny", SINGLE)
    publish(tmp_path, "other", MIXED)
    client.application.extensions[EXTENSION].registry.refresh()
    after = served_document(client)

    assert "/models/tiny/versions/1/predict" in before["paths"]
    assert {"/models/tiny/versions/2/predict", "/models/other/predict"} <= after["paths"].keys()
    assert list(after["components"]["schemas"]["tiny_ObjectRow"]["properties"]) == ["speed"]


# One exact schema: whatever is sent, the validator of the document and the service say the same.

NEAR_THE_LIMIT = (MAX_MAGNITUDE, -MAX_MAGNITUDE, 1.0000000000000002e100, 10**101, 2**64, 5e-324)
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(NEAR_THE_LIMIT),
    st.sampled_from(("own", "free", "unskilled", "1", "true", "", "{{ 7 * 7 }}")),
    st.sampled_from(([], {}, [1], [[1]], {"speed": 1}, [None])),
)


def values(feature: Feature) -> st.SearchStrategy[Any]:
    """Mostly what the feature takes."""
    right: dict[str, st.SearchStrategy[Any]] = {
        "number": st.one_of(st.floats(-MAX_MAGNITUDE, MAX_MAGNITUDE), st.integers(-9, 9)),
        "boolean": st.booleans(),
        "category": st.sampled_from(feature.categories or ("",)),
    }
    known = right[feature.kind]
    if feature.missing:
        known = st.one_of(known, st.none())
    return st.integers(0, 15).flatmap(lambda chance: known if chance else ANYTHING)


def bodies(schema: Schema) -> st.SearchStrategy[Any]:
    """Requests that are right, nearly right, and wrong."""
    cells = {feature.name: values(feature) for feature in schema.features}
    listed = st.tuples(*cells.values()).map(list)
    partial = st.fixed_dictionaries({}, optional=cells | {"stranger": ANYTHING})
    alone = st.one_of(*cells.values()) if len(cells) == 1 else listed
    row = st.one_of(listed, st.fixed_dictionaries(cells), alone)
    wrong = st.one_of(partial, st.lists(ANYTHING, max_size=len(cells) + 1), ANYTHING)
    rows = st.lists(st.integers(0, 9).flatmap(lambda chance: row if chance else wrong), max_size=4)
    x = st.one_of(row, rows, rows, wrong)
    exact = st.fixed_dictionaries({"x": x})
    near = st.one_of(st.fixed_dictionaries({"x": x, "y": x}), x, st.just({}))
    return st.integers(0, 15).flatmap(lambda chance: exact if chance else near)


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_allows_exactly_what_is_accepted(client: FlaskClient, document: Json, name: str) -> None:
    request = validator(document, f"{name}_Request")
    answered, refused = validator(document, f"{name}_Answer"), validator(document, "Error")

    @settings(max_examples=300)
    @given(bodies(SCHEMAS[name]))
    def agree(body: Any) -> None:
        answer = client.post(
            f"/models/{name}/predict",
            data=client.application.json.dumps(body),
            content_type="application/json",
        )

        assert answer.status_code in (200, 400)
        assert (answer.status_code == 200) == request.is_valid(body), answer.text
        (answered if answer.status_code == 200 else refused).validate(answer.get_json())

    agree()

"""The OpenAPI document: current, valid, and the contract's word for word."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.test import Client

ROOT = Path(settings.BASE_DIR)
CONTRACT = json.loads((ROOT / "tests/contract/participants.openapi.json").read_text())
CHECKER = ROOT.parent / "shared/contract/check_openapi.py"
OPERATIONS = [(path, method) for path in CONTRACT["paths"] for method in ("get", "post")]


@pytest.fixture(scope="module")
def document(tmp_path_factory) -> dict:
    file = tmp_path_factory.mktemp("openapi") / "openapi.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
    assert file.read_text() == (ROOT / "openapi.yml").read_text(), "openapi.yml is not current: make openapi"
    return yaml.safe_load(file.read_text())


def test_it_holds_the_contracts_facts(document):
    assert {key: document["info"][key] for key in CONTRACT["info"]} == CONTRACT["info"]
    assert CONTRACT["tag"] in document["tags"]
    assert set(CONTRACT["paths"]) <= set(document["paths"])


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_it_describes_each_operation_as_the_contract_does(document, path, method):
    operation, expected = document["paths"][path][method], CONTRACT[method]
    assert operation["summary"] == expected["summary"]
    assert operation["description"] == CONTRACT["description"]
    assert operation["tags"] == [CONTRACT["tag"]["name"]]
    assert operation["security"] == expected["security"]
    parameters = {p["name"]: p for p in operation.get("parameters", []) if p["in"] == "query"}
    assert set(parameters) == set(expected.get("parameters", {}))
    for name, facts in expected.get("parameters", {}).items():
        found = parameters[name]
        assert found["description"] == facts["description"]
        assert {key: found["schema"].get(key) for key in ("type", "format") if key in facts} == {
            key: facts[key] for key in ("type", "format") if key in facts
        }
    if method == "post":
        assert "content" not in operation["responses"]["200"]
        body = operation["requestBody"]["content"]["application/json"]
        assert body["schema"]["$ref"].endswith(f"/{expected['request']}")


def test_it_names_the_operations(document):
    names = {document["paths"][path][method]["operationId"] for path, method in OPERATIONS}
    assert names == {
        "list_participants",
        "list_participants_2",
        "update_participant_data",
        "update_participant_data_2",
    }


@pytest.mark.parametrize("name", CONTRACT["schemas"])
def test_it_has_the_contracts_schemas(document, name):
    schema, expected = document["components"]["schemas"][name], CONTRACT["schemas"][name]
    assert sorted(schema.get("required", [])) == expected["required"]
    assert set(schema["properties"]) == set(expected["properties"])


def test_it_declares_the_five_ways_in(document):
    schemes = document["components"]["securitySchemes"]
    assert set(schemes) == set(CONTRACT["securitySchemes"])
    assert schemes["OAuth2"]["flows"]["authorizationCode"]["tokenUrl"] == "/o/token/"


def test_it_shows_examples_and_refusals(document):
    for path, method in OPERATIONS:
        operation = document["paths"][path][method]
        refusals = {"get": {"400", "401", "403", "404"}, "post": {"400", "401", "403", "404", "413", "415"}}
        assert refusals[method] <= set(operation["responses"])
        content = operation["requestBody"] if method == "post" else operation["responses"]["200"]
        assert content["content"]["application/json"]["examples"]


def test_it_leaves_the_aliases_out(document):
    assert not [path for path in document["paths"] if path.startswith("/api/v1/")]


@pytest.mark.skipif(not CHECKER.exists(), reason="the contract's own checker is not beside the checkout")
def test_the_contracts_own_checker_agrees():
    found = subprocess.run(
        [sys.executable, CHECKER, ROOT / "openapi.yml"], capture_output=True, text=True, check=False
    )
    assert (found.stdout.strip(), found.returncode) == ("contract: holds", 0)


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("/api/schema/", "application/json", "application/json"),
        ("/api/schema/?format=json", "*/*", "json"),
        ("/api/schema/", "*/*", "application/vnd.oai.openapi"),
        ("/api/schema/", "text/html", "application/vnd.oai.openapi"),
        ("/api/schema/?format=yaml", "*/*", "application/vnd.oai.openapi"),
    ],
)
def test_it_is_served_as_json_or_yaml(path, accept, kind):
    response = Client().get(path, headers={"Accept": accept})
    assert response.status_code == 200
    assert kind in response["Content-Type"]
    load = json.loads if "json" in kind else yaml.safe_load
    assert load(response.content)["info"] == CONTRACT["info"] or "json" in kind


@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
def test_the_pages_load_nothing_from_another_host(path):
    response = Client().get(path)
    assert response.status_code == 200
    assert b"://" not in response.content
    assert "default-src 'self'" in response["Content-Security-Policy"]

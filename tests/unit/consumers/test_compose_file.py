from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from bridge.engine import MAX_RUNTIME_SECONDS
from bridge.settings import Settings
from consumers.health import ROLES
from consumers.worker import role_option

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
SCHEMA = json.loads((ROOT / "tests/support/data/compose.schema.json").read_text(encoding="utf-8"))
OURS = {name: one for name, one in SERVICES.items() if "build" in one}
LASTING = {name: one for name, one in SERVICES.items() if one["restart"] != "no"}


def seconds(duration):
    parts = re.findall(r"([0-9.]+)(ms|us|s|m|h)", duration)
    return sum(
        float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}[unit] for number, unit in parts
    )


def test_the_file_fits_the_schema_of_compose():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(COMPOSE, SCHEMA)


@pytest.mark.parametrize(
    "broken",
    [
        {"services": {"a": {"image": "x", "healthchek": {}}}},
        {"services": {"a": {"command": ["x"]}}},
        {"services": {"a": {"image": "x", "stop_grace_period": 30}}},
        {"services": {"a": {"image": "x", "healthcheck": {"test": ["pg_isready"]}}}},
        {"services": {"a": {"image": "x", "depends_on": {"b": {"condition": "healthy"}}}}},
    ],
)
def test_the_schema_finds_usual_mistakes(broken):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)


def test_all_that_a_bridge_needs_is_there():
    assert set(SERVICES) == {
        "postgres",
        "rabbitmq",
        "migrate",
        "topology",
        "intake",
        "worker",
        "beat",
        "flower",
    }
    assert SERVICES["rabbitmq"]["image"] == "rabbitmq:4-management"


@pytest.mark.parametrize("name", sorted(LASTING))
def test_a_lasting_service_has_a_health_check_and_outlives_the_longest_job(name):
    assert LASTING[name]["healthcheck"]["test"][0] == "CMD"
    assert seconds(LASTING[name]["stop_grace_period"]) > MAX_RUNTIME_SECONDS


@pytest.mark.parametrize("name", sorted({"intake", "worker", "beat"}))
def test_the_health_check_asks_for_the_role_that_the_command_has(name):
    *_, role = SERVICES[name]["healthcheck"]["test"]
    assert role in ROLES
    assert SERVICES[name]["command"] == (
        ["bridge", "beat"] if name == "beat" else ["bridge", "worker", "--role", role]
    )
    assert name == "beat" or role in role_option.type.choices


def test_everything_that_is_waited_for_is_there_and_can_become_true():
    for one in SERVICES.values():
        for name, wait in one.get("depends_on", {}).items():
            assert name in SERVICES
            is_lasting = name in LASTING
            assert wait["condition"] == (
                "service_healthy" if is_lasting else "service_completed_successfully"
            )


def test_no_secret_stands_in_the_file_and_none_may_be_left_out():
    for name, one in SERVICES.items():
        for variable, value in one["environment"].items():
            if re.search(r"PASS|KEY|AUTH|URL|API", variable):
                assert re.search(r"\$\{\w+:\?", str(value)), (name, variable)
    assert not re.search(r"://\w+:[^$\s@]+@", TEXT)


def test_every_variable_of_ours_is_a_setting():
    known = {f"BRIDGE_{name.upper()}" for name in Settings.model_fields}
    for one in OURS.values():
        assert {name for name in one["environment"] if name.startswith("BRIDGE_")} <= known


def test_ports_are_open_on_this_machine_only():
    for one in SERVICES.values():
        for port in one.get("ports", []):
            assert port.startswith("127.0.0.1:")

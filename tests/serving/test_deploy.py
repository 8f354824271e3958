"""What is shipped to run and watch the service parses, and asks for metrics that exist."""

import json
import re
from pathlib import Path

import yaml

from trefoil.serving.metrics import Metrics
from trefoil.serving.routes.health import tell_models

DEPLOY = Path(__file__).parents[2] / "serving" / "deploy"


def expressions():
    """Every PromQL expression of the alarms and of the board."""
    groups = yaml.safe_load((DEPLOY / "alarms.yaml").read_text("utf-8"))["groups"]
    yield from (rule["expr"] for group in groups for rule in group["rules"])
    board = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
    yield from (target["expr"] for panel in board["panels"] for target in panel["targets"])


def test_alarms_and_board_ask_for_metrics_and_labels_that_exist(service):
    metrics: Metrics = service.metrics
    tell_models(service)
    there = {}
    for family in metrics.registry.collect():
        kind = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
        for end in kind.get(family.type, ("",)):
            there[family.name + end] = family
    asked = [re.findall(r"\b(?:trefoil|process)_\w+", one) for one in expressions()]
    names = {name for found in asked for name in found}
    assert len(names) >= 12
    assert not names - set(there)
    labels = {"route", "method", "status", "run", "based_on", "why", "model", "role", "kind", "le"}
    for one in expressions():
        for by in re.findall(r"by \(([^)]*)\)", one):
            assert {name.strip() for name in by.split(",")} <= labels, one


def test_the_panels_of_the_board_have_places_of_their_own():
    board = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
    taken = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, at["y"]) for x in range(at["x"], at["x"] + at["w"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_containers_run_without_rights():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    for name, one in services.items():
        assert one["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in one["security_opt"], name
        assert all(port.startswith("127.0.0.1:") for port in one["ports"]), name
    assert services["trefoil"]["read_only"]
    assert services["trefoil"]["user"] == "10001"
    file = (DEPLOY / "Dockerfile").read_text("utf-8")
    assert re.search(r"^USER 10001$", file, re.MULTILINE)
    assert "'.[serve,offline]'" in file  # without weights new texts are read as n-grams


def test_what_the_container_starts_is_a_command_line_of_the_service():
    from trefoil.serve import parser

    file = (DEPLOY / "Dockerfile").read_text("utf-8")
    (command,) = (json.loads(one) for one in re.findall(r"^CMD (\[.*\])$", file, re.MULTILINE))
    args = parser().parse_args(command)
    assert args.host == "0.0.0.0"
    assert str(args.keys) == "/state/keys.toml"

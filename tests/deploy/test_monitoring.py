"""The shipped dashboard and alerts: whole, and about metrics that the hub really has."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from tests.factories import START, make_result
from webapp.common.metrics import (
    DATABASE_ERRORS,
    JOB_SECONDS,
    REFUSALS,
    REQUEST_SECONDS,
)
from webapp.fleet.models import Bundle, Camera
from webapp.jobs.actions import enqueue_job

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
NAME: Final = re.compile(r"\b(?:farwatch|process)_[a-z_]+\b")
LABELS: Final = re.compile(r"\{[^}]*\}|by \([^)]*\)")


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana" / "farwatch.json").read_text())
    return found


def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "farwatch.rules.yml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


def expressions() -> Iterator[str]:
    for panel in dashboard()["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (alert["expr"] for alert in alerts())


@pytest.fixture
def there(client: Client, camera: Camera, bundle: Bundle) -> set[str]:
    """The names of all samples that the hub shows once it has something of everything."""
    make_result(camera, bundle)
    enqueue_job(kind="test", arguments={}, organization=camera.organization, by=None, at=START)
    REFUSALS.labels("malformed")
    DATABASE_ERRORS.labels("request")
    JOB_SECONDS.labels("test")
    REQUEST_SECONDS.labels("GET", "5xx")
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {sample.name for family in families for sample in family.samples}


def test_the_worker_answers_where_prometheus_asks() -> None:
    unit = (DEPLOY / "systemd" / "farwatch-worker.service").read_text()
    found = re.search(r"manage\.py work --metrics-port (\d+)$", unit, re.MULTILINE)
    assert found is not None
    jobs = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    assert targets["farwatch-worker"] == [f"127.0.0.1:{found[1]}"]


def test_the_tier_answers_where_prometheus_asks() -> None:
    unit = (DEPLOY / "systemd" / "farwatch-tier.service").read_text()
    found = re.search(r"FARWATCH_TIER_PORT=(\d+)$", unit, re.MULTILINE)
    assert found is not None
    jobs = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    assert targets["farwatch-tier"] == [f"127.0.0.1:{found[1]}"]


def test_every_metric_that_is_shown_or_watched_exists(there: set[str]) -> None:
    wanted = {name for text in expressions() for name in NAME.findall(LABELS.sub("", text))}
    assert len(wanted) > 20
    assert wanted - there == set()


def test_every_panel_has_a_place_and_a_question() -> None:
    panels = dashboard()["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels) == len({panel["id"] for panel in panels})
    assert all(panel.get("targets") for panel in panels if panel["type"] != "row")


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    found = alerts()
    assert len({alert["alert"] for alert in found}) == len(found) >= 10
    for alert in found:
        assert set(alert["annotations"]) == {"summary", "description"}
        assert alert["labels"]["severity"] in {"info", "warning", "critical"}


@pytest.mark.parametrize("text", sorted({*expressions()}))
def test_brackets_of_a_question_match(text: str) -> None:
    for opening, closing in ("()", "[]", "{}"):
        assert text.count(opening) == text.count(closing)


def test_the_example_reads_the_rules_and_asks_each_program() -> None:
    example = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    assert all((DEPLOY / "prometheus" / name).exists() for name in example["rule_files"])
    jobs = {job["job_name"] for job in example["scrape_configs"]}
    assert jobs == {"farwatch-hub", "farwatch-worker", "farwatch-tier", "farwatch-agent"}

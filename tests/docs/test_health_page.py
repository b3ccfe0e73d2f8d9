"""The page on health names every path, obstacle and metric that there is, and no other."""

import re

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from consumer.checking.looking import look
from consumer.health.endpoints import health_pages
from consumer.health.measures.governing import MOST_CODES, SentRound
from consumer.health.measures.publishing import Recipient
from consumer.health.measures.storage import RepeatCause
from consumer.health.metrics import Metrics
from consumer.health.readiness import Obstacle, Readiness
from consumer.health.server import DEFAULT_LIMITS
from consumer.settings import Settings
from rules.runs import RunKind
from tests.docs.pages import code, page, rows, section

PAGE = page("health.md")
MEASURED = [
    (code(row[0]), row[1], set(re.findall(r"`(\w+)`", row[2])), row[3])
    for row in rows(section(PAGE, "What is measured"))
]


def families() -> list[Metric]:
    """All metrics, each label having some value."""
    metrics = Metrics(Readiness(), ("invalid",))
    metrics.governing.decided(RunKind.TASK, "accept", None, 1)
    return list(text_string_to_metric_families(metrics.text().decode()))


def full_name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def test_just_the_paths_that_there_are_stand_there() -> None:
    pages = health_pages(Metrics(Readiness()))
    assert [code(row[0]) for row in rows(section(PAGE, "Health and metrics"))] == list(pages)


def test_just_the_obstacles_that_there_are_stand_there() -> None:
    told = [code(row[0]) for row in rows(section(PAGE, "Why a consumer is not ready"))]
    assert told == list(Obstacle)


def test_just_the_metrics_that_there_are_stand_there_with_type_and_labels() -> None:
    own = {
        (
            full_name(family),
            family.type,
            frozenset(label for each in family.samples for label in each.labels if label != "le"),
        )
        for family in families()
        if family.name.startswith("pointsman_")
    }
    assert {(name, kind, frozenset(labels)) for name, kind, labels, _ in MEASURED} == own


def test_the_others_are_named() -> None:
    others = {
        full_name(family) for family in families() if not family.name.startswith("pointsman_")
    }
    assert set(re.findall(r"`(process_\w+)`", PAGE)) == others


def test_each_value_of_our_own_labels_is_explained() -> None:
    told = {name: meaning for name, _, _, meaning in MEASURED}
    for name, values in (
        ("pointsman_sent_round_total", SentRound),
        ("pointsman_transaction_retries_total", RepeatCause),
        ("pointsman_decisions_undelivered_total", Recipient),
    ):
        assert all(f"`{value}`" in told[name] for value in values)
    assert f"Past {MOST_CODES} codes" in told["pointsman_decisions_total"]


async def test_just_what_is_looked_at_at_one_look_stands_there() -> None:
    away = Settings.from_environment(
        amqp_url="amqp://127.0.0.1:1/", database_url="postgresql+asyncpg://127.0.0.1:1/none"
    )
    told = [code(row[0]) for row in rows(section(PAGE, "At one look"))]
    assert told == [finding.name for finding in await look(away, {})]


def test_the_limits_are_as_they_are() -> None:
    limits = DEFAULT_LIMITS
    told = f"{limits.a_second:g} connections a second, {limits.connections} at a time"
    assert f"{told} and {limits.seconds:g} s each" in " ".join(PAGE.split())

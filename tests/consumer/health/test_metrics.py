from contextlib import suppress

import pytest

from consumer.health.measures.ages import OLDEST
from consumer.health.measures.governing import MOST_CODES, SentRound
from consumer.health.measures.publishing import Recipient
from consumer.health.measures.storage import RepeatCause
from consumer.health.metrics import Metrics
from consumer.health.readiness import Obstacle, Readiness
from rules.runs import RunKind
from tests.consumer.health.scrapes import Samples, samples


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def metrics(readiness: Readiness) -> Metrics:
    return Metrics(readiness, ("failed", "invalid"))


def scraped(metrics: Metrics) -> Samples:
    return samples(metrics.text().decode())


def test_decisions_are_counted_by_kind_decision_and_code(metrics: Metrics) -> None:
    metrics.governing.decided(RunKind.TASK, "accept", None, 3)
    metrics.governing.decided(RunKind.TASK, "accept", None, 2)
    metrics.governing.decided(RunKind.FLOW, "abort", "terminal", 1)
    metrics.governing.decided(None, "abort", "invalid", 1)
    found = scraped(metrics)
    name = "pointsman_decisions_total"
    assert {key: value for key, value in found.items() if key.startswith(name)} == {
        f'{name}{{code="none",decision="accept",kind="task"}}': 5,
        f'{name}{{code="terminal",decision="abort",kind="flow"}}': 1,
        f'{name}{{code="invalid",decision="abort",kind="none"}}': 1,
    }


def test_codes_without_end_do_not_make_series_without_end(metrics: Metrics) -> None:
    for number in range(MOST_CODES + 50):
        metrics.governing.decided(RunKind.TASK, "abort", f"code-{number}", 1)
    found = scraped(metrics)
    assert len([key for key in found if "code-" in key]) == MOST_CODES
    assert found['pointsman_decisions_total{code="other",decision="abort",kind="task"}'] == 50


def test_what_is_in_flight_lands_even_if_governing_it_fails(metrics: Metrics) -> None:
    with suppress(LookupError), metrics.governing.in_flight(7):
        assert scraped(metrics)["pointsman_requests_in_flight"] == 7
        raise LookupError
    assert scraped(metrics)["pointsman_requests_in_flight"] == 0


def test_batches_and_what_comes_again_are_counted(metrics: Metrics) -> None:
    metrics.governing.batch(40, 0)
    metrics.governing.batch(1, 1)
    metrics.governing.repeated()
    metrics.governing.sent_round(SentRound.DELAY)
    metrics.governing.reply_refused()
    found = scraped(metrics)
    assert found['pointsman_batch_messages_bucket{le="1.0"}'] == 1
    assert found["pointsman_batch_messages_count"] == 2
    assert found["pointsman_batch_messages_sum"] == 41
    assert found["pointsman_redelivered_total"] == 1
    assert found["pointsman_decisions_repeated_total"] == 1
    assert found['pointsman_sent_round_total{cause="delay"}'] == 1
    assert found['pointsman_sent_round_total{cause="failure"}'] == 0
    assert found["pointsman_replies_refused_total"] == 1


def test_ages_are_a_histogram_and_what_no_clock_can_mean_is_bounded(metrics: Metrics) -> None:
    for age in (-5.0, 0.2, 0.5, 4.0, 1e12):
        metrics.governing.aged(age, age + 1)
    found = scraped(metrics)
    name = "pointsman_queue_seconds"
    assert found[f'{name}_bucket{{le="0.5"}}'] == 3
    assert found[f'{name}_bucket{{le="5.0"}}'] == 4
    assert found[f'{name}_bucket{{le="{OLDEST}"}}'] == 5
    assert found[f'{name}_bucket{{le="+Inf"}}'] == found[f"{name}_count"] == 5
    assert found[f"{name}_sum"] == pytest.approx(0.2 + 0.5 + 4 + OLDEST)
    assert found["pointsman_decision_seconds_count"] == 5


def test_transactions_are_timed_and_their_repetitions_counted(metrics: Metrics) -> None:
    metrics.storage.committed(database_seconds=0.25, rules_seconds=0.5)
    metrics.storage.repeated(RepeatCause.CONTENTION)
    found = scraped(metrics)
    assert found["pointsman_database_seconds_sum"] == 0.25
    assert found["pointsman_rules_seconds_sum"] == 0.5
    assert found['pointsman_transaction_retries_total{cause="contention"}'] == 1
    assert found['pointsman_transaction_retries_total{cause="away"}'] == 0


def test_what_is_not_taken_is_counted(metrics: Metrics) -> None:
    metrics.publishing.forwards_refused(4)
    metrics.publishing.undelivered(Recipient.REPLY)
    metrics.letters.recorded("failed")
    found = scraped(metrics)
    assert found["pointsman_forwards_refused_total"] == 4
    assert found['pointsman_decisions_undelivered_total{to="reply"}'] == 1
    assert found['pointsman_dead_letters_total{reason="failed"}'] == 1
    assert found['pointsman_dead_letters_total{reason="invalid"}'] == 0


def test_pauses_are_as_readiness_has_them(metrics: Metrics, readiness: Readiness) -> None:
    readiness.clear(Obstacle.BROKER)
    assert scraped(metrics)["pointsman_ready"] == 1
    readiness.hinder(Obstacle.DATABASE, "gone")
    found = scraped(metrics)
    assert found["pointsman_ready"] == 0
    assert found['pointsman_paused{obstacle="database-away"}'] == 1
    assert found['pointsman_paused{obstacle="broker-away"}'] == 0
    assert found['pointsman_pauses_total{obstacle="database-away"}'] == 1


def test_two_consumers_in_one_process_count_apart(metrics: Metrics) -> None:
    other = Metrics(Readiness())
    metrics.governing.repeated()
    assert scraped(other)["pointsman_decisions_repeated_total"] == 0


def test_the_process_is_told_of_and_no_series_comes_with_a_birthday(metrics: Metrics) -> None:
    found = scraped(metrics)
    assert found["process_resident_memory_bytes"] > 0
    assert [key for key in found if key.startswith("pointsman_build_info")]
    assert not [key for key in found if "_created" in key]

from consumer.health.endpoints import LIVE, METRICS, READY, health_pages
from consumer.health.metrics import CONTENT_TYPE, Metrics
from consumer.health.readiness import Obstacle, Readiness


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_process_lives_for_as_long_as_it_answers() -> None:
    readiness = Readiness()
    page = health_pages(Metrics(readiness))[LIVE]()
    assert (page.status, page.body) == (200, b"alive\n")


def test_one_that_is_not_ready_tells_each_reason_and_for_how_long() -> None:
    clock = Clock()
    readiness = Readiness(clock)
    readiness.clear(Obstacle.BROKER)
    readiness.hinder(Obstacle.DATABASE, "connection refused")
    clock.now += 12.34
    page = health_pages(Metrics(readiness))[READY]()
    assert page.status == 503
    assert page.content_type == "application/json"
    assert page.body == (
        b'{"ready":false,"reasons":[{"obstacle":"database-away","why":"connection refused",'
        b'"since_seconds":12.3}]}\n'
    )


def test_one_that_is_ready_has_no_reasons() -> None:
    readiness = Readiness()
    readiness.clear(Obstacle.BROKER)
    page = health_pages(Metrics(readiness))[READY]()
    assert (page.status, page.body) == (200, b'{"ready":true,"reasons":[]}\n')


def test_however_long_a_reason_is_the_page_is_short() -> None:
    readiness = Readiness()
    readiness.hinder(Obstacle.DATABASE, "x" * 100_000)
    assert len(health_pages(Metrics(readiness))[READY]().body) < 1_000


def test_metrics_are_what_prometheus_reads() -> None:
    readiness = Readiness()
    page = health_pages(Metrics(readiness))[METRICS]()
    assert page.content_type == CONTENT_TYPE
    assert b'\npointsman_paused{obstacle="broker-away"} 1.0\n' in page.body


def test_metrics_are_not_put_together_for_everyone_who_asks_at_once() -> None:
    readiness = Readiness()
    page = health_pages(Metrics(readiness))[METRICS]
    assert page().body is page().body

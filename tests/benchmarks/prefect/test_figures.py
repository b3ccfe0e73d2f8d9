"""What is told of the readings."""

import pytest

from benchmarks.prefect.figures import (
    Contender,
    Kind,
    Reading,
    Summary,
    in_order,
    quantile,
    ratios,
    summarise,
)


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_a_quantile_is_the_smallest_value_that_so_many_do_not_exceed(
    share: float, value: float
) -> None:
    hundred = [float(number) for number in range(100, 0, -1)]

    assert quantile(hundred, share) == value


def test_the_rounds_come_to_medians_and_their_latencies_are_taken_together() -> None:
    readings = [
        Reading(30.0, 9.0, 190.0, latencies=[0.001, 0.002]),
        Reading(50.0, 7.0, 210.0, latencies=[0.003, 0.004]),
        Reading(40.0, 8.0, 200.0, latencies=[0.005]),
    ]

    assert summarise(readings) == Summary(40.0, 8.0, 200.0, p50_ms=3.0, p99_ms=5.0)


def test_where_nobody_waited_there_are_no_latencies() -> None:
    assert summarise([Reading(900.0, 0.4, 100.0)]) == Summary(900.0, 0.4, 100.0, None, None)


def test_pointsman_stands_beside_the_fastest_of_each_kind() -> None:
    found = list(
        ratios(
            {
                Contender(Kind.ENGINE, 1): _summary(50.0, 10.0),
                Contender(Kind.ENGINE, 4): _summary(100.0, 8.0),
                Contender(Kind.SERVER, 8): _summary(40.0, 12.0),
                Contender(Kind.ANSWERED, 8): _summary(200.0, 4.0),
                Contender(Kind.ANSWERED, 32): _summary(400.0, 2.0),
                Contender(Kind.QUEUED): _summary(1_000.0, 0.5),
            }
        )
    )

    assert [(str(each.pointsman), str(each.prefect), each.rate, each.cpu) for each in found] == [
        ("Pointsman, requests wait", "Prefect, in-process, 4 clients", 10.0, 16.0),
        ("Pointsman, requests wait", "Prefect, over HTTP, 8 clients", 25.0, 24.0),
        ("Pointsman, clients wait, 32 clients", "Prefect, in-process, 4 clients", 4.0, 4.0),
        ("Pointsman, clients wait, 32 clients", "Prefect, over HTTP, 8 clients", 10.0, 6.0),
    ]


def test_contenders_stand_kind_by_kind_however_they_were_measured() -> None:
    queued, many = Contender(Kind.QUEUED), Contender(Kind.SERVER, 32)
    few, engine = Contender(Kind.SERVER, 8), Contender(Kind.ENGINE, 1)

    assert in_order([queued, many, few, engine]) == [engine, few, many, queued]


def _summary(per_second: float, cpu_ms: float) -> Summary:
    return Summary(per_second, cpu_ms, peak_mb=100.0, p50_ms=None, p99_ms=None)

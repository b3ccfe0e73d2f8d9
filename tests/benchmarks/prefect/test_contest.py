"""All contenders are measured in every round, and none always comes first."""

from functools import partial

from benchmarks.prefect.contest import in_rounds
from benchmarks.prefect.figures import Contender, Kind, Reading

FIRST, SECOND = Contender(Kind.ENGINE, 1), Contender(Kind.QUEUED)


async def test_every_other_round_goes_the_other_way_round() -> None:
    measured: list[Contender] = []

    async def measure(contender: Contender) -> Reading:
        measured.append(contender)
        return Reading(float(len(measured)), 1.0, 1.0)

    measures = {contender: partial(measure, contender) for contender in (FIRST, SECOND)}
    told: list[str] = []
    readings = await in_rounds(measures, rounds=3, tell=told.append)

    assert measured == [FIRST, SECOND, SECOND, FIRST, FIRST, SECOND]
    assert [reading.per_second for reading in readings[FIRST]] == [1.0, 4.0, 5.0]
    assert [reading.per_second for reading in readings[SECOND]] == [2.0, 3.0, 6.0]
    assert told[-1] == "round 3 of 3: Pointsman, requests wait: 6/s"

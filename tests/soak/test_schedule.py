from typing import cast

from deploy.servers import ServerError
from tests.soak.faults import Fault, Site
from tests.soak.schedule import Schedule

EVERY = 0.01
NOWHERE = cast("Site", None)


async def harmless(site: Site) -> None:
    assert site is NOWHERE


async def impossible(site: Site) -> None:
    assert site is NOWHERE
    raise ServerError("no such server")


def schedule(*faults: Fault, until: float, every: float = EVERY) -> Schedule:
    """On a clock that stands still: what is due at which time depends on no machine."""
    return Schedule(every, until, clock=lambda: 0.0, faults=faults)


async def test_faults_come_in_turn_and_one_that_fails_is_noted() -> None:
    turns = 3 * EVERY
    made = schedule(Fault("first", harmless), Fault("second", impossible), until=turns + EVERY)
    await made.run(NOWHERE)
    assert [(fault.name, fault.error) for fault in made.made] == [
        ("first", None),
        ("second", "no such server"),
        ("first", None),
    ]


async def test_a_fault_that_would_leave_no_time_for_its_traces_to_go_is_not_made() -> None:
    made = schedule(Fault("only", harmless), until=1.5 * EVERY)
    await made.run(NOWHERE)
    assert not made.made


async def test_no_distance_stands_for_no_faults() -> None:
    made = schedule(Fault("only", harmless), until=60, every=0)
    await made.run(NOWHERE)
    assert not made.made

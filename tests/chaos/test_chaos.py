"""The short form of the chaos suite; ``make chaos`` is the long one."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from deploy.servers import PostgresServer, RabbitServer
from tests.chaos.diary import Diary
from tests.chaos.faults.catalogue import CATALOGUE
from tests.chaos.faults.fault import Fault, Side
from tests.chaos.faults.storm import Rest
from tests.chaos.policy import Misdeed
from tests.chaos.saving import save
from tests.chaos.trial import Plan, Servers, trial

EVERYTHING = [fault for fault in CATALOGUE.values() if not fault.long]
NO_BROKER = [fault for fault in EVERYTHING if fault.side in (Side.CONSUMERS, Side.DATABASE)]


@pytest.fixture(scope="module")
def servers(
    own_broker: Callable[[], RabbitServer], own_postgres: Callable[[], PostgresServer]
) -> tuple[RabbitServer, PostgresServer]:
    """Servers for all trials of this file."""
    return own_broker(), own_postgres()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("seed", "faults"),
    [(1, EVERYTHING), (2, NO_BROKER[::-1])],
    ids=["everything", "consumers-and-database"],
)
async def test_whatever_fails_nothing_is_lost_and_nothing_comes_twice(
    seed: int,
    faults: Sequence[Fault],
    servers: tuple[RabbitServer, PostgresServer],
    tmp_path: Path,
) -> None:
    broker, postgres = servers
    plan = Plan(
        seed=seed,
        faults=faults,
        once=True,
        misdeeds=(Misdeed.TAKE_TOO_LONG, Misdeed.END_THE_PROCESS),
        rest=Rest(seconds=1.0, answers=5),
    )
    diary = Diary()
    result = await trial(Servers(broker, postgres, tmp_path), plan, diary, asyncio.Event())
    if result.findings:
        save(result.history, tmp_path)
    notes = [*diary.lines, *result.findings, f"all there is to look at is in {tmp_path}"]
    assert not result.findings, "\n".join(notes)
    assert set(result.struck) == {fault.name for fault in faults}
    assert {record.decision for record in result.history.rows.decisions} == {
        "accept",
        "reject",
        "delay",
        "abort",
    }

"""Rules of a user's that fail: the request pays for it, its neighbours do not."""

import signal
from collections.abc import Mapping
from itertools import chain
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from persistence.database import open_database
from rules.identifiers import uuid7
from tests.integration.misdeed_policy import PARAMETER, POLICY, Misdeed
from tests.integration.processes import consuming
from tests.integration.records import rows_of, rows_when
from tests.integration.waiting import until_left
from tests.integration.world import Watcher, World, proposal, watching

KILLED, EXITED = -9, 7

REFUSING = (
    """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'not this one' USING ERRCODE = 'data_exception'; END $$
    """,
    """
    CREATE TRIGGER refusing BEFORE INSERT ON decision FOR EACH ROW
    WHEN (NEW.request_id IN ('bad', 'worse')) EXECUTE FUNCTION refuse()
    """,
)
"""The database takes no decision on these two."""


def settings(world: World, **more: object) -> dict[str, object]:
    return {**world.settings, "task_policy": POLICY, "log_level": "debug", **more}


def misdeed(what: Misdeed, state: str, run_id: UUID | None = None, **rest: Any) -> dict[str, Any]:
    return proposal(state, run_id, parameters={PARAMETER: what}, **rest)


async def send_together(watcher: Watcher, bodies: Mapping[str, dict[str, Any]]) -> None:
    """Publish them at once, under these ids."""
    await watcher.send_all([watcher.request(body, name) for name, body in bodies.items()])


async def decided(watcher: Watcher, count: int) -> dict[str, dict[str, Any]]:
    """The next so many decisions, by request id."""
    return {each["request_id"]: each for each in await watcher.decisions(count)}


async def test_a_rule_that_raises_before_is_an_abort_and_writes_nothing(world: World) -> None:
    async with consuming(**settings(world)) as consumer, watching(world.amqp_url) as watcher:
        await send_together(
            watcher,
            {
                "before": proposal("RUNNING", create={}),
                "bad": misdeed(Misdeed.RAISES_BEFORE, "RUNNING", create={}),
                "after": proposal("RUNNING", create={}),
            },
        )
        told = await decided(watcher, 3)
        rows = await rows_when(world, lambda rows: len(rows.letters) == 1)
        await consumer.event("rule-failed")
    assert {name: each["decision"] for name, each in told.items()} == {
        "before": "accept",
        "bad": "abort",
        "after": "accept",
    }
    bad = told["bad"]
    assert (bad["code"], bad["rule"]) == ("rule-error", "DoesWhatItIsTold")
    assert (bad["run"]["version"], bad["state"]) == (0, None)
    assert bad["run"]["id"] not in {str(state.run_id) for state in rows.states}
    [letter] = rows.letters
    assert (letter.request_id, letter.reason) == ("bad", "rule-error")
    assert not consumer.told("sent-round")


@pytest.mark.parametrize(
    ("what", "state"),
    [(Misdeed.RAISES_AFTER, "COMPLETED"), (Misdeed.RAISES_IN_CLEANUP, "FAILED")],
)
async def test_a_rule_that_raises_late_is_tried_again_later_and_later_and_then_condemned(
    world: World, what: Misdeed, state: str
) -> None:
    """A retry is due, so that the rule has to clean up after FAILED."""
    run_id = uuid7()
    create = {"policy": {"retries": 1}}
    consumer = consuming(**settings(world, max_failures=2))
    async with consumer as running, watching(world.amqp_url) as watcher:
        await watcher.decision(proposal("RUNNING", run_id, create=create), request_id="start")
        running.send(signal.SIGSTOP)
        await send_together(
            watcher,
            {
                "before": proposal("RUNNING", create={}),
                "bad": misdeed(what, state, run_id),
                "follows": proposal(None, run_id),
                "after": proposal("RUNNING", create={}),
            },
        )
        await until_left(world, 0)  # all is on its way, and so is read at once
        running.send(signal.SIGCONT)
        neighbours = await decided(watcher, 2)
        told = await decided(watcher, 2)
        rows = await rows_when(world, lambda rows: len(rows.letters) == 1)
        rounds = [(each["request_id"], each["exchange"]) for each in running.told("sent-round")]
    assert {name: each["decision"] for name, each in neighbours.items()} == {
        "before": "accept",
        "after": "accept",
    }
    assert (told["bad"]["decision"], told["bad"]["code"]) == ("abort", "failed")
    assert (told["bad"]["run"]["version"], told["follows"]["run"]["version"]) == (1, 1)
    assert told["follows"]["decision"] == "accept"
    assert rounds[:2] == [("bad", "pointsman.delay.0"), ("follows", "pointsman.delay.0")]
    assert [exchange for name, exchange in rounds if name == "bad"] == [
        "pointsman.delay.0",
        "pointsman.delay.1",
    ]
    assert {row.request_id: row.failures for row in rows.begun} == {"bad": 3}
    [letter] = rows.letters
    assert (letter.request_id, letter.reason) == ("bad", "failed")
    assert sum(state.run_id == run_id for state in rows.states) == 1


async def test_a_rule_that_hangs_is_cut_off_and_its_neighbours_are_decided(world: World) -> None:
    consumer = consuming(**settings(world, processing_seconds=1, max_failures=0))
    async with consumer as running, watching(world.amqp_url) as watcher:
        await send_together(
            watcher,
            {
                "before": proposal("RUNNING", create={}),
                "bad": misdeed(Misdeed.HANGS, "RUNNING", create={}),
                "after": proposal("RUNNING", create={}),
            },
        )
        told = await decided(watcher, 3)
        rows = await rows_when(world, lambda rows: len(rows.letters) == 1)
        await running.event("batch-failed")
    assert {name: (each["decision"], each["code"]) for name, each in told.items()} == {
        "before": ("accept", None),
        "bad": ("abort", "failed"),
        "after": ("accept", None),
    }
    assert [row.error_type for row in rows.decisions if row.error_type] == ["TimeoutError"]


async def test_a_rule_that_blocks_ends_the_process_and_all_is_decided_by_the_next(
    world: World,
) -> None:
    async with watching(world.amqp_url) as watcher:
        await send_together(
            watcher,
            {
                "before": proposal("RUNNING", create={}),
                "bad": misdeed(Misdeed.BLOCKS, "RUNNING", create={}),
                "after": proposal("RUNNING", create={}),
            },
        )
        async with consuming(**settings(world, processing_seconds=1)) as consumer:
            assert await consumer.ended() == 1
        trace = "".join(consumer.lines)
        assert "Timeout (0:00:11)!" in trace
        assert "misdeed_policy.py" in trace
        async with consuming(**world.settings):
            told = await decided(watcher, 3)
    assert {each["decision"] for each in told.values()} == {"accept"}
    assert not (await rows_of(world)).letters


async def test_a_rule_that_goes_on_though_it_is_cut_off_ends_the_process_too(world: World) -> None:
    async with watching(world.amqp_url) as watcher:
        await watcher.send(misdeed(Misdeed.WILL_NOT_END, "RUNNING", create={}))
        async with consuming(**settings(world, processing_seconds=1)) as consumer:
            assert await consumer.ended() == 1
        [stuck] = consumer.told("stuck")
        assert "_go_on_for_ever" in "".join(chain(*stuck["stacks"]))
        async with consuming(**world.settings):
            [decision] = await watcher.decisions(1)
    assert decision["decision"] == "accept"


@pytest.mark.parametrize(("what", "code"), [(Misdeed.KILLS, KILLED), (Misdeed.EXITS, EXITED)])
async def test_a_message_that_ends_the_process_each_time_is_condemned_and_no_other(
    world: World, what: Misdeed, code: int
) -> None:
    bodies = {f"r-{number}": proposal("RUNNING", create={}) for number in range(20)}
    bodies["r-10"] = misdeed(what, "RUNNING", create={})
    told: dict[str, dict[str, Any]] = {}
    async with watching(world.amqp_url) as watcher:
        await send_together(watcher, bodies)
        for _ in range(3):  # in a batch with others, and then alone
            async with consuming(**settings(world)) as consumer:
                assert await consumer.ended() == code
        async with consuming(**settings(world)):
            while told.keys() != bodies.keys():
                told |= await decided(watcher, 1)
            rows = await rows_when(world, lambda rows: len(rows.letters) == 1)
    assert (told["r-10"]["decision"], told["r-10"]["code"]) == ("abort", "failed")
    assert {each["decision"] for name, each in told.items() if name != "r-10"} == {"accept"}
    [letter] = rows.letters
    assert (letter.request_id, letter.reason) == ("r-10", "failed")
    assert [row.error_type for row in rows.decisions if row.error_type] == ["UnfinishedError"]


async def test_a_message_that_can_not_even_be_aborted_is_a_dead_letter_without_a_decision(
    world: World,
) -> None:
    async with open_database(world.database_url) as database, database.writing() as connection:
        for statement in REFUSING:
            await connection.execute(text(statement))
    consumer = consuming(**settings(world, max_failures=0))
    async with consumer as running, watching(world.amqp_url) as watcher:
        await send_together(
            watcher,
            {
                "before": proposal("RUNNING", create={}),
                "bad": proposal("RUNNING", create={}),
                "worse": misdeed(Misdeed.RAISES_AFTER, "RUNNING", create={}),
                "after": proposal("RUNNING", create={}),
            },
        )
        told = await decided(watcher, 2)
        rows = await rows_when(world, lambda rows: len(rows.letters) == 2)
        await running.event("message-buried", 2)
        assert running.process.returncode is None
    assert {name: each["decision"] for name, each in told.items()} == {
        "before": "accept",
        "after": "accept",
    }
    assert {letter.request_id: letter.reason for letter in rows.letters} == {
        "bad": "failed",
        "worse": "failed",
    }
    assert {row.request_id for row in rows.decisions} == {"before", "after"}
    assert len(rows.states) == 2
